"""One working day of a company; a history is many of them, and so is ``advance``."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Final

from erp_sandbox.business import ledger, masters, miscellaneous, purchasing, sales, stock, subledger, trade

if TYPE_CHECKING:
    from decimal import Decimal

    from erp_sandbox.business.books import Books

#: The first day of every business, and how many days its history has.
FIRST_DAY: Final = dt.date(2025, 10, 1)
HISTORY_DAYS: Final = 182

#: Documents in a history of scale 1.
VOLUMES: Final = {
    "AP.order": 300, "AP.delivery": 280, "AP.invoice": 400, "AP.payment": 260, "AR.order": 330,
    "AR.delivery": 310, "AR.invoice": 400, "AR.payment": 270, "journal": 90, "edit": 60, "move": 90,
}  # fmt: skip
_MASTERS: Final = {"vendors": 60, "customers": 80, "items": 150}
_POSTPONED: Final = 0.2
#: On which day of their cycles seldom things happen.
_THIRD, _FIFTH, _SIXTH, _EIGHTH, _TWELFTH = 3, 5, 6, 8, 12


def found(books: Books, name: str, currency: str, country: str, *, scale: Decimal, seed: int) -> None:
    """Found a company: its masters, capital and first rates."""
    books.insert("companies", name=name, currency=currency, country=country, scale=scale)
    books.currency, books.country = currency, country
    rng = random.Random(f"{seed}:{books.company}:masters")
    day = FIRST_DAY.isoformat()
    counts = {kind: max(3, int(number * scale)) for kind, number in _MASTERS.items()}
    masters.set_up(books, rng, day=day, **counts)
    masters.post_rates(books, rng, day)
    ledger.capital(books, day)


def live(books: Books, day: dt.date, seed: int) -> None:
    """Live one day of the company.

    What happens depends on the company, the seed and the day alone: three days in one call or in three give
    the same books.

    Args:
        books: The company's books.
        day: The new day; yesterday's late work is done first.
        seed: The business's seed.
    """
    rng = random.Random(f"{seed}:{books.company}:{day.isoformat()}")
    scale: Decimal = books.find("companies")["scale"]
    nth = (day - FIRST_DAY).days
    today, yesterday = day.isoformat(), (day - dt.timedelta(days=1)).isoformat()

    def volume(kind: str) -> int:
        total = VOLUMES[kind] * scale
        count = int(total * (nth + 1) / HISTORY_DAYS) - int(total * nth / HISTORY_DAYS)
        # After the history something of everything happens each day, however small the company.
        return max(count, 2) if nth >= HISTORY_DAYS else count

    for _ in range(volume("edit")):
        masters.edit_masters(books, rng, yesterday)
    if day.day in {1, 15}:
        masters.post_rates(books, rng, today)
    _move_batches_on(books, rng, today)
    for _ in range(volume("edit")):
        masters.edit_masters(books, rng, today)
    for side in ("AP", "AR"):
        for _ in range(volume(f"{side}.order")):
            trade.order(books, rng, side, today)
    purchasing.receive(books, rng, today, volume("AP.delivery"))
    sales.ship(books, rng, today, volume("AR.delivery"))
    purchasing.invoice(books, rng, today, volume("AP.invoice"))
    sales.invoice(books, rng, today, volume("AR.invoice"))
    for side in ("AP", "AR"):
        subledger.pay(books, rng, side, today, volume(f"{side}.payment"))
    ledger.everyday_journals(books, rng, today, volume("journal"))
    for _ in range(volume("move")):
        stock.move(books, rng, rng.choice(sorted(stock.KINDS)), today)
    _seldom(books, rng, day, nth)


def _seldom(books: Books, rng: random.Random, day: dt.date, nth: int) -> None:
    today = day.isoformat()
    old = (day - dt.timedelta(days=10)).isoformat()
    grown = nth >= HISTORY_DAYS
    if nth % 14 == _FIFTH or grown:
        purchasing.send_back(books, rng, today)
        sales.credit(books, rng, today)
    if nth % 7 == _SIXTH:
        stock.bank_charge(books, rng, today)
        sales.refund(books, rng, today)
        for kind in sorted(stock.KINDS):
            stock.move(books, rng, kind, today)
        for side in ("AP", "AR"):
            subledger.clear_payments(books, side, today, old, 1_000_000)
    if nth % 9 == _EIGHTH or grown:
        masters.new_party(books, rng, "AP", today)
        masters.new_party(books, rng, "AR", today)
        masters.new_item(books, rng, today)
    if nth % 9 == _THIRD:
        subledger.reverse_a_payment(books, rng, "AP", today)
    if nth % 20 == _TWELFTH or (nth % 2 == 1 and grown):
        subledger.reverse_a_payment(books, rng, "AR", today)
        _drop_a_batch(books, rng, today)
        masters.remove_a_place(books, rng)
    if nth % 14 == _FIFTH or grown:
        for side in ("AP", "AR"):
            miscellaneous.enter(books, rng, side, today)


def _move_batches_on(books: Books, rng: random.Random, today: str) -> None:
    for row in books.rows(
        "SELECT ledger, kind, number, status FROM biz_batches WHERE company = :company AND status IN"
        " ('Open', 'ReadyToPost') AND day < :today ORDER BY ledger, kind, number",
        today=today,
    ):
        if rng.random() < _POSTPONED:
            continue
        side, kind, number = row["ledger"], row["kind"], row["number"]
        if row["status"] == "Open":
            books.update(
                "batches",
                {"ledger": side, "kind": kind, "number": number},
                status="ReadyToPost",
                edited=today,
            )
            _touch_batch(books, side, kind, number)
        elif side == "GL":
            ledger.post(books, number, today)
        elif kind == "IN":
            subledger.post_invoices(books, side, number, today)
        elif kind == "RF":
            sales.post_refunds(books, number, today)
        elif kind == "MI":
            miscellaneous.post(books, side, number, today)
        else:
            subledger.post_payments(books, side, number, today)


def _drop_a_batch(books: Books, rng: random.Random, today: str) -> None:
    """Somebody deletes an unposted journal batch; it stays in the list with that status."""
    rows = books.rows(
        "SELECT number FROM biz_batches WHERE company = :company AND ledger = 'GL' AND status = 'Open'"
        " ORDER BY number DESC LIMIT 5"
    )
    if rows:
        number = rng.choice(rows)["number"]
        books.update(
            "batches", {"ledger": "GL", "kind": "GL", "number": number}, status="Deleted", edited=today
        )
        books.touch("gl_batch", number)


def _touch_batch(books: Books, side: str, kind: str, number: int) -> None:
    if side == "GL":
        books.touch("gl_batch", number)
    elif kind == "RF":
        books.touch("refund_batch", number)
    elif kind == "MI":
        books.touch("miscellaneous_batch", side, number)
    else:
        books.touch("invoice_batch" if kind == "IN" else "payment_batch", side, number)
