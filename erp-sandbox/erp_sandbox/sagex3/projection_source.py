"""How the business's journals are known elsewhere: their numbers in X3, and what is matched with what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from erp_sandbox.business.subledger import CONTROL

if TYPE_CHECKING:
    import sqlite3

    from erp_sandbox.sagex3.projection_row import Folder

#: Checks of both sides are numbered alike, so that a payment's number says whose it is.
PAYMENTS: Final = {"AP": "PAY", "AR": "REC"}
_LETTERS: Final = 26


def side_of(ledger: str) -> str:
    """The side whose partners a source ledger deals with."""
    return "AR" if ledger == "AR" else "AP"


def payment_number(ledger: str, number: str) -> str:
    """The number of a payment or receipt."""
    return number if number.startswith("RF") else f"{PAYMENTS[ledger]}{number[-9:]}"


def entry_number(journal: sqlite3.Row) -> str:
    """The number of a journal's entry: that of its document."""
    if journal["type"] in {"PY", "RV", "RF"}:
        return payment_number(journal["ledger"], journal["reference"])
    reference = str(journal["reference"])
    if journal["ledger"] == "IC":
        # the movement's own number: of one width, so that keys sort as the index does
        return f"{reference[:2]}{int(reference[2:]):09d}"
    return reference


def internal_number(batch: int, entry: int, place: int) -> int:
    """The number of an entry's line in the whole folder."""
    return batch * 100_000 + entry * 200 + place * 2


def invoice_entries(folder: Folder) -> dict[tuple[str, str], int]:
    """Of every posted invoice, by side and number, the internal number of its control account's line."""
    sql = (
        "SELECT batch, entry, ledger, reference FROM biz_journals WHERE company = :company"
        " AND ledger IN ('AP', 'AR') AND type IN ('IN', 'CR')"
    )
    return {
        (row["ledger"], row["reference"]): internal_number(row["batch"], row["entry"], 1)
        for row in folder.books.each(sql)
    }


class Matches:
    """Which control account lines are matched: those of invoices that are paid, and of their payments.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Folder) -> None:
        self.control = CONTROL
        self._codes: dict[tuple[str, str], tuple[str, str]] = {}
        paid = (
            "SELECT ledger, number, batch, entry, paid FROM biz_invoices"
            " WHERE company = :company AND status = 'paid'"
        )
        for row in folder.books.each(paid):
            self._codes[row["ledger"], row["number"]] = (_code(row["batch"], row["entry"]), row["paid"])
        applied = (
            "SELECT a.ledger, a.number, p.number AS payment FROM biz_applied a JOIN biz_payments p"
            " USING (company, ledger, kind, batch, entry) WHERE company = :company"
            " AND p.posted IS NOT NULL AND p.reversed IS NULL"
        )
        for row in folder.books.rows(applied):
            match = self._codes.get((row["ledger"], row["number"]))
            if match:
                self._codes[row["ledger"], payment_number(row["ledger"], row["payment"])] = match

    def of(self, journal: sqlite3.Row) -> tuple[str, str] | None:
        """The matching code and date of a journal's control line, if it is matched."""
        return self._codes.get((journal["ledger"], entry_number(journal)))


def _code(batch: int, entry: int) -> str:
    """Letters, as X3 counts matches."""
    number, found = batch * 32 + entry, ""
    while number:
        number, letter = divmod(number, _LETTERS)
        found = chr(ord("A") + letter) + found
    return found.rjust(4, "A")
