"""What a company's partition of the state remembers, and how the streams of one set agree on a start.

A partition of the Singer state looks like this:

    {"context": {"source_company": "SAMINC"},
     "replication_key": "DateLastEdited", "replication_key_value": "2026-03-04T00:00:00Z",
     "also_changed": {"DateCleared": "2026-03-04T00:00:00Z"},      dates that move on their own
     "highest": 117,                                               greatest number of a record seen
     "open_keys": {"[115]": [[115, 1], [115, 2]]},                 documents that may still change: their rows
     "progress": {"filter": "...", "after": [...], ...}}           only while a read is not complete

The bookmark moves only when a read is complete, for rows come in key order. `progress` says how far an
interrupted read got: its condition, the key (or position) of the last row, and the greatest stamps so far.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_sage300.days import day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_sage300.days import Days
    from tap_sage300.streams.resource import Resource

State = dict[str, Any]
_DAY = 10


@dataclass
class Bookmark:
    """Where the next read of one company's entity set begins, and what it has seen since."""

    stamps: dict[str, Any] = field(default_factory=dict)
    """Greatest value by property, the replication key first; empty before the first complete read."""
    highest: Any = None
    """Greatest `grows_by` number."""
    open_keys: set[str] = field(default_factory=set)
    """The documents to read again, as `token` writes them."""
    progress: State | None = None
    """How far an interrupted read got."""

    @property
    def first(self) -> bool:
        """No read of this set was ever complete."""
        return not self.stamps

    def see(self, resource: Resource, document: Mapping[str, Any], today: str) -> None:
        """Take a document's stamps into account.

        Args:
            resource: Tells which properties count.
            document: The record.
            today: No date beyond it is believed: a document dated next year must not hide what happens until
                then.
        """
        for name in (resource.replication_key, *resource.also_changed):
            value = None if name is None else document.get(name)
            if name is None or value is None:
                continue
            if isinstance(value, str):
                value = min(value[:_DAY], today) + "T00:00:00Z"
            elif isinstance(value, Decimal):
                value = plain(value)
            known = self.stamps.get(name)
            if known is None or value > known:
                self.stamps[name] = value
        number = None if resource.grows_by is None else plain(document.get(resource.grows_by))
        if number is not None and (self.highest is None or number > self.highest):
            self.highest = number


def start_of(partitions: Sequence[State], resource: Resource) -> Bookmark:
    """Find the start that loses nothing for any of the streams that share a read.

    Args:
        partitions: The partition of each selected stream.
        resource: The entity set, with the replication key in use.

    Returns:
        The least of their bookmarks and the union of their open documents. A stream that has no bookmark, or
        one of another replication key, makes it a first read. The progress of an interrupted read counts only
        when all streams took part in it.
    """
    start, replication_key = Bookmark(), resource.replication_key
    for partition in partitions:
        start.open_keys.update(partition.get("open_keys", {}))
    progresses = [partition.get("progress") for partition in partitions]
    if progresses[0] is not None and all(progress == progresses[0] for progress in progresses):
        start.progress = progresses[0]
    if replication_key is None or any(
        partition.get("replication_key") != replication_key or partition.get("replication_key_value") is None
        for partition in partitions
    ):
        return start
    values = [partition["replication_key_value"] for partition in partitions]
    start.stamps = {replication_key: min(values)}
    for name in resource.also_changed:
        # A date that nobody has seen yet counts from the replication key's: its first value will be later.
        start.stamps[name] = min(
            partition.get("also_changed", {}).get(name, value)
            for partition, value in zip(partitions, values, strict=True)
        )
    numbers = [partition.get("highest") for partition in partitions]
    known = [number for number in numbers if number is not None]
    start.highest = min(known) if len(known) == len(numbers) else None
    return start


def keep(partition: State, seen: Bookmark, replication_key: str) -> None:
    """Write the bookmark of a complete read.

    Args:
        partition: The stream's partition, changed in place.
        seen: What was seen.
        replication_key: The replication key in use.
    """
    partition.pop("progress", None)
    if seen.stamps.get(replication_key) is None:
        return
    partition["replication_key"] = replication_key
    partition["replication_key_value"] = seen.stamps[replication_key]
    others = {name: value for name, value in seen.stamps.items() if name != replication_key}
    if others:
        partition["also_changed"] = others
    if seen.highest is not None:
        partition["highest"] = seen.highest


def keys_hold_days(partition: State, key: Sequence[str], days: Days, stream: str) -> None:
    """Spell days in the keys of open documents' rows as rows do: earlier versions kept their midnights.

    Args:
        partition: The stream's partition, changed in place.
        key: The names of the stream's key.
        days: The columns that hold days.
        stream: The stream, to be named in errors.
    """
    places = [place for place, name in enumerate(key) if name in days]
    if not places:
        return
    for rows in partition.get("open_keys", {}).values():
        for row in rows:
            for place in places:
                row[place] = day(row[place], key[place], stream)


def forget(partition: State) -> None:
    """Make the next read of a partition a first one.

    Args:
        partition: The stream's partition, changed in place; its context remains.
    """
    for name in [name for name in partition if name != "context"]:
        del partition[name]


def token(values: Iterable[Any]) -> str:
    """Write a key as text, for the state.

    Args:
        values: The key's values.

    Returns:
        A JSON array.
    """
    return json.dumps([plain(value) for value in values], separators=(",", ":"))


def values_of(name: str) -> list[Any]:
    """Read a key that `token` wrote.

    Args:
        name: The JSON array.

    Returns:
        The key's values.
    """
    values: list[Any] = json.loads(name)
    return values


def plain(value: Any) -> Any:
    """Make a value that survives JSON unchanged.

    Args:
        value: A JSON value; a decimal becomes an integer, or text when it has decimals.

    Returns:
        The value for the state.
    """
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    return value
