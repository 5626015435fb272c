"""From a node of GraphQL to a record of X3: which properties to ask for, and which field each of them is."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tap_sagex3.api import Described
from tap_sagex3.schema_files import schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_sagex3.api import Record, Wanted
    from tap_sagex3.introspection import Property, Schema
    from tap_sagex3.streams.resource import Lines

Node = dict[str, Any]
#: Types of scalars; what is not here is text.
_TYPES: Final = {"Int": "i", "Boolean": "m", "Decimal": "n", "Float": "n", "Date": "d", "Datetime": "t"}
MOST_ELEMENTS: Final = 100
"""More than any field with an index has."""
_INDEX: Final = re.compile(r"(\d+)$")


@dataclass
class Inner:
    """A collection of lines inside a node.

    Attributes:
        collection: Its name in the record.
        property: Its name in the node.
        nested: Whether it is asked through a level named `query`.
        level: Its own nodes.
    """

    collection: str
    property: str
    nested: bool
    level: Level


@dataclass
class Level:
    """What is asked of the nodes of one level, and how they become records."""

    asked: list[str] = field(default_factory=list)
    """Selections of the node's own properties."""
    readers: list[tuple[str, Callable[[Node], Any]]] = field(default_factory=list)
    """Field codes, each with what reads it."""
    inner: list[Inner] = field(default_factory=list)

    def record(self, node: Node) -> Record:
        """The fields of a node, without its lines."""
        return {code: read(node) for code, read in self.readers}


class FieldMap:
    """Finds the fields of a node's type.

    Args:
        schema: The server's.
        keys: The key of each table, and the field that others name it by, by the name of its node in lower
            case: they take references apart.
    """

    def __init__(self, schema: Schema, keys: Mapping[str, tuple[tuple[str, ...], str]]) -> None:
        self._schema = schema
        self._keys = keys

    def level(self, type_name: str, lines: Iterable[Lines], wanted: Wanted | None) -> Level:
        """Choose what to ask for.

        Args:
            type_name: The node's type.
            lines: The collections inside it that are streams.
            wanted: What is wanted of it; None for all.

        Returns:
            The choice.
        """
        found = Level()
        for code, properties in self._scalars(type_name).items():
            if wanted is None or code in wanted.fields:
                found.asked += [self._asked(each) for each in properties]
                found.readers.append((code, self._reader(code, properties)))
        for each, inside in self._arrays(type_name):
            codes = [(p.code or p.name, p) for p in inside if wanted is None or p.code in wanted.fields]
            if codes:
                asked = " ".join(["denormalizedIndex", *(self._asked(p) for _, p in codes)])
                found.asked.append(
                    _collection(each.name, each.nested, MOST_ELEMENTS, f"edges {{ node {{ {asked} }} }}")
                )
                found.readers += [(code, self._array_reader(each, p, code)) for code, p in codes]
        for one in lines:
            prop = self._lines(type_name, one)
            if prop is None or (wanted is not None and one.collection not in wanted.lines):
                continue
            below = None if wanted is None else wanted.lines[one.collection]
            inner = self.level(prop.type, one.lines, below)
            found.inner.append(Inner(one.collection, prop.name, prop.nested, inner))
        return found

    def described(self, type_name: str, lines: Iterable[Lines]) -> Described:
        """JSON schemas of a node's fields."""
        found = Described({})
        for code, properties in self._scalars(type_name).items():
            schema = _schema(properties[0])
            several = len(properties) > 1
            found.fields[code] = {"type": ["array", "null"], "items": schema} if several else schema
        for _, inside in self._arrays(type_name):
            for each in inside:
                item = _schema(each)
                found.fields[each.code or each.name] = {"type": ["array", "null"], "items": item}
        for one in lines:
            if (prop := self._lines(type_name, one)) is not None:
                found.lines[one.collection] = self.described(prop.type, one.lines)
        return found

    def names(self, type_name: str) -> dict[str, str]:
        """Property names by field code, to filter and sort by."""
        return {code: properties[0].name for code, properties in self._scalars(type_name).items()}

    def _scalars(self, type_name: str) -> dict[str, list[Property]]:
        """Fields by code; properties that differ by a number at their end are the elements of one."""
        found: dict[str, list[Property]] = defaultdict(list)
        for each in self._schema.properties(type_name):
            if each.kind != "collection":
                found[each.code or each.name].append(each)
        return {code: _elements(properties) for code, properties in found.items()}

    def _arrays(self, type_name: str) -> Iterable[tuple[Property, list[Property]]]:
        for each in self._schema.properties(type_name):
            if each.kind == "collection" and self._schema.is_array(each.type):
                inside = [
                    p
                    for p in self._schema.properties(each.type)
                    if p.code and p.kind != "collection" and not p.name.startswith("_")
                ]
                yield each, inside

    def _lines(self, type_name: str, lines: Lines) -> Property | None:
        """The collection that holds lines: by its name, or by the name of its nodes' type."""
        found = [p for p in self._schema.properties(type_name) if p.kind == "collection"]
        named = next((p for p in found if p.name == lines.property), None)
        wanted = lines.node.lower()
        typed = (p for p in found if _node_name(p.type).lower() == wanted)
        return named or next(typed, None)

    def _asked(self, each: Property) -> str:
        if each.kind == "reference":
            return f"{each.name} {{ _id }}"
        return f"{each.name} {{ value }}" if each.kind == "text" else each.name

    def _reader(self, code: str, properties: list[Property]) -> Callable[[Node], Any]:
        if len(properties) == 1:
            return self._value(code, properties[0])
        readers = [self._value(code, each) for each in properties]
        return lambda node: [read(node) for read in readers]

    def _value(self, code: str, each: Property) -> Callable[[Node], Any]:
        name = each.name
        if each.kind == "reference":
            part = self._part(code, each.type)
            return lambda node: _part_of(node[name], part)
        if each.kind == "text":
            return lambda node: (node[name] or {}).get("value")
        if each.kind == "enum":
            # the values of an enum stand in the order of the local menu, whose first is number 1 (assumed:
            # no page says it; yes and no do)
            numbers = {value: number for number, value in enumerate(each.values, 1)}
            numbers_of = numbers.get
            return lambda node: numbers_of(node[name], 0 if node[name] is None else node[name])
        return lambda node: node[name]

    def _part(self, code: str, type_name: str) -> int | None:
        """Which part of a composite `_id` is a field: `TYP|NUM` of an entry's, for one."""
        key, named_by = self._keys.get(_node_name(type_name).lower(), ((), ""))
        if len(key) < 2:  # noqa: PLR2004 - a key of one part is the whole
            return None if key else -1
        return key.index(code if code in key else named_by)

    def _array_reader(self, collection: Property, each: Property, code: str) -> Callable[[Node], Any]:
        read = self._value(code, each)

        def elements(node: Node) -> list[Any]:
            inside = nodes_of(node[collection.name], nested=collection.nested)
            places = [int(inner["denormalizedIndex"]) for inner in inside]
            first = min([1, *places])  # counted from 1 where it was seen, maybe from 0 elsewhere
            found: list[Any] = [None] * (max(places, default=first - 1) - first + 1)
            for place, inner in zip(places, inside, strict=True):
                found[place - first] = read(inner)
            return found

        return elements


def text_of(level: Level, size: int) -> str:
    """The selection of a level, lines included.

    Args:
        level: The level.
        size: How many lines of each node at once.
    """
    asked = ["_id", *level.asked]
    asked += [inner_text(inner, size) for inner in level.inner]
    return " ".join(asked)


def inner_text(inner: Inner, size: int, after: str | None = None, condition: str | None = None) -> str:
    """The selection of a collection of lines."""
    more = {"after": after, "filter": condition}
    body = f"edges {{ node {{ {text_of(inner.level, size)} }} }} pageInfo {{ endCursor hasNextPage }}"
    return _collection(inner.property, inner.nested, size, body, more)


def nodes_of(connection: Any, *, nested: bool) -> list[Node]:
    """The nodes of a connection; none where it is null."""
    found = connection_of(connection, nested=nested)
    return [edge["node"] for edge in found.get("edges") or () if edge and edge.get("node") is not None]


def connection_of(connection: Any, *, nested: bool) -> dict[str, Any]:
    """The connection itself, below its level named `query`."""
    found = (connection or {}).get("query") if nested else connection
    return found if isinstance(found, dict) else {}


def quoted(text: str) -> str:
    """A string as GraphQL writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in escaped) + '"'


def arguments(size: int, more: Mapping[str, str | None] | None = None) -> str:
    """The arguments of a connection."""
    given = [f"first: {size}"]
    given += [f"{name}: {quoted(value)}" for name, value in (more or {}).items() if value is not None]
    return ", ".join(given)


def _collection(
    name: str, nested: bool, size: int, body: str, more: Mapping[str, str | None] | None = None
) -> str:
    given = arguments(size, more)
    return f"{name} {{ query({given}) {{ {body} }} }}" if nested else f"{name}({given}) {{ {body} }}"


def _elements(properties: list[Property]) -> list[Property]:
    """The properties of one field in the order of its elements; translations of it are not elements."""
    if len(properties) == 1:
        return properties
    own = [each for each in properties if not each.name.startswith("localized")] or properties
    numbered = [each for each in own if _INDEX.search(each.name)]
    if len(numbered) < len(own) or len({_INDEX.sub("", each.name) for each in numbered}) > 1:
        return own[:1]
    return sorted(numbered, key=lambda each: int(_INDEX.search(each.name)[1]))  # type: ignore[index]


def _schema(each: Property) -> dict[str, Any]:
    kind = "m" if each.kind == "enum" else _TYPES.get(each.type, "s") if each.kind == "scalar" else "s"
    return schema_of(kind, each.title or None)


def _node_name(type_name: str) -> str:
    """The node that a type is of: `PurchaseOrderLine_node`, or without the ending in older builds."""
    return type_name.rpartition("_")[0] if type_name.lower().endswith("_node") else type_name


def _part_of(reference: Any, part: int | None) -> Any:
    if not isinstance(reference, dict) or reference.get("_id") is None:
        return None
    name = str(reference["_id"])
    if part is None:
        return name
    parts = name.split("|")
    return parts[part] if -len(parts) <= part < len(parts) else name
