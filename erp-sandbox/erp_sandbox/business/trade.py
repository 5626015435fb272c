"""What purchase orders and sales orders have in common: a header, lines, deliveries."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from erp_sandbox.business import words
from erp_sandbox.business.masters import LOCATIONS, TAX_RATE, decimals, pick_item, pick_party, rate_of

if TYPE_CHECKING:
    import random
    import sqlite3

    from erp_sandbox.business.books import Books

PREFIX: Final = {"AP": ("PO", "RC"), "AR": ("ORD", "SH")}
_PARTIAL: Final = 0.2
_ZERO: Final = Decimal(0)


def tax_on(amount: Decimal, currency: str) -> Decimal:
    """Tax at the one rate that the company charges."""
    return (amount * TAX_RATE / 100).quantize(decimals(currency))


def order(books: Books, rng: random.Random, side: str, day: str) -> None:
    """Place an order: with a vendor (``AP``) or by a customer (``AR``)."""
    party = pick_party(books, rng, side)
    row = books.find("parties", ledger=side, id=party)
    currency = row["currency"]
    unit = decimals(currency)
    rate = rate_of(books, currency, day)
    seq = books.number(f"{side}.order", 1001)
    location = rng.choice(LOCATIONS)
    net = _ZERO
    tax = _ZERO
    count = rng.choice((1, 1, 2, 2, 3, 5))
    for line in range(1, count + 1):
        number = pick_item(books, rng)
        item = books.find("items", id=number)
        quantity = Decimal(rng.randrange(1, 60))
        own = item["cost"] if side == "AP" else item["price"]
        price = (own / rate).quantize(Decimal("0.000001"))
        amount = (price * quantity).quantize(unit)
        net += amount
        tax += tax_on(amount, currency)
        books.insert(
            "order_lines", side=side, seq=seq, line=line * 20, item=number, description=item["description"],
            category=item["category"], uom=item["uom"], location=location, quantity=quantity, done=_ZERO,
            price=price, cost=item["cost"], amount=amount,
        )  # fmt: skip
        stock(books, number, **{"on_po" if side == "AP" else "on_so": quantity})
    expected = (dt.date.fromisoformat(day) + dt.timedelta(days=rng.randrange(1, 9))).isoformat()
    books.insert(
        "orders", side=side, seq=seq, number=f"{PREFIX[side][0]}{seq:09d}", party=party, day=day,
        expected=expected, currency=currency, rate=rate, status="open", location=location,
        description=rng.choice(words.REMARKS)[:60], net=net, tax=tax, total=net + tax, last_posting=None,
        lines=count,
    )  # fmt: skip
    books.touch("order", side, seq)


def due_orders(books: Books, side: str, day: str, count: int) -> list[sqlite3.Row]:
    """Open orders whose delivery is expected by ``day``."""
    return books.rows(
        "SELECT * FROM biz_orders WHERE company = :company AND side = :side AND status IN ('open', 'partial')"
        " AND expected <= :day ORDER BY expected, seq LIMIT :count",
        side=side,
        day=day,
        count=count,
    )


def deliver(books: Books, rng: random.Random, order_row: sqlite3.Row, day: str) -> sqlite3.Row:
    """Receive or ship what an order still lacks; sometimes only a part of it.

    Returns:
        The delivery.
    """
    side, currency = order_row["side"], order_row["currency"]
    unit = decimals(currency)
    seq = books.number(f"{side}.delivery", 5001)
    part = order_row["status"] == "open" and rng.random() < _PARTIAL
    complete = True
    net = cost = tax = _ZERO
    for line in books.rows(
        "SELECT * FROM biz_order_lines WHERE company = :company AND side = :side"
        " AND seq = :seq ORDER BY line",
        side=side,
        seq=order_row["seq"],
    ):
        left = line["quantity"] - line["done"]
        quantity = (left / 2).quantize(Decimal(1)) if part and left > 1 else left
        complete = complete and quantity == left
        if not quantity:
            continue
        amount = (line["price"] * quantity).quantize(unit)
        line_cost = ((amount * order_row["rate"]) if side == "AP" else line["cost"] * quantity).quantize(
            Decimal("0.01")
        )
        net, cost, tax = net + amount, cost + line_cost, tax + tax_on(amount, currency)
        books.insert(
            "delivery_lines", side=side, seq=seq, line=line["line"], item=line["item"],
            description=line["description"], category=line["category"], uom=line["uom"],
            location=line["location"], quantity=quantity, price=line["price"], cost=line_cost, amount=amount,
        )  # fmt: skip
        books.update(
            "order_lines", {"side": side, "seq": order_row["seq"], "line": line["line"]},
            done=line["done"] + quantity,
        )  # fmt: skip
        if side == "AP":
            stock(books, line["item"], on_po=-quantity, on_hand=quantity)
        else:
            stock(books, line["item"], on_so=-quantity, on_hand=-quantity)
    books.update(
        "orders", {"side": side, "seq": order_row["seq"]}, last_posting=day,
        status="complete" if complete else "partial",
    )  # fmt: skip
    books.insert(
        "deliveries", side=side, seq=seq, number=f"{PREFIX[side][1]}{seq:09d}", order_seq=order_row["seq"],
        order_number=order_row["number"], party=order_row["party"], day=day, currency=currency,
        rate=order_row["rate"], location=order_row["location"], net=net, tax=tax, total=net + tax, cost=cost,
        invoice="", description=order_row["description"],
    )  # fmt: skip
    books.touch("order", side, order_row["seq"])
    books.touch("delivery", side, seq)
    return books.find("deliveries", side=side, seq=seq)


def uninvoiced(books: Books, side: str, day: str, count: int) -> list[sqlite3.Row]:
    """Deliveries before ``day`` that have no invoice yet."""
    return books.rows(
        "SELECT * FROM biz_deliveries WHERE company = :company AND side = :side"
        " AND invoice = '' AND day < :day"
        " ORDER BY day, seq LIMIT :count",
        side=side,
        day=day,
        count=count,
    )


def delivery_lines(books: Books, side: str, seq: int) -> list[sqlite3.Row]:
    """The lines of a delivery."""
    return books.rows(
        "SELECT * FROM biz_delivery_lines WHERE company = :company AND side = :side"
        " AND seq = :seq ORDER BY line",
        side=side,
        seq=seq,
    )


def note(  # noqa: PLR0917 - what one posting needs
    books: Books, rng: random.Random, side: str, kind: str, day: str, delivery: sqlite3.Row
) -> sqlite3.Row | None:
    """Return one line of a delivery, or correct its price, on a note of its own.

    Args:
        books: The company's books.
        rng: The day's source of chance.
        side: Whose goods.
        kind: ``Return`` moves stock, ``CreditNote`` moves money.
        day: Date of the note.
        delivery: What is returned or credited.
    """
    lines = delivery_lines(books, side, delivery["seq"])
    if not lines:
        return None
    line = rng.choice(lines)
    quantity = Decimal(1)
    amount = (line["price"] * quantity).quantize(decimals(delivery["currency"]))
    tax = tax_on(amount, delivery["currency"])
    seq = books.number(f"{side}.{kind}", 7001)
    number = f"{'CN' if kind == 'CreditNote' else 'RET'}{seq:09d}"
    books.insert(
        "trade_notes", side=side, kind=kind, seq=seq, number=number, party=delivery["party"], day=day,
        invoice=delivery["invoice"], currency=delivery["currency"], rate=delivery["rate"], item=line["item"],
        description=line["description"], uom=line["uom"], location=line["location"], quantity=quantity,
        price=line["price"], amount=amount, tax=tax, total=amount + tax,
    )  # fmt: skip
    books.touch("note", side, kind, seq)
    return books.find("trade_notes", side=side, kind=kind, seq=seq)


def stock(books: Books, item: str, **changes: Decimal) -> None:
    """Move an item's quantities; its maintenance stamp stays, as in the ERP."""
    row = books.find("items", id=item)
    books.update("items", {"id": item}, **{name: row[name] + change for name, change in changes.items()})
    books.touch("item", item)
