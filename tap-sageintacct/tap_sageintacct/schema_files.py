"""The JSON schemas that ship with the tap, and what a company's own `lookup` changes in them."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from ml_connector.extract.digits import HINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_sageintacct.xml import Result

OWN_PROPERTIES: dict[str, dict[str, Any]] = {
    "source_company": {"type": "string"},
    "source_entity": {"type": ["string", "null"]},
}
OWN_COLUMNS = tuple(OWN_PROPERTIES)
SENSITIVE = "x-sensitive"
_TYPES: dict[str, dict[str, Any]] = {
    "INTEGER": {"type": ["integer", "null"]},
    "SEQUENCE": {"type": ["string", "null"]},
    "BOOLEAN": {"type": ["boolean", "null"]},
    "DATE": {"type": ["string", "null"], "format": "date"},
    "TIMESTAMP": {"type": ["string", "null"], "format": "date-time"},
}
_DECIMAL = {"type": ["number", "null"], "multipleOf": 1e-10, "x-precision": 38, "x-scale": 10}
_DECIMALS = frozenset({"DECIMAL", "CURRENCY", "PERCENT", "NUMBER"})


def shipped(stream: str) -> dict[str, Any]:
    """Read the schema file of a stream.

    Args:
        stream: The stream's name.
    """
    text = resources.files("tap_sageintacct").joinpath(f"schemas/{stream}.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def looked_up(schema: Mapping[str, Any], results: Iterable[Result], *, every: bool = False) -> dict[str, Any]:
    """Bring a schema to what a company's `lookup` says of the object.

    Args:
        schema: The shipped schema.
        results: The answers to `lookup`, one an entity.
        every: Take all fields, not the company's own only: of an object that has no shipped schema.

    Returns:
        The schema without the fields that no answer lists, with those that the company added. What `query`
        refuses though `lookup` lists it shows when it is asked for.
    """
    fields: dict[str, dict[str, Any]] = {}
    for result in results:
        for record in result.records:
            found = (record.get("Fields") or {}).get("Field")
            for each in found if isinstance(found, list) else [found] if found else []:
                fields.setdefault(str(each["ID"]), each)
    if not fields:
        return dict(schema)
    shipped_ones = schema["properties"]
    kept = {name: shipped_ones[name] for name in shipped_ones if name in OWN_COLUMNS or name in fields}
    added = {
        name: _described(field)
        for name, field in fields.items()
        if name not in shipped_ones and (every or str(field.get("ISCUSTOM", "")).lower() == "true")
    }
    if "RECORDNO" in added:
        added["RECORDNO"] = {"type": "integer"}
    return {**schema, "properties": {**kept, **added}}


def without_hints(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as a catalog has it: without the tap's own notes, but for the digits."""
    properties = {
        name: {key: value for key, value in described.items() if not key.startswith("x-") or key in HINTS}
        for name, described in schema["properties"].items()
    }
    return {"type": "object", "properties": properties}


def _described(field: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(field.get("DATATYPE") or "TEXT").upper()
    described = dict(_DECIMAL) if kind in _DECIMALS else dict(_TYPES.get(kind, {"type": ["string", "null"]}))
    label = field.get("LABEL") or field.get("DESCRIPTION")
    return {**described, "description": f"Custom field: {label}."} if label else described
