"""Bills, invoices, adjustments and payments, with their lines."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.projection_record import PROGRAMS, Record, base, entity_of, known, money

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.business.books import Books
    from erp_sandbox.intacct.projection_record import Keys

_STATES: Final = {"entered": "Draft", "posted": "Posted", "paying": "Partially Paid", "paid": "Paid"}
_RAW: Final = {"Draft": "D", "Posted": "A", "Partially Paid": "A", "Paid": "A"}
_TAX_ACCOUNT: Final = "2200100"


@dataclass(frozen=True)
class Side:
    """What is called otherwise on the side of what is bought and of what is sold."""

    ledger: str
    party: str
    bill: str
    adjustment: str
    payment: str
    module: str
    record_type: str

    def lines(self, name: str) -> str:
        """The object of a document's lines."""
        return f"{name}ITEM"

    @property
    def details(self) -> str:
        """The object of a payment's details."""
        return f"{self.payment}DETAIL"


SIDES: Final = (
    Side("AP", "VENDOR", "APBILL", "APADJUSTMENT", "APPYMT", "3.AP", "pi"),
    Side("AR", "CUSTOMER", "ARINVOICE", "ARADJUSTMENT", "ARPYMT", "4.AR", "ri"),
)


def documents(books: Books, keys: Keys) -> Iterator[Record]:
    """Every document of both ledgers, the oldest first."""
    names = {
        (row["ledger"], row["id"]): row["name"]
        for row in books.rows("SELECT ledger, id, name FROM biz_parties WHERE company = :company")
    }
    for side in SIDES:
        makers = _Documents(books, keys, side, names)
        yield from makers.invoices()
        yield from makers.payments()


class _Documents:
    """One side's documents."""

    def __init__(self, books: Books, keys: Keys, side: Side, names: dict[tuple[str, str], str]) -> None:
        self._books = books
        self._keys = keys
        self._side = side
        self._names = names

    def invoices(self) -> Iterator[Record]:
        """Bills or invoices, and adjustments, each followed by its lines."""
        sql = (
            "SELECT * FROM biz_invoices WHERE company = :company AND ledger = :ledger"
            " ORDER BY day, batch, entry"
        )
        for row in self._books.rows(sql, ledger=self._side.ledger):
            name = self._side.bill if row["kind"] == "Invoice" else self._side.adjustment
            lines = list(self._lines(row, name))
            yield self._document(row, name, lines)
            yield from lines

    def _document(self, row: sqlite3.Row, name: str, lines: list[Record]) -> Record:
        side, rate = self._side, row["rate"]
        paid = row["total"] - row["open"]
        total = sum((Decimal(line.fields["AMOUNT"]) for line in lines), Decimal(0))
        due = Decimal(0) if row["status"] == "paid" else total - Decimal(base(paid, rate))
        state = _STATES[row["status"]]
        party = row["party"]
        fields = {
            "RECORDTYPE": side.record_type if name == side.bill else f"{side.record_type[0]}a",
            "RECORDID": row["number"],
            "STATE": state,
            "RAWSTATE": _RAW[state],
            f"{side.party}ID": party,
            f"{side.party}NAME": self._names[side.ledger, party],
            f"{side.party}KEY": self._keys.number(side.party, party),
            "DOCNUMBER": row["order_number"] or None,
            "DESCRIPTION": row["description"],
            "TERMNAME": None,
            "WHENCREATED": row["day"],
            "WHENPOSTED": row["posted"],
            "WHENDUE": row["due"],
            "WHENPAID": row["paid"] if row["status"] == "paid" else None,
            "BASECURR": self._books.currency,
            "CURRENCY": row["currency"],
            "EXCHANGE_RATE": money(rate),
            "EXCH_RATE_DATE": row["day"],
            "TOTALENTERED": money(total),
            "TOTALPAID": money(total - due),
            "TOTALDUE": money(due),
            "TRX_TOTALENTERED": money(row["total"]),
            "TRX_TOTALPAID": money(paid),
            "TRX_TOTALDUE": money(row["open"]),
            "MODULEKEY": side.module,
            "SYSTEMGENERATED": "F",
            "PRBATCH": f"{side.ledger} batch {row['batch']}",
            "PRBATCHKEY": row["batch"],
            "MEGAENTITYID": entity_of(party),
            "APPROVED_ON": row["posted"] if name == "APBILL" else None,
        }
        changed = max(row["activity"] or "", row["posted"] or "", row["day"])
        return Record(name, _natural(row), row["day"], known(name, fields), entity_of(party), changed)

    def _lines(self, row: sqlite3.Row, name: str) -> Iterator[Record]:
        sql = (
            "SELECT * FROM biz_invoice_lines WHERE company = :company AND ledger = :ledger"
            " AND batch = :batch AND entry = :entry ORDER BY line"
        )
        found = self._books.rows(sql, ledger=row["ledger"], batch=row["batch"], entry=row["entry"])
        for number, line in enumerate(found, 1):
            item = line["item"] or None
            fields = {"ACCOUNTNO": line["account"], "ENTRYDESCRIPTION": line["description"], "ITEMID": item}
            if item:
                fields |= {"ITEMNAME": line["description"], "ITEMDIMKEY": self._keys.number("ITEM", item)}
            yield self._line(row, name, number, line["amount"], fields)
        if row["tax"]:
            fields = {"ACCOUNTNO": _TAX_ACCOUNT, "ENTRYDESCRIPTION": "Tax"}
            yield self._line(row, name, len(found) + 1, row["tax"], fields)

    def _line(
        self, row: sqlite3.Row, name: str, number: int, amount: Decimal, fields: dict[str, Any]
    ) -> Record:
        side, party = self._side, row["party"]
        account = fields["ACCOUNTNO"]
        lines = side.lines(name)
        more = {
            "RECORDKEY": self._keys.number(name, _natural(row)),
            "LINE_NO": number,
            "LINEITEM": "T",
            "RECORDTYPE": side.record_type,
            "STATE": _STATES[row["status"]],
            "ACCOUNTKEY": self._keys.number("GLACCOUNT", account),
            "ENTRY_DATE": row["day"],
            "AMOUNT": base(amount, row["rate"]),
            "TRX_AMOUNT": money(amount),
            "CURRENCY": row["currency"],
            "BASECURR": self._books.currency,
            "EXCHANGE_RATE": money(row["rate"]),
            "EXCH_RATE_DATE": row["day"],
            "DEPARTMENTID": account[-3:],
            "LOCATIONID": entity_of(party),
            f"{side.party}ID": party,
            f"{side.party}NAME": self._names[side.ledger, party],
            f"{side.party}DIMKEY": self._keys.number(side.party, party),
            "GLDIMPROGRAM": self._keys.number(
                "PROGRAM", PROGRAMS[zlib.crc32(account.encode()) % len(PROGRAMS)]
            ),
        }
        natural = f"{_natural(row)}-{number}"
        posted = row["posted"] or ""
        return Record(lines, natural, row["day"], known(lines, {**fields, **more}), entity_of(party), posted)

    def payments(self) -> Iterator[Record]:
        """Payments or receipts, each followed by what it paid."""
        sql = (
            "SELECT * FROM biz_payments WHERE company = :company AND ledger = :ledger AND kind = 'PY'"
            " ORDER BY day, batch, entry"
        )
        for row in self._books.rows(sql, ledger=self._side.ledger):
            yield self._payment(row)
            yield from self._applied(row)

    def _payment(self, row: sqlite3.Row) -> Record:
        side, party = self._side, row["party"]
        state = "Voided" if row["reversed"] else "Posted" if row["posted"] else "Draft"
        fields = {
            "RECORDTYPE": "pp" if side.ledger == "AP" else "rp",
            "RECORDID": row["number"],
            "STATE": state,
            "RAWSTATE": state[0],
            f"{side.party}ID": party,
            f"{side.party}NAME": self._names[side.ledger, party],
            "FINANCIALENTITY": row["bank"],
            "DOCNUMBER": row["number"],
            "DESCRIPTION": row["description"],
            "PAYMENTMETHOD": "Printed Check",
            "WHENCREATED": row["day"],
            "WHENPAID": row["day"],
            "PAYMENTDATE": row["day"],
            "RECEIPTDATE": row["day"],
            "CLEARED": "T" if row["cleared"] else "F",
            "CLRDATE": row["cleared"],
            "BASECURR": self._books.currency,
            "CURRENCY": row["currency"],
            "TOTALENTERED": money(row["functional"]),
            "TOTALPAID": money(row["functional"]),
            "TRX_TOTALENTERED": money(row["amount"]),
            "TRX_TOTALPAID": money(row["amount"]),
            "MEGAENTITYID": entity_of(party),
        }
        natural = f"{row['batch']}-{row['entry']}"
        changed = max(row["reversed"] or "", row["cleared"] or "", row["posted"] or "")
        return Record(
            side.payment, natural, row["day"], known(side.payment, fields), entity_of(party), changed
        )

    def _applied(self, row: sqlite3.Row) -> Iterator[Record]:
        side, natural = self._side, f"{row['batch']}-{row['entry']}"
        sql = (
            "SELECT a.*, i.batch AS of_batch, i.entry AS of_entry, i.kind AS of_kind FROM biz_applied a"
            " LEFT JOIN biz_invoices i"
            " ON i.company = a.company AND i.ledger = a.ledger AND i.number = a.number"
            " WHERE a.company = :company AND a.ledger = :ledger AND a.kind = 'PY'"
            " AND a.batch = :batch AND a.entry = :entry ORDER BY a.line"
        )
        for line in self._books.rows(sql, ledger=side.ledger, batch=row["batch"], entry=row["entry"]):
            paid = side.bill if line["of_kind"] == "Invoice" else side.adjustment
            of = None
            if line["of_batch"] is not None:
                of = self._keys.number(paid, f"{line['of_batch']}-{line['of_entry']}")
            fields = {
                "RECORDKEY": of,
                "PAYMENTKEY": self._keys.number(side.payment, natural),
                "PAYMENTDATE": row["day"],
                "PAYMENTAMOUNT": money(line["functional"]),
                "TRX_PAYMENTAMOUNT": money(line["amount"]),
                "DISCOUNTAMOUNT": money(line["discount"]),
                "CURRENCY": row["currency"],
                "STATE": "Voided" if row["reversed"] else "Posted",
                "MODULEKEY": side.module,
            }
            yield Record(
                side.details,
                f"{natural}-{line['line']}",
                row["day"],
                known(side.details, fields),
                entity_of(row["party"]),
                row["reversed"] or "",
            )


def _natural(row: sqlite3.Row) -> str:
    return f"{row['batch']}-{row['entry']}"
