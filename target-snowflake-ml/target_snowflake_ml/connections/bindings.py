"""Values on their way to Snowflake's SQL API and back, as texts.

Formats: https://docs.snowflake.com/en/developer-guide/sql-api/submitting-requests (bindings) and
https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses (results). Only scalars are bound, as
the first of these pages knows nothing else.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MARK = "?"
_EPOCH = date(1970, 1, 1)
_UTC_OFFSET = 1_440
"""Zones are minutes east of UTC, plus a day's."""

_TOKEN = re.compile(
    r"""
    '(?:[^'\\]|\\.|'')*'       # a text, in which a backslash escapes and a quote is doubled
    | \$\$.*?\$\$              # a text between dollars
    | "(?:[^"]|"")*"           # a quoted identifier
    | --[^\n]*                 # a comment
    | /\*.*?\*/
    | \?                       # a placeholder
    """,
    re.DOTALL | re.VERBOSE,
)
"""What a statement must be read for to tell a placeholder from a question mark in a text or a name.

https://docs.snowflake.com/en/sql-reference/data-types-text#string-constants
"""


def bound(parameters: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Parameters as bindings of a request, by their places from 1."""
    return {str(place): _binding(value) for place, value in enumerate(parameters, 1)}


def inlined(sql: str, parameters: Sequence[Any]) -> str:
    """A statement with its parameters as literals: a request of several statements takes no bindings.

    Raises:
        ValueError: If there are more or fewer placeholders than parameters, which is an error of the program.
    """
    if not parameters:
        return sql
    pieces: list[str] = []
    left = iter(parameters)
    end = count = 0
    for found in _TOKEN.finditer(sql):
        if found.group() == MARK:
            count += 1
            if count <= len(parameters):
                pieces += (sql[end : found.start()], literal(next(left)))
                end = found.end()
    if count != len(parameters):
        raise ValueError(f"{len(parameters)} parameters for {count} placeholders in: {sql}")
    return "".join((*pieces, sql[end:]))


def quoted_names(sql: str) -> Iterator[str]:
    """The quoted identifiers of a statement, without their quotes."""
    return (found.group()[1:-1] for found in _TOKEN.finditer(sql) if found.group().startswith('"'))


def literal(value: Any) -> str:
    """Write a parameter as a literal; Snowflake reads backslashes as escapes in texts."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


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
    if isinstance(value, int):
        return {"type": "FIXED", "value": str(value)}
    return {"type": "TEXT", "value": str(value)}


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
