"""Money paid to nobody in the vendor list and received from nobody in the customer list."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from erp_sandbox.business import ledger
from erp_sandbox.business.masters import CENT, DEPARTMENTS, account

if TYPE_CHECKING:
    import random

    from erp_sandbox.business.books import Books

#: Who, what for, and the natural account, by ledger.
_OCCASIONS: Final = {
    "AP": (("Post office", "Stamps", "6000"), ("Café Zoë", "Dîner d'équipe", "6300")),
    "AR": (("Scrap yard", "Scrap sold", "4000"), ("Insurer", "Refund of a premium", "6100")),
}


def enter(books: Books, rng: random.Random, side: str, day: str) -> None:
    """Key a miscellaneous payment (``AP``) or receipt (``AR``) into a batch of its own."""
    batch = books.number(f"{side}.PY.batch")
    serial = books.number(f"{side}.check", 5001)
    name, description, natural = rng.choice(_OCCASIONS[side])
    amount = Decimal(rng.randrange(900, 60_000)) / 100
    first = (amount / 3).quantize(CENT)
    for line, (department, share) in enumerate(zip(DEPARTMENTS, (first, amount - first), strict=False), 1):
        books.insert(
            "miscellaneous", ledger=side, batch=batch, line=line * 20, number=f"{serial:012d}", serial=serial,
            day=day, name=name, description=description, account=account(natural, department), amount=share,
            posted=None,
        )  # fmt: skip
    books.insert(
        "batches", ledger=side, kind="MI", number=batch, day=day, edited=day, description=description,
        status="Open", posting_sequence=0, source=side, entries=1, total=amount,
    )  # fmt: skip
    books.touch("miscellaneous_batch", side, batch)


def post(books: Books, side: str, batch: int, day: str) -> None:
    """Post such a batch: the bank moves against the accounts of its lines; no open item is touched."""
    sequence = books.number(f"{side}.posting")
    rows = books.rows(
        "SELECT * FROM biz_miscellaneous WHERE company = :company AND ledger = :side AND batch = :batch"
        " ORDER BY line",
        side=side,
        batch=batch,
    )
    sign = 1 if side == "AP" else -1
    head = rows[0]
    journal = ledger.Journal(side, "PY", day, head["description"], head["number"], books.currency, Decimal(1))
    for row in rows:
        journal.add(row["account"], sign * row["amount"], sign * row["amount"], row["description"])
    total = sum((row["amount"] for row in rows), Decimal(0))
    journal.add(account("1020"), -sign * total, -sign * total, head["name"])
    ledger.post_at_once(books, [journal], day, f"{side} miscellaneous, posting {sequence}", side)
    books.update("miscellaneous", {"ledger": side, "batch": batch}, posted=day)
    books.update(
        "batches", {"ledger": side, "kind": "MI", "number": batch}, status="Posted", edited=day,
        posting_sequence=sequence,
    )  # fmt: skip
    books.touch("miscellaneous_batch", side, batch)
