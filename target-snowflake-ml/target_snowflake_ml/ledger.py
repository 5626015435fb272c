"""Who loaded what, and when: the audit tables of design section 5."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from ml_connector.secrets import redact

from target_snowflake_ml.sql import ledger as sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_snowflake_ml.connections import Connection, Statement

TARGET = "target-snowflake-ml"
_ROWS_AT_ONCE = 50
_TEXT = msgspec.json.Encoder(order="sorted", decimal_format="number")


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(timezone.utc)


def stamp(moment: datetime | None) -> str | None:
    """A moment as Snowflake reads it."""
    return None if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_run_id() -> str:
    """A name for a run, unique for good, that sorts by time."""
    return f"{now():%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"


class Ledger:
    """One run's rows in the audit tables.

    Attributes:
        run_id: Name of the run.
        schema: The audit schema.
        read: Records that came.
        loaded: Records in the warehouse.
        rejected: Records in DEAD_LETTERS.
    """

    def __init__(self, connection: Connection, *, run_id: str, schema: str, version: str) -> None:
        self._connection = connection
        self._version = version
        self.run_id = run_id
        self.schema = schema
        self.read = self.loaded = self.rejected = 0
        self._newest: dict[str, str] | None = None
        self._seen: list[dict[str, Any]] = []
        self._marks: dict[tuple[str, str], str] = {}

    def start(self) -> None:
        """Make the tables where they are missing, and write the run as running."""
        for statement in sql.create(self.schema):
            self._connection.execute(statement)
        row = {
            "RUN_ID": self.run_id,
            "TARGET": TARGET,
            "TARGET_VERSION": self._version,
            "STARTED_AT": stamp(now()),
            "STATUS": "running",
        }
        self._connection.execute(*sql.insert_once(self.schema, "RUNS", "RUN_ID", row))

    def finish(self, error: str | None = None, *, stopped: bool = False) -> None:
        """Write how the run ended: succeeded, partial (something was rejected, or it was stopped) or failed.

        Args:
            error: What went wrong, or why it stopped.
            stopped: Whether somebody stopped it, and what was read until then is loaded.
        """
        failed = error is not None and not stopped
        status = "failed" if failed else "partial" if self.rejected or stopped else "succeeded"
        row = {
            "RUN_ID": self.run_id,
            "FINISHED_AT": stamp(now()),
            "STATUS": status,
            "RECORDS_READ": self.read,
            "RECORDS_LOADED": self.loaded,
            "RECORDS_REJECTED": self.rejected,
            "ERROR": None if error is None else redact(error),
        }
        self.write_schemas()
        self._connection.execute(*sql.update(self.schema, "RUNS", "RUN_ID", row))

    def batch(self, row: dict[str, Any]) -> Statement:
        """The statement that writes a batch's row, inside the transaction that loads it."""
        return sql.insert(self.schema, "BATCHES", [row])

    def tell_ids(self, batch_id: str, ids: Sequence[str]) -> None:
        """Write down the ids of a batch's statements, where they were not known before its commit."""
        row = {"BATCH_ID": batch_id, "STATEMENT_IDS": ",".join(ids)}
        self._connection.execute(*sql.update(self.schema, "BATCHES", "BATCH_ID", row))

    def failed(self, row: dict[str, Any]) -> list[Statement]:
        """Statements that write the row of a batch that could not be loaded, in place of an earlier one."""
        earlier = sql.forget(self.schema, "BATCHES", [{"BATCH_ID": row["BATCH_ID"], "STATUS": "failed"}])
        return [earlier, sql.insert(self.schema, "BATCHES", [row])]

    def is_loaded(self, batch_id: str) -> bool:
        """Tell whether a batch was committed, though its answer may never have come."""
        ((count,),) = self._connection.execute(*sql.loaded(self.schema, batch_id))
        return bool(count)

    def saw(self, stream: str, schema: Mapping[str, Any], key_properties: Sequence[str]) -> None:
        """Remember a stream's schema, to be written with the next rejected records or at the end.

        Dead letters are judged anew by the newest of these.
        """
        if self._newest is None:
            rows = self._connection.execute(sql.newest_schemas(self.schema))
            self._newest = {str(row[0]): str(row[3]) for row in rows}
        text = msgspec.json.encode(schema, order="sorted").decode()
        keys = msgspec.json.encode(list(key_properties)).decode()
        digest = hashlib.sha256(f"{text}{keys}".encode()).hexdigest()
        if self._newest.get(stream) != digest:
            self._newest[stream] = digest
            self._seen.append(
                {
                    "STREAM": stream,
                    "SCHEMA": text,
                    "KEY_PROPERTIES": keys,
                    "SHA256": digest,
                    "RUN_ID": self.run_id,
                    "SEEN_AT": stamp(now()),
                }
            )

    def write_schemas(self) -> None:
        """Write the schemas that are new."""
        for start in range(0, len(self._seen), _ROWS_AT_ONCE):
            rows = self._seen[start : start + _ROWS_AT_ONCE]
            self._connection.execute(*sql.insert(self.schema, "SCHEMAS", rows))
        self._seen.clear()

    def watermarks(self, state: Mapping[str, Any]) -> list[Statement]:
        """Statements that bring WATERMARKS to what a state promises; only what changed is written.

        Args:
            state: The state that is about to be let out, every record before it loaded.
        """
        rows = []
        for stream, company, bookmark in _bookmarks(state):
            text = _TEXT.encode(bookmark).decode()
            if self._marks.get((stream, company)) == text:
                continue
            self._marks[stream, company] = text
            value = bookmark.get("replication_key_value")
            row = {
                "STREAM": stream,
                "SOURCE_COMPANY": company,
                "REPLICATION_KEY": bookmark.get("replication_key"),
                "REPLICATION_VALUE": None if value is None else str(value),
                "STATE": text,
                "RUN_ID": self.run_id,
                "UPDATED_AT": stamp(now()),
            }
            rows.append(row)
        statements = []
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            keys = [{name: row[name] for name in ("STREAM", "SOURCE_COMPANY")} for row in some]
            statements.append(sql.forget(self.schema, "WATERMARKS", keys))
            statements.append(sql.insert(self.schema, "WATERMARKS", some))
        return statements


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
            context = partition.get("context") or {}
            company = context.get("source_company")
            text = msgspec.json.encode(context, order="sorted").decode() if company is None else str(company)
            yield str(stream), text, {name: value for name, value in partition.items() if name != "context"}
