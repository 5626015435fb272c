"""The REST web services, api1 (reference section 1)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.errors import ApiError, Refused, StreamUnavailable
from ml_connector.extract.resource import COMPANY

from tap_sagex3.errors import RecordGone
from tap_sagex3.sources.rest_description import described, rename_inner
from tap_sagex3.sources.rest_rows import RestRows
from tap_sagex3.streams.resource import Lines, Resource
from tap_sagex3.values import converter

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

    from ml_connector.extract.source import (
        Bound,
        Converter,
        Deleted,
        Key,
        Page,
        ReadRequest,
        Selection,
        SourceSchema,
    )

    from tap_sagex3.client import Client

Record = dict[str, Any]
LIST_PAGE: Final = 1000
"""No limit is documented; Sage's own clients ask for up to 3,000 (reference 1.2)."""
DOCUMENT_PAGE: Final = 100
"""Documents a page: each is asked for by itself, and held with its lines."""
_SAFE: Final = "$~(),'@:"


class RestSource:
    """Reads one folder through api1.

    Args:
        client: Sends the requests.
        representations: Stream name to `class`, `representation`, `collection` and `details`, for sites whose
            names differ.
        logger: Is told what a person should know.
    """

    def __init__(
        self, client: Client, representations: Mapping[str, Mapping[str, Any]], logger: logging.Logger
    ) -> None:
        self.folder = client.folder
        self.partition = {COMPANY: client.folder}
        self._client = client
        self._representations = representations
        self._logger = logger
        self._told = False
        self._instead: set[str] = set()
        self._root = f"{client.base_url}/api1/x3/erp/{quote(client.folder, safe='')}"

    def now(self) -> float:
        """This machine's clock, as X3's is not known beforehand."""
        return time.time()

    def converter(self, described: Mapping[str, Any]) -> Converter:
        """How a column is converted."""
        return converter(described)

    def page_size(self, resource: Resource, selection: Selection) -> int:
        """Fewer where each record is asked for by itself."""
        return DOCUMENT_PAGE if self._details_wanted(resource, selection) else LIST_PAGE

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """Follow `$next` from page to page, in the order of the key.

        Yields:
            Pages; a document that vanished between its list and its details is left out.
        """
        resource = request.resource
        assert isinstance(resource, Resource)  # noqa: S101 - declared so
        try:
            pages = self._pages(request, resource)
            page = next(pages, None)
        except StreamUnavailable:
            if not self._try_other_class(resource):
                raise
            pages = self._pages(request, resource)
            page = next(pages, None)
        if page is not None:
            yield page
        yield from pages

    def _pages(self, request: ReadRequest, resource: Resource) -> Iterator[Page]:
        most = None if request.patient else 1
        details = self._details_wanted(resource, request.selection)
        rows = RestRows(self.collection, resource, request)
        for answer, after in self._followed(resource, request, most):
            if not details:
                yield rows.page([bytes(answer)], after)
                continue
            place = self._where(resource)
            keys = [key_of(row, resource, place) for row in decode_exactly(answer)]
            yield rows.page(self._several(resource, keys, most), after)

    def records(self, request: ReadRequest, keys: Sequence[Key], by: Sequence[str] = ()) -> Iterator[Page]:  # noqa: ARG002
        """Ask for each by its key."""
        resource = request.resource
        assert isinstance(resource, Resource)  # noqa: S101 - declared so
        rows = RestRows(self.collection, resource, request)
        for start in range(0, len(keys), DOCUMENT_PAGE):
            yield rows.page(self._several(resource, keys[start : start + DOCUMENT_PAGE]), None)

    def changed_documents(self, resource: Resource, since: str) -> Iterator[Key]:  # noqa: ARG002
        """None, and a word about it: a document's stamp need not move with those of its lines."""
        if not self._told:
            self._told = True
            self._logger.warning(
                "%s: api1 shows changes of lines (a payment matched, a delivery booked) only where their"
                " document's own stamp moves. Name classes of the line tables in representations, or use"
                " api: graphql.",
                self.folder,
            )
        yield from ()

    def deleted(self, resource: Resource, since: str) -> Iterator[Deleted]:  # noqa: ARG002
        """None: api1 does not tell."""
        yield from ()

    def describe(self, resource: Resource) -> SourceSchema | None:
        """Ask for the prototype of the facet that is read."""
        facet = "$details" if resource.lines or self._own(resource).get("details") is True else "$query"
        url = f"{self._root}/$prototypes('{self._representation(resource)}.{facet}')"
        try:
            document = self._client.get(url, f"the description of {self._where(resource)}")
        except (StreamUnavailable, Refused, RecordGone) as error:
            if self._try_other_class(resource):
                return self.describe(resource)
            self._instead.discard(resource.stream)  # neither is described: a read begins with the first
            self._logger.debug("%s is not described: %s", resource.stream, error)
            return None
        found = described(document.get("$properties"))
        if found is not None:
            found.lines = {
                lines.collection: found.lines[name]
                for lines in resource.lines
                if (name := self.collection(lines, found.lines)) is not None
            }
            for lines in resource.lines:
                for inner in lines.lines if lines.collection in found.lines else ():
                    rename_inner(found.lines[lines.collection], inner)
        return found

    def totals(self, resource: Resource) -> int | None:
        """Not offered by api1."""

    def check(self) -> str:
        """Read one company: every folder has one."""
        url = f"{self._root}/COMPANY?representation=COMPANY.$query&count=1"
        try:
            rows = self._client.get(url, f"{self.folder}, class COMPANY").get("$resources")
        except (StreamUnavailable, Refused):
            return "reached; its class COMPANY cannot be read"
        names = [str(row.get("CPYNAM") or row.get("CPY") or "") for row in rows or ()]
        return f"signed in{f' ({names[0]})' if names and names[0] else ''}"

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def collection(self, lines: Lines, arrays: Mapping[str, SourceSchema]) -> str | None:
        """Which array holds the lines: named by the settings, or by X3's habit, or with their keys."""
        named = (self._representations.get(lines.stream) or {}).get("collection")
        if named or lines.collection in arrays:
            return named or lines.collection
        own = lines.key[-1]
        return next((name for name, found in arrays.items() if own in found.fields), None)

    def _details_wanted(self, resource: Resource, selection: Selection) -> bool:
        return bool(selection.lines) or self._own(resource).get("details") is True

    def _followed(
        self, resource: Resource, request: ReadRequest, most: int | None
    ) -> Iterator[tuple[msgspec.Raw, str | None]]:
        place, after = self._where(resource), request.after
        size = request.size or self.page_size(resource, request.selection)
        asked = {
            "representation": f"{self._representation(resource)}.$query",
            "count": str(size),
            **({"where": _condition(request.since)} if request.since else {}),
            **({} if "order" in request.without else {"orderBy": ",".join(resource.key)}),
        }
        while True:
            options = {**asked, **dict(parse_qsl(after or ""))}
            url = f"{self._root}/{quote(self._class(resource), safe='')}?{_query(options)}"
            try:
                answer = self._client.ask(
                    url, place, refusable=bool(asked.keys() & {"where", "orderBy"}), most=most
                )
            except Refused as refused:
                if not asked.keys() & {"where", "orderBy"}:
                    raise ApiError(
                        f"{refused} Check representations: its $query facet must show the key fields"
                        f" {', '.join(resource.key)}; and page_size."
                    ) from refused
                raise
            rows = answer.rows
            if rows is msgspec.UNSET or bytes(rows)[:1] != b"[":
                raise ApiError(f"Reading {place}: the answer has no $resources. Check base_url.")
            following = _next(answer.links)
            if following is not None and following == after:
                raise ApiError(
                    f"Reading {place}: the server's next page is one that it gave before ({after})."
                )
            full = min(size, answer.per_page) if isinstance(answer.per_page, int) else size
            if following is None and not _links_given(answer.links) and len(decode_exactly(rows)) >= full:
                raise ApiError(
                    f"Reading {place}: a full page of {full} records came without $links: whether more"
                    " follow is not known. Check that the representation's $query facet pages."
                )
            after = following
            yield rows, after
            if after is None:
                return

    def _several(self, resource: Resource, keys: Sequence[Key], most: int | None = None) -> list[bytes]:
        """Ask for records, as many at once as the settings allow; those that are there, in their order."""
        query = _query({"representation": f"{self._representation(resource)}.$details"})
        url = f"{self._root}/{quote(self._class(resource), safe='')}"
        ask = partial(self._details, self._where(resource), url, query, most=most)
        if self._client.concurrency == 1 or len(keys) == 1:
            found = list(map(ask, keys))
        else:
            with ThreadPoolExecutor(self._client.concurrency, thread_name_prefix="details") as pool:
                found = list(pool.map(ask, keys))
        return [piece for piece in found if piece is not None]

    def _details(self, place: str, url: str, query: str, key: Key, *, most: int | None) -> bytes | None:
        """A record by its key; None if it is gone."""
        name = "~".join(map(str, key))
        quoted = quote(name.replace("'", "''"), safe="~")
        try:
            return self._client.ask(f"{url}('{quoted}')?{query}", f"{place} {name}", most=most).content
        except RecordGone:
            return None

    def _own(self, resource: Resource) -> Mapping[str, Any]:
        return self._representations.get(resource.stream) or {}

    def _class(self, resource: Resource) -> str:
        other = resource.cls_instead if resource.stream in self._instead else ""
        return str(self._own(resource).get("class") or other or resource.class_name)

    def _representation(self, resource: Resource) -> str:
        own = self._own(resource)
        other = resource.cls_instead if resource.stream in self._instead else ""
        return str(own.get("representation") or own.get("class") or other or resource.representation_name)

    def _try_other_class(self, resource: Resource) -> bool:
        """Go on with the other name of a class, if there is one that was not tried."""
        if not resource.cls_instead or self._own(resource).get("class") or resource.stream in self._instead:
            return False
        self._instead.add(resource.stream)
        return True

    def _where(self, resource: Resource) -> str:
        return f"{self.folder}, class {self._class(resource)}"


def key_of(row: Record, resource: Resource, where: str) -> Key:
    """The key of a record.

    Raises:
        ApiError: A field of it is missing.
    """
    missing = [name for name in resource.key if row.get(name) is None]
    if missing:
        raise ApiError(
            f"Reading {where}: a row lacks {', '.join(missing)}, by which it is known. Name a"
            " representation that shows it (setting representations)."
        )
    return tuple(row[name] for name in resource.key)


def _condition(since: Sequence[Bound]) -> str:
    # the literal of a moment is SData 2.0's; no page of X3 shows one (reference 1.2)
    return " or ".join(f"{bound.stamp.field} ge @{bound.value}@" for bound in since)


def _links_given(links: Any) -> bool:
    return isinstance(links, dict) and bool(links)


def _next(links: Any) -> str | None:
    """What the link to the next page adds to the question: its key, and nothing that we said ourselves.

    The rest of the link is not followed: credentials go to the server of the settings only, and some servers
    lose `count` in it (reference 1.3).
    """
    link = links.get("$next") if isinstance(links, dict) else None
    url = link.get("$url") if isinstance(link, dict) else link
    if not url:
        return None
    added = [
        (name, value)
        for name, value in parse_qsl(urlsplit(str(url)).query, keep_blank_values=True)
        if name not in {"representation", "count", "where", "orderBy"}
    ]
    return _query(dict(added))


def _query(options: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='$')}={quote(value, safe=_SAFE)}" for name, value in options.items())
