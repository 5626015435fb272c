"""Rows of api1 as JSON: every field with its value, numbers with all of their digits."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from erp_sandbox.sagex3.model import NO_DATE

if TYPE_CHECKING:
    from erp_sandbox.sagex3.model import Field
    from erp_sandbox.sagex3.odd_server import OddServer
    from erp_sandbox.sagex3.source import Source

_NAMES: Final = uuid.UUID("6f2d3c86-0a8e-4a53-9f38-5a3c7d1f1c11")
_PLAIN: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
#: Types of Syracuse's prototypes, by the letter of a field.
_TYPES: Final = {
    "s": "application/x-string",
    "i": "application/x-integer",
    "m": "application/x-choice",
    "y": "application/x-choice",
    "n": "application/x-decimal",
    "d": "application/x-date",
    "t": "application/x-datetime",
    "u": "application/x-uuid",
}


def number(text: str) -> msgspec.Raw:
    """A stored number as a JSON number; its digits never pass through a float."""
    if not _PLAIN.fullmatch(text):
        text = f"{Decimal(text):f}"
    return msgspec.Raw(text.encode())


class RowWriter:
    """Makes the JSON objects of one source's rows.

    Args:
        source: Where the rows come from.
        folder: Their folder.
        odd: What the server does beside the rules.
    """

    def __init__(self, source: Source, folder: str, odd: OddServer) -> None:
        self._odd = odd
        self._hidden = source.shape.hidden
        self._names = f"{folder}/{source.table.name}/"
        fields = source.fields
        self._numbers = {code for code, field in fields.items() if field.type == "n" and not field.size}
        self._lists = {code: field for code, field in fields.items() if field.size}
        self._template = {"$uuid": "", "$etag": ""}
        self._template |= {code: _value(field, field.empty) for code, field in fields.items()}

    def row(self, key: str, doc: dict[str, Any]) -> dict[str, Any]:
        """One row."""
        row: dict[str, Any] = {**self._template, **doc}
        for code in doc.keys() & self._numbers:
            row[code] = number(doc[code])
        for code in doc.keys() & self._lists.keys():
            row[code] = _value(self._lists[code], doc[code])
        row["$uuid"] = doc.get("AUUID") or str(uuid.uuid5(_NAMES, self._names + key))
        row["$etag"] = doc.get("UPDDATTIM", f"{NO_DATE}T00:00:00Z")
        return self._odd.row(row, self._hidden) if self._odd.oddities else row


def prototype(source: Source) -> dict[str, Any]:
    """What describes the properties of a source's rows."""
    return {code: _described(field, source.described(code)) for code, field in source.fields.items()}


def _described(field: Field, description: str) -> dict[str, Any]:
    told: dict[str, Any] = {"$type": _TYPES[field.type], "$title": description or field.name}
    return {"$type": "application/x-array", "$item": told, "$maxItems": field.size} if field.size else told


def _value(field: Field, value: Any) -> Any:
    if not field.size:
        return number(value) if field.type == "n" else value
    value = value if isinstance(value, list) else [value]
    full = [*value, *field.empty[len(value) :]]
    return [number(one) for one in full] if field.type == "n" else full
