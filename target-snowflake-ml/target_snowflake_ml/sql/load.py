"""From a staged Parquet file to the table: pure functions from names to statements.

COPY options: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.sql.identifiers import literal, quoted
from target_snowflake_ml.sql.types import type_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_snowflake_ml.sql.table import Table

STAGE = "ML_CONNECTOR_STAGE"


def staged_type(column: Column) -> str:
    """Type in the temporary table: nested values come as their JSON text and are parsed on the way in."""
    return "VARCHAR" if column.kind is Kind.VARIANT else type_of(column)


def create_staged(name: str, columns: Sequence[Column], *, temporary: bool = True) -> str:
    """The table that takes one batch, in the current schema.

    Args:
        name: Its name.
        columns: Its columns.
        temporary: Whether it ends with the session; if not, it is transient and has to be dropped.
    """
    parts = ", ".join(f"{quoted(column.name)} {staged_type(column)}" for column in columns)
    return f"CREATE OR REPLACE {'TEMPORARY' if temporary else 'TRANSIENT'} TABLE {quoted(name)} ({parts})"


def create_stage(schema: str) -> str:
    """The stage that files pass through, where it is missing."""
    return f"CREATE STAGE IF NOT EXISTS {quoted(schema, STAGE)}"


def put(path: str, schema: str) -> str:
    """Upload one local file to the schema's stage, under its own name."""
    return (
        f"PUT {literal('file://' + path)} @{quoted(schema, STAGE)}"
        " AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE OVERWRITE = TRUE"
    )


def copy(schema: str, name: str, file: str) -> str:
    """Copy one staged file into a temporary table.

    Logical types and binary columns are spelled out, as their defaults differ between Snowflake's scanners.
    The file leaves the stage once it is copied; the spool still has it.
    """
    return (
        f"COPY INTO {quoted(name)} FROM @{quoted(schema, STAGE)}/{file}"
        " FILE_FORMAT = (TYPE = PARQUET USE_VECTORIZED_SCANNER = TRUE USE_LOGICAL_TYPE = TRUE"
        " BINARY_AS_TEXT = FALSE)"
        " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE ON_ERROR = ABORT_STATEMENT PURGE = TRUE"
    )


def move(into: str, staged: str, names: Sequence[str]) -> str:
    """Append the rows of a temporary table as they are."""
    columns = ", ".join(map(quoted, names))
    return f"INSERT INTO {into} ({columns}) SELECT {columns} FROM {quoted(staged)}"


def tables(schema: str) -> tuple[str, tuple[str, ...]]:
    """Ask for every column of every table of a schema."""
    wanted = "TABLE_NAME, COLUMN_NAME, DATA_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE"
    return f"SELECT {wanted} FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = %s", (schema,)


def value(column: Column, settled: Column) -> str:
    """A staged value as the table's type; the staged table holds a VARIANT as its JSON text."""
    name = quoted(column.name)
    return f"PARSE_JSON({name})" if column.kind is Kind.VARIANT else _cast(name, column, settled)


def _cast(value: str, has: Column, wanted: Column) -> str:
    if type_of(wanted) == type_of(has):
        return value
    if wanted.kind is Kind.VARIANT:
        return f"TO_VARIANT({value})"
    return f"CAST({value} AS {type_of(wanted)})"


def rows(table: Table, staged: str, settled: Mapping[str, Column], *, latest_only: bool) -> str:
    """The batch's rows with the table's types; with ``latest_only`` the last one of each key."""
    values = ", ".join(
        f"{value(column, settled[column.name])} AS {quoted(column.name)}" for column in table.columns
    )
    last = ""
    if latest_only:
        keys = ", ".join(map(quoted, table.keys))
        last = f' QUALIFY ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY "_SDC_SEQUENCE" DESC) = 1'
    return f"SELECT {values} FROM {quoted(staged)}{last}"


def insert(table: Table, staged: str, settled: Mapping[str, Column]) -> list[str]:
    """Append every row."""
    names = ", ".join(quoted(column.name) for column in table.columns)
    return [f"INSERT INTO {table.path} ({names}) {rows(table, staged, settled, latest_only=False)}"]


def merge(
    table: Table, staged: str, settled: Mapping[str, Column], *, hard_delete: bool, newer_only: bool = False
) -> list[str]:
    """One row a key, the last one wins; with ``newer_only`` a row that came later stays as it is."""
    names = [quoted(column.name) for column in table.columns]
    keys = set(map(quoted, table.keys))
    on = " AND ".join(f"t.{key} = s.{key}" for key in map(quoted, table.keys))
    updates = ", ".join(f"{name} = s.{name}" for name in names if name not in keys)
    gone = 's."_SDC_DELETED_AT" IS NOT NULL'
    if newer_only:
        on_matched = ' AND (t."_SDC_SEQUENCE" IS NULL OR t."_SDC_SEQUENCE" < s."_SDC_SEQUENCE")'
    else:
        on_matched = ""
    return [
        f"MERGE INTO {table.path} t USING ({rows(table, staged, settled, latest_only=True)}) s ON {on}"
        + (f" WHEN MATCHED AND {gone}{on_matched} THEN DELETE" if hard_delete else "")
        + f" WHEN MATCHED{on_matched} THEN UPDATE SET {updates}"
        + f" WHEN NOT MATCHED{f' AND NOT ({gone})' if hard_delete else ''} THEN"
        + f" INSERT ({', '.join(names)}) VALUES ({', '.join(f's.{name}' for name in names)})",
    ]


def replace(
    table: Table, arriving: str, arrived: Mapping[str, Column], settled: Mapping[str, Column]
) -> list[str]:
    """Put what arrived in place of the whole content; readers see the old rows until the commit.

    Args:
        table: The table.
        arriving: The table, in the same schema, that holds what arrived.
        arrived: Its columns.
        settled: The columns of the table, which may be wider.
    """
    names = [column.name for column in table.columns]
    columns = ", ".join(map(quoted, names))
    values = ", ".join(_cast(quoted(name), arrived[name], settled[name]) for name in names)
    return [
        f"DELETE FROM {table.path}",
        f"INSERT INTO {table.path} ({columns}) SELECT {values} FROM {quoted(table.schema, arriving)}",
    ]


def retire(table: Table, version: int, *, hard_delete: bool) -> str:
    """Mark or remove what the newest full read did not bring."""
    older = f'("_SDC_TABLE_VERSION" IS NULL OR "_SDC_TABLE_VERSION" < {int(version)})'
    if hard_delete:
        return f"DELETE FROM {table.path} WHERE {older}"
    return (
        f'UPDATE {table.path} SET "_SDC_DELETED_AT" = CURRENT_TIMESTAMP()'
        f' WHERE {older} AND "_SDC_DELETED_AT" IS NULL'
    )
