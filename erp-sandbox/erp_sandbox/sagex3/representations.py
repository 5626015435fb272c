"""The classes of api1 with their representations: which tables a row and its collections come from.

The names are those that Sage's pages and public clients use; those of documents and of accounting are assumed
(reference 1.8), as are the names of their collections.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from erp_sandbox.sagex3.model import catalogue


@dataclass(frozen=True)
class Collection:
    """Rows inside the answer to one record.

    Attributes:
        name: Its property.
        table: Table whose keys begin with the record's key.
        inside: Collections of its rows.
    """

    name: str
    table: str
    inside: tuple[Collection, ...] = ()


@dataclass(frozen=True)
class Class:
    """A class.

    Attributes:
        name: Its name.
        table: The table of its rows.
        representations: Names under which it can be asked for.
        collections: What the answer to one record holds beside its fields.
    """

    name: str
    table: str
    representations: tuple[str, ...]
    collections: tuple[Collection, ...] = ()


_PLAIN: Final = [
    "BPSUPPLIER",
    "BPCUSTOMER",
    "BPARTNER",
    "BPADDRESS",
    "ITMMASTER",
    "ITMFACILIT",
    "ITMCATEG",
    "STOCK",
    "STOJOU",
    "GACCOUNT",
    "GCOA",
    "GJOURNAL",
    "GTYPACCENT",
    "GACCDUDATE",
    "CACCE",
    "GDIE",
    "FACILITY",
    "COMPANY",
    "TABCUR",
    "TABPAYTERM",
]
_ANALYTICAL: Final = Collection("DAEDAA", "GACCENTRYA")
#: Class: its table, and its collection.
_DOCUMENTS: Final[dict[str, tuple[str, Collection]]] = {
    "PORDER": ("PORDER", Collection("POHPOP", "PORDERQ")),
    "PRECEIPT": ("PRECEIPT", Collection("PTHPTD", "PRECEIPTD")),
    "PINVOICE": ("PINVOICEV", Collection("PIVPID", "PINVOICED")),
    "BPSINV": ("PINVOICE", Collection("PIHBSL", "BPSINVLIG")),
    "SORDER": ("SORDER", Collection("SOHSOP", "SORDERQ")),
    "SINVOICE": ("SINVOICEV", Collection("SIVSID", "SINVOICED")),
    "BPCINV": ("SINVOICE", Collection("SIHBCL", "BPCINVLIG")),
    "GACCENTRY": ("GACCENTRY", Collection("HAEDAE", "GACCENTRYD", (_ANALYTICAL,))),
    "PAYMENTH": ("PAYMENTH", Collection("PYHPYD", "PAYMENTD")),
}
#: Line tables have no class of Sage's own; a site makes one with its own representation to read them flat.
_LINES: Final = [
    "PORDERP",
    "PORDERQ",
    "PRECEIPTD",
    "PINVOICED",
    "BPSINVLIG",
    "SORDERP",
    "SORDERQ",
    "SINVOICED",
    "BPCINVLIG",
    "GACCENTRYD",
    "GACCENTRYA",
    "PAYMENTD",
]


def _classes() -> dict[str, Class]:
    found = [Class(name, name, (name, f"Z{name}")) for name in _PLAIN]
    found += [Class(name, table, (name, f"Z{name}"), (lines,)) for name, (table, lines) in _DOCUMENTS.items()]
    found += [Class(name, name, (f"Z{name}",)) for name in _LINES]
    return {each.name: each for each in found if each.table in catalogue()}


CLASSES: Final = _classes()
