"""Names: whose a table is, and where it lies.

A temporary table belongs to a session and a schema, and hides a permanent one of its name, also from fully
qualified names (https://docs.snowflake.com/en/user-guide/tables-temp-transient#potential-naming-conflicts).
DuckDB has one schema for all of a session's temporary tables, so they lie there under their whole name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlglot import exp

from erp_sandbox.snowflake.refusals import Refusal, not_found

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEMPORARY: WeakKeyDictionary[Any, set[Name]] = WeakKeyDictionary()


class Name(NamedTuple):
    """A table's whole name."""

    database: str
    schema: str
    table: str

    @property
    def shown(self) -> str:
        """As Snowflake's messages write it."""
        return ".".join(
            part if part.isidentifier() and part == part.upper() else f'"{part}"' for part in self
        )

    @property
    def path(self) -> str:
        """As DuckDB reads it, if it is a permanent table."""
        return ".".join(quoted(part) for part in self)


def quoted(name: str) -> str:
    """An identifier of DuckDB's."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in DuckDB's SQL."""
    return "'" + text.replace("'", "''") + "'"


def plain(identifier: exp.Expr) -> str:
    """A part of a name as Snowflake stores it."""
    quote = isinstance(identifier, exp.Identifier) and identifier.args.get("quoted")
    return identifier.name if quote else identifier.name.upper()


def whole(connection: Any, table: exp.Table) -> Name:
    """A table's whole name.

    Raises:
        Refusal: If it lacks a part and the session has none, 090105 and 090106.
    """
    catalog, schema = table.args.get("catalog"), table.args.get("db")
    database = plain(catalog) if catalog else connection.database
    if not database:
        raise Refusal(
            "090105",
            "22000",
            "Cannot perform operation. This session does not have a current database."
            " Call 'USE DATABASE', or use a qualified name.",
        )
    named = plain(schema) if schema else connection.schema
    if not named:
        raise Refusal(
            "090106",
            "22000",
            "Cannot perform operation. This session does not have a current schema."
            " Call 'USE SCHEMA', or use a qualified name.",
        )
    return Name(database, named, plain(table.this))


def temporary(connection: Any) -> set[Name]:
    """The session's temporary tables."""
    return _TEMPORARY.setdefault(connection, set())


def place(connection: Any, name: Name) -> str:
    """Where a table lies, or would lie, in DuckDB's words."""
    return _temporary_place(name) if name in temporary(connection) else name.path


def temporary_name(name: Name) -> str:
    """What a temporary table is called among the session's."""
    return ".".join(name)


def _temporary_place(name: Name) -> str:
    return f"temp.main.{quoted(temporary_name(name))}"


def located(connection: Any, name: Name) -> exp.Table:
    """The node of a table where it lies."""
    hidden = name in temporary(connection)
    parts = ("temp", "main", temporary_name(name)) if hidden else tuple(name)
    catalog, schema, table = (exp.to_identifier(part, quoted=True) for part in parts)
    return exp.Table(this=table, db=schema, catalog=catalog)


def exists(connection: Any, name: Name) -> bool:
    """Whether there is a table or view of this very name."""
    if name in temporary(connection):
        return True
    sql = (
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
        " UNION ALL"
        " SELECT 1 FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ? LIMIT 1"
    )
    return bool(connection._duck_conn.execute(sql, [*name, *name]).fetchone())  # noqa: SLF001


def schema_exists(connection: Any, database: str, schema: str) -> bool:
    """Whether there is a schema of this very name."""
    sql = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?"
    return bool(connection._duck_conn.execute(sql, [database, schema]).fetchone())  # noqa: SLF001


def resolve(connection: Any, statement: exp.Expr) -> None:
    """Put where it lies in place of every table that a statement names.

    Args:
        connection: fakesnow's connection of the session.
        statement: The statement, which is changed.

    Raises:
        Refusal: If a table is not there, 002003.
    """
    for table in list(_tables(statement)):
        name = whole(connection, table)
        if (
            name.schema.upper() in {"INFORMATION_SCHEMA", "_FS_INFORMATION_SCHEMA"}
            or name.database == "_fs_global"
        ):
            continue
        if not exists(connection, name):
            raise not_found("Object", name.shown)
        _unqualify(statement, table)
        lies = located(connection, name)
        alias = table.args.get("alias")
        if alias is None and isinstance(
            table.parent, (exp.From, exp.Join, exp.Merge, exp.Update, exp.Delete)
        ):
            alias = exp.TableAlias(this=exp.to_identifier(name.table, quoted=True))
        for key, value in lies.args.items():
            table.set(key, value)
        table.set("alias", alias)


def _tables(statement: exp.Expr) -> Iterator[exp.Table]:
    """The tables of a statement's query, without what only looks like one."""
    nodes = list(statement.find_all(exp.CTE, exp.Table))
    within = {node.alias_or_name.upper() for node in nodes if isinstance(node, exp.CTE)}
    for table in nodes:
        if not isinstance(table, exp.Table):
            continue
        known = isinstance(table.this, exp.Identifier) and not table.name.startswith(("@", "_fs_"))
        if known and (table.args.get("db") or table.name.upper() not in within):
            yield table


def _unqualify(statement: exp.Expr, table: exp.Table) -> None:
    """``S.T.A`` is read as ``T.A``, as the table may lie elsewhere."""
    if not table.args.get("db"):
        return
    for column in statement.find_all(exp.Column):
        if column.args.get("db") and column.table.upper() == table.name.upper():
            column.set("db", None)
            column.set("catalog", None)


def begin(connection: Any) -> None:
    """AUTOCOMMIT = FALSE: a statement that changes rows begins a transaction.

    https://docs.snowflake.com/en/sql-reference/transactions#autocommit
    """
    if not connection._autocommit and not connection._in_transaction:  # noqa: SLF001
        connection._duck_conn.begin()  # noqa: SLF001
        connection._in_transaction = True  # noqa: SLF001
