"""GraphQL of the Sage X3 Services, "Xtrem" (reference section 2)."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.discovery import few
from ml_connector.extract.errors import ApiError, Denied, Refused, StreamUnavailable, Transient
from ml_connector.extract.resource import COMPANY, walk
from ml_connector.extract.source import Page, ReadRequest, Selection

from tap_sagex3.errors import graphql_errors, is_about_question, is_about_size, is_absent
from tap_sagex3.introspection import STAMP_PROPERTY
from tap_sagex3.known_schema import KnownSchema
from tap_sagex3.properties import PropertyCodes
from tap_sagex3.selection import Level, arguments, connection_of, inner_text, text_of
from tap_sagex3.sources.graphql_read import NodeRead, known_nodes, unknown_fields, unknown_values
from tap_sagex3.sources.nodes import info_of, nodes_of
from tap_sagex3.streams import RESOURCES
from tap_sagex3.streams.resource import DATE_STAMP, STAMP, Resource
from tap_sagex3.values import converter

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

    from ml_connector.extract.source import Converter, Deleted, Key, Levels, SourceSchema

    from tap_sagex3.client import Answer, Client
    from tap_sagex3.introspection import Entry
    from tap_sagex3.schema_cache import SchemaCache
    from tap_sagex3.selection import Inner

FLAT_PAGE: Final = 500
DOCUMENT_PAGE: Final = 100
"""Documents a page: each comes with its lines. No limit is documented; 200 and 1,000 are in use."""
LINES_PAGE: Final = 200
_KEYS_AT_ONCE: Final = 50
_STAMPS: Final = frozenset({STAMP, DATE_STAMP})
_ORDER: Final = '{"_id":1}'
_INTROSPECTION: Final = re.compile(r"introspection", re.IGNORECASE)
_QUESTION_ONLY: Final = re.compile(r"property|field \"|syntax", re.IGNORECASE)
_RIGHTS: Final = re.compile(
    r"authori[sz]|permission|forbidden|access denied|not allowed|rights", re.IGNORECASE
)


class GraphqlSource:
    """Reads one folder through GraphQL.

    Args:
        client: Sends the requests.
        generation: The setting `schema_generation`.
        logger: Is told what a person should know.
        resources: All that may be read.
        properties: The setting `properties`.
        cache: Where the schema is kept; None for nowhere.
    """

    def __init__(  # noqa: PLR0917 - what a folder is read with
        self,
        client: Client,
        generation: str,
        logger: logging.Logger,
        resources: Sequence[Resource] = RESOURCES,
        properties: Mapping[str, Any] | None = None,
        cache: SchemaCache | None = None,
    ) -> None:
        self.folder = client.folder
        self.partition = {COMPANY: client.folder}
        self._client = client
        self._logger = logger
        self._url = f"{client.base_url}/xtrem/api"
        self._known = KnownSchema(
            client.folder,
            generation,
            known_nodes(resources),
            PropertyCodes(properties),
            cache,
            lambda query: self._post(query, f"{self.folder}, the GraphQL schema"),
        )
        self._told = False
        self._told_menus = False
        self._most, self._lines_page = FLAT_PAGE, LINES_PAGE

    def now(self) -> float:
        """This machine's clock, as X3's is not known beforehand."""
        return time.time()

    def converter(self, described: Mapping[str, Any]) -> Converter:
        """How a column is converted."""
        return converter(described)

    def page_size(self, resource: Resource, selection: Selection) -> int:  # noqa: ARG002
        """Fewer of those that have lines."""
        return DOCUMENT_PAGE if selection.lines else FLAT_PAGE

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """Follow the cursor from page to page, in the order of `_id`.

        Yields:
            Pages; lines come with their documents, paged to their end.
        """
        try:
            first = self._pages(request)
            page = next(first, None)
        except (Refused, ApiError) as error:
            if not self._known.is_outdated(str(error)):
                raise
            self._logger.info("%s: the schema has changed; it is asked for again.", self.folder)
            first = self._pages(request)
            page = next(first, None)
        if page is not None:
            yield page
        yield from first

    def _pages(self, request: ReadRequest) -> Iterator[Page]:
        read = self._read_of(request)
        self._tell_unknown(read, request.selection)
        size = request.size or self.page_size(read.resource, request.selection)
        if request.size and request.patient:
            self._most = min(self._most, request.size)
        after, condition = request.after, self._changed(read, request)
        order = None if "order" in request.without else _ORDER
        most = None if request.patient else 1
        while True:
            given = {"after": after, "filter": condition, "orderBy": order}
            data = self._page(read, size, given, most)
            info = read.info(data)
            if info is None:
                raise ApiError(f"Reading {read.where}: the server sent no data and no error.")
            following = info[1] if info[0] else None
            if info[0] and following is None:
                raise ApiError(f"Reading {read.where}: the server says that more follows, and not where.")
            if following is not None and following == after:
                raise ApiError(f"Reading {read.where}: the server repeats the cursor {after}.")
            yield Page(partial(self._levels, read, data), following)
            if following is None:
                return
            after = following

    def _page(self, read: NodeRead, size: int, given: Mapping[str, str | None], most: int | None) -> bytes:
        """Ask for a page, with fewer lines of each document at once where so many are refused."""
        try:
            return self._ask(read, text_of(read.level, self._lines_page), size, given, most=most)
        except Refused as refused:
            nested = read.level.inner or read.level.arrays
            if refused.what != "size" or not nested or self._lines_page <= size:
                raise
            self._lines_page = size
            return self._ask(read, text_of(read.level, size), size, given, most=most)

    def records(self, request: ReadRequest, keys: Sequence[Key], by: Sequence[str] = ()) -> Iterator[Page]:  # noqa: ARG002
        """Ask for some at a time by their `_id`."""
        read = self._read_of(request)
        step = min(_KEYS_AT_ONCE, self._most)
        for start in range(0, len(keys), step):
            some = ["|".join(map(str, key)) for key in keys[start : start + step]]
            condition = json.dumps({"_id": {"_in": some}})
            given = {"filter": condition, "orderBy": _ORDER}
            data = self._page(read, len(some), given, None)
            yield Page(partial(self._levels, read, data))

    def changed_documents(self, resource: Resource, since: str) -> Iterator[Key]:
        """Ask the lines' own nodes, where they can be asked for: a document's stamp need not move."""
        condition = json.dumps({STAMP_PROPERTY: {"_gte": since}})
        asked = False
        for lines, _ in walk(resource.lines):
            schema, fields = self._known.get()
            entry = schema.entry(resource.package, lines.node)  # type: ignore[attr-defined]
            if entry is None or STAMP not in fields.names(entry.type):
                continue
            own = Resource(lines.stream, lines.table, resource.key, lines.node, resource.package)  # type: ignore[attr-defined]
            asked = True
            request = ReadRequest(own, Selection(frozenset(resource.key)))
            read = self._read_of(request)
            after = None
            while True:
                given = {"after": after, "filter": condition, "orderBy": _ORDER}
                try:
                    data = self._ask(read, text_of(read.level, 1), self._most, given)
                except Refused as refused:
                    if refused.what != "size" or self._most <= 1:
                        raise
                    self._most //= 2
                    continue
                columns = self._levels(read, data)[()].columns
                yield from zip(*(columns[code] for code in resource.key), strict=True)
                info = read.info(data) or (False, None)
                after = info[1] if info[0] else None
                if after is None:
                    break
        if resource.lines and not asked and not self._told:
            self._told = True
            self._logger.warning(
                "%s: this schema has no nodes of lines to ask for (%s and maybe others): changes of lines"
                " alone are seen only where their document's own stamp moves; full_refresh_every finds them.",
                self.folder,
                resource.stream,
            )

    def deleted(self, resource: Resource, since: str) -> Iterator[Deleted]:  # noqa: ARG002
        """None: X3 does not tell."""
        yield from ()

    def describe(self, resource: Resource) -> SourceSchema | None:
        """Look the node up in the server's schema.

        Raises:
            StreamUnavailable: It is not there.
        """
        entry = self._entry(resource, whole=True)
        return self._known.get()[1].described(entry.type, resource.lines)

    def totals(self, resource: Resource) -> int | None:
        """`totalCount` of the connection."""
        entry = self._entry(resource)
        if not entry.counts:
            return None
        read = self._read_of(ReadRequest(resource, Selection(frozenset(resource.key))))
        found = decode_exactly(self._ask(read, None, 1, {}))
        for name in entry.path:
            found = (found or {}).get(name)
        count = connection_of(found, nested=entry.nested).get("totalCount")
        return None if count is None else int(count)

    def check(self) -> str:
        """Introspect the schema."""
        schema, _ = self._known.get()
        return f"signed in; the schema is of the generation {schema.generation}*"

    def close(self) -> None:
        """End the connections."""
        self._known.keep()
        self._client.close()

    def _entry(self, resource: Resource, *, whole: bool = False) -> Entry:
        schema, _ = self._known.get(whole=whole)
        entry = schema.entry(resource.package, resource.node)
        if entry is None:
            raise StreamUnavailable(
                f"{self.folder}: the schema ({schema.generation}*) has no node {resource.node}; other"
                " builds may, or api: rest."
            )
        return entry

    def _read_of(self, request: ReadRequest) -> NodeRead:
        resource = request.resource
        assert isinstance(resource, Resource)  # noqa: S101 - declared so
        entry = self._entry(resource)
        fields = self._known.get()[1]
        level = fields.level(entry.type, resource.lines, request.selection, resource.key)
        return NodeRead(resource, entry, level, fields, self._where(resource))

    def _tell_unknown(self, read: NodeRead, wanted: Selection) -> None:
        """Say what a catalog selects and this schema has not, and which menus nobody knows."""
        fields = self._known.get()[1]
        described = fields.described(read.entry.type, read.resource.lines)
        unknown = sorted(n for n in unknown_fields(wanted, described) if n.rpartition(".")[2] not in _STAMPS)
        if unknown:
            self._logger.warning("%s: this schema has no %s; they stay empty.", read.where, few(unknown))
        values = sorted(unknown_values(read.level, fields))
        if values and not self._told_menus:
            self._told_menus = True
            self._logger.warning(
                "%s: %s are in no local menu that is known here (and maybe others of other streams): their"
                " numbers are not known, and they stay text.",
                read.where,
                few(values),
            )

    def _changed(self, read: NodeRead, request: ReadRequest) -> str | None:
        """The condition of a read.

        Raises:
            Refused: The schema does not have the stamp.
        """
        if not request.since:
            return None
        names = self._known.get()[1].names(read.entry.type)
        conditions = []
        for bound in request.since:
            if (name := names.get(bound.stamp.field)) is None:
                raise Refused(f"{read.where} shows no {bound.stamp.field} in this schema.", "filter")
            conditions.append({name: {"_gte": bound.value}})
        return json.dumps(conditions[0] if len(conditions) == 1 else {"_or": conditions})

    def _levels(self, read: NodeRead, data: bytes) -> Levels:
        found: Levels = {}
        nodes = nodes_of(read.decode(data), nested=read.entry.nested)
        read.reader.add(nodes, None, partial(self._more, read), None, found)
        return found

    def _more(self, read: NodeRead, last: Inner, ids: Sequence[Any], after: str | None) -> list[Any]:
        """The lines of one node behind a page: down from its document, a node on each level."""
        found: list[Any] = []
        path = read.way_to(last)
        while after is not None:
            text = inner_text(last, self._lines_page, after)
            for above, within in zip(reversed(path[:-1]), reversed(ids[1:]), strict=True):
                hollow = replace(above, level=Level(asked=[text]))
                text = inner_text(hollow, 1, None, json.dumps({"_id": within}))
            given = {"filter": json.dumps({"_id": ids[0]}), "orderBy": _ORDER}
            data = self._ask(read, f"_id {text}", 1, given)
            connection = read.decode(data)
            nested = read.entry.nested
            for each in path:
                nodes = nodes_of(connection, nested=nested)
                if not nodes:
                    raise ApiError(f"Reading {read.where}: {ids[0]} vanished while its lines were read.")
                connection, nested = read.inside(nodes[0], each), each.nested
            found += nodes_of(connection, nested=nested)
            info = info_of(connection, nested=nested) or (False, None)
            following = info[1] if info[0] else None
            if following is not None and following == after:
                raise ApiError(f"Reading {read.where}: the server repeats the cursor {after} of lines.")
            after = following
        return found

    def _ask(
        self,
        read: NodeRead,
        text: str | None,
        size: int,
        given: Mapping[str, str | None],
        *,
        most: int | None = None,
    ) -> bytes:
        """Ask one page of a connection; without a selection, for its count."""
        body = (
            "totalCount"
            if text is None
            else f"edges {{ node {{ {text} }} }} pageInfo {{ endCursor hasNextPage }}"
        )
        *above, node = read.entry.path
        asked = arguments(size, given)
        query = (
            f"{node} {{ query({asked}) {{ {body} }} }}"
            if read.entry.nested
            else f"{node}({asked}) {{ {body} }}"
        )
        for name in reversed(above):
            query = f"{name} {{ {query} }}"
        refusable = bool(given.get("filter") or given.get("orderBy"))
        return self._post(f"{{ {query} }}", read.where, refusable=refusable, most=most)

    def _post(self, query: str, where: str, *, refusable: bool = False, most: int | None = None) -> bytes:
        def judge(answer: Answer) -> Exception | None:
            return _wrong(answer, where, refusable=refusable)

        body = json.dumps({"query": query}).encode()
        return bytes(self._client.post(self._url, where, body, judge, most=most).data)  # type: ignore[arg-type]

    def _where(self, resource: Resource) -> str:
        return f"{self.folder}, node {resource.node}"


def _wrong(  # noqa: PLR0911 - one a kind of error
    answer: Answer, where: str, *, refusable: bool
) -> Exception | None:
    """What is wrong with an answer: data that lacks a part is not an answer (reference 2.4)."""
    errors, data = answer.errors, answer.data
    if not errors and data is not msgspec.UNSET and bytes(data)[:1] == b"{":
        return None
    said = graphql_errors(errors) if isinstance(errors, list) and errors else "no data"
    if is_absent(said):
        return StreamUnavailable(f"{where}: {said}")
    if _INTROSPECTION.search(said):
        return ApiError(
            f"{where}: {said} The server does not let its schema be asked for: have introspection enabled for"
            " this endpoint (production builds may switch it off), or use api: rest."
        )
    if _RIGHTS.search(said):
        return Denied(
            f"{where}: {said} The X3 user lacks a right, maybe for a reference or the lines only:"
            " give it, or deselect what cannot be read."
        )
    failed = f"Reading {where}: the server sent an error beside, or instead of, the data: {said}"
    if is_about_size(said) and not _QUESTION_ONLY.search(said):
        return Refused(f"{failed} It may be about the size of pages (setting page_size).", "size")
    if refusable and is_about_question(said):
        return Refused(failed)
    return Transient(failed, answered=True)
