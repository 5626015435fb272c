"""Payables and receivables alike: batches of invoices and payments, their posting, open items, reversals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business import ledger
from erp_sandbox.business.masters import CENT, TERMS, account, decimals, rate_of

if TYPE_CHECKING:
    import random
    import sqlite3

    from erp_sandbox.business.books import Books

BATCH_SIZE: Final = 25
BANKS: Final = ("CCB", "SEATAC")
CONTROL: Final = {"AP": account("2000"), "AR": account("1100")}
TAX: Final = {"AP": account("2210"), "AR": account("2200")}
#: The share of payments that settle all that is open.
_IN_FULL: Final = 0.85
_ZERO: Final = Decimal(0)


@dataclass
class InvoiceLine:
    """One distribution of an invoice.

    Attributes:
        account: Where it posts.
        description: What for.
        amount: Before tax, in the document's currency.
        tax: Tax on it.
        item: Item number or empty.
        uom: Unit of the quantity.
        quantity: How many.
        price: Per unit.
        cost: Cost of the line's goods, in the company's currency.
    """

    account: str
    description: str
    amount: Decimal
    tax: Decimal = _ZERO
    item: str = ""
    uom: str = ""
    quantity: Decimal = _ZERO
    price: Decimal = _ZERO
    cost: Decimal = _ZERO


@dataclass
class Invoice:
    """An invoice or a credit note about to be entered; amounts are positive, ``kind`` gives the direction."""

    party: str
    number: str
    kind: str
    currency: str
    rate: Decimal
    terms: str
    description: str
    lines: list[InvoiceLine] = field(default_factory=list)
    order_number: str = ""
    delivery: int = 0
    applied_to: str = ""


def due_date(day: str, terms: str) -> str:
    """When an invoice of ``day`` is due."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=TERMS[terms])).isoformat()


def enter_invoices(books: Books, side: str, invoices: list[Invoice], day: str, source: str) -> None:
    """Key invoices into new open batches."""
    for start in range(0, len(invoices), BATCH_SIZE):
        chunk = invoices[start : start + BATCH_SIZE]
        batch = books.number(f"{side}.IN.batch")
        total = _ZERO
        for entry, invoice in enumerate(chunk, 1):
            total += _enter_invoice(books, side, batch, entry, invoice, day)
        books.insert(
            "batches", ledger=side, kind="IN", number=batch, day=day, edited=day,
            description=f"{source} invoices of {day}", status="Open", posting_sequence=0, source=source,
            entries=len(chunk), total=total,
        )  # fmt: skip
        books.touch("invoice_batch", side, batch)


def _enter_invoice(books: Books, side: str, batch: int, entry: int, invoice: Invoice, day: str) -> Decimal:  # noqa: PLR0917 - what one posting needs
    net = sum((line.amount for line in invoice.lines), _ZERO)
    tax = sum((line.tax for line in invoice.lines), _ZERO)
    total = net + tax
    books.insert(
        "invoices", ledger=side, batch=batch, entry=entry, party=invoice.party, number=invoice.number,
        kind=invoice.kind, day=day, due=due_date(day, invoice.terms), currency=invoice.currency,
        rate=invoice.rate, net=net, tax=tax, total=total, functional=(total * invoice.rate).quantize(CENT),
        cost=sum((line.cost for line in invoice.lines), _ZERO), open=_ZERO, open_functional=_ZERO,
        status="entered", posted=None, activity=None, paid=None, order_number=invoice.order_number,
        delivery=invoice.delivery, applied_to=invoice.applied_to, description=invoice.description[:60],
        posting_sequence=0,
    )  # fmt: skip
    for number, line in enumerate(invoice.lines, 1):
        books.insert(
            "invoice_lines", ledger=side, batch=batch, entry=entry, line=number * 20, account=line.account,
            description=line.description[:60], item=line.item, uom=line.uom, quantity=line.quantity,
            price=line.price, cost=line.cost, amount=line.amount, tax=line.tax,
        )  # fmt: skip
    return total


def direction(side: str, kind: str) -> int:
    """+1 when the document debits its control account, else -1."""
    return (1 if side == "AR" else -1) * (-1 if kind == "CreditNote" else 1)


def post_invoices(books: Books, side: str, batch: int, day: str) -> None:
    """Post an invoice batch: open items, statistics and one balanced journal per document."""
    sequence = books.number(f"{side}.posting")
    journals = []
    for row in books.rows(
        "SELECT * FROM biz_invoices WHERE company = :company AND ledger = :side"
        " AND batch = :batch ORDER BY entry",
        side=side,
        batch=batch,
    ):
        journals.append(_invoice_journal(books, side, row))
        sign = -1 if row["kind"] == "CreditNote" else 1
        books.update(
            "invoices", {"ledger": side, "batch": batch, "entry": row["entry"]}, status="posted", posted=day,
            activity=day, open=sign * row["total"], open_functional=sign * row["functional"],
            posting_sequence=sequence,
        )  # fmt: skip
        books.touch("posted_document", side, batch, row["entry"])
        _party_moves(
            books, side, row["party"], day, sign * row["total"], sign * row["functional"], invoice=row
        )
    ledger.post_at_once(books, journals, day, f"{side} invoices, posting {sequence}", side)
    _close_batch(books, side, "IN", batch, day, sequence)


def _invoice_journal(books: Books, side: str, row: sqlite3.Row) -> ledger.Journal:
    journal = ledger.Journal(
        side, "CR" if row["kind"] == "CreditNote" else "IN", row["day"], row["description"], row["number"],
        row["currency"], row["rate"], row["party"],
    )  # fmt: skip
    sign = direction(side, row["kind"])
    left = row["functional"]
    parts: list[tuple[str, Decimal, str]] = []
    cost = _ZERO
    for line in books.rows(
        "SELECT account, description, amount, cost FROM biz_invoice_lines WHERE company = :company"
        " AND ledger = :side AND batch = :batch AND entry = :entry ORDER BY line",
        side=side,
        batch=row["batch"],
        entry=row["entry"],
    ):
        parts.append((line["account"], line["amount"], line["description"]))
        cost += line["cost"]
    if row["tax"]:
        parts.append((TAX[side], row["tax"], "Tax"))
    journal.add(CONTROL[side], sign * row["functional"], sign * row["total"], row["description"])
    for index, (to, amount, description) in enumerate(parts):
        # The last line takes the rounding of the conversion, so that the journal balances to the cent.
        functional = left if index == len(parts) - 1 else (amount * row["rate"]).quantize(CENT)
        left -= functional
        journal.add(to, -sign * functional, -sign * amount, description)
    if cost and side == "AR":
        journal.add(account("5000"), sign * cost, sign * cost, "Cost of goods")
        journal.add(account("1300"), -sign * cost, -sign * cost, "Inventory")
    return journal


def pay(books: Books, rng: random.Random, side: str, day: str, count: int) -> None:
    """Pay what is due: new open payment batches over older posted invoices."""
    due = books.rows(
        "SELECT * FROM biz_invoices WHERE company = :company AND ledger = :side AND status = 'posted'"
        " AND due <= :day AND kind = 'Invoice' ORDER BY due, batch, entry LIMIT :count",
        side=side,
        day=day,
        count=count,
    )
    for start in range(0, len(due), BATCH_SIZE):
        _enter_payments(books, rng, side, due[start : start + BATCH_SIZE], day)


def _enter_payments(books: Books, rng: random.Random, side: str, rows: list[sqlite3.Row], day: str) -> None:
    batch = books.number(f"{side}.PY.batch")
    total = _ZERO
    for entry, row in enumerate(rows, 1):
        unit = decimals(row["currency"])
        amount = row["open"] if rng.random() < _IN_FULL else (row["open"] * Decimal("0.4")).quantize(unit)
        rate = rate_of(books, row["currency"], day)
        share = row["open_functional"]
        if amount != row["open"]:
            share = (row["open_functional"] * amount / row["open"]).quantize(CENT)
        functional = (amount * rate).quantize(CENT)
        total += amount
        serial = books.number(f"{side}.check", 5001)
        books.insert(
            "payments", ledger=side, kind="PY", batch=batch, entry=entry, bank=rng.choice(BANKS),
            party=row["party"], number=f"{serial:012d}", day=day, currency=row["currency"], rate=rate,
            amount=amount, functional=functional, posted=None, cleared=None, reversed=None,
            posting_sequence=0, serial=serial, description=f"Payment of {row['number']}",
        )  # fmt: skip
        books.insert(
            "applied", ledger=side, kind="PY", batch=batch, entry=entry, line=20, number=row["number"],
            amount=amount, functional=share, discount=_ZERO,
        )  # fmt: skip
        # Locked until the payment is posted, so that no second payment picks it.
        books.update(
            "invoices", {"ledger": side, "batch": row["batch"], "entry": row["entry"]}, status="paying"
        )
    books.insert(
        "batches", ledger=side, kind="PY", number=batch, day=day, edited=day,
        description=f"{'Payments' if side == 'AP' else 'Receipts'} of {day}", status="Open",
        posting_sequence=0, source=side, entries=len(rows), total=total,
    )  # fmt: skip
    books.touch("payment_batch", side, batch)


def _applied(books: Books, payment: sqlite3.Row) -> tuple[sqlite3.Row, sqlite3.Row]:
    applied = books.find(
        "applied",
        ledger=payment["ledger"],
        kind=payment["kind"],
        batch=payment["batch"],
        entry=payment["entry"],
    )
    return applied, books.find("invoices", ledger=payment["ledger"], number=applied["number"])


def post_payments(books: Books, side: str, batch: int, day: str) -> None:
    """Post a payment batch: invoices shrink, bank moves, exchange differences go to their account."""
    sequence = books.number(f"{side}.posting")
    journals = []
    for row in books.rows(
        "SELECT * FROM biz_payments WHERE company = :company AND ledger = :side AND kind = 'PY'"
        " AND batch = :batch ORDER BY entry",
        side=side,
        batch=batch,
    ):
        applied, invoice = _applied(books, row)
        journals.append(_payment_journal(side, row, applied["functional"], day, back=False))
        left = invoice["open"] - applied["amount"]
        books.update(
            "invoices", {"ledger": side, "batch": invoice["batch"], "entry": invoice["entry"]}, open=left,
            open_functional=invoice["open_functional"] - applied["functional"], activity=day,
            status="posted" if left else "paid", paid=None if left else day,
        )  # fmt: skip
        books.update(
            "payments", {"ledger": side, "kind": "PY", "batch": batch, "entry": row["entry"]}, posted=day,
            posting_sequence=sequence,
        )  # fmt: skip
        books.touch("posted_document", side, invoice["batch"], invoice["entry"])
        books.touch("posted_payment", side, "PY", batch, row["entry"])
        _party_moves(
            books, side, row["party"], day, -applied["amount"], -applied["functional"], payment=row,
            closed=0 if left else 1,
        )  # fmt: skip
    ledger.post_at_once(books, journals, day, f"{side} payments, posting {sequence}", side)
    _close_batch(books, side, "PY", batch, day, sequence)


def _payment_journal(
    side: str, row: sqlite3.Row, relieved: Decimal, day: str, *, back: bool
) -> ledger.Journal:
    sign = (1 if side == "AP" else -1) * (-1 if back else 1)
    journal = ledger.Journal(
        side, "RV" if back else "PY", day, row["description"], row["number"], row["currency"], row["rate"],
        row["party"],
    )  # fmt: skip
    journal.add(CONTROL[side], sign * relieved, sign * row["amount"], row["description"])
    journal.add(account("1020"), -sign * row["functional"], -sign * row["amount"], row["description"])
    journal.add(account("7000"), sign * (row["functional"] - relieved), _ZERO, "Exchange difference")
    return journal


def reverse_a_payment(books: Books, rng: random.Random, side: str, day: str) -> None:
    """A check comes back: the payment is reversed and its invoice is open again."""
    rows = books.rows(
        "SELECT * FROM biz_payments WHERE company = :company AND ledger = :side"
        " AND kind = 'PY' AND posted < :day"
        " AND reversed IS NULL AND cleared IS NULL ORDER BY posted DESC, batch, entry LIMIT 10",
        side=side,
        day=day,
    )
    if not rows:
        return
    row = rng.choice(rows)
    applied, invoice = _applied(books, row)
    if invoice["status"] == "paying":
        return
    ledger.post_at_once(
        books, [_payment_journal(side, row, applied["functional"], day, back=True)], day,
        f"Reversal of {row['number']}", "BK",
    )  # fmt: skip
    books.update(
        "invoices", {"ledger": side, "batch": invoice["batch"], "entry": invoice["entry"]},
        open=invoice["open"] + applied["amount"], status="posted", paid=None, activity=day,
        open_functional=invoice["open_functional"] + applied["functional"],
    )  # fmt: skip
    books.update(
        "payments", {"ledger": side, "kind": "PY", "batch": row["batch"], "entry": row["entry"]}, reversed=day
    )
    books.touch("posted_document", side, invoice["batch"], invoice["entry"])
    books.touch("posted_payment", side, "PY", row["batch"], row["entry"])
    _party_moves(
        books, side, row["party"], day, applied["amount"], applied["functional"],
        closed=0 if invoice["open"] else -1,
    )  # fmt: skip


def clear_payments(books: Books, side: str, day: str, before: str, count: int) -> None:
    """The bank statement arrives: older payments are cleared."""
    for row in books.rows(
        "SELECT batch, entry FROM biz_payments WHERE company = :company AND ledger = :side AND kind = 'PY'"
        " AND posted <= :before AND cleared IS NULL AND reversed IS NULL"
        " ORDER BY posted, batch, entry LIMIT :count",
        side=side,
        before=before,
        count=count,
    ):
        books.update(
            "payments",
            {"ledger": side, "kind": "PY", "batch": row["batch"], "entry": row["entry"]},
            cleared=day,
        )
        books.touch("posted_payment", side, "PY", row["batch"], row["entry"])


def _close_batch(books: Books, side: str, kind: str, batch: int, day: str, sequence: int) -> None:  # noqa: PLR0917 - what one posting needs
    books.update(
        "batches", {"ledger": side, "kind": kind, "number": batch}, status="Posted", edited=day,
        posting_sequence=sequence,
    )  # fmt: skip
    books.touch("invoice_batch" if kind == "IN" else "payment_batch", side, batch)


def _party_moves(  # noqa: PLR0917 - what one posting needs
    books: Books, side: str, party: str, day: str, amount: Decimal, functional: Decimal, *,
    invoice: sqlite3.Row | None = None, payment: sqlite3.Row | None = None, closed: int = 0,
) -> None:  # fmt: skip
    row = books.find("parties", ledger=side, id=party)
    change: dict[str, Any] = {
        "balance": row["balance"] + amount,
        "functional_balance": row["functional_balance"] + functional,
        "activity": day,
        "open_count": row["open_count"] - closed + (1 if invoice else 0),
        "paid_count": row["paid_count"] + closed,
    }
    if invoice and invoice["kind"] == "CreditNote":
        change["last_credit"] = invoice["day"]
    elif invoice:
        change |= {"last_invoice": invoice["day"], "last_invoice_amount": invoice["total"]}
        if invoice["total"] > row["largest_amount"]:
            change |= {
                "largest_number": invoice["number"],
                "largest_amount": invoice["total"],
                "largest_date": invoice["day"],
            }
    if payment:
        change |= {"last_payment": payment["day"], "last_payment_amount": payment["amount"]}
    books.update("parties", {"ledger": side, "id": party}, **change)
    books.touch("party", side, party)
    _count(books, side, "party", party, day, invoice, payment)
    if side == "AR":
        _count(books, side, "salesperson", row["salesperson"], day, invoice, payment)
        _count(books, side, "group", row["grp"], day, invoice, payment)


def _count(  # noqa: PLR0917 - what one posting needs
    books: Books, side: str, scope: str, key: str, day: str, invoice: sqlite3.Row | None,
    payment: sqlite3.Row | None,
) -> None:  # fmt: skip
    if not invoice and not payment:
        return
    year, period = int(day[:4]), int(day[5:7])
    where = {"ledger": side, "scope": scope, "id": key, "year": year, "period": period}
    old = books.one(
        "SELECT * FROM biz_statistics WHERE company = :company AND ledger = :ledger AND scope = :scope"
        " AND id = :id AND year = :year AND period = :period",
        **where,
    )
    credit = bool(invoice and invoice["kind"] == "CreditNote")
    total = invoice["functional"] if invoice else _ZERO
    books.insert(
        "statistics", **where,
        invoices=(old["invoices"] if old else 0) + (invoice is not None and not credit),
        invoiced=(old["invoiced"] if old else _ZERO) + (_ZERO if credit else total),
        credits=(old["credits"] if old else 0) + credit,
        credited=(old["credited"] if old else _ZERO) + (total if credit else _ZERO),
        payments=(old["payments"] if old else 0) + (payment is not None),
        paid=(old["paid"] if old else _ZERO) + (payment["functional"] if payment else _ZERO),
    )  # fmt: skip
    books.touch("statistic", side, scope, key, year, period)
