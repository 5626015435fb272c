"""The Sage 300 Web API as a source: which questions are asked, and in which order its pages come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ml_connector.extract.errors import ApiError, Denied, StreamUnavailable, Transient
from ml_connector.extract.resource import COMPANY

from tap_sage300 import filters, values
from tap_sage300.accounts import CHART, ChartOfAccounts
from tap_sage300.edm import source_schema
from tap_sage300.errors import AddressTooLong
from tap_sage300.paging import Paging
from tap_sage300.question import Question
from tap_sage300.streams.resource import SEGMENTS, Resource

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ml_connector.extract import resource as core
    from ml_connector.extract.source import (
        Converter,
        Deleted,
        Key,
        Page,
        ReadRequest,
        Selection,
        SourceSchema,
    )

    from tap_sage300.metadata import EntitySet
    from tap_sage300.session import Session

_PAGE: Final = 100
"""Records a page of a server that is left as it was installed (reference section 3)."""
_TEXT: Final[dict[str, Any]] = {"type": ["string", "null"]}


class WebApi:
    """Reads one company.

    Args:
        session: Sends the requests.
        looked_up: The columns that ledger lines take from the chart of accounts, of all selected streams.
        logger: Is told what a person should know.
    """

    def __init__(
        self, session: Session, looked_up: Callable[[], Collection[str]], logger: logging.Logger
    ) -> None:
        self.partition = {COMPANY: session.company}
        self._session = session
        self._logger = logger
        self._paging = Paging(session, logger)
        self._chart = ChartOfAccounts(self, looked_up, logger)
        self._undescribed: set[str] = set()

    def now(self) -> float:
        """The server's clock."""
        return self._session.now()

    def converter(self, described: Mapping[str, Any]) -> Converter:
        """How a column is converted."""
        return values.converter(described)

    def page_size(self, resource: core.Resource, selection: Selection) -> int:  # noqa: ARG002
        """As many as the server has sent at once."""
        return self._paging.largest or _PAGE

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """Read records in the order of their key.

        Yields:
            Pages. Their `after` is a `paging.Position`.
        """
        question = Question(request, self._chart)
        condition = None
        if request.since is not None:
            condition = filters.since(
                request.since, question.fields_known, blanks="blanks" not in request.without
            )
        yield from self._pages(question, condition)

    def records(self, request: ReadRequest, keys: Sequence[Key], by: Sequence[str] = ()) -> Iterator[Page]:
        """Ask for records by their keys, as many in a request as an address may hold."""
        question = Question(replace(request, since=None, after=None, size=None), self._chart)
        names = tuple(by) or request.resource.key
        schema = question.schema
        asked = [
            [filters.typed(value, schema.get(name, {})) for name, value in zip(names, key, strict=True)]
            for key in keys
        ]
        done = 0
        while done < len(asked):
            room = self._paging.room(question)
            condition, count = next(filters.by_key(names, asked[done:], room))
            try:
                yield from self._pages(question, condition, most=None if by else count)
            except AddressTooLong:
                # shorter ones from now on
                if count == 1 or self._paging.room(question) >= room:
                    raise
                continue
            done += count

    def changed_documents(self, resource: core.Resource, since: str) -> Iterator[Key]:  # noqa: ARG002
        """None: lines cannot be asked for by themselves."""
        yield from ()

    def deleted(self, resource: core.Resource, since: str) -> Iterator[Deleted]:  # noqa: ARG002
        """None: the Web API does not tell."""
        yield from ()

    def describe(self, resource: core.Resource) -> SourceSchema | None:
        """Ask the module's `$metadata`.

        Raises:
            StreamUnavailable: The company does not show the module to the user.
        """
        assert isinstance(resource, Resource)  # noqa: S101 - declared so
        found = self.entity_set(resource)
        if found is None:
            return None
        segments = self._segments()
        told = source_schema(found.properties)
        if resource.account:
            told.fields.update(segments)
        for lines in resource.lines:
            _add_segments(lines, told, segments)
        return told

    def entity_set(self, resource: Resource) -> EntitySet | None:
        """An entity set as the server describes it; None if it does not.

        Raises:
            StreamUnavailable: The company does not show the module to the user.
        """
        module = resource.module
        try:
            sets = self._session.metadata(module).entity_sets
        except Denied as error:
            raise StreamUnavailable(str(error)) from error
        except StreamUnavailable:
            return None
        except Transient as error:
            if not error.answered:
                raise
            if module not in self._undescribed:
                self._undescribed.add(module)
                self._logger.warning(
                    "Module %s of %s is taken as it ships, without the site's own fields: %s",
                    module,
                    self._session.company,
                    error,
                )
            return None
        return sets.get(resource.entity_set) or sets.get(resource.fallback)

    def totals(self, resource: core.Resource) -> int | None:
        """How many records an entity set has; None if the server does not say."""
        return self._paging.total(resource)

    def check(self) -> str:
        """Sign in and read the company's profile."""
        try:
            name = self._session.profile().get("CompanyName")
        except (StreamUnavailable, Denied):
            return "login accepted; its company profile cannot be read"
        return f"login accepted{f' ({name})' if name else ''}"

    def close(self) -> None:
        """Say which accounts were not found, and end the session."""
        self._chart.tell_unknown()
        self._session.close()

    def _pages(self, question: Question, condition: str | None, most: int | None = None) -> Iterator[Page]:
        try:
            yield from self._paging.pages(question, condition, most)
        except StreamUnavailable:
            fallback = question.resource.fallback
            if not fallback or question.entity_set == fallback:
                raise
            question.entity_set = fallback
            yield from self._paging.pages(question, condition, most)

    def _segments(self) -> dict[str, dict[str, Any]]:
        """The columns that ledger lines get of their accounts, as far as this server's chart has them."""
        try:
            chart = self.entity_set(CHART)
        except ApiError:
            chart = None
        return {name: _TEXT for name in SEGMENTS if chart is None or name in chart.properties}


def _add_segments(lines: core.Lines, told: SourceSchema, segments: Mapping[str, dict[str, Any]]) -> None:
    inner = told.lines.get(lines.collection)
    if inner is None:
        return
    if getattr(lines, "account", ""):
        inner.fields.update(segments)
    for each in lines.lines:
        _add_segments(each, inner, segments)
