"""What there is to know about one object before it is read: plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """One object of the gateway, and how its changes are found (reference section 3.1)."""

    stream: str
    """Name of the stream."""
    object: str
    """The object: `APBILL`."""
    replication_key: str | None = "WHENMODIFIED"
    """The stamp that moves when a record changes. Without one the object is read whole and followed by
    ACTIVATE_VERSION."""
    created: str | None = None
    """The stamp of a record's creation, where it is a stamp: finds records whose WHENMODIFIED is empty."""
    audited: bool = True
    """Whether AUDITHISTORY tells which records were deleted."""
    parent: str | None = None
    """The stream of the documents whose lines these are."""
    parent_key: str | None = None
    """The field with the parent's RECORDNO."""
    slices: tuple[str, tuple[str, ...]] | None = None
    """A field and its values: a first read of a large view goes value by value, so that none times out."""
    period: str | None = None
    """The date by which control totals are told apart."""
    measures: tuple[str, ...] = ()
    """The amounts of the control totals."""
    small: bool = False
    """Whether it fits into one page as a rule: first pages of such objects are asked for together."""
    legacy: bool = False
    """Whether `query` does not serve it: `readByQuery` and `readMore` do, in no order."""
    selected: bool = True
    """Whether discovery proposes the stream."""
