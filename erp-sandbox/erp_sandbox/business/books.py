"""One company's books in the SQLite file: reading, writing and remembering what was touched."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.tables import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUSY_MS: Final = 60_000


def connect(path: Path | str) -> sqlite3.Connection:
    """Open the business's file, creating its tables if needed.

    Write-ahead logging lets a server read while the business moves on; nothing commits but the caller.

    Args:
        path: The SQLite file.
    """
    sqlite3.register_converter("EXACTTEXT", lambda text: Decimal(text.decode()))
    connection = sqlite3.connect(
        path, timeout=_BUSY_MS / 1000, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES
    )
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -100000")
    connection.executescript(SCHEMA)
    return connection


class Books:
    """The tables of one company.

    Args:
        connection: An open file, see ``connect``.
        company: The company's identifier, e.g. ``SAMINC``.
    """

    def __init__(self, connection: sqlite3.Connection, company: str) -> None:
        self.connection = connection
        self.company = company
        self._inserts: dict[tuple[str, tuple[str, ...]], str] = {}
        row = self.one("SELECT currency, country FROM biz_companies WHERE company = :company")
        self.currency: str = row["currency"] if row else ""
        self.country: str = row["country"] if row else ""

    def insert(self, table: str, **values: Any) -> None:
        """Add (or replace) one row; the company is filled in and decimals become exact text."""
        columns = tuple(values)
        sql = self._inserts.get((table, columns))
        if sql is None:
            marks = ", ".join("?" * (len(columns) + 1))
            sql = f"INSERT OR REPLACE INTO biz_{table} (company, {', '.join(columns)}) VALUES ({marks})"
            self._inserts[table, columns] = sql
        self.connection.execute(sql, (self.company, *(_bound(value) for value in values.values())))

    def update(self, table: str, where: dict[str, Any], **values: Any) -> None:
        """Change the rows of one key."""
        assignments = ", ".join(f"{name} = ?" for name in values)
        condition = " AND ".join(f"{name} = ?" for name in where)
        self.connection.execute(
            f"UPDATE biz_{table} SET {assignments} WHERE company = ? AND {condition}",
            (*(_bound(value) for value in values.values()), self.company, *where.values()),
        )

    def rows(self, sql: str, **parameters: Any) -> list[sqlite3.Row]:
        """All rows of a query; ``:company`` is bound."""
        return self.connection.execute(sql, {"company": self.company, **parameters}).fetchall()

    def each(self, sql: str, **parameters: Any) -> Iterator[sqlite3.Row]:
        """The rows of a query one by one."""
        return iter(self.connection.execute(sql, {"company": self.company, **parameters}))

    def one(self, sql: str, **parameters: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        row: sqlite3.Row | None = self.connection.execute(
            sql, {"company": self.company, **parameters}
        ).fetchone()
        return row

    def must(self, sql: str, **parameters: Any) -> sqlite3.Row:
        """The first row of a query.

        Raises:
            LookupError: When there is none; the books are damaged.
        """
        row = self.one(sql, **parameters)
        if row is None:
            raise LookupError(f"The books of {self.company} lack a row that they refer to: {parameters}")
        return row

    def find(self, table: str, **key: Any) -> sqlite3.Row:
        """The row of a table with this key."""
        condition = "".join(f" AND {name} = :{name}" for name in key)
        return self.must(f"SELECT * FROM biz_{table} WHERE company = :company{condition}", **key)

    def number(self, name: str, first: int = 1) -> int:
        """The next number of a sequence."""
        row = self.connection.execute(
            "INSERT INTO biz_counters (company, name, value) VALUES (?, ?, ?)"
            " ON CONFLICT (company, name) DO UPDATE SET value = value + 1 RETURNING value",
            (self.company, name, first),
        ).fetchone()
        return int(row[0])

    def last(self, name: str) -> int:
        """The last number given out of a sequence."""
        row = self.connection.execute(
            "SELECT value FROM biz_counters WHERE company = ? AND name = ?", (self.company, name)
        ).fetchone()
        return int(row[0])

    def touch(self, kind: str, *key: object) -> None:
        """Remember that a thing changed, so that its documents are written again."""
        self.connection.execute(
            "INSERT OR IGNORE INTO biz_touched VALUES (?, ?, ?)",
            (self.company, kind, "|".join(map(str, key))),
        )


def _bound(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
