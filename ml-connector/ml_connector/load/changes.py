"""What changes a table, each with its row in BATCHES: first of all a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_connector.load import dead_letters
from ml_connector.load.connection import StagedFile
from ml_connector.load.json_rows import json_rows
from ml_connector.load.schema import Column, Kind
from ml_connector.load.sql import audit, merge
from ml_connector.load.sql.identifiers import listed, quoted
from ml_connector.load.sql.merge import Loading
from ml_connector.load.sql.staged import DOCUMENT_READ, rows_in_table, rows_in_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ml_connector.load.connection import Connection, Statement
    from ml_connector.load.spool import Manifest, Spool
    from ml_connector.load.sql.dialect import Dialect
    from ml_connector.load.sql.table import Table
    from ml_connector.load.strategies import LoadMethod

LETTERS = audit.COLUMNS["DEAD_LETTERS"]
_BATCH_ID = "_ML_BATCH_ID"


@dataclass(frozen=True)
class Place:
    """Where changes are made.

    Attributes:
        connection: A way to the warehouse.
        dialect: Its SQL.
        audit_schema: The schema of the ledger.
        spool: The folder of batches.
        hard_delete: Whether what the source deleted is removed.
    """

    connection: Connection
    dialect: Dialect
    audit_schema: str
    spool: Spool
    hard_delete: bool


@dataclass
class Plan:
    """A change as statements of one transaction.

    Attributes:
        load: Statements that come first.
        rows: Rows of BATCHES.
        deleted: By batch id, a subquery that counts what was marked as deleted.
        last: Statements that come after the ledger was written.
    """

    load: list[Statement] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    deleted: dict[str, Statement] = field(default_factory=dict)
    last: list[Statement] = field(default_factory=list)


class Change(ABC):
    """Something that changes one table in one transaction.

    Attributes:
        table: The table.
        batch_id: Its name in the ledger.
        stream: The stream.
        size: Bytes that travel with its statements if it can share a transaction with others; None if it
            needs one of its own.
        read: Records it accounts for.
        loaded: Of these, those that become rows.
        rejected: Of these, those that become dead letters.
        repeats: Whether its rows would be there twice if it was made twice. A transaction takes one such of a
            table: it may be carried out when the process is gone, and before the next run can see it in the
            ledger.
    """

    table: Table
    batch_id: str
    stream: str
    size: int | None = None
    read = 0
    loaded = 0
    rejected = 0
    repeats = False

    def stage(self, place: Place) -> None:  # noqa: B027 - most changes have no files
        """Bring files to the warehouse, before the transaction begins."""

    @abstractmethod
    def plan(self, place: Place, actual: Mapping[str, Column]) -> Plan:
        """What the transaction does.

        Args:
            place: Where.
            actual: The table's columns as the warehouse has them.
        """

    def settled(self, place: Place) -> None:  # noqa: B027
        """It is committed: nothing of it has to be kept."""

    def unstage(self, place: Place) -> None:  # noqa: B027
        """Remove what was staged."""

    def keep(self, place: Place, error: str) -> Path | None:
        """It could not be loaded: keep it for a replay; gives where it lies, if it can be replayed."""
        del place, error
        return None


@dataclass(eq=False)
class Prepared(Change):
    """Only the table is made or grows; no row changes."""

    table: Table
    batch_id: str
    stream: str
    size: int | None = 0

    def plan(self, place: Place, actual: Mapping[str, Column]) -> Plan:
        """Nothing happens in the transaction."""
        del place, actual
        return Plan()


@dataclass
class Replay:
    """How a batch is loaded that was read before.

    Attributes:
        replays: The batch it loads again, if it is one from the spool.
        restriction: A condition on its rows: what later reads have superseded is left out.
        also: Statements that belong into the same transaction.
    """

    replays: str | None = None
    restriction: Statement | None = None
    also: Sequence[Statement] = ()


@dataclass(eq=False)
class BatchLoad(Change):
    """A batch: its rows, its dead letters, and the lines that its documents lost.

    Attributes:
        table: The table it is for.
        method: How it is loaded.
        batch_id: Its name in the ledger.
        stream: Its stream.
        row: What the ledger says of it beside its outcome.
        moment: When it was made, as exact text; no other batch of the table has the same.
        rows: Its rows, if they are few enough to travel with a statement.
        letters: Its dead letters, likewise.
        manifest: The batch in the spool, if it lies there.
        documents: Documents of earlier batches that are known to be read whole only now: their columns, and
            where their reading began.
        size: See :class:`Change`.
        replay: How, if it is not a new one.
        about: The manifest's fields, for a batch that has to be kept after all.
    """

    table: Table
    method: LoadMethod
    batch_id: str
    stream: str
    row: dict[str, Any]
    moment: str
    rows: pa.Table | None = None
    letters: pa.Table | None = None
    manifest: Manifest | None = None
    documents: pa.Table | None = None
    size: int | None = None
    replay: Replay | None = None
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def read(self) -> int:  # type: ignore[override]
        """Records it accounts for."""
        return self.loaded + self.rejected

    @property
    def loaded(self) -> int:  # type: ignore[override]
        """Records that become rows."""
        return self.manifest.records if self.manifest else self.rows.num_rows if self.rows else 0

    @property
    def rejected(self) -> int:  # type: ignore[override]
        """Records that become dead letters."""
        return self.manifest.rejected if self.manifest else self.letters.num_rows if self.letters else 0

    @property
    def repeats(self) -> bool:  # type: ignore[override]
        """Whether its rows would be there twice if it was loaded twice."""
        return self.method.repeats and self.loaded > 0

    @property
    def _spooled_id(self) -> str:
        return self.manifest.batch_id if self.manifest else self.batch_id

    def stage(self, place: Place) -> None:
        """Bring the spooled files to the warehouse."""
        if self.manifest is None:
            return
        spooled = self.manifest.batch_id
        if self.manifest.records:
            columns, texts = self._columns(_schema_of(place.spool.path(spooled)))
            file = StagedFile(place.spool.path(spooled), columns, texts, self.manifest.records)
            place.connection.stage(self.table.schema, self._name("STAGED"), file)
        if self.manifest.rejected:
            path = place.spool.rejected_path(spooled)
            file = StagedFile(path, LETTERS, frozenset(), self.manifest.rejected)
            place.connection.stage(place.audit_schema, self._name("REJECTED"), file)

    def plan(self, place: Place, actual: Mapping[str, Column]) -> Plan:
        """Rows, lost lines, dead letters, and the ledger's row."""
        plan = Plan(rows=[self._row()])
        loading = self._loading(place, actual)
        if loading is not None:
            plan.load += self.method.load(loading)
        marking = self._marking(place, actual, loading)
        plan.load += [self.method.lost_lines(each) for each in marking]
        if (letters := self._letters(place)) is not None:
            plan.load.append(letters)
        if marking:
            plan.deleted[self.batch_id] = merge.deleted_count(self.table, place.dialect, self.moment)
        if self.method.removes(hard_delete=place.hard_delete):
            waiting = place.spool.has_failed(self.stream)
            if waiting and loading is not None and self.table.keys:
                plan.load.append(removed_keys(place, self, self._deleted_rows(loading)))
            if marking:
                if waiting and self.table.keys:
                    plan.load.append(removed_keys(place, self, marked_keys(self.table, self.moment, place)))
                plan.last.append(merge.remove_marked(self.table, place.dialect, self.moment))
        if self.replay:
            plan.load += self.replay.also
            if loading is not None and loading.restriction is not None:
                plan.last.append(audit.recount(place.audit_schema, self.batch_id, loading.count()))
        return plan

    def settled(self, place: Place) -> None:
        """Forget the spooled files."""
        if self.manifest:
            place.spool.drop(self.manifest.batch_id)

    def unstage(self, place: Place) -> None:
        """Remove what was staged."""
        if self.manifest:
            place.connection.unstage(self.table.schema, [self._name("STAGED")])
            if self.manifest.rejected:
                place.connection.unstage(place.audit_schema, [self._name("REJECTED")])

    def keep(self, place: Place, error: str) -> Path | None:
        """Write the batch into the spool with what went wrong."""
        if self.replay and not self.replay.replays:
            return None  # corrected dead letters: they are still open
        if self.method.replaces:
            self.settled(place)  # the next run brings the whole
            return None
        self.spool(place.spool)
        if self.manifest is None:
            return None
        self.manifest.error = error
        place.spool.keep(self.manifest)
        return place.spool.path(self._spooled_id)

    def spool(self, spool: Spool) -> None:
        """Write the batch into the spool, if it does not lie there."""
        if self.manifest is None and self.rows is not None and self.letters is not None:
            self.manifest = spool.write(self.rows, self.letters, **self.about)
            self.rows = self.letters = None

    def split(
        self, is_taken: Callable[[pa.Table], pa.Array], new_id: Callable[[], str], spool: Spool
    ) -> BatchLoad | None:
        """Leave out some rows, and give them as a batch of their own.

        Args:
            is_taken: Tells of each of some rows whether it is kept.
            new_id: Names another batch.
            spool: The folder of batches.

        Returns:
            The rows that were left out; this batch itself if nothing of it is kept; None if everything is.
        """
        rows = pq.read_table(spool.path(self._spooled_id)) if self.manifest else self.rows
        if rows is None or not rows.num_rows:
            return None
        mask = is_taken(rows)
        kept, left = rows.filter(mask), rows.filter(pc.invert(mask))
        if not left.num_rows:
            return None
        if not kept.num_rows and not self.rejected:
            return self
        batch_id = new_id()
        place = left.schema.get_field_index(_BATCH_ID)
        left = left.set_column(place, _BATCH_ID, pa.repeat(pa.scalar(batch_id), left.num_rows))
        about = self.about | {"batch_id": batch_id}
        other = replace(
            self,
            batch_id=batch_id,
            rows=left,
            letters=dead_letters.COLUMNS.empty_table(),
            manifest=None,
            about=about,
        )
        if self.manifest:
            self.manifest = spool.rewrite(self.manifest, kept)
            other.spool(spool)
        else:
            self.rows = kept
        return other

    def _name(self, what: str) -> str:
        return f"ML_{what}_{self.batch_id}"

    def _columns(self, schema: pa.Schema) -> tuple[tuple[Column, ...], frozenset[str]]:
        """The columns of the batch's rows, and those of them whose values are text."""
        columns = self.table.columns
        if DOCUMENT_READ.name in schema.names:
            columns = (*columns, DOCUMENT_READ)
        texts = {
            column.name
            for column in columns
            if column.kind is Kind.VARIANT
            or (column.kind is not Kind.STRING and pa.types.is_string(schema.field(column.name).type))
        }
        return columns, frozenset(texts)

    def _loading(self, place: Place, actual: Mapping[str, Column]) -> Loading | None:
        if not self.loaded:
            return None
        dialect = place.dialect
        if self.rows is not None:
            columns, _ = self._columns(self.rows.schema)
            rows = rows_in_text(
                dialect, columns, json_rows(self.rows.select([column.name for column in columns]))
            )
        else:
            columns, texts = self._columns(_schema_of(place.spool.path(self._spooled_id)))
            rows = rows_in_table(dialect, quoted(self.table.schema, self._name("STAGED")), columns, texts)
        if self.replay and self.replay.replays:
            own_id = {**rows.expressions, _BATCH_ID: dialect.literal(self.batch_id)}
            rows = replace(rows, expressions=own_id)
        return Loading(
            dialect,
            self.table,
            actual,
            rows,
            hard_delete=place.hard_delete,
            moment=self.moment,
            restriction=self.replay.restriction if self.replay else None,
            late=self.replay is not None,
        )

    def _marking(self, place: Place, actual: Mapping[str, Column], loading: Loading | None) -> list[Loading]:
        """What lost lines are looked for with: the batch's rows, and documents of earlier ones."""
        if not self.table.document_key or self.method.replaces:
            return []
        found = []
        if self.documents is not None:
            columns = [self.table.column(name) for name in self.table.document_key]
            rows = rows_in_text(place.dialect, [*columns, DOCUMENT_READ], json_rows(self.documents))
            found.append(
                Loading(
                    place.dialect, self.table, actual, rows, hard_delete=place.hard_delete, moment=self.moment
                )
            )
        if loading is not None and DOCUMENT_READ.name in loading.rows.columns:
            found.append(loading)
        return found

    def _letters(self, place: Place) -> Statement | None:
        if not self.rejected:
            return None
        names = listed(column.name for column in LETTERS)
        into = f"INSERT INTO {quoted(place.audit_schema, 'DEAD_LETTERS')} ({names})"
        if self.letters is not None:
            rows = rows_in_text(place.dialect, LETTERS, json_rows(self.letters))
            query = rows.select(place.dialect, {}, [column.name for column in LETTERS])
            return f"{into} {query}", rows.parameters
        return f"{into} SELECT {names} FROM {quoted(place.audit_schema, self._name('REJECTED'))}", ()

    def _row(self) -> dict[str, Any]:
        return {
            **self.row,
            "BATCH_ID": self.batch_id,
            "RECORDS_READ": self.read,
            "RECORDS_LOADED": self.loaded,
            "RECORDS_REJECTED": self.rejected,
            "STATUS": "replayed" if self.replay else "loaded",
            "REPLAYS": self.replay.replays if self.replay else None,
        }

    def _deleted_rows(self, loading: Loading) -> Statement:
        query, parameters = loading.select([*self.table.keys, "_SDC_DELETED_AT", "_SDC_SEQUENCE"])
        gone = f'SELECT * FROM ({query}) d WHERE "_SDC_DELETED_AT" IS NOT NULL'
        return gone, parameters


def removed_keys(place: Place, change: Change, rows: Statement) -> Statement:
    """Write down the keys of rows that are removed, as an older batch that has them may still be replayed.

    Args:
        place: Where.
        change: What removes them.
        rows: A query of their key columns and ``_SDC_SEQUENCE``.
    """
    query, parameters = rows
    table = change.table
    values = (
        f'{place.dialect.literal(table.spoken)}, {merge.key_text(table.keys)}, "_SDC_SEQUENCE",'
        f" {place.dialect.literal(change.batch_id)}, CURRENT_TIMESTAMP"
    )
    names = listed(column.name for column in audit.COLUMNS["DELETED_KEYS"])
    into = quoted(place.audit_schema, "DELETED_KEYS")
    return f"INSERT INTO {into} ({names}) SELECT {values} FROM ({query}) r", parameters


def marked_keys(table: Table, moment: str, place: Place) -> Statement:
    """Query the keys of what was marked at a moment."""
    deleted = place.dialect.from_text(merge.MOMENT, "?")
    keys = listed([*table.keys, "_SDC_SEQUENCE"])
    return f'SELECT {keys} FROM {table.path} WHERE "_SDC_DELETED_AT" = {deleted}', (moment,)


def _schema_of(path: Path) -> pa.Schema:
    return pq.read_schema(path)
