"""The general ledger: journals that balance, batches that are posted, balances by account and period."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from erp_sandbox.business import words
from erp_sandbox.business.masters import CENT, EXPENSES, account

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from erp_sandbox.business.books import Books

_ZERO: Final = Decimal(0)


@dataclass
class Line:
    """One line of a journal; debits are positive.

    Attributes:
        account: Full account number.
        amount: In the company's currency.
        source: In the document's currency.
        description: What for.
    """

    account: str
    amount: Decimal
    source: Decimal
    description: str


@dataclass
class Journal:
    """One entry: the accounting of one document.

    Attributes:
        ledger: Source ledger, e.g. ``AP``.
        type: Source type, e.g. ``IN``.
        day: Document date, ISO.
        description: What happened.
        reference: The document's number.
        currency: The document's currency.
        rate: Into the company's currency.
        party: Vendor or customer number, or empty.
        lines: Its lines; zero lines are left out when written.
    """

    ledger: str
    type: str
    day: str
    description: str
    reference: str
    currency: str
    rate: Decimal
    party: str = ""
    lines: list[Line] = field(default_factory=list)

    def add(self, to: str, amount: Decimal, source: Decimal, description: str) -> None:
        """Add a line; debits are positive."""
        if amount or source:
            self.lines.append(Line(to, amount, source, description))

    def balanced(self) -> bool:
        """Whether debits equal credits in the company's currency, exactly."""
        return sum((line.amount for line in self.lines), _ZERO) == 0


def enter(books: Books, journals: Sequence[Journal], day: str, description: str, source: str) -> int:
    """Write journals into a new open batch and return its number.

    Raises:
        ValueError: When a journal does not balance.
    """
    batch = books.number("GL.batch")
    debits = _ZERO
    for entry, journal in enumerate(journals, 1):
        if not journal.balanced():
            raise ValueError(f"The journal of {journal.reference} does not balance")
        books.insert(
            "journals", batch=batch, entry=entry, ledger=journal.ledger, type=journal.type, day=journal.day,
            year=int(journal.day[:4]), period=int(journal.day[5:7]), description=journal.description[:60],
            reference=journal.reference, party=journal.party,
        )  # fmt: skip
        for number, line in enumerate(journal.lines, 1):
            debits += max(line.amount, _ZERO)
            books.insert(
                "journal_lines", batch=batch, entry=entry, line=number * 20, account=line.account,
                amount=line.amount, source=line.source, currency=journal.currency, rate=journal.rate,
                description=line.description[:60],
            )  # fmt: skip
    books.insert(
        "batches", ledger="GL", kind="GL", number=batch, day=day, edited=day, description=description,
        status="Open", posting_sequence=0, source=source, entries=len(journals), total=debits,
    )  # fmt: skip
    books.touch("gl_batch", batch)
    return batch


def post(books: Books, batch: int, day: str) -> None:
    """Post a batch: give it a posting sequence and move the balances."""
    sequence = books.number("GL.posting")
    books.update(
        "batches", {"ledger": "GL", "kind": "GL", "number": batch},
        status="Posted", posting_sequence=sequence, edited=day,
    )  # fmt: skip
    nets: dict[tuple[str, int, int], Decimal] = defaultdict(Decimal)
    for row in books.each(
        "SELECT l.account, l.amount, j.year, j.period FROM biz_journal_lines l JOIN biz_journals j USING"
        " (company, batch, entry) WHERE company = :company AND batch = :batch",
        batch=batch,
    ):
        nets[row["account"], row["year"], row["period"]] += row["amount"]
    for (number, year, period), net in nets.items():
        old = books.one(
            "SELECT net FROM biz_periods WHERE company = :company AND account = :account AND year = :year"
            " AND period = :period",
            account=number,
            year=year,
            period=period,
        )
        books.insert(
            "periods", account=number, year=year, period=period, net=net + (old["net"] if old else _ZERO)
        )
        books.touch("balance", number, year)
    books.touch("gl_batch", batch)


def post_at_once(books: Books, journals: Sequence[Journal], day: str, description: str, source: str) -> None:
    """What a subledger does on posting: a batch made and posted."""
    wanted = [journal for journal in journals if journal.lines]
    if wanted:
        post(books, enter(books, wanted, day, description, source), day)


def capital(books: Books, day: str) -> None:
    """The first journals: share capital paid in, and memorandum amounts at the limit of the field."""
    paid = Journal("GL", "JE", day, "Share capital paid in", "OPENING", books.currency, Decimal(1))
    paid.add(account("1020"), Decimal("750000.00"), Decimal("750000.00"), "Capital")
    paid.add(account("3000"), Decimal("-750000.00"), Decimal("-750000.00"), "Capital")
    huge = Decimal("12345678901234.567")
    memo = Journal("GL", "JE", day, "Memorandum of consolidation", "MEMO-1", books.currency, Decimal(1))
    memo.add(account("9000"), huge, huge, "As large as the field")
    memo.add(account("9010"), -huge, -huge, "Contra")
    post_at_once(books, [paid, memo], day, "Opening entries", "GL")


def everyday_journals(books: Books, rng: random.Random, day: str, count: int) -> None:
    """Accruals, wages and depreciation keyed by hand: a batch that stays open until somebody posts it."""
    journals: list[Journal] = []
    for _ in range(count):
        amount = Decimal(rng.randrange(5_000, 2_000_000)) / 100
        first = (amount / 3).quantize(CENT)
        reference = f"JE{books.number('GL.reference'):06d}"
        journal = Journal("GL", "JE", day, rng.choice(words.REMARKS), reference, books.currency, Decimal(1))
        debit, credit = rng.choice((("6200", "2400"), ("6400", "1510"), (rng.choice(EXPENSES), "1020")))
        journal.add(account(debit, "100"), first, first, "Administration")
        journal.add(account(debit, "200"), first, first, "Ventes")
        journal.add(account(debit, "300"), amount - first - first, amount - first - first, "Warehouse")
        journal.add(account(credit), -amount, -amount, "Contra")
        journals.append(journal)
    if journals:
        enter(books, journals, day, f"Journals of {day}", "GL")
