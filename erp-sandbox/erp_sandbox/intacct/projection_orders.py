"""Purchasing and order entry: documents of several definitions in one object, with their lines."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from erp_sandbox.intacct.projection_record import Record, base, entity_of, known, money

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.business.books import Books
    from erp_sandbox.intacct.projection_record import Keys


class Definition(NamedTuple):
    """A transaction definition: where its documents come from, and what they are called."""

    object: str
    side: str
    docparid: str
    docclass: str
    table: str
    lines: str


DEFINITIONS: Final = (
    Definition("PODOCUMENT", "AP", "Purchase Order", "Order", "orders", "order_lines"),
    Definition("PODOCUMENT", "AP", "PO Receiver", "Order", "deliveries", "delivery_lines"),
    Definition("PODOCUMENT", "AP", "Vendor Invoice", "Invoice", "deliveries", "delivery_lines"),
    Definition("SODOCUMENT", "AR", "Sales Order", "Order", "orders", "order_lines"),
    Definition("SODOCUMENT", "AR", "Shipper", "Order", "deliveries", "delivery_lines"),
    Definition("SODOCUMENT", "AR", "Sales Invoice", "Invoice", "deliveries", "delivery_lines"),
)


def orders(books: Books, keys: Keys) -> Iterator[Record]:
    """Every document of every definition, each followed by its lines."""
    names = {
        (row["ledger"], row["id"]): row["name"]
        for row in books.rows("SELECT ledger, id, name FROM biz_parties WHERE company = :company")
    }
    for definition in DEFINITIONS:
        yield from _Orders(books, keys, definition, names).documents()


class _Orders:
    """The documents of one definition."""

    def __init__(
        self, books: Books, keys: Keys, definition: Definition, names: dict[tuple[str, str], str]
    ) -> None:
        self._books = books
        self._keys = keys
        self._of = definition
        self._names = names
        self._ordered = definition.table == "orders"

    def documents(self) -> Iterator[Record]:
        """Each, followed by its lines."""
        of = self._of
        condition = "WHERE company = :company AND side = :side"
        lines = f"SELECT * FROM biz_{of.lines} {condition} AND seq = :seq ORDER BY line"
        for row in self._books.rows(
            f"SELECT * FROM biz_{of.table} {condition} ORDER BY day, seq", side=of.side
        ):
            number = row["number"] if of.docclass == "Order" else row["invoice"]
            if not number:
                continue
            document = self._document(row, str(number))
            yield document
            for place, line in enumerate(self._books.rows(lines, side=of.side, seq=row["seq"])):
                yield self._line(row, document.natural, place, line)

    def _document(self, row: sqlite3.Row, number: str) -> Record:
        of, party = self._of, row["party"]
        state = "Closed"
        source = None
        if self._ordered:
            state = {"open": "Pending", "complete": "Converted"}.get(row["status"], state)
        else:
            source = f"{'Purchase' if of.side == 'AP' else 'Sales'} Order-{row['order_number']}"
        fields = {
            "DOCNO": number,
            "DOCID": f"{of.docparid}-{number}",
            "PONUMBER": row["number"] if of.object == "PODOCUMENT" else None,
            "WHENCREATED": row["day"],
            "WHENPOSTED": row["day"],
            "WHENDUE": row["expected"] if self._ordered else row["day"],
            "CUSTVENDID": party,
            "CUSTVENDNAME": self._names[of.side, party],
            "DOCPARID": of.docparid,
            "DOCPARCLASS": of.docclass,
            "CREATEDFROM": source,
            "MESSAGE": row["description"],
            "STATE": state,
            "STATUS": "active",
            "CLOSED": "T" if state == "Closed" else "F",
            "CURRENCY": row["currency"],
            "BASECURR": self._books.currency,
            "EXCHRATEDATE": row["day"],
            "SUBTOTAL": base(row["net"], row["rate"]),
            "TOTAL": base(row["total"], row["rate"]),
            "TOTALENTERED": base(row["total"], row["rate"]),
            "TRX_TOTALENTERED": money(row["total"]),
            "MEGAENTITYID": entity_of(party),
        }
        changed = (row["last_posting"] or "") if self._ordered else ""
        natural = f"{of.docparid}-{number}"
        return Record(of.object, natural, row["day"], known(of.object, fields), entity_of(party), changed)

    def _line(self, row: sqlite3.Row, document: str, place: int, line: sqlite3.Row) -> Record:
        of, keys, party = self._of, self._keys, row["party"]
        name = f"{of.object}ENTRY"
        kind = "VENDOR" if of.side == "AP" else "CUSTOMER"
        done = line["done"] if self._ordered else Decimal(0)
        fields: dict[str, Any] = {
            "DOCHDRNO": keys.number(of.object, document),
            "DOCHDRID": document,
            "DOCPARID": of.docparid,
            "LINE_NO": place,
            "ITEMID": line["item"],
            "ITEMNAME": line["description"],
            "ITEMDESC": line["description"],
            "ITEMDIMKEY": keys.number("ITEM", line["item"]),
            "UNIT": line["uom"],
            "QUANTITY": money(line["quantity"]),
            "UIQTY": money(line["quantity"]),
            "UIPRICE": money(line["price"]),
            "PRICE": money(line["price"]),
            "TOTAL": base(line["amount"], row["rate"]),
            "QTY_REMAINING": money(line["quantity"] - done),
            "QTY_CONVERTED": money(done),
            "STATUS": "active",
            "LOCATIONID": f"L{line['location']}",
            "WAREHOUSEID": f"W{line['location']}",
            "CLASSID": line["category"],
            f"{kind}ID": party,
            f"{kind}NAME": self._names[of.side, party],
            f"{kind}DIMKEY": keys.number(kind, party),
        }
        natural = f"{document}-{line['line']}"
        return Record(name, natural, row["day"], known(name, fields), entity_of(party))
