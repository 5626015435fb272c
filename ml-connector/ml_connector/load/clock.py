"""Moments, names of runs and batches, and numbers that only grow."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from uuid import uuid4

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = 1_000


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(timezone.utc)


def exact_moment(moment: datetime | None) -> str | None:
    """A moment as the text that a dialect reads, to the microsecond."""
    return None if moment is None else f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}+00:00"


def new_run_id() -> str:
    """A name for a run, unique for good, that sorts by time, also among runs of one second.

    Half of what follows the second is the fraction of it (in 1/65536), the other half is chance.
    """
    moment = now()
    fraction = moment.microsecond * 0x10000 // 1_000_000
    return f"{moment:%Y%m%dT%H%M%SZ}-{fraction:04x}{uuid4().hex[:4]}"


class SequenceCounter:
    """Gives each record a number that is greater than those of all records that arrived before it.

    Numbers are nanoseconds since 1970, but never smaller than one that the ledger has: a clock that was set
    back must not make newer records look older.
    """

    def __init__(self) -> None:
        self._next = 0

    def start_above(self, sequence: int | None) -> None:
        """Give no number up to this one."""
        self._next = max(self._next, (sequence or 0) + _MICROSECOND)

    def reserve(self, count: int) -> int:
        """Reserve numbers that follow each other, and give the first of them.

        Two reservations are at least a microsecond apart, so that each has a moment of its own.
        """
        first = max(time.time_ns(), self._next)
        self._next = first + max(count, 1) + _MICROSECOND
        return first


def moment_of(sequence: int) -> str:
    """The moment of a sequence number, as exact text."""
    return str(exact_moment(_EPOCH + timedelta(microseconds=sequence // _MICROSECOND)))
