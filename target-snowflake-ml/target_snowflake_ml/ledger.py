"""Who loaded what, and when: the audit tables of design section 5."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ml_connector.secrets import redact

from target_snowflake_ml.sql import ledger as sql

if TYPE_CHECKING:
    from target_snowflake_ml.connections import Connection

TARGET = "target-snowflake-ml"


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
        self._connection.execute(*sql.update(self.schema, "RUNS", "RUN_ID", row))

    def batch(self, row: dict[str, Any]) -> None:
        """Write a batch's row, inside the transaction that loads it."""
        self._connection.execute(*sql.insert(self.schema, "BATCHES", row))

    def is_loaded(self, batch_id: str) -> bool:
        """Tell whether a batch was committed, though its answer may never have come."""
        ((count,),) = self._connection.execute(*sql.loaded(self.schema, batch_id))
        return bool(count)
