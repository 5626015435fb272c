"""Queries of staged files: fakesnow reads them in COPY only, by the bare name of a stage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fakesnow.copy_into as fakesnow_copy
import sqlglot
from fakesnow.transforms import file_format, stage
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Sequence

HOME = "SANDBOX.HOMES.LOADER"
"""The stage that stands for ``@~``, the stage of the user: there is one user."""
_ROW = "METADATA$FILE_ROW_NUMBER"
_HOME = re.compile(r"^~(?=/|$)")
_TABLE = re.compile(r'%"([^"]+)"')
_NESTED = (exp.DataType.Type.VARIANT, exp.DataType.Type.OBJECT, exp.DataType.Type.ARRAY)
_OFFSET = r"(Z|[+-]\d\d(:?\d\d)?)$"


def location(connection: Any, name: str) -> str:
    """A stage and path as fakesnow knows them: it knows no user's stage, and quotes all of a table's.

    Args:
        connection: fakesnow's connection of the session.
        name: What follows the ``@``.
    """
    if not _HOME.match(name):
        return _TABLE.sub(r'"%\1"', name)
    # a session's transaction may write to one database only, and the stages are in another
    create = sqlglot.parse_one(f"CREATE STAGE IF NOT EXISTS {HOME}", read="snowflake")
    with connection._duck_conn.cursor() as apart:  # noqa: SLF001 - there is no public way to the database
        apart.execute(stage.create_stage(create, None, None).sql(dialect="duckdb"))
    return _HOME.sub(HOME, name)


def resolve(connection: Any, parsed: exp.Expr) -> None:
    """Put the content of files in place of the stages that a statement selects from.

    Args:
        connection: fakesnow's connection of the session.
        parsed: The statement, which is changed.
    """
    for table in [each for each in parsed.find_all(exp.Table) if each.this.name.startswith("@")]:
        select = table.find_ancestor(exp.Select)
        if select is not None:
            query = _content(connection, table, _widest(select))
            table.replace(exp.Subquery(this=sqlglot.parse_one(query, read="duckdb")))
            _read(select)


def insertion(connection: Any, copy: exp.Copy) -> str | None:
    """COPY of a query, as DuckDB says it; None where fakesnow knows it: by the bare name of a stage.

    Args:
        connection: fakesnow's connection of the session.
        copy: The statement, which is changed.

    Raises:
        NotImplementedError: For options other than a named file format.
    """
    select = copy.args["files"][0].this
    table = select.args["from_"].this
    if not isinstance(table.this, exp.Literal):
        return None
    for parameter in copy.args.get("params") or []:
        named = [each for each in parameter.expressions if each.name.upper() == "FORMAT_NAME"]
        if parameter.name.upper() != "FILE_FORMAT" or len(named) != len(parameter.expressions):
            raise NotImplementedError(f"COPY of a query with {parameter.sql(dialect='snowflake')}")
        table.set("format", named[0].args["value"].copy())
    resolve(connection, copy)
    return exp.Insert(this=copy.this, expression=select).sql(dialect="duckdb")


def drop_file_format(connection: Any, sql: str) -> None:
    """Forget a file format; one that is not there is an error unless the statement says IF EXISTS."""
    dropped = sqlglot.parse_one(sql, read="snowflake")
    named = dropped.args["tables"][0]
    text = named.sql(dialect="snowflake")
    duck = connection._duck_conn  # noqa: SLF001
    try:
        file_format.lookup_file_format(duck, text, connection.database, connection.schema)
    except ProgrammingError:
        if dropped.args.get("exists"):
            return
        raise
    with duck.cursor() as apart:
        apart.execute(
            "DELETE FROM _fs_global._fs_information_schema._fs_file_formats"
            " WHERE database_name = ? AND schema_name = ? AND name = ?",
            stage.parts_from_var(text, connection.database, connection.schema),
        )


def _content(connection: Any, table: exp.Table, columns: int) -> str:
    """A DuckDB query of all lines below a path, its columns being ``$1``, ``$2`` and so on."""
    duck = connection._duck_conn  # noqa: SLF001
    var = location(connection, table.this.name[1:])
    catalog, schema, name = stage.parts_from_var(
        var.partition("/")[0], connection.database, connection.schema
    )
    owner = exp.table_(name[1:], schema, catalog)  # of a table's own stage
    url = fakesnow_copy.stage_url_from_var(
        var, duck, connection.database, connection.schema, connection.table_stages, owner
    )
    files = [row[0] for row in duck.execute(stage.internal_files_sql(url)).fetchall()]
    names = [f"${place + 1}" for place in range(columns)]
    row = f'row_number() OVER () AS "{_ROW}"'
    if not files:
        nothing = ", ".join(f'NULL AS "{name}"' for name in [*names, _ROW])
        return f"SELECT {nothing} WHERE FALSE"
    listed = ", ".join(exp.Literal.string(file).sql(dialect="duckdb") for file in sorted(files))
    options = _options(connection, table)
    if options["TYPE"] == "JSON":
        return (
            f"SELECT json AS \"$1\", {row} FROM read_json_objects([{listed}], format = 'newline_delimited')"
        )
    if options["TYPE"] == "CSV":
        return f"SELECT *, {row} FROM read_csv([{listed}], {_csv(options, names)})"
    raise NotImplementedError(f"SELECT from a stage of {options['TYPE']} files")


def _options(connection: Any, table: exp.Table) -> dict[str, Any]:
    """The options of the named file format; Snowflake's default is CSV."""
    named = table.args.get("format")
    if named is None:
        return {"TYPE": "CSV"}
    name = named.name if isinstance(named, exp.Literal) else named.sql(dialect="snowflake")
    duck = connection._duck_conn  # noqa: SLF001
    found: dict[str, Any] = file_format.lookup_file_format(duck, name, connection.database, connection.schema)
    return found


def _csv(options: dict[str, Any], names: Sequence[str]) -> str:
    """DuckDB's arguments for a CSV format; it knows one escape character, which no mark of nulls may have."""
    escape = options.pop("ESCAPE", None)
    known = fakesnow_copy.handle_csv(options)
    nulls = [null for null in known.null_if or [] if not escape or escape not in null]

    def text(value: str) -> str:
        return exp.Literal.string(value).sql(dialect="duckdb")

    given = [
        "header = FALSE",
        "all_varchar = TRUE",
        "allow_quoted_nulls = FALSE",
        f"skip = {known.skip_header}",
        f"sep = {text(known.sep)}",
        f"quote = {text(known.quote or '')}",
        f"nullstr = [{', '.join(map(text, nulls))}]",
        f"names = [{', '.join(map(text, names))}]",
    ]
    if escape:
        given.append(f"escape = {text(escape)}")
    return ", ".join(given)


def _widest(select: exp.Expr) -> int:
    return max((int(parameter.name) for parameter in select.find_all(exp.Parameter)), default=1)


def _read(select: exp.Expr) -> None:
    """Read ``$1``, ``$1:key::TYPE`` and SEQ8() of what is now a query of DuckDB's."""
    for cast in list(select.find_all(exp.Cast)):
        if isinstance(cast.this, exp.JSONExtract) and isinstance(cast.this.this, exp.Parameter):
            cast.replace(_extracted(cast))
    for parameter in list(select.find_all(exp.Parameter)):
        parameter.replace(exp.column(f"${parameter.name}", quoted=True))
    for number in list(select.find_all(exp.Seq8)):
        number.replace(exp.column(_ROW, quoted=True))


def _extracted(cast: exp.Cast) -> exp.Expr:
    """``$1:key::TYPE`` of a JSON line.

    Raises:
        NotImplementedError: For exact decimals, as DuckDB reads JSON's numbers through doubles.
    """
    keys = [part.this for part in cast.this.expression.expressions if isinstance(part, exp.JSONPathKey)]
    path = exp.Literal.string("$" + "".join('."' + key.replace('"', '\\"') + '"' for key in keys))
    column = exp.column(f"${cast.this.this.name}", quoted=True)
    kind: exp.DataType = cast.to
    if kind.this in _NESTED:
        return exp.func("json_extract", column, path)
    if (
        kind.this == exp.DataType.Type.DECIMAL
        and len(kind.expressions) > 1
        and kind.expressions[1].name != "0"
    ):
        raise NotImplementedError("A decimal from a staged JSON file, exactly")
    text: exp.Expr = exp.func("json_extract_string", column, path)
    if kind.this == exp.DataType.Type.TIMESTAMPNTZ:  # the clock as it was written, wherever it hung
        text = exp.func("regexp_replace", text, exp.Literal.string(_OFFSET), exp.Literal.string(""))
    return exp.cast(text, kind)
