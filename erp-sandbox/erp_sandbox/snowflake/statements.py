"""Statements that fakesnow does not know, each handled on its own; what neither knows is a loud error."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any

import duckdb
import fakesnow.copy_into as fakesnow_copy
import sqlglot
from fakesnow.transforms import stage
from sqlglot import exp

from erp_sandbox.snowflake import staged

if TYPE_CHECKING:
    from collections.abc import Callable

DONE = "SELECT 'Statement executed successfully.' AS \"status\""
_SILENT = re.compile(
    r"^\s*(?:ALTER\s+SESSION|USE\s+(?:ROLE|WAREHOUSE|SECONDARY)|GRANT|ALTER\s+WAREHOUSE"
    r"|ALTER\s+TABLE\s+\S+\s+(?:ADD|DROP)\s+PRIMARY\s+KEY)\b",
    re.IGNORECASE,
)
_REMOVE = re.compile(r"^\s*(?:REMOVE|RM)\s+'?@(?P<stage>[^\s']+)'?\s*;?\s*$", re.IGNORECASE)
_PUT = re.compile(r"^\s*PUT\s", re.IGNORECASE)
_PUT_TARGET = re.compile(r"\s'?@(?P<stage>[^\s']+)'?")
_PUT_OPTION = re.compile(r"\s+SOURCE_COMPRESSION\s*=\s*\w+", re.IGNORECASE)
_CREATE_STREAM = re.compile(
    r"^\s*CREATE\s+STREAM\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<stream>\S+)\s+ON\s+TABLE\s+(?P<table>\S+)\s*;?\s*$",
    re.IGNORECASE,
)
_PURGE = re.compile(r"\bPURGE\s*=\s*TRUE\b", re.IGNORECASE)
_START = re.compile(r"^\s*START\s+TRANSACTION\s*;?\s*$", re.IGNORECASE)


class UnsupportedError(Exception):
    """The sandbox does not know the statement."""


def rewritten(connection: Any, sql: str) -> str:
    """Do what fakesnow cannot, and give the statement that it is left with.

    Args:
        connection: fakesnow's connection of the session.
        sql: The client's statement.

    Returns:
        A statement that fakesnow knows; its result is the client's result.
    """
    for matches, handle in _HANDLERS:
        if matches(sql):
            return handle(connection, sql)
    return sql


def _silent(_connection: Any, _sql: str) -> str:
    return DONE


def _start(_connection: Any, _sql: str) -> str:
    return "BEGIN"


def _put(connection: Any, sql: str) -> str:
    """Compression is the client's affair, and fakesnow refuses the option, quotes and the user's stage."""
    sql = _PUT_OPTION.sub("", sql)
    return _PUT_TARGET.sub(lambda match: f" @{staged.location(connection, match['stage'])}", sql, count=1)


def _drop_file_format(connection: Any, sql: str) -> str:
    staged.drop_file_format(connection, sql)
    return DONE


def _remove(connection: Any, sql: str) -> str:
    """Delete the staged files."""
    match = _REMOVE.match(sql)
    if match is None:  # pragma: no cover - the handler is chosen by this very pattern
        raise UnsupportedError(sql)
    name, _, path = staged.location(connection, match["stage"]).partition("/")
    catalog, schema, stage_name = stage.parts_from_var(name, connection.database, connection.schema)
    folder = stage.internal_dir(f"{catalog}.{schema}.{stage_name}")
    target = os.path.normpath(os.path.join(stage.file_path(folder), path))  # noqa: PTH118 - fakesnow's are texts
    for found in [target] if os.path.isfile(target) else _files_below(target):  # noqa: PTH113
        os.remove(found)  # noqa: PTH107
    return DONE


def _files_below(folder: str) -> list[str]:
    return [os.path.join(base, name) for base, _, names in os.walk(folder) for name in names]  # noqa: PTH118


def _copy(connection: Any, sql: str) -> str:
    """COPY of Parquet by column name, into any table: fakesnow cannot copy into a temporary one."""
    parsed = sqlglot.parse_one(sql, read="snowflake")
    if not isinstance(parsed, exp.Copy):
        return sql
    if isinstance(parsed.args["files"][0], exp.Subquery):
        return _copy_of_query(connection, parsed) or sql
    table = parsed.this
    if not isinstance(table, exp.Table):
        return sql
    duck = connection._duck_conn  # noqa: SLF001 - there is no public way to the session's database
    source = parsed.args["files"][0].this.name
    url = fakesnow_copy.stage_url_from_var(
        source[1:],
        duck,
        connection.database,
        connection.schema,
        connection.table_stages,
        table,
    )
    path = stage.file_path(url)
    target = duck_name(connection, table)
    has = {row[0]: row[0] for row in duck.execute(f"DESCRIBE {target}").fetchall()}
    gives = [row[0] for row in duck.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()]
    names = ", ".join(f'"{name}"' for name in gives if name in has)
    if not names:
        raise UnsupportedError(f"No column of {path} is one of {target}.")
    (count,) = duck.execute(
        f"INSERT INTO {target} ({names}) SELECT {names} FROM read_parquet(?)", [path]
    ).fetchone() or (0,)
    if _PURGE.search(sql):
        os.remove(path)  # noqa: PTH107 - fakesnow's are texts
    return _copied(source[1:], count)


def _copy_of_query(connection: Any, parsed: exp.Copy) -> str | None:
    """COPY of what a query makes of staged files."""
    source = parsed.args["files"][0].this.args["from_"].this.name
    insert = staged.insertion(connection, parsed)
    if insert is None:
        return None
    (count,) = connection._duck_conn.execute(insert).fetchone() or (0,)  # noqa: SLF001
    return _copied(source[1:], count)


def _copied(file: str, count: int) -> str:
    return (
        f'SELECT \'{file}\' AS "file", \'LOADED\' AS "status", {count} AS "rows_parsed",'
        f' {count} AS "rows_loaded", 1 AS "error_limit", 0 AS "errors_seen", NULL AS "first_error"'
    ).replace('\\"', '"')


def duck_name(connection: Any, table: exp.Table) -> str:
    """Where a table lies: a temporary one hides a permanent one of its name."""
    duck = connection._duck_conn  # noqa: SLF001
    name = table.this.name if table.this.quoted else table.this.name.upper()
    temporary = duck.execute(
        "SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = ?", [name]
    ).fetchone()
    if temporary and not table.db:
        return f'temp.main."{name}"'
    catalog = table.catalog or connection.database
    return f'"{catalog}"."{table.db or connection.schema}"."{name}"'


def _merge(connection: Any, sql: str) -> str:
    """MERGE from a query: DuckDB has a MERGE of its own, while fakesnow merges from tables only.

    fakesnow keeps its notes in another database, and DuckDB lets a transaction write to one database only.
    """
    parsed = sqlglot.parse_one(sql, read="snowflake")
    if not isinstance(parsed, exp.Merge) or not isinstance(parsed.args.get("using"), exp.Subquery):
        return sql
    staged.resolve(connection, parsed)
    for assignment in parsed.find_all(exp.EQ):
        inside_set = isinstance(assignment.parent, exp.Update)
        if inside_set and isinstance(assignment.this, exp.Column):
            assignment.this.set("table", None)  # DuckDB wants the bare column there
    return _done_by_duckdb(connection, parsed)


def _insert(connection: Any, sql: str) -> str:
    """INSERT of a query that parses JSON: the numbers inside keep their digits, as in a VARIANT."""
    parsed = sqlglot.parse_one(sql, read="snowflake")
    query = parsed.args.get("expression") if isinstance(parsed, exp.Insert) else None
    if not isinstance(query, exp.Select) or not query.find(exp.ParseJSON):
        return sql
    return _done_by_duckdb(connection, parsed)


def _done_by_duckdb(connection: Any, parsed: exp.Expr) -> str:
    """Run a statement in DuckDB's own words and give one that answers with the number of rows.

    DuckDB's JSON() writes numbers anew, through doubles; a cast only checks the text and keeps it.
    """
    for parse in list(parsed.find_all(exp.ParseJSON)):
        parse.replace(exp.cast(parse.this.copy(), exp.DataType.Type.JSON))
    duck = connection._duck_conn  # noqa: SLF001
    (count,) = duck.execute(parsed.sql(dialect="duckdb")).fetchone() or (0,)
    return f'SELECT {count} AS "number of rows inserted", 0 AS "number of rows updated"'


def _create_stream(connection: Any, sql: str) -> str:
    """Note the stream of a table that exists; what it would hold is not kept."""
    match = _CREATE_STREAM.match(sql)
    if match is None:
        raise UnsupportedError(sql)
    table = sqlglot.parse_one(match["table"], read="snowflake", into=exp.Table)
    stream = sqlglot.parse_one(match["stream"], read="snowflake", into=exp.Table)
    duck = connection._duck_conn  # noqa: SLF001
    duck.execute(f"DESCRIBE {duck_name(connection, table)}")
    notes = f'"{connection.database}"."_SANDBOX"'
    duck.execute(f"CREATE SCHEMA IF NOT EXISTS {notes}")
    duck.execute(
        f"CREATE TABLE IF NOT EXISTS {notes}.STREAMS (name VARCHAR, schema_name VARCHAR, table_name VARCHAR)"
    )
    schema = stream.db or connection.schema
    known = duck.execute(
        f"SELECT 1 FROM {notes}.STREAMS WHERE name = ? AND schema_name = ?", [stream.name, schema]
    ).fetchone()
    if known and "IF NOT EXISTS" not in sql.upper():
        raise UnsupportedError(f"Stream {stream.name} exists: {sql}")
    if not known:
        duck.execute(f"INSERT INTO {notes}.STREAMS VALUES (?, ?, ?)", [stream.name, schema, match["table"]])
    return DONE


def _show_streams(connection: Any, _sql: str) -> str:
    columns = ", ".join(f'{name} AS "{name}"' for name in ("name", "schema_name", "table_name"))
    return f'SELECT {columns} FROM "{connection.database}"."_SANDBOX"."STREAMS"'


def _starts(word: str) -> Callable[[str], bool]:
    pattern = re.compile(rf"^\s*{word}\b", re.IGNORECASE)
    return lambda sql: pattern.match(sql) is not None


_HANDLERS: tuple[tuple[Callable[[str], bool], Callable[[Any, str], str]], ...] = (
    (lambda sql: _SILENT.match(sql) is not None, _silent),
    (lambda sql: _START.match(sql) is not None, _start),
    (lambda sql: _REMOVE.match(sql) is not None, _remove),
    (lambda sql: _PUT.match(sql) is not None, _put),
    (_starts(r"CREATE\s+(?:OR\s+REPLACE\s+)?STREAM"), _create_stream),
    (_starts(r"SHOW\s+STREAMS"), _show_streams),
    (_starts(r"DROP\s+FILE\s+FORMAT"), _drop_file_format),
    (_starts(r"COPY\s+INTO"), _copy),
    (_starts("MERGE"), _merge),
    (_starts(r"INSERT\s+INTO"), _insert),
)


def settle_schema(connection: Any) -> None:
    """PUBLIC is current once a database is, as in Snowflake."""
    if connection.database and connection.database_set and not connection.schema_set:
        with contextlib.suppress(duckdb.Error):
            duck = connection._duck_conn  # noqa: SLF001
            duck.execute(f'CREATE SCHEMA IF NOT EXISTS "{connection.database}"."PUBLIC"')
            duck.execute(f"SET schema='{connection.database}.PUBLIC'")
            connection._schema = "PUBLIC"  # noqa: SLF001
            connection.schema_set = True
