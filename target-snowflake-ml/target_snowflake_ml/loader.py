"""How one batch gets into its table: the story of the transaction, top to bottom."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ml_connector.load.dead_letters import COLUMNS as DEAD_LETTER_COLUMNS
from ml_connector.load.errors import LoadError
from ml_connector.load.retry import retrying
from ml_connector.secrets import redact

from target_snowflake_ml.ledger import now, stamp
from target_snowflake_ml.sql import history
from target_snowflake_ml.sql import load as sql
from target_snowflake_ml.sql.identifiers import quoted
from target_snowflake_ml.sql.ledger import columns_of
from target_snowflake_ml.sql.table import FROM as VALID_FROM
from target_snowflake_ml.sql.types import declared_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ml_connector.load.schema import Column
    from ml_connector.load.spool import Manifest, Spool

    from target_snowflake_ml.connections import Connection, Statement
    from target_snowflake_ml.ledger import Ledger
    from target_snowflake_ml.sql.table import Table

logger = logging.getLogger(__name__)
ARRIVING = "__ML_ARRIVING"
DEAD_LETTERS = columns_of("DEAD_LETTERS")


@dataclass(frozen=True)
class Replay:
    """How a batch is loaded that is not new.

    Rows that came since are newer: with a key, they stay as they are.

    Attributes:
        status: Its status in BATCHES.
        attempts: How often it was tried before.
        first_attempt_at: When it was tried first.
        also: Statements that belong into the same transaction, with their parameters.
    """

    status: str = "loaded"
    attempts: int = 0
    first_attempt_at: datetime | None = None
    also: Sequence[Statement] = ()


class Loader:
    """Loads batches over one connection, and keeps the ledger with them."""

    def __init__(
        self,
        connection: Connection,
        ledger: Ledger,
        spool: Spool,
        *,
        hard_delete: bool,
        create_streams: bool,
        retry_seconds: float,
    ) -> None:
        self.connection = connection
        self.ledger = ledger
        self.spool = spool
        self._hard_delete = hard_delete
        self._streams = create_streams
        self._retry_seconds = retry_seconds
        self._settled: dict[str, dict[str, Column]] = {}
        self._replacing: dict[str, Table] = {}
        self._found: dict[str, dict[str, dict[str, str]]] = {}

    @property
    def replacing(self) -> bool:
        """Whether a table is being overwritten: until it is, no state may be let out."""
        return bool(self._replacing)

    def prepare(self, table: Table, *, overwrite: bool) -> None:
        """Make the table, or grow it to what the stream sends now.

        Raises:
            LoadError: If a column cannot take what the stream sends.
        """

        def make(_: int) -> None:
            self._prepare(table)
            if overwrite:
                arriving = replace(table, name=table.name + ARRIVING, transient=True, cluster_by=())
                if table.path not in self._replacing:  # left behind by a run that was killed
                    self.connection.execute(f"DROP TABLE IF EXISTS {arriving.path}")
                    self._tables(table.schema).pop(arriving.name, None)
                self._prepare(arriving)

        self._retrying(f"Table {table.schema}.{table.name}", make)
        if overwrite:
            self._replacing[table.path] = table

    def start(self) -> None:
        """Open the session and write the run into the ledger."""
        self._retrying("The ledger", lambda _: self.ledger.start())

    def finish(self, error: str | None, *, stopped: bool = False) -> None:
        """Write the run's end into the ledger, and close the session."""
        # a run that failed has had its time for another try
        seconds = self._retry_seconds if error is None else 0
        try:
            retrying(
                lambda _: self.ledger.finish(error, stopped=stopped),
                seconds=seconds,
                what="The ledger",
                logger=logger,
            )
        except LoadError as failure:
            if error is None:
                raise
            logger.warning("The run's end could not be written to the ledger: %s", failure)
        finally:
            self.connection.close()

    def load(self, table: Table, manifest: Manifest, replay: Replay | None = None) -> None:
        """Load one batch, again and again while what fails may pass.

        Args:
            table: The table it is for.
            manifest: The batch.
            replay: How, if it is not a new one.

        Raises:
            LoadError: If it fails for good; the batch stays in the spool with its manifest.
        """
        read = manifest.records + manifest.rejected
        row = {
            "BATCH_ID": manifest.batch_id,
            "RUN_ID": manifest.run_id,
            "STREAM": manifest.stream,
            "TARGET_TABLE": f"{table.schema}.{table.name}",
            "LOAD_METHOD": manifest.load_method,
            "RECORDS_READ": read,
            "RECORDS_LOADED": manifest.records,
            "RECORDS_REJECTED": manifest.rejected,
            "BYTES": manifest.bytes,
            "SHA256": manifest.sha256,
            "FIRST_ATTEMPT_AT": stamp((replay and replay.first_attempt_at) or now()),
            **manifest.facts,
        }
        attempts = before = replay.attempts if replay else 0

        def attempt(number: int) -> None:
            nonlocal attempts
            attempts = before + number
            if number > 1 and self.ledger.is_loaded(manifest.batch_id):
                return  # the commit went through, only its answer was lost
            self._load(table, manifest, {**row, "ATTEMPTS": attempts}, replay)

        try:
            self._retrying(f"Batch {manifest.batch_id} of '{manifest.stream}'", attempt)
        except LoadError as error:
            manifest.error = redact(str(error))
            self.spool.keep(manifest)
            lost = {"RECORDS_LOADED": 0, "STATUS": "failed", "ATTEMPTS": attempts, "ERROR": manifest.error}
            with suppress(LoadError):  # the warehouse may not listen any more
                self.connection.transaction(self.ledger.failed({**row, **lost}))
            raise
        self.ledger.read += read
        self.ledger.loaded += manifest.records
        self.ledger.rejected += manifest.rejected
        self.spool.drop(manifest.batch_id)

    def mark(self, state: Mapping[str, Any]) -> None:
        """Write into the ledger how far each stream has come, before its state is let out."""
        if statements := self.ledger.watermarks(state):
            self.execute_all(statements)

    def execute_all(self, statements: Sequence[Statement]) -> None:
        """Run some statements in one transaction of their own."""
        self._retrying("The ledger", lambda _: self.connection.transaction(statements))

    def retire(self, table: Table, version: int) -> None:
        """Mark or remove the rows that a full read no longer brought."""
        if table.history:
            statement = history.retire(table, version)
        else:
            statement = sql.retire(table, version, hard_delete=self._hard_delete)
        self._retrying(f"Deletes of '{table.stream}'", lambda _: self.connection.execute(statement))

    def finish_overwrites(self) -> None:
        """Put what arrived in place of the old rows, each table in one transaction."""
        for table in list(self._replacing.values()):
            self._retrying(f"Overwriting {table.schema}.{table.name}", partial(self._replace, table))
            del self._replacing[table.path]

    def _replace(self, table: Table, _: int) -> None:
        arriving = replace(table, name=table.name + ARRIVING)
        settled = self._settled
        replacing = sql.replace(table, arriving.name, settled[arriving.path], settled[table.path])
        self.connection.transaction([(statement, ()) for statement in replacing])
        self._tables(table.schema).pop(arriving.name, None)
        with suppress(LoadError):  # the next run drops it too
            self.connection.execute(f"DROP TABLE IF EXISTS {arriving.path}")

    def _prepare(self, table: Table) -> None:
        execute = self.connection.execute
        existing = self._tables(table.schema).get(table.name)
        if existing is None:
            execute(table.create())
            existing = self._columns(table)
        statements = table.grow(existing)
        if table.history and VALID_FROM not in existing:
            statements += history.adopt(table)
        for statement in statements:
            execute(statement)
        if statements:
            existing = self._columns(table)
        self._found[table.schema][table.name] = existing
        if self._streams and not table.name.endswith(ARRIVING):
            execute(table.stream_of_changes())
        self._settled[table.path] = table.settled(existing)

    def _tables(self, schema: str) -> dict[str, dict[str, str]]:
        """Tables of a schema, asked for once: a run of many streams would else ask for each of them."""
        if schema not in self._found:
            execute = self.connection.execute
            execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            self._found[schema] = declared_columns(execute(*sql.tables(schema)))
        return self._found[schema]

    def _columns(self, table: Table) -> dict[str, str]:
        """Name and declared type of each column the table has."""
        return {str(row[0]): str(row[1]) for row in self.connection.execute(f"DESCRIBE TABLE {table.path}")}

    def _load(self, table: Table, manifest: Manifest, row: dict[str, Any], replay: Replay | None) -> None:
        """Stage the files, then write rows, dead letters and the ledger's row in one transaction."""
        connection = self.connection
        connection.tag(f"run={manifest.run_id} stream={manifest.stream} batch={manifest.batch_id}")
        connection.statement_ids.clear()
        overwrite = manifest.load_method == "overwrite"
        into = replace(table, name=table.name + ARRIVING) if overwrite else table
        rows, rejected = f"ML_STAGED_{manifest.batch_id}", f"ML_REJECTED_{manifest.batch_id}"
        staged: list[str] = []
        loading: list[str] = []
        # DDL commits implicitly in Snowflake: all of it comes before the transaction
        connection.use(table.schema)
        if manifest.records:
            staged.append(rows)
            connection.stage(rows, table.columns, self.spool.path(manifest.batch_id), manifest.records)
            settled = self._settled[into.path]
            if into.history:
                loading += history.merge(into, rows, settled)
            elif into.keys and manifest.load_method != "append-only":
                newer_only = replay is not None
                loading += sql.merge(
                    into, rows, settled, hard_delete=self._hard_delete, newer_only=newer_only
                )
            else:
                loading += sql.insert(into, rows, settled)
        if manifest.rejected:
            self.ledger.write_schemas()
            staged.append(rejected)
            connection.stage(
                rejected, DEAD_LETTERS, self.spool.rejected_path(manifest.batch_id), manifest.rejected
            )
            letters = quoted(self.ledger.schema, "DEAD_LETTERS")
            loading.append(sql.move(letters, rejected, DEAD_LETTER_COLUMNS.names))

        def loaded() -> Statement:
            ids = ",".join(connection.statement_ids)
            status = replay.status if replay else "loaded"
            return self.ledger.batch(
                {**row, "STATUS": status, "LOADED_AT": stamp(now()), "STATEMENT_IDS": ids}
            )

        also = replay.also if replay else ()
        connection.transaction([*((statement, ()) for statement in loading), *also, loaded])
        connection.unstage(staged)
        if connection.ids_follow:
            with suppress(LoadError):  # the rows are in, and QUERY_TAG names the batch too
                self.ledger.tell_ids(manifest.batch_id, connection.statement_ids)

    def _retrying(self, what: str, call: Callable[[int], Any]) -> None:
        def attempt(number: int) -> None:
            if number > 1:  # the tables may have been changed half-way
                self._found.clear()
            call(number)

        retrying(attempt, seconds=self._retry_seconds, what=what, logger=logger)
