"""What a state keeps of one stream in one entity: how far it was read, and what it may still lose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_sageintacct import filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_REMEMBERED = 2_000
"""Documents whose lines a state remembers, the last ones read; a state has to stay small."""
_ISO = "%Y-%m-%dT%H:%M:%SZ"


def iso(at: datetime) -> str:
    """A moment as a state has it."""
    return at.astimezone(timezone.utc).strftime(_ISO)


@dataclass
class Progress:
    """A read that is under way; it goes on where it was when the process is started again.

    Attributes:
        since: The stamp from which records are read, ISO; None reads them all.
        begun: When the read began, ISO.
        slice: How many slices are done.
        after: The last key that was read, of the slice that is being read.
        newest: The newest stamp that was seen.
    """

    since: str | None
    begun: str
    slice: int = 0
    after: str | None = None
    newest: str | None = None

    @classmethod
    def of(
        cls, partition: Mapping[str, Any], since: datetime | None, now: datetime, *, whole: bool = False
    ) -> Progress:
        """The read of a state that was interrupted, or a new one.

        Args:
            partition: The state.
            since: From which stamp on a new one reads.
            now: When a new one begins.
            whole: All is to be read: an interrupted read of changes does not count.
        """
        fresh = cls(iso(since) if since else None, iso(now))
        known = partition.get("progress")
        if not isinstance(known, dict) or (whole and known.get("since") != fresh.since):
            return fresh
        return cls(**known)

    @property
    def resumes(self) -> bool:
        """Whether some of it was read by a run that was interrupted."""
        return self.slice > 0 or self.after is not None

    def see(self, stamp: object) -> None:
        """Remember a record's stamp."""
        if isinstance(stamp, str) and (self.newest is None or stamp > self.newest):
            self.newest = stamp


def since(partition: Mapping[str, Any], start_date: str | None, lookback: timedelta) -> datetime | None:
    """From which stamp on to read: a lookback before the bookmark, or the setting `start_date`."""
    if value := partition.get("replication_key_value"):
        return filters.read_moment(str(value)) - lookback
    return filters.read_moment(start_date) if start_date else None


@dataclass
class Lines:
    """Which lines each document had, so that those it has lost since can be told.

    A document's lines have neighbouring numbers as a rule: they are kept as ranges, `[first, count, ...]`.
    The keys of a view may be other texts, which are kept as they are.

    Attributes:
        by_parent: Ranges by the parent's RECORDNO, the one that was read longest ago first.
    """

    by_parent: dict[str, list[Any]] = field(default_factory=dict)

    def remember(self, parent: str, numbers: Iterable[int | str]) -> set[int | str]:
        """Keep the lines of a document that was read whole, and give those that it has lost."""
        now = set(numbers)
        before = set(_numbers(self.by_parent.pop(parent, [])))
        if now:
            self._put(parent, now)
        return before - now

    def add(self, parent: str, number: int | str) -> None:
        """Keep one more line of a document that was not read whole."""
        known = set(_numbers(self.by_parent.pop(parent, [])))
        self._put(parent, known | {number})

    def _put(self, parent: str, numbers: set[int | str]) -> None:
        self.by_parent[parent] = _ranges(numbers)
        if len(self.by_parent) > MOST_REMEMBERED:
            del self.by_parent[next(iter(self.by_parent))]


def number(text: object) -> int | str:
    """A RECORDNO as lines are remembered by: a number, or the text that it is."""
    found = str(text)
    return int(found) if found.isdecimal() and found.isascii() else found


def _ranges(numbers: set[int | str]) -> list[Any]:
    whole = sorted(each for each in numbers if isinstance(each, int))
    if len(whole) < len(numbers):
        return sorted(map(str, numbers))
    found: list[int] = []
    for each in whole:
        if found and each == found[-2] + found[-1]:
            found[-1] += 1
        else:
            found += [each, 1]
    return found


def _numbers(ranges: list[Any]) -> Iterable[int | str]:
    if ranges and isinstance(ranges[0], str):
        yield from map(number, ranges)
        return
    for first, count in zip(ranges[::2], ranges[1::2], strict=True):
        yield from range(first, first + count)
