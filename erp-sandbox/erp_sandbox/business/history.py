"""Create a business with its history, and let days pass in it."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from erp_sandbox.business.books import Books, connect
from erp_sandbox.business.days import FIRST_DAY, HISTORY_DAYS, found, live
from erp_sandbox.intacct import projection as intacct
from erp_sandbox.sage300 import projection as sage300
from erp_sandbox.sagex3 import projection as sagex3

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

COMPANIES: Final = ("SAMINC", "SAMLTD")
#: Functional currency and country; companies not named here are like SAMINC.
_HOMES: Final = {"SAMLTD": ("CAD", "Canada")}


class BusinessError(Exception):
    """The file cannot be created or moved on; the message says why and what to do."""


def create(
    path: Path | str,
    companies: Sequence[str] = COMPANIES,
    scale: float = 1.0,
    seed: int = 1,
    erps: Sequence[str] = ("sage300",),
) -> None:
    """Create a business: companies with half a year of history.

    Args:
        path: The SQLite file; it must not hold a business yet.
        companies: Identifiers of the companies. SAMLTD keeps its books in CAD, all others in USD.
        scale: Size; 1.0 is about 60 vendors, 80 customers, 150 items and 400 invoices a side and company.
        seed: The same seed gives the same business.
        erps: Whose records the books are kept as too; see ``add_erp``.

    Raises:
        BusinessError: When the file holds a business already.
    """
    with closing(connect(path)) as connection:
        if _meta(connection, "companies") is not None:
            raise BusinessError(f"{path} holds a business already; name another file or delete this one")
        connection.execute("BEGIN IMMEDIATE")
        for company in companies:
            books = Books(connection, company)
            currency, country = _HOMES.get(company, ("USD", "United States"))
            found(books, f"{company} Sample Company", currency, country, scale=Decimal(str(scale)), seed=seed)
            for nth in range(HISTORY_DAYS):
                live(books, FIRST_DAY + dt.timedelta(days=nth), seed)
        today = FIRST_DAY + dt.timedelta(days=HISTORY_DAYS - 1)
        meta = {"companies": json.dumps(list(companies)), "seed": str(seed), "scale": str(scale)}
        _finish(connection, today, **meta, erps=json.dumps(list(erps)))


def add_erp(path: Path | str, erp: str) -> None:
    """Keep a business's books as the records of one more ERP, from now on and for all of its history.

    Args:
        path: A file made by ``create``.
        erp: ``sage300``, ``intacct`` or ``sagex3``.

    Raises:
        BusinessError: When the file holds no business.
    """
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        known = json.loads(_meta(connection, "erps") or '["sage300"]')
        today = _meta(connection, "today")
        if today is None:
            raise BusinessError(f"{path} holds no business")
        if erp not in known:
            if erp == "sage300":
                raise BusinessError(f"{path} was made for another ERP: name a file of its own for sage300")
            _finish(connection, dt.date.fromisoformat(today), erps=json.dumps([*known, erp]))


def advance(path: Path | str, days: int) -> None:
    """Let days pass: documents are made, edited, posted, paid, reversed and deleted.

    A server may read the file meanwhile: it sees the state before or after, never between.

    Args:
        path: A file made by ``create``.
        days: How many days, at least 1.

    Raises:
        BusinessError: When the file holds no business or ``days`` is less than 1.
    """
    if days < 1:
        raise BusinessError("The number of days must be at least 1")
    with closing(connect(path)) as connection:
        if _meta(connection, "companies") is None:
            raise BusinessError(
                f"{path} holds no business; create one with `erp-sandbox serve sage300 --path {path}`"
            )
        connection.execute("BEGIN IMMEDIATE")
        # Read under the lock: two calls at once follow one another.
        today = dt.date.fromisoformat(str(_meta(connection, "today")))
        seed = int(str(_meta(connection, "seed")))
        for company in json.loads(str(_meta(connection, "companies"))):
            books = Books(connection, company)
            for nth in range(1, days + 1):
                live(books, today + dt.timedelta(days=nth), seed)
        _finish(connection, today + dt.timedelta(days=days))


def _finish(connection: sqlite3.Connection, today: dt.date, **meta: str) -> None:
    for key, value in {**meta, "today": today.isoformat()}.items():
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
    erps = json.loads(_meta(connection, "erps") or '["sage300"]')
    if "sage300" in erps:
        sage300.project(connection)
    if "intacct" in erps:
        intacct.project(connection, json.loads(str(_meta(connection, "companies"))), today.isoformat())
    if "sagex3" in erps:
        sagex3.project(connection, json.loads(str(_meta(connection, "companies"))), today.isoformat())
    connection.execute("DELETE FROM biz_touched")
    connection.execute("COMMIT")


def _meta(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None
