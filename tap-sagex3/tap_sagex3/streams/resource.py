"""What there is to know about one kind of record before it is read: plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """Rows inside a document, a stream of their own."""

    stream: str
    """Name of the stream."""
    table: str
    """The X3 table; two joined by + where one line is kept in both."""
    key: tuple[str, ...]
    """What tells two rows of a folder apart; begins with the document's key."""
    collection: str
    """The array in the document's `$details`: both tables' abbreviations, as in the documented `SOHSOP`."""
    node: str
    """The GraphQL node of a line."""
    property: str
    """The collection in the document's GraphQL node."""
    period: str | None = None
    """The date by whose month control totals are told apart."""
    measures: tuple[str, ...] = ()
    """What control totals sum."""
    carried: tuple[str, ...] = ()
    """Fields of the document that an analyst wants beside each line, and the line's table lacks."""
    lines: tuple[Lines, ...] = ()
    """Rows inside these rows."""


@dataclass(frozen=True)
class Final:
    """When a document cannot change any more; until then it is read again in every run."""

    field: str
    """The field that says so."""
    values: frozenset[int]
    """The local menu's values of a document that is done."""


@dataclass(frozen=True)
class Resource:
    """One kind of document, in both APIs, and how its changes are found."""

    stream: str
    """Name of the stream of whole documents."""
    table: str
    """The X3 table."""
    key: tuple[str, ...]
    """Its key, in the order of the index."""
    node: str
    """The GraphQL node."""
    package: str
    """The node's package in the current generation of the schema: `x3Purchasing`."""
    named_by: str = ""
    """The field of a key of several that other tables refer to it by; the last one by default."""
    cls: str = ""
    """Class of the REST services; by default named like the table."""
    representation: str = ""
    """Representation of the class; by default named like the class."""
    stamped: bool = True
    """Whether `UPDDATTIM` moves with every change. Without it all is read, followed by ACTIVATE_VERSION."""
    dated: bool = True
    """Whether there is `UPDDAT`, the date-only stamp, to go by where `UPDDATTIM` cannot be asked for."""
    final: Final | None = None
    """The rule for documents that change without a new stamp."""
    lines: tuple[Lines, ...] = ()
    """The rows inside it."""
    period: str | None = None
    """The date by whose month control totals are told apart."""
    measures: tuple[str, ...] = ()
    """What control totals sum."""
    selected: bool = True
    """Whether discovery proposes the stream."""

    @property
    def class_name(self) -> str:
        """Class of the REST services."""
        return self.cls or self.table

    @property
    def representation_name(self) -> str:
        """Representation of the class."""
        return self.representation or self.class_name


STAMP = "UPDDATTIM"
"""Moment of the last change, GMT: `_updateStamp` in GraphQL (reference section 4)."""
DATE_STAMP = "UPDDAT"
"""Day of the last change: deprecated, and all that older representations show."""
