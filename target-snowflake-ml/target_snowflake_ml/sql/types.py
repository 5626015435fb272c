"""Column kinds and Snowflake's types, both ways.

Types: https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ml_connector.load.schema import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PLAIN = {
    Kind.STRING: "VARCHAR",
    Kind.DOUBLE: "FLOAT",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP_TZ: "TIMESTAMP_TZ",
    Kind.TIMESTAMP_NTZ: "TIMESTAMP_NTZ",
    Kind.TIME: "TIME",
    Kind.VARIANT: "VARIANT",
    Kind.BINARY: "BINARY",
}
_KINDS = {
    "VARCHAR": Kind.STRING,
    "TEXT": Kind.STRING,
    "STRING": Kind.STRING,
    "FLOAT": Kind.DOUBLE,
    "DOUBLE": Kind.DOUBLE,
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "TIMESTAMP_TZ": Kind.TIMESTAMP_TZ,
    "TIMESTAMP_LTZ": Kind.TIMESTAMP_TZ,
    "TIMESTAMP_NTZ": Kind.TIMESTAMP_NTZ,
    "TIME": Kind.TIME,
    "VARIANT": Kind.VARIANT,
    "BINARY": Kind.BINARY,
}
_NUMBER = re.compile(r"(?:NUMBER|DECIMAL)(?:\((\d+),\s*(\d+)\))?$")
INTEGER_DIGITS = 38


def type_of(column: Column) -> str:
    """Snowflake's type of a column."""
    if column.kind is Kind.INTEGER:
        return f"NUMBER({INTEGER_DIGITS},0)"
    if column.kind is Kind.DECIMAL:
        return f"NUMBER({column.precision},{column.scale})"
    return _PLAIN[column.kind]


def column_of(name: str, declared: str) -> Column | None:
    """The column that a table has, from ``DESCRIBE TABLE``; None for a type that we never make."""
    text = declared.upper()
    if match := _NUMBER.match(text):
        precision, scale = int(match[1] or INTEGER_DIGITS), int(match[2] or 0)
        if scale == 0 and precision == INTEGER_DIGITS:
            return Column(name, Kind.INTEGER, precision, 0)
        return Column(name, Kind.DECIMAL, precision, scale)
    kind = _KINDS.get(text.partition("(")[0])
    return None if kind is None else Column(name, kind)


def declared_columns(rows: Iterable[Sequence[Any]]) -> dict[str, dict[str, str]]:
    """Declared types by table and column.

    Args:
        rows: Table, column, type, precision and scale, of ``INFORMATION_SCHEMA.COLUMNS``.
    """
    found: dict[str, dict[str, str]] = {}
    for table, column, kind, precision, scale in rows:
        digits = f"({int(precision)},{int(scale)})" if kind == "NUMBER" and precision is not None else ""
        found.setdefault(str(table), {})[str(column)] = f"{kind}{digits}"
    return found
