"""Snowflake's types: what a declaration means, and how DuckDB stores it.

https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from erp_sandbox.snowflake.refusals import compilation

if TYPE_CHECKING:
    from collections.abc import Mapping

_Type = exp.DataType.Type
_WHOLE = {_Type.INT, _Type.BIGINT, _Type.SMALLINT, _Type.TINYINT, _Type.INT128, _Type.MEDIUMINT}
_TEXT = {_Type.VARCHAR, _Type.TEXT, _Type.NVARCHAR, _Type.CHAR, _Type.NCHAR}
_FLOAT = {_Type.FLOAT, _Type.DOUBLE}
_SEMI = {_Type.VARIANT: "VARIANT", _Type.OBJECT: "OBJECT", _Type.ARRAY: "ARRAY", _Type.STRUCT: "OBJECT"}
_MOMENTS = {
    _Type.TIME: "TIME",
    _Type.TIMESTAMPNTZ: "TIMESTAMP_NTZ",
    _Type.TIMESTAMPTZ: "TIMESTAMP_TZ",
    _Type.TIMESTAMPLTZ: "TIMESTAMP_LTZ",
    _Type.DATETIME: "TIMESTAMP_NTZ",
}
_STORED = {
    "VARCHAR": "VARCHAR",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "TIMESTAMP_TZ": "TIMESTAMPTZ",
    "TIMESTAMP_LTZ": "TIMESTAMPTZ",
    "BINARY": "BLOB",
    "VARIANT": "JSON",
    "OBJECT": "JSON",
    "ARRAY": "JSON",
}


def declared(kind: exp.DataType, parameters: Mapping[str, str]) -> str:  # noqa: C901, PLR0911 - a table of types
    """A declared type in full, as DESCRIBE TABLE shows it.

    Args:
        kind: The type as it was written.
        parameters: The session's parameters: TIMESTAMP_TYPE_MAPPING says what a bare TIMESTAMP is.

    Raises:
        Refusal: If a size is not allowed, 002079 (inferred).
        NotImplementedError: For types that the sandbox does not have.
    """
    sizes = [int(each.name) for each in kind.expressions if each.name.isdigit()]
    if kind.this == _Type.DECIMAL:
        precision, scale = [*sizes, *(38, 0)[len(sizes) :]]
        if not 1 <= precision <= 38 or not 0 <= scale <= min(precision, 37):  # noqa: PLR2004
            raise compilation("002079", "42601", f"Invalid data type [NUMBER({precision},{scale})].")
        return f"NUMBER({precision},{scale})"
    if kind.this in _WHOLE:
        return "NUMBER(38,0)"
    if kind.this in _TEXT:
        fixed = kind.this in {_Type.CHAR, _Type.NCHAR}
        return f"VARCHAR({sizes[0] if sizes else 1 if fixed else 16777216})"
    if kind.this in _FLOAT:
        return "FLOAT"
    if kind.this in {_Type.BINARY, _Type.VARBINARY}:
        return f"BINARY({sizes[0] if sizes else 8388608})"
    if kind.this in _SEMI:
        return _SEMI[kind.this]
    if kind.this in {_Type.BOOLEAN, _Type.DATE}:
        return str(kind.this.value)
    digits = sizes[0] if sizes else 9
    if kind.this in {_Type.TIMESTAMP, _Type.TIMESTAMPNTZ} and not str(kind.sql("snowflake")).endswith("NTZ"):
        return f"{parameters.get('TIMESTAMP_TYPE_MAPPING', 'TIMESTAMP_NTZ').upper()}({digits})"
    if kind.this in _MOMENTS:
        return f"{_MOMENTS[kind.this]}({digits})"
    raise NotImplementedError(f"The type {kind.sql(dialect='snowflake')}")


def stored(kind: str) -> str:
    """DuckDB's type of a declared one."""
    word, _, size = kind.partition("(")
    return f"DECIMAL({size}" if word == "NUMBER" else _STORED[word]
