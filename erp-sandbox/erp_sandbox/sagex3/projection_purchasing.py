"""Purchase orders, receipts and suppliers' invoices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

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

    from erp_sandbox.sagex3.projection_row import Folder

_FROM_RECEIPT, _FROM_INVOICE = 2, 4
_MATCHED = 2


def purchasing(folder: Folder) -> Iterator[Row]:
    """Orders, receipts, invoices; each with its lines."""
    side = Side(folder, "AP")
    makers = _Purchasing(side)
    for row in side.rows("orders"):
        yield makers.order(row, side.lines("order_lines", row))
    for row in side.rows("deliveries"):
        yield makers.receipt(row, side.lines("delivery_lines", row))
    for row in side.rows("invoices"):
        yield from makers.invoice(row, side.lines("invoice_lines", row))


class _Purchasing:
    """The purchase documents of a folder."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._folder = side.folder

    def order(self, row: sqlite3.Row, found: list[sqlite3.Row]) -> Row:
        """An order with its prices and its quantities."""
        side, site = self._side, self._folder.site_at(row["location"])
        places = [(row["seq"], line["line"]) for line in found]
        received = [share(line["done"], line["quantity"]) for line in found]
        invoiced = [
            share(side.invoiced[place], line["quantity"]) for place, line in zip(places, found, strict=True)
        ]
        closed = row["status"] == "complete"
        fields = {
            **self._header("PORDER", row, site),
            **_supplier(side.party(row)),
            "POHNUM": row["number"],
            "POHTYP": 1,
            "POHFCY": site,
            "ORDDAT": row["day"],
            "EXTRCPDAT1": row["expected"],
            "ORDREF": row["description"][:20],
            "BUY": "ADMIN",
            "APPFLG": 3,
            "RCPFLG": overall(received),
            "INVFLG": overall(invoiced),
            "CLEFLG": 2 if closed else 1,
            "LINNBR": len(found),
            "RCPLINNBR": received.count(3),
            "INVLINNBR": invoiced.count(3),
            "CLELINNBR": received.count(3),
            "TOTORD": row["net"],
            "TOTORDL": base(row["net"], row["rate"]),
            "TTVORD": row["total"],
            "TTVORDL": base(row["total"], row["rate"]),
            "TOTVLT": row["net"],
            "TOTLINATI": row["total"],
        }
        lines = [
            make(row, line, site) for line in found for make in (self._order_price, self._order_quantity)
        ]
        return Row("PORDER", row["day"], fields, row["last_posting"] or "", tuple(lines))

    def _header(self, table: str, row: sqlite3.Row, site: str) -> dict[str, Any]:
        folder, party = self._folder, row["party"]
        fields = {
            **folder.dimensions("AP", party),
            "CPY": folder.company,
            "BPSNUM": party,
            "BPSINV": party,
            "BPRPAY": party,
            "BPAADD": "HEAD",
            "BPAINV": "HEAD",
            "BPAPAY": "HEAD",
            "PRHFCY": site,
            "RCPFCY": site,
            "INVFCY": folder.site_of(party),
            "PURTYP": 1,
            "CUR": row["currency"],
            "CHGTYP": 1,
            "CHGCOE": row["rate"],
            "PTE": folder.terms_of("AP", party),
            "VACBPR": folder.legislation,
            "TOTLINAMT": row["net"],
            "TOTTAXAMT": row["tax"],
            "LAN": "ENG",
            "PRNFLG": True,
            "BETFCY": False,
            "BETCPY": False,
        }
        return shared(table, fields)

    def _order_price(self, row: sqlite3.Row, line: sqlite3.Row, site: str) -> Row:
        fields = {
            "POHNUM": row["number"],
            "POPLIN": line_number(line["line"]),
            "POPSEQ": 1,
            "POHTYP": 1,
            "CPY": self._folder.company,
            "PRHFCY": site,
            "ITMREF": line["item"],
            "ITMDES": line["description"][:30],
            "ITMDES1": line["description"][:30],
            "GROPRI": line["price"],
            "NETPRI": line["price"],
            "LINBUY": "ADMIN",
            "VAT": [TAX_CODE],
            "TSICOD": [line["category"]],
            "QUAFLG": False,
        }
        return Row("PORDERP", row["day"], fields)

    def _order_quantity(self, row: sqlite3.Row, line: sqlite3.Row, site: str) -> Row:
        side, folder, place = self._side, self._folder, (row["seq"], line["line"])
        tax, with_tax = side.with_tax(row, line)
        closed = line["done"] >= line["quantity"]
        fields = {
            **_priced(line, tax, with_tax),
            "POHNUM": row["number"],
            "POPLIN": line_number(line["line"]),
            "POQSEQ": 1,
            "POHTYP": 1,
            "CPY": folder.company,
            "POHFCY": site,
            "PRHFCY": site,
            "BPSNUM": row["party"],
            "BPSINV": row["party"],
            "BPAINV": "HEAD",
            "ORDDAT": row["day"],
            "EXTRCPDAT": row["expected"],
            "DEMRCPDAT": row["expected"],
            "LASRCPDAT": side.delivered.get(place),
            "LASINVDAT": side.billed.get(place),
            "RCPQTYPUU": line["done"],
            "RCPQTYSTU": line["done"],
            "INVQTYPUU": side.invoiced[place],
            "INVQTYSTU": side.invoiced[place],
            "LINAMT": line["amount"],
            "LINATI": with_tax,
            "LINATIAMT": with_tax,
            "LINAMTCPR": base(line["amount"], row["rate"]),
            "CPR": line["cost"],
            "CPRPRI": line["cost"],
            "CPRCUR": folder.currency,
            "NETCUR": row["currency"],
            "LINCLEFLG": closed,
            "RCPCLEFLG": closed,
            "LININVFLG": share(side.invoiced[place], line["quantity"]),
            "LINSTA": 1 if not closed else 2,
            "WIPSTA": 1 if not closed else 3,
            "MON": int(row["expected"][5:7]),
        }
        return Row("PORDERQ", row["day"], fields, side.moved(row, line))

    def receipt(self, row: sqlite3.Row, found: list[sqlite3.Row]) -> Row:
        """A receipt; its supplier invoices it whole."""
        side, site = self._side, self._folder.site_at(row["location"])
        whole = bool(row["invoice"])
        fields = {
            **self._header("PRECEIPT", row, site),
            **shared("PRECEIPT", _supplier(side.party(row))),
            "PTHNUM": row["number"],
            "RCPDAT": row["day"],
            "ARVDAT": row["day"],
            "NDEDAT": row["day"],
            "BPSNDE": f"DN{row['seq']}",
            "INVFLG": 3 if whole else 1,
            "INVLINNBR": len(found) if whole else 0,
            "INVLINCTR": len(found) if whole else 0,
            "LINNBR": len(found),
            "PSTFLG": True,
            "PSTDAT": row["day"],
            "PSTLINNBR": len(found),
            "TOTAMTNOT": row["net"],
            "TOTAMTATI": row["total"],
            "TOTAMTNOTL": base(row["net"], row["rate"]),
            "TOTAMTATIL": base(row["total"], row["rate"]),
            "TOTLINQTY": total(line["quantity"] for line in found),
        }
        lines = tuple(self._receipt_line(row, line, site) for line in found)
        return Row("PRECEIPT", row["day"], fields, "", lines)

    def _receipt_line(self, row: sqlite3.Row, line: sqlite3.Row, site: str) -> Row:
        tax, with_tax = self._side.with_tax(row, line)
        invoiced = line["quantity"] if row["invoice"] else Decimal(0)
        fields = {
            **_priced(line, tax, with_tax),
            "PTHNUM": row["number"],
            "PTDLIN": line_number(line["line"]),
            "CPY": self._folder.company,
            "PRHFCY": site,
            "POHFCY": site,
            "POHNUM": row["order_number"],
            "POHTYP": 1,
            "POPLIN": line_number(line["line"]),
            "POQSEQ": 1,
            "BPSNUM": row["party"],
            "BPSINV": row["party"],
            "BPAINV": "HEAD",
            "RCPDAT": row["day"],
            "ITMDES": line["description"][:30],
            "ITMDES1": line["description"][:30],
            "GROPRI": line["price"],
            "NETPRI": line["price"],
            "NETPRIPUU": line["price"],
            "NETCUR": row["currency"],
            "INVQTYPUU": invoiced,
            "INVQTYSTU": invoiced,
            "LINAMT": line["amount"],
            "LINATIAMT": with_tax,
            "LINAMTCPR": line["cost"],
            "CPRCUR": self._folder.currency,
            "LININVFLG": 3 if row["invoice"] else 1,
            "LINPSTFLG": True,
            "LINPSTDAT": row["day"],
            "STOMGTCOD": 2,
            "VAT": [TAX_CODE],
            "TSICOD": [line["category"]],
        }
        return Row("PRECEIPTD", row["day"], fields, self._side.invoice_days.get(row["invoice"], ""))

    def invoice(self, row: sqlite3.Row, found: list[sqlite3.Row]) -> Iterator[Row]:
        """An invoice: of what was received with its document, or direct with its accounts."""
        side, traded = self._side, bool(row["delivery"] or row["applied_to"])
        credit = row["kind"] == "CreditNote"
        fields = {
            **side.invoice("PINVOICE", row),
            "PIVTYP": row_type(row, traded=traded),
            "PIHTYP": 3 if credit else 1,
            "ORIMOD": 3 if traded else 1,
            "PAZ": 4,
            "PURTYP": 1,
            "TWMSTA": _MATCHED if traded and row["delivery"] else 1,
            "INVREF": row["order_number"] or "",
        }
        if not traded:
            lines = tuple(Row("BPSINVLIG", row["day"], side.direct("BPSINVLIG", row, line)) for line in found)
            yield Row("PINVOICE", row["day"], fields, row["posted"] or "", lines)
            return
        yield Row("PINVOICE", row["day"], fields, row["posted"] or "")
        yield self._document(row, found)

    def _document(self, row: sqlite3.Row, found: list[sqlite3.Row]) -> Row:
        side, credit = self._side, row["kind"] == "CreditNote"
        fields = {
            "NUM": row["number"],
            "CPY": self._folder.company,
            "BPR": row["party"],
            "CUR": row["currency"],
            "INVTYP": 2 if credit else 1,
            "PIHTYP": 3 if credit else 1,
            "PIVTYP": row_type(row, traded=True),
            "LINNBR": len(found),
            "CLCLINAMT": row["net"],
            "TOTLINAMT": row["net"],
            "TOTTAXAMT": row["tax"],
            "TOTLINQTY": total(line["quantity"] for line in found),
            "LAN": "ENG",
            "BETCPY": False,
        }
        origins = side.origins(row)
        lines = (self._invoice_line(row, line, origin(origins, nth)) for nth, line in enumerate(found))
        return Row("PINVOICEV", row["day"], fields, row["posted"] or "", tuple(lines))

    def _invoice_line(self, row: sqlite3.Row, line: sqlite3.Row, of: tuple[str, str, int] | None) -> Row:
        credit, site = row["kind"] == "CreditNote", self._folder.site_of(row["party"])
        number = line_number(line["line"])
        fields = {
            **shared("PINVOICED", _priced(line, line["tax"], line["amount"] + line["tax"])),
            "NUM": row["number"],
            "PIDLIN": number,
            "CPY": self._folder.company,
            "FCY": site,
            "FCYLIN": site,
            "BPR": row["party"],
            "BPSNUM": row["party"],
            "ACCDAT": row["day"],
            "INVTYP": 2 if credit else 1,
            "PIHTYP": 3 if credit else 1,
            "PIVTYP": row_type(row, traded=True),
            "TYPORI": _FROM_RECEIPT if of else _FROM_INVOICE,
            "NUMORI": of[1] if of else row["applied_to"],
            "LINORI": of[2] if of else 0,
            "INVNUM": row["applied_to"] or "",
            "TWMSTA": _MATCHED if of else 1,
            "ITMDES": line["description"][:30],
            "ITMDES1": line["description"][:30],
            "GROPRI": line["price"],
            "NETPRI": line["price"],
            "NETCUR": row["currency"],
            "CPRCUR": self._folder.currency,
            "AMTNOTLIN": line["amount"],
            "AMTNOTLINCAL": line["amount"],
            "AMTATILIN": line["amount"] + line["tax"],
            "LINAMTCPR": base(line["amount"], row["rate"]),
            "VAT": [TAX_CODE],
        }
        if of:
            fields |= {
                "POHNUM": of[0],
                "POPLIN": of[2],
                "POQSEQ": 1,
                "PTHNUM": of[1],
                "PTDLIN": of[2],
            }
        return Row("PINVOICED", row["day"], fields)


def row_type(row: sqlite3.Row, *, traded: bool) -> str:
    """The user's type of an invoice."""
    return f"{'PUR' if traded else 'EXP'}{'CR' if row['kind'] == 'CreditNote' else 'IN'}"


def _priced(line: sqlite3.Row, tax: Decimal, with_tax: Decimal) -> dict[str, Any]:
    """A line's product, quantity and tax."""
    uom, quantity = unit(line["uom"]), line["quantity"]
    return {
        "ITMREF": line["item"],
        "UOM": uom,
        "PUU": uom,
        "STU": uom,
        "UOMPUUCOE": 1,
        "QTYUOM": quantity,
        "QTYPUU": quantity,
        "QTYSTU": quantity,
        "BASTAXLIN1": line["amount"],
        "AMTTAXLIN1": tax,
        "DEDTAXLIN1": tax,
        "CLCAMT1": line["amount"],
        "CLCAMT2": with_tax,
        "LINPURTYP": 1,
        "LINTYP": 1,
    }


def _supplier(party: sqlite3.Row) -> dict[str, Any]:
    country = COUNTRIES.get(party["country"], "")
    return {
        "BPRNAM": names(party["name"]),
        "BPONAM": names(party["name"]),
        "BPAADDLIG": [party["address"]],
        "BPOADDLIG": [party["address"]],
        "BPOADD": "HEAD",
        "POSCOD": party["zip"],
        "BPOPOSCOD": party["zip"],
        "CTY": party["city"],
        "BPOCTY": party["city"],
        "SAT": party["state"],
        "BPOSAT": party["state"],
        "CRY": country,
        "BPOCRY": country,
        "CRYNAM": party["country"],
        "BPOCRYNAM": party["country"],
    }
