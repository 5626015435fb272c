"""What there is to know about one kind of record of X3 before it is read: plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ml_connector.extract import resource
from ml_connector.extract.resource import Stamp

STAMP: Final = "UPDDATTIM"
"""Moment of the last change, GMT: `_updateStamp` in GraphQL (reference section 4)."""
DATE_STAMP: Final = "UPDDAT"
"""Day of the last change: deprecated, and all that older representations show."""
MOMENT_ONLY: Final = (Stamp(STAMP),)
"""Of tables without the date-only stamp."""


@dataclass(frozen=True)
class Lines(resource.Lines):
    """Rows inside a document, a stream of their own."""

    stream: str
    key: tuple[str, ...]
    """What tells two rows of a folder apart; begins with the document's key."""
    collection: str
    """The array in the document's `$details`: both tables' abbreviations, as in the documented `SOHSOP`."""
    table: str
    """The X3 table; two joined by + where one line is kept in both."""
    node: str
    """The GraphQL node of a line."""
    property: str
    """The collection in the document's GraphQL node."""
    lines: tuple[Lines, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Resource(resource.Resource):
    """One kind of document, in both APIs, and how its changes are found."""

    stream: str
    address: str
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
    cls_instead: str = ""
    """Another name of the class, which is tried where the server does not know the first one."""
    representation: str = ""
    """Representation of the class; by default named like the class."""
    extra: bool = False
    """Of the site's own: no schema file ships with the tap."""
    stamps: tuple[Stamp, ...] = field(default=(Stamp(STAMP, instead=Stamp(DATE_STAMP, "day")),), kw_only=True)
    """`UPDDATTIM` moves with every change; where it cannot be asked for, `UPDDAT`, the day, is."""
    lines: tuple[Lines, ...] = field(default=(), kw_only=True)

    @property
    def table(self) -> str:
        """The X3 table."""
        return self.address

    @property
    def class_name(self) -> str:
        """Class of the REST services."""
        return self.cls or self.address

    @property
    def representation_name(self) -> str:
        """Representation of the class."""
        return self.representation or self.class_name
