"""The REST web services, api1 (reference section 1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from tap_sagex3.api import Described, Page
from tap_sagex3.errors import RecordGone, Refused, SageX3Error, StreamUnavailable
from tap_sagex3.schema_files import schema_of
from tap_sagex3.streams.resource import DATE_STAMP, STAMP

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_sagex3.api import Key, Question, Record, Wanted
    from tap_sagex3.client import Client
    from tap_sagex3.streams.resource import Lines, Resource

LIST_PAGE: Final = 1000
"""No limit is documented; Sage's own clients ask for up to 3,000 (reference 1.2)."""
DOCUMENT_PAGE: Final = 100
"""Documents a page: each is asked for by itself, and held with its lines."""
_SAFE: Final = "$~(),'@:"
#: Types of `$prototypes`; what is not here is text.
_TYPES: Final[dict[str, str]] = {
    "integer": "i",
    "choice": "m",
    "enum": "m",
    "boolean": "m",
    "decimal": "n",
    "real": "n",
    "date": "d",
    "datetime": "t",
}
_NOT_FIELDS: Final = re.compile(r"^\$|_REF$")


class RestApi:
    """Reads one folder through api1.

    Args:
        client: Sends the requests.
        page_size: Rows a page; by default fewer of those that are read with their lines.
        representations: Stream name to `class`, `representation`, `collection` and `details`, for sites whose
            names differ.
        logger: Is told what a person should know.
    """

    def __init__(
        self,
        client: Client,
        page_size: int | None,
        representations: Mapping[str, Mapping[str, Any]],
        logger: logging.Logger,
    ) -> None:
        self.folder = client.folder
        self._client = client
        self._page_size = page_size
        self._representations = representations
        self._logger = logger
        self._told = False
        self._root = f"{client.base_url}/api1/x3/erp/{quote(client.folder, safe='')}"

    def pages(self, resource: Resource, question: Question) -> Iterator[Page]:
        """Follow `$next` from page to page, in the order of the key.

        Yields:
            Pages; a document that vanished between its list and its details is left out.
        """
        details = bool(question.wanted.lines) or self._own(resource).get("details") is True
        size = self._page_size or (DOCUMENT_PAGE if details else LIST_PAGE)
        for page in self._listed(resource, question, size):
            if not details:
                yield page
                continue
            found = []
            for row in page.records:
                document = self._details(resource, key_of(row, resource, self._where(resource)))
                if document is not None:
                    found.append({**row, **document})
            for lines in resource.lines:
                self._name_collection(resource, lines, found)
            yield Page(found, page.after)

    def records(self, resource: Resource, keys: Sequence[Key], wanted: Wanted) -> Iterator[Record]:  # noqa: ARG002
        """Ask for each by its key."""
        for key in keys:
            document = self._details(resource, key)
            if document is not None:
                for lines in resource.lines:
                    self._name_collection(resource, lines, [document])
                yield document

    def changed_through_lines(self, resource: Resource, since: datetime) -> Iterator[Key]:  # noqa: ARG002
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

    def describe(self, resource: Resource) -> Described | None:
        """Ask for the prototype of the facet that is read."""
        facet = "$details" if resource.lines or self._own(resource).get("details") is True else "$query"
        url = f"{self._root}/$prototypes('{self._representation(resource)}.{facet}')"
        try:
            document = self._client.get(url, f"the description of {self._where(resource)}")
        except (StreamUnavailable, Refused, RecordGone) as error:
            self._logger.debug("%s is not described: %s", resource.stream, error)
            return None
        found = _described(document.get("$properties"))
        if found is not None:
            found.lines = {
                lines.collection: found.lines[name]
                for lines in resource.lines
                if (name := self._collection(lines, found.lines)) is not None
            }
            for lines in resource.lines:
                for inner in lines.lines if lines.collection in found.lines else ():
                    _rename_inner(found.lines[lines.collection], inner)
        return found

    def count(self, resource: Resource) -> int | None:
        """Not offered by api1."""

    def check(self) -> str:
        """Read one company: every folder has one."""
        url = f"{self._root}/COMPANY?representation=COMPANY.$query&count=1"
        try:
            rows = self._client.get(url, f"{self.folder}, class COMPANY").get("$resources")
        except (StreamUnavailable, Refused):
            return "signed in; its class COMPANY cannot be read"
        names = [str(row.get("CPYNAM") or row.get("CPY") or "") for row in rows or ()]
        return f"signed in{f' ({names[0]})' if names and names[0] else ''}"

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def _listed(self, resource: Resource, question: Question, size: int) -> Iterator[Page]:
        """Ask in the best way that the representation accepts: by the best stamp, and sorted by the key."""
        order = ",".join(resource.key)
        ways = [(each, by) for each in _conditions(resource, question) for by in (order, "")]
        for number, (condition, by) in enumerate(ways, 1):
            options = {
                "representation": f"{self._representation(resource)}.$query",
                "count": str(size),
                **({"where": condition} if condition else {}),
                **({"orderBy": by} if by else {}),
            }
            pages = self._followed(resource, options, question.after)
            try:
                first = next(pages, None)
            except Refused as refused:
                if number == len(ways):
                    raise SageX3Error(
                        f"{refused} Check representations: its $query facet must show the key fields"
                        f" {', '.join(resource.key)}."
                    ) from refused
                self._logger.warning("%s %s", refused, _plainer(ways[number - 1], ways[number]))
                continue
            if first is not None:
                yield first
                yield from pages
            return

    def _followed(self, resource: Resource, asked: Mapping[str, str], after: str | None) -> Iterator[Page]:
        place, met = self._where(resource), {after}
        while True:
            options = {**asked, **dict(parse_qsl(after or ""))}
            url = f"{self._root}/{quote(self._class(resource), safe='')}?{_query(options)}"
            document = self._client.get(url, place)
            rows = document.get("$resources")
            if not isinstance(rows, list):
                raise SageX3Error(f"Reading {place}: the answer has no $resources. Check base_url.")
            after = _next(document)
            if after is not None and after in met:
                raise SageX3Error(
                    f"Reading {place}: the server's next page is one that it gave before ({after})."
                )
            met = {after}
            yield Page(rows, after)
            if after is None:
                return

    def _details(self, resource: Resource, key: Key) -> Record | None:
        name = quote("~".join(map(str, key)).replace("'", "''"), safe="~")
        query = _query({"representation": f"{self._representation(resource)}.$details"})
        url = f"{self._root}/{quote(self._class(resource), safe='')}('{name}')?{query}"
        try:
            return self._client.get(url, f"{self._where(resource)} {'~'.join(map(str, key))}")
        except RecordGone:
            return None

    def _name_collection(self, resource: Resource, lines: Lines, documents: list[Record]) -> None:
        """Put lines where the schema has them, whatever the representation calls them."""
        for document in documents:
            if lines.collection not in document:
                arrays = {
                    name: Described({field: {} for field in value[0]})
                    for name, value in document.items()
                    if isinstance(value, list) and value and isinstance(value[0], dict)
                }
                if (name := self._collection(lines, arrays)) is not None:
                    document[lines.collection] = document.pop(name)
                else:
                    # a document without lines shows no array, or an empty one
                    document[lines.collection] = []
            for inner in lines.lines:
                self._name_collection(resource, inner, document[lines.collection])

    def _collection(self, lines: Lines, arrays: Mapping[str, Described]) -> str | None:
        """Which array holds the lines: named by the settings, or by X3's habit, or with their keys."""
        named = (self._representations.get(lines.stream) or {}).get("collection")
        if named or lines.collection in arrays:
            return named or lines.collection
        own = lines.key[-1]
        return next((name for name, found in arrays.items() if own in found.fields), None)

    def _own(self, resource: Resource) -> Mapping[str, Any]:
        return self._representations.get(resource.stream) or {}

    def _class(self, resource: Resource) -> str:
        return str(self._own(resource).get("class") or resource.class_name)

    def _representation(self, resource: Resource) -> str:
        own = self._own(resource)
        return str(own.get("representation") or own.get("class") or resource.representation_name)

    def _where(self, resource: Resource) -> str:
        return f"{self.folder}, class {self._class(resource)}"


def key_of(row: Record, resource: Resource, where: str) -> Key:
    """The key of a record.

    Raises:
        SageX3Error: A field of it is missing.
    """
    missing = [name for name in resource.key if row.get(name) is None]
    if missing:
        raise SageX3Error(
            f"Reading {where}: a row lacks {', '.join(missing)}, by which it is known. Name a"
            " representation that shows it (setting representations)."
        )
    return tuple(row[name] for name in resource.key)


def _conditions(resource: Resource, question: Question) -> list[str]:
    """The filters to try, the best one first; empty for all records."""
    if question.since is None or not resource.stamped:
        return [""]
    # the literal of a moment is SData 2.0's; no page of X3 shows one (reference 1.2)
    found = [f"{STAMP} ge @{question.since.strftime('%Y-%m-%dT%H:%M:%SZ')}@"]
    if resource.dated and question.since_day:
        found.append(f"{DATE_STAMP} ge @{question.since_day}@")
    return [*found, ""]


def _plainer(refused: tuple[str, str], instead: tuple[str, str]) -> str:
    """One sentence about a step down."""
    if refused[0] == instead[0]:
        return "Asking without orderBy instead: its rows come in the order of the class's key."
    if instead[0]:
        return f"Asking by {instead[0].split()[0]} instead of {refused[0].split()[0]}."
    return "It cannot be asked by a stamp. All of it is read."


def _next(document: Record) -> str | None:
    """What the link to the next page adds to the question: its key, and nothing that we said ourselves.

    The rest of the link is not followed: credentials go to the server of the settings only, and some servers
    lose `count` in it (reference 1.3).
    """
    links = document.get("$links")
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


def _described(properties: object) -> Described | None:
    """Read the `$properties` of a prototype."""
    if not isinstance(properties, dict):
        return None
    found = Described({})
    for name, about in properties.items():
        if not isinstance(about, dict) or _NOT_FIELDS.search(name):
            continue
        kind = str(about.get("$type") or about.get("type") or "").rpartition("/")[2].removeprefix("x-")
        items = about.get("$item") or about.get("$items")
        title = about.get("$title") or about.get("$description")
        if kind != "array" or not isinstance(items, dict):
            found.fields[name] = schema_of(_TYPES.get(kind, "s"), title)
        elif (inner := _described(items.get("$properties"))) is not None:
            found.lines[name] = inner
        else:
            word = str(items.get("$type") or "").rpartition("/")[2].removeprefix("x-")
            item = schema_of(_TYPES.get(word, "s"), None)
            found.fields[name] = {**schema_of("s", title), "type": ["array", "null"], "items": item}
    return found


def _rename_inner(described: Described, lines: Lines) -> None:
    for name in list(described.lines):
        if name != lines.collection and lines.key[-1] in described.lines[name].fields:
            described.lines[lines.collection] = described.lines.pop(name)
