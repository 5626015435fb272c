"""One run of a target: its sessions, its ledger, its spool, and what its sinks need of them."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_connector.load.catalog import Catalog
from ml_connector.load.clock import SequenceCounter, new_run_id
from ml_connector.load.errors import LoadError, TooManyDeadLettersError
from ml_connector.load.ledger import Ledger
from ml_connector.load.limit import DeadLetterLimit
from ml_connector.load.loader import Loader, open_session
from ml_connector.load.repetition import Repetitions
from ml_connector.load.runs import RunFile
from ml_connector.load.scheduler import Scheduler
from ml_connector.load.schema import Kind
from ml_connector.load.spool import Spool
from ml_connector.load.sql.identifiers import given, identifier
from ml_connector.load.strategies import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml_connector.load.changes import Change
    from ml_connector.load.connection import Connection
    from ml_connector.load.decode import Rejection
    from ml_connector.load.schema import Column
    from ml_connector.load.sql.dialect import Dialect
    from ml_connector.load.sql.table import Table

logger = logging.getLogger(__name__)

_MOST_WAITING = 2
"""All streams together may keep this many times ``batch_size_bytes`` in memory."""


def spool_of(config: Mapping[str, Any]) -> Spool:
    """The folder where batches lie until they are loaded."""
    default = Path.home() / ".cache" / "ml-connector" / "spool"
    return Spool(Path(config.get("spool_dir") or default).expanduser())


class Run:
    """What the sinks of one run share.

    Args:
        config: The target's settings.
        target: The target's name.
        version: Its version.
        dialect: The warehouse's SQL.
        connect: Makes a connection, given what it is for; it is opened when it is first used.
        write_state: Writes a state to whoever started the target.

    Attributes:
        run_id: Its name in the ledger.
        bookmark_properties: Replication key by stream, where the tap names one.
        document_keys: By stream, the properties that name a line's document, where documents come whole.
        hard_delete: Whether what the source deleted is removed.
        drain: Has a sink that is full load what it has.
        limit_waiting: Has loaded what waits in too many bytes, or for too long.
    """

    drain: Callable[[Any], None]
    limit_waiting: Callable[[], None]

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        target: str,
        version: str,
        dialect: Dialect,
        connect: Callable[[str], Connection],
        write_state: Callable[[dict[str, Any]], None],
    ) -> None:
        self._config = config
        self._connect = connect
        self._write_state = write_state
        self.dialect = dialect
        self.run_id = new_run_id()
        self.spool = spool_of(config)
        self.sequence = SequenceCounter()
        self.bookmark_properties: dict[str, str] = {}
        self.document_keys: dict[str, Sequence[str]] = {}
        self.small_batch_bytes = int(config["small_batch_bytes"])
        self.hard_delete = bool(config["hard_delete"])
        self.most_waiting = _MOST_WAITING * int(config["batch_size_bytes"])
        audit_schema = given(str(config["audit_schema"]), "upper")
        self.ledger = Ledger(dialect, self.run_id, audit_schema, target, version)
        self._catalog = Catalog(
            dialect, self.ledger.record_change, create_streams=bool(config.get("create_streams"))
        )
        self._limit = DeadLetterLimit(config.get("max_dead_letters"))
        self._file = RunFile(self.spool.folder, self.run_id)
        self._reads = True
        self._first = self.open_loader()
        self._scheduler: Scheduler | None = None
        self._repetitions = Repetitions({})
        self._owners: dict[str, str] = {}
        self._made: dict[str, Table] = {}
        self._batches = 0
        self._last_sequence = 0
        self._last_rejection: Rejection | None = None
        self._told_floats = False
        self._at_end = False
        self._unpromised = False

    def open_loader(self) -> Loader:
        """A loader with a session of its own."""
        return Loader(
            self._connect(f"run={self.run_id}"),
            self._catalog,
            self.ledger,
            self.spool,
            hard_delete=self.hard_delete,
            retry_seconds=float(self._config["max_retry_time"]),
        )

    @property
    def loader(self) -> Loader:
        """The first loader; for commands, which use no other."""
        return self._first

    def open(self) -> Run:
        """Log on, write the run into the ledger, and clear away what dead runs left."""
        dead = self._file.open()
        open_session(self._first, partial(self._start, [note.run_id for note in dead]))
        if came_before := [note for note in dead if note.reads]:
            self._repetitions = Repetitions.of_dead_runs(self._first, came_before, self._file.write_down)
            self._file.write_down(self._repetitions.unpromised)
        if removed := self.spool.tidy(note.run_id for note in dead):
            logger.info("%d files that killed runs left in the spool folder were removed.", len(removed))
        for note in dead:
            self._file.forget(note.run_id)
        if limit := self._first.connection.transaction_bytes:
            # what is quoted may grow by a half, and the ledger's rows travel too
            self.small_batch_bytes = min(self.small_batch_bytes, limit // 3)
        self._scheduler = Scheduler(
            self._first,
            self.open_loader,
            sessions=int(self._config["parallel_loads"]),
            emit_states=self._emit_states,
            loaded=self._loaded,
            waiting_bytes=int(self._config["batch_size_bytes"]),
        )
        logger.info("Run %s", self.run_id)
        return self

    def open_for_command(self) -> Run:
        """Log on and write the run into the ledger, to load what other runs have read.

        What dead runs left is not cleared away: the next run that reads wants to know how far they had come.
        """
        self._file = RunFile(self.spool.folder, self.run_id, reads=False)
        self._reads = False
        dead = self._file.open()
        try:
            open_session(self._first, partial(self._start, [note.run_id for note in dead]))
        except BaseException:
            self._first.connection.close()
            self._file.close(forget=True)
            raise
        return self

    def _start(self, dead: Sequence[str], loader: Loader) -> None:
        self.sequence.start_above(self.ledger.start(loader.connection, self._catalog))
        if dead:
            self.ledger.bury(loader.connection, dead)

    @property
    def scheduler(self) -> Scheduler:
        """Who gives changes to the sessions."""
        if self._scheduler is None:
            raise LoadError("The run is not open.")
        return self._scheduler

    def next_batch_id(self) -> str:
        """A name for the next batch, unique for good."""
        self._batches += 1
        return f"{self.run_id}-{self._batches:06d}"

    def submit(self, changes: Sequence[Change]) -> None:
        """Have the warehouse make some changes, while the next messages are read.

        Raises:
            LoadError: If an earlier one failed.
        """
        if changes:
            self._last_sequence = self.sequence.reserve(1)
            self.scheduler.submit(changes)

    def emit_state(self, state: dict[str, Any]) -> None:
        """Let a state out once everything that was submitted before it is loaded."""
        self.scheduler.emit_state(
            {"state": state, "sequence": self._last_sequence, "repeated": self._repetitions.positions()}
        )

    def wait(self) -> None:
        """Wait until everything is loaded.

        Raises:
            LoadError: If something could not be.
        """
        self.scheduler.wait()

    def reserve_table(self, table: Table, stream: str, names: Mapping[str, str]) -> Table:
        """Remember whose table it is, and give it with what the ledger knows of its earlier key.

        Raises:
            LoadError: If two streams would share a table.
        """
        owner = self._owners.setdefault(table.path, stream)
        if owner != stream:
            raise LoadError(
                f"Streams '{owner}' and '{stream}' would both be loaded into {table.spoken}."
                " Give one of them another table in the setting streams.<stream>.table.",
            )
        case = str(self._config["identifier_case"])
        return self.ledger.with_former_keys(
            table, stream, lambda key: names.get(key) or identifier(key, case)
        )

    def register_schema(
        self, stream: str, schema: Mapping[str, Any], key_properties: Sequence[str], table: Table
    ) -> None:
        """Remember a stream's schema in the ledger."""
        self.ledger.register_schema(stream, schema, key_properties, table.spoken)

    def needs(self, table: Table) -> bool:
        """Whether a table may have to be made or grow: asked once a table and shape."""
        if self._made.get(table.path) == table:
            return False
        self._made[table.path] = table
        return True

    def was_loaded(self, stream: str, digest: str) -> bool:
        """Whether the next batch of an append-only stream was loaded by a run that was killed."""
        return self._repetitions.is_next(stream, digest)

    def note_rejection(self, rejection: Rejection) -> None:
        """Remember the last record that was rejected."""
        self._last_rejection = rejection

    def is_first_word_on_floats(self, columns: Sequence[Column]) -> bool:
        """Whether some columns are floats, and nothing was said yet of such."""
        if self._told_floats or not any(column.kind is Kind.DOUBLE for column in columns):
            return False
        self._told_floats = True
        return True

    def check_dead_letters(self, *, at_end: bool = False) -> None:
        """Stop the run when more was rejected than it may.

        Args:
            at_end: Whether the input is at its end.

        Raises:
            TooManyDeadLettersError: If so.
        """
        self._at_end = self._at_end or at_end
        total = self.ledger.total
        if self._limit.passed(total.rejected, total.read, at_end=self._at_end):
            raise self._too_many(
                f"{total.rejected} of {total.read} records were rejected; max_dead_letters allows"
                f" {self._limit.setting}.",
                "Correct them in the source, or raise max_dead_letters, and run again.",
            )
        if not self._at_end:
            return
        whole = [
            stream
            for stream, counts in self.ledger.counts.items()
            if counts.rejected and counts.rejected == counts.read
        ]
        if whole and self._limit.setting is None:
            raise self._too_many(
                f"Every record of {', '.join(repr(stream) for stream in whole)} was rejected.",
                "The stream's schema does not fit its records: mend the tap, or set max_dead_letters"
                " if that is to pass.",
            )

    def _too_many(self, said: str, remedy: str) -> TooManyDeadLettersError:
        last = self._last_rejection
        why = f" The last one: {last.message}." if last else ""
        kind = self.missing_keys if last and last.kind == "missing_key" else TooManyDeadLettersError
        return kind(
            f"{said}{why} {self.ledger.schema}.DEAD_LETTERS has each of run {self.run_id} with its reason."
            f" {remedy}",
        )

    missing_keys: type[TooManyDeadLettersError] = TooManyDeadLettersError
    """Raised where the last record was rejected for want of a key."""

    def finish(self, error: str | None, *, stopped: bool = False) -> None:
        """Close the ledger and every session."""
        if self._scheduler is not None:
            self._scheduler.settle()
            for change in self._scheduler.dropped():
                change.settled(self._first.place)  # it was not promised: the next run reads it again
        try:
            self._first.finish(error, stopped=stopped)
        finally:
            if self._scheduler is not None:
                self._scheduler.close()
            self._first.connection.close()
            self._file.close(forget=error is None or stopped or not (self._reads and self._may_repeat()))

    def _may_repeat(self) -> bool:
        """Whether a later run may meet rows that only the ledger can tell from repetitions."""
        kept = (manifest for manifest in self.spool.manifests() if manifest.run_id == self.run_id)
        return (
            self._unpromised
            or bool(self._repetitions.unpromised)
            or any(METHODS[manifest.load_method].repeats for manifest in kept)
        )

    def cancel(self) -> None:
        """Have the warehouse stop what it does, as the process is about to end."""
        if self._scheduler is not None:
            self._scheduler.cancel()

    def _loaded(self, change: Change) -> None:
        self._unpromised = self._unpromised or getattr(change, "row", {}).get("SHA256") is not None
        if change.rejected:
            self.check_dead_letters()

    def _emit_states(self, loader: Loader, states: list[dict[str, Any]]) -> None:
        """Write how far each stream has come, then let the states out."""
        newest = states[-1]
        write = partial(self.ledger.write_watermarks, loader.connection, newest["state"])
        loader.retrying("The ledger", write)
        unpromised = self._repetitions.promise(newest["repeated"])
        self._file.promise(int(newest["sequence"]), unpromised)
        self._unpromised = False
        for state in states:
            self._write_state(state["state"])
