"""What there is to know about one entity set before it is read: plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """Rows made of a collection inside each document of an entity set, one stream of them."""

    stream: str
    """Name of the stream."""
    path: tuple[str, ...]
    """The collections to go down, outermost first: `("Invoices", "InvoiceDetails")`."""
    key: tuple[str, ...]
    """What tells two rows of one company apart."""
    selected: bool = True
    """Whether discovery proposes the stream."""


@dataclass(frozen=True)
class Final:
    """When a document cannot change any more; until then it is read again in every run."""

    field: str
    """The document's property that says so."""
    values: frozenset[str]
    """The values of a document that is done."""


@dataclass(frozen=True)
class Resource:
    """One entity set of the Web API, and how its changes are found."""

    stream: str
    """Name of the stream of whole documents."""
    module: str
    """The address' module segment: `AP`, `GL`, ..."""
    entity_set: str
    """The address' last segment."""
    key: tuple[str, ...]
    """The key in the view's order; rows come in this order, for there is no `$orderby`."""
    replication_key: str | None = None
    """The property that moves when a record changes: a date of day precision, or an ever growing number.
    Without one the set is read whole and followed by ACTIVATE_VERSION."""
    also_changed: tuple[str, ...] = ()
    """Further dates that move without the replication key (payments cleared, balances moved)."""
    grows_by: str | None = None
    """A number that only new records raise: finds those entered with a date in the past."""
    final: Final | None = None
    """The rule for documents that change without a new date, such as batches being posted."""
    lines: tuple[Lines, ...] = ()
    """Streams made from the same answer."""
    selected: bool = True
    """Whether discovery proposes the stream."""
    fallback: str | None = None
    """The entity set of older servers, asked when this one is unknown."""
    description: str = ""
    """Text for a resource without a schema file."""


BATCH_DONE = frozenset({"Posted", "Deleted"})
"""Statuses in which nobody can edit a batch any more."""
