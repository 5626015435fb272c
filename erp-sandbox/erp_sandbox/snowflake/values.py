"""Values as the SQL API writes them: every one a text.

Formats: https://docs.snowflake.com/en/developer-guide/sql-api/submitting-requests (bindings) and
https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses (results).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - seconds are counted from it in any zone
_DAY_MS = 86_400_000
_UTC_OFFSET = 1_440
_SECOND_NS = 1_000_000_000


class BindingError(Exception):
    """A binding that Snowflake cannot read."""


def checked(bindings: Any) -> None:
    """See that bindings have the documented form: a type and one text, or null, for each placeholder.

    Arrays are an affair between Snowflake and its own drivers; what the page gives for a value is a string.
    https://docs.snowflake.com/en/developer-guide/sql-api/submitting-requests

    Raises:
        BindingError: If they have not.
    """
    if not isinstance(bindings, dict):
        raise BindingError("The bindings must be an object.")
    for place, each in bindings.items():
        if not isinstance(each, dict) or not isinstance(each.get("type"), str):
            raise BindingError(f"Binding {place} has no type.")
        if each["type"].upper() not in _READERS:
            raise BindingError(f"Binding {place} has the unknown type {each['type']}.")
        if not isinstance(each.get("value"), str | None):
            kind = "an array" if isinstance(each["value"], list) else type(each["value"]).__name__
            raise BindingError(f"The value of binding {place} must be a string, not {kind}.")


def parameters(bindings: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """One value a placeholder.

    Raises:
        BindingError: If the placeholders are not numbered from 1, or a value does not fit its type.
    """
    return [_read(str(each.get("type")).upper(), each.get("value")) for each in _in_order(bindings)]


def rows(rowtype: Sequence[Mapping[str, Any]], table: pa.Table | None) -> list[list[str | None]]:
    """A result's rows as texts."""
    if table is None:
        return []
    writers = [_WRITERS.get(str(column["type"]).lower(), _text) for column in rowtype]
    lists = [
        [None if value is None else write(value) for value in column.to_pylist()]
        for write, column in zip(writers, table.columns, strict=True)
    ]
    return [list(row) for row in zip(*lists, strict=True)]


def _in_order(bindings: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    try:
        return [bindings[str(place)] for place in range(1, len(bindings) + 1)]
    except KeyError as error:
        raise BindingError(f"Bind variable {error} not set.") from error


def _read(kind: str, value: Any) -> Any:
    if value is None:
        return None
    try:
        return _READERS[kind](str(value))
    except (KeyError, ValueError, ArithmeticError) as error:
        raise BindingError(f"Value {value!r} cannot be bound as {kind}.") from error


def _moment(text: str) -> datetime:
    return _EPOCH + timedelta(microseconds=int(text) // 1_000)


def _zoned(text: str) -> datetime:
    moment, _, zone = text.partition(" ")
    offset = timedelta(minutes=int(zone or _UTC_OFFSET) - _UTC_OFFSET)
    return _moment(moment).replace(tzinfo=timezone.utc).astimezone(timezone(offset))


def _number(text: str) -> Decimal:
    return Decimal(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "TEXT": str,
    "FIXED": _number,
    "REAL": float,
    "BOOLEAN": lambda text: {"true": True, "false": False, "1": True, "0": False}[text.lower()],
    "DATE": lambda text: (_EPOCH + timedelta(days=int(text) // _DAY_MS)).date(),
    "TIME": lambda text: _moment(text).time(),
    "TIMESTAMP_NTZ": _moment,
    "TIMESTAMP_LTZ": _zoned,
    "TIMESTAMP_TZ": _zoned,
    "BINARY": bytes.fromhex,
}


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _seconds(moment: datetime) -> str:
    passed = moment.replace(tzinfo=None) - _EPOCH
    nanos = (passed.days * 86_400 + passed.seconds) * _SECOND_NS + passed.microseconds * 1_000
    sign = "-" if nanos < 0 else ""
    return f"{sign}{abs(nanos) // _SECOND_NS}.{abs(nanos) % _SECOND_NS:09d}"


def _of_day(value: time) -> str:
    return _seconds(datetime.combine(_EPOCH.date(), value))


def _with_zone(value: datetime) -> str:
    """The session's zone is UTC, and so is what fakesnow stores."""
    moment = value.astimezone(timezone.utc) if value.tzinfo else value
    return f"{_seconds(moment)} {_UTC_OFFSET}"


def _days(value: date) -> str:
    return str((value - _EPOCH.date()).days)


_WRITERS: dict[str, Callable[[Any], str]] = {
    "boolean": lambda value: str(value).lower(),
    "real": repr,
    "date": _days,
    "time": _of_day,
    "timestamp_ntz": _seconds,
    "timestamp_tz": _with_zone,
    "binary": lambda value: value.hex().upper(),
}
