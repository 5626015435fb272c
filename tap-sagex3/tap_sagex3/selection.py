"""From a node of GraphQL to a record of X3: which properties to ask for, and which field each of them is."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ml_connector.extract.source import SourceSchema

from tap_sagex3.introspection import node_name
from tap_sagex3.menus import Menu, menu_of
from tap_sagex3.values import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml_connector.extract.source import Selection

    from tap_sagex3.introspection import Property, Schema
    from tap_sagex3.streams.resource import Lines

Node = dict[str, Any]
#: Types of scalars; what is not here is text.
_TYPES: Final = {"Int": "i", "Boolean": "m", "Decimal": "n", "Float": "n", "Date": "d", "Datetime": "t"}
ELEMENTS_PAGE: Final = 100
"""More than any field with an index is known to have."""
_INDEX: Final = re.compile(r"(\d+)$")


@dataclass(frozen=True)
class Column:
    """How a field is read from nodes.

    Attributes:
        code: The field.
        properties: The properties that hold it; several are the elements of one field.
        inside: Of a collection of elements: the property inside it.
        part: Which part of the node's own `_id` it is, of how many, where no property shows it.
    """

    code: str
    properties: tuple[Property, ...]
    inside: Property | None = None
    part: tuple[int, int] | None = None


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
    """What is asked of the nodes of one level, and how they become columns."""

    asked: list[str] = field(default_factory=list)
    """Selections of the node's own properties."""
    columns: list[Column] = field(default_factory=list)
    inner: list[Inner] = field(default_factory=list)
    arrays: list[Inner] = field(default_factory=list)
    """Collections of the elements of fields with an index."""
    with_id: bool = True
    """Whether nodes are asked for their `_id`; elements need not have one."""


class KnownNode(NamedTuple):
    """A node that is a table of ours.

    Attributes:
        key: Its key.
        named_by: The field of the key that others name it by.
        tables: The tables of its fields.
    """

    key: tuple[str, ...] = ()
    named_by: str = ""
    tables: tuple[str, ...] = ()


class FieldMap:
    """Finds the fields of a node's type.

    Args:
        schema: The server's.
        nodes: The nodes that are tables of ours, by their names in lower case: their keys take references
            apart.
    """

    def __init__(self, schema: Schema, nodes: Mapping[str, KnownNode]) -> None:
        self._schema = schema
        self._nodes = nodes

    def level(
        self, type_name: str, lines: Iterable[Lines], wanted: Selection | None, key: Sequence[str] = ()
    ) -> Level:
        """Choose what to ask for.

        Args:
            type_name: The node's type.
            lines: The collections inside it that are streams.
            wanted: What is wanted of it; None for all.
            key: The fields of its key: where no property shows one, it is a part of `_id`.

        Returns:
            The choice.
        """
        found = Level()
        scalars = self._scalars(type_name)
        for code, properties in scalars.items():
            if wanted is None or code in wanted.fields:
                found.asked += [self._asked(each) for each in properties]
                found.columns.append(Column(code, tuple(properties)))
        for each, inside in self._arrays(type_name):
            codes = [(p.code or p.name, p) for p in inside if wanted is None or p.code in wanted.fields]
            if codes:
                inner = Level(["denormalizedIndex", *(self._asked(p) for _, p in codes)], with_id=False)
                array = Inner("", each.name, each.nested, inner)
                found.arrays.append(array)
                found.columns += [Column(code, (each,), p) for code, p in codes]
        shown = {column.code for column in found.columns}
        # `_id` is the key, its parts joined by | (reference 2.2)
        parts = len(self._known(type_name).key or key)
        found.columns += [
            Column(code, (), None, (part, parts)) for part, code in enumerate(key) if code not in shown
        ]
        for one in lines:
            prop = self._lines(type_name, one)
            if prop is None or (wanted is not None and one.collection not in wanted.lines):
                continue
            below = None if wanted is None else wanted.lines[one.collection]
            inner = self.level(prop.type, one.lines, below, one.key)
            found.inner.append(Inner(one.collection, prop.name, prop.nested, inner))
        return found

    def described(self, type_name: str, lines: Iterable[Lines]) -> SourceSchema:
        """JSON schemas of a node's fields."""
        found = SourceSchema({})
        for code, properties in self._scalars(type_name).items():
            schema = self._described(properties[0])
            several = len(properties) > 1
            found.fields[code] = {"type": ["array", "null"], "items": schema} if several else schema
        for _, inside in self._arrays(type_name):
            for each in inside:
                item = self._described(each)
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
        """Collections of elements; those bear their document's key too, which is no element of anything."""
        own = {*self._scalars(type_name), *self._known(type_name).key}
        for each in self._schema.properties(type_name):
            if each.kind == "collection" and self._schema.is_array(each.type):
                inside = [
                    p
                    for p in self._schema.properties(each.type)
                    if p.code and p.code not in own and p.kind != "collection" and not p.name.startswith("_")
                ]
                yield each, inside

    def _lines(self, type_name: str, lines: Lines) -> Property | None:
        """The collection that holds lines: by its name, or by the name of its nodes' type."""
        found = [p for p in self._schema.properties(type_name) if p.kind == "collection"]
        named = next((p for p in found if p.name == lines.property), None)
        wanted = lines.node.lower()
        typed = (p for p in found if node_name(p.type).lower() == wanted)
        return named or next(typed, None)

    def _asked(self, each: Property) -> str:
        if each.kind == "reference":
            named = self.named_by(each.code or "", each.type)
            return f"{each.name} {{ _id{f' {named}' if named else ''} }}"
        return f"{each.name} {{ value }}" if each.kind == "text" else each.name

    def part(self, code: str, type_name: str) -> tuple[int, int] | None:
        """Which part of a composite `_id` is a field, of how many: `TYP|NUM` of an entry's, for one.

        Returns:
            The place and the number of parts; None if the whole is the field. Of nodes that are not known
            the last part, 0 standing for any number.
        """
        known = self._known(type_name)
        if len(known.key) < 2:  # noqa: PLR2004 - a key of one part is the whole
            return None if known.key else (-1, 0)
        return known.key.index(code if code in known.key else known.named_by), len(known.key)

    def named_by(self, code: str, type_name: str) -> str | None:
        """The property of a node that is referred to which shows a field of its composite key.

        A part of a key may itself hold the | that joins them: only the property tells it for sure.
        """
        known = self._known(type_name)
        if len(known.key) < 2:  # noqa: PLR2004 - the whole is the field
            return None
        wanted = code if code in known.key else known.named_by
        return self._schema.scalar(type_name, wanted)

    def menu(self, each: Property) -> Menu:
        """The numbers of an enum's values."""
        known = self._nodes.get(each.owner, KnownNode())
        return menu_of(known.tables, each.code or each.name, each.values)

    def _known(self, type_name: str) -> KnownNode:
        return self._nodes.get(node_name(type_name).lower(), KnownNode())

    def _described(self, each: Property) -> dict[str, Any]:
        title = each.title or None
        if each.kind != "enum":
            return schema_of(_TYPES.get(each.type, "s") if each.kind == "scalar" else "s", title)
        if self.menu(each).found:
            return schema_of("m", title)
        # which numbers the names have is not known: they stay text, whatever the shipped schema says
        return {**schema_of("s", title), "x-values": list(each.values)}


def text_of(level: Level, size: int) -> str:
    """The selection of a level, lines included.

    Args:
        level: The level.
        size: How many lines of each node at once.
    """
    asked = ["_id", *level.asked] if level.with_id else list(level.asked)
    asked += [inner_text(array, min(size, ELEMENTS_PAGE)) for array in level.arrays]
    asked += [inner_text(inner, size) for inner in level.inner]
    return " ".join(asked)


def inner_text(inner: Inner, size: int, after: str | None = None, condition: str | None = None) -> str:
    """The selection of a collection of lines."""
    more = {"after": after, "filter": condition}
    body = f"edges {{ node {{ {text_of(inner.level, size)} }} }} pageInfo {{ endCursor hasNextPage }}"
    return _collection(inner.property, inner.nested, size, body, more)


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
