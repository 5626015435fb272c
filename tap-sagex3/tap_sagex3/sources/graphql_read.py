"""What one read through GraphQL asks, and how its answers are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_sagex3.selection import KnownNode
from tap_sagex3.sources.nodes import NodeReader, PageInfo, decoder_of, info_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ml_connector.extract.source import Selection, SourceSchema

    from tap_sagex3.introspection import Entry
    from tap_sagex3.selection import FieldMap, Inner, Level
    from tap_sagex3.streams.resource import Lines, Resource


def known_nodes(resources: Sequence[Resource]) -> dict[str, KnownNode]:
    """The nodes that are tables of ours, by their names in lower case."""
    found: dict[str, KnownNode] = {}

    def add(node: str, known: KnownNode, lines: Sequence[Lines]) -> None:
        found[node.lower()] = known
        for each in lines:
            add(each.node, KnownNode(each.key, each.key[-1], tuple(each.table.split("+"))), each.lines)

    for resource in resources:
        named_by = resource.named_by or resource.key[-1]
        add(resource.node, KnownNode(resource.key, named_by, (resource.table,)), resource.lines)
    return found


class NodeRead:
    """What one read asks, and how its answers are decoded."""

    def __init__(self, resource: Resource, entry: Entry, level: Level, fields: FieldMap, where: str) -> None:
        self.resource, self.entry, self.level, self.where = resource, entry, level, where
        self.reader = NodeReader(level, fields, resource.parsed_fields)
        self.decode = decoder_of(self.reader.connection(nested=entry.nested), entry.path)
        only = msgspec.defstruct("Connection", [("pageInfo", PageInfo | None, None)], gc=False)
        nested = msgspec.defstruct("Query", [("query", only | None, None)], gc=False)
        self._peek = decoder_of(nested if entry.nested else only, entry.path)

    def info(self, data: bytes) -> tuple[bool, str | None] | None:
        """Whether more follows, and after which cursor; None if there is no connection."""
        return info_of(self._peek(data), nested=self.entry.nested)

    def way_to(self, last: Inner) -> list[Inner]:
        """The collections to go down to one of them."""

        def search(level: Level, way: list[Inner]) -> list[Inner] | None:
            for inner in (*level.arrays, *level.inner):
                if inner is last:
                    return [*way, inner]
                if (found := search(inner.level, [*way, inner])) is not None:
                    return found
            return None

        return search(self.level, []) or [last]

    def inside(self, node: Any, inner: Inner) -> Any:
        """The connection of a collection in a node."""
        if isinstance(node, dict):
            return node.get(inner.property)
        fields = msgspec.structs.fields(node)
        return getattr(node, next(each.name for each in fields if each.encode_name == inner.property))


def unknown_values(level: Level, fields: FieldMap) -> Iterator[str]:
    """Values of enums that are in no local menu, with their fields."""
    for column in level.columns:
        for each in (column.inside,) if column.inside else column.properties:
            if each.kind == "enum":
                yield from (f"{column.code} {value}" for value in fields.menu(each).unknown)
    for inner in level.inner:
        yield from unknown_values(inner.level, fields)


def unknown_fields(wanted: Selection, described: SourceSchema) -> Iterator[str]:
    """Fields that are wanted and not there, those of lines with their collection."""
    yield from wanted.fields - described.fields.keys()
    for name, below in wanted.lines.items():
        if name in described.lines:
            yield from (f"{name}.{field}" for field in unknown_fields(below, described.lines[name]))
        else:
            yield name
