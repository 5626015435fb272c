"""The JSON schemas that ship with the tap, and what a company's own `lookup` changes in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ml_connector.extract.schemas import SchemaFiles
from ml_connector.extract.streams import SENSITIVE
from typing_extensions import override

from tap_sageintacct.streams.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml_connector.extract.resource import Lines
    from ml_connector.extract.resource import Resource as AnyResource
    from ml_connector.extract.source import SourceSchema

OWN_PROPERTIES: dict[str, dict[str, Any]] = {
    "source_company": {"type": "string", "description": "company_id of the company."},
    "source_entity": {
        "type": ["string", "null"],
        "description": "Entity that the record belongs to; empty at the top level.",
    },
}
_PRIVATE = re.compile(
    r"(?:^|[._])(?:SSN|SOCIALSECURITY\w*|BIRTHDATE|GENDER|\w*TAXID|FEDERALID|SIRET|\w*PASSWORD)$"
    r"|ROUTING|ACCOUNTNUMBER|BANKACCOUNTNO|CARDNUM|IBAN"
)
"""Names that the shipped schemas would mark as sensitive, had the reference listed them."""
_TYPES: dict[str, dict[str, Any]] = {
    "INTEGER": {"type": ["integer", "null"]},
    "SEQUENCE": {"type": ["string", "null"]},
    "BOOLEAN": {"type": ["boolean", "null"]},
    "DATE": {"type": ["string", "null"], "format": "date"},
    "TIMESTAMP": {"type": ["string", "null"], "format": "date-time"},
}
_DECIMAL = {"type": ["number", "null"], "multipleOf": 1e-10, "x-precision": 38, "x-scale": 10}
_DECIMALS = frozenset({"DECIMAL", "CURRENCY", "PERCENT", "NUMBER"})


class IntacctFiles(SchemaFiles):
    """The files; an object that the settings add has none.

    The shipped lists of some objects are incomplete, and types of theirs are guesses: the company has the
    last word. What `query` is known to refuse stays out; what else it refuses shows when it is asked for.
    """

    @override
    def shipped(self, stream: str) -> dict[str, Any]:
        try:
            return super().shipped(stream)
        except FileNotFoundError:
            return {
                "type": "object",
                "properties": {name: dict(each) for name, each in OWN_PROPERTIES.items()},
            }

    @override
    def document(self, resource: AnyResource | Lines, told: SourceSchema | None = None) -> dict[str, Any]:
        schema = self.shipped(resource.stream)
        shipped_ones, fields = schema["properties"], told.fields if told else {}
        if not fields:
            return schema
        refused = resource.refused if isinstance(resource, Resource) else frozenset()
        properties = {
            name: _agreed(shipped_ones[name], fields[name]) if name in fields else shipped_ones[name]
            for name in shipped_ones
            if name in OWN_PROPERTIES or name in fields or name in resource.key
        }
        for name, each in fields.items():
            if name not in properties and name not in refused:
                properties[name] = {**each, **({SENSITIVE: True} if _PRIVATE.search(name) else {})}
        for name in resource.key:
            if name in properties and name not in shipped_ones:
                properties[name] = {**properties[name], "type": _kind(properties[name])[0]}
        return {**schema, "properties": properties}


FILES = IntacctFiles("tap_sageintacct")


def described(field: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of a field of `lookup`."""
    kind = str(field.get("DATATYPE") or "TEXT").upper()
    found = dict(_DECIMAL) if kind in _DECIMALS else dict(_TYPES.get(kind, {"type": ["string", "null"]}))
    label = field.get("LABEL") or field.get("DESCRIPTION")
    custom = str(field.get("ISCUSTOM", "")).lower() == "true"
    return {**found, "description": f"Custom field: {label}."} if label and custom else found


def _agreed(shipped_one: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """A shipped column, unless the company's is of another type: such values would not fit."""
    if _kind(theirs) == _kind(shipped_one):
        return shipped_one
    own = {word: value for word, value in shipped_one.items() if word in {"description", SENSITIVE}}
    nullable = "null" in shipped_one.get("type", ())
    typed = theirs if nullable else {**theirs, "type": _kind(theirs)[0]}
    return {**typed, **own}


def _kind(schema: Mapping[str, Any]) -> tuple[str, str]:
    types = schema.get("type") or ["string"]
    kinds = [types] if isinstance(types, str) else types
    return next(kind for kind in kinds if kind != "null"), str(schema.get("format", ""))
