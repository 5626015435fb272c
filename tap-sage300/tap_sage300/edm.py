"""The types of `$metadata` as JSON schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ml_connector.extract.source import SourceSchema

from tap_sage300.values import leaves_the_erp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_sage300.metadata import Property

FACETS: Final = "x-facets"
"""Precision and scale as the server declares them; null where it does not. Dropped from what is emitted."""
_TYPES: Final[dict[str, dict[str, Any]]] = {
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
_PRECISION: Final = 19
_SCALE: Final = 6


def source_schema(properties: Mapping[str, Property]) -> SourceSchema:
    """What a server says of an entity set, or of a collection inside it.

    Args:
        properties: Its properties.

    Returns:
        The schemas of its fields, collections among them, and those of its collections' lines.
    """
    shown = {name: each for name, each in properties.items() if leaves_the_erp(name)}
    lines = {
        name: source_schema(each.properties)
        for name, each in shown.items()
        if each.collection and each.properties is not None
    }
    return SourceSchema({name: json_type(each) for name, each in shown.items()}, lines)


def json_type(described: Property) -> dict[str, Any]:
    """Translate a property of `$metadata` into JSON Schema.

    Args:
        described: The property; an unbounded decimal gets six decimals.

    Returns:
        The schema of its values, null included.
    """
    if described.properties is not None:
        items = {
            "type": "object",
            "properties": {
                name: json_type(inner) for name, inner in described.properties.items() if leaves_the_erp(name)
            },
        }
        if described.collection:
            return {"type": ["array", "null"], "items": items}
        return {**items, "type": ["object", "null"]}
    if described.edm_type == "Edm.Decimal":
        scale = _SCALE if described.scale is None else described.scale
        value: dict[str, Any] = {
            "type": "number",
            "multipleOf": 1 if scale == 0 else float(f"1e-{scale}"),
            "x-precision": described.precision or _PRECISION,
            "x-scale": scale,
            FACETS: [described.precision, described.scale],
        }
    else:
        value = dict(_TYPES.get(described.edm_type, {"type": "string"}))
        if described.members:
            value["description"] = f"One of: {', '.join(described.members)}."
    if described.collection:
        return {"type": ["array", "null"], "items": value}
    return {**value, "type": [value["type"], "null"]}
