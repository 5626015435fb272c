"""One statement, from the client's text to its result: what both transports run.

fakesnow's cursor is asked for what it knows; what it does not know, or takes more kindly than Snowflake, is
done here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import duckdb
import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

from erp_sandbox.snowflake import catalog, names, parameters, shows, tables
from erp_sandbox.snowflake.functions import Functions
from erp_sandbox.snowflake.grammar import bound, parse, used
from erp_sandbox.snowflake.limits import check_text
from erp_sandbox.snowflake.plans import PLANS
from erp_sandbox.snowflake.refusals import already_exists, not_found, refusal_of
from erp_sandbox.snowflake.writes import WRITES, Write

DONE = "SELECT 'Statement executed successfully.' AS \"status\""
_PLAIN = (
    exp.Transaction,
    exp.Commit,
    exp.Rollback,
    exp.Show,
    exp.Describe,
    exp.Use,
    exp.Put,
    exp.Copy,
)
"""Statements that leave every table as it is."""
_QUERIES = (exp.Select, exp.SetOperation, exp.Subquery)


def execute(cursor: Any, command: str, params: Any = None, *_args: Any, **kwargs: Any) -> FakeSnowflakeCursor:
    """Run one statement; in place of fakesnow's ``execute``.

    Args:
        cursor: fakesnow's cursor.
        command: The client's text.
        params: Values of its placeholders.
        **kwargs: What fakesnow's server passes: ``binding_params``.

    Raises:
        Refusal: With Snowflake's code, if it fails.
    """
    cursor._sqlstate = None  # noqa: SLF001
    try:
        _run(cursor, command, kwargs.get("binding_params") or params)
    except Exception as error:
        refusal = refusal_of(error)
        cursor._sqlstate = refusal.sqlstate  # noqa: SLF001
        raise refusal from error
    return cursor


def _run(cursor: Any, command: str, values: Any) -> None:
    connection = cursor._conn  # noqa: SLF001
    check_text(command)
    command = cursor._inline_variables(command)  # noqa: SLF001
    if _again(cursor, command, values):
        return
    statement, generation = parse(command), PLANS.generation
    if _of_session(statement):
        parameters.alter(connection, command)
        _answer(cursor, DONE)
        return
    parameters.fold(connection, statement)
    if isinstance(statement, WRITES):
        named = bound(statement, values)
        write = _write(cursor, statement, named)
        _answer(cursor, write.run())
        if write.plan:
            PLANS.remember(connection, command, write.plan, generation)
        return
    is_query = _is_query(statement)
    if not is_query and not isinstance(statement, _PLAIN):
        PLANS.forget()
    if tables.is_known(statement):
        commit(connection)
        _answer(cursor, tables.run(cursor, statement))
        return
    if (shown := shows.query(connection, statement)) is not None:
        _answer(cursor, shown)
        return
    if is_query:
        _query(cursor, statement, values)
        return
    if isinstance(statement, (exp.Create, exp.Drop, exp.Alter)):
        _check_schema(connection, statement)
        commit(connection)
    cursor.check_db_and_schema(statement)
    _by_fakesnow(cursor, statement, values)


def _again(cursor: Any, command: str, values: Any) -> bool:
    """Do a statement as it was done before; whether that could be."""
    plan = PLANS.known(cursor._conn, command)  # noqa: SLF001
    if plan is None:
        return False
    named = {f"bound_{place}": value for place, value in enumerate(values or (), 1)}
    answer = _write(cursor, None, named).again(plan)
    if answer is None:
        return False
    _answer(cursor, answer)
    return True


def _write(cursor: Any, statement: exp.Expr | None, named: dict[str, Any]) -> Write:
    connection = cursor._conn  # noqa: SLF001
    names.begin(connection)
    return Write(cursor, statement, named, Functions(parameters.parameters(connection)))


def _of_session(statement: exp.Expr) -> bool:
    if isinstance(statement, exp.Command) and str(statement.this).upper() == "ALTER":
        return str(statement.expression).upper().lstrip().startswith("SESSION")
    return isinstance(statement, exp.Alter) and str(statement.args.get("kind")).upper() == "SESSION"


def _query(cursor: Any, statement: exp.Expr, values: Any) -> None:
    connection = cursor._conn  # noqa: SLF001
    named = bound(statement, values)
    functions = Functions(parameters.parameters(connection))
    _information_schema(connection, statement)
    names.resolve(connection, statement)
    functions.replace(statement)
    functions.create(cursor._duck_conn)  # noqa: SLF001
    transformed = cursor._transform(statement, None)  # noqa: SLF001
    cursor._execute(transformed, used(transformed.sql(dialect="duckdb"), named))  # noqa: SLF001


def _check_schema(connection: Any, statement: exp.Expr) -> None:
    """CREATE SCHEMA of one that is there, DROP SCHEMA of one that is not."""
    if str(statement.args.get("kind") or "").upper() != "SCHEMA":
        return
    table = statement.this if isinstance(statement, exp.Create) else statement.args.get("tables", [None])[0]
    schema = table.args.get("db") if isinstance(table, exp.Table) else None
    if schema is None:
        return
    catalog_of = table.args.get("catalog")
    database = names.plain(catalog_of) if catalog_of else connection.database
    name = names.plain(schema)
    there = names.schema_exists(connection, database, name)
    if isinstance(statement, exp.Create) and there and not _lenient(statement, "exists", "replace"):
        raise already_exists(name)
    if isinstance(statement, exp.Drop) and not there and not _lenient(statement, "exists"):
        raise not_found("Schema", f"{database}.{name}")


def _lenient(statement: exp.Expr, *words: str) -> bool:
    return any(statement.args.get(word) for word in words)


def _by_fakesnow(cursor: Any, statement: exp.Expr, values: Any) -> None:
    given = list(values) if isinstance(values, tuple) else values
    for piece in cursor._transform_explode(statement):  # noqa: SLF001
        transformed = cursor._transform(piece, given)  # noqa: SLF001
        needs = transformed.find(exp.Placeholder) is not None
        cursor._execute(transformed, given if needs else None)  # noqa: SLF001


def _is_query(statement: exp.Expr) -> bool:
    if isinstance(statement, exp.Describe):
        return isinstance(statement.this, _QUERIES)
    # IDENTIFIER(?) wants its value while fakesnow reads the tree
    identifiers = any(str(each.this).upper() == "IDENTIFIER" for each in statement.find_all(exp.Anonymous))
    return isinstance(statement, _QUERIES) and not identifiers


def _information_schema(connection: Any, statement: exp.Expr) -> None:
    """Put our views in place of the information schema's."""
    for table in list(statement.find_all(exp.Table)):
        current = connection.schema == "INFORMATION_SCHEMA" and not table.db
        if table.db.upper() != "INFORMATION_SCHEMA" and not current:
            continue
        database = names.plain(table.args["catalog"]) if table.catalog else connection.database
        query = catalog.view(connection, table.name, database) if database else None
        if query is not None:
            alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name, quoted=False))
            table.replace(exp.Subquery(this=sqlglot.parse_one(query, read="duckdb"), alias=alias))


def commit(connection: Any) -> None:
    """DDL commits what was begun; https://docs.snowflake.com/en/sql-reference/transactions#ddl."""
    with suppress(duckdb.Error):
        connection._duck_conn.commit()  # noqa: SLF001
    connection._in_transaction = False  # noqa: SLF001


def _answer(cursor: Any, sql: str) -> None:
    cursor._execute(sqlglot.parse_one(sql, read="duckdb"))  # noqa: SLF001


def correct_execution() -> None:
    """Put our ``execute`` in place of fakesnow's; to be called once."""
    FakeSnowflakeCursor.execute = execute
