"""Values on their way to Snowflake's SQL API and back, as texts.

Formats: https://docs.snowflake.com/en/developer-guide/sql-api/submitting-requests (bindings) and
https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses (results).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.sql.identifiers import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MARK = "%s"
_EPOCH = date(1970, 1, 1)
_MICROSECOND = 1_000
_DAY_MS = 86_400_000
_UTC_OFFSET = 1_440
"""Zones are minutes east of UTC, plus a day's."""

_BOUND = {
    Kind.STRING: "TEXT",
    Kind.INTEGER: "FIXED",
    Kind.DECIMAL: "FIXED",
    Kind.DOUBLE: "REAL",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP_TZ: "TIMESTAMP_TZ",
    Kind.TIMESTAMP_NTZ: "TIMESTAMP_NTZ",
    Kind.TIME: "TIME",
    Kind.VARIANT: "TEXT",
    Kind.BINARY: "BINARY",
}


def bound(sql: str, parameters: Sequence[Any]) -> tuple[str, dict[str, dict[str, Any]]]:
    """A statement with ``?`` for its parameters, and the parameters as bindings."""
    bindings = {str(place): _binding(value) for place, value in enumerate(parameters, 1)}
    return (sql.replace(MARK, "?") if parameters else sql), bindings


def inlined(sql: str, parameters: Sequence[Any]) -> str:
    """A statement with its parameters as literals: a request of several statements takes no bindings."""
    if not parameters:
        return sql
    pieces = sql.split(MARK)
    if len(pieces) != len(parameters) + 1:
        raise ValueError(f"{len(parameters)} parameters for: {sql}")
    return "".join(chain.from_iterable(zip(pieces, [*map(_literal, parameters), ""], strict=True)))


def column_binding(column: Column, values: pa.Array) -> dict[str, Any]:
    """A column of many rows as one binding.

    Args:
        column: The column.
        values: Its values, as the spool's Parquet files have them.
    """
    return {"type": _BOUND[column.kind], "value": _TEXTS.get(column.kind, _as_text)(values)}


def decoded(described: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """A result's rows as Python values, those that the connector would give.

    Args:
        described: ``resultSetMetaData.rowType``.
        rows: ``data``: each value a text, or None.
    """
    readers = [_reader(column) for column in described]
    return [
        tuple(None if value is None else read(value) for read, value in zip(readers, row, strict=True))
        for row in rows
    ]


def _binding(value: Any) -> dict[str, Any]:
    if value is None:
        return {"type": "TEXT", "value": None}
    if isinstance(value, bool):
        return {"type": "BOOLEAN", "value": str(value).lower()}
    if isinstance(value, (int, Decimal)):
        return {"type": "FIXED", "value": f"{value:f}" if isinstance(value, Decimal) else str(value)}
    return {"type": "TEXT", "value": _text(value)}


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return literal(_text(value))


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, datetime, time)) else str(value)


def _as_text(values: pa.Array) -> list[Any]:
    found: list[Any] = values.to_pylist()
    return found


def _each(write: Callable[[Any], str], of: pa.DataType | None = None) -> Callable[[pa.Array], list[Any]]:
    def texts(values: pa.Array) -> list[Any]:
        plain = values.cast(of) if of is not None else values
        return [None if value is None else write(value) for value in plain.to_pylist()]

    return texts


def _exact(value: int | Decimal) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _moments(values: pa.Array) -> list[Any]:
    return _each(lambda us: str(us * _MICROSECOND), pa.int64())(values)


def _zoned(values: pa.Array) -> list[Any]:
    return _each(lambda us: f"{us * _MICROSECOND} {_UTC_OFFSET}", pa.int64())(values)


_TEXTS: dict[Kind, Callable[[pa.Array], list[Any]]] = {
    Kind.INTEGER: _each(_exact),
    Kind.DECIMAL: _each(_exact),
    Kind.DOUBLE: _each(repr),
    Kind.BOOLEAN: _each(lambda value: str(value).lower()),
    Kind.DATE: _each(lambda days: str(days * _DAY_MS), pa.int32()),
    Kind.TIMESTAMP_TZ: _zoned,
    Kind.TIMESTAMP_NTZ: _moments,
    Kind.TIME: _moments,
    Kind.BINARY: _each(lambda value: value.hex()),
}


def _reader(column: Mapping[str, Any]) -> Callable[[str], Any]:
    kind = str(column.get("type")).lower()
    if kind == "fixed":
        return Decimal if column.get("scale") else int
    return _READERS.get(kind, str)


def _seconds(text: str) -> timedelta:
    whole, _, fraction = text.partition(".")
    micros = int(f"{fraction:0<6}"[:6])
    return timedelta(seconds=int(whole), microseconds=-micros if whole.startswith("-") else micros)


def _naive(text: str) -> datetime:
    return datetime(1970, 1, 1) + _seconds(text)  # noqa: DTZ001 - it has no zone


def _aware(text: str) -> datetime:
    seconds, _, zone = text.partition(" ")
    offset = timedelta(minutes=int(zone or _UTC_OFFSET) - _UTC_OFFSET)
    return (datetime(1970, 1, 1, tzinfo=timezone.utc) + _seconds(seconds)).astimezone(timezone(offset))


_READERS: dict[str, Callable[[str], Any]] = {
    "real": float,
    "boolean": lambda text: text.lower() in {"true", "1"},
    "date": lambda text: _EPOCH + timedelta(days=int(text)),
    "time": lambda text: _naive(text).time(),
    "timestamp_ntz": _naive,
    "timestamp_ltz": _aware,
    "timestamp_tz": _aware,
    "binary": bytes.fromhex,
}
