"""Who loaded what, and when: the audit tables of design section 5."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ml_connector.load.errors import LoadError

from target_snowflake_ml.sql import ledger as sql

if TYPE_CHECKING:
    from ml_connector.load.decode import Rejection

    from target_snowflake_ml.connections import Connection

TARGET = "target-snowflake-ml"


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(timezone.utc)


def stamp(moment: datetime | None) -> str | None:
    """A moment as Snowflake reads it."""
    return None if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Ledger:
    """One run's rows in the audit tables.

    Attributes:
        run_id: Name of the run.
        read: Records that came.
        loaded: Records in the warehouse.
        rejected: Records in DEAD_LETTERS.
    """

    def __init__(self, connection: Connection, schema: str, version: str) -> None:
        self._connection = connection
        self._schema = schema
        self._version = version
        self.run_id = f"{now():%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"
        self.read = self.loaded = self.rejected = 0

    def start(self) -> None:
        """Make the tables where they are missing, and write the run as running."""
        for statement in sql.create(self._schema):
            self._connection.execute(statement)
        row = {
            "RUN_ID": self.run_id,
            "TARGET": TARGET,
            "TARGET_VERSION": self._version,
            "STARTED_AT": stamp(now()),
            "STATUS": "running",
        }
        self._connection.execute(*sql.insert(self._schema, "RUNS", row))

    def finish(self, error: str | None = None) -> None:
        """Write how the run ended: succeeded, partial (something was rejected) or failed."""
        status = "failed" if error else "partial" if self.rejected else "succeeded"
        row = {
            "RUN_ID": self.run_id,
            "FINISHED_AT": stamp(now()),
            "STATUS": status,
            "RECORDS_READ": self.read,
            "RECORDS_LOADED": self.loaded,
            "RECORDS_REJECTED": self.rejected,
            "ERROR": error,
        }
        self._connection.execute(*sql.update(self._schema, "RUNS", "RUN_ID", row))

    def batch(self, row: dict[str, Any]) -> None:
        """Write a batch's row, inside the transaction that loads it."""
        self._connection.execute(*sql.insert(self._schema, "BATCHES", row))

    def failed_batch(self, row: dict[str, Any]) -> None:
        """Say that a batch stays in the spool, if the warehouse still listens."""
        with suppress(LoadError):
            self.batch({**row, "STATUS": "failed"})

    def is_loaded(self, batch_id: str) -> bool:
        """Tell whether a batch was committed, though its answer may never have come."""
        ((count,),) = self._connection.execute(*sql.loaded(self._schema, batch_id))
        return bool(count)

    def dead_letters(
        self, stream: str, batch_id: str, rejections: list[Rejection], numbers: list[int]
    ) -> None:
        """Keep rejected records with the reason, inside the transaction of their batch.

        Args:
            stream: Their stream.
            batch_id: The batch they came with.
            rejections: What the decoder rejected.
            numbers: Line numbers in the input of the batch's lines.
        """
        for rejection in rejections:
            number = numbers[rejection.line_number]
            row = {
                "DEAD_LETTER_ID": f"{batch_id}-{number}",
                "RUN_ID": self.run_id,
                "BATCH_ID": batch_id,
                "STREAM": stream,
                "RECORD": rejection.record.decode("utf-8", "backslashreplace"),
                "ERROR_KIND": rejection.kind,
                "ERROR_PATH": rejection.path,
                "ERROR_MESSAGE": f"Line {number}: {rejection.message}",
                "RECEIVED_AT": stamp(now()),
                "STATUS": "open",
                "ATTEMPTS": 1,
            }
            self._connection.execute(*sql.insert(self._schema, "DEAD_LETTERS", row))
