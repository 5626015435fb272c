"""What there is to know about one entity set before it is read: plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ml_connector.extract import resource
from ml_connector.extract.resource import Carried, Stamp

BATCH_DONE = frozenset({"Posted", "Deleted"})
"""Statuses in which nobody can edit a batch any more."""
SUBLEDGER_BATCH = ("BatchDate", "BatchStatus", "PostingSequenceNumber", "DateLastEdited")
"""What rows of AP and AR invoices have of their batch."""
BACKDATED = 45
"""Days by which users date documents back: into a fiscal period of a month, and half a month on until it is
closed (inferred; Sage 300 lets users post into any open period)."""
MODULE = "source_module"
"""The column that names the module; the tap fills it."""
SEGMENTS = (*(f"AccountSegmentCode{number}" for number in range(1, 11)), "AccountGroupCode")
"""Columns of ledger lines that are looked up in the chart of accounts."""


def day(field: str) -> Stamp:
    """A day that Sage 300 writes when a record changes."""
    return Stamp(field, "day")


def chosen(field: str) -> Stamp:
    """A day that a person chooses, or that comes from a document or a bank statement with a date."""
    return Stamp(field, "day", backdated=BACKDATED)


def counter(field: str, per: str | None = None) -> Stamp:
    """A number that only grows: of postings, or of records."""
    return Stamp(field, "counter", per)


def above(*names: str) -> tuple[Carried, ...]:
    """Columns of a line that the entry around it has under the same names, such as an invoice of a batch."""
    return tuple(Carried(name, name, 1) for name in names)


def of_invoice(party: str) -> tuple[str | Carried, ...]:
    """What rows of an invoice in AP and AR have of its batch and of itself.

    Args:
        party: The field with the vendor or the customer.
    """
    of_itself = above(
        party, "DocumentNumber", "DocumentType", "DocumentDate", "PostingDate", "FiscalYear", "FiscalPeriod",
        "CurrencyCode", "ExchangeRate", "InvoiceDescription", "PONumber", "OrderNumber",
    )  # fmt: skip
    return (*SUBLEDGER_BATCH, *of_itself)


@dataclass(frozen=True, kw_only=True)
class Lines(resource.Lines):
    """Rows made of a collection inside each document of an entity set, one stream of them."""

    account: str = ""
    """The field with the account whose segments are looked up."""


@dataclass(frozen=True, kw_only=True)
class Resource(resource.Resource):
    """One entity set of the Web API, and how its changes are found."""

    address: str
    """Module and entity set, as in the Web API's addresses: `AP/APVendors`. Rows come in the order of the
    key, for there is no `$orderby`."""
    evidence: Literal["verified", "partial", "inferred"] = "verified"
    """How sure its key and fields are: seen in public answers, in part, or known from the database. A key
    that was inferred gives way to the one that a server declares."""
    account: str = ""
    """The field with the account whose segments are looked up."""
    fallback: str = ""
    """The entity set of older servers, asked when this one is unknown."""
    description: str = ""
    """Text for a resource without a schema file."""

    @property
    def module(self) -> str:
        """The address' module segment."""
        return self.address.partition("/")[0]

    @property
    def entity_set(self) -> str:
        """The address' last segment."""
        return self.address.partition("/")[2]
