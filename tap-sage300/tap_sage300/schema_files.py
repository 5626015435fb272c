"""The JSON schemas that ship with the tap, and what a server's own `$metadata` changes in them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ml_connector.extract.digits import HINTS, MOST_DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_sage300.metadata import EntitySet, Property
    from tap_sage300.streams.resource import Lines, Resource

_SECRET = re.compile(r"password|passwd|passphrase", re.IGNORECASE)
_WRITE_ONLY = "UpdateOperation"
SEGMENTS = (*(f"AccountSegmentCode{number}" for number in range(1, 11)), "AccountGroupCode")
"""Columns of ledger lines that are looked up in the chart of accounts."""
OWN_COLUMNS = ("source_company", "source_module")

_OWN_PROPERTIES = {
    "source_company": {
        "type": "string",
        "description": "Org ID of the company database the record was read from.",
    },
    "source_module": {
        "type": "string",
        "description": "Sage 300 module that serves the record, such as AP.",
    },
}
_EDM_TYPES: dict[str, dict[str, Any]] = {
    "Edm.Boolean": {"type": "boolean"},
    "Edm.Byte": {"type": "integer"},
    "Edm.Int16": {"type": "integer"},
    "Edm.Int32": {"type": "integer"},
    "Edm.Int64": {"type": "integer"},
    "Edm.Double": {"type": "number"},
    "Edm.Single": {"type": "number"},
    "Edm.DateTimeOffset": {"type": "string", "format": "date-time"},
    "Edm.DateTime": {"type": "string", "format": "date-time"},
    "Edm.Date": {"type": "string", "format": "date"},
}
_DECIMAL_PRECISION = 19
_DECIMAL_SCALE = 6


@cache
def leaves_the_erp(name: str) -> bool:
    """Tell whether a property may be emitted at all.

    Args:
        name: The ERP's property name, at any depth of a record.

    Returns:
        False for passwords, and for `UpdateOperation`, which only means something in writes.
    """
    return name != _WRITE_ONLY and not _SECRET.search(name)


def shipped(stream: str) -> dict[str, Any] | None:
    """Read the schema file of a stream.

    Args:
        stream: The stream's name.

    Returns:
        A fresh copy, with its `x-` hints; None when the stream has no file (extra resources).
    """
    file = resources.files("tap_sage300") / "schemas" / f"{stream}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def without_hints(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what only the tap needs from a stream's schema.

    Args:
        schema: A schema as `shipped` or `described` gives it.

    Returns:
        The schema for messages and catalogs; of the `x-` words only `x-precision` and `x-scale` remain.
    """
    kept: dict[str, Any] = {}
    for name, value in schema.items():
        if name.startswith("x-") and name not in HINTS:
            continue
        if name == "properties":
            kept[name] = {
                column: without_hints(described)
                for column, described in value.items()
                if leaves_the_erp(column)
            }
        elif name == "items" and isinstance(value, dict):
            kept[name] = without_hints(value)
        else:
            kept[name] = value
    return kept


@dataclass
class Differences:
    """How a server's own description differs from the shipped schema of one stream."""

    added: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    retyped: list[str] = field(default_factory=list)
    key_unknown: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Name them, a few of each."""
        parts = (
            ("added", self.added),
            ("dropped", self.dropped),
            ("with the server's type", self.retyped),
        )
        return "; ".join(f"{what}: {_few(names)}" for what, names in parts if names)


def described(resource: Resource, entity_set: EntitySet) -> dict[str, Any]:
    """Make the schema of a resource that has no file, from `$metadata` alone.

    Args:
        resource: The resource as declared in `extra_resources`; an empty key is taken from `entity_set`.
        entity_set: The server's description.

    Returns:
        A schema like those in the files.
    """
    key = resource.key or entity_set.key
    properties = {
        name: json_type(described_property)
        for name, described_property in entity_set.properties.items()
        if leaves_the_erp(name)
    }
    for name in key:
        if name in properties:
            properties[name] = _not_null(properties[name])
    return {
        "type": "object",
        "description": resource.description or f"Entity set {entity_set.name} of module {resource.module}.",
        "x-key": list(key),
        "required": ["source_company", *key],
        "properties": {**_OWN_PROPERTIES, **properties},
    }


def matched(
    schema: dict[str, Any],
    key: Sequence[str],
    lines: Lines | None,
    entity_set: EntitySet,
    chart: EntitySet | None = None,
) -> tuple[dict[str, Any], Differences]:
    """Fit a shipped schema to what one server has: custom fields in, unknown fields out, its types.

    Args:
        schema: The shipped schema of a document or line stream.
        key: The stream's key; its columns are never dropped.
        lines: The collection the stream is made from; None for the documents themselves.
        entity_set: The server's description of the whole entity set.
        chart: Its description of the chart of accounts; None leaves what is looked up there as shipped.

    Returns:
        The fitted copy and what changed. `key_unknown` names key columns that the server has not.
    """
    levels = _levels(entity_set.properties, lines.path if lines else ())
    if levels is None:
        return schema, Differences(key_unknown=list(key))
    own, carried = levels[-1], schema.get("x-carried", {})
    changes = Differences()
    properties: dict[str, Any] = {}
    looked_up = SEGMENTS if "x-looked-up" in schema else ()
    for name, shipped_type in schema["properties"].items():
        if name in OWN_COLUMNS or (name in looked_up and chart is None):
            properties[name] = shipped_type
            continue
        level, source = carried.get(name, (len(levels) - 1, name))
        known = (chart.properties if chart and name in looked_up else levels[level]).get(source)
        if known is None and name in key:
            known = next((ancestor[name] for ancestor in reversed(levels) if name in ancestor), None)
        if known is None:
            (changes.key_unknown if name in key else changes.dropped).append(name)
            if name not in key:
                continue
            properties[name] = shipped_type
            continue
        properties[name] = _agreed(shipped_type, known, name, changes)
    for name, known in own.items():
        if name not in properties and leaves_the_erp(name):
            properties[name] = json_type(known)
            changes.added.append(name)
    return {**schema, "properties": properties}, changes


def json_type(described_property: Property) -> dict[str, Any]:
    """Translate a property of `$metadata` into JSON Schema.

    Args:
        described_property: The property; an unbounded decimal gets six decimals.

    Returns:
        The schema of its values, null included.
    """
    if described_property.properties is not None:
        items = {
            "type": "object",
            "properties": {
                name: json_type(inner)
                for name, inner in described_property.properties.items()
                if leaves_the_erp(name)
            },
        }
        if described_property.collection:
            return {"type": ["array", "null"], "items": items}
        return {**items, "type": ["object", "null"]}
    if described_property.edm_type == "Edm.Decimal":
        scale = _DECIMAL_SCALE if described_property.scale is None else described_property.scale
        value: dict[str, Any] = {
            "type": "number",
            "multipleOf": 1 if scale == 0 else float(f"1e-{scale}"),
            "x-precision": described_property.precision or _DECIMAL_PRECISION,
            "x-scale": scale,
        }
    else:
        value = dict(_EDM_TYPES.get(described_property.edm_type, {"type": "string"}))
        if described_property.members:
            value["description"] = f"One of: {', '.join(described_property.members)}."
    if described_property.collection:
        return {"type": ["array", "null"], "items": value}
    return {**value, "type": [value["type"], "null"]}


def _agreed(shipped_type: dict[str, Any], known: Property, name: str, changes: Differences) -> dict[str, Any]:
    """Keep the shipped type, with its scale and text, unless the server's is of another kind."""
    server_type = json_type(known)
    ours, theirs = _kind(shipped_type), _kind(server_type)
    # A server that declares a whole number as decimal sends it as a whole number all the same, and a day as
    # the moment of its midnight.
    if ours == theirs or {ours, theirs} == {"date-time", "date"} or (ours, theirs) == ("integer", "number"):
        return _wider(shipped_type, known)
    changes.retyped.append(name)
    server_type = {**server_type, "description": shipped_type.get("description", "")}
    if not server_type["description"]:
        del server_type["description"]
    return _not_null(server_type) if "null" not in shipped_type.get("type", ()) else server_type


def _wider(shipped_type: dict[str, Any], known: Property) -> dict[str, Any]:
    """Make room for what either of two decimals holds, before the point and after it, also inside lines."""
    if known.properties is not None and "properties" in shipped_type.get("items", {}):
        inner = {
            name: _wider(item, known.properties[name]) if name in known.properties else item
            for name, item in shipped_type["items"]["properties"].items()
        }
        return {**shipped_type, "items": {**shipped_type["items"], "properties": inner}}
    if known.edm_type != "Edm.Decimal" or "x-scale" not in shipped_type:
        return shipped_type
    # A facet that the server does not declare says nothing: OData's default, a scale of 0, is not meant.
    ours = shipped_type["x-precision"], shipped_type["x-scale"]
    scale = max(ours[1], known.scale or 0)
    whole = max(ours[0] - ours[1], (known.precision or 0) - (ours[1] if known.scale is None else known.scale))
    theirs = min(whole + scale, MOST_DIGITS), scale
    if theirs == ours:
        return shipped_type
    step = 1 if scale == 0 else float(f"1e-{scale}")
    return {**shipped_type, "multipleOf": step, "x-precision": theirs[0], "x-scale": scale}


def _kind(schema: Mapping[str, Any]) -> str:
    types = schema.get("type", "string")
    kind = next(name for name in ([types] if isinstance(types, str) else types) if name != "null")
    return str(schema.get("format", kind))


def _levels(properties: dict[str, Property], path: Sequence[str]) -> tuple[dict[str, Property], ...] | None:
    """Follow a path of collections; None when the server has not got it."""
    levels = [properties]
    for step in path:
        inner = levels[-1].get(step)
        if inner is None or inner.properties is None:
            return None
        levels.append(inner.properties)
    return tuple(levels)


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    types = schema["type"]
    return {**schema, "type": types if isinstance(types, str) else next(t for t in types if t != "null")}


def _few(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
