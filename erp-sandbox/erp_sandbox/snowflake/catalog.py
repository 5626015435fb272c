"""What is known of tables: their columns as they were declared, their keys and comments.

DuckDB keeps it all in one comment a table and one a column, which share the fate of what they belong to. Keys
are notes, as Snowflake enforces none: https://docs.snowflake.com/en/sql-reference/constraints-overview
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from erp_sandbox.snowflake.names import Name, literal, place, quoted

_DECLARED = {
    "VARCHAR": "VARCHAR(16777216)",
    "DOUBLE": "FLOAT",
    "BLOB": "BINARY(8388608)",
    "TIMESTAMP": "TIMESTAMP_NTZ(9)",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ(9)",
    "TIME": "TIME(9)",
    "JSON": "VARIANT",
    "BIGINT": "NUMBER(38,0)",
    "INTEGER": "NUMBER(38,0)",
}
_SIZE = re.compile(r"\((\d+)(?:\s*,\s*(\d+))?\)")
_OWN = (
    "schema_name NOT IN ('main', 'information_schema', 'pg_catalog', '_SANDBOX')"
    " AND NOT starts_with(lower(schema_name), '_fs_')"
)
_DATABASES = "database_name NOT IN ('system', 'memory', '_fs_global')"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        stored: Its type in DuckDB.
        declared: Its type in Snowflake.
        nullable: Whether it may be NULL.
        comment: Its comment.
        default: Its default as text of SQL.
    """

    name: str
    stored: str
    declared: str
    nullable: bool
    comment: str | None = None
    default: str | None = None

    @property
    def kind(self) -> str:
        """The type without its size."""
        return self.declared.partition("(")[0]

    @property
    def size(self) -> tuple[int, ...]:
        """The numbers in the type."""
        found = _SIZE.search(self.declared)
        return tuple(int(number) for number in found.groups() if number) if found else ()


@dataclass
class About:
    """What is noted of a table.

    Attributes:
        comment: Its comment.
        key: The columns of its primary key.
        kind: TABLE, TRANSIENT or TEMPORARY.
        cluster: Its clustering key.
        of: Database, schema and name, if it is a temporary table.
    """

    comment: str | None = None
    key: list[str] = field(default_factory=list)
    kind: str = "TABLE"
    cluster: str = ""
    of: list[str] = field(default_factory=list)


def declared(stored: str) -> str:
    """Snowflake's type of a column that DuckDB made."""
    if stored.startswith("DECIMAL"):
        return "NUMBER" + stored[len("DECIMAL") :]
    return _DECLARED.get(stored, stored)


def columns(connection: Any, name: Name) -> list[Column]:
    """The columns of a table, in their order."""
    where, values = _where(connection, name)
    rows = connection._duck_conn.execute(  # noqa: SLF001
        "SELECT column_name, data_type, is_nullable, comment, column_default FROM duckdb_columns()"
        f" WHERE {where} ORDER BY column_index",
        values,
    ).fetchall()
    found = []
    for column, stored, nullable, noted, default in rows:
        note = _note(noted)
        kind = note.get("type") or declared(stored)
        found.append(Column(column, stored, kind, bool(nullable), note.get("comment"), default))
    return found


def about(connection: Any, name: Name) -> About:
    """What is noted of a table."""
    where, values = _where(connection, name)
    row = connection._duck_conn.execute(  # noqa: SLF001
        f"SELECT comment FROM duckdb_tables() WHERE {where}", values
    ).fetchone()
    note = _note(row[0] if row else None)
    return About(**{key: value for key, value in note.items() if key in About.__dataclass_fields__})


def note_table(connection: Any, name: Name, known: About) -> None:
    """Keep what is to be known of a table."""
    text = json.dumps(known.__dict__)
    _execute(connection, f"COMMENT ON TABLE {place(connection, name)} IS {literal(text)}")


def note_column(connection: Any, name: Name, column: str, kind: str, comment: str | None) -> None:
    """Keep what is to be known of a column."""
    text = json.dumps({"type": kind, "comment": comment})
    path = f"{place(connection, name)}.{quoted(column)}"
    _execute(connection, f"COMMENT ON COLUMN {path} IS {literal(text)}")


def view(connection: Any, name: str, database: str) -> str | None:
    """One of the information schema's views as a query of DuckDB's; None for one that fakesnow knows.

    https://docs.snowflake.com/en/sql-reference/info-schema/columns, .../tables and .../schemata
    """
    column = {"COLUMNS": "TABLE_CATALOG", "TABLES": "TABLE_CATALOG", "SCHEMATA": "CATALOG_NAME"}.get(
        name.upper()
    )
    if column is None:
        return None
    return f"SELECT * FROM {source(connection, name)} WHERE {column} = {literal(database)}"


def source(connection: Any, name: str) -> str:
    """What is known of all tables, as a macro of the session: sqlglot would write such a query anew.

    Args:
        connection: fakesnow's connection of the session.
        name: COLUMNS, TABLES, SCHEMATA or NOTES.
    """
    query = {"COLUMNS": COLUMNS, "TABLES": TABLES, "SCHEMATA": SCHEMATA, "NOTES": NOTES}[name.upper()]
    macro = f"sf_all_{name.lower()}"
    _execute(connection, f"CREATE TEMPORARY MACRO IF NOT EXISTS {macro}() AS TABLE {query}")
    return f"{macro}()"


def _where(connection: Any, name: Name) -> tuple[str, list[str]]:
    if place(connection, name).startswith("temp."):
        return "database_name = 'temp' AND table_name = ?", [".".join(name)]
    return "database_name = ? AND schema_name = ? AND table_name = ?", list(name)


def _note(text: str | None) -> dict[str, Any]:
    try:
        note = json.loads(text or "{}")
    except ValueError:
        return {"comment": text}
    return note if isinstance(note, dict) else {"comment": text}


def _execute(connection: Any, sql: str) -> None:
    connection._duck_conn.execute(sql)  # noqa: SLF001


_PERMANENT = f"NOT temporary AND {_DATABASES} AND {_OWN}"
NOTES = f"""
SELECT database_name, schema_name, table_name, table_oid, estimated_size,
       TRY_CAST(comment AS JSON) AS note FROM duckdb_tables() WHERE {_PERMANENT}
UNION ALL
SELECT json_extract_string(comment, '$.of[0]'), json_extract_string(comment, '$.of[1]'),
       json_extract_string(comment, '$.of[2]'), table_oid, estimated_size, CAST(comment AS JSON)
FROM duckdb_tables() WHERE temporary AND json_valid(comment)
"""
TABLES = f"""
SELECT database_name AS TABLE_CATALOG, schema_name AS TABLE_SCHEMA, table_name AS TABLE_NAME,
       'ACCOUNTADMIN' AS TABLE_OWNER,
       CASE note->>'$.kind' WHEN 'TEMPORARY' THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END AS TABLE_TYPE,
       CASE WHEN note->>'$.kind' = 'TRANSIENT' THEN 'YES' ELSE 'NO' END AS IS_TRANSIENT,
       nullif(note->>'$.cluster', '') AS CLUSTERING_KEY, estimated_size AS ROW_COUNT, 0 AS BYTES,
       note->>'$.comment' AS COMMENT
FROM ({NOTES})
UNION ALL
SELECT database_name, schema_name, view_name, 'ACCOUNTADMIN', 'VIEW', 'NO', NULL, NULL, NULL, NULL
FROM duckdb_views() WHERE NOT internal AND {_PERMANENT}
"""
_COLUMN_NOTES = f"""
SELECT c.database_name, c.schema_name, c.table_name, c.column_name, c.column_index, c.column_default,
       c.is_nullable, c.data_type, TRY_CAST(c.comment AS JSON) AS note
FROM duckdb_columns() c WHERE {_DATABASES} AND database_name <> 'temp' AND {_OWN}
UNION ALL
SELECT json_extract_string(t.comment, '$.of[0]'), json_extract_string(t.comment, '$.of[1]'),
       json_extract_string(t.comment, '$.of[2]'), c.column_name, c.column_index, c.column_default,
       c.is_nullable, c.data_type, TRY_CAST(c.comment AS JSON)
FROM duckdb_columns() c JOIN duckdb_tables() t ON t.table_oid = c.table_oid AND t.database_name = 'temp'
WHERE c.database_name = 'temp' AND json_valid(t.comment)
"""
_TYPED = f"""
SELECT *, coalesce(note->>'$.type', CASE
  WHEN starts_with(data_type, 'DECIMAL') THEN 'NUMBER' || substr(data_type, 8)
  {" ".join(f"WHEN data_type = '{stored}' THEN '{kind}'" for stored, kind in _DECLARED.items())}
  ELSE data_type END) AS kind FROM ({_COLUMN_NOTES})
"""
_FIRST = r"regexp_extract(kind, '\((\d+)', 1)"
_WORD = "split_part(kind, '(', 1)"
_LONG = f"CASE WHEN {_WORD} IN ('VARCHAR', 'BINARY') THEN CAST({_FIRST} AS BIGINT) END"
COLUMNS = rf"""
SELECT database_name AS TABLE_CATALOG, schema_name AS TABLE_SCHEMA, table_name AS TABLE_NAME,
       column_name AS COLUMN_NAME, column_index AS ORDINAL_POSITION, column_default AS COLUMN_DEFAULT,
       CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS IS_NULLABLE,
       CASE {_WORD} WHEN 'VARCHAR' THEN 'TEXT' ELSE {_WORD} END AS DATA_TYPE,
       {_LONG} AS CHARACTER_MAXIMUM_LENGTH,
       CASE {_WORD} WHEN 'VARCHAR' THEN least({_LONG} * 4, 16777216) ELSE {_LONG} END
         AS CHARACTER_OCTET_LENGTH,
       CASE WHEN {_WORD} = 'NUMBER' THEN CAST({_FIRST} AS BIGINT) END AS NUMERIC_PRECISION,
       CASE WHEN {_WORD} = 'NUMBER' THEN 10 END AS NUMERIC_PRECISION_RADIX,
       CASE WHEN {_WORD} = 'NUMBER' THEN CAST(regexp_extract(kind, ',\s*(\d+)', 1) AS BIGINT) END
         AS NUMERIC_SCALE,
       CASE WHEN starts_with({_WORD}, 'TIME') THEN CAST({_FIRST} AS BIGINT) END AS DATETIME_PRECISION,
       NULL::VARCHAR AS COLLATION_NAME, 'NO' AS IS_IDENTITY, note->>'$.comment' AS COMMENT, kind AS _KIND
FROM ({_TYPED})
"""
SCHEMATA = f"""
SELECT database_name AS CATALOG_NAME, schema_name AS SCHEMA_NAME, 'ACCOUNTADMIN' AS SCHEMA_OWNER,
       'NO' AS IS_TRANSIENT, NULL::VARCHAR AS COMMENT
FROM duckdb_schemas() WHERE {_DATABASES} AND database_name <> 'temp' AND {_OWN}
UNION ALL
SELECT database_name, 'INFORMATION_SCHEMA', NULL, 'NO', 'Views describing the contents of schemas'
FROM duckdb_databases() WHERE NOT internal AND {_DATABASES} AND database_name <> 'temp'
"""
