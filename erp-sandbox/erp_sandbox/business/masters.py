"""What a company has before its first document: accounts, parties, items, rates; and how they are edited."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from erp_sandbox.business import words

if TYPE_CHECKING:
    import random

    from erp_sandbox.business.books import Books

#: Natural account segment: description, kind, account group, and the subledger it controls.
ACCOUNTS: Final = {
    "1020": ("Bank account, operating", "Asset", "CASH", "BK"),
    "1100": ("Accounts receivable", "Asset", "RECV", "AR"),
    "1300": ("Inventory", "Asset", "INV", "IC"),
    "1500": ("Furniture and fixtures", "Asset", "FIXED", ""),
    "1510": ("Accumulated depreciation", "Asset", "FIXED", ""),
    "2000": ("Accounts payable", "Liability", "PAY", "AP"),
    "2100": ("Payables clearing", "Liability", "PAY", "PO"),
    "2200": ("Sales tax payable", "Liability", "TAX", ""),
    "2210": ("Purchase tax recoverable", "Asset", "TAX", ""),
    "2400": ("Accrued wages", "Liability", "PAY", ""),
    "3000": ("Share capital", "Equity", "EQTY", ""),
    "3500": ("Retained earnings", "Equity", "EQTY", ""),
    "4000": ("Sales", "Revenue", "SALES", ""),
    "4100": ("Sales returns & allowances", "Revenue", "SALES", ""),
    "5000": ("Cost of goods sold", "Expense", "COGS", ""),
    "5100": ("Inventory adjustments", "Expense", "COGS", ""),
    "6000": ("Office supplies", "Expense", "EXP", ""),
    "6100": ("Rent & utilities", "Expense", "EXP", ""),
    "6200": ("Wages", "Expense", "EXP", ""),
    "6300": ("Frais de déplacement", "Expense", "EXP", ""),
    "6400": ("Depreciation", "Expense", "EXP", ""),
    "6500": ("Bank charges", "Expense", "EXP", ""),
    "7000": ("Exchange gain/loss", "Expense", "OTHER", ""),
    "9000": ("Memorandum: consolidation of “big” amounts", "Asset", "OTHER", ""),
    "9010": ("Memorandum: contra", "Liability", "OTHER", ""),
}
#: Departments (the second segment); balance-sheet accounts post to 100 only.
DEPARTMENTS: Final = ("100", "200", "300")
EXPENSES: Final = ("6000", "6100", "6300")
RATES: Final = {
    "USD": Decimal(1),
    "CAD": Decimal("0.7312500"),
    "EUR": Decimal("1.0845000"),
    "KWD": Decimal("3.2561000"),
}
CATEGORIES: Final = ("ELEC", "FURN", "TOOLS", "CAFÉ")
UNITS: Final = ("Ea.", "Box", "m", "kg")
LOCATIONS: Final = ("1", "2", "SEA")
SALESPERSONS: Final = ("AL", "JR", "MK", "ZB")
TERMS: Final = {"N30": 30, "N45": 45, "210N30": 30, "COD": 0}
TAX_RATE: Final = Decimal("7.50000")
FIRST_PARTY: Final = 1200
FIRST_ITEM: Final = 1010
_HOME_CURRENCY: Final = 0.7
_ON_HOLD: Final = 0.05
CENT: Final = Decimal("0.01")


def account(natural: str, department: str = "100") -> str:
    """The full account number of two segments, unformatted (``1020100``)."""
    return f"{natural}{department}"


def decimals(currency: str) -> Decimal:
    """The smallest unit of a currency: fils are thousandths."""
    return Decimal("0.001") if currency == "KWD" else CENT


def set_up(books: Books, rng: random.Random, *, day: str, vendors: int, customers: int, items: int) -> None:
    """Create a company's masters.

    Args:
        books: Empty books.
        rng: The company's source of chance.
        day: The first day, ISO.
        vendors: How many vendors.
        customers: How many customers.
        items: How many items.
    """
    for natural, (description, kind, group, control) in ACCOUNTS.items():
        departments = DEPARTMENTS if kind in {"Revenue", "Expense"} else ("100",)
        for department in departments:
            number = account(natural, department)
            books.insert(
                "accounts", account=number, description=description, kind=kind, grp=group, segment=natural,
                department=department, created=day, control=control,
            )  # fmt: skip
            books.touch("account", number)
    for _ in range(items):
        new_item(books, rng, day)
    for _ in range(vendors):
        new_party(books, rng, "AP", day)
    for _ in range(customers):
        new_party(books, rng, "AR", day)
    books.touch("codes", day)


def post_rates(books: Books, rng: random.Random, day: str) -> None:
    """Put up the exchange rates of a day, against the company's own currency."""
    own = RATES[books.currency]
    for currency, rate in RATES.items():
        if currency == books.currency:
            continue
        drift = Decimal(rng.randrange(-200, 201)) / 10000
        books.insert(
            "rates",
            currency=currency,
            day=day,
            rate=(rate / own * (1 + drift)).quantize(Decimal("0.0000001")),
        )
        books.touch("rate", currency)


def rate_of(books: Books, currency: str, day: str) -> Decimal:
    """The rate that turns an amount of ``currency`` into the company's own."""
    if currency == books.currency:
        return Decimal("1.0000000")
    row = books.one(
        "SELECT rate FROM biz_rates WHERE company = :company AND currency = :currency AND day <= :day"
        " ORDER BY day DESC LIMIT 1",
        currency=currency,
        day=day,
    )
    if row is None:
        raise LookupError(f"{books.company} has no rate for {currency} on {day}")
    rate: Decimal = row["rate"]
    return rate


def new_party(books: Books, rng: random.Random, ledger: str, day: str) -> str:
    """Add a vendor (``AP``) or a customer (``AR``) and return its number."""
    serial = books.number(f"{ledger}.party", FIRST_PARTY)
    number = party_number(ledger, serial)
    city, state, code, country = rng.choice(words.CITIES)
    currency = books.currency if rng.random() < _HOME_CURRENCY else rng.choice(sorted(RATES))
    name = rng.choice(words.FIRMS) + rng.choice(words.TAILS)
    books.insert(
        "parties", ledger=ledger, id=number, name=name[:60], grp=rng.choice(("RTL", "WHL", "MFG")),
        currency=currency, terms=rng.choice(sorted(TERMS)), address=rng.choice(words.STREETS), city=city,
        state=state, zip=code, country=country, contact=rng.choice(words.PEOPLE),
        phone=f"{rng.randrange(10**9, 10**10)}", email=f"accounts{serial}@example.com",
        website=rng.choice(("", f"https://example.com/{serial}?q=1&r=2")),
        credit_limit=Decimal(rng.randrange(0, 500)) * 1000, status="Active",
        on_hold=int(rng.random() < _ON_HOLD),
        start=day, maintained=day, activity=None, salesperson=rng.choice(SALESPERSONS),
        region=rng.choice(("", "North", "Süd", "Île-de-France")), balance=Decimal(0),
        functional_balance=Decimal(0), open_count=0, paid_count=0, last_invoice=None,
        last_invoice_amount=Decimal(0), last_payment=None, last_payment_amount=Decimal(0), last_credit=None,
        largest_number="", largest_amount=Decimal(0), largest_date=None,
    )  # fmt: skip
    books.touch("party", ledger, number)
    for place in range(rng.choice((0, 0, 1, 2))):
        _new_place(books, rng, ledger, number, place + 1, day)
    return number


def _new_place(books: Books, rng: random.Random, ledger: str, party: str, serial: int, day: str) -> None:  # noqa: PLR0917 - what one posting needs
    city, _, _, country = rng.choice(words.CITIES)
    code = f"{'REMIT' if ledger == 'AP' else 'WHSE'}{serial}"
    books.insert(
        "places", ledger=ledger, party=party, id=code, name=rng.choice(words.FIRMS), city=city,
        country=country,
        maintained=day,
    )  # fmt: skip
    books.touch("place", ledger, party, code)


def new_item(books: Books, rng: random.Random, day: str) -> str:
    """Add an item and return its unformatted number."""
    serial = books.number("item", FIRST_ITEM)
    number = item_number(serial)
    cost = Decimal(rng.randrange(150, 90000)) / 100
    # every other item has a vendor, by number: a throw of the dice would change all that follows
    vendor = party_number("AP", FIRST_PARTY + serial % 3) if serial % 2 else ""
    books.insert(
        "items", id=number, description=rng.choice(words.GOODS), category=rng.choice(CATEGORIES),
        uom=rng.choice(UNITS), cost=cost, price=(cost * Decimal("1.65")).quantize(CENT),
        weight=Decimal(rng.randrange(0, 40000)) / 1000, active=1, maintained=day, on_hand=Decimal(0),
        on_po=Decimal(0), on_so=Decimal(0), vendor=vendor, colour=rng.choice(("", "red", "bleu clair", "緑")),
    )  # fmt: skip
    books.touch("item", number)
    return number


def pick_party(books: Books, rng: random.Random, ledger: str) -> str:
    """A vendor or customer by chance; numbers are given in sequence, so none is looked up."""
    return party_number(ledger, rng.randint(FIRST_PARTY, books.last(f"{ledger}.party")))


def pick_item(books: Books, rng: random.Random) -> str:
    """An item by chance."""
    return item_number(rng.randint(FIRST_ITEM, books.last("item")))


def party_number(ledger: str, serial: int) -> str:
    """The number of the vendor or customer of a serial."""
    return f"V{serial:05d}" if ledger == "AP" else f"{serial}"


def item_number(serial: int) -> str:
    """The unformatted number of the item of a serial, with its two check digits."""
    return f"A{serial}{serial * 37 % 97:02d}"


def edit_masters(books: Books, rng: random.Random, day: str) -> None:
    """Somebody maintains a vendor, a customer and an item: their stamps move to ``day``."""
    for ledger in ("AP", "AR"):
        number = pick_party(books, rng, ledger)
        change = {
            "phone": f"{rng.randrange(10**9, 10**10)}",
            "contact": rng.choice(words.PEOPLE),
            "credit_limit": Decimal(rng.randrange(0, 500)) * 1000,
            "on_hold": int(rng.random() < _ON_HOLD),
        }
        chosen = rng.choice(sorted(change))
        books.update("parties", {"ledger": ledger, "id": number}, maintained=day, **{chosen: change[chosen]})
        books.touch("party", ledger, number)
    number = pick_item(books, rng)
    price = books.find("items", id=number)["price"]
    books.update("items", {"id": number}, maintained=day, price=(price * Decimal("1.015")).quantize(CENT))
    books.touch("item", number)


def remove_a_place(books: Books, rng: random.Random) -> None:
    """Somebody deletes a ship-to or remit-to location; nothing else refers to it."""
    rows = books.rows(
        "SELECT ledger, party, id FROM biz_places WHERE company = :company"
        " ORDER BY ledger, party, id LIMIT 40"
    )
    if len(rows) < 2:  # noqa: PLR2004 - the last one stays, so that the set is never empty
        return
    ledger, party, code = rng.choice(rows)
    books.connection.execute(
        "DELETE FROM biz_places WHERE company = ? AND ledger = ? AND party = ? AND id = ?",
        (books.company, ledger, party, code),
    )
    books.touch("place", ledger, party, code)
