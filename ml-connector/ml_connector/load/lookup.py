"""Looking into the ledger and its tables, without writing anything."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ml_connector.load.errors import LoadError
from ml_connector.load.ledger import SchemaSeen
from ml_connector.load.options import own_options
from ml_connector.load.sql import audit
from ml_connector.load.sql.dialect import Existing, existing_tables
from ml_connector.load.sql.identifiers import given, identifier, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.load.connection import Connection
    from ml_connector.load.schema import Column
    from ml_connector.load.sql.dialect import Dialect


class Lookup:
    """A session that only looks.

    Args:
        connection: A way to the warehouse.
        dialect: Its SQL.
        config: The target's settings.
    """

    def __init__(self, connection: Connection, dialect: Dialect, config: Mapping[str, Any]) -> None:
        self.connection = connection
        self.dialect = dialect
        self.config = config
        self.audit_schema = given(str(config["audit_schema"]), "upper")
        self.case = str(config["identifier_case"])

    @cached_property
    def ledger_tables(self) -> dict[str, Existing]:
        """The ledger's tables.

        Raises:
            LoadError: If there is no ledger.
        """
        found = self.tables_of(self.audit_schema)
        if not found or "BATCHES" not in found:
            raise LoadError(
                f"There is no ledger in schema {self.audit_schema}: nothing was ever loaded with these"
                " settings (audit_schema says where it is)."
            )
        return found

    def tables_of(self, schema: str) -> dict[str, Existing] | None:
        """The tables of a schema; None if there is no such schema."""
        return existing_tables(self.connection.execute(*self.dialect.catalog(schema)))

    def ledger_rows(self, table: str) -> str:
        """An audit table as what follows FROM; columns that an earlier version did not write are null."""
        existing = self.ledger_tables.get(table)
        has = existing.columns if existing else {}
        chosen = [
            quoted(column.name)
            if column.name in has
            else f"CAST(NULL AS {self.dialect.type_of(column)}) AS {quoted(column.name)}"
            for column in audit.COLUMNS[table]
        ]
        none = "" if existing else " WHERE 1 = 0"
        source = quoted(self.audit_schema, table) if existing else "(SELECT 1) nothing"
        return f"(SELECT {', '.join(chosen)} FROM {source}{none})"

    def select(self, sql: str, parameters: Sequence[Any], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Run a query and name what it gives."""
        return [
            dict(zip(columns, row, strict=True)) for row in self.connection.execute(sql, list(parameters))
        ]

    @cached_property
    def schemas(self) -> dict[str, SchemaSeen]:
        """The newest schema of each stream that was ever loaded."""
        rows = self.connection.execute(
            'SELECT "STREAM", "SCHEMA", "KEY_PROPERTIES", "SHA256", "TARGET_TABLE" FROM'
            ' (SELECT s.*, ROW_NUMBER() OVER (PARTITION BY "STREAM" ORDER BY "SEEN_AT" DESC) AS "ML_LAST"'
            f' FROM {self.ledger_rows("SCHEMAS")} s) n WHERE "ML_LAST" = 1'
        )
        return {
            str(stream): SchemaSeen(str(schema), str(keys), str(digest), table)
            for stream, schema, keys, digest, table in rows
        }

    def table_of(self, stream: str) -> tuple[str, str] | None:
        """Schema and table of a stream, as the ledger has them; None if it does not say."""
        seen = self.schemas.get(stream)
        spoken = seen.target_table if seen else None
        if not spoken:
            # an earlier version wrote it with the batches only
            sql = (
                f'SELECT "TARGET_TABLE" FROM {self.ledger_rows("BATCHES")} b WHERE "STREAM" = ?'
                ' ORDER BY "SEQUENCE" DESC, "BATCH_ID" DESC LIMIT 1'
            )
            rows = self.connection.execute(sql, [stream])
            spoken = rows[0][0] if rows else None
        if not spoken:
            return None
        schema, _, name = str(spoken).partition(".")
        return schema, name

    @cached_property
    def tables(self) -> dict[tuple[str, str], str]:
        """Every table that the ledger knows, with its stream."""
        rows = self.connection.execute(
            f'SELECT DISTINCT "TARGET_TABLE", "STREAM" FROM {self.ledger_rows("BATCHES")} b'
            ' WHERE "TARGET_TABLE" IS NOT NULL'
        )
        spoken = {str(table): str(stream) for table, stream in rows}
        spoken |= {seen.target_table: stream for stream, seen in self.schemas.items() if seen.target_table}
        return {
            (table.partition(".")[0], table.partition(".")[2]): stream for table, stream in spoken.items()
        }

    def column_of(self, stream: str | None, name: str, columns: Mapping[str, Any]) -> str | None:
        """The column of a property, or of a column however it is written; None if there is none."""
        renamed = (own_options(stream, self.config).get("columns") or {}) if stream else {}
        candidates = [name, given(renamed[name], self.case)] if name in renamed else [name]
        candidates += [identifier(name, self.case), f"{identifier(name, self.case)}_"]
        lowered = {column.lower(): column for column in columns}
        for candidate in candidates:
            if candidate in columns:
                return candidate
            if candidate.lower() in lowered:
                return lowered[candidate.lower()]
        return None

    def column(self, name: str, existing: Existing) -> Column | None:
        """A column as its table has it; None for a type that is none of ours."""
        return self.dialect.column_of(name, existing.columns[name])
