"""One session's way of bringing changes into the warehouse: the story of the transaction, top to bottom."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ml_connector.load.changes import Place
from ml_connector.load.clock import exact_moment, now
from ml_connector.load.errors import LoadError, TransientLoadError
from ml_connector.load.retry import retrying
from ml_connector.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml_connector.load.catalog import Catalog
    from ml_connector.load.changes import Change, Plan
    from ml_connector.load.connection import Connection, Statement
    from ml_connector.load.ledger import Ledger
    from ml_connector.load.schema import Column
    from ml_connector.load.spool import Spool
    from ml_connector.load.sql.dialect import Dialect

logger = logging.getLogger(__name__)


class Loader:
    """Makes changes over one connection, and keeps the ledger with them.

    Args:
        connection: The way to the warehouse.
        catalog: What the warehouse has; all loaders of a run share it.
        ledger: The run's rows in the audit tables; shared too.
        spool: The folder of batches.
        hard_delete: Whether what the source deleted is removed.
        retry_seconds: For how long a change is tried again after a transient failure.
    """

    def __init__(
        self,
        connection: Connection,
        catalog: Catalog,
        ledger: Ledger,
        spool: Spool,
        *,
        hard_delete: bool,
        retry_seconds: float,
    ) -> None:
        self.connection = connection
        self.catalog = catalog
        self.ledger = ledger
        self._retry_seconds = retry_seconds
        self.place = Place(connection, ledger.dialect, ledger.schema, spool, hard_delete)

    @property
    def dialect(self) -> Dialect:
        """The warehouse's SQL."""
        return self.ledger.dialect

    def load(self, changes: Sequence[Change]) -> None:
        """Make changes in one transaction, again and again while what fails may pass.

        A failure that does not pass leaves each change to a transaction of its own, so that one does not
        hold back the others.

        Raises:
            LoadError: If one of them fails for good; it stays in the spool with its manifest.
        """
        try:
            self._load_together(changes)
        except TransientLoadError as error:
            for change in changes:
                self._give_up(change, error)
            first = next((change for change in changes if change.batch_id in error.kept), changes[0])
            raise self._told(first, error) from error
        except LoadError as error:
            if len(changes) == 1:
                self._load_alone(changes[0], error)
                return
            logger.info("A transaction of %d batches failed; each is tried by itself.", len(changes))
            failure: LoadError | None = None
            for change in changes:
                try:
                    self.load([change])
                except LoadError as own:  # noqa: PERF203 - the others are to be loaded all the same
                    failure = failure or own
            if failure is not None:
                raise failure from error

    def retrying(self, what: str, call: Callable[[], Any]) -> Any:
        """Do something of the ledger's, again while what fails may pass."""
        return retrying(lambda _: call(), seconds=self._retry_seconds, what=what, logger=logger)

    def finish(self, error: str | None, *, stopped: bool = False) -> None:
        """Write the run's end into the ledger."""
        # a run that failed has had its time for another try
        seconds = self._retry_seconds if error is None else 0
        try:
            retrying(
                lambda _: self.ledger.finish(self.connection, error, stopped=stopped),
                seconds=seconds,
                what="The ledger",
                logger=logger,
            )
        except LoadError as failure:
            if error is None:
                raise
            logger.warning("The run's end could not be written to the ledger: %s", failure)

    def _load_alone(self, change: Change, error: LoadError) -> None:
        """Try once more where the table is another than was thought: somebody else may have changed it."""
        try:
            if not self.catalog.changed(self.connection, change.table):
                raise error
            self._load_together([change])
        except LoadError as final:
            self._give_up(change, final)
            raise self._told(change, final) from error

    def _load_together(self, changes: Sequence[Change]) -> None:
        remaining = list(changes)
        attempts = 0
        began = now()

        def attempt(number: int) -> None:
            nonlocal remaining, attempts
            attempts = number
            if number > 1:
                loaded = self.ledger.loaded(self.connection, [change.batch_id for change in remaining])
                remaining = [change for change in remaining if change.batch_id not in loaded]
                for change in remaining:
                    self.catalog.forget(change.table)
            if remaining:
                about = {"ATTEMPTS": number, "FIRST_ATTEMPT_AT": exact_moment(began)}
                self._transaction(remaining, about)

        what = changes[0].batch_id if len(changes) == 1 else f"{len(changes)} batches"
        try:
            retrying(attempt, seconds=self._retry_seconds, what=f"Loading {what}", logger=logger)
        except LoadError as error:
            error.attempts, error.began = attempts, began
            raise
        for change in changes:
            self.ledger.of(change.stream).add(change.read, change.loaded, change.rejected)
            change.settled(self.place)

    def _transaction(self, changes: Sequence[Change], about: Mapping[str, Any]) -> None:
        """Stage files, and have all of it committed at once."""
        connection, place = self.connection, self.place
        # DDL commits implicitly in most warehouses: all of it comes before the transaction
        actual = self._ready_tables(changes)
        alone = changes[0] if len(changes) == 1 and changes[0].size is None else None
        if alone is not None:
            connection.tag(f"run={self.ledger.run_id} stream={alone.stream} batch={alone.batch_id}")
        connection.statement_ids.clear()
        try:
            for change in changes:
                change.stage(place)
            names = self._commit(changes, actual, about)
        finally:
            for change in changes:
                change.unstage(place)
        if alone is not None:
            connection.tag("")
        if names and connection.ids_follow:
            with suppress(LoadError):  # the rows are in, and QUERY_TAG names the run too
                self.ledger.tell_ids(connection, names, connection.statement_ids)

    def _ready_tables(self, changes: Sequence[Change]) -> list[dict[str, Column]]:
        """Have each table made or grown, and give its columns as they are when all of that is done."""
        actual = [self.catalog.ensure(self.connection, change.table) for change in changes]
        last = {change.table.path: change.table for change in changes}
        if all(change.table == last[change.table.path] for change in changes):
            return actual
        # a stream's schema changed on the way: rows of before go into the columns of after
        return [self.catalog.ensure(self.connection, change.table) for change in changes]

    def _commit(
        self, changes: Sequence[Change], actual: Sequence[Mapping[str, Column]], about: Mapping[str, Any]
    ) -> list[str]:
        """Write rows, dead letters and the ledger's rows in one transaction; give the batches' names."""
        connection, place = self.connection, self.place
        plans: list[Plan] = [each.plan(place, own) for each, own in zip(changes, actual, strict=True)]
        rows = [{**about, **row} for plan in plans for row in plan.rows]
        if not rows:
            return []
        deleted = {batch_id: query for plan in plans for batch_id, query in plan.deleted.items()}
        if deleted or any(row.get("RECORDS_DELETED") for row in rows):
            self.ledger.may_delete = True

        def written() -> Statement:
            ids = ",".join(connection.statement_ids) or None
            loaded = {"LOADED_AT": exact_moment(now()), "STATEMENT_IDS": ids}
            return self.ledger.batches([{**row, **loaded} for row in rows], deleted)

        if any(change.rejected for change in changes):
            self.ledger.write_schemas(connection)
        statements = [statement for plan in plans for statement in plan.load]
        last = [statement for plan in plans for statement in plan.last]
        connection.transaction([*statements, written, *last])
        return [str(row["BATCH_ID"]) for row in rows]

    def _give_up(self, change: Change, error: LoadError) -> None:
        """Keep what could not be loaded, and write down that it could not."""
        text = redact(str(error))
        if (path := change.keep(self.place, text)) is not None:
            error.kept.append(path.stem)  # a replay lies there under the name of the batch that it replays
        row = getattr(change, "row", None)
        if row is None:
            return
        lost = {
            **row,
            "BATCH_ID": change.batch_id,
            "RECORDS_READ": change.read,
            "RECORDS_LOADED": 0,
            "RECORDS_REJECTED": change.rejected,
            "STATUS": "failed",
            "ATTEMPTS": error.attempts,
            "FIRST_ATTEMPT_AT": exact_moment(error.began or now()),
            "ERROR": text,
        }
        with suppress(LoadError):  # the warehouse may not listen any more
            self.connection.transaction(self.ledger.failed(lost))

    def _told(self, change: Change, error: LoadError) -> LoadError:
        """Say which batch it was, where it lies, and what can be done with it."""
        if getattr(change, "row", None) is None:
            return error  # only a table was to be made
        table = change.table.spoken
        said = (
            f"Batch {change.batch_id} of stream '{change.stream}' could not be loaded into {table}: {error}"
        )
        if error.kept:
            said += (
                f" It lies in the spool folder {self.place.spool.folder}. Once the cause is mended, run"
                f" again, which reads its records again, or load it with: {self.ledger.target} replay"
                f" {' '.join(error.kept)}"
            )
        told = type(error)(said, code=error.code)
        told.kept, told.attempts = error.kept, error.attempts
        return told


def open_session(loader: Loader, started: Callable[[Loader], Any]) -> Any:
    """Open a loader's session by doing the first thing with it."""
    return loader.retrying("The ledger", partial(started, loader))
