"""Statements that bring a Parquet file's rows into a table of their own.

COPY options: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ml_connector.load.sql.identifiers import quoted

from target_snowflake_ml.casts import text_to_column, type_of
from target_snowflake_ml.connections.bindings import literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ml_connector.load.connection import StagedFile
    from ml_connector.load.schema import Column

STAGE = "ML_CONNECTOR_STAGE"
LEFT_BEHIND = timedelta(days=1)
_STAGED = re.compile(r"ML_(?:STAGED|REJECTED)_(\d{8}T\d{6}Z)-")


def create_table(schema: str, name: str, file: StagedFile, *, temporary: bool) -> str:
    """The table that takes one file.

    Args:
        schema: Its schema.
        name: Its name; a table that an earlier attempt made under it is replaced.
        file: The file.
        temporary: Whether it ends with the session; if not, it is transient and has to be dropped. A role
            needs no CREATE TABLE on the schema for a temporary one:
            https://docs.snowflake.com/en/sql-reference/sql/create-table#access-control-requirements
    """
    parts = ", ".join(f"{quoted(column.name)} {_type(column, file.texts)}" for column in file.columns)
    lasting = "TEMPORARY" if temporary else "TRANSIENT"
    return f"CREATE OR REPLACE {lasting} TABLE {quoted(schema, name)} ({parts})"


def drop_table(schema: str, name: str) -> str:
    """Drop what :func:`create_table` made."""
    return f"DROP TABLE IF EXISTS {quoted(schema, name)}"


def create_stage(schema: str) -> str:
    """The session's own stage; a temporary one needs no CREATE STAGE on the schema.

    https://docs.snowflake.com/en/sql-reference/sql/create-stage#access-control-requirements
    """
    return f"CREATE TEMPORARY STAGE IF NOT EXISTS {quoted(schema, STAGE)}"


def put(path: str, schema: str) -> str:
    """Upload one local file to the stage, under its own name."""
    return (
        f"PUT {literal('file://' + path)} @{quoted(schema, STAGE)}"
        " AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE OVERWRITE = TRUE"
    )


def copy(schema: str, name: str, file: str) -> str:
    r"""Copy one staged file into its table.

    Logical types and binary columns are spelled out, as their defaults differ between Snowflake's scanners;
    without an empty NULL_IF the text ``\N`` would arrive as NULL. The file leaves the stage once it is
    copied; the spool still has it.
    """
    return (
        f"COPY INTO {quoted(schema, name)} FROM @{quoted(schema, STAGE)}/{file}"
        " FILE_FORMAT = (TYPE = PARQUET USE_VECTORIZED_SCANNER = TRUE USE_LOGICAL_TYPE = TRUE"
        " BINARY_AS_TEXT = FALSE NULL_IF = ())"
        " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE ON_ERROR = ABORT_STATEMENT PURGE = TRUE"
    )


def insert_text(schema: str, name: str, file: StagedFile) -> str:
    """Insert the rows of one JSON text, an array of arrays of texts, bound to its only placeholder."""
    names = ", ".join(quoted(column.name) for column in file.columns)
    values = ", ".join(
        _value(column, f"r.VALUE[{place}]::VARCHAR", file.texts) for place, column in enumerate(file.columns)
    )
    return (
        f"INSERT INTO {quoted(schema, name)} ({names})"
        f" SELECT {values} FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) r"
    )


def count(schema: str, name: str) -> str:
    """How many rows a staged table has."""
    return f"SELECT COUNT(*) FROM {quoted(schema, name)}"


def staged_tables(schema: str) -> tuple[str, tuple[str]]:
    """Ask which tables of a schema may be staged ones."""
    asked = (
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE 'ML%'"
    )
    return asked, (schema,)


def left_behind(names: Iterable[str], now: datetime) -> list[str]:
    """Those of some tables that a process that was killed made more than a day ago."""
    old = []
    for name in names:
        found = _STAGED.match(name)
        if found is None:
            continue
        made = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        if now - made > LEFT_BEHIND:
            old.append(name)
    return old


def _type(column: Column, texts: frozenset[str]) -> str:
    return "VARCHAR" if column.name in texts else type_of(column)


def _value(column: Column, text: str, texts: frozenset[str]) -> str:
    return text if column.name in texts else text_to_column(column, text)
