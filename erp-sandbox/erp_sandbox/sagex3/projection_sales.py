"""Sales orders and customers' invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from erp_sandbox.business.masters import TAX_RATE, decimals
from erp_sandbox.sagex3.projection_orders import Side, origin, overall
from erp_sandbox.sagex3.projection_row import (
    COUNTRIES,
    TAX_CODE,
    Row,
    base,
    line_number,
    names,
    share,
    shared,
    total,
    unit,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from decimal import Decimal

    from erp_sandbox.sagex3.projection_row import Folder

#: Where an invoice comes from (menu 413), and what became of it (menu 2261).
_FROM_SHIPMENT, _FROM_INVOICE = 3, 4
_NOT_POSTED, _POSTED = 1, 3


def sales(folder: Folder) -> Iterator[Row]:
    """Orders and invoices; each with its lines."""
    side = Side(folder, "AR")
    makers = _Sales(side)
    for row in side.rows("orders"):
        yield makers.order(row, side.lines("order_lines", row))
    for row in side.rows("invoices"):
        yield from makers.invoice(row, side.lines("invoice_lines", row))


class _Sales:
    """The sales documents of a folder."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._folder = side.folder
        #: By order, its last delivery.
        self._shipped = {row["order_seq"]: row for row in side.deliveries.values()}

    def order(self, row: sqlite3.Row, found: list[sqlite3.Row]) -> Row:
        """An order with its prices and its quantities."""
        site, folder = self._folder.site_at(row["location"]), self._folder
        fields = {
            **shared("SORDER", _customer(self._side.party(row))),
            **folder.dimensions("AR", row["party"]),
            **self._partners(row["party"]),
            **self._progress(row, found),
            "SOHNUM": row["number"],
            "SOHTYP": "SON",
            "SOHCAT": 1,
            "SALFCY": site,
            "STOFCY": site,
            "CPY": folder.company,
            "ORDDAT": row["day"],
            "DEMDLVDAT": row["expected"],
            "SHIDAT": row["expected"],
            "CUSORDREF": row["description"][:20],
            "CUR": row["currency"],
            "CHGTYP": 1,
            "CHGRAT": row["rate"],
            "PTE": folder.terms_of("AR", row["party"]),
            "PRITYP": 1,
            "VACBPR": folder.legislation,
            "REP": [self._side.party(row)["salesperson"]],
            "LINNBR": len(found),
            "ORDNOT": row["net"],
            "ORDATI": row["total"],
            "ORDINVNOT": row["net"],
            "ORDINVATI": row["total"],
            "AMTTAX": row["tax"],
            "BASTAX": row["net"],
            "DSPTOTQTY": total(line["quantity"] for line in found),
            "LAN": "ENG",
            "APPFLG": 3,
        }
        for name in ("ORDNOT", "ORDATI", "ORDINVNOT", "ORDINVATI"):
            fields[f"{name}L"] = base(fields[name], row["rate"])
        lines = [make(row, line, site) for line in found for make in (self._price, self._quantity)]
        return Row("SORDER", row["day"], fields, row["last_posting"] or "", tuple(lines))

    def _partners(self, party: str) -> dict[str, Any]:
        return {
            "BPCORD": party,
            "BPCINV": party,
            "BPCPYR": party,
            "BPCGRU": party,
            "BPAADD": "HEAD",
            "BPAINV": "HEAD",
            "BPAORD": "HEAD",
            "BPAPYR": "HEAD",
        }

    def _progress(self, row: sqlite3.Row, found: list[sqlite3.Row]) -> dict[str, Any]:
        side, places = self._side, [(row["seq"], line["line"]) for line in found]
        delivered = [share(line["done"], line["quantity"]) for line in found]
        invoiced = [
            share(side.invoiced[place], line["quantity"]) for place, line in zip(places, found, strict=True)
        ]
        last = self._shipped.get(row["seq"])
        left = total((line["quantity"] - line["done"]) * line["price"] for line in found)
        billed = total(side.amounts[place] for place in places)
        return {
            "ORDSTA": 2 if row["status"] == "complete" else 1,
            "DLVSTA": overall(delivered),
            "ALLSTA": overall(delivered),
            "INVSTA": overall(invoiced),
            "CDTSTA": 1,
            "CLELINNBR": delivered.count(3),
            "DLVLINNBR": delivered.count(3),
            "INVLINNBR": invoiced.count(3),
            "DLRNOT": left.quantize(decimals(row["currency"])),
            "INRNOT": row["net"] - billed,
            "LASDLVNUM": last["number"] if last else "",
            "LASDLVDAT": last["day"] if last else None,
            "LASINVNUM": last["invoice"] if last else "",
            "LASINVDAT": side.invoice_days.get(last["invoice"]) if last else None,
        }

    def _price(self, row: sqlite3.Row, line: sqlite3.Row, site: str) -> Row:
        tax, _ = self._side.with_tax(row, line)
        uom = unit(line["uom"])
        fields = {
            "SOHNUM": row["number"],
            "SOPLIN": line_number(line["line"]),
            "SOPSEQ": 1,
            "SOHCAT": 1,
            "CPY": self._folder.company,
            "BPCORD": row["party"],
            "BPCINV": row["party"],
            "BPAADD": "HEAD",
            "SALFCY": site,
            "STOFCY": site,
            "ITMREF": line["item"],
            "ITMDES": line["description"][:30],
            "ITMDES1": line["description"][:30],
            "SAU": uom,
            "STU": uom,
            "SAUSTUCOE": 1,
            "GROPRI": line["price"],
            "NETPRI": line["price"],
            "NETPRINOT": line["price"],
            "NETPRIATI": line["price"] * (1 + TAX_RATE / 100),
            "CPRPRI": line["cost"],
            "CLCAMT1": line["amount"],
            "CLCAMT2": line["amount"] + tax,
            "REP1": self._side.party(row)["salesperson"],
            "LINTYP": 1,
            "SOQSTA": _state(line),
            "TSICOD": line["category"],
            "VAT": TAX_CODE,
        }
        return Row("SORDERP", row["day"], fields, self._side.delivered.get((row["seq"], line["line"]), ""))

    def _quantity(self, row: sqlite3.Row, line: sqlite3.Row, site: str) -> Row:
        side, place = self._side, (row["seq"], line["line"])
        fields = {
            "SOHNUM": row["number"],
            "SOPLIN": line_number(line["line"]),
            "SOQSEQ": 1,
            "SOHCAT": 1,
            "CPY": self._folder.company,
            "BPCORD": row["party"],
            "BPAADD": "HEAD",
            "SALFCY": site,
            "STOFCY": site,
            "ITMREF": line["item"],
            "ORDDAT": row["day"],
            "DEMDLVDAT": row["expected"],
            "EXTDLVDAT": row["expected"],
            "SHIDAT": row["expected"],
            "QTY": line["quantity"],
            "QTYSTU": line["quantity"],
            "ORIQTY": line["quantity"],
            "DLVQTY": line["done"],
            "DLVQTYSTU": f"{line['done'].normalize():f}",
            "TDLQTY": line["quantity"] - line["done"],
            "INVQTY": side.invoiced[place],
            "INVQTYSTU": side.invoiced[place],
            "INVAMT": side.amounts[place],
            "INVFLG": share(side.invoiced[place], line["quantity"]),
            "BASTAXLIN": line["amount"],
            "RATTAXLIN": TAX_RATE,
            "SOQSTA": _state(line),
            "STOMGTCOD": 2,
            "MON": int(row["expected"][5:7]),
        }
        return Row("SORDERQ", row["day"], fields, side.moved(row, line))

    def invoice(self, row: sqlite3.Row, found: list[sqlite3.Row]) -> Iterator[Row]:
        """An invoice: of what was shipped with its document, or direct with its accounts."""
        side, traded = self._side, bool(row["delivery"] or row["applied_to"])
        fields = {
            **side.invoice("SINVOICE", row),
            "SIVTYP": _type(row, traded=traded),
            "ORIMOD": 4 if traded else 1,
            "DIRINVFLG": not traded,
        }
        if not traded:
            lines = tuple(Row("BPCINVLIG", row["day"], side.direct("BPCINVLIG", row, line)) for line in found)
            yield Row("SINVOICE", row["day"], fields, row["posted"] or "", lines)
            return
        yield Row("SINVOICE", row["day"], fields, row["posted"] or "")
        yield self._document(row, found)

    def _document(self, row: sqlite3.Row, found: list[sqlite3.Row]) -> Row:
        side, folder, credit = self._side, self._folder, row["kind"] == "CreditNote"
        origins = side.origins(row)
        delivery = origins[0][0] if origins else None
        site = folder.site_at(delivery["location"]) if delivery else folder.site_of(row["party"])
        fields = {
            **shared("SINVOICEV", _customer(side.party(row))),
            "NUM": row["number"],
            "CPY": folder.company,
            "SALFCY": site,
            "STOFCY": site,
            "BPCORD": row["party"],
            "BPCINV": row["party"],
            "BPCGRU": row["party"],
            "BPRPAY": row["party"],
            "BPAADD": "HEAD",
            "CUR": row["currency"],
            "INVDAT": row["day"],
            "INVTYP": 2 if credit else 1,
            "INVSTA": _POSTED if row["posted"] else _NOT_POSTED,
            "SIVTYP": _type(row, traded=True),
            "SIHORI": _FROM_SHIPMENT if delivery else _FROM_INVOICE,
            "SIHORINUM": delivery["number"] if delivery else row["applied_to"],
            "SIHORIDAT": delivery["day"] if delivery else None,
            "INVREF": row["order_number"] or "",
            "LINNBR": len(found),
            "DSPTOTQTY": total(line["quantity"] for line in found),
            "PRITYP": 1,
            "REP": side.party(row)["salesperson"],
            "STOMVTFLG": False,
            "LAN": "ENG",
        }
        lines = (self._invoice_line(row, line, origin(origins, nth), site) for nth, line in enumerate(found))
        return Row("SINVOICEV", row["day"], fields, row["posted"] or "", tuple(lines))

    def _invoice_line(
        self, row: sqlite3.Row, line: sqlite3.Row, of: tuple[str, str, int] | None, site: str
    ) -> Row:
        uom, salesperson = unit(line["uom"]), self._side.party(row)["salesperson"]
        fields = {
            **_amounts(line, base(line["amount"], row["rate"])),
            "NUM": row["number"],
            "SIDLIN": line_number(line["line"]),
            "CPY": self._folder.company,
            "BPCINV": row["party"],
            "SALFCY": site,
            "STOFCY": site,
            "INVDAT": row["day"],
            "SIDORI": _FROM_SHIPMENT if of else _FROM_INVOICE,
            "SIHORINUM": row["applied_to"] or "",
            "ITMREF": line["item"],
            "ITMDES": line["description"][:30],
            "ITMDES1": line["description"][:30],
            "SAU": uom,
            "STU": uom,
            "SAUSTUCOE": 1,
            "QTY": line["quantity"],
            "QTYSTU": line["quantity"],
            "REP1": salesperson,
            "STOMGTCOD": 2,
            "LINTYP": 1,
            "FOCFLG": 1,
            "VAT": [TAX_CODE],
        }
        if of:
            fields |= {"SOHNUM": of[0], "SOPLIN": of[2], "SOQSEQ": 1, "SDHNUM": of[1], "SDDLIN": of[2]}
        return Row("SINVOICED", row["day"], fields)


def _amounts(line: sqlite3.Row, own: Decimal) -> dict[str, Any]:
    """A line's prices and amounts; the margin is in the company's currency."""
    return {
        "GROPRI": line["price"],
        "NETPRI": line["price"],
        "NETPRINOT": line["price"],
        "NETPRIATI": line["price"] * (1 + TAX_RATE / 100),
        "CPRPRI": line["cost"],
        "PFM": own - line["cost"],
        "AMTLIN": line["amount"],
        "AMTNOTLIN": line["amount"],
        "AMTATILIN": line["amount"] + line["tax"],
        "AMTTAXLIN": [line["tax"]],
        "BASTAXLIN": [line["amount"]],
        "RATTAXLIN": TAX_RATE,
        "CLCAMT1": line["amount"],
        "CLCAMT2": line["amount"] + line["tax"],
    }


def _state(line: sqlite3.Row) -> int:
    """1 = to deliver, 2 = in part, 3 = closed; assumed, as the reference does not list the menu."""
    return share(line["done"], line["quantity"])


def _type(row: sqlite3.Row, *, traded: bool) -> str:
    return f"{'SAL' if traded else 'SRV'}{'CR' if row['kind'] == 'CreditNote' else 'IN'}"


def _customer(party: sqlite3.Row) -> dict[str, Any]:
    """The ordering, delivered and invoiced customer: one and the same."""
    found: dict[str, Any] = {}
    for who in ("BPC", "BPD", "BPI"):
        found |= {
            f"{who}NAM": names(party["name"]),
            f"{who}ADDLIG": [party["address"]],
            f"{who}POSCOD": party["zip"],
            f"{who}CTY": party["city"],
            f"{who}SAT": party["state"],
            f"{who}CRY": COUNTRIES.get(party["country"], ""),
            f"{who}CRYNAM": party["country"],
        }
    return found
