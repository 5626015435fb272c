"""From what the Web API sends to the values of the streams: exact numbers, days, no dates that mean nothing.

Every date of the Web API's models is a day, sent as `2019-06-13T00:00:00Z`, and a blank one is null; only
time-of-day fields, `TimeValue` of optional fields, mean the rest of the text (recorded answers of AP, of
2023 and later; `0001-01-01` is .NET's empty date, which older servers send for a blank one). Some servers
send numbers as text (`IEEE754Compatible=true` of OData's JSON format).

What is not of its column's type stays as it came: the target keeps such a record with its reason, where a
null or half a value would lose it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

import msgspec
from ml_connector.extract.digits import decimal_of, decode_exactly
from ml_connector.extract.rows import each, memorised, numbers
from ml_connector.extract.source import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml_connector.extract.source import Converter

_SECRET: Final = re.compile(r"password|passwd|passphrase", re.IGNORECASE)
_WRITE_ONLY: Final = "UpdateOperation"
_TEXTS: Final = frozenset({str, NoneType, msgspec.UnsetType})
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:\d\d)?)?")
_LENGTH: Final = len("2026-01-31")
_MIDNIGHT: Final = "T00:00:00Z"
_BLANK: Final = "0001-01-01"


def leaves_the_erp(name: str) -> bool:
    """Tell whether a property may be emitted at all.

    Args:
        name: The ERP's property name, at any depth of a record.

    Returns:
        False for passwords, and for `UpdateOperation`, which only means something in writes.
    """
    return name != _WRITE_ONLY and not _SECRET.search(name)


def converter(described: Mapping[str, Any]) -> Converter:  # noqa: PLR0911 - one line a kind
    """How a column is converted.

    Args:
        described: Its JSON schema.
    """
    types = described.get("type") or ()
    kinds = {types} if isinstance(types, str) else set(types)
    if "number" in kinds:
        return numbers(number)
    if "integer" in kinds:
        return numbers(whole, whole=True)
    if kinds & {"array", "object"}:
        return each(cleaned)
    if "boolean" in kinds:
        return each(plain)
    if described.get("format") == "date":
        return memorised(day)
    if described.get("format") == "date-time":
        return memorised(moment)
    return _texts


def _texts(values: list[Any]) -> list[Any]:
    if isinstance(values, Texts) or set(map(type, values)) <= _TEXTS:
        return values
    return [value if value is msgspec.UNSET else text(value) for value in values]


def plain(value: Any) -> Any:
    """A value without its wrapping as text."""
    return decode_exactly(value) if isinstance(value, msgspec.Raw) else value


def text(value: Any) -> Any:
    """A text, also one that came as a number."""
    value = plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, Decimal)) else value


def number(value: Any) -> Any:
    """A decimal, also one that came as text."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    return decimal_of(value)


def whole(value: Any) -> Any:
    """A whole number, also one that came as text or with a decimal point."""
    found = number(value)
    return int(found) if isinstance(found, Decimal) and found == found.to_integral_value() else found


def day(value: Any) -> Any:
    """A day: `2019-06-13`; None for a blank."""
    if not isinstance(value, str):
        return value
    if value[_LENGTH:] == _MIDNIGHT:
        found = value[:_LENGTH]
    elif not value.strip():
        return None
    elif (match := _DAY.fullmatch(value)) is not None:
        found = match[1]
    else:
        return value
    return None if found == _BLANK else found


def moment(value: Any) -> Any:
    """A moment as it came; None for a blank."""
    if isinstance(value, str) and (not value.strip() or value.startswith(_BLANK)):
        return None
    return value


def cleaned(value: Any) -> Any:
    """Copy a value without what must not leave the ERP.

    Args:
        value: Any JSON value.

    Returns:
        The value; objects at every depth lack passwords and `UpdateOperation`.
    """
    if isinstance(value, dict):
        return {name: cleaned(item) for name, item in value.items() if leaves_the_erp(name)}
    return [cleaned(item) for item in value] if isinstance(value, list) else value
