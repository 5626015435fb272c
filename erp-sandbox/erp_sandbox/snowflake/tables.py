"""CREATE, ALTER, DROP and COMMENT of tables, by Snowflake's rules.

https://docs.snowflake.com/en/sql-reference/sql/create-table and .../alter-table
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from erp_sandbox.snowflake import catalog, names, parameters
from erp_sandbox.snowflake.alterations import Alteration
from erp_sandbox.snowflake.functions import Functions
from erp_sandbox.snowflake.grammar import parse
from erp_sandbox.snowflake.kinds import declared, stored
from erp_sandbox.snowflake.refusals import already_exists, compilation, not_found
from erp_sandbox.snowflake.reserved import check_column

if TYPE_CHECKING:
    from collections.abc import Callable

    from erp_sandbox.snowflake.names import Name

DONE = "SELECT 'Statement executed successfully.' AS \"status\""


def is_known(statement: exp.Expr) -> bool:
    """Whether it is one of the statements below."""
    return _handler(statement) is not None


def run(cursor: Any, statement: exp.Expr) -> str:
    """Do it.

    Args:
        cursor: fakesnow's cursor.
        statement: The statement, which is changed.

    Returns:
        A query of DuckDB's whose row is Snowflake's result.
    """
    handler = _handler(statement)
    if handler is None:  # pragma: no cover - asked before
        raise NotImplementedError(statement.sql(dialect="snowflake"))
    return handler(cursor, statement)


def _handler(statement: exp.Expr) -> Callable[[Any, Any], str] | None:  # noqa: PLR0911 - a table
    kind = str(statement.args.get("kind") or "").upper()
    if isinstance(statement, exp.Create) and kind == "TABLE":
        automatic = statement.find(exp.AutoIncrementColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)
        return None if automatic else _create
    if isinstance(statement, exp.Alter) and kind == "TABLE":
        return _alter
    if isinstance(statement, exp.Command) and str(statement.this).upper() == "ALTER":
        return _alter_several if str(statement.expression).split()[0].upper() == "TABLE" else None
    if isinstance(statement, exp.Drop) and kind == "TABLE":
        return _drop
    if isinstance(statement, exp.Comment) and kind in {"TABLE", "COLUMN"}:
        return _comment
    if isinstance(statement, exp.TruncateTable):
        return _truncate
    return None


def _duck(cursor: Any) -> Any:
    return cursor._duck_conn  # noqa: SLF001 - there is no public way to the session's database


def _create(cursor: Any, statement: exp.Create) -> str:
    connection = cursor._conn  # noqa: SLF001
    schema = statement.this if isinstance(statement.this, exp.Schema) else None
    name = names.whole(connection, schema.this if schema else statement.this)
    if not names.schema_exists(connection, name.database, name.schema):
        raise not_found("Schema", f"{name.database}.{name.schema}")
    temporary = statement.find(exp.TemporaryProperty) is not None
    there = name in names.temporary(connection) if temporary else names.exists(connection, name)
    if there and statement.args.get("exists"):
        return _said(f"{name.table} already exists, statement succeeded.")
    if there and not statement.args.get("replace"):
        raise already_exists(name.shown)
    _refuse_twin(cursor, name, temporary=temporary)
    about, columns, body = _body(cursor, statement, schema)
    if there:
        _drop_table(cursor, name)
    if temporary:
        about.kind, about.of = "TEMPORARY", list(name)
        names.temporary(connection).add(name)
    elif statement.find(exp.TransientProperty):
        about.kind = "TRANSIENT"
    _make(cursor, name, body, temporary=temporary)
    for column in columns or catalog.columns(connection, name):
        catalog.note_column(connection, name, column.name, column.declared, column.comment)
    catalog.note_table(connection, name, about)
    if not temporary:
        _forget_loads(cursor, name)
    return _said(f"Table {name.table} successfully created.")


def _make(cursor: Any, name: Name, body: str, *, temporary: bool) -> None:
    connection = cursor._conn  # noqa: SLF001
    try:
        created = "CREATE TEMPORARY TABLE" if temporary else "CREATE TABLE"
        _duck(cursor).execute(f"{created} {names.place(connection, name)} {body}")
    except duckdb.Error:
        if temporary:
            names.temporary(connection).discard(name)
        raise


def _said(text: str) -> str:
    return f"SELECT {names.literal(text)} AS status"


def _refuse_twin(cursor: Any, name: Name, *, temporary: bool) -> None:
    """Refuse a name that differs from another by its case only: DuckDB takes them for one."""
    if temporary:
        return
    row = (
        _duck(cursor)
        .execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = ?"
            " AND lower(table_name) = lower(?) AND table_name <> ?",
            [*name, name.table],
        )
        .fetchone()
    )
    if row:
        raise NotImplementedError(f"The tables {row[0]} and {name.table} in one schema")


def _forget_loads(cursor: Any, name: Name) -> None:
    """A new table has no load history, which fakesnow keeps."""
    with suppress(duckdb.Error):
        _duck(cursor).execute(
            f"DELETE FROM {names.quoted(name.database)}._fs_information_schema._fs_load_history"
            " WHERE SCHEMA_NAME = ? AND TABLE_NAME = ?",
            [name.schema, name.table],
        )


def _body(
    cursor: Any, statement: exp.Create, schema: exp.Schema | None
) -> tuple[catalog.About, list[catalog.Column], str]:
    """What follows the name in DuckDB's CREATE TABLE, and what is to be noted."""
    connection = cursor._conn  # noqa: SLF001
    about = catalog.About()
    comment = statement.find(exp.SchemaCommentProperty)
    if comment is not None:
        about.comment = comment.this.name
    cluster = statement.find(exp.ClusterProperty, exp.Cluster)
    if cluster is not None:
        about.cluster = "LINEAR({})".format(
            ", ".join(each.sql(dialect="snowflake") for each in cluster.expressions)
        )
    like, clone = statement.find(exp.LikeProperty), statement.args.get("clone")
    if like is not None or clone is not None:
        source = names.whole(connection, (like or statement.args["clone"]).this)
        if not names.exists(connection, source):
            raise not_found("Object", source.shown)
        columns = catalog.columns(connection, source)
        about.key = catalog.about(connection, source).key
        place = names.place(connection, source)
        body = f"AS FROM {place}" if clone else f"({', '.join(map(_defined, columns))})"
        return about, columns, body
    if schema is None or statement.expression is not None:
        if schema is not None:
            raise NotImplementedError("CREATE TABLE with columns and AS")
        return about, [], f"AS {_query(cursor, statement.expression)}"
    columns = _columns(connection, schema, about)
    return about, columns, f"({', '.join(map(_defined, columns))})"


def _query(cursor: Any, query: exp.Expr) -> str:
    connection = cursor._conn  # noqa: SLF001
    functions = Functions(parameters.parameters(connection))
    names.resolve(connection, query)
    functions.replace(query)
    functions.create(_duck(cursor))
    return str(cursor._transform(query, None).sql(dialect="duckdb"))  # noqa: SLF001


def _columns(connection: Any, schema: exp.Schema, about: catalog.About) -> list[catalog.Column]:
    columns: dict[str, catalog.Column] = {}
    for definition in schema.expressions:
        if isinstance(definition, exp.ColumnDef):
            column = column_of(connection, definition)
            if column.name in columns:
                raise compilation("002025", "42S21", f"duplicate column name '{column.name}'")
            columns[column.name] = column
            if definition.find(exp.PrimaryKeyColumnConstraint):
                about.key.append(column.name)
    for key in schema.find_all(exp.PrimaryKey):
        about.key = [names.plain(part) for part in key.expressions]
    for part in about.key:
        if part not in columns:
            raise compilation("000904", "42000", f"invalid identifier '{part}'")
        columns[part] = catalog.Column(**{**columns[part].__dict__, "nullable": False})
    return list(columns.values())


def column_of(connection: Any, definition: exp.ColumnDef) -> catalog.Column:
    """A column as a statement defines it.

    Args:
        connection: fakesnow's connection of the session.
        definition: The definition.
    """
    name = names.plain(definition.this)
    check_column(name)
    kind = declared(definition.args["kind"], parameters.parameters(connection))
    constraints = [each.args["kind"] for each in definition.args.get("constraints") or []]
    required = any(
        isinstance(each, exp.NotNullColumnConstraint) and not each.args.get("allow_null")
        for each in constraints
    )
    comment = next(
        (each.this.name for each in constraints if isinstance(each, exp.CommentColumnConstraint)), None
    )
    default = next(
        (
            each.this.sql(dialect="duckdb")
            for each in constraints
            if isinstance(each, exp.DefaultColumnConstraint)
        ),
        None,
    )
    return catalog.Column(name, stored(kind), kind, not required, comment, default)


def _defined(column: catalog.Column) -> str:
    required = "" if column.nullable else " NOT NULL"
    default = f" DEFAULT {column.default}" if column.default else ""
    return f"{names.quoted(column.name)} {column.stored}{default}{required}"


def _there(cursor: Any, table: exp.Table) -> Name:
    connection = cursor._conn  # noqa: SLF001
    name = names.whole(connection, table)
    if not names.exists(connection, name):
        raise not_found("Table", name.shown)
    return name


def _alter(cursor: Any, statement: exp.Alter) -> str:
    connection = cursor._conn  # noqa: SLF001
    name = names.whole(connection, statement.this)
    if statement.args.get("exists") and not names.exists(connection, name):
        return DONE
    name = _there(cursor, statement.this)
    Alteration(cursor, name).run(statement.args["actions"])
    return DONE


def _alter_several(cursor: Any, statement: exp.Command) -> str:
    """ALTER TABLE with several columns, which sqlglot does not read: one after the other."""
    from sqlglot.dialects.snowflake import Snowflake  # noqa: PLC0415 - rarely wanted

    text = f"ALTER {statement.expression}"
    tokens = Snowflake().tokenize(text)
    verbs = [place for place, token in enumerate(tokens) if token.text.upper() in {"ALTER", "MODIFY"}]
    if len(verbs) < 2:  # noqa: PLR2004 - the first one is ALTER TABLE's
        raise NotImplementedError(text[:300])
    head = text[: tokens[verbs[1]].start]
    pieces, depth, start = [], 0, tokens[verbs[1]].end + 1
    for token in tokens[verbs[1] + 1 :]:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.token_type.name != "STRING" else 0
        if token.text == "," and token.token_type.name == "COMMA" and depth == 0:
            pieces.append(text[start : token.start])
            start = token.end + 1
    pieces.append(text[start:])
    for piece in pieces:
        part = piece.strip()
        words = Snowflake().tokenize(part)
        if words[0].text.upper() == "COLUMN":
            part, words = part[words[0].end + 1 :], words[1:]
        if len(words) == 3 and words[1].text.upper() == "COMMENT":  # noqa: PLR2004
            table = parse(head + "RENAME TO X").this
            column = words[0].text if words[0].token_type.name == "IDENTIFIER" else words[0].text.upper()
            Alteration(cursor, _there(cursor, table)).comment(column, words[2].text)
            continue
        one = parse(f"{head}ALTER COLUMN {part}")
        if not isinstance(one, exp.Alter):
            raise NotImplementedError(text[:300])
        _alter(cursor, one)
    return DONE


def _drop(cursor: Any, statement: exp.Drop) -> str:
    connection = cursor._conn  # noqa: SLF001
    (table,) = statement.args["tables"]
    name = names.whole(connection, table)
    if not names.exists(connection, name):
        if not statement.args.get("exists"):
            raise not_found("Table", name.shown)
        return _said(f"Drop statement executed successfully ({name.table} already dropped).")
    _drop_table(cursor, name)
    return _said(f"{name.table} successfully dropped.")


def _drop_table(cursor: Any, name: Name) -> None:
    connection = cursor._conn  # noqa: SLF001
    _duck(cursor).execute(f"DROP TABLE {names.place(connection, name)}")
    names.temporary(connection).discard(name)


def _comment(cursor: Any, statement: exp.Comment) -> str:
    connection = cursor._conn  # noqa: SLF001
    text = statement.expression.name
    target = statement.this
    if isinstance(target, exp.Column):
        parts = [target.args[part] for part in ("table", "db", "catalog") if target.args.get(part)]
        table = exp.Table(**dict(zip(("this", "db", "catalog"), parts, strict=False)))
    else:
        table = target
    if statement.args.get("exists") and not names.exists(connection, names.whole(connection, table)):
        return DONE
    name = _there(cursor, table)
    if isinstance(target, exp.Column):
        Alteration(cursor, name).comment(names.plain(target.this), text)
    else:
        known = catalog.about(connection, name)
        known.comment = text
        catalog.note_table(connection, name, known)
    return DONE


def _truncate(cursor: Any, statement: exp.TruncateTable) -> str:
    connection = cursor._conn  # noqa: SLF001
    (table,) = statement.expressions
    if statement.args.get("exists") and not names.exists(connection, names.whole(connection, table)):
        return DONE
    name = _there(cursor, table)
    _duck(cursor).execute(f"DELETE FROM {names.place(connection, name)}")
    return DONE
