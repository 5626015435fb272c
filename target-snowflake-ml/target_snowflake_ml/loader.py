"""How one batch gets into its table: the story of the transaction, top to bottom."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ml_connector.load.errors import LoadError
from ml_connector.load.retry import retrying

from target_snowflake_ml.ledger import now, stamp
from target_snowflake_ml.sql import load as sql
from target_snowflake_ml.sql.identifiers import quoted

if TYPE_CHECKING:
    from ml_connector.load.decode import Rejection
    from ml_connector.load.schema import Column
    from ml_connector.load.spool import Manifest, Spool

    from target_snowflake_ml.connections import Connection
    from target_snowflake_ml.ledger import Ledger
    from target_snowflake_ml.sql.table import Table

logger = logging.getLogger(__name__)
ARRIVING = "__ML_ARRIVING"


@dataclass(frozen=True)
class Batch:
    """A spooled batch and what the ledger says of it.

    Attributes:
        manifest: Its file.
        rejections: Records of it that go to DEAD_LETTERS.
        numbers: Line numbers in the input of its lines.
        facts: Columns of its row in BATCHES that only the reader knows.
    """

    manifest: Manifest
    rejections: list[Rejection]
    numbers: list[int]
    facts: dict[str, Any]


class Loader:
    """Loads batches over one connection, and keeps the ledger with them."""

    def __init__(
        self, connection: Connection, ledger: Ledger, spool: Spool, *, hard_delete: bool, retry_seconds: float
    ) -> None:
        self.connection = connection
        self.ledger = ledger
        self.spool = spool
        self._hard_delete = hard_delete
        self._retry_seconds = retry_seconds
        self._settled: dict[str, dict[str, Column]] = {}
        self._replacing: dict[str, Table] = {}
        self._schemas: set[str] = set()

    @property
    def replacing(self) -> bool:
        """Whether a table is being overwritten: until it is, no state may be let out."""
        return bool(self._replacing)

    def prepare(self, table: Table, *, overwrite: bool) -> None:
        """Make the table, or grow it to what the stream sends now.

        Raises:
            LoadError: If a column cannot take what the stream sends.
        """
        self._retrying(f"Table {table.schema}.{table.name}", lambda _: self._prepare(table))
        if overwrite:
            arriving = replace(table, name=table.name + ARRIVING, transient=True, cluster_by=())
            if table.path not in self._replacing:
                self.connection.execute(f"DROP TABLE IF EXISTS {arriving.path}")
            self._retrying(f"Table {arriving.schema}.{arriving.name}", lambda _: self._prepare(arriving))
            self._replacing[table.path] = table

    def load(self, table: Table, batch: Batch) -> None:
        """Load one batch, again and again while what fails may pass.

        Raises:
            LoadError: If it fails for good; the batch stays in the spool with its manifest.
        """
        first = now()
        row = {
            "BATCH_ID": batch.manifest.batch_id,
            "RUN_ID": self.ledger.run_id,
            "STREAM": batch.manifest.stream,
            "TARGET_TABLE": f"{table.schema}.{table.name}",
            "LOAD_METHOD": batch.manifest.load_method,
            "RECORDS_READ": len(batch.numbers),
            "RECORDS_LOADED": batch.manifest.records,
            "RECORDS_REJECTED": len(batch.rejections),
            "BYTES": batch.manifest.bytes,
            "SHA256": batch.manifest.sha256,
            "FIRST_ATTEMPT_AT": stamp(first),
            **batch.facts,
        }
        attempts = 0

        def attempt(number: int) -> None:
            nonlocal attempts
            attempts = number
            if number > 1 and self.ledger.is_loaded(batch.manifest.batch_id):
                return  # the commit went through, only its answer was lost
            self._load(table, batch, {**row, "ATTEMPTS": number})

        try:
            self._retrying(f"Batch {batch.manifest.batch_id} of '{batch.manifest.stream}'", attempt)
        except LoadError as error:
            batch.manifest.error = str(error)
            self.spool.keep(batch.manifest)
            self.ledger.failed_batch({**row, "ATTEMPTS": attempts, "RECORDS_LOADED": 0, "ERROR": str(error)})
            raise
        self.ledger.read += len(batch.numbers)
        self.ledger.loaded += batch.manifest.records
        self.ledger.rejected += len(batch.rejections)
        self.spool.drop(batch.manifest.batch_id)

    def retire(self, table: Table, version: int) -> None:
        """Mark or remove the rows that a full read no longer brought."""
        statement = sql.retire(table, version, hard_delete=self._hard_delete)
        self._retrying(f"Deletes of '{table.stream}'", lambda _: self.connection.execute(statement))

    def finish_overwrites(self) -> None:
        """Put what arrived in place of the old rows, each table in one transaction."""
        for path, table in list(self._replacing.items()):
            arriving = table.name + ARRIVING
            self._retrying(
                f"Overwriting {table.schema}.{table.name}",
                lambda _, table=table, arriving=arriving: self._in_transaction(sql.replace(table, arriving)),
            )
            self.connection.execute(f"DROP TABLE IF EXISTS {quoted(table.schema, arriving)}")
            del self._replacing[path]

    def _prepare(self, table: Table) -> None:
        execute = self.connection.execute
        if table.schema not in self._schemas:
            execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.schema)}")
            execute(f"CREATE STAGE IF NOT EXISTS {quoted(table.schema, sql.STAGE)}")
            self._schemas.add(table.schema)
        execute(table.create())
        existing = self._columns(table)
        statements = table.grow(existing)
        for statement in statements:
            execute(statement)
        if statements:
            existing = self._columns(table)
        self._settled[table.path] = table.settled(existing)

    def _columns(self, table: Table) -> dict[str, str]:
        """Name and declared type of each column the table has."""
        return {str(row[0]): str(row[1]) for row in self.connection.execute(f"DESCRIBE TABLE {table.path}")}

    def _load(self, table: Table, batch: Batch, row: dict[str, Any]) -> None:
        execute = self.connection.execute
        self.connection.statement_ids.clear()
        overwrite = batch.manifest.load_method == "overwrite"
        into = replace(table, name=table.name + ARRIVING) if overwrite else table
        settled = self._settled[into.path]
        file = f"{batch.manifest.batch_id}.parquet"
        staged = f"ML_STAGED_{batch.manifest.batch_id}"
        if batch.manifest.records:
            # DDL commits implicitly in Snowflake: all of it comes before BEGIN
            execute(f"USE SCHEMA {quoted(table.schema)}")
            execute(f"DROP TABLE IF EXISTS {quoted(staged)}")
            execute(sql.create_staged(staged, table.columns))
            execute(sql.put(str(self.spool.path(batch.manifest.batch_id).resolve()), table.schema))
            execute(sql.copy(table.schema, staged, file, table.columns))
            if batch.manifest.load_method == "upsert":
                statements = sql.merge(into, staged, settled, hard_delete=self._hard_delete)
            else:
                statements = sql.insert(into, staged, settled)
        else:
            statements = []
        self._in_transaction(statements, batch=batch, row=row)
        if batch.manifest.records:
            with suppress(LoadError):  # the rows are in; what is left behind is only untidy
                execute(f"DROP TABLE IF EXISTS {quoted(staged)}")
                execute(sql.remove(table.schema, file))

    def _in_transaction(
        self, statements: list[str], *, batch: Batch | None = None, row: dict[str, Any] | None = None
    ) -> None:
        execute = self.connection.execute
        execute("BEGIN")
        try:
            for statement in statements:
                execute(statement)
            if batch and row:
                self.ledger.dead_letters(
                    batch.manifest.stream, batch.manifest.batch_id, batch.rejections, batch.numbers
                )
                ids = ",".join(self.connection.statement_ids)
                self.ledger.batch(
                    {**row, "STATUS": "loaded", "LOADED_AT": stamp(now()), "STATEMENT_IDS": ids}
                )
            execute("COMMIT")
        except LoadError:
            with suppress(LoadError):
                execute("ROLLBACK")
            raise

    def _retrying(self, what: str, call: Any) -> None:
        retrying(call, seconds=self._retry_seconds, what=what, logger=logger)
