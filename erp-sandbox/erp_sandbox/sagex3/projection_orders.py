"""What documents of both sides have in common: orders with what became of them, and invoice headers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.trade import tax_on
from erp_sandbox.sagex3.projection_finance import LEGAL_LEDGER, TYPES
from erp_sandbox.sagex3.projection_row import (
    CONTROLS,
    COUNTRIES,
    FIRST_DAY,
    TAX_CODE,
    ZERO,
    base,
    line_number,
    names,
    shared,
)
from erp_sandbox.sagex3.projection_source import invoice_entries

if TYPE_CHECKING:
    import sqlite3
    from decimal import Decimal

    from erp_sandbox.sagex3.projection_row import Folder

_NOT_POSTED, _POSTED = 1, 3
_TYPES: Final = {"Invoice": "IN", "CreditNote": "CR"}


class Side:
    """One side's documents: what is ordered, delivered and invoiced.

    Args:
        folder: The folder.
        ledger: ``AP`` or ``AR``.
    """

    def __init__(self, folder: Folder, ledger: str) -> None:
        self.folder = folder
        self.ledger = ledger
        self.entries = invoice_entries(folder)
        #: By order and line: what was invoiced, and the day of the last delivery and of the last invoice.
        self.invoiced: dict[tuple[int, int], Decimal] = defaultdict(lambda: ZERO)
        self.amounts: dict[tuple[int, int], Decimal] = defaultdict(lambda: ZERO)
        self.delivered: dict[tuple[int, int], str] = {}
        self.billed: dict[tuple[int, int], str] = {}
        sql = "SELECT number, day FROM biz_invoices WHERE company = :company AND ledger = :side"
        self.invoice_days = {row["number"]: row["day"] for row in folder.books.each(sql, side=ledger)}
        #: By their sequence.
        self.deliveries = {
            row["seq"]: row
            for row in folder.books.rows(
                "SELECT * FROM biz_deliveries WHERE company = :company AND side = :side", side=ledger
            )
        }
        self._count()

    def _count(self) -> None:
        sql = "SELECT * FROM biz_delivery_lines WHERE company = :company AND side = :side"
        for row in self.folder.books.each(sql, side=self.ledger):
            delivery = self.deliveries[row["seq"]]
            place = (delivery["order_seq"], row["line"])
            self.delivered[place] = max(self.delivered.get(place, ""), delivery["day"])
            if delivery["invoice"]:
                self.invoiced[place] += row["quantity"]
                self.amounts[place] += row["amount"]
                day = self.invoice_days[delivery["invoice"]]
                self.billed[place] = max(self.billed.get(place, ""), day)

    def rows(self, table: str) -> list[sqlite3.Row]:
        """The side's headers, the oldest first."""
        column = "ledger" if table == "invoices" else "side"
        order = "batch, entry" if table == "invoices" else "seq"
        return self.folder.books.rows(
            f"SELECT * FROM biz_{table} WHERE company = :company AND {column} = :side ORDER BY {order}",
            side=self.ledger,
        )

    def lines(self, table: str, row: sqlite3.Row) -> list[sqlite3.Row]:
        """The lines of one."""
        books = self.folder.books
        if table == "invoice_lines":
            return books.rows(
                "SELECT * FROM biz_invoice_lines WHERE company = :company AND ledger = :side"
                " AND batch = :batch AND entry = :entry ORDER BY line",
                side=self.ledger,
                batch=row["batch"],
                entry=row["entry"],
            )
        return books.rows(
            f"SELECT * FROM biz_{table} WHERE company = :company AND side = :side AND seq = :seq"
            " ORDER BY line",
            side=self.ledger,
            seq=row["seq"],
        )

    def moved(self, row: sqlite3.Row, line: sqlite3.Row) -> str:
        """The day an order's line was last delivered or invoiced, or empty."""
        place = (row["seq"], line["line"])
        return max(self.delivered.get(place, ""), self.billed.get(place, ""))

    def party(self, row: sqlite3.Row) -> sqlite3.Row:
        """A document's partner."""
        return self.folder.parties[self.ledger, row["party"]]

    def with_tax(self, row: sqlite3.Row, line: sqlite3.Row) -> tuple[Decimal, Decimal]:
        """The tax on a line that does not say it, and the amount with it."""
        tax = tax_on(line["amount"], row["currency"])
        return tax, line["amount"] + tax

    def invoice(self, table: str, row: sqlite3.Row) -> dict[str, Any]:
        """The header of an invoice, posted or not."""
        folder, party = self.folder, self.party(row)
        kind = TYPES[self.ledger, _TYPES[row["kind"]]]
        credit = row["kind"] == "CreditNote"
        fields = {
            **_billed(party),
            "NUM": row["number"],
            "BPR": row["party"],
            "BPRPAY": row["party"],
            "BPRSAC": CONTROLS[self.ledger],
            "BPRDAT": row["day"],
            "BPRVCR": row["number"],
            "INVNUM": row["applied_to"] or "",
            "CPY": folder.company,
            "FCY": folder.site_of(row["party"]),
            "GTE": kind.code,
            "JOU": kind.journal,
            "ACCDAT": row["day"],
            "ACCNUM": self.entries.get((self.ledger, row["number"])),
            "FIY": int(row["day"][:4]) - int(FIRST_DAY[:4]) + 1,
            "PER": int(row["day"][5:7]),
            "CUR": row["currency"],
            "CURLED": folder.currency,
            "CURTYP": 1,
            "LED": LEGAL_LEDGER,
            "RATDAT": row["day"],
            "RATMLT": row["rate"],
            "RATDIV": 1,
            "AMTNOT": row["net"],
            "AMTATI": row["total"],
            "AMTTAX": row["tax"],
            "BASTAX": row["net"],
            "TAX": TAX_CODE,
            "NBRTAX": 1,
            "DEDTAX": row["tax"],
            "AMTATIL": row["functional"],
            "AMTNOTL": row["functional"] - base(row["tax"], row["rate"]),
            "INVTYP": 2 if credit else 1,
            "SNS": (1 if self.ledger == "AR" else -1) * (-1 if credit else 1),
            "STA": _POSTED if row["posted"] else _NOT_POSTED,
            "PTE": party["terms"],
            "STRDUDDAT": row["day"],
            "VATDAT": row["day"],
            "VAC": folder.legislation,
            "DES": row["description"][:30],
        }
        found = folder.dimensions(self.ledger, row["party"])
        # invoices hold one dimension, the second type
        return shared(table, fields) | {"DIE": found["DIE"][1], "CCE": found["CCE"][1]}

    def direct(self, table: str, row: sqlite3.Row, line: sqlite3.Row) -> dict[str, Any]:
        """A line of an invoice that names an account."""
        folder = self.folder
        fields = {
            "NUM": row["number"],
            "LIG": line["line"] // 20,
            "ACC": line["account"],
            "COA": folder.chart,
            "LED": LEGAL_LEDGER,
            "FCYLIN": folder.site_of(row["party"]),
            "BPRLIN": row["party"],
            "AMTNOTLIN": line["amount"],
            "AMTVAT": line["tax"],
            "DEDVAT": line["tax"],
            "AMTATILIN": line["amount"] + line["tax"],
            "VAT": TAX_CODE,
            "DES": line["description"][:30],
            "INVTYP": 2 if row["kind"] == "CreditNote" else 1,
            "QTY": line["quantity"],
        }
        return shared(table, fields)

    def origins(self, row: sqlite3.Row) -> list[tuple[sqlite3.Row, sqlite3.Row]]:
        """The delivery and its lines in the order of the invoice's lines; none for a credit."""
        delivery = self.deliveries.get(row["delivery"])
        if delivery is None:
            return []
        return [(delivery, line) for line in self.lines("delivery_lines", delivery)]


def origin(found: list[tuple[sqlite3.Row, sqlite3.Row]], place: int) -> tuple[str, str, int] | None:
    """The order, the delivery and the line that an invoice's line comes from."""
    if place >= len(found):
        return None
    delivery, line = found[place]
    return delivery["order_number"], delivery["number"], line_number(line["line"])


def _billed(party: sqlite3.Row) -> dict[str, Any]:
    return {
        "BPAINV": "HEAD",
        "BPAPAY": "HEAD",
        "BPRNAM": names(party["name"])[0],
        "BPYNAM": names(party["name"])[0],
        "BPAADDLIG": party["address"],
        "POSCOD": party["zip"],
        "CTY": party["city"],
        "SAT": party["state"],
        "CRY": COUNTRIES.get(party["country"], ""),
        "CRYNAM": party["country"],
    }


def overall(states: list[int]) -> int:
    """The state of a document by those of its lines."""
    return states[0] if len(set(states)) == 1 else 2
