"""The JSON schemas that ship with the tap, and what a company's own `lookup` changes in them."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from ml_connector.extract.digits import HINTS

from tap_sageintacct.client import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_sageintacct.xml import Result

OWN_PROPERTIES: dict[str, dict[str, Any]] = {
    "source_company": {"type": "string"},
    "source_entity": {"type": ["string", "null"]},
}
OWN_COLUMNS = tuple(OWN_PROPERTIES)
SENSITIVE = "x-sensitive"
_PRIVATE = re.compile(
    r"(?:^|[._])(?:SSN|SOCIALSECURITY\w*|BIRTHDATE|GENDER|\w*TAXID|FEDERALID|SIRET|\w*PASSWORD)$"
    r"|ROUTING|ACCOUNTNUMBER|BANKACCOUNTNO|CARDNUM|IBAN"
)
"""Names that the shipped schemas would mark as sensitive, had the reference listed them."""
REFUSED = "x-refused"
"""Fields that `lookup` lists and `query` is known to refuse."""
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


def looked_up(schema: Mapping[str, Any], results: Iterable[Result]) -> dict[str, Any]:
    """Bring a schema to what a company's `lookup` says of the object.

    The shipped lists of some objects are incomplete, and types of theirs are guesses: the company has the
    last word. What `query` is known to refuse stays out; what else it refuses shows when it is asked for.

    Args:
        schema: The shipped schema; of an object that has none, the tap's own columns.
        results: The answers to `lookup`, one an entity.

    Returns:
        The schema without the fields that no answer lists, with those that are not shipped.
    """
    fields: dict[str, Mapping[str, Any]] = {}
    for result in results:
        for field in fields_of(result):
            fields.setdefault(str(field["ID"]), field)
    if not fields:
        return dict(schema)
    shipped_ones, refused = schema["properties"], schema.get(REFUSED) or ()
    properties = {
        name: shipped_ones[name] if name in OWN_COLUMNS else _agreed(shipped_ones[name], fields[name])
        for name in shipped_ones
        if name in OWN_COLUMNS or name in fields
    }
    for name, each in fields.items():
        if name not in properties and name not in refused:
            properties[name] = _described(each)
            if _PRIVATE.search(name):
                properties[name][SENSITIVE] = True
    if "RECORDNO" in properties and "RECORDNO" not in shipped_ones:
        properties["RECORDNO"] = {"type": "integer"}
    return {**schema, "properties": properties}


def without_hints(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as a catalog has it: without the tap's own notes, but for the digits."""
    properties = {
        name: {key: value for key, value in described.items() if not key.startswith("x-") or key in HINTS}
        for name, described in schema["properties"].items()
    }
    return {"type": "object", "properties": properties}


def _agreed(shipped_one: dict[str, Any], field: Mapping[str, Any]) -> dict[str, Any]:
    """A shipped column, unless the company's is of another type: such values would not fit."""
    theirs = _described(field)
    if _kind(theirs) == _kind(shipped_one):
        return shipped_one
    own = {word: value for word, value in shipped_one.items() if word in {"description", SENSITIVE}}
    nullable = "null" in shipped_one.get("type", ())
    typed = theirs if nullable else {**theirs, "type": _kind(theirs)[0]}
    return {**typed, **own}


def _kind(described: Mapping[str, Any]) -> tuple[str, str]:
    types = described.get("type") or ["string"]
    kinds = [types] if isinstance(types, str) else types
    return next(kind for kind in kinds if kind != "null"), str(described.get("format", ""))


def _described(field: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(field.get("DATATYPE") or "TEXT").upper()
    described = dict(_DECIMAL) if kind in _DECIMALS else dict(_TYPES.get(kind, {"type": ["string", "null"]}))
    label = field.get("LABEL") or field.get("DESCRIPTION")
    custom = str(field.get("ISCUSTOM", "")).lower() == "true"
    return {**described, "description": f"Custom field: {label}."} if label and custom else described
