"""What there is to know about one kind of record before it is read: plain data, no behaviour.

A tap declares its streams with these, or with dataclasses of its own that add where its API keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMPANY = "source_company"
"""The column that names the company; first in every key."""


@dataclass(frozen=True)
class Stamp:
    """A field that moves when a record changes, or that only new records raise."""

    field: str
    kind: Literal["moment", "day", "counter"] = "moment"
    """A moment, a day (read again from at least a day earlier), or a number that grows."""
    per: str | None = None
    """The field by whose values a counter counts apart, such as the type of a batch."""
    instead: Stamp | None = None
    """The next best stamp, where the server does not accept this one."""
    backdated: int = 0
    """Days by which users date records back: a later read begins that much earlier, if `lookback` is less."""

    def reach(self, lookback: timedelta) -> timedelta:
        """How far before its bookmark it is asked for again."""
        least = max(self.backdated, 1 if self.kind == "day" else 0)
        return max(lookback, timedelta(days=least))


@dataclass(frozen=True)
class Final:
    """When a document cannot change any more; until then it is read again in every run."""

    field: str
    values: frozenset[object]
    """The values of a document that is done."""


@dataclass(frozen=True)
class Carried:
    """A column of a line that comes from a level above it."""

    column: str
    field: str
    level: int = 0
    """0 is the document."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Rows made of a collection inside each document, a stream of their own."""

    stream: str
    key: tuple[str, ...]
    """What tells two rows of a company apart; the document's key comes from the document where a line lacks
    it."""
    collection: str
    """The array in the document; steps of a way through several are joined by dots."""
    carried: tuple[str | Carried, ...] = ()
    """Columns from the document (or a level between), those that an analyst joins on."""
    lines: tuple[Lines, ...] = ()
    """Rows inside these rows."""
    period: str | None = None
    """The date by whose month control totals are told apart."""
    measures: tuple[str, ...] = ()
    """What control totals sum."""
    selected: bool = True
    """Whether discovery proposes the stream."""

    @property
    def from_above(self) -> tuple[Carried, ...]:
        """What is carried, each column with where it comes from."""
        return tuple(each if isinstance(each, Carried) else Carried(each, each) for each in self.carried)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of document of an API, its key, and how its changes are found."""

    stream: str
    address: str
    """Where the API has it: a table, an entity set, an object."""
    key: tuple[str, ...]
    """Its key, without the company, in the order in which the API sorts."""
    stamps: tuple[Stamp, ...] = ()
    """What tells of a change, joined by `or`; the first one is the replication key. Without any, all is read
    in every run and followed by ACTIVATE_VERSION."""
    final: Final | None = None
    """The rule for documents that change without a new stamp."""
    lines: tuple[Lines, ...] = ()
    """Streams made from the same answer."""
    parent: str | None = None
    """The stream of the documents whose lines these are, where the API is asked for lines by themselves."""
    parent_key: tuple[str, ...] = ()
    """The fields that hold the parent's key."""
    audited: bool = False
    """Whether the API tells which records were deleted."""
    period: str | None = None
    measures: tuple[str, ...] = ()
    selected: bool = True

    @property
    def replication_key(self) -> str | None:
        """The field whose greatest value is the bookmark."""
        return self.stamps[0].field if self.stamps else None

    @property
    def parsed_fields(self) -> frozenset[str]:
        """Fields whose values the reader itself looks at; all others may stay the text they came as."""
        found = {*self.key, *self.parent_key}
        for stamp in self.stamps:
            each: Stamp | None = stamp
            while each is not None:
                found.update(name for name in (each.field, each.per) if name)
                each = each.instead
        if self.final:
            found.add(self.final.field)
        for lines, _ in walk(self.lines):
            found.update(lines.key)
        return frozenset(found)


def walk(lines: Iterable[Lines], above: tuple[str, ...] = ()) -> Iterator[tuple[Lines, tuple[str, ...]]]:
    """Lines and the lines inside them, each with its path from the document.

    Args:
        lines: The lines of a level.
        above: The path of that level.

    Yields:
        Each, those outside before those inside.
    """
    for each in lines:
        path = (*above, *each.collection.split("."))
        yield each, path
        yield from walk(each.lines, path)
