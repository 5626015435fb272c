"""The JSON schemas that ship with a tap, and what a server says of its own fields.

A schema file holds a stream's fields and nothing else: key, address and replication key stand in the
declaration.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from ml_connector.extract.digits import HINTS
from ml_connector.extract.resource import COMPANY, Lines, walk
from ml_connector.extract.state import all_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ml_connector.extract.resource import Resource
    from ml_connector.extract.source import SourceSchema

#: Kinds that hold each other's values: a whole number is a decimal.
_SAME: Final = frozenset({("integer", "number"), ("number", "integer")})
_ALWAYS: Final = frozenset({COMPANY, "source_entity", "source_module"})


class SchemaFiles:
    """The files of one tap.

    Args:
        package: The tap's package; the files are in its folder `schemas`.
        own_columns: Columns that the tap fills itself, whatever a server says.
    """

    def __init__(self, package: str, own_columns: Collection[str] = ()) -> None:
        self._package = package
        self._own = _ALWAYS | frozenset(own_columns)

    def shipped(self, stream: str) -> dict[str, Any]:
        """Read the schema file of a stream; a fresh copy."""
        found: dict[str, Any] = json.loads(_text(self._package, stream))
        return found

    def document(self, resource: Resource | Lines, told: SourceSchema | None = None) -> dict[str, Any]:
        """The schema of a stream, its lines as arrays inside it, as the server has it.

        Args:
            resource: The documents, or lines.
            told: What the server says; None leaves the shipped schema as it is.

        Returns:
            The schema. What the server does not know is left out, but for the key; what it alone knows is
            added.
        """
        schema = self.shipped(resource.stream)
        properties = schema["properties"]
        if told is not None:
            own = {
                name: agreed(properties[name], told.fields.get(name))
                for name in properties
                if name in self._own or name in resource.key or name in told.fields
            }
            added = {name: each for name, each in told.fields.items() if name not in own}
            properties = {**own, **added}
        for lines in resource.lines:
            if "." not in lines.collection and (told is None or lines.collection in told.lines):
                properties[lines.collection] = self._array_of(lines, told)
        return {**schema, "properties": properties}

    def line(
        self, lines: Lines, document: Mapping[str, Any], told: SourceSchema | None = None
    ) -> dict[str, Any]:
        """The schema of a stream of lines: their own columns, and those carried from the document.

        Args:
            lines: The lines.
            document: The schema of the document's stream.
            told: What the server says of the lines.
        """
        schema = self.document(lines, told)
        theirs = document["properties"]
        for carried in lines.from_above:
            if carried.field in theirs and carried.column not in schema["properties"]:
                text = f"Of the document: {theirs[carried.field].get('description', carried.field)}"
                schema["properties"][carried.column] = {**theirs[carried.field], "description": text}
        return schema

    def lacking(self, resource: Resource, told: SourceSchema) -> list[str]:
        """What the shipped schema has and the server has not."""
        shipped = self.shipped(resource.stream)["properties"]
        return sorted(name for name in shipped if name not in self._own and name not in told.fields)

    def faults(self, every: Iterable[Resource]) -> Iterator[str]:
        """What a declaration names and its schema file lacks; for a test.

        Args:
            every: The declarations.

        Yields:
            A sentence for each.
        """
        for resource in every:
            properties = self.document(resource)["properties"]
            named = {*resource.key, *resource.parent_key, *resource.measures}
            named |= {each.field for each in resource.stamps}
            named |= {name for name in (resource.period, resource.final and resource.final.field) if name}
            yield from _missing(resource.stream, named, properties)
            for lines, _ in walk(resource.lines):
                own = self.line(lines, {"properties": properties})["properties"]
                named = {*lines.key, *lines.measures, *([lines.period] if lines.period else ())}
                yield from _missing(
                    lines.stream, named, {**properties, **own} if "." in lines.collection else own
                )

    def _array_of(self, lines: Lines, told: SourceSchema | None) -> dict[str, Any]:
        inner = self.document(lines, told.lines[lines.collection] if told else None)
        properties = {name: each for name, each in inner["properties"].items() if name not in _ALWAYS}
        return {
            "type": ["array", "null"],
            "items": {"type": "object", "properties": properties},
            "description": f"{inner['description']} Also the stream {lines.stream}.",
        }


def joined(one: SourceSchema, other: SourceSchema) -> SourceSchema:
    """What either of two companies has."""
    lines = {
        name: joined(one.lines[name], other.lines[name])
        if name in one.lines and name in other.lines
        else one.lines.get(name) or other.lines[name]
        for name in {**one.lines, **other.lines}
    }
    return type(one)({**other.fields, **one.fields}, lines)


def without_hints(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema for messages and catalogs."""
    properties = {
        name: {word: value for word, value in each.items() if not word.startswith("x-") or word in HINTS}
        for name, each in schema["properties"].items()
    }
    return {"type": "object", "properties": properties}


def agreed(ours: dict[str, Any], theirs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Our column, unless the server's is of another kind: such values would not fit.

    A field that the server gives as a list is a list.
    """
    if theirs is None or _kind(ours) == _kind(theirs) or (_kind(ours)[0], _kind(theirs)[0]) in _SAME:
        return ours
    if _kind(ours)[0] == "array":
        # an element that is shown alone is a field with an index all the same
        return ours
    kept = {"description": ours["description"]} if "description" in ours else {}
    if _kind(theirs)[0] == "array":
        return {**kept, "type": ["array", "null"], "items": _nullable(ours)}
    if _kind(theirs) == ("string", "") and "x-values" not in theirs:
        # servers describe many things as text, unless they name its values; what is in it tells
        return ours
    nullable = isinstance(ours.get("type"), list)
    return {**theirs, **kept, "type": theirs["type"] if nullable else _kind(theirs)[0]}


def _nullable(described: Mapping[str, Any]) -> dict[str, Any]:
    found = {word: value for word, value in described.items() if word != "description"}
    return {**found, "type": [_kind(described)[0], "null"]}


def _kind(described: Mapping[str, Any]) -> tuple[str, str]:
    types = described.get("type") or "string"
    kinds = [types] if isinstance(types, str) else types
    return next(kind for kind in kinds if kind != "null"), str(described.get("format") or "")


def _missing(stream: str, names: Iterable[str], properties: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(names):
        if name not in properties:
            yield f"{stream}: its declaration names {name}, which is no field of its schema file."


def stamp_fields(resource: Resource) -> frozenset[str]:
    """All stamps of a resource, and those that stand in for them."""
    return frozenset(each.field for each in all_of(resource.stamps))


@cache
def _text(package: str, stream: str) -> str:
    return (resources.files(package) / "schemas" / f"{stream}.json").read_text(encoding="utf-8")
