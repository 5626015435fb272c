"""Products, their categories and sites, the stock and every movement of it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from erp_sandbox.sagex3.projection_row import FIRST_DAY, ZERO, Row, line_number, unit

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.sagex3.projection_row import Folder

_CATEGORIES: Final = {
    "ELEC": "Electrical goods",
    "FURN": "Furniture",
    "TOOLS": "Tools and fastenings",
    "CAFÉ": "Café equipment",
}
_LOCATION: Final = "A1"
#: Kinds of movement and of document; assumed, as the reference does not list the menus.
_FROM_SUPPLIER, _TO_CUSTOMER, _BY_HAND = 6, 4, 19
_RECEIVED, _SHIPPED, _RETURNED = (3, _FROM_SUPPLIER), (4, _TO_CUSTOMER), (5, _FROM_SUPPLIER)
#: What a movement by hand does to the stock, its type and the entry type of its accounting.
_BY_KIND: Final = {
    "Adjustment": (1, 9, "STADJ"),
    "Receipt": (1, 1, "STREC"),
    "Shipment": (-1, 2, "STSHI"),
    "InternalUsage": (-1, 2, "STUSE"),
    "Transfer": (-1, 7, ""),
}


class _Move(NamedTuple):
    """A movement: where, what, when, how many, at what cost and by which document."""

    site: str
    item: str
    day: str
    quantity: Decimal
    cost: Decimal
    type: int
    kind: int
    document: str
    line: int
    text: str
    party: str = ""
    side: str = "AP"
    entry: str = ""


def items(folder: Folder) -> Iterator[Row]:
    """Products and all that is known of their stock."""
    stock: dict[tuple[str, str], list[_Move]] = defaultdict(list)
    for move in _moves(folder):
        stock[move.site, move.item].append(move)
    found = folder.books.rows("SELECT * FROM biz_items WHERE company = :company ORDER BY id")
    for site in folder.sites:
        for category in sorted({row["category"] for row in found} | set(_CATEGORIES)):
            yield _category(folder, site, category)
    for row in found:
        yield _product(folder, row)
        for site in folder.sites:
            yield _at_site(folder, row, site)
            moves = stock.get((site, row["id"]))
            if moves:
                yield _stock(row, site, moves)
                yield from _journal(folder, row, moves)


def _category(folder: Folder, site: str, category: str) -> Row:
    text = _CATEGORIES.get(category, category)
    fields = {
        "STOFCY": site,
        "TCLCOD": category,
        "TCLDES": text[:30],
        "TCLAXX": text[:30],
        "TCLSHO": text[:10],
        "TCLSHOAXX": text[:10],
        "ACCCOD": "STOCK",
        "STOMGTCOD": 2,
        "PURFLG": True,
        "SALFLG": True,
        "DLVFLG": True,
        "RCPFLG": True,
        "MFGFLG": False,
        "NEGSTO": True,
        "VLTCOD": "AVG",
        "DIE": folder.dimension_types[:1],
        "CCE": ["300"],
        "VACITM": ["NOR"],
        "WEU": "KG",
    }
    return Row("ITMCATEG", FIRST_DAY, fields)


def _product(folder: Folder, row: sqlite3.Row) -> Row:
    text, uom = row["description"], unit(row["uom"])
    fields = {
        "ITMREF": row["id"],
        "ITMDES1": text[:30],
        "ITMDES2": row["colour"],
        "DES1AXX": text[:30],
        "SEAKEY": text[:20],
        "TCLCOD": row["category"],
        "ACCCOD": "STOCK",
        "CPY": folder.company,
        "ITMSTA": 1 if row["active"] else 5,
        "STU": uom,
        "PUU": uom,
        "SAU": uom,
        "SSU": uom,
        "PUUSTUCOE": 1,
        "SAUSTUCOE": 1,
        "SSUSTUCOE": 1,
        "WEU": "KG",
        "ITMWEI": row["weight"],
        "PURBASPRI": row["cost"],
        "PURFLG": True,
        "SALFLG": True,
        "DLVFLG": True,
        "RCPFLG": True,
        "MFGFLG": False,
        "NEGSTO": True,
        "STOMGTCOD": 2,
        "LOTMGTCOD": 1,
        "SERMGTCOD": 1,
        "LIFSTRDAT": FIRST_DAY,
        "TSICOD": [row["category"]],
        "VACITM": ["NOR"],
        "DIE": folder.dimension_types[:1],
        "CCE": ["300"],
    }
    return Row("ITMMASTER", FIRST_DAY, fields, row["maintained"] or "")


def _at_site(folder: Folder, row: sqlite3.Row, site: str) -> Row:
    serial = _serial(row["id"])
    fields = {
        "ITMREF": row["id"],
        "STOFCY": site,
        "ABCCLS": serial % 4 + 1,
        "STOMGTCOD": 2,
        "LOCMGTCOD": 2,
        "DEFLOC": [_LOCATION],
        "DEFLOCTYP": ["STO"],
        "VLTCOD": "AVG",
        "REOFCY": folder.sites[0],
        "REOMGTCOD": 1,
        "REOMINQTY": serial % 5 * 10,
        "SAFSTO": serial % 7 * 5,
        "MAXSTO": 500,
        "QUAFLG": False,
        "PLANNER": "ADMIN",
        "BUY": "ADMIN",
    }
    return Row("ITMFACILIT", FIRST_DAY, fields)


def _stock(row: sqlite3.Row, site: str, moves: list[_Move]) -> Row:
    quantity = sum((move.quantity for move in moves), ZERO)
    uom = unit(row["uom"])
    fields = {
        "STOFCY": site,
        "STOCOU": _serial(row["id"]),
        "ITMREF": row["id"],
        "LOC": _LOCATION,
        "LOCTYP": "STO",
        "STA": "A",
        "OWNER": site,
        "PCU": uom,
        "PCUORI": uom,
        "PCUSTUCOE": 1,
        "QTYPCU": quantity,
        "QTYSTU": quantity,
        "QTYSTUACT": quantity,
        "LASRCPDAT": max((move.day for move in moves if move.quantity > 0), default=None),
        "LASISSDAT": max((move.day for move in moves if move.quantity < 0), default=None),
    }
    days = [move.day for move in moves]
    return Row("STOCK", min(days), fields, max(days))


def _journal(folder: Folder, row: sqlite3.Row, moves: list[_Move]) -> Iterator[Row]:
    """Movements, numbered within product, site and day: what comes later never comes before."""
    last: dict[str, int] = defaultdict(int)
    for move in moves:
        last[move.day] += 1
        yield Row("STOJOU", move.day, _movement(folder, row, move, last[move.day]))


def _movement(folder: Folder, row: sqlite3.Row, move: _Move, place: int) -> dict[str, Any]:
    price = (move.cost / move.quantity).quantize(Decimal("0.000001")) if move.quantity else ZERO
    uom = unit(row["uom"])
    return {
        **folder.dimensions(move.side, move.party, "300"),
        "STOFCY": move.site,
        "UPDCOD": 1,
        "ITMREF": move.item,
        "IPTDAT": move.day,
        "MVTSEQ": place,
        "MVTIND": 1,
        "ACCDAT": move.day,
        "CREMVTDAT": move.day,
        "CREMVTSEQ": place,
        "TRSTYP": move.type,
        "VCRTYP": move.kind,
        "VCRNUM": move.document,
        "VCRLIN": move.line,
        "BPRNUM": move.party,
        "MVTDES": move.text[:30],
        "LOC": _LOCATION,
        "STA": "A",
        "OWNER": move.site,
        "STU": uom,
        "PCU": uom,
        "PCUSTUCOE": 1,
        "QTYPCU": move.quantity,
        "QTYSTU": move.quantity,
        "ACTQTY": move.quantity,
        "PRIORD": price,
        "PRIVAL": price,
        "AMTORD": move.cost,
        "AMTVAL": move.cost,
        "REGFLG": False,
        "FINRSPFCY": move.site,
        "GTE": move.entry,
        "NUMVCR": move.document if move.entry else "",
    }


def _moves(folder: Folder) -> Iterator[_Move]:
    """Every movement; within a day receipts come first, and each kind by its number."""
    yield from sorted(
        [*_delivered(folder), *_sent_back(folder), *_by_hand(folder)],
        key=lambda move: (move.day, move.kind, move.type, move.document, move.line),
    )


def _delivered(folder: Folder) -> Iterator[_Move]:
    sql = (
        "SELECT l.*, d.number, d.day, d.party FROM biz_delivery_lines l JOIN biz_deliveries d"
        " USING (company, side, seq) WHERE company = :company"
    )
    for row in folder.books.each(sql):
        bought = row["side"] == "AP"
        sign = 1 if bought else -1
        kind, document = _RECEIVED if bought else _SHIPPED
        yield _Move(
            folder.site_at(row["location"]), row["item"], row["day"], sign * row["quantity"],
            sign * row["cost"], kind, document, row["number"], line_number(row["line"]),
            row["description"], row["party"], row["side"], "PORCV" if bought else "",
        )  # fmt: skip


def _sent_back(folder: Folder) -> Iterator[_Move]:
    sql = "SELECT * FROM biz_trade_notes WHERE company = :company AND side = 'AP' AND kind = 'Return'"
    for row in folder.books.each(sql):
        cost = (row["amount"] * row["rate"]).quantize(Decimal("0.01"))
        yield _Move(
            folder.site_at(row["location"]), row["item"], row["day"], -row["quantity"], -cost, *_RETURNED,
            row["number"], line_number(20), row["description"], row["party"], "AP", "PORTN",
        )  # fmt: skip


def _by_hand(folder: Folder) -> Iterator[_Move]:
    for row in folder.books.each("SELECT * FROM biz_moves WHERE company = :company"):
        sign, kind, entry = _BY_KIND[row["kind"]]
        move = _Move(
            folder.site_at(row["location"]), row["item"], row["day"], sign * row["quantity"],
            sign * row["cost"], kind, _BY_HAND, row["number"], line_number(20), row["description"],
            row["party"], "AR", entry,
        )  # fmt: skip
        yield move
        if row["to_location"]:
            yield move._replace(
                site=folder.site_at(row["to_location"]), quantity=row["quantity"], cost=row["cost"],
                line=line_number(40),
            )  # fmt: skip


def _serial(item: str) -> int:
    """The number within a product's code: the business counts its products."""
    return int("".join(sign for sign in item if sign.isdigit()) or 0)
