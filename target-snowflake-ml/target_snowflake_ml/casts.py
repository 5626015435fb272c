"""Snowflake's types, and values of them read from their exact texts.

Types: https://docs.snowflake.com/en/sql-reference/intro-summary-data-types. Formats of dates and times:
https://docs.snowflake.com/en/sql-reference/date-time-input-output#about-the-elements-used-in-input-and-output-formats
"""

from __future__ import annotations

from ml_connector.load.schema import Column, Kind

INTEGER_DIGITS = 38

TYPES = {
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
_READ = {
    Kind.STRING: "{}",
    Kind.DOUBLE: "TO_DOUBLE({})",
    Kind.BOOLEAN: "TO_BOOLEAN({})",
    Kind.DATE: "TO_DATE({}, 'YYYY-MM-DD')",
    Kind.TIMESTAMP_TZ: "TO_TIMESTAMP_TZ({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM')",
    Kind.TIMESTAMP_NTZ: "TO_TIMESTAMP_NTZ({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')",
    Kind.TIME: "TO_TIME({}, 'HH24:MI:SS.FF9')",
    # of two members of one name the last one wins; without 'd' the whole statement fails (100069)
    Kind.VARIANT: "PARSE_JSON({}, 'd')",
    Kind.BINARY: "TO_BINARY({}, 'HEX')",
}


def type_of(column: Column) -> str:
    """Snowflake's type of a column."""
    if column.kind is Kind.INTEGER:
        return f"NUMBER({INTEGER_DIGITS},0)"
    if column.kind is Kind.DECIMAL:
        return f"NUMBER({column.precision},{column.scale})"
    return TYPES[column.kind]


def text_to_column(column: Column, expression: str) -> str:
    """An expression of a column's type, of its exact text; see :mod:`ml_connector.load.json_rows`."""
    if column.kind is Kind.INTEGER:
        return f"TO_NUMBER({expression}, {INTEGER_DIGITS}, 0)"
    if column.kind is Kind.DECIMAL:
        return f"TO_NUMBER({expression}, {column.precision}, {column.scale})"
    return _READ[column.kind].format(expression)
