"""What a tap asks of its API, whichever it is: one source reads one company (folder, entity).

A source knows HTTP and the API's values, nothing of Singer or of state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from ml_connector.extract.resource import Resource, Stamp

Key: TypeAlias = tuple[Any, ...]
Converter: TypeAlias = Callable[[list[Any]], list[Any]]
"""Turns a column as the API sent it into a column in the schema's types; `msgspec.UNSET` stays."""


@dataclass(frozen=True)
class Selection:
    """What is to be read of each record of a level.

    Attributes:
        fields: Names of fields.
        lines: The same of the rows inside it, by collection; collections that nobody wants are missing.
    """

    fields: frozenset[str]
    lines: Mapping[str, Selection] = field(default_factory=dict)


class Bound(NamedTuple):
    """Records whose stamp is at or after a value."""

    stamp: Stamp
    value: Any
    """A moment or a day as ISO 8601 (moments in UTC), or a number."""
    per: Mapping[str, Any] | None = None
    """A counter's values by what it counts; `value` holds for what is not among them."""


@dataclass(frozen=True)
class ReadRequest:
    """Which records are to be read.

    Attributes:
        resource: Of which kind.
        selection: What of each.
        since: Bounds joined by `or`; records with a blank stamp count too. None for all.
        after: Where the read goes on: the `after` of the page before.
        size: Records a page; None as the source likes.
        without: Parts of a question that this server has refused: `order`, `count`, `select`, `blanks`,
            `field:NAME`, `filter:STAMP`.
        shape: JSON schemas by path and field, of all fields that may come.
        beyond: How many records behind `after` are passed over, as they cannot be read at all: the answer is
            one page without records, whose `after` begins with the next one. A source that cannot do so reads
            on as if nothing were passed over.
        patient: False while a page that the server cannot give is taken apart: one more attempt is enough.
    """

    resource: Resource
    selection: Selection
    since: tuple[Bound, ...] | None = None
    after: Any = None
    size: int | None = None
    without: frozenset[str] = frozenset()
    patient: bool = True
    beyond: int = 0
    shape: Mapping[tuple[str, ...], Mapping[str, Mapping[str, Any]]] = field(
        default_factory=dict, compare=False
    )


class Texts(list[Any]):
    """A column that holds texts, nulls and `msgspec.UNSET` only: who decoded it has looked at every value."""


class Level:
    """The records of one level of a page, as columns.

    Args:
        count: How many there are.
        columns: Values by field, as the API sent them; `msgspec.UNSET` where a record lacks one. Numbers may
            be `msgspec.Raw`, so that they keep their digits without being parsed.
        parents: Of lines: the place of each one's record in the level above, ascending.
    """

    __slots__ = ("columns", "count", "parents")

    def __init__(
        self, count: int, columns: Mapping[str, list[Any]], parents: Sequence[int] | None = None
    ) -> None:
        self.count, self.columns, self.parents = count, columns, parents


Levels: TypeAlias = dict[tuple[str, ...], Level]
"""By path: `()` are the documents, `("HAEDAE",)` their lines."""


class Page(NamedTuple):
    """Some records, not yet decoded: what fetches them only looks for what the next request needs."""

    levels: Callable[[], Levels]
    """Decodes them; called once, by the thread that writes."""
    after: Any = None
    """Where the next page begins, a JSON value; None after the last."""


class Deleted(NamedTuple):
    """A record that the API says is gone."""

    key: Key
    at: str


@dataclass
class SourceSchema:
    """What a server says of a kind of record.

    Attributes:
        fields: JSON schemas by field.
        lines: The same of the rows inside it, by collection.
    """

    fields: dict[str, dict[str, Any]]
    lines: dict[str, SourceSchema] = field(default_factory=dict)


class Source(Protocol):
    """One API, for one company."""

    @property
    def partition(self) -> Mapping[str, Any]:
        """The columns that name what is read: `{"source_company": "SAMINC"}`."""

    def now(self) -> float:
        """The server's clock, as seconds since 1970; this machine's if it is not known."""

    def converter(self, described: Mapping[str, Any]) -> Converter:
        """How a column with that JSON schema is converted."""

    def page_size(self, resource: Any, selection: Selection) -> int:
        """How many records a page has when nobody says."""

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """Read records in the order of their key, or of their stamp.

        Raises:
            ApiError: Of any kind.
        """

    def records(self, request: ReadRequest, keys: Sequence[Key], by: Sequence[str] = ()) -> Iterator[Page]:
        """Read records by their keys, or by the fields `by`; those that are gone are missing.

        Of the request count the resource, the selection, the shape and `without`.
        """

    def changed_documents(self, resource: Any, since: str) -> Iterator[Key]:
        """Keys of documents whose lines changed alone, where the API can be asked for that."""

    def deleted(self, resource: Any, since: str) -> Iterator[Deleted]:
        """Records that the API says were deleted since; only asked for where `resource.audited`."""

    def describe(self, resource: Any) -> SourceSchema | None:
        """Ask which fields there are; None if the server cannot say."""

    def totals(self, resource: Any) -> int | None:
        """How many records the server counts itself; None if it does not."""

    def check(self) -> str:
        """Sign in and read something, and say in a few words to what."""

    def close(self) -> None:
        """End the connections."""


@runtime_checkable
class BundlingSource(Source, Protocol):
    """An API that takes several questions in one request."""

    def expect(self, requests: Sequence[ReadRequest]) -> None:
        """Hear what `pages` will be asked first, of each kind of document.

        Raises:
            ApiError: Nothing can be read as it should be: it ends the run.
        """
