"""The company and its sites, currencies, payment terms, partners and their addresses."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.masters import RATES, TERMS
from erp_sandbox.sagex3.projection_row import CONTROLS, COUNTRIES, FIRST_DAY, Row, names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.sagex3.projection_row import Folder

_CURRENCIES: Final = {
    "USD": ("US dollar", "$", 2, "840"),
    "CAD": ("Canadian dollar", "C$", 2, "124"),
    "EUR": ("Euro", "€", 2, "978"),
    "KWD": ("Kuwaiti dinar", "KD", 3, "414"),
}
#: What the owner of an address is; assumed, as the reference does not list the menu.
_PARTNER, _COMPANY, _SITE = 1, 2, 3
_RATINGS: Final = ("A", "B", "C", "")
_HEAD: Final = "HEAD"


def masters(folder: Folder) -> Iterator[Row]:
    """What every document of a folder names first."""
    yield from _company(folder)
    yield from _sites(folder)
    yield from _currencies()
    yield from _terms(folder)
    for row in folder.parties.values():
        yield from _party(folder, row)
    yield from _places(folder)


def _company(folder: Folder) -> Iterator[Row]:
    books = folder.books
    country = COUNTRIES.get(books.country, "US")
    name = f"{books.company} Sample Company"
    fields = {
        "CPY": folder.company,
        "CPYNAM": name[:35],
        "CPYSHO": books.company[:10],
        "CPYLEGFLG": True,
        "ACCCUR": books.currency,
        "RGCCUR": books.currency,
        "RGCAMT": 750000,
        "CRY": country,
        "LEG": folder.legislation,
        "ACM": folder.legislation,
        "MAIFCY": folder.sites[0],
        "BPAADD": _HEAD,
        "FDRX3": books.company,
        "STRDAT": f"{FIRST_DAY[:4]}-01-01",
        "STRPER": 1,
        "VACCPY": folder.legislation,
    }
    yield Row("COMPANY", FIRST_DAY, fields)
    yield _address(_COMPANY, folder.company, _HEAD, {"BPADES": name[:30], "CRY": country, "BPAADDFLG": True})


def _sites(folder: Folder) -> Iterator[Row]:
    country = COUNTRIES.get(folder.books.country, "US")
    for place, site in enumerate(folder.sites):
        name = ("Head office", "Warehouse West")[place]
        fields = {
            "FCY": site,
            "FCYNAM": f"{name} {folder.name}"[:35],
            "FCYSHO": name[:10],
            "LEGCPY": folder.company,
            "LEG": folder.legislation,
            "CRY": country,
            "BPAADD": _HEAD,
            "FINFLG": True,
            "FINRSPFCY": site,
            "PURFLG": True,
            "SALFLG": True,
            "WRHFLG": True,
            "MFGFLG": False,
            "IVYFLG": True,
            "IVYFCY": site,
            "DIE": folder.dimension_types[:1],
            "CCE": ["100"],
        }
        yield Row("FACILITY", FIRST_DAY, fields)
        yield _address(_SITE, site, _HEAD, {"BPADES": name, "CRY": country, "BPAADDFLG": True})


def _currencies() -> Iterator[Row]:
    for code in RATES:
        text, sign, decimals, number = _CURRENCIES[code]
        fields = {
            "CUR": code,
            "CURDES": text,
            "CURSHO": code,
            "INTDES": text,
            "INTSHO": code,
            "CURSYM": sign,
            "DECNBR": decimals,
            "CURRND": "0.001" if decimals > 2 else "0.01",  # noqa: PLR2004
            "ISOCOD": code,
            "ISONUMCOD": number,
            "EURFLG": code == "EUR",
        }
        yield Row("TABCUR", FIRST_DAY, fields)


def _terms(folder: Folder) -> Iterator[Row]:
    for code, days in TERMS.items():
        text = f"Net {days} days" if days else "Cash on delivery"
        fields = {
            "PTE": code,
            "LEG": folder.legislation,
            "PTELIN": 1,
            "DESAXX": text,
            "SHOAXX": code,
            "LANDESSHO": text,
            "NBRDAY": days,
            "DUDPRC": 100,
            "PAM": "CHQ",
            "ENDMONFLG": False,
            "SOIFLG": False,
        }
        yield Row("TABPAYTERM", FIRST_DAY, fields)


def _party(folder: Folder, row: sqlite3.Row) -> Iterator[Row]:
    bought = row["ledger"] == "AP"
    number, short = row["id"], row["name"].split()[0][:10]
    active, changed = row["status"] == "Active", row["maintained"] or ""
    country = COUNTRIES.get(row["country"], "")
    fields = {
        "BPRNUM": number,
        "BPRNAM": names(row["name"]),
        "BPRSHO": short,
        "BPSFLG": bought,
        "BPCFLG": not bought,
        "BPTFLG": False,
        "REPFLG": False,
        "PPTFLG": False,
        "ENAFLG": active,
        "CRY": country,
        "CUR": row["currency"],
        "LAN": "FRA" if country == "CA" else "ENG",
        "BPAADD": _HEAD,
        "CNTNAM": row["contact"],
        "BRGCOD": row["grp"],
        "ACCCOD": CONTROLS[row["ledger"]],
        "FCY": folder.site_of(number),
        "LEGETT": False,
    }
    yield Row("BPARTNER", row["start"], fields, changed)
    make = _supplier if bought else _customer
    yield Row("BPSUPPLIER" if bought else "BPCUSTOMER", row["start"], make(folder, row, short), changed)
    address = {
        "BPADES": "Head office",
        "BPAADDFLG": True,
        "BPAADDLIG": row["address"],
        "POSCOD": row["zip"],
        "CTY": row["city"],
        "SAT": row["state"],
        "CRY": country,
        "CRYNAM": row["country"],
        "TEL": row["phone"],
        "WEB": row["email"],
        "FCYWEB": row["website"],
    }
    yield _address(_PARTNER, number, _HEAD, address, row["start"], changed)


def _common(folder: Folder, row: sqlite3.Row) -> dict[str, Any]:
    salt = zlib.crc32(row["id"].encode())
    return {
        "ABCCLS": salt % 4 + 1,
        "ACCCOD": CONTROLS[row["ledger"]],
        "BPAADD": _HEAD,
        "BPAINV": _HEAD,
        "CHGTYP": 1,
        "CNTNAM": row["contact"],
        "CUR": row["currency"],
        "DUDCLC": 1,
        "OSTCTL": 3 if row["on_hold"] else 1,
        "PTE": row["terms"],
        "VACBPR": folder.legislation,
        "OCNFLG": salt % 2 == 0,
    }


def _supplier(folder: Folder, row: sqlite3.Row, short: str) -> dict[str, Any]:
    number = row["id"]
    rating = "D" if row["on_hold"] else _RATINGS[zlib.crc32(number.encode()) % len(_RATINGS)]
    return {
        **_common(folder, row),
        **folder.dimensions("AP", number),
        "BPSNUM": number,
        "BPSNAM": row["name"][:35],
        "BPSSHO": short,
        "BPSTYP": 1,
        "BPAPAY": _HEAD,
        "BPRPAY": number,
        "BPSGRU": number,
        "BPSINV": number,
        "BPSRSK": number,
        "BSGCOD": row["grp"],
        "ENAFLG": row["status"] == "Active",
        "OSTAUZAMT": row["credit_limit"],
        "PAYLOKFLG": bool(row["on_hold"]),
        "DOUFLG": False,
        "TSSCOD": [row["grp"]],
        "YRATING": rating,
    }


def _customer(folder: Folder, row: sqlite3.Row, short: str) -> dict[str, Any]:
    number = row["id"]
    found = folder.dimensions("AR", number)
    return {
        **_common(folder, row),
        # one element on customers, where suppliers have twenty
        "DIE": found["DIE"][1],
        "CCE": found["CCE"][1],
        "BPCNUM": number,
        "BPCNAM": row["name"][:35],
        "BPCSHO": short,
        "BPCTYP": 1,
        "BPCSTA": row["status"] == "Active",
        "BPAPYR": _HEAD,
        "BPDADD": _HEAD,
        "BPCINV": number,
        "BPCPYR": number,
        "BPCGRU": number,
        "BPCRSK": number,
        "BCGCOD": row["grp"],
        "BPCSNCDAT": row["start"],
        "OSTAUZ": row["credit_limit"],
        "PRITYP": 1,
        "PPTFLG": False,
        "REP": row["salesperson"],
        "TSCCOD": row["grp"],
        "ZREGION": row["region"],
    }


def _address(  # noqa: PLR0917 - what one address is
    kind: int, owner: str, code: str, fields: dict[str, Any], day: str = FIRST_DAY, changed: str = ""
) -> Row:
    key = {"BPATYP": kind, "BPANUM": owner, "BPAADD": code}
    return Row("BPADDRESS", day, {**key, **fields}, changed)


def _places(folder: Folder) -> Iterator[Row]:
    """Ship-to and remit-to addresses, which somebody deletes now and then."""
    sql = "SELECT * FROM biz_places WHERE company = :company ORDER BY ledger, party, id"
    for row in folder.books.rows(sql):
        fields = {
            "BPADES": row["name"][:30],
            "BPAADDFLG": False,
            "CTY": row["city"],
            "CRY": COUNTRIES.get(row["country"], ""),
            "CRYNAM": row["country"],
        }
        # five characters at most (reference 7)
        code = row["id"].replace("REMIT", "REM")[:5]
        yield _address(_PARTNER, row["party"], code, fields, row["maintained"] or FIRST_DAY)
