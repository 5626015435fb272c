"""The state of one stream and folder: how far it was read, and what may still change."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_sagex3.errors import SageX3Error
from tap_sagex3.streams.resource import DATE_STAMP, STAMP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

State = dict[str, Any]
MOST_REMEMBERED = 2_000
"""Documents of a stream whose lines are remembered, besides those that may change: a state has to stay
small."""


@dataclass
class Progress:
    """A read of one folder, that may be interrupted.

    Attributes:
        since: Where it reads from, ISO; None reads all.
        begun: When it began, ISO: no bookmark goes beyond.
        after: Where its next page begins.
        newest: The latest stamp seen.
    """

    since: str | None
    begun: str
    after: str | None = None
    newest: str | None = None

    @classmethod
    def of(cls, partitions: Sequence[State], since: datetime | None, now: datetime) -> Progress:
        """The read that all partitions say was interrupted, or a new one."""
        known = [partition.get("progress") for partition in partitions]
        first = known[0] if known else None
        if isinstance(first, dict) and all(each == first for each in known):
            return cls(**first)
        return cls(iso(since) if since else None, iso(now))

    def see(self, record: Mapping[str, Any]) -> None:
        """Remember a record's stamp."""
        stamp = record.get(STAMP)
        if stamp is None and (day := record.get(DATE_STAMP)):
            stamp = f"{day}T00:00:00Z"
        if isinstance(stamp, str) and (self.newest is None or stamp > self.newest):
            self.newest = stamp


@dataclass
class Memory:
    """The lines of documents, so that those they lose can be told.

    Attributes:
        lines: Keys of lines by the token of their document, the one that was read longest ago first.
        open: Tokens of documents that may change without a new stamp: they are not forgotten.
    """

    lines: dict[str, list[list[Any]]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, partition: State) -> Memory:
        """What a state remembers."""
        lines = {name: [list(key) for key in keys] for name, keys in (partition.get("lines") or {}).items()}
        return cls(lines, set(partition.get("open") or ()))

    def remember(self, name: str, keys: Iterable[Sequence[Any]], *, may_change: bool) -> list[list[Any]]:
        """Keep a document's lines, and give those that it has lost."""
        now = [[plain(value) for value in key] for key in keys]
        before = self.lines.pop(name, [])
        if may_change:
            self.open.add(name)
        else:
            self.open.discard(name)
        self.lines[name] = now
        if len(self.lines) - len(self.open) > 2 * MOST_REMEMBERED:
            self._prune()
        return [key for key in before if key not in now]

    def forget(self, name: str) -> list[list[Any]]:
        """Drop a document that is gone, and give its lines."""
        self.open.discard(name)
        return self.lines.pop(name, [])

    def keep(self, partition: State) -> None:
        """Write it into a state."""
        self._prune()
        for word, value in (("lines", dict(self.lines)), ("open", sorted(self.open))):
            if value:
                partition[word] = value
            else:
                partition.pop(word, None)

    def _prune(self) -> None:
        closed = [name for name in self.lines if name not in self.open]
        for name in closed[: max(0, len(closed) - MOST_REMEMBERED)]:
            del self.lines[name]


def bookmark_of(partitions: Sequence[State]) -> datetime | None:
    """The bookmark that streams of one read share: the oldest; None if one of them has none."""
    known = [partition.get("replication_key_value") for partition in partitions]
    if not known or not all(known):
        return None
    return min(read_moment(str(each)) for each in known)


def start_of(config: Mapping[str, Any], bookmark: datetime | None, lookback: timedelta) -> datetime | None:
    """From which moment on changes are read; None for all."""
    if bookmark is not None:
        return bookmark - lookback
    given = config.get("start_date")
    return read_moment(str(given)) if given else None


def read_moment(text: str) -> datetime:
    """A moment of a state or a setting; UTC if it does not say.

    Raises:
        SageX3Error: It is none.
    """
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise SageX3Error(f"'{text}' is no date or time: give start_date like 2026-01-31.") from error
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def iso(moment: datetime) -> str:
    """A moment in UTC, to the second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def token(key: Iterable[Any]) -> str:
    """A key as text, for the state."""
    return json.dumps([plain(value) for value in key], separators=(",", ":"), ensure_ascii=False)


def key_of(name: str) -> tuple[Any, ...]:
    """The key that `token` wrote."""
    return tuple(json.loads(name))


def plain(value: Any) -> Any:
    """A value that survives JSON unchanged."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    return value
