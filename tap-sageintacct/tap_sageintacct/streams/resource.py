"""What there is to know about one object before it is read: plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass

from ml_connector.extract import resource as core
from ml_connector.extract.resource import Stamp

MODIFIED = (Stamp("WHENMODIFIED"),)
"""The stamp that moves when a record changes."""
NO_STAMP: tuple[Stamp, ...] = ()
"""Such an object is read whole and followed by ACTIVATE_VERSION."""


@dataclass(frozen=True, kw_only=True)
class Resource(core.Resource):
    """One object of the gateway, and how its changes are found (reference section 3.1).

    Its `address` is the object: `APBILL`.
    """

    key: tuple[str, ...] = ("RECORDNO",)
    stamps: tuple[Stamp, ...] = MODIFIED
    audited: bool = True
    """Whether AUDITHISTORY tells which records were deleted."""
    created: str | None = None
    """The stamp of a record's creation, where it is a stamp: finds records whose WHENMODIFIED is empty."""
    business_key: str | None = None
    """The field that AUDITHISTORY may name a record by instead of RECORDNO (reference section 2.6)."""
    refused: frozenset[str] = frozenset()
    """Fields that `lookup` lists and `query` is known to refuse."""
    slices: tuple[str, tuple[str, ...]] | None = None
    """A field and its values: a first read of a large view goes value by value, so that none times out."""
    definitions: bool = False
    """Whether the company's transaction definitions have fields of their own, which only calls with their
    `docparid` know."""
    small: bool = False
    """Whether it fits into one page as a rule: first pages of such objects are asked for together."""
    legacy: bool = False
    """Whether `query` does not serve it: `readByQuery` and `readMore` do, in no order."""
