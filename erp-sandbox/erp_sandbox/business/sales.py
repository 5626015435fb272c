"""Sales orders, shipments, customers' invoices, credit notes, refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from erp_sandbox.business import ledger, trade, words
from erp_sandbox.business.masters import DEPARTMENTS, account, decimals, pick_party, rate_of
from erp_sandbox.business.subledger import Invoice, InvoiceLine, enter_invoices

if TYPE_CHECKING:
    import random
    import sqlite3

    from erp_sandbox.business.books import Books

_ZERO: Final = Decimal(0)


def ship(books: Books, rng: random.Random, day: str, count: int) -> None:
    """Ship sales orders that are due; their cost is booked with the invoice."""
    for row in trade.due_orders(books, "AR", day, count):
        trade.deliver(books, rng, row, day)


def invoice(books: Books, rng: random.Random, day: str, count: int) -> None:
    """Invoice what was shipped, and some services without a shipment."""
    invoices = [_for_shipment(books, row, day) for row in trade.uninvoiced(books, "AR", day, count)]
    while len(invoices) < count:
        invoices.append(_for_service(books, rng, day))
    enter_invoices(books, "AR", invoices, day, "OE")


def _department(row: sqlite3.Row) -> str:
    return DEPARTMENTS[len(row["region"]) % len(DEPARTMENTS)]


def _for_shipment(books: Books, shipment: sqlite3.Row, day: str) -> Invoice:
    party = books.find("parties", ledger="AR", id=shipment["party"])
    number = f"IN{shipment['seq']:08d}"
    result = Invoice(
        party["id"], number, "Invoice", shipment["currency"], shipment["rate"], party["terms"],
        shipment["description"], order_number=shipment["order_number"], delivery=shipment["seq"],
    )  # fmt: skip
    revenue = account("4000", _department(party))
    for line in trade.delivery_lines(books, "AR", shipment["seq"]):
        result.lines.append(
            InvoiceLine(
                revenue,
                line["description"],
                line["amount"],
                trade.tax_on(line["amount"], shipment["currency"]),
                line["item"],
                line["uom"],
                line["quantity"],
                line["price"],
                line["cost"],
            )
        )
        _sold(
            books,
            party["id"],
            line["item"],
            day,
            line["quantity"],
            line["amount"] * shipment["rate"],
            line["cost"],
        )
    books.update("deliveries", {"side": "AR", "seq": shipment["seq"]}, invoice=number)
    books.touch("delivery", "AR", shipment["seq"])
    books.touch("trade_invoice", "AR", shipment["seq"], day)
    return result


def _sold(  # noqa: PLR0917 - what one posting needs
    books: Books, party: str, item: str, day: str, quantity: Decimal, amount: Decimal, cost: Decimal
) -> None:
    where = {"party": party, "item": item, "year": int(day[:4]), "period": int(day[5:7])}
    old = books.one(
        "SELECT * FROM biz_sales WHERE company = :company AND party = :party"
        " AND item = :item AND year = :year"
        " AND period = :period",
        **where,
    )
    books.insert(
        "sales", **where, quantity=quantity + (old["quantity"] if old else _ZERO),
        amount=amount.quantize(Decimal("0.01")) + (old["amount"] if old else _ZERO),
        cost=cost + (old["cost"] if old else _ZERO), count=1 + (old["count"] if old else 0), last_day=day,
    )  # fmt: skip
    books.touch("sale", *where.values())
    books.touch("sales_period", where["year"], where["period"])


def _for_service(books: Books, rng: random.Random, day: str) -> Invoice:
    number = pick_party(books, rng, "AR")
    party = books.find("parties", ledger="AR", id=number)
    currency = party["currency"]
    result = Invoice(
        number, f"SV{books.number('AR.document', 30001):08d}", "Invoice", currency,
        rate_of(books, currency, day), party["terms"], rng.choice(words.REMARKS),
    )  # fmt: skip
    for _ in range(rng.choice((1, 1, 2))):
        amount = (Decimal(rng.randrange(1_005, 4_000_000, 5)) / 1000).quantize(decimals(currency))
        result.lines.append(
            InvoiceLine(
                account("4000", _department(party)),
                rng.choice(words.REMARKS),
                amount,
                trade.tax_on(amount, currency),
                quantity=Decimal(1),
                price=amount,
            )
        )
    return result


def credit(books: Books, rng: random.Random, day: str) -> None:
    """Give a customer credit for goods that came back."""
    row = books.one(
        "SELECT * FROM biz_deliveries WHERE company = :company AND side = 'AR' AND invoice <> ''"
        " ORDER BY seq DESC LIMIT 1"
    )
    written = trade.note(books, rng, "AR", "CreditNote", day, row) if row else None
    if written is None or row is None:
        return
    party = books.find("parties", ledger="AR", id=written["party"])
    entry = Invoice(
        written["party"], written["number"], "CreditNote", written["currency"], written["rate"],
        party["terms"],
        f"Credit for {row['invoice']}", applied_to=row["invoice"],
    )  # fmt: skip
    entry.lines.append(
        InvoiceLine(
            account("4100", _department(party)),
            written["description"],
            written["amount"],
            written["tax"],
            written["item"],
            written["uom"],
            written["quantity"],
            written["price"],
        )
    )
    enter_invoices(books, "AR", [entry], day, "OE")


def refund(books: Books, rng: random.Random, day: str) -> None:
    """Enter a refund of a credit note: a batch that waits for approval."""
    row = books.one(
        "SELECT * FROM biz_invoices WHERE company = :company AND ledger = 'AR' AND kind = 'CreditNote'"
        " AND status = 'posted' ORDER BY batch LIMIT 1"
    )
    if row is None:
        return
    batch = books.number("AR.RF.batch")
    serial = books.number("AR.refund", 9001)
    amount = -row["open"]
    books.insert(
        "payments", ledger="AR", kind="RF", batch=batch, entry=1, bank=rng.choice(("CCB", "SEATAC")),
        party=row["party"], number=f"RF{serial:010d}", day=day, currency=row["currency"], rate=row["rate"],
        amount=amount, functional=-row["open_functional"], posted=None, cleared=None, reversed=None,
        posting_sequence=0, serial=serial, description=f"Refund of {row['number']}",
    )  # fmt: skip
    books.insert(
        "applied", ledger="AR", kind="RF", batch=batch, entry=1, line=20, number=row["number"], amount=amount,
        functional=-row["open_functional"], discount=_ZERO,
    )  # fmt: skip
    books.update("invoices", {"ledger": "AR", "batch": row["batch"], "entry": row["entry"]}, status="paying")
    books.insert(
        "batches", ledger="AR", kind="RF", number=batch, day=day, edited=day, description=f"Refunds of {day}",
        status="Open", posting_sequence=0, source="AR", entries=1, total=amount,
    )  # fmt: skip
    books.touch("refund_batch", batch)


def post_refunds(books: Books, batch: int, day: str) -> None:
    """Post a refund batch: the customer's credit is paid out."""
    sequence = books.number("AR.posting")
    row = books.find("payments", ledger="AR", kind="RF", batch=batch, entry=1)
    applied = books.find("applied", ledger="AR", kind="RF", batch=batch, entry=1)
    document = books.find("invoices", ledger="AR", number=applied["number"])
    journal = ledger.Journal(
        "AR", "RF", day, row["description"], row["number"], row["currency"], row["rate"], row["party"]
    )
    journal.add(account("1100"), row["functional"], row["amount"], row["description"])
    journal.add(account("1020"), -row["functional"], -row["amount"], row["description"])
    ledger.post_at_once(books, [journal], day, f"AR refunds, posting {sequence}", "AR")
    books.update(
        "invoices", {"ledger": "AR", "batch": document["batch"], "entry": document["entry"]}, open=_ZERO,
        open_functional=_ZERO, status="paid", paid=day, activity=day,
    )  # fmt: skip
    books.update(
        "payments", {"ledger": "AR", "kind": "RF", "batch": batch, "entry": 1}, posted=day,
        posting_sequence=sequence,
    )  # fmt: skip
    party = books.find("parties", ledger="AR", id=row["party"])
    books.update(
        "parties", {"ledger": "AR", "id": row["party"]}, activity=day,
        balance=party["balance"] + row["amount"],
        functional_balance=party["functional_balance"] + row["functional"],
    )  # fmt: skip
    books.update(
        "batches", {"ledger": "AR", "kind": "RF", "number": batch}, status="Posted", edited=day,
        posting_sequence=sequence,
    )  # fmt: skip
    books.touch("refund_batch", batch)
    books.touch("party", "AR", row["party"])
    books.touch("posted_document", "AR", document["batch"], document["entry"])
    books.touch("posted_payment", "AR", "RF", batch, 1)
