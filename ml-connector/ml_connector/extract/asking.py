"""Asking a source: more plainly, for less, or past a record that it cannot answer for."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ml_connector.extract.deletes import token
from ml_connector.extract.errors import ApiError, Refused, TooSlow, Transient
from ml_connector.extract.prefetch import prefetch
from ml_connector.extract.question import narrowed, plainer
from ml_connector.extract.source import ReadRequest, Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ml_connector.extract.resource import Resource
    from ml_connector.extract.shared import Outcome, Run
    from ml_connector.extract.source import Key, Page, Source


class Asker:
    """Asks one company for one kind of document.

    Args:
        source: The company.
        question: What is asked for, without bounds.
        run: What the reads of a run share.
        outcome: Takes what could not be read, in sentences.
        keys: Gives the keys of a page's records.

    Attributes:
        question: The question, without what the server refused.
        refused: What the state has to hold of that.
        failed: The tokens of records that could not be read.
        unknown: A record could not be read, and nobody knows which: the bookmark stays where it is.
    """

    def __init__(
        self,
        source: Source,
        question: ReadRequest,
        run: Run,
        outcome: Outcome,
        keys: Callable[[Page], Sequence[Key]],
    ) -> None:
        self.question = question
        self.refused: dict[str, Any] = {}
        self.failed: list[str] = []
        self.unknown = False
        self._source, self._run, self._outcome, self._keys = source, run, outcome, keys
        self._resource = question.resource

    def narrowed(self, without: frozenset[str], **bounds: Any) -> ReadRequest:
        """The question with its bounds, and without what the server refused in earlier runs.

        Args:
            without: What was refused.
            bounds: Other parts of a `ReadRequest`.
        """
        request = narrowed(replace(self.question, **bounds), without, self._run.settings.lookback)
        self.question = replace(self.question, without=without, selection=request.selection)
        return request

    def pages(self, request: ReadRequest) -> Iterator[tuple[Page | None, Any]]:
        """Follow the pages, asking in a plainer way or for less where the server wants it so.

        Yields:
            A page, and where the next one begins; no page where a record was passed over.

        Raises:
            ApiError: The server answers nothing, or its pages go round in a circle.
        """
        met, full = set[str](), request.size
        while True:
            try:
                for page in self._run_of(request):
                    if _comes_again(page, met):
                        yield page, request.after
                        raise _circle(page, self._resource, self._outcome.company)
                    yield page, page.after
                    request = replace(request, after=page.after)
                    if not request.patient and page.after is not None:
                        break
                else:
                    return
                # a page that was taken apart is behind: as many as before again
                request = replace(request, size=full, patient=True)
            except (Refused, TooSlow) as error:
                request = self._step_down(request, error)
                full = self.refused.get("size", full)
            except Transient as error:
                if not error.answered or (request.patient and not self._answers(request)):
                    raise
                narrower = self._smaller(request)
                if narrower is not None:
                    request = narrower
                    continue
                following = self._pass_over(request, error)
                if following is None:
                    return
                request = replace(request, after=following, size=full, patient=True)
                yield None, following

    def records(self, keys: Sequence[Key], by: Sequence[str] = ()) -> Iterator[Page]:
        """Pages of records by their keys, without the fields that the server refuses."""
        while True:
            try:
                yield from self._source.records(self.question, keys, by)
            except Refused as refused:  # noqa: PERF203 - an attempt is a request
                self._step_down(self.question, refused)
            else:
                return

    def fail(self, name: str, error: Exception) -> None:
        """Note that a record cannot be read, and say so."""
        self.failed.append(name)
        self._tell(f"record {name} cannot be read: {error}")

    def miss(self, sentence: str) -> None:
        """Note that something cannot be read which has no key of its own: the bookmark stays where it is."""
        self.unknown = True
        self._tell(sentence)

    def _run_of(self, request: ReadRequest) -> Iterator[Page]:
        with closing(prefetch(self._source.pages(request), self._run.settings.prefetch_pages)) as pages:
            yield from pages

    def _size(self, request: ReadRequest) -> int:
        return request.size or self._source.page_size(self._resource, self.question.selection)

    def _step_down(self, request: ReadRequest, error: Refused | TooSlow) -> ReadRequest:
        refused = error if isinstance(error, Refused) else Refused(str(error), "size")
        found = plainer(request, refused, self._size(request), self._run.settings.lookback)
        if found is None:
            raise error
        narrower, sentence = found
        self._run.logger.warning("%s %s", refused, sentence)
        if narrower.without:
            self.refused["without"] = sorted(narrower.without)
        fields = {name.partition(":")[2] for name in narrower.without if name.startswith("field:")}
        selection = replace(self.question.selection, fields=self.question.selection.fields - fields)
        self.question = replace(self.question, without=narrower.without, selection=selection)
        if refused.what == "size":
            self.refused["size"] = narrower.size
        return narrower

    def _answers(self, request: ReadRequest) -> bool:
        """Whether the next record, or the one behind it, can be had: else it is no page's fault."""
        for beyond in (0, 1):
            try:
                next(iter(self._source.pages(replace(self._keys_of(request), beyond=beyond))), None)
            except Transient as error:  # noqa: PERF203 - two attempts
                if not error.answered:
                    raise
            else:
                return True
        return False

    def _smaller(self, request: ReadRequest) -> ReadRequest | None:
        """Half as many records a page; None if it is one already."""
        size = self._size(request)
        return None if size <= 1 else replace(request, size=max(1, size // 2), patient=False)

    def _pass_over(self, request: ReadRequest, error: Transient) -> Any:
        """Find the key of the record that cannot be read, and where the next page begins."""
        keys_only = self._keys_of(request)
        try:
            page = next(iter(self._source.pages(keys_only)), None)
        except Transient as unknown:
            if not unknown.answered:
                raise
            page = next(iter(self._source.pages(replace(keys_only, beyond=1))), None)
            self.unknown = page is not None
            if page is not None:
                before = token([request.after]) if request.after else "the beginning"
                self._tell(f"the record behind {before} cannot be read, nor its key: {error}")
        if page is None:
            raise error
        for key in self._keys(page):
            self.fail(token(key), error)
        return page.after

    def _keys_of(self, request: ReadRequest) -> ReadRequest:
        return replace(request, selection=Selection(frozenset(self._resource.key)), size=1)

    def _tell(self, sentence: str) -> None:
        self._run.logger.error(
            "%s of %s: %s It is asked for again in the next run.",
            self._resource.stream,
            self._outcome.company,
            sentence,
        )
        self._outcome.failed.append(sentence)


def read_pages(source: Source, request: ReadRequest, ahead: int) -> Iterator[Page]:
    """Read all pages of a request, more plainly where the server wants it so, for what needs no state.

    Yields:
        The pages.

    Raises:
        ApiError: It cannot be asked more plainly, or its pages go round in a circle.
    """
    met = set[str]()
    while True:
        try:
            with closing(prefetch(source.pages(request), ahead)) as pages:
                for page in pages:
                    yield page
                    if _comes_again(page, met):
                        company = next(iter(source.partition.values()), "")
                        raise _circle(page, request.resource, str(company))
                    request = replace(request, after=page.after)
        except Refused as refused:  # noqa: PERF203 - few rounds
            size = request.size or source.page_size(request.resource, request.selection)
            found = plainer(request, refused, size, timedelta(0))
            if found is None:
                raise
            request = found[0]
        else:
            return


def _comes_again(page: Page, met: set[str]) -> bool:
    """Whether the place behind a page was met before; it is noted."""
    if page.after is None:
        return False
    name = token([page.after])
    if name in met:
        return True
    met.add(name)
    return False


def _circle(page: Page, resource: Resource, company: str) -> ApiError:
    return ApiError(
        f"Reading {resource.stream} of {company}: the server's pages go round in a circle (the page after"
        f" {token([page.after])} came before). Nothing more is read of it."
    )
