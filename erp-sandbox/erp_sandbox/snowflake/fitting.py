"""How a value gets into a column: what Snowflake coerces, and what it refuses.

https://docs.snowflake.com/en/sql-reference/data-type-conversion#data-types-that-can-be-cast
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from erp_sandbox.snowflake.catalog import Column, declared
from erp_sandbox.snowflake.kinds import stored
from erp_sandbox.snowflake.refusals import Refusal, compilation

if TYPE_CHECKING:
    from erp_sandbox.snowflake.functions import Functions

_SEMI = {"VARIANT", "OBJECT", "ARRAY"}
_MOMENTS = {"DATE", "TIME", "TIMESTAMP_NTZ", "TIMESTAMP_TZ", "TIMESTAMP_LTZ"}
_FROM = {
    "DATE": {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
    "TIME": {"TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
    "TIMESTAMP_NTZ": {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
    "TIMESTAMP_TZ": {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
    "TIMESTAMP_LTZ": {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
}
_NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "BIGINT", "INTEGER", "HUGEINT", "SMALLINT", "TINYINT", "UBIGINT")


def fitted(functions: Functions, source: str, column: Column, value: str) -> str:  # noqa: C901, PLR0911
    """The expression that brings a value into a column, or raises.

    Args:
        functions: The session's conversions.
        source: DuckDB's type of the value.
        column: The column.
        value: The value, an expression of DuckDB's.

    Raises:
        Refusal: If a value of this type never fits, 002023.
    """
    kind = column.kind
    if source == '"NULL"':
        return f"CAST({value} AS {column.stored})"
    if kind in _SEMI:
        if source != "JSON" and not source.endswith("[]") and not source.startswith(("STRUCT", "MAP")):
            raise mismatch(source, column)
        return value if source == "JSON" else f"CAST({value} AS JSON)"
    if source == "JSON":
        source, value = "VARCHAR", f"json_unquoted({value})"
    if source == "VARCHAR":
        return _of_text(functions, column, value)
    if kind == "VARCHAR":
        return f"{functions.fits(column.size[0])}({functions.text()}({value}))"
    if kind == "BINARY":
        if source != "BLOB":
            raise mismatch(source, column)
        return f"{functions.fits_binary(column.size[0])}({value})"
    if kind == "NUMBER" and source.startswith(_NUMBERS):
        precision, scale = column.size
        return f"{functions.fits_number(precision, scale)}({value})"
    if kind in _MOMENTS and source not in _FROM[kind]:
        raise mismatch(source, column)
    return f"CAST({value} AS {column.stored})"


def mismatch(source: str, column: Column) -> Refusal:
    """A value whose type is no column's."""
    return compilation(
        "002023",
        "22000",
        f"Expression type does not match column data type, expecting {column.declared}"
        f" but got {declared(source)} for column {column.name}",
    )


def _of_text(functions: Functions, column: Column, value: str) -> str:  # noqa: PLR0911 - a table of types
    kind, size = column.kind, column.size
    if kind == "VARCHAR":
        return f"{functions.fits(size[0])}({value})"
    if kind == "NUMBER":
        return f"{functions.number(size[0], size[1])}({value})"
    if kind == "FLOAT":
        return f"{functions.double()}({value})"
    if kind == "BOOLEAN":
        return f"{functions.boolean()}({value})"
    if kind == "BINARY":
        return f"{functions.fits_binary(size[0])}({functions.binary()}({value}))"
    if kind in _MOMENTS:
        return f"{functions.moment(f'TO_{kind}')}({value})"
    return f"CAST({value} AS {stored(column.declared)})"
