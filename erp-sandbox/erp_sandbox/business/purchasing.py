"""Purchase orders, receipts, vendors' invoices, returns."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from erp_sandbox.business import ledger, trade, words
from erp_sandbox.business.masters import DEPARTMENTS, EXPENSES, account, decimals, pick_party, rate_of
from erp_sandbox.business.subledger import Invoice, InvoiceLine, enter_invoices

if TYPE_CHECKING:
    import random
    import sqlite3

    from erp_sandbox.business.books import Books

#: The share of expense documents that are credit notes.
_CREDITED: Final = 0.06


def receive(books: Books, rng: random.Random, day: str, count: int) -> None:
    """Receive goods on purchase orders that are due: inventory against the clearing account."""
    journals = []
    for row in trade.due_orders(books, "AP", day, count):
        receipt = trade.deliver(books, rng, row, day)
        journal = ledger.Journal(
            "PO", "RC", day, f"Receipt {receipt['number']}", receipt["number"], receipt["currency"],
            receipt["rate"], receipt["party"],
        )  # fmt: skip
        journal.add(account("1300"), receipt["cost"], receipt["net"], "Goods received")
        journal.add(account("2100"), -receipt["cost"], -receipt["net"], "Not yet invoiced")
        journals.append(journal)
    ledger.post_at_once(books, journals, day, f"Receipts of {day}", "PO")


def invoice(books: Books, rng: random.Random, day: str, count: int) -> None:
    """Enter vendors' invoices: for receipts first, for expenses otherwise."""
    invoices = [_for_receipt(books, row, day) for row in trade.uninvoiced(books, "AP", day, count)]
    while len(invoices) < count:
        invoices.append(_for_expense(books, rng, day))
    enter_invoices(books, "AP", invoices, day, "AP")


def _for_receipt(books: Books, receipt: sqlite3.Row, day: str) -> Invoice:
    party = books.find("parties", ledger="AP", id=receipt["party"])
    number = f"{receipt['party']}-{receipt['seq']}"
    result = Invoice(
        party["id"], number, "Invoice", receipt["currency"], receipt["rate"], party["terms"],
        receipt["description"], order_number=receipt["order_number"], delivery=receipt["seq"],
    )  # fmt: skip
    for line in trade.delivery_lines(books, "AP", receipt["seq"]):
        result.lines.append(
            InvoiceLine(
                account("2100"),
                line["description"],
                line["amount"],
                trade.tax_on(line["amount"], receipt["currency"]),
                line["item"],
                line["uom"],
                line["quantity"],
                line["price"],
            )
        )
    books.update("deliveries", {"side": "AP", "seq": receipt["seq"]}, invoice=number, total=receipt["total"])
    books.touch("delivery", "AP", receipt["seq"])
    books.touch("trade_invoice", "AP", receipt["seq"], day)
    return result


def _for_expense(books: Books, rng: random.Random, day: str) -> Invoice:
    number = pick_party(books, rng, "AP")
    party = books.find("parties", ledger="AP", id=number)
    currency = party["currency"]
    kind = "CreditNote" if rng.random() < _CREDITED else "Invoice"
    result = Invoice(
        number, f"{'CR' if kind == 'CreditNote' else 'INV'}{books.number('AP.document', 20001)}", kind,
        currency,
        rate_of(books, currency, day), party["terms"], rng.choice(words.REMARKS),
    )  # fmt: skip
    for _ in range(rng.choice((1, 1, 2, 3))):
        amount = (Decimal(rng.randrange(1_000, 900_000_005, 5) % 900_000 + 500) / 1000).quantize(
            decimals(currency)
        )
        result.lines.append(
            InvoiceLine(
                account(rng.choice(EXPENSES), rng.choice(DEPARTMENTS)),
                rng.choice(words.REMARKS),
                amount,
                trade.tax_on(amount, currency),
            )
        )
    return result


def send_back(books: Books, rng: random.Random, day: str) -> None:
    """Return goods to a vendor and record the vendor's credit note."""
    row = books.one(
        "SELECT * FROM biz_deliveries WHERE company = :company AND side = 'AP' AND invoice <> ''"
        " ORDER BY seq DESC LIMIT 1"
    )
    if row is None:
        return
    returned = trade.note(books, rng, "AP", "Return", day, row)
    if returned is None:
        return
    cost = (returned["amount"] * returned["rate"]).quantize(Decimal("0.01"))
    trade.stock(books, returned["item"], on_hand=-returned["quantity"])
    journal = ledger.Journal(
        "PO", "RT", day, f"Return {returned['number']}", returned["number"], returned["currency"],
        returned["rate"], returned["party"],
    )  # fmt: skip
    journal.add(account("1300"), -cost, -returned["amount"], "Goods sent back")
    journal.add(account("2100"), cost, returned["amount"], "Credit expected")
    ledger.post_at_once(books, [journal], day, f"Returns of {day}", "PO")
    credit = trade.note(books, rng, "AP", "CreditNote", day, row)
    if credit is None:
        return
    party = books.find("parties", ledger="AP", id=credit["party"])
    entry = Invoice(
        credit["party"], credit["number"], "CreditNote", credit["currency"], credit["rate"], party["terms"],
        f"Credit for {row['number']}", applied_to=row["invoice"],
    )  # fmt: skip
    entry.lines.append(
        InvoiceLine(
            account("2100"),
            credit["description"],
            credit["amount"],
            credit["tax"],
            credit["item"],
            credit["uom"],
            credit["quantity"],
            credit["price"],
        )
    )
    enter_invoices(books, "AP", [entry], day, "PO")
