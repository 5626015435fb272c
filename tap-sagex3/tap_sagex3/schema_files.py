"""The JSON schemas that ship with the tap, and what a server says of its own fields."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from ml_connector.extract.digits import HINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_sagex3.api import Described
    from tap_sagex3.streams.resource import Lines, Resource

COMPANY: Final = "source_company"
_DECIMAL: Final[dict[str, Any]] = {"type": "number", "multipleOf": 1e-13, "x-precision": 28, "x-scale": 13}
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "s": {"type": "string"},
    "i": {"type": "integer"},
    "m": {"type": "integer"},
    "n": _DECIMAL,
    "d": {"type": "string", "format": "date"},
    "t": {"type": "string", "format": "date-time"},
}
#: Kinds that hold each other's values: a whole number is a decimal, and codes may be either.
_SAME: Final = frozenset({("integer", "number"), ("number", "integer")})


def schema_of(kind: str, title: str | None) -> dict[str, Any]:
    """The schema of a field that only the server knows.

    Args:
        kind: `s` text, `i` integer, `m` local menu, `n` decimal, `d` date, `t` moment.
        title: What a person reads.
    """
    described = dict(_TYPES[kind])
    described["type"] = [described["type"], "null"]
    return {**described, "description": title} if title else described


def shipped(stream: str) -> dict[str, Any]:
    """Read the schema file of a stream; a fresh copy."""
    found: dict[str, Any] = json.loads(_text(stream))
    return found


@cache
def _text(stream: str) -> str:
    return (resources.files("tap_sagex3") / "schemas" / f"{stream}.json").read_text(encoding="utf-8")


def document_schema(resource: Resource | Lines, described: Described | None = None) -> dict[str, Any]:
    """The schema of a stream, its lines as arrays inside it, as the server has it.

    Args:
        resource: The documents, or lines.
        described: What the server says; None leaves the shipped schema as it is.

    Returns:
        The schema. What the server does not know is left out, but for the key; what it alone knows is added.
    """
    schema = shipped(resource.stream)
    properties = schema["properties"]
    if described is not None:
        own = {
            name: _agreed(properties[name], described.fields.get(name))
            for name in properties
            if name == COMPANY or name in resource.key or name in described.fields
        }
        added = {name: each for name, each in described.fields.items() if name not in own}
        properties = {**own, **added}
    for lines in resource.lines:
        if described is None or lines.collection in described.lines:
            properties[lines.collection] = _array_of(lines, described)
    return {**schema, "properties": properties}


def line_schema(
    lines: Lines, document: Mapping[str, Any], described: Described | None = None
) -> dict[str, Any]:
    """The schema of a stream of lines: their own columns, and those carried from the document.

    Args:
        lines: The lines.
        document: The schema of the document's stream.
        described: What the server says of the lines.
    """
    schema = document_schema(lines, described)
    theirs = document["properties"]
    for name in lines.carried:
        if name in theirs and name not in schema["properties"]:
            text = f"Of the document: {theirs[name].get('description', name)}"
            schema["properties"][name] = {**theirs[name], "description": text}
    return schema


def joined(one: Described, other: Described) -> Described:
    """What either of two folders has."""
    lines = {
        name: joined(one.lines[name], other.lines[name])
        if name in one.lines and name in other.lines
        else one.lines.get(name) or other.lines[name]
        for name in {**one.lines, **other.lines}
    }
    return type(one)({**other.fields, **one.fields}, lines)


def with_columns(schema: dict[str, Any], columns: Iterable[str], described: Mapping[str, Any]) -> None:
    """Add columns of one kind to a schema."""
    for name in columns:
        schema["properties"].setdefault(name, dict(described))


def without_hints(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema for messages and catalogs."""
    properties = {
        name: {word: value for word, value in each.items() if not word.startswith("x-") or word in HINTS}
        for name, each in schema["properties"].items()
    }
    return {"type": "object", "properties": properties}


def _array_of(lines: Lines, described: Described | None) -> dict[str, Any]:
    inner = document_schema(lines, described.lines[lines.collection] if described else None)
    properties = {name: each for name, each in inner["properties"].items() if name != COMPANY}
    return {
        "type": ["array", "null"],
        "items": {"type": "object", "properties": properties},
        "description": f"{inner['description']} Also the stream {lines.stream}.",
    }


def _agreed(ours: dict[str, Any], theirs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Our column, unless the server's is of another kind: such values would not fit."""
    if theirs is None or _kind(ours) == _kind(theirs) or (_kind(ours)[0], _kind(theirs)[0]) in _SAME:
        return ours
    if _kind(ours)[0] == "array" or _kind(theirs)[0] == "array":
        # an element that is shown alone is a field with an index all the same
        return ours
    if _kind(theirs) == ("string", ""):
        # servers describe many things as text; what is in it tells
        return ours
    kept = {"description": ours["description"]} if "description" in ours else {}
    nullable = isinstance(ours.get("type"), list)
    return {**theirs, **kept, "type": theirs["type"] if nullable else _kind(theirs)[0]}


def _kind(described: Mapping[str, Any]) -> tuple[str, str]:
    types = described.get("type") or "string"
    kinds = [types] if isinstance(types, str) else types
    return next(kind for kind in kinds if kind != "null"), str(described.get("format") or "")
