"""Who loaded what, and when: one run's rows in the audit tables of design section 6."""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ml_connector.load.clock import exact_moment, now
from ml_connector.load.sql import audit
from ml_connector.load.sql.identifiers import quoted
from ml_connector.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ml_connector.load.catalog import Catalog
    from ml_connector.load.connection import Connection, Statement
    from ml_connector.load.sql.dialect import Dialect
    from ml_connector.load.sql.table import Table

_TEXT = msgspec.json.Encoder(order="sorted", decimal_format="number")

logger = logging.getLogger(__name__)


@dataclass
class Counts:
    """Records of a run.

    Attributes:
        read: Records that came.
        loaded: Records in the warehouse.
        rejected: Records in DEAD_LETTERS.
    """

    read: int = 0
    loaded: int = 0
    rejected: int = 0

    def add(self, read: int, loaded: int, rejected: int) -> None:
        """Count a batch."""
        self.read += read
        self.loaded += loaded
        self.rejected += rejected


class SchemaSeen(NamedTuple):
    """The schema that a stream was loaded with last.

    Attributes:
        schema: Its JSON text.
        keys: Its key properties, as a JSON text.
        digest: SHA-256 of both.
        target_table: The table it went to, as ``SCHEMA.TABLE``; None where an earlier version wrote the row.
    """

    schema: str
    keys: str
    digest: str
    target_table: str | None

    @property
    def key_properties(self) -> list[str]:
        """Its key properties."""
        return msgspec.json.decode(self.keys, type=list[str])


@dataclass
class Ledger:
    """One run's rows in the audit tables.

    Attributes:
        dialect: The warehouse.
        run_id: Name of the run.
        schema: The audit schema.
        target: Name of the target.
        version: Its version.
        counts: The run's records, by stream.
        may_delete: Whether a batch of this run may have marked or removed rows.
    """

    dialect: Dialect
    run_id: str
    schema: str
    target: str
    version: str
    counts: dict[str, Counts] = field(default_factory=dict)
    may_delete: bool = False
    _newest: dict[str, SchemaSeen] = field(default_factory=dict)
    _unwritten: dict[str, dict[str, Any]] = field(default_factory=dict)
    _marks: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def total(self) -> Counts:
        """The run's records, of all streams."""
        found = Counts()
        for counts in list(self.counts.values()):
            found.add(counts.read, counts.loaded, counts.rejected)
        return found

    def of(self, stream: str) -> Counts:
        """The run's records of one stream."""
        with self._lock:
            return self.counts.setdefault(stream, Counts())

    def make_tables(self, connection: Connection, catalog: Catalog) -> None:
        """Make the audit tables where they are missing, and let old ones grow."""
        for name in audit.COLUMNS:
            catalog.ensure(connection, audit.table_of(self.schema, name))

    def start(self, connection: Connection, catalog: Catalog) -> int | None:
        """Write the run as running, and read what earlier ones wrote.

        Returns:
            The greatest sequence that any batch ever had.
        """
        self.make_tables(connection, catalog)
        greatest = self.read_schemas(connection)
        row = {
            "RUN_ID": self.run_id,
            "TARGET": self.target,
            "TARGET_VERSION": self.version,
            "STARTED_AT": exact_moment(now()),
            "STATUS": "running",
        }
        connection.execute(*audit.insert_once(self.dialect, self.schema, "RUNS", "RUN_ID", [row]))
        return greatest

    def read_schemas(self, connection: Connection) -> int | None:
        """Read the newest schema of each stream; give the greatest sequence that any batch ever had."""
        greatest = None
        for stream, schema, keys, digest, table, sequence in connection.execute(audit.opening(self.schema)):
            if stream is None:
                greatest = None if sequence is None else int(sequence)
                continue
            self._newest[str(stream)] = SchemaSeen(str(schema), str(keys), str(digest), table)
        return greatest

    def schema_of(self, stream: str) -> SchemaSeen | None:
        """The schema that a stream was loaded with last, if it ever was."""
        return self._newest.get(stream)

    def with_former_keys(self, table: Table, stream: str, column: Callable[[str], str]) -> Table:
        """A stream's table with the columns that were its key before.

        Args:
            table: The table.
            stream: The stream.
            column: Gives the column of a property.
        """
        before = self._newest.get(stream)
        if before is None:
            return table
        former = [column(key) for key in msgspec.json.decode(before.keys, type=list[str])]
        lost = tuple(name for name in former if name not in table.keys)
        return replace(table, former_keys=lost) if lost else table

    @property
    def streams(self) -> list[str]:
        """Every stream that was ever loaded."""
        return sorted(self._newest)

    def finish(self, connection: Connection, error: str | None = None, *, stopped: bool = False) -> None:
        """Write how the run ended: succeeded, partial (something was rejected, or it was stopped) or failed.

        Args:
            connection: A way to the warehouse.
            error: What went wrong, or why it stopped.
            stopped: Whether somebody stopped it, and what was read until then is loaded.
        """
        total = self.total
        failed = error is not None and not stopped
        changes = {
            "FINISHED_AT": exact_moment(now()),
            "STATUS": "failed" if failed else "partial" if total.rejected or stopped else "succeeded",
            "RECORDS_READ": total.read,
            "RECORDS_LOADED": total.loaded,
            "RECORDS_REJECTED": total.rejected,
            "ERROR": None if error is None else redact(error),
        }
        self.write_schemas(connection)
        where = '"RUN_ID" = ?'
        sql, parameters = audit.update(
            self.dialect, self.schema, "RUNS", changes, where=where, parameters=[self.run_id]
        )
        # how many rows were deleted is known to the warehouse only
        path = quoted(self.schema, "BATCHES")
        of_run = f'(SELECT COALESCE(SUM("RECORDS_DELETED"), 0) FROM {path} WHERE "RUN_ID" = ?)'
        deleted, more = (of_run, (self.run_id,)) if self.may_delete else ("0", ())
        sql = sql.replace(" SET ", f' SET "RECORDS_DELETED" = {deleted}, ', 1)
        connection.execute(sql, (*more, *parameters))

    def bury(self, connection: Connection, run_ids: Sequence[str]) -> None:
        """Write of runs whose process is gone that they were killed."""
        changes = {
            "FINISHED_AT": exact_moment(now()),
            "STATUS": "killed",
            "ERROR": "The process ended without a word: it was killed, or its machine went down.",
        }
        where = f'"STATUS" = \'running\' AND "RUN_ID" IN ({audit.marks(len(run_ids))})'
        connection.execute(
            *audit.update(self.dialect, self.schema, "RUNS", changes, where=where, parameters=run_ids)
        )

    def batches(self, rows: Sequence[Mapping[str, Any]], deleted: Mapping[str, Statement]) -> Statement:
        """The statement that writes rows of BATCHES, inside the transaction that loads them.

        Args:
            rows: The rows.
            deleted: A subquery that counts the rows deleted, by batch id, where there may be some.
        """
        computed: dict[str, Statement] = {}
        if deleted:
            cases = "".join(f" WHEN ? THEN {query}" for query, _ in deleted.values())
            parameters = [value for batch_id, (_, own) in deleted.items() for value in (batch_id, *own)]
            sql = f'COALESCE(r."RECORDS_DELETED", 0) + CASE r."BATCH_ID"{cases} ELSE 0 END'
            computed = {"RECORDS_DELETED": (sql, tuple(parameters))}
        return audit.insert(self.dialect, self.schema, "BATCHES", rows, computed=computed)

    def dead_letters(self, rows: Sequence[Mapping[str, Any]]) -> Statement:
        """The statement that writes rejected records."""
        return audit.insert(self.dialect, self.schema, "DEAD_LETTERS", rows)

    def tell_ids(self, connection: Connection, batch_ids: Sequence[str], ids: Sequence[str]) -> None:
        """Write down the ids of a transaction's statements, where they were not known before its commit."""
        where = f'"BATCH_ID" IN ({audit.marks(len(batch_ids))}) AND "STATEMENT_IDS" IS NULL'
        changes = {"STATEMENT_IDS": ",".join(ids)}
        connection.execute(
            *audit.update(self.dialect, self.schema, "BATCHES", changes, where=where, parameters=batch_ids)
        )

    def failed(self, row: Mapping[str, Any]) -> list[Statement]:
        """Statements that write the row of a batch that could not be loaded, in place of an earlier one.

        A batch that was loaded after all, though its answer was lost, gets no such row.
        """
        path = quoted(self.schema, "BATCHES")
        absent = f' WHERE r."BATCH_ID" NOT IN (SELECT "BATCH_ID" FROM {path} WHERE "STATUS" <> \'failed\')'
        return [
            audit.forget_failed(self.schema, str(row["BATCH_ID"])),
            audit.insert(self.dialect, self.schema, "BATCHES", [row], condition=absent),
        ]

    def loaded(self, connection: Connection, batch_ids: Sequence[str]) -> set[str]:
        """Tell which batches were committed, though their answer may never have come."""
        return {str(row[0]) for row in connection.execute(*audit.loaded(self.schema, batch_ids))}

    def is_loaded(self, connection: Connection, batch_id: str) -> bool:
        """Tell whether a batch is in the warehouse, by itself or by a replay."""
        path = quoted(self.schema, "BATCHES")
        sql = (
            f"SELECT COUNT(*) FROM {path} WHERE \"STATUS\" IN ('loaded', 'replayed')"
            ' AND ("BATCH_ID" = ? OR "REPLAYS" = ?)'
        )
        ((count,),) = connection.execute(sql, (batch_id, batch_id))
        return bool(count)

    def register_schema(
        self, stream: str, schema: Mapping[str, Any], key_properties: Sequence[str], target_table: str
    ) -> None:
        """Remember a stream's schema, to be written with the next rejected records or at the end.

        Dead letters are judged anew by the newest of these. A changed key is told once: rows that were
        loaded under the old one have no value where the new one wants it.
        """
        text = msgspec.json.encode(schema, order="sorted").decode()
        keys = msgspec.json.encode(list(key_properties)).decode()
        digest = hashlib.sha256(f"{text}{keys}".encode()).hexdigest()
        before = self._newest.get(stream)
        if before and before.digest == digest and before.target_table in {target_table, None}:
            return
        with self._lock:
            self._newest[stream] = SchemaSeen(text, keys, digest, target_table)
            self._unwritten[stream] = {
                "STREAM": stream,
                "SCHEMA": text,
                "KEY_PROPERTIES": keys,
                "SHA256": digest,
                "RUN_ID": self.run_id,
                "SEEN_AT": exact_moment(now()),
                "TARGET_TABLE": target_table,
                "CHANGES": None,
            }
        if before and before.keys != keys:
            self.record_change(
                stream,
                f"key from {_spoken(before.keys)} to {_spoken(keys)}; rows that were loaded before keep what"
                " they have, without the new key's values: load the stream anew if both are to be told apart",
            )

    def record_change(self, stream: str, change: str) -> None:
        """Log a change of a stream's table, and have it written down with its schema."""
        logger.warning("Stream '%s': %s.", stream, change)
        with self._lock:
            seen = self._newest.get(stream, SchemaSeen("{}", "[]", "", None))
            row = self._unwritten.setdefault(
                stream,
                {
                    "STREAM": stream,
                    "SCHEMA": seen.schema,
                    "KEY_PROPERTIES": seen.keys,
                    "SHA256": seen.digest,
                    "RUN_ID": self.run_id,
                    "SEEN_AT": exact_moment(now()),
                    "TARGET_TABLE": seen.target_table,
                    "CHANGES": None,
                },
            )
            row["CHANGES"] = f"{row['CHANGES']}; {change}" if row["CHANGES"] else change

    def write_schemas(self, connection: Connection) -> None:
        """Write the schemas and changes that are new."""
        with self._lock:
            rows, self._unwritten = self._unwritten, {}
        try:
            for some in _chunks(list(rows.values()), connection.transaction_bytes):
                connection.execute(*audit.insert(self.dialect, self.schema, "SCHEMAS", some))
        except BaseException:
            with self._lock:
                self._unwritten = {**rows, **self._unwritten}
            raise

    def write_watermarks(self, connection: Connection, state: Mapping[str, Any]) -> None:
        """Bring WATERMARKS to what a state promises; only what changed is written.

        Args:
            connection: A way to the warehouse.
            state: The state that is about to be let out, every record before it loaded.
        """
        rows = []
        marks = {}
        for stream, company, bookmark in _bookmarks(state):
            text = _TEXT.encode(bookmark).decode()
            if self._marks.get((stream, company)) == text:
                continue
            marks[stream, company] = text
            value = bookmark.get("replication_key_value")
            row = {
                "STREAM": stream,
                "SOURCE_COMPANY": company,
                "REPLICATION_KEY": bookmark.get("replication_key"),
                "REPLICATION_VALUE": None if value is None else str(value),
                "STATE": text,
                "RUN_ID": self.run_id,
                "UPDATED_AT": exact_moment(now()),
            }
            rows.append(row)
        keys = ("STREAM", "SOURCE_COMPANY")
        for some in _chunks(rows, connection.transaction_bytes):
            connection.execute(*audit.replace(self.dialect, self.schema, "WATERMARKS", keys, some))
        self._marks.update(marks)


_MOST_BYTES = 8_000_000


def _chunks(rows: Sequence[dict[str, Any]], most: int | None) -> Iterator[list[dict[str, Any]]]:
    """Rows in pieces that one statement can carry."""
    limit = (most or _MOST_BYTES) // 2
    piece: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        own = sum(len(str(value)) for value in row.values())
        if piece and size + own > limit:
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += own
    if piece:
        yield piece


def _spoken(keys: str) -> str:
    return ", ".join(msgspec.json.decode(keys, type=list[str])) or "none"


def _bookmarks(state: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Stream, company and bookmark of each part of a state; without partitions there is no company."""
    bookmarks = state.get("bookmarks")
    for stream, bookmark in bookmarks.items() if isinstance(bookmarks, dict) else ():
        if not isinstance(bookmark, dict):
            continue
        partitions = bookmark.get("partitions")
        if not isinstance(partitions, list):
            yield str(stream), "", bookmark
            continue
        for partition in partitions:
            if not isinstance(partition, dict):
                continue
            context = partition.get("context")
            context = context if isinstance(context, dict) else {}
            company = context.get("source_company")
            text = msgspec.json.encode(context, order="sorted").decode() if company is None else str(company)
            yield str(stream), text, {name: value for name, value in partition.items() if name != "context"}
