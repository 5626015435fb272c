"""What the demo asks of the warehouse, through Snowflake's own connector."""

from __future__ import annotations

from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import snowflake.connector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BOOKKEEPING = ("_SDC_", "_ML_")


@dataclass(frozen=True)
class Snapshot:
    """The content of one table: how often each row occurs, and how many rows are marked deleted."""

    rows: Counter[tuple[Any, ...]]
    deleted: int


@dataclass(frozen=True)
class Warehouse:
    """One open connection, and the schema the demo loads."""

    connection: Any
    schema: str

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of one statement."""
        with closing(self.connection.cursor()) as cursor:
            return list(cursor.execute(sql, parameters or None).fetchall())

    def columns(self) -> dict[str, list[str]]:
        """Columns of each table of the schema."""
        found: dict[str, list[str]] = {}
        for table, column in self.query(
            "SELECT table_name, column_name FROM information_schema.columns"
            f" WHERE table_schema = '{self.schema}' ORDER BY table_name, ordinal_position",
        ):
            found.setdefault(table, []).append(column)
        return found

    def snapshot(self) -> dict[str, Snapshot]:
        """Every table's business content, without the columns that say when it came."""
        return {table: self._snapshot(table, columns) for table, columns in self.columns().items()}

    def _snapshot(self, table: str, columns: list[str]) -> Snapshot:
        data = [name for name in columns if not name.startswith(BOOKKEEPING)]
        wanted = ", ".join(f'"{name}"' for name in [*data, "_SDC_DELETED_AT"])
        rows = self.query(f'SELECT {wanted} FROM "{self.schema}"."{table}"')
        return Snapshot(
            rows=Counter(row[:-1] for row in rows),
            deleted=sum(row[-1] is not None for row in rows),
        )

    def totals(self, table: str, measures: Mapping[str, str]) -> dict[str, dict[str, Decimal]]:
        """Count and sums by company of the rows that are not deleted.

        Args:
            table: The table.
            measures: Source field to column.
        """
        columns = "".join(f', "{column}"' for column in measures.values())
        rows = self.query(
            f'SELECT "SOURCE_COMPANY"{columns} FROM "{self.schema}"."{table}"'
            ' WHERE "_SDC_DELETED_AT" IS NULL',
        )
        found: dict[str, dict[str, Decimal]] = {}
        for company, *values in rows:
            sums = found.setdefault(company, dict.fromkeys(["count", *measures], Decimal(0)))
            sums["count"] += 1
            for measure, value in zip(measures, values, strict=True):
                sums[measure] += value or 0
        return found

    def rejected(self, audit_schema: str = "ML_AUDIT") -> Counter[str]:
        """Open dead letters by stream."""
        rows = self.query(f"SELECT stream FROM {audit_schema}.dead_letters WHERE status = 'open'")
        return Counter(stream for (stream,) in rows)


@contextmanager
def connected(settings: Mapping[str, Any], *, schema: str) -> Iterator[Warehouse]:
    """Log on, make the demo's database, and log off at the end."""
    with closing(snowflake.connector.connect(**settings)) as connection:
        database = settings["database"]
        connection.cursor().execute(f"CREATE DATABASE IF NOT EXISTS {database}")
        connection.cursor().execute(f"USE DATABASE {database}")
        yield Warehouse(connection, schema)
