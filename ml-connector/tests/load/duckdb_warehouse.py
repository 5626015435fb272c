"""A warehouse of the tests' own: what a target has to bring, a dialect and a connection, over DuckDB."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import cached_property

import duckdb

from ml_connector.load.errors import LoadError, TransientLoadError
from ml_connector.load.schema import Kind
from ml_connector.load.settings import loading_settings
from ml_connector.load.sql.dialect import Dialect
from ml_connector.load.sql.identifiers import quoted
from ml_connector.load.target import WarehouseTarget
from singer_sdk import typing as th

TYPES = {
    Kind.STRING: "VARCHAR",
    Kind.DOUBLE: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP_TZ: "TIMESTAMPTZ",
    Kind.TIMESTAMP_NTZ: "TIMESTAMP",
    Kind.TIME: "TIME",
    Kind.VARIANT: "JSON",
    Kind.BINARY: "BLOB",
}
KINDS = {
    "VARCHAR": Kind.STRING,
    "DECIMAL": Kind.DECIMAL,
    "DOUBLE": Kind.DOUBLE,
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "TIMESTAMP WITH TIME ZONE": Kind.TIMESTAMP_TZ,
    "TIMESTAMP": Kind.TIMESTAMP_NTZ,
    "TIME": Kind.TIME,
    "JSON": Kind.VARIANT,
    "BLOB": Kind.BINARY,
}


class DuckDBDialect(Dialect):
    name = "DuckDB"
    default_schema = "main"
    declares_keys = False  # DuckDB would check it row by row
    types = TYPES
    kinds = KINDS

    def type_of(self, column):
        return super().type_of(column).replace("NUMERIC", "DECIMAL")

    def from_text(self, column, text):
        return f"unhex({text})" if column.kind is Kind.BINARY else f"CAST({text} AS {self.type_of(column)})"

    def to_text(self, column, expression):
        if column.kind is Kind.TIMESTAMP_TZ:
            return f"strftime({expression} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00')"
        return f"CAST({expression} AS VARCHAR)"

    def text_rows(self):
        return "(SELECT unnest(CAST(? AS JSON[])) AS v) r", "(r.v ->> {})"

    def may_widen_in_place(self, has, wanted):
        return False

    def catalog(self, schema, table=None):
        sql = (
            "SELECT t.table_name, t.comment, c.column_name,"
            " split_part(c.data_type, '(', 1), c.numeric_precision, c.numeric_scale, NULL, NULL,"
            " CASE WHEN c.is_nullable THEN 'YES' ELSE 'NO' END, c.comment FROM duckdb_schemas() s"
            " LEFT JOIN duckdb_tables() t ON t.schema_name = s.schema_name"
            " LEFT JOIN duckdb_columns() c"
            " ON c.schema_name = t.schema_name AND c.table_name = t.table_name WHERE s.schema_name = ?"
        )
        order = " ORDER BY t.table_name, c.column_index"
        return (
            (sql + order, (schema,))
            if table is None
            else (f"{sql} AND t.table_name = ?{order}", (schema, table))
        )


class DuckDBConnection:
    """Sessions are cursors of one database of the process.

    DuckDB sees no conflict between two transactions that insert the same key, so one goes after the other.
    """

    ids_follow = False
    transaction_bytes = None

    def __init__(self, database, turn):
        self.statement_ids = []
        self._turn = turn
        self._cursor = database.cursor()
        self._cursor.execute("SET TimeZone = 'UTC'")

    def execute(self, sql, parameters=()):
        try:
            self._cursor.execute(sql, list(parameters))
            return self._cursor.fetchall()
        except duckdb.TransactionException as error:
            raise TransientLoadError(f"DuckDB: {error}") from error
        except duckdb.Error as error:
            raise LoadError(f"DuckDB refused a statement: {error} The statement was: {sql}") from error

    def transaction(self, statements):
        with self._turn:
            self.execute("BEGIN")
            try:
                for statement in statements:
                    self.execute(*(statement() if callable(statement) else statement))
                self.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):  # it may have been committed
                    self._cursor.execute("ROLLBACK")
                raise

    def stage(self, schema, name, file):
        names = ", ".join(quoted(column.name) for column in file.columns)
        self.execute(
            f"CREATE OR REPLACE TABLE {quoted(schema, name)} AS SELECT {names} FROM read_parquet('{file.path}')"
        )

    def unstage(self, schema, names):
        for name in names:
            with suppress(LoadError):
                self.execute(f"DROP TABLE IF EXISTS {quoted(schema, name)}")

    def tag(self, what):
        pass

    def cancel(self):
        self._cursor.interrupt()

    def close(self):
        pass


class TargetDuckDB(WarehouseTarget):
    """A target of nothing but its settings, its dialect and its connection."""

    name = "ml-connector"  # its version is that of the package
    config_jsonschema = th.PropertiesList(
        th.Property("path", th.StringType, required=True), *loading_settings(parallel_loads=2)
    ).to_dict()

    @cached_property
    def database(self):
        return duckdb.connect(self.config["path"])

    @cached_property
    def turn(self):
        return threading.Lock()

    def open_dialect(self):
        return DuckDBDialect()

    def connect(self, what):
        return DuckDBConnection(self.database, self.turn)
