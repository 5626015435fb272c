"""From the gateway's texts to values: numbers exact, dates ISO, nothing as null (reference section 2.4)."""

from __future__ import annotations

import re
from datetime import datetime, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DATE = re.compile(r"(\d\d)/(\d\d)/(\d{4})$")
_TIMESTAMP = re.compile(r"(\d\d)/(\d\d)/(\d{4})(?: (\d\d):(\d\d):(\d\d))?$")
_STAMPS = 10_000
_TRUE, _FALSE = frozenset({"true", "t", "1"}), frozenset({"false", "f", "0"})


def converters(properties: Mapping[str, Mapping[str, Any]], zone: tzinfo) -> dict[str, Callable[[str], Any]]:
    """How each column's text becomes a value.

    What is not in the notation of its type stays the text that it is: the target keeps such a record with its
    reason, where a null would lose it.

    Args:
        properties: The columns' schemas.
        zone: The zone of the user's timestamps, the setting `timezone`.
    """
    return {name: _converter(described, zone) for name, described in properties.items()}


def _converter(described: Mapping[str, Any], zone: tzinfo) -> Callable[[str], Any]:
    types = described.get("type") or ()
    kinds = {types} if isinstance(types, str) else set(types)
    if "integer" in kinds:
        return _integer
    if "number" in kinds:
        return _number
    if "boolean" in kinds:
        return _boolean
    if described.get("format") == "date":
        return _date
    if described.get("format") == "date-time":
        return _timestamps(zone)
    return str


def _integer(text: str) -> Any:
    """INTEGER fields have held decimal text: a whole one is a whole number."""
    try:
        return int(text)
    except ValueError:
        found = _number(text)
        whole = isinstance(found, Decimal) and found == found.to_integral_value()
        return int(found) if whole else found


def _number(text: str) -> Any:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return text
    return found if found.is_finite() else text


def _boolean(text: str) -> Any:
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else text


def _date(text: str) -> str:
    match = _DATE.match(text.strip().split(" ")[0])
    return f"{match[3]}-{match[1]}-{match[2]}" if match else text


def _timestamps(zone: tzinfo) -> Callable[[str], str]:
    """Timestamps in UTC; one may come as a bare date. Many records share one, which is read once."""

    @lru_cache(maxsize=_STAMPS)
    def read(text: str) -> str:
        match = _TIMESTAMP.match(text.strip())
        if match is None:
            return text
        month, day, year, hour, minute, second = (int(part or 0) for part in match.groups())
        try:
            found = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            return text
        return found.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    return read
