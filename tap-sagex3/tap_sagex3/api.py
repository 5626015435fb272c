"""What the tap asks of a server, whichever of the two APIs answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sagex3.streams.resource import Resource

Record = dict[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Wanted:
    """What is to be read of each record of a level.

    Attributes:
        fields: Field codes.
        lines: The same of the rows inside it, by collection; collections that nobody wants are missing.
    """

    fields: frozenset[str]
    lines: Mapping[str, Wanted] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """Which records are to be read.

    Attributes:
        wanted: What of each.
        since: Changed at or after this moment; None for all.
        bookmark: The last change known, from which `since` looks back; a date-only stamp needs it.
        after: Where an interrupted read goes on: a page's `after`.
    """

    wanted: Wanted
    since: datetime | None = None
    bookmark: datetime | None = None
    after: str | None = None

    @property
    def since_day(self) -> str | None:
        """The day from which a date-only stamp has to be read: it hides what follows on the same day."""
        if self.since is None or self.bookmark is None:
            return None
        day = min(self.since, self.bookmark - timedelta(days=1))
        return day.astimezone(timezone.utc).date().isoformat()


class Page(NamedTuple):
    """Some records, by field codes, as the API sent their values."""

    records: list[Record]
    after: str | None
    """Where the next page begins; None after the last."""


@dataclass
class Described:
    """What a server says of a kind of record.

    Attributes:
        fields: JSON schemas by field code, or by the name that the API gives where there is no code.
        lines: The same of the rows inside it, by collection.
    """

    fields: dict[str, dict[str, Any]]
    lines: dict[str, Described] = field(default_factory=dict)


class Api(Protocol):
    """One of the two APIs, for one folder."""

    folder: str

    def pages(self, resource: Resource, question: Question) -> Iterator[Page]:
        """Read records in the order of their key.

        Raises:
            StreamUnavailable: The folder does not have them.
            SageX3Error: The server refuses, or an error outlived all attempts.
        """

    def records(self, resource: Resource, keys: Sequence[Key], wanted: Wanted) -> Iterator[Record]:
        """Read records by their keys; those that are gone are missing."""

    def changed_through_lines(self, resource: Resource, since: datetime) -> Iterator[Key]:
        """Keys of documents whose lines changed, where lines can be asked for by themselves."""

    def describe(self, resource: Resource) -> Described | None:
        """Ask which fields there are; None if the server cannot say."""

    def count(self, resource: Resource) -> int | None:
        """How many records the server counts itself; None if it does not."""

    def check(self) -> str:
        """Sign in, and say in a few words to what.

        Raises:
            SageX3Error: It does not work.
        """

    def close(self) -> None:
        """End the connections."""
