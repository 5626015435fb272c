"""What the parts of the projection share: records, their numbers, and small conversions."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.model import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_DAY: Final = "2025-10-01"
ENTITIES: Final = ("E100", "E200")
PROGRAMS: Final = ("Retail", "Wholesale", "Service")
#: Fields that this company added: type, label and the objects that have them.
CUSTOM: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "REGION_CODE": ("TEXT", "Region code", ("VENDOR", "CUSTOMER")),
    "APPROVED_ON": ("DATE", "Approved on", ("APBILL", "VENDOR")),
    "CUST_RATE": ("DECIMAL", "Special rate", ("CUSTOMER",)),
    "IS_PRIORITY": ("BOOLEAN", "Priority", ("CUSTOMER",)),
    "GLDIMPROGRAM": ("INTEGER", "Program", ("APBILLITEM", "ARINVOICEITEM", "GLENTRY", "GLDETAIL")),
    "NAME": ("TEXT", "Program name", ("PROGRAM",)),
    "RECORDNO": ("INTEGER", "Record number", ("PROGRAM",)),
    "WHENMODIFIED": ("TIMESTAMP", "Modified", ("PROGRAM",)),
}
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True)
class Record:
    """One record of an object.

    Attributes:
        object: The object.
        natural: What tells it from the others, for good.
        day: The day it came to be, ISO.
        fields: Its values, canonical: see the store.
        entity: The entity it belongs to; empty for the top level.
        changed: The day it last changed before the history ended, if later than ``day``.
    """

    object: str
    natural: str
    day: str
    fields: dict[str, Any] = field(default_factory=dict)
    entity: str = ""
    changed: str = ""


class Keys:
    """Gives each record its RECORDNO, the same for good; numbers grow with creation."""

    def __init__(self, known: Mapping[tuple[str, str], int]) -> None:
        self._known = dict(known)
        self._last: dict[str, int] = {}
        for (name, _), number in known.items():
            self._last[name] = max(self._last.get(name, 0), number)

    def number(self, name: str, natural: str) -> int:
        """The RECORDNO of a record, new if it had none."""
        place = (name, natural)
        if place not in self._known:
            self._last[name] = self._last.get(name, 0) + 1
            self._known[place] = self._last[name]
        return self._known[place]

    def find(self, name: str, natural: str) -> int | None:
        """The RECORDNO of a record that may not exist."""
        return self._known.get((name, natural))


def entity_of(party: str) -> str:
    """The entity that deals with a party."""
    return ENTITIES[zlib.crc32(party.encode()) % len(ENTITIES)]


def base(amount: Decimal, rate: Decimal) -> str:
    """An amount in the company's currency, to the cent."""
    return f"{(amount * rate).quantize(_CENT, ROUND_HALF_UP):f}"


def money(amount: Decimal | None) -> str | None:
    """An amount as its text."""
    return None if amount is None else f"{amount:f}"


def known(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Those fields that the object has: objects share most of theirs, and not all."""
    has = catalogue()[name].fields
    custom = {field for field, (_, _, owners) in CUSTOM.items() if name in owners}
    return {
        field: str(value)
        if field in has
        and has[field].type == "TEXT"
        and isinstance(value, int)
        and not isinstance(value, bool)
        else value
        for field, value in fields.items()
        if field in has or field in custom
    }
