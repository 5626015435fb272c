"""SHOW and DESCRIBE of tables and their keys.

Columns: https://docs.snowflake.com/en/sql-reference/sql/show-tables, .../show-primary-keys and .../desc-table
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from erp_sandbox.snowflake import catalog, names
from erp_sandbox.snowflake.names import literal
from erp_sandbox.snowflake.refusals import not_found

if TYPE_CHECKING:
    from collections.abc import Callable

_CREATED = 'to_timestamp(0)::TIMESTAMPTZ AS "created_on"'


def query(connection: Any, statement: exp.Expr) -> str | None:
    """What a statement shows, as a query of DuckDB's; None for one that fakesnow knows."""
    if isinstance(statement, exp.Describe) and str(statement.args.get("kind") or "").upper() == "TABLE":
        return _describe(connection, statement)
    if not isinstance(statement, exp.Show):
        return None
    known: dict[str, Callable[[Any, exp.Show], str]] = {
        "TABLES": _tables,
        "PRIMARY KEYS": _primary_keys,
        "COLUMNS": _columns,
    }
    show = known.get(statement.name.upper())
    return show(connection, statement) if show else None


def _describe(connection: Any, statement: exp.Describe) -> str | None:
    table = statement.this
    if table.db.upper() == "INFORMATION_SCHEMA":
        return None
    name = names.whole(connection, table)
    if not names.exists(connection, name):
        raise not_found("Table", name.shown)
    key = catalog.about(connection, name).key
    rows = [
        f"({literal(column.name)}, {literal(column.declared)}, 'COLUMN', {_flag(column.nullable)},"
        f" {_or_null(column.default)}, {_flag(column.name in key)}, 'N', NULL, NULL,"
        f" {_or_null(column.comment)}, NULL, NULL)"
        for column in catalog.columns(connection, name)
    ]
    titles: tuple[str, ...] = (
        "name",
        "type",
        "kind",
        "null?",
        "default",
        "primary key",
        "unique key",
        "check",
    )
    titles += ("expression", "comment", "policy name", "privacy domain")
    listed = ", ".join(names.quoted(title) for title in titles)
    casts = ", ".join(f"CAST({names.quoted(title)} AS VARCHAR) AS {names.quoted(title)}" for title in titles)
    return f"SELECT {casts} FROM (VALUES {', '.join(rows)}) AS t({listed})"


def _tables(connection: Any, show: exp.Show) -> str:
    name = '"name"'
    return (
        f'SELECT {_CREATED}, TABLE_NAME AS {name}, TABLE_CATALOG AS "database_name",'
        ' TABLE_SCHEMA AS "schema_name",'
        " CASE WHEN TABLE_TYPE = 'LOCAL TEMPORARY' THEN 'TEMPORARY' WHEN IS_TRANSIENT = 'YES'"
        " THEN 'TRANSIENT' ELSE 'TABLE' END AS \"kind\", coalesce(COMMENT, '') AS \"comment\","
        ' coalesce(CLUSTERING_KEY, \'\') AS "cluster_by", ROW_COUNT AS "rows", BYTES AS "bytes",'
        ' TABLE_OWNER AS "owner", \'1\' AS "retention_time", \'OFF\' AS "automatic_clustering",'
        " 'OFF' AS \"change_tracking\", 'N' AS \"is_external\""
        f" FROM {catalog.source(connection, 'TABLES')} WHERE TABLE_TYPE <> 'VIEW'"
        f" AND {_within(connection, show)}"
        f"{_like(show, 'TABLE_NAME')} ORDER BY ALL"
    )


def _primary_keys(connection: Any, show: exp.Show) -> str:
    table = show.args.get("scope") if show.args.get("scope_kind") == "TABLE" else None
    if table is not None:
        name = names.whole(connection, table)
        if not names.exists(connection, name):
            raise not_found("Table", name.shown)
        scope = " AND ".join(
            f"{column} = {literal(part)}"
            for column, part in zip(("database_name", "schema_name", "table_name"), name, strict=True)
        )
    else:
        scope = _within(connection, show, ("database_name", "schema_name"))
    # reaches into the notes of the tables: the key is a list in them
    return (
        f'SELECT {_CREATED}, database_name AS "database_name", schema_name AS "schema_name",'
        ' table_name AS "table_name", part AS "column_name", place AS "key_sequence",'
        " 'SYS_CONSTRAINT_' || upper(left(md5(database_name || schema_name || table_name), 12))"
        ' AS "constraint_name", \'false\' AS "rely", NULL::VARCHAR AS "comment"'
        " FROM (SELECT database_name, schema_name, table_name,"
        " unnest(from_json(note->'$.key', '[\"VARCHAR\"]')) AS part,"
        " unnest(range(1, json_array_length(note->'$.key')::BIGINT + 1)) AS place"
        f" FROM {catalog.source(connection, 'NOTES')}) WHERE {scope} ORDER BY table_name, place"
    )


def _columns(connection: Any, show: exp.Show) -> str:
    table = show.args.get("scope") if show.args.get("scope_kind") == "TABLE" else None
    if table is not None:
        name = names.whole(connection, table)
        if not names.exists(connection, name):
            raise not_found("Table", name.shown)
        scope = " AND ".join(
            f"{column} = {literal(part)}"
            for column, part in zip(("TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"), name, strict=True)
        )
    else:
        scope = _within(connection, show)
    return (
        'SELECT TABLE_NAME AS "table_name", TABLE_SCHEMA AS "schema_name", COLUMN_NAME AS "column_name",'
        " to_json({'type': CASE DATA_TYPE WHEN 'NUMBER' THEN 'FIXED' WHEN 'FLOAT' THEN 'REAL'"
        " ELSE DATA_TYPE END, 'nullable': IS_NULLABLE = 'YES', 'precision': NUMERIC_PRECISION,"
        " 'scale': NUMERIC_SCALE, 'length': CHARACTER_MAXIMUM_LENGTH})::VARCHAR AS \"data_type\","
        " CASE IS_NULLABLE WHEN 'YES' THEN 'true' ELSE 'NOT_NULL' END AS \"null?\","
        " coalesce(COLUMN_DEFAULT, '') AS \"default\", 'COLUMN' AS \"kind\", '' AS \"expression\","
        ' coalesce(COMMENT, \'\') AS "comment", TABLE_CATALOG AS "database_name", \'\' AS "autoincrement"'
        f" FROM {catalog.source(connection, 'COLUMNS')} WHERE {scope}{_like(show, 'COLUMN_NAME')}"
        " ORDER BY TABLE_NAME, ORDINAL_POSITION"
    )


def _within(
    connection: Any, show: exp.Show, columns: tuple[str, str] = ("TABLE_CATALOG", "TABLE_SCHEMA")
) -> str:
    """The part of the account that a SHOW looks at: the current schema unless it says otherwise."""
    kind, scope = show.args.get("scope_kind"), show.args.get("scope")
    database, schema = connection.database, connection.schema
    if kind == "ACCOUNT":
        database = schema = None
    elif kind == "DATABASE":
        database, schema = (names.plain(scope.this) if scope else database), None
    elif isinstance(scope, exp.Table):
        schema = names.plain(scope.this)
        database = names.plain(scope.args["db"]) if scope.args.get("db") else database
    parts = [
        f"{column} = {literal(part)}"
        for column, part in zip(columns, (database, schema), strict=True)
        if part
    ]
    return " AND ".join(parts) or "TRUE"


def _like(show: exp.Show, column: str) -> str:
    like = show.args.get("like")
    return f" AND {column} ILIKE {literal(like.name)}" if like is not None else ""


def _flag(value: bool) -> str:
    return "'Y'" if value else "'N'"


def _or_null(text: str | None) -> str:
    return "NULL" if text is None else literal(text)
