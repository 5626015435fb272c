"""COPY INTO a table, of Parquet by column name; other files are read by fakesnow.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import fakesnow.copy_into as fakesnow_copy
from fakesnow.transforms import stage
from sqlglot import exp

from erp_sandbox.snowflake import catalog, names, parameters, staged
from erp_sandbox.snowflake.fitting import fitted
from erp_sandbox.snowflake.functions import Functions
from erp_sandbox.snowflake.grammar import parse
from erp_sandbox.snowflake.refusals import Refusal, compilation, not_found

if TYPE_CHECKING:
    import duckdb

_DEFAULT_NULLS = ["\\N"]
"""NULL_IF of ``TYPE = PARQUET`` where none is given: the page lists it for Parquet as for the other types."""
_SEMI = {"VARIANT", "OBJECT", "ARRAY"}


def run(connection: Any, sql: str) -> str:
    """Copy files.

    Args:
        connection: fakesnow's connection of the session.
        sql: The statement.

    Returns:
        A statement whose result is COPY's.
    """
    parsed = parse(sql)
    if not isinstance(parsed, exp.Copy):
        return sql
    parameters.fold(connection, parsed)
    if isinstance(parsed.args["files"][0], exp.Subquery):
        return _of_query(connection, parsed) or sql
    options = _options(parsed)
    if not isinstance(parsed.this, exp.Table) or str(options.get("TYPE", "")).upper() != "PARQUET":
        return sql
    return _of_parquet(connection, parsed, options)


def _of_parquet(connection: Any, parsed: exp.Copy, options: dict[str, Any]) -> str:
    match = str(options.get("MATCH_BY_COLUMN_NAME", "NONE")).upper()
    if match == "NONE":
        raise compilation(
            "002019",
            "0A000",
            "PARQUET file format can produce one and only one column of type variant, object, or array."
            " Load data into separate columns using the MATCH_BY_COLUMN_NAME copy option or copy with"
            " transformation.",
        )
    name = names.whole(connection, parsed.this)
    if not names.exists(connection, name):
        raise not_found("Table", name.shown)
    source = parsed.args["files"][0].this.name[1:]
    url = fakesnow_copy.stage_url_from_var(
        source,
        _duck(connection),
        connection.database,
        connection.schema,
        connection.table_stages,
        parsed.this,
    )
    path = stage.file_path(url)
    files = [path] if os.path.isfile(path) else _below(path)  # noqa: PTH113 - fakesnow's are texts
    if not files:
        return "SELECT 'Copy executed with 0 files processed.' AS \"status\""
    names.begin(connection)
    results = []
    for file in files:
        sensitive = match == "CASE_SENSITIVE"
        count = _load(connection, name, file, sensitive=sensitive, nulls=options["NULL_IF"])
        results.append((source, count))
        if options.get("PURGE") is True:
            os.remove(file)  # noqa: PTH107
    return _copied(results)


def _load(connection: Any, name: names.Name, path: str, *, sensitive: bool, nulls: list[str]) -> int:
    duck = _duck(connection)
    functions = Functions(parameters.parameters(connection))
    columns = catalog.columns(connection, name)
    by_name = {column.name if sensitive else column.name.upper(): column for column in columns}
    pairs = []
    for given, kind, *_ in duck.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall():
        column = by_name.get(given if sensitive else given.upper())
        if column is not None:
            pairs.append((column, _value(functions, column, given, kind, nulls)))
    if not pairs:
        raise Refusal("100144", "22000", f"No column of {os.path.basename(path)} is one of {name.shown}.")  # noqa: PTH119
    into = ", ".join(names.quoted(column.name) for column, _ in pairs)
    values = ", ".join(value for _, value in pairs)
    functions.create(duck)
    (count,) = duck.execute(
        f"INSERT INTO {names.place(connection, name)} ({into}) SELECT {values} FROM read_parquet(?)", [path]
    ).fetchone() or (0,)
    return int(count)


def _value(functions: Functions, column: catalog.Column, given: str, kind: str, nulls: list[str]) -> str:
    """A file's value as its column takes it."""
    value = names.quoted(given)
    if kind == "VARCHAR":
        for null in nulls:
            value = f"nullif({value}, {names.literal(null)})"
        if column.kind in _SEMI:  # a text in a file is a text in a VARIANT, whatever it looks like
            return f"to_json({functions.fits(16_777_216)}({value}))"
    if kind in {"TIMESTAMP_NS", "TIMESTAMPTZ_NS", "TIME_NS"}:
        kind = {"TIMESTAMP_NS": "TIMESTAMP", "TIMESTAMPTZ_NS": "TIMESTAMP WITH TIME ZONE", "TIME_NS": "TIME"}[
            kind
        ]
        value = f"{functions.whole_microseconds(kind)}({value})"
    if column.kind in _SEMI and kind != "JSON":
        return f"to_json({value})"
    return fitted(functions, kind, column, value)


def _of_query(connection: Any, parsed: exp.Copy) -> str | None:
    """COPY of what a query makes of staged files."""
    source = parsed.args["files"][0].this.args["from_"].this.name
    insert = staged.insertion(connection, parsed)
    if insert is None:
        return None
    (count,) = _duck(connection).execute(insert).fetchone() or (0,)
    return _copied([(source[1:], count)])


def _options(parsed: exp.Copy) -> dict[str, Any]:
    """The statement's options, those of its file format among them."""
    found: dict[str, Any] = {"NULL_IF": _DEFAULT_NULLS}
    for parameter in parsed.args.get("params") or []:
        if parameter.args.get("expression") is not None:
            found[parameter.name.upper()] = _read(parameter.expression)
        for each in parameter.expressions:
            found[each.name.upper()] = _read(each.args["value"])
    return found


def _read(value: exp.Expr) -> Any:
    if isinstance(value, exp.Tuple):
        return [each.name for each in value.expressions]
    if isinstance(value, exp.Paren):
        return [value.this.name]
    return value.this if isinstance(value, exp.Boolean) else value.name


def _below(folder: str) -> list[str]:
    return sorted(os.path.join(base, name) for base, _, found in os.walk(folder) for name in found)  # noqa: PTH118


def _copied(results: list[tuple[str, int]]) -> str:
    rows = ", ".join(
        f"({names.literal(file)}, 'LOADED', {count}, {count}, 1, 0,"
        " NULL::VARCHAR, NULL::BIGINT, NULL::BIGINT, NULL::VARCHAR)"
        for file, count in results
    )
    titles = "file, status, rows_parsed, rows_loaded, error_limit, errors_seen, first_error"
    titles += ", first_error_line, first_error_character, first_error_column_name"
    shown = ", ".join(f'{title} AS "{title}"' for title in titles.split(", "))
    return f"SELECT {shown} FROM (VALUES {rows}) AS copied({titles})"


def _duck(connection: Any) -> duckdb.DuckDBPyConnection:
    duck: duckdb.DuckDBPyConnection = connection._duck_conn  # noqa: SLF001 - there is no public way there
    return duck
