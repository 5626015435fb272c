"""RECORD lines of one stream, gathered until there are enough of them, and decoded on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ml_connector.load.decode import BLOCK, Rejection, StreamDecoder, together
from ml_connector.load.errors import BadInputError
from ml_connector.load.explain import NO_RECORD

if TYPE_CHECKING:
    import pyarrow as pa


_BLOCK_BYTES = 4 * 1024 * 1024


class Batch:
    """A batch that is being filled.

    Lines are decoded a block at a time, while the processor still has them at hand; what waits for the rest
    of the batch is columns, a fraction of the lines' size.

    Attributes:
        numbers: Line numbers in the input, one a record; 0 for a record of a BATCH file.
        size: Bytes of the lines together.
        started_at: When the first line came, in nanoseconds since 1970; rows are numbered from it.
    """

    def __init__(self, decoder: StreamDecoder, most_rows: int, most_bytes: int) -> None:
        """Begin a batch.

        Args:
            decoder: The stream's.
            most_rows: With so many records it is full.
            most_bytes: With so many bytes of lines it is full.
        """
        self.numbers: list[int] = []
        self.size = 0
        self.started_at = 0
        self._decoder = decoder
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._tables: list[pa.Table] = []
        self._rejections: list[Rejection] = []
        self._begin_block()

    @property
    def is_full(self) -> bool:
        """Whether it has all the records or bytes that it may have."""
        return len(self.numbers) >= self._most_rows or self.size >= self._most_bytes

    def add(self, line: bytes, number: int) -> bool:
        """Take one more line, and tell whether the batch is full.

        Raises:
            BadInputError: If a line up to this one is not a RECORD message; the message names its number.
        """
        if not self.numbers:
            self.started_at = time.time_ns()
        self.numbers.append(number)
        self._lines.append(line)
        self.size += len(line)
        if len(self._lines) < self._block_rows and self.size < self._block_end:
            return False
        self._decode()
        return self.is_full

    def decoded(self) -> tuple[pa.Table, list[Rejection]]:
        """End the batch.

        Returns:
            What :meth:`StreamDecoder.decode` gives, for all of its lines; a rejection's ``line_number`` is
            its place in :attr:`numbers`.

        Raises:
            BadInputError: As :meth:`add`.
        """
        if self._lines or not self._tables:
            self._decode()
        return together(self._tables), self._rejections

    def _begin_block(self) -> None:
        self._lines: list[bytes] = []
        self._block_rows = min(BLOCK, self._most_rows - len(self.numbers))
        self._block_end = min(self.size + _BLOCK_BYTES, self._most_bytes)

    def _decode(self) -> None:
        first = len(self.numbers) - len(self._lines)
        table, rejections = self._decoder.decode(self._lines, first_line_number=first)
        for rejection in rejections:
            if rejection.kind in NO_RECORD:
                # none of this batch is loaded: what came before is read again, as no state has promised it
                raise BadInputError(self._unreadable(rejection))
        self._tables.append(table)
        self._rejections += rejections
        self._begin_block()

    def _unreadable(self, rejection: Rejection) -> str:
        number = self.numbers[rejection.line_number]
        where = f"Line {number} of the input" if number else "A line of a BATCH file"
        return f"{where} is not a RECORD message of stream '{self._decoder.stream}': {rejection.message}."
