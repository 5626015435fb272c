"""Charts, accounts, journals, entry types, dimension types and dimensions."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from erp_sandbox.business.masters import DEPARTMENTS
from erp_sandbox.sagex3.projection_row import CONTROLS, DIMENSION_TYPES, FIRST_DAY, REGIONS, Row

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.sagex3.projection_row import Folder

#: The analytical chart and its ledger; the legal chart is the legislation's own.
ANALYTICAL: Final = "ANA"
LEGAL_LEDGER: Final = "LEG"


class Type(NamedTuple):
    """An entry type: what it is called, its journal, and the kind of its due dates (menu 2614, 0 none)."""

    code: str
    text: str
    journal: str
    due: int = 0


#: By source ledger and type of the business's journals.
TYPES: Final = {
    ("AP", "IN"): Type("PUINV", "Purchase invoice", "PUR", 2),
    ("AP", "CR"): Type("PUCRN", "Purchase credit memo", "PUR", 2),
    ("AP", "PY"): Type("PAYSU", "Payment to supplier", "BNK", 3),
    ("AP", "RV"): Type("REVSU", "Payment sent back", "BNK", 3),
    ("AR", "IN"): Type("SAINV", "Sales invoice", "SAL", 2),
    ("AR", "CR"): Type("SACRN", "Sales credit memo", "SAL", 2),
    ("AR", "PY"): Type("RECCU", "Receipt from customer", "BNK", 3),
    ("AR", "RV"): Type("REVCU", "Receipt sent back", "BNK", 3),
    ("AR", "RF"): Type("REFCU", "Refund to customer", "BNK", 3),
    ("GL", "JE"): Type("GEN", "General entry", "GEN"),
    ("BK", "EN"): Type("BANK", "Bank charge", "BNK"),
    ("PO", "RC"): Type("PORCV", "Purchase receipt", "STK"),
    ("PO", "RT"): Type("PORTN", "Return to supplier", "STK"),
    ("IC", "AD"): Type("STADJ", "Stock adjustment", "STK"),
    ("IC", "RC"): Type("STREC", "Miscellaneous receipt", "STK"),
    ("IC", "SH"): Type("STSHI", "Miscellaneous issue", "STK"),
    ("IC", "IU"): Type("STUSE", "Issue for own use", "STK"),
}
_JOURNALS: Final = {
    "PUR": "Purchases",
    "SAL": "Sales",
    "BNK": "Bank",
    "GEN": "General",
    "STK": "Stock",
}
_CHANNELS: Final = {"RTL": "Retail", "WHL": "Wholesale", "MFG": "Manufacturing"}
_DEPARTMENTS: Final = {"100": "Administration", "200": "Sales", "300": "Warehouse"}
#: The kinds of account that carry dimensions.
ANALYSED: Final = frozenset({"Revenue", "Expense"})


def finance(folder: Folder) -> Iterator[Row]:
    """The masters of the general ledger."""
    for chart, text in (
        (folder.chart, f"Legal chart {folder.legislation}"),
        (ANALYTICAL, "Analytical chart"),
    ):
        yield Row("GCOA", FIRST_DAY, {"COA": chart, "DESAXX": text, "SHOAXX": chart})
    for row in folder.books.rows("SELECT * FROM biz_accounts WHERE company = :company ORDER BY account"):
        for chart in (folder.chart, ANALYTICAL):
            yield _account(folder, row, chart)
    for code, text in _JOURNALS.items():
        fields = {
            "JOU": code,
            "LEG": folder.legislation,
            "DES": text,
            "DESSHO": code,
            "DESTRA": text,
            "SHOTRA": code,
            "ENAFLG": True,
        }
        yield Row("GJOURNAL", FIRST_DAY, fields)
    for kind in TYPES.values():
        yield _type(folder, kind)
    yield from _dimensions(folder)


def _account(folder: Folder, row: sqlite3.Row, chart: str) -> Row:
    account, kind = row["account"], row["kind"]
    analysed = kind in ANALYSED
    types = folder.dimension_types if analysed else ()
    debit = kind in {"Asset", "Expense"}
    fields = {
        "COA": chart,
        "ACC": account,
        "DES": row["description"][:30],
        "DESTRA": row["description"][:30],
        "DESSHO": row["description"][:10],
        "SHOTRA": row["description"][:10],
        "ACCSHO": row["segment"],
        "CLSCOD": row["grp"],
        "ENAFLG": True,
        "SAC": row["control"] in CONTROLS,
        "MTC": row["control"] in CONTROLS,
        "SNSDEF": 1 if debit else 2,
        "SNSBLC": 1 if debit else 2,
        "DIE": types,
        "CCEDEF": [row["department"]] if analysed else [],
        "DACDIENBR": len(types),
        "FRWCUR": not analysed,
        "VLYSTR": row["created"],
        "TYPRAT": 1,
    }
    if analysed and chart == folder.chart:
        fields["YBUDGET"] = f"{zlib.crc32(account.encode()) % 900 + 100}000.50"
    return Row("GACCOUNT", row["created"] or FIRST_DAY, fields)


def _type(folder: Folder, kind: Type) -> Row:
    fields = {
        "TYP": kind.code,
        "LEG": folder.legislation,
        "DES": kind.text,
        "DESTRA": kind.text,
        "DESSHO": kind.code,
        "SHOTRA": kind.code,
        "DEFJOU": kind.journal,
        "DUDTYP": kind.due,
        "DUDDATFLG": bool(kind.due),
        "ENAFLG": True,
        "TYPRAT": 1,
        "VCRREA": True,
        "VCRMOD": False,
    }
    return Row("GTYPACCENT", FIRST_DAY, fields)


def _dimensions(folder: Folder) -> Iterator[Row]:
    for kind in folder.dimension_types:
        text = DIMENSION_TYPES[kind]
        fields = {
            "DIE": kind,
            "DES": text,
            "DESTRA": text,
            "DESSHO": text[:10],
            "SHOTRA": text[:10],
            "COLHEA": text[:10],
        }
        yield Row("GDIE", FIRST_DAY, fields)
        for code, (name, day) in _members(folder, kind).items():
            row = {
                "DIE": kind,
                "CCE": code,
                "DES": name[:30],
                "DESTRA": name[:30],
                "DESSHO": name[:10],
                "SHOTRA": name[:10],
                "ENAFLG": True,
                "IPT": True,
                "VLYSTR": FIRST_DAY,
            }
            yield Row("CACCE", day, row)


def _members(folder: Folder, kind: str) -> dict[str, tuple[str, str]]:
    """The dimensions of a type: by code, the name and the day of its making."""
    if kind == "DPT":
        return {code: (_DEPARTMENTS.get(code, code), FIRST_DAY) for code in DEPARTMENTS}
    if kind == "CHN":
        return {code: (text, FIRST_DAY) for code, text in _CHANNELS.items()}
    if kind == "REG":
        return {code: (text, FIRST_DAY) for text, code in REGIONS.items()}
    if kind == "SLP":
        found = sorted({row["salesperson"] for row in folder.parties.values() if row["salesperson"]})
        return {code: (f"Salesperson {code}", FIRST_DAY) for code in found}
    return {
        code: (f"Fitting out {folder.name_of('AR', number)}", folder.parties["AR", number]["start"])
        for number, code in folder.projects.items()
    }
