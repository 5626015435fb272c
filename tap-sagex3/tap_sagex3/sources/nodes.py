"""From nodes of GraphQL to columns: Structs compiled from what is asked, with numbers left as their text."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.source import Level as Columns
from ml_connector.extract.source import Levels

from tap_sagex3.selection import connection_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tap_sagex3.introspection import Property
    from tap_sagex3.selection import Column, FieldMap, Inner, Level

Ids: TypeAlias = "Callable[[int], tuple[Any, ...]]"
"""The `_id`s from the document down to the node at a place."""
_NUMBERS = frozenset({"Int", "Decimal", "Float"})
_MOST_MEMORISED = 50_000


class Reference(msgspec.Struct, gc=False):
    """A node that is referred to."""

    _id: Any = None
    named: Any = None


class TextStream(msgspec.Struct, gc=False):
    """A long text."""

    value: Any = None


class PageInfo(msgspec.Struct, gc=False):
    """Where a connection goes on."""

    endCursor: str | None = None  # noqa: N815 - the server's name
    hasNextPage: bool | None = False  # noqa: N815


class NodeReader:
    """Reads the nodes of one level.

    Args:
        level: What was asked of them.
        fields: Where the fields of the server's types are.
        parsed: Codes whose values the reader looks at.
        path: The path of the level.
    """

    def __init__(
        self, level: Level, fields: FieldMap, parsed: Collection[str], path: tuple[str, ...] = ()
    ) -> None:
        self.path, self.level = path, level
        self.inner = [
            (inner, NodeReader(inner.level, fields, parsed, (*path, inner.collection)))
            for inner in level.inner
        ]
        slots: dict[str, str] = {"_id": "id"}
        declared: list[tuple[str, Any, Any]] = [("id", Any, None)]
        elements: dict[str, list[Property]] = {}
        for column in level.columns:
            if column.inside is not None:
                elements.setdefault(column.properties[0].name, []).append(column.inside)
        for column in level.columns:
            for each in column.properties:
                if each.name not in slots:
                    slots[each.name] = f"p{len(slots)}"
                    plain = (
                        len(column.properties) == 1 and column.inside is None and column.code not in parsed
                    )
                    kind = _type_of(column.code, each, fields, raw=plain)
                    if column.inside is not None:
                        kind = _element_connection(each, elements[each.name], fields) | None
                    declared.append((slots[each.name], kind, None))
        for inner, reader in self.inner:
            slots[inner.property] = f"i{len(slots)}"
            declared.append((slots[inner.property], reader.connection(nested=inner.nested) | None, None))
        rename = {slot: name for name, slot in slots.items()}
        self.type = msgspec.defstruct("Node", declared, rename=rename, gc=False)
        self._slots = slots
        self._columns = [(column, _reader(column, fields)) for column in level.columns]

    def connection(self, *, nested: bool) -> Any:
        """The type of a connection of such nodes."""
        return _connection(self.type, nested=nested)

    def add(
        self,
        nodes: Sequence[Any],
        parents: Sequence[int] | None,
        more: Callable[[Inner, Sequence[Any], Any], list[Any]],
        above: Ids | None,
        to: Levels,
    ) -> None:
        """Add the columns of nodes, and of the lines inside them.

        Args:
            nodes: The nodes.
            parents: The place of each one's node above.
            more: Reads the nodes behind a page of lines: of which collection, by the `_id`s down to it, after
                which cursor.
            above: Gives the `_id`s from the document to a node above; None for documents.
            to: The page.
        """
        values = self._values(nodes)

        def ids(place: int) -> tuple[Any, ...]:
            own = values["_id"][place]
            return (own,) if above is None or parents is None else (*above(parents[place]), own)

        for array in self.level.arrays:
            for place, found in enumerate(values[array.property]):
                info = info_of(found, nested=array.nested)
                if info is not None and info[0]:
                    _extend(found, more(array, ids(place), info[1]), nested=array.nested)
        columns = {column.code: read(values.__getitem__) for column, read in self._columns}
        to[self.path] = Columns(len(nodes), columns, parents)
        for inner, reader in self.inner:
            lines: list[Any] = []
            places: list[int] = []
            for place, found in enumerate(values[inner.property]):
                own = nodes_of(found, nested=inner.nested)
                info = info_of(found, nested=inner.nested)
                if info is not None and info[0]:
                    own += more(inner, ids(place), info[1])
                lines += own
                places += [place] * len(own)
            reader.add(lines, places, more, ids, to)

    def _values(self, nodes: Sequence[Any]) -> dict[str, list[Any]]:
        """The values of nodes by property."""
        if dict in set(map(type, nodes)):
            return {
                name: [node.get(name) if type(node) is dict else getattr(node, slot) for node in nodes]
                for name, slot in self._slots.items()
            }
        every = list(map(list, zip(*map(msgspec.structs.astuple, nodes), strict=True)))
        return dict(zip(self._slots, every or [[] for _ in self._slots], strict=True))


def nodes_of(connection: Any, *, nested: bool) -> list[Any]:
    """The nodes of a connection; none where it is null."""
    if connection is None:
        return []
    if type(connection) is dict:
        found = connection_of(connection, nested=nested)
        return [edge["node"] for edge in found.get("edges") or () if edge and edge.get("node") is not None]
    inside = connection.query if nested else connection
    if inside is None or not inside.edges:
        return []
    return [edge.node for edge in inside.edges if edge is not None and edge.node is not None]


def _extend(connection: Any, nodes: Sequence[Any], *, nested: bool) -> None:
    """Put further nodes behind those of a connection."""
    if isinstance(connection, dict):
        connection_of(connection, nested=nested)["edges"] += [{"node": node} for node in nodes]
        return
    inside = connection.query if nested else connection
    edge = type(next(each for each in inside.edges if each is not None))
    inside.edges += [edge(node) for node in nodes]


def info_of(connection: Any, *, nested: bool) -> tuple[bool, str | None] | None:
    """Whether a connection goes on, and after which cursor."""
    if connection is None:
        return None
    if type(connection) is dict:
        info = connection_of(connection, nested=nested).get("pageInfo") or {}
        return bool(info.get("hasNextPage")), info.get("endCursor")
    inside = connection.query if nested else connection
    if inside is None or inside.pageInfo is None:
        return None
    return bool(inside.pageInfo.hasNextPage), inside.pageInfo.endCursor


def decoder_of(connection: Any, path: Sequence[str]) -> Callable[[bytes], Any]:
    """A decoder of `data`, which gives the connection at a path; dictionaries where types differ."""
    kind = connection
    for name in reversed(path):
        kind = msgspec.defstruct("At", [("at", kind | None, None)], rename={"at": name}, gc=False)
    decode = msgspec.json.Decoder(kind, float_hook=Decimal).decode

    def decoded(data: bytes) -> Any:
        try:
            found: Any = decode(data)
            for _ in path:
                found = found and found.at
        except msgspec.ValidationError:
            found = decode_exactly(data)
            for name in path:
                found = (found or {}).get(name)
        return found

    return decoded


def _type_of(code: str, each: Property, fields: FieldMap, *, raw: bool) -> Any:
    if each.kind == "reference":
        return _reference_type(fields.named_by(code, each.type)) | None
    if each.kind == "text":
        return TextStream | None
    if each.kind == "scalar" and each.type in _NUMBERS and raw:
        return msgspec.Raw
    if each.kind == "scalar" and each.type not in {*_NUMBERS, "Boolean"}:
        return str | None
    return Any


@cache
def _reference_type(named: str | None) -> Any:
    """The type of a reference, with the property that shows what it is named by."""
    if named is None:
        return Reference
    return msgspec.defstruct("Named", [], bases=(Reference,), rename={"named": named}, gc=False)


Get = Any


def _reader(column: Column, fields: FieldMap) -> Callable[[Get], list[Any]]:
    """A function from what gives a property's values to the column of a field."""
    if column.part is not None:
        part, parts = column.part
        return lambda get: [_part(name, part, parts) for name in get("_id")]
    if column.inside is not None:
        return _elements(column, column.inside, fields)
    readers = [(each.name, _values(column.code, each, fields)) for each in column.properties]
    if len(readers) == 1:
        ((name, read),) = readers
        return lambda get: read(get(name))
    return lambda get: [list(each) for each in zip(*(read(get(name)) for name, read in readers), strict=True)]


def _values(code: str, each: Property, fields: FieldMap) -> Callable[[list[Any]], list[Any]]:
    if each.kind == "reference":
        return _referred(fields.part(code, each.type), fields.named_by(code, each.type))
    if each.kind == "text":
        return lambda values: [
            None if v is None else v.get("value") if isinstance(v, dict) else v.value for v in values
        ]
    if each.kind == "enum":
        menu = fields.menu(each)
        numbers = menu.numbers
        if not menu.found and not numbers:
            return lambda values: values
        return lambda values: [0 if value is None else numbers.get(value, value) for value in values]
    return lambda values: values


def _referred(part: tuple[int, int] | None, named: str | None) -> Callable[[list[Any]], list[Any]]:
    """A function from references to the field that they are."""
    memo: dict[Any, Any] = {}

    def referred(values: list[Any]) -> list[Any]:
        if len(memo) > _MOST_MEMORISED:
            memo.clear()
        if dict in set(map(type, values)):
            pairs = [
                (v.get("_id"), v.get(named)) if type(v) is dict else (v and v._id, v and v.named)  # noqa: SLF001
                for v in values
            ]
            return [_of_reference(name, part) if own is None else own for name, own in pairs]
        if named is not None:
            shown = [None if v is None else v.named for v in values]
            if None not in shown:
                return shown
        names = [None if v is None else v._id for v in values]  # noqa: SLF001
        for name in set(names) - memo.keys():
            memo[name] = _of_reference(name, part)
        found = list(map(memo.__getitem__, names))
        if named is None:
            return found
        return [own if own is not None else other for own, other in zip(shown, found, strict=True)]

    return referred


def _of_reference(name: Any, part: tuple[int, int] | None) -> Any:
    if name is None:
        return None
    if part is None:
        return str(name)
    place, count = part
    parts = str(name).split("|")
    # more parts than the key has: one of them holds a | itself, and which does is not told
    if (count and len(parts) != count) or not -len(parts) <= place < len(parts):
        return str(name)
    return parts[place]


def _part(name: Any, place: int, count: int) -> Any:
    if name is None or count == 1:
        return name
    parts = str(name).split("|")
    return parts[place] if len(parts) == count else None


def _elements(column: Column, inside: Property, fields: FieldMap) -> Callable[[Get], list[Any]]:
    """A function to the elements of a field with an index, those of all nodes at once."""
    (collection,) = column.properties
    read, name = _values(column.code, inside, fields), inside.name

    def elements(get: Get) -> list[Any]:
        arrays = [
            nodes_of(each, nested=collection.nested) if each is not None else ()
            for each in get(collection.name)
        ]
        flat = list(chain.from_iterable(arrays))
        if not flat:
            return [[] for _ in arrays]
        if any(isinstance(each, dict) for each in flat):
            each_ = [each if isinstance(each, dict) else msgspec.structs.asdict(each) for each in flat]
            places, values = [each["denormalizedIndex"] for each in each_], [each[name] for each in each_]
        else:
            places, values = [each.denormalizedIndex for each in flat], list(map(attrgetter(name), flat))
        values = read(values)
        found, start = [], 0
        for array in arrays:
            end = start + len(array)
            found.append(_placed(places[start:end], values[start:end]))
            start = end
        return found

    return elements


def _placed(places: list[Any], values: list[Any]) -> list[Any]:
    if places == list(range(1, len(places) + 1)):
        return values
    numbers = [int(place) for place in places]
    first = min([1, *numbers])  # counted from 1 where it was seen, maybe from 0 elsewhere
    placed: list[Any] = [None] * (max(numbers, default=first - 1) - first + 1)
    for place, value in zip(numbers, values, strict=True):
        placed[place - first] = value
    return placed


def _element_connection(collection: Property, inside: Sequence[Property], fields: FieldMap) -> Any:
    """The type of a collection of elements."""
    types = [(each.name, _type_of(each.code or each.name, each, fields, raw=False)) for each in inside]
    declared = [("denormalizedIndex", Any), *types]
    node = msgspec.defstruct("Element", declared, gc=False)
    return _connection(node, nested=collection.nested)


def _connection(node: Any, *, nested: bool) -> Any:
    edge = msgspec.defstruct("Edge", [("node", node | None, None)], gc=False)
    fields: list[Any] = [("edges", list[edge | None] | None, None), ("pageInfo", PageInfo | None, None)]  # type: ignore[valid-type]
    made = msgspec.defstruct("Connection", fields, gc=False)
    return msgspec.defstruct("Query", [("query", made | None, None)], gc=False) if nested else made
