"""GraphQL of the Sage X3 Services, "Xtrem" (reference section 2)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tap_sagex3.api import Page, Wanted
from tap_sagex3.errors import RightMissing, SageX3Error, StreamUnavailable, graphql_errors, is_absent
from tap_sagex3.introspection import QUERY, STAMP_PROPERTY, Schema
from tap_sagex3.selection import (
    FieldMap,
    Inner,
    Level,
    arguments,
    connection_of,
    inner_text,
    nodes_of,
    text_of,
)
from tap_sagex3.streams import RESOURCES
from tap_sagex3.streams.resource import DATE_STAMP, STAMP

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_sagex3.api import Described, Key, Question, Record
    from tap_sagex3.client import Client
    from tap_sagex3.introspection import Entry
    from tap_sagex3.selection import Node
    from tap_sagex3.streams.resource import Lines, Resource

FLAT_PAGE: Final = 500
DOCUMENT_PAGE: Final = 100
"""Documents a page: each comes with its lines. No limit is documented; 200 and 1,000 are in use."""
LINES_PAGE: Final = 200
_KEYS_AT_ONCE: Final = 50
_FEW: Final = 8
_STAMPS: Final = frozenset({STAMP, DATE_STAMP})
_ORDER: Final = '{"_id":1}'
_RIGHTS: Final = re.compile(
    r"authori[sz]|permission|forbidden|access denied|not allowed|rights", re.IGNORECASE
)


def _keys() -> dict[str, tuple[tuple[str, ...], str]]:
    """The key of each node that is a table of ours, and the field that others name it by."""
    found: dict[str, tuple[tuple[str, ...], str]] = {}

    def add(node: str, key: tuple[str, ...], named_by: str, lines: Sequence[Lines]) -> None:
        found[node.lower()] = key, named_by
        for each in lines:
            add(each.node, each.key, each.key[-1], each.lines)

    for resource in RESOURCES:
        add(resource.node, resource.key, resource.named_by or resource.key[-1], resource.lines)
    return found


class GraphqlApi:
    """Reads one folder through GraphQL.

    Args:
        client: Sends the requests.
        page_size: Nodes a page; by default fewer of those that have lines.
        generation: The setting `schema_generation`.
        logger: Is told what a person should know.
    """

    def __init__(
        self, client: Client, page_size: int | None, generation: str, logger: logging.Logger
    ) -> None:
        self.folder = client.folder
        self._client = client
        self._page_size = page_size
        self._generation = generation
        self._logger = logger
        self._url = f"{client.base_url}/xtrem/api"
        self._known: tuple[Schema, FieldMap] | None = None

    def pages(self, resource: Resource, question: Question) -> Iterator[Page]:
        """Follow the cursor from page to page, in the order of `_id`.

        Yields:
            Pages; lines come with their documents, paged to their end.
        """
        entry = self._entry(resource)
        level = self._level(entry, resource.lines, question.wanted)
        self._tell_unknown(resource, entry, question.wanted)
        size = self._page_size or (DOCUMENT_PAGE if level.inner else FLAT_PAGE)
        after, condition = question.after, self._changed(resource, entry, question)
        while True:
            connection = self._asked(resource, entry, text_of(level, LINES_PAGE), size, condition, after)
            nodes = nodes_of(connection, nested=False)
            info = connection.get("pageInfo") or {}
            following = info.get("endCursor") if info.get("hasNextPage") else None
            if following is not None and following == after:
                raise SageX3Error(f"Reading {self._where(resource)}: the server repeats the cursor {after}.")
            yield Page([self._document(resource, entry, level, node) for node in nodes], following)
            if following is None:
                return
            after = following

    def records(self, resource: Resource, keys: Sequence[Key], wanted: Wanted) -> Iterator[Record]:
        """Ask for some at a time by their `_id`."""
        entry = self._entry(resource)
        level = self._level(entry, resource.lines, wanted)
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = ["|".join(map(str, key)) for key in keys[start : start + _KEYS_AT_ONCE]]
            condition = json.dumps({"_id": {"_in": some}})
            text = text_of(level, LINES_PAGE)
            connection = self._asked(resource, entry, text, len(some), condition, None)
            for node in nodes_of(connection, nested=False):
                yield self._document(resource, entry, level, node)

    def changed_through_lines(self, resource: Resource, since: datetime) -> Iterator[Key]:
        """Ask the lines' own nodes, where they can be asked for: a document's stamp need not move."""
        condition = json.dumps({STAMP_PROPERTY: {"_gte": _moment(since)}})
        for lines in _within(resource.lines):
            schema, fields = self._schema()
            entry = schema.entry(resource.package, lines.node)
            if entry is None or STAMP not in fields.names(entry.type):
                continue
            level = fields.level(entry.type, (), Wanted(frozenset(resource.key)))
            if {code for code, _ in level.readers} != set(resource.key):
                continue
            after, text = None, text_of(level, 0)
            while True:
                connection = self._asked(resource, entry, text, FLAT_PAGE, condition, after)
                for node in nodes_of(connection, nested=False):
                    record = level.record(node)
                    yield tuple(record[code] for code in resource.key)
                info = connection.get("pageInfo") or {}
                after = info.get("endCursor") if info.get("hasNextPage") else None
                if after is None:
                    break

    def describe(self, resource: Resource) -> Described | None:
        """Look the node up in the server's schema.

        Raises:
            StreamUnavailable: It is not there.
        """
        entry = self._entry(resource)
        return self._schema()[1].described(entry.type, resource.lines)

    def count(self, resource: Resource) -> int | None:
        """`totalCount` of the connection."""
        entry = self._entry(resource)
        if not entry.counts:
            return None
        found = self._asked(resource, entry, None, 1, None, None).get("totalCount")
        return None if found is None else int(found)

    def check(self) -> str:
        """Introspect the schema."""
        schema, _ = self._schema()
        return f"signed in; the schema is of the generation {schema.generation}*"

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def _schema(self) -> tuple[Schema, FieldMap]:
        if self._known is None:
            data = self._post(QUERY, f"{self.folder}, the GraphQL schema")
            schema = Schema(data["__schema"], self._generation)
            if not schema.generation:
                raise SageX3Error(
                    f"The GraphQL schema of {self.folder} has no packages of X3 (sage, xtremX3..., x3...)"
                    f"{'' if self._generation == 'auto' else f' of the generation {self._generation}'}: check"
                    " base_url and schema_generation, and that Sage X3 Services runs for this endpoint."
                )
            self._known = schema, FieldMap(schema, _keys())
        return self._known

    def _entry(self, resource: Resource) -> Entry:
        schema, _ = self._schema()
        entry = schema.entry(resource.package, resource.node)
        if entry is None:
            raise StreamUnavailable(
                f"{self.folder}: the schema ({schema.generation}*) has no node {resource.node}; other"
                " builds may, or api: rest."
            )
        return entry

    def _level(self, entry: Entry, lines: Sequence[Lines], wanted: Wanted) -> Level:
        return self._schema()[1].level(entry.type, lines, wanted)

    def _tell_unknown(self, resource: Resource, entry: Entry, wanted: Wanted) -> None:
        """One line about what a catalog selects and this schema has not."""
        described = self._schema()[1].described(entry.type, resource.lines)
        unknown = sorted(n for n in _unknown(wanted, described) if n.rpartition(".")[2] not in _STAMPS)
        if unknown:
            few = ", ".join(unknown[:_FEW]) + (f" and {len(unknown) - _FEW} more" if unknown[_FEW:] else "")
            self._logger.warning("%s: this schema has no %s; they stay empty.", self._where(resource), few)

    def _changed(self, resource: Resource, entry: Entry, question: Question) -> str | None:
        if question.since is None or not resource.stamped:
            return None
        names = self._schema()[1].names(entry.type)
        if (name := names.get(STAMP)) is not None:
            return json.dumps({name: {"_gte": _moment(question.since)}})
        if (name := names.get(DATE_STAMP)) is not None and question.since_day:
            return json.dumps({name: {"_gte": question.since_day}})
        self._logger.warning("%s has no stamp in this schema: all of it is read.", self._where(resource))
        return None

    def _document(self, resource: Resource, entry: Entry, level: Level, node: Node) -> Record:
        return self._record(resource, entry, level, node, ())

    def _record(
        self,
        resource: Resource,
        entry: Entry,
        level: Level,
        node: Node,
        path: tuple[tuple[Inner, str], ...],
    ) -> Record:
        """A node with its lines; `path` is how it is reached from its document."""
        record = level.record(node)
        for inner in level.inner:
            within = (*path, (inner, str(node["_id"])))
            record[inner.collection] = [
                self._record(resource, entry, inner.level, each, within)
                for each in self._lines(resource, entry, inner, node, within)
            ]
        return record

    def _lines(
        self,
        resource: Resource,
        entry: Entry,
        inner: Inner,
        node: Node,
        path: tuple[tuple[Inner, str], ...],
    ) -> Iterator[Node]:
        """The lines that came with a node, and those behind them."""
        connection = connection_of(node.get(inner.property), nested=inner.nested)
        while True:
            yield from nodes_of(connection, nested=False)
            info = connection.get("pageInfo") or {}
            if not info.get("hasNextPage"):
                return
            connection = self._more(resource, entry, path, str(info["endCursor"]))

    def _more(
        self, resource: Resource, entry: Entry, path: tuple[tuple[Inner, str], ...], after: str
    ) -> dict[str, Any]:
        """One more page of the lines of one node: down from its document, a node on each level."""
        inner, _ = path[-1]
        text = inner_text(inner, LINES_PAGE, after)
        for (above, _), (_, within) in zip(reversed(path[:-1]), reversed(path[1:]), strict=True):
            condition = json.dumps({"_id": within})
            hollow = replace(above, level=Level(asked=[text]))
            text = inner_text(hollow, 1, None, condition)
        document = json.dumps({"_id": path[0][1]})
        nodes = nodes_of(self._asked(resource, entry, f"_id {text}", 1, document, None), nested=False)
        for each, _ in path:
            if not nodes:
                raise SageX3Error(
                    f"Reading {self._where(resource)}: {path[0][1]} vanished while its lines were read."
                )
            connection = connection_of(nodes[0].get(each.property), nested=each.nested)
            nodes = nodes_of(connection, nested=False)
        return connection

    def _asked(  # noqa: PLR0917 - the parts of one question
        self,
        resource: Resource,
        entry: Entry,
        text: str | None,
        size: int,
        condition: str | None,
        after: str | None,
    ) -> dict[str, Any]:
        """Ask one page of a connection; without a selection, for its count."""
        given = arguments(size, {"after": after, "filter": condition, "orderBy": _ORDER if text else None})
        body = (
            "totalCount"
            if text is None
            else f"edges {{ node {{ {text} }} }} pageInfo {{ endCursor hasNextPage }}"
        )
        *above, node = entry.path
        query = (
            f"{node} {{ query({given}) {{ {body} }} }}" if entry.nested else f"{node}({given}) {{ {body} }}"
        )
        for name in reversed(above):
            query = f"{name} {{ {query} }}"
        data: Any = self._post(f"{{ {query} }}", self._where(resource))
        for name in entry.path:
            data = (data or {}).get(name)
        connection = connection_of(data, nested=entry.nested)
        if not connection:
            raise SageX3Error(f"Reading {self._where(resource)}: the server sent no data and no error.")
        return connection

    def _post(self, query: str, where: str) -> Mapping[str, Any]:
        def judge(document: Mapping[str, Any]) -> Exception | None:
            return _wrong(document, where)

        body = json.dumps({"query": query}).encode()
        data: dict[str, Any] = self._client.post(self._url, where, body, judge)["data"]
        return data

    def _where(self, resource: Resource) -> str:
        return f"{self.folder}, node {resource.node}"


def _wrong(document: Mapping[str, Any], where: str) -> Exception | None:
    """What is wrong with an answer: data that lacks a part is not an answer (reference 2.4)."""
    errors = document.get("errors")
    if not errors and isinstance(document.get("data"), dict):
        return None
    said = graphql_errors(errors) if isinstance(errors, list) and errors else "no data"
    if is_absent(said):
        return StreamUnavailable(f"{where}: {said}")
    if _RIGHTS.search(said):
        return RightMissing(
            f"{where}: {said} The X3 user lacks a right, maybe for a reference or the lines only:"
            " give it, or deselect what cannot be read."
        )
    return SageX3Error(f"Reading {where}: the server sent an error beside, or instead of, the data: {said}")


def _unknown(wanted: Wanted, described: Described) -> Iterator[str]:
    yield from wanted.fields - described.fields.keys()
    for name, below in wanted.lines.items():
        if name in described.lines:
            yield from (f"{name}.{field}" for field in _unknown(below, described.lines[name]))
        else:
            yield name


def _within(lines: Sequence[Lines]) -> Iterator[Lines]:
    for each in lines:
        yield each
        yield from _within(each.lines)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
