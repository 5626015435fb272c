"""Snowflake's SQL, where it is not what every warehouse speaks.

Types: https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.load.limits import Limits
from ml_connector.load.schema import Column, Kind
from ml_connector.load.sql.dialect import Dialect
from ml_connector.load.sql.identifiers import quoted
from typing_extensions import override

from target_snowflake_ml.casts import TYPES, text_to_column, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml_connector.load.connection import Statement

_KINDS = {
    "VARCHAR": Kind.STRING,
    "TEXT": Kind.STRING,
    "STRING": Kind.STRING,
    "NUMBER": Kind.DECIMAL,
    "DECIMAL": Kind.DECIMAL,
    "FLOAT": Kind.DOUBLE,
    "DOUBLE": Kind.DOUBLE,
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "TIMESTAMP_TZ": Kind.TIMESTAMP_TZ,
    "TIMESTAMP_LTZ": Kind.TIMESTAMP_TZ,
    "TIMESTAMP_NTZ": Kind.TIMESTAMP_NTZ,
    "TIME": Kind.TIME,
    "VARIANT": Kind.VARIANT,
    "BINARY": Kind.BINARY,
}
_WRITTEN = {
    # the session's output formats keep three digits of a fraction, or none
    Kind.TIMESTAMP_TZ: "TO_VARCHAR({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM')",
    Kind.TIMESTAMP_NTZ: "TO_VARCHAR({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')",
    Kind.TIME: "TO_VARCHAR({}, 'HH24:MI:SS.FF9')",
    Kind.DATE: "TO_VARCHAR({}, 'YYYY-MM-DD')",
    # a number as text has nine or ten digits, as JSON it has all that tell it from its neighbours
    Kind.DOUBLE: "TO_JSON(TO_VARIANT({}))",
    Kind.BINARY: "TO_VARCHAR({}, 'HEX')",
    Kind.VARIANT: "TO_JSON({})",
}
MEGABYTES_16, MEGABYTES_8 = 16_777_216, 8_388_608


class SnowflakeDialect(Dialect):
    """Snowflake."""

    name = "Snowflake"
    longest_comment = 4_000
    longest_text = MEGABYTES_16
    reserved_columns = frozenset(
        {
            # refused as columns even when quoted: https://docs.snowflake.com/en/sql-reference/reserved-keywords
            "CURRENT_DATE",
            "CURRENT_TIME",
            "CURRENT_TIMESTAMP",
            "CURRENT_USER",
            "LOCALTIME",
            "LOCALTIMESTAMP",
        }
    )
    # https://docs.snowflake.com/en/sql-reference/data-types-text and data-types-semistructured
    limits = Limits(
        text_bytes=MEGABYTES_16,
        binary_bytes=MEGABYTES_8,
        variant_bytes=MEGABYTES_16,
        depth=1_000,
    )

    @property
    @override
    def types(self) -> Mapping[Kind, str]:
        return TYPES

    @property
    @override
    def kinds(self) -> Mapping[str, Kind]:
        return _KINDS

    @override
    def type_of(self, column: Column) -> str:
        return type_of(column)

    @override
    def literal(self, text: str) -> str:
        # backslashes are escapes: https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

    @override
    def from_text(self, column: Column, text: str) -> str:
        return text_to_column(column, text)

    @override
    def to_text(self, column: Column, expression: str) -> str:
        return _WRITTEN.get(column.kind, "TO_VARCHAR({})").format(expression)

    @override
    def text_rows(self) -> tuple[str, str]:
        return "TABLE(FLATTEN(INPUT => PARSE_JSON(?))) r", "r.VALUE[{}]::VARCHAR"

    @override
    def to_variant(self, expression: str) -> str:
        return f"TO_VARIANT({expression})"

    @override
    def other_zone(self, expression: str, wanted: Column) -> str:
        if wanted.kind is Kind.TIMESTAMP_NTZ:
            return f"CAST(CONVERT_TIMEZONE('UTC', {expression}) AS TIMESTAMP_NTZ)"
        # the session's zone is UTC
        return f"CAST({expression} AS TIMESTAMP_TZ)"

    @override
    def just_after(self, expression: str) -> str:
        return f"TIMESTAMPADD(MICROSECOND, 1, {expression})"

    @override
    def catalog(self, schema: str, table: str | None = None) -> Statement:
        sql = (
            "SELECT t.TABLE_NAME, t.COMMENT, c.COLUMN_NAME, c.DATA_TYPE, c.NUMERIC_PRECISION,"
            " c.NUMERIC_SCALE, c.CHARACTER_MAXIMUM_LENGTH, c.DATETIME_PRECISION, c.IS_NULLABLE, c.COMMENT"
            " FROM INFORMATION_SCHEMA.SCHEMATA s"
            " LEFT JOIN INFORMATION_SCHEMA.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME"
            " LEFT JOIN INFORMATION_SCHEMA.COLUMNS c"
            " ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME"
            " WHERE s.SCHEMA_NAME = ?"
        )
        order = " ORDER BY t.TABLE_NAME, c.ORDINAL_POSITION"
        if table is None:
            return sql + order, (schema,)
        return f"{sql} AND t.TABLE_NAME = ?{order}", (schema, table)

    @override
    def create_table(
        self,
        path: str,
        columns: Iterable[tuple[Column, bool, str | None]],
        keys: Sequence[str],
        *,
        comment: str | None,
        cluster_by: Sequence[str],
        transient: bool,
    ) -> list[str]:
        parts = [
            f"{quoted(column.name)} {self.type_of(column)}{'' if nullable else ' NOT NULL'}"
            + (f" COMMENT {self.literal(text)}" if text else "")
            for column, nullable, text in columns
        ]
        if keys:
            parts.append(f"PRIMARY KEY ({', '.join(map(quoted, keys))})")
        cluster = f" CLUSTER BY ({', '.join(map(quoted, cluster_by))})" if cluster_by else ""
        about = f" COMMENT = {self.literal(comment)}" if comment else ""
        kind = "TRANSIENT TABLE" if transient else "TABLE"
        return [f"CREATE {kind} IF NOT EXISTS {path} ({', '.join(parts)}){cluster}{about}"]

    @override
    def comments(self, path: str, columns: Mapping[str, str], table: str | None) -> list[str]:
        statements = []
        if columns:
            # many columns in one statement: https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
            parts = ", ".join(
                f"COLUMN {quoted(name)} COMMENT {self.literal(text)}" for name, text in columns.items()
            )
            statements.append(f"ALTER TABLE {path} ALTER {parts}")
        if table is not None:
            statements.append(f"COMMENT ON TABLE {path} IS {self.literal(table)}")
        return statements

    @override
    def add_column(self, path: str, column: Column, comment: str | None) -> list[str]:
        about = f" COMMENT {self.literal(comment)}" if comment else ""
        return [f"ALTER TABLE {path} ADD COLUMN {quoted(column.name)} {self.type_of(column)}{about}"]

    @override
    def primary_key(self, path: str) -> Statement:
        return f"SHOW PRIMARY KEYS IN TABLE {path}", ()

    @override
    def stream_of_changes(self, schema: str, table: str) -> list[str]:
        stream = quoted(schema, f"{table}_STREAM")
        return [f"CREATE STREAM IF NOT EXISTS {stream} ON TABLE {quoted(schema, table)}"]
