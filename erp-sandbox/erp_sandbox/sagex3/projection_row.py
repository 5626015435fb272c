"""What the parts of the projection share: rows as stored, a folder's codes, and small conversions."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sagex3.model import EMPTY, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from erp_sandbox.business.books import Books

FIRST_DAY: Final = "2025-10-01"
#: Fields that a folder added to standard tables: by table and code, the letter of the type and what it says.
CUSTOM: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "BPSUPPLIER": {"YRATING": ("s", "Rating")},
    "BPCUSTOMER": {"ZREGION": ("s", "Sales region")},
    "GACCOUNT": {"YBUDGET": ("n", "Yearly budget")},
}
#: Dimension types: the first folder keeps three of them, every other one all (reference 7: up to 20).
DIMENSION_TYPES: Final = {
    "DPT": "Cost Center",
    "CHN": "Channel",
    "REG": "Region",
    "SLP": "Salesperson",
    "PRJ": "Project",
}
REGIONS: Final = {"North": "NORTH", "Süd": "SUD", "Île-de-France": "IDF"}
#: Country codes, and the legislation of a company there.
COUNTRIES: Final = {
    "United States": "US",
    "Canada": "CA",
    "Germany": "DE",
    "Brazil": "BR",
    "Kuwait": "KW",
    "Japan": "JP",
    "South Africa": "ZA",
}
_LEGISLATIONS: Final = {"United States": "USA", "Canada": "CAN"}
#: The codes of the control accounts of suppliers and of customers.
CONTROLS: Final = {"AP": "SUPP", "AR": "CUST"}
UNITS: Final = {"Ea.": "UN", "Box": "BOX", "m": "M", "kg": "KG"}
TAX_CODE: Final = "NOR"
_CENT: Final = Decimal("0.01")
_PROJECTS: Final = 8
ZERO: Final = Decimal(0)


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        table: The table.
        day: The day it came to be, ISO.
        fields: Its values as Python has them; see ``encode``.
        changed: The day it last changed before the history ended, if later than ``day``.
        lines: The rows whose changes move this one's stamp too.
    """

    table: str
    day: str
    fields: dict[str, Any]
    changed: str = ""
    lines: tuple[Row, ...] = field(default=(), repr=False)


class Folder:
    """A folder: one company of the business with its codes.

    Args:
        books: The company's books.
        place: Which folder of the file this is, from 0.
        today: The business's day, ISO.
    """

    def __init__(self, books: Books, place: int, today: str) -> None:
        self.books = books
        self.today = today
        self.name = books.company
        self.currency = books.currency
        #: The company's code has five characters at most (reference 7).
        self.company = books.company[:5]
        stem = books.company[3:6] if len(books.company) > 5 else books.company[:3]  # noqa: PLR2004
        self.sites = (f"{stem}01", f"{stem}02")
        self.legislation = _LEGISLATIONS.get(books.country, "USA")
        self.chart = f"{self.legislation[:2]}L"
        self.dimension_types = tuple(DIMENSION_TYPES)[: 3 if place == 0 else None]
        self.parties = {
            (row["ledger"], row["id"]): row
            for row in books.rows("SELECT * FROM biz_parties WHERE company = :company ORDER BY ledger, id")
        }
        customers = sorted(number for ledger, number in self.parties if ledger == "AR")
        self.projects = {number: f"P-{number}"[:15] for number in customers[:_PROJECTS]}

    def site_of(self, party: str) -> str:
        """The site that deals with a partner, or that made a document without one."""
        return self.sites[zlib.crc32(party.encode()) % len(self.sites)]

    def site_at(self, location: str) -> str:
        """The site of a place of the business; it has three, and the second is a site of its own."""
        return self.sites[location == "2"]

    def dimensions(self, side: str, party: str, department: str = "") -> dict[str, list[str]]:
        """Dimension types and dimensions of a partner's documents, the department where one is known."""
        row = self.parties.get((side, party))
        found = {
            "DPT": department,
            "CHN": row["grp"] if row else "",
            "REG": REGIONS.get(row["region"], "") if row else "",
            "SLP": row["salesperson"] if row and side == "AR" else "",
            "PRJ": self.projects.get(party, "") if side == "AR" else "",
        }
        return {"DIE": list(self.dimension_types), "CCE": [found[kind] for kind in self.dimension_types]}

    def name_of(self, side: str, party: str) -> str:
        """A partner's name."""
        row = self.parties.get((side, party))
        return str(row["name"]) if row else ""

    def terms_of(self, side: str, party: str) -> str:
        """A partner's payment term."""
        row = self.parties.get((side, party))
        return str(row["terms"]) if row else ""


def encode(row: Row) -> dict[str, Any]:
    """A row's document: stored forms of the fields that are not empty.

    Raises:
        KeyError: When a field is not of the table.
    """
    fields, custom = catalogue()[row.table].fields, CUSTOM.get(row.table, {})
    found: dict[str, Any] = {}
    for name, value in row.fields.items():
        known = fields.get(name)
        kind = known.type if known else custom[name][0]
        if known and known.size:
            stored: Any = _trimmed([_stored(kind, part) for part in value[: known.size]], EMPTY[kind])
            if stored:
                found[name] = stored
        elif value is not None:
            stored = _stored(kind, value)
            if stored != EMPTY[kind]:
                found[name] = stored
    return found


def _trimmed(values: list[Any], empty: Any) -> list[Any]:
    while values and values[-1] == empty:
        values.pop()
    return values


def _stored(kind: str, value: Any) -> Any:
    if value is None:
        return EMPTY[kind]
    if isinstance(value, bool):
        # menu 1: 1 = No, 2 = Yes (reference 7)
        value = 2 if value else 1
    if kind == "n":
        # as a database gives numbers back: without the zeros at the end
        return f"{Decimal(value).normalize():f}" if value else "0"
    return int(value) if kind in {"i", "m", "y"} else str(value)


def key_of(table: str, doc: dict[str, Any]) -> str:
    """The key of a row, so that keys sort as the index does."""
    known = catalogue()[table]
    return "~".join(_sortable(known.fields[name].type, doc.get(name)) for name in known.key)


def _sortable(kind: str, value: Any) -> str:
    if kind in {"i", "m", "y", "n"}:
        return f"{int(value or 0):010d}"
    return str(value if value is not None else EMPTY[kind])


def shared(table: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Those fields that the table has: tables share many of theirs, and not all."""
    known = catalogue()[table].fields
    return {name: value for name, value in fields.items() if name in known}


def base(amount: Decimal, rate: Decimal) -> Decimal:
    """An amount in the company's currency, to the cent."""
    return (amount * rate).quantize(_CENT, ROUND_HALF_UP)


def total(values: Iterable[Decimal]) -> Decimal:
    """The sum, exact."""
    return sum(values, ZERO)


def unit(uom: str) -> str:
    """A unit's code: three characters at most (reference 7)."""
    return UNITS.get(uom, uom.upper()[:3])


def line_number(line: int) -> int:
    """Lines are numbered in thousands, so that others fit between them."""
    return line * 50


def names(name: str) -> list[str]:
    """A name in two parts of 35 characters."""
    return [name[:35], name[35:70]]


def share(done: Decimal, whole: Decimal) -> int:
    """Menu 280: 1 = No, 2 = In part, 3 = In full."""
    return 1 if not done else 3 if done >= whole else 2
