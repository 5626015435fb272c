"""RECORD lines of one stream, gathered until there are enough of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class LineBatch:
    """The lines of a batch that is being filled.

    Attributes:
        lines: Whole RECORD messages.
        numbers: Their line numbers in the input; 0 for a record of a BATCH file.
        size: Bytes of the lines together.
        started_at: When the first line came, in nanoseconds since 1970; rows are numbered from it.
    """

    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    size: int = 0
    started_at: int = 0

    def add(self, line: bytes, number: int) -> None:
        """Take one more line."""
        if not self.lines:
            self.started_at = time.time_ns()
        self.lines.append(line)
        self.numbers.append(number)
        self.size += len(line)
