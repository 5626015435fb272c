"""Batches that could not be loaded, loaded late: where they were meant to go, whatever the settings say."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock

from ml_connector.load.changes import BatchLoad, Replay
from ml_connector.load.clock import moment_of
from ml_connector.load.errors import LoadError
from ml_connector.load.location import StreamTable, stream_table
from ml_connector.load.options import own_options
from ml_connector.load.runs import is_alive
from ml_connector.load.schema import Column, Kind, columns_of
from ml_connector.load.sql.identifiers import quoted
from ml_connector.load.sql.staged import DOCUMENT_READ
from ml_connector.load.sql.table import FROM
from ml_connector.load.superseded import forget_removed, loading_method_of, not_superseded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml_connector.load.run import Run
    from ml_connector.load.spool import Manifest, Spool

logger = logging.getLogger(__name__)

NOT_LOADED = "not loaded"


class Outcome(NamedTuple):
    """What became of a batch.

    Attributes:
        batch_id: Its name.
        stream: Its stream, if its manifest tells.
        records: Its records.
        outcome: What happened, or what is wrong, for a person.
        done: Whether nothing has to be done about it any more.
    """

    batch_id: str
    stream: str | None
    records: int | None
    outcome: str
    done: bool = True


def waiting(spool: Spool) -> list[Outcome]:
    """What lies in the spool, the oldest first; manifests that cannot be read too."""
    found = []
    for batch_id in spool.batch_ids():
        try:
            manifest = spool.manifest(batch_id)
        except LoadError as error:
            found.append(Outcome(batch_id, None, None, str(error), done=False))
            continue
        state = manifest.error or _state_of(spool, manifest)
        found.append(Outcome(batch_id, manifest.stream, manifest.records, state, done=False))
    return [*found, *(_aside(spool, path.name.partition(".")[0]) for path in spool.aside())]


def _state_of(spool: Spool, manifest: Manifest) -> str:
    return "its run is loading it" if is_alive(spool.folder, manifest.run_id) else NOT_LOADED


def _aside(spool: Spool, batch_id: str) -> Outcome:
    said = (
        f"Its manifest could not be read and was set aside. Its state was not let out, so the next run reads"
        f" its records again. Remove {spool.folder / batch_id}.*"
    )
    return Outcome(batch_id, None, None, said, done=False)


class Replays:
    """Replays batches of a spool, each in a transaction and under an id of its own.

    Args:
        run: An open run.
        config: The target's settings.
    """

    def __init__(self, run: Run, config: Mapping[str, Any]) -> None:
        self._run = run
        self._config = config
        self._loader = run.loader
        self._spool = run.spool

    def replay(self, batch_ids: Iterable[str]) -> list[Outcome]:
        """Load batches, the oldest first; what is wrong with one does not hold back the others."""
        outcomes = []
        touched: set[tuple[str, str]] = set()
        for batch_id in batch_ids:
            try:
                manifest = self._spool.manifest(batch_id)
            except LoadError as error:
                outcomes.append(self._unreadable(batch_id, error))
                continue
            try:
                said, done = self._replay_locked(manifest, touched)
            except LoadError as error:
                said, done = str(error), False
            outcomes.append(Outcome(batch_id, manifest.stream, manifest.records, said, done))
        self._forget_removed(touched)
        return outcomes

    def _unreadable(self, batch_id: str, error: LoadError) -> Outcome:
        if batch_id in self._spool.batch_ids():
            aside = self._spool.set_aside(batch_id)
            return Outcome(batch_id, None, None, f"{error} It was set aside as {aside.name}.", done=False)
        return Outcome(batch_id, None, None, str(error), done=False)

    def _replay_locked(self, manifest: Manifest, touched: set[tuple[str, str]]) -> tuple[str, bool]:
        """Replay a batch while no other process does."""
        path = self._spool.folder / f"{manifest.batch_id}.replay"
        try:
            with FileLock(path, mode=0o600):
                if manifest.batch_id not in self._spool.batch_ids():
                    return "another replay has loaded it", True
                return self._replay(manifest, touched), True
        finally:
            path.unlink(missing_ok=True)

    def _replay(self, manifest: Manifest, touched: set[tuple[str, str]]) -> str:
        if is_alive(self._spool.folder, manifest.run_id):
            return "its run is loading it"
        loader, ledger = self._loader, self._run.ledger
        asked = partial(ledger.is_loaded, loader.connection, manifest.batch_id)
        if loader.retrying("The ledger", asked):
            self._spool.drop(manifest.batch_id)
            return "loaded before"
        self._spool.check(manifest)
        place = self.place_of(manifest)
        touched.add((manifest.stream, place.table.spoken))
        sequence = self._sequence_of(manifest)
        self._check(manifest, place)
        change = BatchLoad(
            place.table,
            place.method,
            self._run.next_batch_id(),
            manifest.stream,
            self._row(manifest, place, sequence),
            moment_of(self._run.sequence.reserve(1)),
            manifest=manifest,
            replay=Replay(manifest.batch_id, not_superseded(loader, place, sequence)),
        )
        records = manifest.records
        loader.load([change])
        return self._told(change, records)

    def place_of(self, manifest: Manifest) -> StreamTable:
        """Where a batch was meant to go.

        Raises:
            LoadError: If nothing says it, or its file has other columns than its manifest says.
        """
        path = self._spool.path(manifest.batch_id)
        file = pq.read_schema(path)
        columns = _as_in_file(
            columns_of(
                manifest.schema,
                number_type=self._config["number_type"],
                key_properties=manifest.key_properties,
            ),
            manifest.columns,
            file,
        )
        own = own_options(manifest.stream, self._config)
        said = {name: own[name] for name in ("cluster_by",) if name in own}
        said |= {"load_method": manifest.load_method, "columns": manifest.columns or own.get("columns")}
        config = {**self._config, "streams": {"*": said}}
        if manifest.columns:
            config["identifier_case"] = "preserve"  # the manifest says the names as they are
        place = stream_table(
            manifest.stream,
            columns,
            manifest.key_properties,
            config,
            self._run.dialect,
            document_key=manifest.document_key,
        )
        schema, name = self._table_of(manifest)
        table = replace(place.table, schema=schema, name=name)
        wanted = {column.name for column in table.columns}
        if wanted != set(file.names) - {DOCUMENT_READ.name}:
            raise LoadError(
                "Its manifest is of an earlier version and does not say its columns' names, and the settings"
                " name them otherwise than they did when it was read."
                if not manifest.columns
                else "Its file has other columns than its manifest says.",
            )
        return replace(place, table=table)

    def _table_of(self, manifest: Manifest) -> tuple[str, str]:
        if manifest.target_schema is not None and manifest.target_table is not None:
            return manifest.target_schema, manifest.target_table
        path = quoted(self._run.ledger.schema, "BATCHES")
        sql = f'SELECT MAX("TARGET_TABLE") FROM {path} WHERE "BATCH_ID" = ?'
        ask = partial(self._loader.connection.execute, sql, (manifest.batch_id,))
        ((spoken,),) = self._loader.retrying("The ledger", ask)
        schema, dot, name = str(spoken or "").partition(".")
        if not (schema and dot and name) or "." in name:
            raise LoadError(
                "Its manifest is of an earlier version and does not say its table, and the ledger has no row"
                " of it. Nothing was changed. Run the pipeline again, which reads its records again, and"
                f" then remove {self._spool.folder / manifest.batch_id}.*",
            )
        return schema, name

    def _sequence_of(self, manifest: Manifest) -> int:
        if manifest.sequence is not None:
            return int(manifest.sequence)
        column = pq.read_table(self._spool.path(manifest.batch_id), columns=["_SDC_SEQUENCE"])[0]
        return int(pc.max(column).as_py() or 0)

    def _check(self, manifest: Manifest, place: StreamTable) -> None:
        """Refuse what would harm the table as it is now.

        Raises:
            LoadError: If so.
        """
        table = place.table
        if place.method.replaces:
            raise LoadError(
                f"It is a part of an {place.method.name}, of which the next run brings the whole."
            )
        if place.method.repeats:
            self._refuse_what_came_again(manifest)
        seen = self._run.ledger.schema_of(manifest.stream)
        if (
            seen
            and seen.target_table in {None, table.spoken}
            and seen.key_properties != manifest.key_properties
        ):
            raise LoadError(
                f"It was read under the key {', '.join(manifest.key_properties) or 'none'}, and the key of"
                f" '{manifest.stream}' is now {', '.join(seen.key_properties) or 'none'}: its rows would not"
                " find theirs. The next run reads its records again; then remove"
                f" {self._spool.folder / manifest.batch_id}.*",
            )
        existing = self._loader.catalog.existing(self._loader.connection, table)
        if table.history and existing is not None and FROM not in existing.columns:
            now = loading_method_of(self._loader, table.spoken)
            if now not in {None, manifest.load_method}:
                raise LoadError(
                    f"It was read for {manifest.load_method}, and {table.spoken} is now loaded with {now}.",
                )

    def _refuse_what_came_again(self, manifest: Manifest) -> None:
        """Without a key nothing tells a row from its repetition: what was read again is not loaded again."""
        path = quoted(self._run.ledger.schema, "BATCHES")
        sql = f'SELECT COUNT(*) FROM {path} WHERE "STREAM" = ? AND "RUN_ID" > ? AND "STATUS" = \'loaded\''
        ask = partial(self._loader.connection.execute, sql, (manifest.stream, manifest.run_id))
        ((later,),) = self._loader.retrying("The ledger", ask)
        if later:
            raise LoadError(
                "A later run has read the stream on from the same state, with these records: loading"
                " them would repeat them. Once you have checked, remove"
                f" {self._spool.folder / manifest.batch_id}.*",
            )

    def _row(self, manifest: Manifest, place: StreamTable, sequence: int) -> dict[str, Any]:
        deleted = pq.read_table(self._spool.path(manifest.batch_id), columns=["_SDC_DELETED_AT"])[0]
        return {
            **manifest.facts,
            "RUN_ID": self._run.run_id,
            "STREAM": manifest.stream,
            "TARGET_TABLE": place.table.spoken,
            "SEQUENCE": sequence,
            "LOAD_METHOD": manifest.load_method,
            "RECORDS_DELETED": len(deleted) - deleted.null_count,
            "SHA256": manifest.facts.get("SHA256") or manifest.sha256,
            "REPLAYS": manifest.batch_id,
        }

    def _told(self, change: BatchLoad, records: int) -> str:
        """Say what became of the records; those that were superseded count as read, not as loaded."""
        path = quoted(self._run.ledger.schema, "BATCHES")
        sql = f'SELECT "RECORDS_LOADED" FROM {path} WHERE "BATCH_ID" = ? AND "STATUS" = \'replayed\''
        ask = partial(self._loader.connection.execute, sql, (change.batch_id,))
        ((loaded,),) = self._loader.retrying("The ledger", ask)
        left = records - int(loaded)
        self._run.ledger.of(change.stream).add(0, -left, 0)
        if not left:
            return f"replayed as {change.batch_id}"
        return (
            f"replayed as {change.batch_id}; {left} of its {records} records were left out, as they have been"
            " deleted or read again since"
        )

    def _forget_removed(self, touched: set[tuple[str, str]]) -> None:
        still = self._spool.manifests()
        for stream, table in sorted(touched):
            sequences = [manifest.sequence or 0 for manifest in still if manifest.stream == stream]
            forget_removed(self._loader, table, min(sequences, default=None))


def _as_in_file(columns: Sequence[Column], names: Mapping[str, str], file: pa.Schema) -> list[Column]:
    """The columns, with numbers as the file has them: number_type may have been another."""
    found = []
    for column in columns:
        place = file.get_field_index(names.get(column.name, column.name))
        kind = file.field(place).type if place >= 0 else None
        if column.kind is Kind.DECIMAL and kind is not None and pa.types.is_floating(kind):
            found.append(Column(column.name, Kind.DOUBLE))
        elif column.kind is Kind.DOUBLE and kind is not None and pa.types.is_decimal(kind):
            found.append(Column(column.name, Kind.DECIMAL, kind.precision, kind.scale))
        else:
            found.append(column)
    return found
