"""Which lines a document still has: where the reading of each document began.

A stream that always brings documents whole says so in its SCHEMA message (``x-document-key``). The records
of one document follow each other; a line that comes twice is of a new reading. Lines that the newest
reading did not bring are gone.

A batch may end within a document. That one is judged with the next batch, or when it is known that nothing
of it follows; until then no state goes out that promises it. A document of which a line was rejected is not
judged at all before it is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ml_connector.load.sql.staged import DOCUMENT_READ

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEQUENCE, _DELETED, _EXTRACTED = "_SDC_SEQUENCE", "_SDC_DELETED_AT", "_SDC_EXTRACTED_AT"


class _Line(NamedTuple):
    """A line that came: its key, its sequence, and when the source showed it."""

    key: tuple[Any, ...]
    sequence: int
    extracted: Any


@dataclass
class _Open:
    """A document of which more may come.

    Attributes:
        document: Its columns and where its reading began, as one row.
        name: Its columns' values.
        lines: The lines of its last reading.
        flawed: Whether a line of it may have been rejected.
    """

    document: pa.Table
    name: tuple[Any, ...]
    lines: list[_Line]
    flawed: bool


class DocumentReads:
    """Follows the documents of one stream through its batches.

    Args:
        document_key: Columns that name a line's document.
        keys: Columns of a line's key; may be empty.
    """

    def __init__(self, document_key: Sequence[str], keys: Sequence[str]) -> None:
        self._document_key = list(document_key)
        self._keys = list(keys)
        self._open: _Open | None = None
        self._flawed = False

    @property
    def waiting(self) -> int:
        """Lines of a document that waits to be judged; 0 if none does."""
        return len(self._open.lines) if self._open else 0

    def mark(
        self, rows: pa.Table, *, more_follows: bool, flawed: bool = False
    ) -> tuple[pa.Table, pa.Table | None]:
        """Say of each row where the reading of its document began.

        Args:
            rows: The batch, with its bookkeeping columns.
            more_follows: Whether the last document may go on in the next batch.
            flawed: Whether records of the batch were rejected: none of its documents is judged.

        Returns:
            The rows with :data:`DOCUMENT_READ`, null where the document is not to be judged by this batch;
            and a document of an earlier batch that is now known to be whole, if there is one.
        """
        if flawed and self._open:
            self._open.flawed = True
        live = pc.is_null(rows[_DELETED])
        for name in self._document_key:
            live = pc.and_(live, pc.is_valid(rows[name]))
        places = pc.indices_nonzero(live)
        lines = rows.take(places)
        if not lines.num_rows:
            whole = None if more_follows else self.close()
            self._flawed = more_follows and (flawed or self._flawed)
            return rows.append_column(DOCUMENT_READ.name, pa.nulls(rows.num_rows, pa.int64())), whole
        column: list[int | None] = [None] * rows.num_rows
        reads, whole = self._reads(lines, more_follows=more_follows, flawed=flawed)
        for place, read in zip(places.to_pylist(), reads, strict=True):
            column[place] = read
        return rows.append_column(DOCUMENT_READ.name, pa.array(column, pa.int64())), whole

    def close(self) -> pa.Table | None:
        """Take the document that waits, as nothing of it follows; None if it must not be judged."""
        found, self._open = self._open, None
        return found.document if found and not found.flawed else None

    def _reads(
        self, lines: pa.Table, *, more_follows: bool, flawed: bool
    ) -> tuple[list[int | None], pa.Table | None]:
        """Where the last reading of each line's document began; and a document that waited and is whole."""
        begins = self._beginnings(lines)
        sizes = [after - begin for begin, after in zip(begins, [*begins[1:], lines.num_rows], strict=True)]
        repeated = self._repeated(lines, sizes)
        before, whole = self._go_on(lines)
        # the first document may lack a line that was rejected at the end of the last batch
        doubtful = before.flawed if before else self._flawed
        sequences = lines[_SEQUENCE]
        reads: list[int | None] = []
        for span, (begin, size) in enumerate(zip(begins, sizes, strict=True)):
            goes_on = before.lines if before and span == 0 else []
            is_flawed = flawed or (doubtful and span == 0)
            waits = more_follows and span == len(begins) - 1
            read = sequences[begin].as_py()
            if goes_on or waits or span in repeated:
                came = self._lines_of(lines, begin, size)
                last = _last_reading([*goes_on, *came]) if self._keys else [*goes_on, *came]
                read = last[0].sequence
                if waits:
                    self._keep_open(lines, begin, last, flawed=is_flawed)
            reads += [None if waits or is_flawed else read] * size
        self._flawed = flawed and more_follows
        return reads, whole

    def _go_on(self, lines: pa.Table) -> tuple[_Open | None, pa.Table | None]:
        """The document that waited, if these lines go on with it; and itself, if it is whole."""
        if self._open is None:
            return None, None
        if self._name_of(lines, 0) != self._open.name:
            return None, self.close()
        before, self._open = self._open, None
        return before, None

    def _beginnings(self, lines: pa.Table) -> list[int]:
        """Places at which a document differs from the one before."""
        count = lines.num_rows
        differs = pa.array([True] + [False] * (count - 1))
        for name in self._document_key:
            column = lines[name].combine_chunks()
            other = pc.not_equal(column.slice(1), column.slice(0, count - 1))
            differs = pc.or_(differs, pa.concat_arrays([pa.array([True]), _whole(other)]))
        begins: list[int] = pc.indices_nonzero(differs).to_pylist()
        return begins

    def _repeated(self, lines: pa.Table, sizes: list[int]) -> set[int]:
        """Which documents have a line twice."""
        if not self._keys:
            return set()
        spans = pa.array([span for span, size in enumerate(sizes) for _ in range(size)])
        counted = (
            lines.select(self._keys)
            .append_column("ML_SPAN", spans)
            .group_by([*self._keys, "ML_SPAN"])
            .aggregate([([], "count_all")])
        )
        return set(counted.filter(pc.greater(counted["count_all"], 1))["ML_SPAN"].to_pylist())

    def _keep_open(self, lines: pa.Table, begin: int, last: list[_Line], *, flawed: bool) -> None:
        document = lines.select(self._document_key).slice(begin, 1)
        read = pa.array([last[0].sequence], pa.int64())
        self._open = _Open(
            document.append_column(DOCUMENT_READ.name, read), self._name_of(lines, begin), last, flawed
        )

    def _name_of(self, lines: pa.Table, place: int) -> tuple[Any, ...]:
        return tuple(lines[name][place].as_py() for name in self._document_key)

    def _lines_of(self, lines: pa.Table, begin: int, size: int) -> list[_Line]:
        part = lines.slice(begin, size)
        columns = [part[name].to_pylist() for name in self._keys]
        keys = list(zip(*columns, strict=True)) if columns else [()] * size
        return list(
            map(_Line, keys, part[_SEQUENCE].to_pylist(), part[_EXTRACTED].cast(pa.int64()).to_pylist())
        )


def _last_reading(lines: list[_Line]) -> list[_Line]:
    """The lines of a document's last reading, where it may have been read several times in a row.

    No reading has a line twice, so the last one is at most as long as the longest end without a repetition.
    Where in that end it begins is told by the first moment that differs, if the source's moments are those of
    readings; otherwise all of it is taken, as a line too many is mended by the next reading and a line too
    few is not.
    """
    places: dict[tuple[Any, ...], int] = {}
    for place in range(len(lines) - 1, -1, -1):
        again = places.get(lines[place].key)
        if again is not None:
            begin = next(
                (
                    later
                    for later in range(place + 1, again + 1)
                    if lines[later].extracted != lines[later - 1].extracted
                ),
                place + 1,
            )
            return lines[begin:]
        places[lines[place].key] = place
    return lines


def _whole(array: Any) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
