r"""What the state remembers of one stream and partition, and how streams of one read agree on a start.

A partition looks like this:

    {"context": {"source_company": "SAMINC"},
     "replication_key": "DateLastEdited", "replication_key_value": "2026-03-04",
     "stamps": {"DateCleared": "2026-03-04",                      stamps besides the replication key
                "PostingSequence": {"per": {"CA": 17}, "value": 9}},
     "lines": {...}, "open": [...],                               see `deletes`
     "without": ["order"], "size": 250,                           what this server has refused
     "failed": ["[\"V1\"]"],                                      records to ask for again
     "full_read": "2026-03-01T00:00:00Z",                         the last whole read, for full_refresh_every
     "progress": {"since": ..., "begun": ..., "after": ..., "newest": ...}}   while a read is not complete

Values are canonical: moments in UTC with a Z, days as dates, whatever notation they came in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from ml_connector.extract.deletes import plain
from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.errors import InvalidSetting
from ml_connector.extract.source import Bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ml_connector.extract.resource import Resource, Stamp

State = dict[str, Any]
_DAY_LENGTH = len("2026-01-31")
_AMERICAN = re.compile(
    r"(\d\d?)/(\d\d?)/(\d{4})(?:[ T](\d\d?):(\d\d)(?::(\d\d))?\s*([AP]M)?)?$", re.IGNORECASE
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)$")
_LENGTHS = ({_DAY_LENGTH}, {len("2026-01-31T00:00:00Z")})
_FRACTION = re.compile(r"\.(\d+)")


def moment_of(text: str) -> datetime | None:
    """Read a moment in any notation that ERPs write; UTC if it does not say.

    Args:
        text: ISO 8601 with or without a time, `20260304`, or the American `03/04/2026 08:15:30 PM`.

    Returns:
        The moment; None if it is none.
    """
    text = text.strip()
    try:
        if match := _AMERICAN.match(text):
            month, day, year = int(match[1]), int(match[2]), int(match[3])
            hour = int(match[4] or 0)
            if match[7]:
                hour = hour % 12 + (12 if match[7].upper() == "PM" else 0)
            found = datetime(
                year, month, day, hour, int(match[5] or 0), int(match[6] or 0), tzinfo=timezone.utc
            )
        elif match := _COMPACT.match(text):
            found = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=timezone.utc)
        else:
            exact = _FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", text)
            found = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", exact))
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def iso(moment: datetime) -> str:
    """A moment in UTC, to the second unless it has a fraction."""
    text = moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06d}Z" if moment.microsecond else f"{text}Z"


def canonical(value: Any, stamp: Stamp) -> Any:
    """A stamp's value in the one form that the state has; None for a blank or what is no stamp."""
    if isinstance(value, msgspec.Raw):
        value = decode_exactly(value)
    if stamp.kind == "counter":
        number = plain(value)
        if isinstance(number, str) and number.strip().lstrip("-").isdigit():
            number = int(number)
        return number if isinstance(number, (int, float)) and not isinstance(number, bool) else None
    found = moment_of(value) if isinstance(value, str) else None
    if found is None or found.year < 1900:  # noqa: PLR2004 - the empty dates of ERPs lie before
        return None
    return found.date().isoformat() if stamp.kind == "day" else iso(found)


@dataclass
class Watermarks:
    """The greatest values of stamps that a read has seen.

    Attributes:
        values: By field.
        counters: Of stamps that count apart: by field, then by what they count.
    """

    values: dict[str, Any] = field(default_factory=dict)
    counters: dict[str, dict[str, Any]] = field(default_factory=dict)

    def see(self, stamp: Stamp, values: Iterable[Any], per: Iterable[Any] | None = None) -> None:
        """Take a column into account."""
        if per is not None:
            counters = self.counters.setdefault(stamp.field, {})
            for value, what in zip(values, per, strict=True):
                number, name = canonical(value, stamp), str(plain(what))
                if number is not None and number > counters.get(name, number - 1):
                    counters[name] = number
            return
        values = list(values)
        texts = [value for value in values if type(value) is str]
        if {len(text) for text in texts} in _LENGTHS and {text[4:5] for text in texts} == {"-"}:
            # of one notation, whose order is that of the text: all days, or all moments with the same ending
            endings = {text[_DAY_LENGTH + 9 :] for text in texts}
            texts = texts if len(endings) == 1 else []
        else:
            texts = []
        if texts:
            values = [max(texts)]
        for value in {bytes(v) if type(v) is msgspec.Raw else v for v in values}:
            found = canonical(msgspec.Raw(value) if isinstance(value, bytes) else value, stamp)
            known = self.values.get(stamp.field)
            if found is not None and (known is None or found > known):
                self.values[stamp.field] = found

    def capped(self, stamps: Sequence[Stamp], begun: str) -> Watermarks:
        """None beyond the moment when the read began: a stamp from the future hides what comes until then."""
        kinds = {each.field: each.kind for each in all_of(stamps)}
        limits = {"day": begun[:_DAY_LENGTH], "moment": begun}
        values = {
            name: min(value, limits[kind]) if (kind := kinds.get(name, "counter")) in limits else value
            for name, value in self.values.items()
        }
        return Watermarks(values, self.counters)


@dataclass
class Progress:
    """A read of one partition, that may be interrupted.

    Attributes:
        since: What it asks by, as `described` wrote it; None for all.
        begun: When it began, by the server's clock: no bookmark goes beyond.
        after: Where its next page begins.
        newest: The greatest stamps seen.
    """

    since: Any
    begun: str
    after: Any = None
    newest: Watermarks = field(default_factory=Watermarks)

    def as_state(self) -> State:
        """The form that a state has."""
        newest = {"values": self.newest.values, "counters": self.newest.counters}
        return {"since": self.since, "begun": self.begun, "after": self.after, "newest": newest}


def all_of(stamps: Iterable[Stamp]) -> Iterable[Stamp]:
    """Stamps, and those that stand in for them."""
    for each in stamps:
        stamp: Stamp | None = each
        while stamp is not None:
            yield stamp
            stamp = stamp.instead


def described(since: Sequence[Bound] | None) -> Any:
    """Bounds as a state has them."""
    return None if since is None else [[each.stamp.field, each.value, each.per] for each in since]


def resumed(
    partitions: Sequence[State], stamps: Sequence[Stamp], since: Sequence[Bound] | None, begun: str
) -> Progress:
    """The read that all partitions say was interrupted, or a new one."""
    kept = [partition.get("progress") for partition in partitions]
    first = kept[0] if kept else None
    if not isinstance(first, dict) or first.get("after") is None or any(each != first for each in kept):
        return Progress(described(since), begun)
    newest, asked = first.get("newest") or {}, first.get("since")
    if isinstance(newest, str):  # version 0.1 kept one stamp only
        newest = {"values": {stamps[0].field: newest}} if stamps else {}
    if isinstance(asked, str):
        asked = [[stamps[0].field, asked, None]] if stamps else None
    marks = Watermarks(dict(newest.get("values") or {}), dict(newest.get("counters") or {}))
    return Progress(asked, str(first.get("begun") or begun), first["after"], marks)


def bounds_of(asked: Any, stamps: Sequence[Stamp]) -> tuple[Bound, ...] | None:
    """The bounds that `described` wrote."""
    if asked is None:
        return None
    known = {stamp.field: stamp for stamp in all_of(stamps)}
    return tuple(Bound(known[name], value, per) for name, value, per in asked if name in known)


def bookmarks(partitions: Sequence[State], stamps: Sequence[Stamp]) -> Watermarks | None:
    """What streams of one read share: the least of each stamp; None if one has none."""
    found: list[Watermarks] = []
    for partition in partitions:
        own = _bookmark(partition, stamps)
        if own is None:
            return None
        found.append(own)
    if not found:
        return None
    least = Watermarks()
    for stamp in stamps:
        known = [each.values.get(stamp.field) for each in found]
        if all(value is not None for value in known):
            least.values[stamp.field] = min(value for value in known if value is not None)
        apart = [each.counters.get(stamp.field) for each in found]
        if all(apart):
            names = set[str]().union(*(each or {} for each in apart))
            least.counters[stamp.field] = {
                name: min(each[name] for each in apart if each and name in each) for name in names
            }
    return least


def _bookmark(partition: State, stamps: Sequence[Stamp]) -> Watermarks | None:
    first = stamps[0]
    value = partition.get("replication_key_value")
    if value is None or partition.get("replication_key") != first.field:
        return None
    value = canonical(value, first)
    if value is None:
        return None
    found = Watermarks({first.field: value})
    others = partition.get("stamps") or {}
    for stamp in stamps[1:]:
        kept = others.get(stamp.field)
        if isinstance(kept, dict):
            found.counters[stamp.field] = dict(kept.get("per") or {})
            kept = kept.get("value")
        # a stamp that nobody has seen yet counts from the replication key's: its first value will be later
        if kept is None and stamp.kind != "counter" and first.kind != "counter":
            kept = value
        if kept is not None and (kept := canonical(kept, stamp)) is not None:
            found.values[stamp.field] = kept
    return found


def bounds(known: Watermarks, stamps: Sequence[Stamp], lookback: timedelta) -> tuple[Bound, ...]:
    """From which values on a later read asks: at or after, and earlier by the lookback."""
    found = []
    for stamp in stamps:
        value, per = known.values.get(stamp.field), known.counters.get(stamp.field)
        if stamp.kind == "counter":
            if value is not None or per:
                found.append(Bound(stamp, value, per))
            continue
        moment = moment_of(value) if value is not None else None
        if moment is not None:
            found.append(Bound(stamp, start_value(stamp, moment, lookback)))
    return tuple(found)


def start_value(stamp: Stamp, moment: datetime, lookback: timedelta) -> str:
    """A bookmark less the lookback; where a stamp is a day, at least a day."""
    start = moment - stamp.reach(lookback)
    return start.date().isoformat() if stamp.kind == "day" else iso(start)


def first_bounds(stamps: Sequence[Stamp], start_date: datetime | None) -> tuple[Bound, ...] | None:
    """From where a first read asks; None for all."""
    dated = [stamp for stamp in stamps if stamp.kind != "counter"]
    if start_date is None or not dated:
        return None
    return tuple(
        Bound(stamp, start_date.date().isoformat() if stamp.kind == "day" else iso(start_date))
        for stamp in dated
    )


def read_start_date(text: Any) -> datetime | None:
    """The setting `start_date`.

    Raises:
        InvalidSetting: It is no date.
    """
    if text is None or not str(text).strip():
        return None
    moment = moment_of(str(text))
    if moment is None:
        raise InvalidSetting(
            "The setting start_date is no date or moment: give it like 2026-01-31 or 2026-01-31T00:00:00Z."
        )
    return moment


def keep_bookmark(partition: State, resource: Resource, marks: Watermarks) -> None:
    """Write the bookmark of a complete read; it never goes back."""
    first = resource.stamps[0]
    value = marks.values.get(first.field)
    if value is not None:
        known = canonical(partition.get("replication_key_value"), first)
        partition["replication_key"] = first.field
        partition["replication_key_value"] = value if known is None else max(value, known)
    others: State = {}
    for stamp in resource.stamps[1:]:
        value, per = marks.values.get(stamp.field), marks.counters.get(stamp.field)
        if per:
            others[stamp.field] = {"per": per, **({} if value is None else {"value": value})}
        elif value is not None:
            others[stamp.field] = value
    if others:
        partition["stamps"] = others


def forget(partition: State) -> None:
    """Make the next read of a partition a first one; what the server has refused stays known."""
    for word in [
        word for word in partition if word not in {"context", "without", "size", "full_read", "failed"}
    ]:
        del partition[word]
