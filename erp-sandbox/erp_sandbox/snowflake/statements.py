"""Statements that fakesnow does not know, each handled on its own; what neither knows is a loud error."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import sqlglot
from fakesnow.transforms import stage
from sqlglot import exp

from erp_sandbox.snowflake import copying, names, staged
from erp_sandbox.snowflake.refusals import not_found

if TYPE_CHECKING:
    from collections.abc import Callable

DONE = "SELECT 'Statement executed successfully.' AS \"status\""
_SILENT = re.compile(
    r"^\s*(?:USE\s+(?:ROLE|WAREHOUSE|SECONDARY)|GRANT|ALTER\s+WAREHOUSE)\b",
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


def _drop_stage(connection: Any, sql: str) -> str:
    """Forget a stage, and its files with it."""
    dropped = sqlglot.parse_one(sql, read="snowflake")
    name = names.whole(connection, dropped.args["tables"][0])
    with connection._duck_conn.cursor() as apart:  # noqa: SLF001 - stages are in another database
        (count,) = apart.execute(
            "DELETE FROM _fs_global._fs_information_schema._fs_stages"
            " WHERE database_name = ? AND schema_name = ? AND name = ?",
            list(name),
        ).fetchone() or (0,)
    if not count and not dropped.args.get("exists"):
        raise not_found("Stage", name.shown)
    shutil.rmtree(stage.internal_dir(".".join(name)), ignore_errors=True)
    return f'SELECT {names.literal(f"{name.table} successfully dropped.")} AS "status"'


def _files_below(folder: str) -> list[str]:
    return [os.path.join(base, name) for base, _, names in os.walk(folder) for name in names]  # noqa: PTH118


def duck_name(connection: Any, table: exp.Table) -> str:
    """Where a table lies: a temporary one hides a permanent one of its name."""
    return names.place(connection, names.whole(connection, table))


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
    (_starts(r"DROP\s+STAGE"), _drop_stage),
    (_starts(r"COPY\s+INTO"), copying.run),
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
