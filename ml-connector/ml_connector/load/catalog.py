"""What a warehouse already has, looked up before anything is made: one query a schema."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from ml_connector.load.errors import LoadError, TransientLoadError
from ml_connector.load.sql.audit import LEDGER
from ml_connector.load.sql.dialect import Existing, existing_tables
from ml_connector.load.sql.table import actual_columns, backfill_history, create, grow

if TYPE_CHECKING:
    from collections.abc import Callable

    from ml_connector.load.connection import Connection
    from ml_connector.load.schema import Column
    from ml_connector.load.sql.dialect import Dialect
    from ml_connector.load.sql.table import Growth, Table

logger = logging.getLogger(__name__)

_MOST_ROUNDS = 3


class Catalog:
    """The tables of a database, as far as they were asked for; sessions side by side share it.

    Args:
        dialect: The warehouse.
        record_change: Told the stream and what changed in its table.
        create_streams: Whether the warehouse is to follow each table's changes.
    """

    def __init__(
        self, dialect: Dialect, record_change: Callable[[str, str], None], *, create_streams: bool = False
    ) -> None:
        self._dialect = dialect
        self._record_change = record_change
        self._streams = create_streams
        self._tables: dict[str, dict[str, Existing] | None] = {}
        self._ready: dict[str, tuple[Table, dict[str, Column]]] = {}
        self._comments = True
        self._lock = threading.RLock()

    def ensure(self, connection: Connection, table: Table) -> dict[str, Column]:
        """Make a table, or let it grow to what its stream sends now.

        Args:
            connection: A way to the warehouse.
            table: The table.

        Returns:
            Its columns as the warehouse has them.

        Raises:
            LoadError: If a column cannot take what the stream sends, or something may not be made.
        """
        ready = self._ready.get(table.path)
        if ready is not None and ready[0] == table:
            return ready[1]
        for round_ in range(_MOST_ROUNDS):
            planned = self._existing(connection, table)
            try:
                existing = self._prepared(connection, table, planned)
                break
            except TransientLoadError:
                self.forget(table)
                raise
            except LoadError:
                # another run may have done the same meanwhile
                self.forget(table)
                if round_ + 1 == _MOST_ROUNDS or self._existing(connection, table) == planned:
                    raise
        actual = actual_columns(table, existing, self._dialect)
        self._ready[table.path] = (table, actual)
        return actual

    def existing(self, connection: Connection, table: Table) -> Existing | None:
        """A table as the warehouse has it; None if there is none."""
        return self._existing(connection, table)

    def forget(self, table: Table) -> None:
        """Look a table up again when it is needed next."""
        with self._lock:
            self._ready.pop(table.path, None)
            self._tables.pop(table.schema, None)

    def changed(self, connection: Connection, table: Table) -> bool:
        """Look a table up again, and tell whether it is another than was thought."""
        with self._lock:
            known = (self._tables.get(table.schema) or {}).get(table.name)
        self.forget(table)
        return self._existing(connection, table) != known

    def _existing(self, connection: Connection, table: Table) -> Existing | None:
        with self._lock:
            if table.schema not in self._tables:
                rows = connection.execute(*self._dialect.catalog(table.schema))
                self._tables[table.schema] = existing_tables(rows)
            return (self._tables[table.schema] or {}).get(table.name)

    def _again(self, connection: Connection, table: Table) -> Existing:
        """Look one table up after it was changed."""
        rows = connection.execute(*self._dialect.catalog(table.schema, table.name))
        found = (existing_tables(rows) or {}).get(table.name)
        if found is None:
            raise TransientLoadError(f"{table.spoken} was dropped while it was being prepared.")
        with self._lock:
            (self._tables.get(table.schema) or {})[table.name] = found
        return found

    def _prepared(self, connection: Connection, table: Table, existing: Existing | None) -> Existing:
        dialect = self._dialect
        if existing is None:
            self._make(connection, table)
            existing = self._as_made(table)
        growth = grow(table, existing, dialect)
        if growth.drops_key and (asked := dialect.primary_key(table.path)) and connection.execute(*asked):
            growth.statements.insert(0, dialect.drop_primary_key(table.path))
        for statement in growth.statements:
            connection.execute(statement)
        if growth.statements:
            existing = self._again(connection, table)
        for change in growth.changes:
            if table.stream != LEDGER:
                self._record_change(table.stream, f"{table.spoken}: {change}")
        if table.history:
            connection.execute(backfill_history(table))
        if self._streams and table.stream != LEDGER:
            for statement in self._dialect.stream_of_changes(table.schema, table.name):
                connection.execute(statement)
        self._write_comments(connection, table, growth)
        return existing

    def _as_made(self, table: Table) -> Existing:
        """A table as it was just made, without asking for it."""
        columns = {
            column.name: self._dialect.declared(
                column, nullable=column.name not in table.keys, comment=table.comments.get(column.name)
            )
            for column in table.columns
        }
        existing = Existing(columns, table.comment)
        with self._lock:
            (self._tables.get(table.schema) or {})[table.name] = existing
        return existing

    def _make(self, connection: Connection, table: Table) -> None:
        with self._lock:
            if self._tables.get(table.schema) is None:
                connection.execute(self._dialect.create_schema(table.schema))
                self._tables[table.schema] = {}
        for statement in create(table, self._dialect):
            connection.execute(statement)

    def _write_comments(self, connection: Connection, table: Table, growth: Growth) -> None:
        """Bring comments up to date; a role that may not is told once, and nothing fails by it."""
        if not growth.comments or not self._comments:
            return
        try:
            for statement in growth.comments:
                connection.execute(statement)
        except TransientLoadError:
            raise
        except LoadError as error:
            self._comments = False
            logger.warning(
                "The comments of %s could not be brought up to date, nor will others be in this run: %s",
                table.spoken,
                error,
            )
