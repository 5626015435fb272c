"""Complete reads of a stream: what they did not bring is gone; with ``overwrite`` they replace the table."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_connector.load.changes import Change, Place, Plan, marked_keys, removed_keys
from ml_connector.load.clock import moment_of
from ml_connector.load.errors import LoadError
from ml_connector.load.partitions import NO_ROW, partition_condition, partition_mask, partitions_text
from ml_connector.load.sql import merge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from ml_connector.load.changes import BatchLoad
    from ml_connector.load.connection import Statement
    from ml_connector.load.location import StreamTable
    from ml_connector.load.run import Run
    from ml_connector.load.schema import Column
    from ml_connector.load.sql.table import Table
    from ml_connector.load.strategies import LoadMethod

logger = logging.getLogger(__name__)


class CompleteReads:
    """Follows what the tap says of one stream's complete reads.

    Args:
        run: The run.
        place: The stream's place in the warehouse.
        stream: Its name.
        changes: Gives what was gathered, as changes.
        waiting: Gives how many records were gathered.
        row: Gives what the ledger says of a change of a sequence.

    Attributes:
        place: The stream's place in the warehouse.
        came: Records of the stream that came.
    """

    def __init__(
        self,
        run: Run,
        place: StreamTable,
        stream: str,
        *,
        changes: Callable[..., list[Change]],
        waiting: Callable[[], int],
        row: Callable[[int], dict[str, Any]],
    ) -> None:
        self.place = place
        self.came = 0
        self._run = run
        self._stream = stream
        self._changes = changes
        self._waiting = waiting
        self._row = row
        self._parts: list[BatchLoad] = []
        self._withheld = False
        self._told: dict[str, int] = {}
        self._completed: set[tuple[int, str]] = set()
        self._announced: dict[tuple[int, str], _Announced] = {}
        self._at_state = -1
        self._without_version = 0
        self._with_version = 0

    @property
    def waits(self) -> bool:
        """Whether rows wait for a proof, or waited in vain: no state may promise them."""
        return self._withheld or bool(self._parts)

    def hold(self, load: BatchLoad) -> None:
        """Keep a batch until it is proven that the read was complete."""
        self._parts.append(load)
        if sum(part.size or 0 for part in self._parts) > self._run.small_batch_bytes:
            for part in self._parts:
                part.size = None
                part.spool(self._run.spool)

    def activate(self, version: int, partitions: Sequence[Mapping[str, Any]] | None) -> None:
        """Take the word of the tap that it has read the stream whole, or that it is about to.

        A version that comes after records of its read proves that the read was complete. One that comes
        before any, as the SDK's taps send it, proves nothing yet: it is judged at the end of the input.

        Args:
            version: The version.
            partitions: What was read whole; None for everything.

        Raises:
            LoadError: If the partitions are none of this stream.
        """
        self._check_partitions(partitions or ())
        text = partitions_text(partitions)
        key, came = (version, text), self._all_that_came
        if key in self._announced:
            self._announced[key].came, self._announced[key].confirmed = came, False
        elif came != self._told.get(text, 0):
            self._told[text] = came
            self._complete(version, partitions)
        elif key not in self._completed:
            self._announced[key] = _Announced(partitions, came)

    def state_came(self) -> None:
        """Remember that a state came: what was announced before it may be proven by it."""
        self._at_state = self._all_that_came
        for announced in self._announced.values():
            announced.confirmed = True

    @property
    def since_state(self) -> int:
        """Records that came after the last state."""
        return self._all_that_came - max(self._at_state, 0)

    def count_versions(self, versions: pa.ChunkedArray) -> None:
        """Look whether records bear the version of their read: without it they seem to be of none."""
        self._without_version += versions.null_count
        self._with_version += len(versions) - versions.null_count

    def take_over(self, before: CompleteReads) -> None:
        """Go on where the sink of the stream's earlier schema was."""
        self._parts, before._parts = before._parts, []
        self._withheld = before._withheld
        self._told, self._completed, self._announced = before._told, before._completed, before._announced
        self.came, self._at_state = before.came, before._at_state
        self._with_version, self._without_version = before._with_version, before._without_version

    def end_of_input(self) -> None:
        """Judge what is still open: versions that were announced, rows that wait for a proof.

        Raises:
            LoadError: If rows wait that nothing proves to be all there are.
        """
        try:
            self._judge_announced()
            if not self._parts and not (self.place.method.replaces and self._waiting()):
                return
            if self.place.replace_at_end:
                self._complete(0, None)
                return
        except LoadError:
            self._withheld = True
            raise
        self.discard()
        raise LoadError(
            f"Stream '{self._stream}' is loaded with {self.place.method.name}, and the input ended without"
            f" ACTIVATE_VERSION, the tap's word that it read everything: {self.place.table.spoken} stays as"
            " it is."
            " Look for an error of the tap. If this tap never sends that message, choose upsert, or set"
            f" streams.{self._stream}.replace_at_end_of_input.",
        )

    def _judge_announced(self) -> None:
        """Versions that were announced are proven by a state after all records of the stream.

        A tap that died after its announcement, or among the records, sent none. Where rows are replaced the
        word itself has to come after the records too. A read that brought nothing at all is believed without
        a state where rows are only marked, which the next read undoes.
        """
        came = self._all_that_came
        removes = self.place.method.replaces or self._run.hard_delete
        announced, self._announced = self._announced, {}
        for (version, _), each in announced.items():
            proven = (each.confirmed and self._at_state == came) or not (came or removes)
            if proven and (each.came == came or not self.place.method.replaces):
                self._complete(version, each.partitions)
            elif not self.place.method.replaces:
                logger.warning(
                    "Stream '%s': the input ended before a state said that the read of version %d was"
                    " complete; nothing is taken for deleted.",
                    self._stream,
                    version,
                )

    @property
    def _all_that_came(self) -> int:
        return self.came + self._waiting()

    def discard(self) -> None:
        """Forget the rows that waited for a proof: no state may promise them."""
        parts, self._parts = self._parts, []
        self._withheld = self._withheld or bool(parts)
        for part in parts:
            if part.manifest:
                self._run.spool.drop(part.manifest.batch_id)

    def _complete(self, version: int, partitions: Sequence[Mapping[str, Any]] | None) -> None:
        """Have the table follow a complete read."""
        changes = self._changes(more_follows=False)
        condition = None
        if partitions is not None:
            condition = partition_condition(self.place.table, self.place.names, partitions, self._run.dialect)
        key = (version, partitions_text(partitions))
        sequence = self._run.sequence.reserve(1)
        row = self._row(sequence) | {"PARTITIONS": key[1]}
        about = (self.place.table, self.place.method, self._run.next_batch_id(), self._stream, row)
        if self.place.method.replaces:
            parts = self._take_parts(partitions)
            if key in self._completed:
                condition = NO_ROW  # more of the same read
            sizes = [part.size for part in parts]
            size = None if None in sizes else sum(size or 0 for size in sizes)
            changes.append(Replacement(*about, parts, condition, size=size))
        elif self._without_version and not self._with_version:
            logger.warning(
                "Stream '%s': none of its %d records bears a version, so that nothing tells what the read of"
                " version %d did not bring; nothing is taken for deleted.",
                self._stream,
                self._without_version,
                version,
            )
        else:
            changes.append(AbsentRows(*about, moment_of(sequence), sequence, version, condition))
        self._completed.add(key)
        self._run.submit(changes)

    def _take_parts(self, partitions: Sequence[Mapping[str, Any]] | None) -> list[BatchLoad]:
        """Take what waits and is of some partitions; the rest goes on waiting for its own proof."""
        parts, self._parts = self._parts, []
        if partitions is None:
            return parts
        taken = []
        for part in parts:
            rest = part.split(
                lambda rows: partition_mask(rows, self.place.names, partitions),
                self._run.next_batch_id,
                self._run.spool,
            )
            if rest is not part:
                taken.append(part)
            if rest is not None:
                self._parts.append(rest)
        return taken

    def _check_partitions(self, partitions: Sequence[Mapping[str, Any]]) -> None:
        for partition in partitions:
            if not isinstance(partition, dict):
                raise LoadError(
                    f"ACTIVATE_VERSION of stream '{self._stream}': x-partitions must be a list of objects."
                )
            if unknown := sorted(set(partition) - set(self.place.names)):
                raise LoadError(
                    f"ACTIVATE_VERSION of stream '{self._stream}' is for partitions by"
                    f" {', '.join(unknown)}, which its schema does not have.",
                )


@dataclass
class _Announced:
    """A version that came before the records of its read.

    Attributes:
        partitions: What it is of; None for everything.
        came: Records that had come when it was told last.
        confirmed: Whether a state came after that.
    """

    partitions: Sequence[Mapping[str, Any]] | None
    came: int
    confirmed: bool = False


@dataclass(eq=False)
class AbsentRows(Change):
    """Marks or removes what a complete read did not bring.

    Attributes:
        table: The table.
        method: How its stream is loaded.
        batch_id: Its name in the ledger.
        stream: The stream.
        row: What the ledger says of it beside its outcome.
        moment: When, as exact text.
        sequence: What no older record comes back after.
        version: The version of the read.
        partitions: Condition on the rows that the read was of; None for all.
    """

    table: Table
    method: LoadMethod
    batch_id: str
    stream: str
    row: dict[str, Any]
    moment: str
    sequence: int
    version: int
    partitions: Statement | None
    size: int | None = 1_000

    def plan(self, place: Place, actual: Mapping[str, Column]) -> Plan:
        """Mark, count, and remove where that is asked for."""
        del actual
        dialect = place.dialect
        marked = self.method.soft_delete_absent(
            self.table,
            dialect,
            self.version,
            self.partitions,
            moment=self.moment,
            sequence=self.sequence,
        )
        plan = Plan([marked], [{**self.row, "BATCH_ID": self.batch_id, "STATUS": "loaded"}])
        plan.deleted[self.batch_id] = merge.deleted_count(self.table, dialect, self.moment)
        if self.method.removes(hard_delete=place.hard_delete):
            if self.table.keys and place.spool.has_failed(self.stream):
                plan.load.append(removed_keys(place, self, marked_keys(self.table, self.moment, place)))
            plan.last.append(merge.remove_marked(self.table, dialect, self.moment))
        return plan


@dataclass(eq=False)
class Replacement(Change):
    """Puts what a complete read brought in place of a table's rows, or of those of some partitions.

    Attributes:
        table: The table.
        method: How its stream is loaded.
        batch_id: Its name in the ledger: that of the first batch, if the read brought any.
        stream: The stream.
        row: What the ledger says of it beside its outcome.
        parts: The read's batches, in order.
        partitions: Condition on the rows that the read was of; None for all.
    """

    table: Table
    method: LoadMethod
    batch_id: str
    stream: str
    row: dict[str, Any]
    parts: list[BatchLoad]
    partitions: Statement | None
    size: int | None = None

    def __post_init__(self) -> None:
        """Take the name by which the ledger tells whether it was committed."""
        if self.parts:
            self.batch_id = self.parts[0].batch_id

    @property
    def read(self) -> int:  # type: ignore[override]
        """Records of all its batches."""
        return sum(part.read for part in self.parts)

    @property
    def loaded(self) -> int:  # type: ignore[override]
        """Rows of all its batches."""
        return sum(part.loaded for part in self.parts)

    @property
    def rejected(self) -> int:  # type: ignore[override]
        """Dead letters of all its batches."""
        return sum(part.rejected for part in self.parts)

    def stage(self, place: Place) -> None:
        """Bring every batch to the warehouse."""
        for part in self.parts:
            part.stage(place)

    def plan(self, place: Place, actual: Mapping[str, Column]) -> Plan:
        """Remove the old rows and put the new ones in; nobody sees anything between."""
        plan = Plan([merge.clear(self.table, self.partitions)])
        for part in self.parts:
            own = part.plan(place, actual)
            plan.load += own.load
            plan.rows += own.rows
        if not self.parts:
            plan.rows.append({**self.row, "BATCH_ID": self.batch_id, "STATUS": "loaded"})
        return plan

    def settled(self, place: Place) -> None:
        """Forget the spooled files."""
        for part in self.parts:
            part.settled(place)

    def unstage(self, place: Place) -> None:
        """Remove what was staged."""
        for part in self.parts:
            part.unstage(place)

    def keep(self, place: Place, error: str) -> Path | None:
        """Nothing of it is kept: the next run brings the whole."""
        del error
        self.settled(place)
        return None
