"""Open items of suppliers and customers, and the payments and receipts that close them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.masters import account
from erp_sandbox.business.subledger import CONTROL
from erp_sandbox.sagex3.projection_finance import LEGAL_LEDGER, TYPES
from erp_sandbox.sagex3.projection_row import CONTROLS, COUNTRIES, FIRST_DAY, ZERO, Row, line_number, total
from erp_sandbox.sagex3.projection_source import PAYMENTS, invoice_entries, payment_number

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from decimal import Decimal

    from erp_sandbox.sagex3.projection_row import Folder

#: States of a payment; assumed, as the reference does not list the menu.
_ENTERED, _POSTED, _CLEARED, _SENT_BACK = 1, 2, 3, 4
_BANK: Final = account("1020")
_KINDS: Final = {"Invoice": "IN", "CreditNote": "CR"}


def payments(folder: Folder) -> Iterator[Row]:
    """Open items, then payments with their lines, then those that concern no partner."""
    makers = _Payments(folder)
    yield from makers.open_items()
    yield from makers.payments()
    yield from makers.miscellaneous()


class _Payments:
    """The open items and payments of a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._entries = invoice_entries(folder)

    def open_items(self) -> Iterator[Row]:
        """One open item per posted invoice: what a payment changes is here, not in the invoice."""
        pending = self._pending()
        sql = (
            "SELECT * FROM biz_invoices WHERE company = :company AND posted IS NOT NULL"
            " ORDER BY ledger, batch, entry"
        )
        for row in self._folder.books.rows(sql):
            yield self._open_item(row, pending.get((row["ledger"], row["number"]), (ZERO, ZERO)))

    def _pending(self) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
        """What payments that are entered and not yet posted will pay."""
        found: dict[tuple[str, str], tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
        sql = (
            "SELECT a.ledger, a.number, a.amount, a.functional FROM biz_applied a JOIN biz_payments p"
            " USING (company, ledger, kind, batch, entry) WHERE company = :company AND p.posted IS NULL"
        )
        for row in self._folder.books.each(sql):
            amount, functional = found[row["ledger"], row["number"]]
            found[row["ledger"], row["number"]] = (amount + row["amount"], functional + row["functional"])
        return found

    def _open_item(self, row: sqlite3.Row, pending: tuple[Decimal, Decimal]) -> Row:
        folder, side, party = self._folder, row["ledger"], row["party"]
        credit = row["kind"] == "CreditNote"
        fields = {
            "NUMDUD": f"{PAYMENTS[side][0]}{row['batch']:07d}{row['entry']:04d}",
            "TYP": TYPES[side, _KINDS[row["kind"]]].code,
            "NUM": row["number"],
            "LIG": 1,
            "DUDLIG": 1,
            "ACCNUM": self._entries.get((side, row["number"])),
            "CPY": folder.company,
            "FCY": folder.site_of(party),
            "BPR": party,
            "BPRPAY": party,
            "BPAPAY": "HEAD",
            "BPRTYP": 1 if side == "AR" else 2,
            "SAC": CONTROLS[side],
            "CUR": row["currency"],
            "SNS": (1 if side == "AR" else -1) * (-1 if credit else 1),
            "AMTCUR": row["total"],
            "AMTLOC": row["functional"],
            "PAYCUR": row["total"] - abs(row["open"]),
            "PAYLOC": row["functional"] - abs(row["open_functional"]),
            "TMPCUR": pending[0],
            "TMPLOC": pending[1],
            "DUDDAT": row["due"],
            "PAYDAT": row["paid"],
            "FLGCLE": not row["open"],
            "FLGPAZ": 4,
            "FLGFUP": side == "AR",
            "TYPDUD": 2,
            "PAM": "CHQ",
            "PAMTYP": 1,
            "FIY": int(row["day"][:4]) - int(FIRST_DAY[:4]) + 1,
            "PER": int(row["day"][5:7]),
        }
        return Row("GACCDUDATE", row["posted"], fields, max(row["activity"] or "", row["paid"] or ""))

    def payments(self) -> Iterator[Row]:
        """Payments, receipts and refunds; each with the invoices that it pays."""
        kinds = {
            (row["ledger"], row["number"]): row["kind"]
            for row in self._folder.books.each(
                "SELECT ledger, number, kind FROM biz_invoices WHERE company = :company"
            )
        }
        sql = "SELECT * FROM biz_payments WHERE company = :company ORDER BY ledger, kind, batch, entry"
        for row in self._folder.books.rows(sql):
            yield self._payment(row, tuple(self._lines(row, kinds)))

    def _payment(self, row: sqlite3.Row, lines: tuple[Row, ...]) -> Row:
        folder, side = self._folder, row["ledger"]
        party = folder.parties[side, row["party"]]
        state = _ENTERED if not row["posted"] else _CLEARED if row["cleared"] else _POSTED
        fields = {
            **self._head(row["number"], side, row["day"], row["bank"], posted=row["posted"]),
            "BPR": row["party"],
            "BPANAM": party["name"][:35],
            "BPAINV": "HEAD",
            "BPAADDLIG": [party["address"]],
            "POSCOD": party["zip"],
            "CTY": party["city"],
            "SAT": party["state"],
            "CRY": COUNTRIES.get(party["country"], ""),
            "CRYNAM": party["country"],
            "BPRSAC": CONTROLS[side],
            "BPRTYP": 1 if side == "AR" else 2,
            "FCY": folder.site_of(row["party"]),
            "CUR": row["currency"],
            "CURRAT": row["rate"],
            "AMTCUR": row["amount"],
            "AMTBAN": row["functional"],
            "DES": row["description"][:30],
            "BANDAT": row["cleared"],
            "SNS": 1 if side == "AR" and row["kind"] == "PY" else 2,
            "STA": _SENT_BACK if row["reversed"] else state,
            "RENNOTPAY": "BACK" if row["reversed"] else "",
        }
        changed = max(row["reversed"] or "", row["cleared"] or "", row["posted"] or "")
        return Row("PAYMENTH", row["day"], fields, changed, lines)

    def _head(self, number: str, side: str, day: str, bank: str, *, posted: str | None) -> dict[str, Any]:
        folder = self._folder
        return {
            "NUM": payment_number(side, number),
            "CPY": folder.company,
            "PAYTYP": "CHQ",
            "PAM": "CHQ",
            "BAN": bank,
            "COA": folder.chart,
            "ACC": _BANK,
            "CHQNUM": number[-9:],
            "REF": number,
            "ACCDAT": posted,
            "ORIDAT": day,
            "DUDDAT": day,
            "VALDAT": day,
            "PST": bool(posted),
            "FIY": int(day[:4]) - int(FIRST_DAY[:4]) + 1,
            "PER": int(day[5:7]),
        }

    def _lines(self, row: sqlite3.Row, kinds: dict[tuple[str, str], str]) -> Iterator[Row]:
        folder, side = self._folder, row["ledger"]
        sql = (
            "SELECT * FROM biz_applied WHERE company = :company AND ledger = :side AND kind = :kind"
            " AND batch = :batch AND entry = :entry ORDER BY line"
        )
        where = {"side": side, "kind": row["kind"], "batch": row["batch"], "entry": row["entry"]}
        for line in folder.books.rows(sql, **where):
            number = line["number"]
            fields = {
                "NUM": payment_number(side, row["number"]),
                "LIN": line_number(line["line"]),
                "DENCOD": "INV",
                "VCRTYP": TYPES[side, _KINDS[kinds[side, number]]].code,
                "VCRNUM": number,
                "DUDNUM": self._entries.get((side, number)),
                "DUDLIG": 1,
                "BPRLIN": row["party"],
                "BPRINV": row["party"],
                "BPRSACINV": CONTROLS[side],
                "SACLIN": CONTROLS[side],
                "FCYLIN": folder.site_of(row["party"]),
                "CURLIN": row["currency"],
                "AMTLIN": line["amount"],
                "AMTLIN2": line["amount"],
                "PAYCURLIN": line["amount"],
                "PAYLOCLIN": line["functional"],
                "COA": [folder.chart],
                "LED": [LEGAL_LEDGER],
                "ACC": [CONTROL[side]],
                "ACCSNS": 1 if side == "AP" or row["kind"] == "RF" else 2,
                "DESLIN": row["description"][:30],
                "EARDISFLG": False,
            }
            yield Row("PAYMENTD", row["day"], fields)

    def miscellaneous(self) -> Iterator[Row]:
        """Money paid to or received from nobody in the lists: the lines name accounts."""
        found: dict[tuple[str, int], list[sqlite3.Row]] = defaultdict(list)
        sql = "SELECT * FROM biz_miscellaneous WHERE company = :company ORDER BY ledger, batch, line"
        for row in self._folder.books.rows(sql):
            found[row["ledger"], row["batch"]].append(row)
        for rows in found.values():
            yield self._without_partner(rows)

    def _without_partner(self, rows: list[sqlite3.Row]) -> Row:
        folder, head = self._folder, rows[0]
        side, amount = head["ledger"], total(row["amount"] for row in rows)
        number = payment_number(side, head["number"])
        fields = {
            **self._head(head["number"], side, head["day"], "CCB", posted=head["posted"]),
            "BPANAM": head["name"][:35],
            "FCY": folder.site_of(number),
            "CUR": folder.currency,
            "CURRAT": 1,
            "AMTCUR": amount,
            "AMTBAN": amount,
            "DES": head["description"][:30],
            "SNS": 1 if side == "AR" else 2,
            "STA": _POSTED if head["posted"] else _ENTERED,
        }
        lines = tuple(self._account_line(row, number) for row in rows)
        return Row("PAYMENTH", head["day"], fields, head["posted"] or "", lines)

    def _account_line(self, row: sqlite3.Row, number: str) -> Row:
        folder = self._folder
        fields = {
            "NUM": number,
            "LIN": line_number(row["line"]),
            "DENCOD": "ACC",
            "FCYLIN": folder.site_of(number),
            "CURLIN": folder.currency,
            "AMTLIN": row["amount"],
            "AMTLIN2": row["amount"],
            "PAYCURLIN": row["amount"],
            "PAYLOCLIN": row["amount"],
            "COA": [folder.chart],
            "LED": [LEGAL_LEDGER],
            "ACC": [row["account"]],
            "ACCSNS": 1 if row["ledger"] == "AP" else 2,
            "DESLIN": row["description"][:30],
            "EARDISFLG": False,
        }
        return Row("PAYMENTD", row["day"], fields)
