"""From the gateway's texts to values: numbers exact, dates ISO, nothing as null (reference section 2.4)."""

from __future__ import annotations

import re
from datetime import datetime, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from ml_connector.extract.digits import decimal_of
from ml_connector.extract.errors import InvalidSetting
from ml_connector.extract.rows import memorised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml_connector.extract.source import Converter

_DATE = re.compile(r"(\d\d)/(\d\d)/(\d{4})$")
_TIMESTAMP = re.compile(r"(\d\d?)/(\d\d?)/(\d{4})(?: (\d\d?):(\d\d):(\d\d)(?: ?([AP])M)?)?$", re.IGNORECASE)
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?$", re.ASCII)
_MONTHS, _DAYS, _NOON = 12, 31, 12
_TRUE, _FALSE = frozenset({"true", "t", "1"}), frozenset({"false", "f", "0"})


def converter(described: Mapping[str, Any], zone: tzinfo) -> Converter:
    """How a column of texts becomes a column of values.

    What is not in the notation of its type stays the text that it is: the target keeps such a record with its
    reason, where a null would lose it. An empty element is null.

    Args:
        described: The column's schema.
        zone: The zone of the user's timestamps, the setting `timezone`.
    """
    types = described.get("type") or ()
    kinds = {types} if isinstance(types, str) else set(types)
    if "integer" in kinds:
        return _integers
    if "number" in kinds:
        return memorised(_or_none(_number))
    if "boolean" in kinds:
        return memorised(_or_none(_boolean))
    if described.get("format") == "date":
        return memorised(_or_none(_date))
    if described.get("format") == "date-time":
        return memorised(_or_none(_timestamps(zone)))
    return _texts


def _texts(values: list[Any]) -> list[Any]:
    return values


def _or_none(convert: Callable[[str], Any]) -> Callable[[Any], Any]:
    def value(text: Any) -> Any:
        return convert(text) if isinstance(text, str) else text

    return value


def _integers(values: list[Any]) -> list[Any]:
    try:
        return list(map(int, values))
    except (TypeError, ValueError):  # an empty one among them
        return _integers_one_by_one(values)


def _integer(text: str) -> Any:
    """INTEGER fields have held decimal text: a whole one is a whole number."""
    try:
        return int(text)
    except ValueError:
        found = decimal_of(text)
        whole = isinstance(found, Decimal) and found == found.to_integral_value()
        return int(found) if whole else found


_integers_one_by_one = memorised(_or_none(_integer))


def _number(text: str) -> Any:
    """A number keeps its digits as they are; one that JSON would write otherwise becomes a decimal."""
    return msgspec.Raw(text.encode()) if _JSON_NUMBER.match(text) else decimal_of(text)


def _boolean(text: str) -> Any:
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else text


def _date(text: str) -> str:
    match = _DATE.match(text.strip().split(" ")[0])
    if match is None:
        return text
    _month_first(text, int(match[1]), int(match[2]))
    return f"{match[3]}-{match[1]}-{match[2]}"


def _month_first(text: str, month: int, day: int) -> None:
    """A date that is possible with its day first only settles the notation: all others would be misread.

    Raises:
        InvalidSetting: It is such a date.
    """
    if _MONTHS < month <= _DAYS and day <= _MONTHS:
        raise InvalidSetting(
            f"The gateway writes {text}: the user's dates have the day before the month, and others would be"
            " misread. Set the user's preferences in Intacct to mm/dd/yyyy, 24 hours and the time zone that"
            " the setting timezone names."
        )


def _timestamps(zone: tzinfo) -> Callable[[str], str]:
    """Timestamps in UTC; one may come as a bare date, or with AM and PM."""

    def read(text: str) -> str:
        match = _TIMESTAMP.match(text.strip())
        if match is None:
            return text
        month, day, year, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        _month_first(text, month, day)
        if match[7]:
            hour = hour % _NOON + (_NOON if match[7] in "Pp" else 0)
        try:
            found = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            return text
        if zone is timezone.utc:
            return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        return found.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    return read
