"""The audit tables. Their columns bind: other people's queries name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.sql.identifiers import quoted
from target_snowflake_ml.sql.types import column_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUNS = {
    "RUN_ID": "VARCHAR",
    "TARGET": "VARCHAR",
    "TARGET_VERSION": "VARCHAR",
    "STARTED_AT": "TIMESTAMP_TZ",
    "FINISHED_AT": "TIMESTAMP_TZ",
    "STATUS": "VARCHAR",
    "RECORDS_READ": "NUMBER(38,0)",
    "RECORDS_LOADED": "NUMBER(38,0)",
    "RECORDS_REJECTED": "NUMBER(38,0)",
    "ERROR": "VARCHAR",
}
BATCHES = {
    "BATCH_ID": "VARCHAR",
    "RUN_ID": "VARCHAR",
    "STREAM": "VARCHAR",
    "TARGET_TABLE": "VARCHAR",
    "SEQUENCE": "NUMBER(38,0)",
    "LOAD_METHOD": "VARCHAR",
    "RECORDS_READ": "NUMBER(38,0)",
    "RECORDS_LOADED": "NUMBER(38,0)",
    "RECORDS_REJECTED": "NUMBER(38,0)",
    "MIN_EXTRACTED_AT": "TIMESTAMP_TZ",
    "MAX_EXTRACTED_AT": "TIMESTAMP_TZ",
    "REPLICATION_KEY": "VARCHAR",
    "MIN_REPLICATION_VALUE": "VARCHAR",
    "MAX_REPLICATION_VALUE": "VARCHAR",
    "BYTES": "NUMBER(38,0)",
    "SHA256": "VARCHAR",
    "STATUS": "VARCHAR",
    "ATTEMPTS": "NUMBER(38,0)",
    "FIRST_ATTEMPT_AT": "TIMESTAMP_TZ",
    "LOADED_AT": "TIMESTAMP_TZ",
    "STATEMENT_IDS": "VARCHAR",
    "ERROR": "VARCHAR",
}
DEAD_LETTERS = {
    "DEAD_LETTER_ID": "VARCHAR",
    "RUN_ID": "VARCHAR",
    "BATCH_ID": "VARCHAR",
    "STREAM": "VARCHAR",
    "RECORD": "VARCHAR",
    "ERROR_KIND": "VARCHAR",
    "ERROR_PATH": "VARCHAR",
    "ERROR_MESSAGE": "VARCHAR",
    "RECEIVED_AT": "TIMESTAMP_TZ",
    "STATUS": "VARCHAR",
    "ATTEMPTS": "NUMBER(38,0)",
    "RESOLVED_AT": "TIMESTAMP_TZ",
}
WATERMARKS = {
    "STREAM": "VARCHAR",
    "SOURCE_COMPANY": "VARCHAR",
    "REPLICATION_KEY": "VARCHAR",
    "REPLICATION_VALUE": "VARCHAR",
    "STATE": "VARCHAR",
    "RUN_ID": "VARCHAR",
    "UPDATED_AT": "TIMESTAMP_TZ",
}
RECONCILIATIONS = {
    "RECONCILIATION_ID": "VARCHAR",
    "STREAM": "VARCHAR",
    "SOURCE_COMPANY": "VARCHAR",
    "PERIOD": "VARCHAR",
    "MEASURE": "VARCHAR",
    "SOURCE_VALUE": "NUMBER(38,9)",
    "WAREHOUSE_VALUE": "NUMBER(38,9)",
    "DIFFERENCE": "NUMBER(38,9)",
    "STATUS": "VARCHAR",
    "CHECKED_AT": "TIMESTAMP_TZ",
}
SCHEMAS = {
    "STREAM": "VARCHAR",
    "SCHEMA": "VARCHAR",
    "KEY_PROPERTIES": "VARCHAR",
    "SHA256": "VARCHAR",
    "RUN_ID": "VARCHAR",
    "SEEN_AT": "TIMESTAMP_TZ",
}
TABLES = {
    "RUNS": RUNS,
    "BATCHES": BATCHES,
    "DEAD_LETTERS": DEAD_LETTERS,
    "WATERMARKS": WATERMARKS,
    "RECONCILIATIONS": RECONCILIATIONS,
    "SCHEMAS": SCHEMAS,
}


def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of an audit table."""
    return tuple(column_of(name, kind) or Column(name, Kind.STRING) for name, kind in TABLES[table].items())


def create(schema: str) -> list[str]:
    """Statements that make the audit tables where they are missing.

    A dead letter's record is VARCHAR: what was rejected may not even be JSON, and must be kept as it came.
    """
    statements = [f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}"]
    for table, columns in TABLES.items():
        parts = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        statements.append(f"CREATE TABLE IF NOT EXISTS {quoted(schema, table)} ({parts})")
    return statements


def insert_once(schema: str, table: str, key: str, row: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """One row of an audit table, unless a row with its key is there: for a statement that may be repeated."""
    names = ", ".join(quoted(name) for name in row)
    marks = ", ".join(["%s"] * len(row))
    path = quoted(schema, table)
    absent = f"NOT EXISTS (SELECT 1 FROM {path} WHERE {quoted(key)} = %s)"
    return f"INSERT INTO {path} ({names}) SELECT {marks} WHERE {absent}", (*row.values(), row[key])


def insert(schema: str, table: str, rows: Sequence[Mapping[str, Any]]) -> tuple[str, tuple[Any, ...]]:
    """Rows of an audit table, all with the same columns, as a statement and its parameters."""
    names = ", ".join(quoted(name) for name in rows[0])
    marks = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * len(rows))
    values = tuple(value for row in rows for value in row.values())
    return f"INSERT INTO {quoted(schema, table)} ({names}) VALUES {marks}", values


def forget(schema: str, table: str, keys: Sequence[Mapping[str, Any]]) -> tuple[str, tuple[Any, ...]]:
    """Delete the rows of an audit table that have one of some keys."""
    each = " AND ".join(f"{quoted(name)} = %s" for name in keys[0])
    where = " OR ".join([f"({each})"] * len(keys))
    return f"DELETE FROM {quoted(schema, table)} WHERE {where}", tuple(
        v for key in keys for v in key.values()
    )


def update(schema: str, table: str, key: str, row: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """Change one row of an audit table; ``row`` holds its key too."""
    changes = {name: value for name, value in row.items() if name != key}
    sets = ", ".join(f"{quoted(name)} = %s" for name in changes)
    return f"UPDATE {quoted(schema, table)} SET {sets} WHERE {quoted(key)} = %s", (
        *changes.values(),
        row[key],
    )


def loaded(schema: str, batch_id: str) -> tuple[str, tuple[Any, ...]]:
    """Ask whether a batch is in the warehouse already."""
    here = """"BATCH_ID" = %s AND "STATUS" IN ('loaded', 'replayed')"""
    return f"SELECT COUNT(*) FROM {quoted(schema, 'BATCHES')} WHERE {here}", (batch_id,)


def newest_schemas(schema: str) -> str:
    """Ask for the schema that each stream was loaded with last."""
    return (
        f'SELECT "STREAM", "SCHEMA", "KEY_PROPERTIES", "SHA256" FROM {quoted(schema, "SCHEMAS")}'
        ' QUALIFY ROW_NUMBER() OVER (PARTITION BY "STREAM" ORDER BY "SEEN_AT" DESC) = 1'
    )
