"""Movements within the warehouse, and what the bank charges."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from erp_sandbox.business import ledger, words
from erp_sandbox.business.masters import LOCATIONS, account, pick_item, pick_party
from erp_sandbox.business.trade import stock

if TYPE_CHECKING:
    import random

    from erp_sandbox.business.books import Books

KINDS: Final = {
    "Adjustment": "AD",
    "Receipt": "RC",
    "Shipment": "SH",
    "Transfer": "TF",
    "InternalUsage": "IU",
}


def move(books: Books, rng: random.Random, kind: str, day: str) -> None:
    """Move an item: count it anew, receive, ship, transfer or use it in the house."""
    number = pick_item(books, rng)
    item = books.find("items", id=number)
    seq = books.number(f"IC.{kind}", 1)
    quantity = Decimal(rng.randrange(1, 12))
    if kind == "Adjustment" and rng.choice((True, False)):
        quantity = -quantity
    cost = (item["cost"] * quantity).quantize(Decimal("0.01"))
    customer = pick_party(books, rng, "AR") if kind == "Shipment" else ""
    books.insert(
        "moves", kind=kind, seq=seq, number=f"{KINDS[kind]}{seq:09d}", day=day, item=number,
        description=rng.choice(words.REMARKS)[:60], uom=item["uom"], category=item["category"],
        location=LOCATIONS[0], to_location=LOCATIONS[1] if kind == "Transfer" else "", quantity=quantity,
        cost=cost, party=customer,
    )  # fmt: skip
    books.touch("move", kind, seq)
    if kind == "Transfer":
        return
    sign = -1 if kind in {"Shipment", "InternalUsage"} else 1
    stock(books, number, on_hand=sign * quantity)
    journal = ledger.Journal(
        "IC", KINDS[kind], day, f"{kind} {seq}", f"{KINDS[kind]}{seq}", books.currency, Decimal(1)
    )
    journal.add(account("1300"), sign * cost, sign * cost, item["description"])
    journal.add(account("5100"), -sign * cost, -sign * cost, item["description"])
    ledger.post_at_once(books, [journal], day, f"{kind} of {day}", "IC")


def bank_charge(books: Books, rng: random.Random, day: str) -> None:
    """The bank takes its fee."""
    amount = Decimal(rng.randrange(500, 9000)) / 100
    seq = books.number("BK.entry", 1)
    books.insert(
        "bank_entries", seq=seq, number=f"BK{seq:08d}", bank="CCB", day=day,
        description="Bank fees & débours",
        account=account("6500"), amount=-amount,
    )  # fmt: skip
    books.touch("bank_entry", seq)
    journal = ledger.Journal("BK", "EN", day, "Bank fees", f"BK{seq:08d}", books.currency, Decimal(1))
    journal.add(account("6500"), amount, amount, "Bank fees")
    journal.add(account("1020"), -amount, -amount, "Bank fees")
    ledger.post_at_once(books, [journal], day, f"Bank entries of {day}", "BK")
