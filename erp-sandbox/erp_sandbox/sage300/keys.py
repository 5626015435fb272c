"""Keys as they stand in an address: ``('1200')``, ``(66)``, ``(BatchRecordType='CA', BatchNumber=65)``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sage300.errors import ApiError
from erp_sandbox.sage300.model import INTEGER_TYPES

if TYPE_CHECKING:
    from erp_sandbox.sage300.model import EntitySet, Property

_PART: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)\s*=\s*)?(?:'(?P<quoted>(?:[^']|'')*)'|(?P<bare>[^',]*))\s*"
)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_INTEGER: Final = re.compile(r"-?\d+")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")

SEPARATOR: Final = "\u0001"
#: Numbers in a sort key are padded to this width so that text order is key order.
DIGITS: Final = 20


def parse_key(entity_set: EntitySet, text: str) -> tuple[str, ...]:
    """Read the text between the parentheses.

    Positional values follow the metadata's key order; names may be given; quotes may be left out.

    Args:
        entity_set: Whose key it is.
        text: The decoded text between the parentheses.

    Returns:
        One text per key property, in metadata order.

    Raises:
        ApiError: ``InvalidEntityKey`` when the text does not fit the key.
    """
    parts = _split(entity_set, text)
    names = [name for name, _ in parts if name]
    if names and (len(names) != len(parts) or set(names) != set(entity_set.key)):
        raise _malformed(entity_set)
    if len(parts) != len(entity_set.key):
        raise _malformed(entity_set)
    values = {name: value for name, value in parts if name} if names else {}
    ordered = [values[name] for name in entity_set.key] if names else [value for _, value in parts]
    return tuple(
        _typed(entity_set, prop, value)
        for prop, value in zip(entity_set.key_properties, ordered, strict=True)
    )


def sort_key(entity_set: EntitySet, values: tuple[Any, ...]) -> str:
    """The store's order key of a record: its key parts as text, numbers zero-padded."""
    parts: list[str] = []
    for prop, value in zip(entity_set.key_properties, values, strict=True):
        numeric = prop.type in INTEGER_TYPES or prop.type == "Edm.Decimal"
        parts.append(f"{int(float(value)):0{DIGITS}d}" if numeric else str(value))
    return SEPARATOR.join(parts)


def _split(entity_set: EntitySet, text: str) -> list[tuple[str | None, str]]:
    parts: list[tuple[str | None, str]] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        if match is None or (match["quoted"] is None and not match["bare"].strip()):
            raise _malformed(entity_set)
        quoted = match["quoted"]
        parts.append(
            (match["name"], quoted.replace("''", "'") if quoted is not None else match["bare"].strip())
        )
        position = match.end()
        if position == len(text):
            return parts
        if text[position] != ",":
            raise _malformed(entity_set)
        position += 1


def _typed(entity_set: EntitySet, prop: Property, value: str) -> str:
    if prop.type in INTEGER_TYPES and not _INTEGER.fullmatch(value):
        raise _malformed(entity_set)
    if prop.type == "Edm.Decimal" and not _NUMBER.fullmatch(value):
        raise _malformed(entity_set)
    if prop.type == "Edm.DateTimeOffset":
        if not _DATE.match(value):
            raise _malformed(entity_set)
        return value if "T" in value else f"{value}T00:00:00Z"
    return value


def _malformed(entity_set: EntitySet) -> ApiError:
    wanted = ", ".join(f"{prop.name} ({prop.type})" for prop in entity_set.key_properties)
    return ApiError(
        "InvalidEntityKey", f"The entity key is malformed; {entity_set.name} is keyed by {wanted}"
    )
