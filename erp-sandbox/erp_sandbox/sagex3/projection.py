"""The business's books as the tables of Sage X3's folders: what is new, changed or gone since the last time.

Every row is made anew from the books and compared with what is stored, so that a stamp moves when, and only
when, something that can be seen has changed. What is gone vanishes: X3 keeps no tombstone (reference 4).
"""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
import zlib
from typing import TYPE_CHECKING, Final

from erp_sandbox.business.books import Books
from erp_sandbox.sagex3.model import catalogue
from erp_sandbox.sagex3.projection_finance import finance
from erp_sandbox.sagex3.projection_items import items
from erp_sandbox.sagex3.projection_ledger import ledger
from erp_sandbox.sagex3.projection_masters import masters
from erp_sandbox.sagex3.projection_payments import payments
from erp_sandbox.sagex3.projection_purchasing import purchasing
from erp_sandbox.sagex3.projection_row import CUSTOM, Folder, encode, key_of
from erp_sandbox.sagex3.projection_sales import sales

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.sagex3.projection_row import Row

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sagex3_rows (
  folder TEXT NOT NULL, tbl TEXT NOT NULL, key TEXT NOT NULL, visible REAL NOT NULL DEFAULT 0,
  doc TEXT NOT NULL, PRIMARY KEY (folder, tbl, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sagex3_custom (
  folder TEXT, tbl TEXT, field TEXT, type TEXT, description TEXT, PRIMARY KEY (folder, tbl, field));
"""
_KEYS: Final = """
CREATE TABLE IF NOT EXISTS sagex3_keys (
  folder TEXT, tbl TEXT, key TEXT, number INTEGER, digest INTEGER, created TEXT, modified TEXT,
  tick INTEGER, PRIMARY KEY (folder, tbl, key)) WITHOUT ROWID;
"""
_PARTS: Final = (masters, items, finance, purchasing, sales, ledger, payments)
_USERS: Final = ("ADMIN", "JNUNE", "SPRIC")
#: One row in so many came from an old version and has no identifier (reference 4).
_UPGRADED: Final = 97
_NAMESPACE: Final = uuid.UUID("6d0c1f0e-7d1a-5b61-9c3c-0a5b3f6f9e11")
_OPENS, _SECONDS = 8, 36_000


def project(connection: sqlite3.Connection, companies: list[str], today: str) -> None:
    """Bring the Sage X3 tables of a file to what its books say.

    Args:
        connection: The business's file, within a transaction.
        companies: The companies; each is a folder.
        today: The business's day, ISO.
    """
    for statement in (SCHEMA + _KEYS).split(";"):
        if statement.strip():
            connection.execute(statement)
    for place, company in enumerate(companies):
        _Projection(connection, Folder(Books(connection, company), place, today)).run()


class _Made:
    """A row as it is stored.

    Args:
        row: The row.
        lines: Those whose changes are changes of the row.
    """

    def __init__(self, row: Row, lines: list[_Made] | None = None) -> None:
        self.row = row
        self.doc = encode(row)
        self.key = key_of(row.table, self.doc)
        self.digest = zlib.crc32(json.dumps(self.doc, sort_keys=True).encode())
        for line in lines or ():
            self.digest = zlib.crc32(line.digest.to_bytes(4, "big"), self.digest)


class _Projection:
    """One folder's rows, compared with those that are stored."""

    def __init__(self, connection: sqlite3.Connection, folder: Folder) -> None:
        self._connection = connection
        self._folder = folder
        self._known: dict[tuple[str, str], tuple[int, int, str, str, int]] = {}
        self._last: dict[str, int] = {}
        rows = connection.execute(
            "SELECT tbl, key, number, digest, created, modified, tick FROM sagex3_keys WHERE folder = ?",
            (folder.name,),
        )
        for table, key, number, digest, created, modified, tick in rows:
            self._known[table, key] = (number, digest, created, modified, tick)
            self._last[table] = max(self._last.get(table, 0), number)
        self._first = not self._known
        #: A history has been there for long; what changes later is seen after a while.
        self._visible = 0.0 if self._first else time.time()

    def run(self) -> None:
        """Write what differs."""
        for table, fields in CUSTOM.items():
            for name, (kind, text) in fields.items():
                self._connection.execute(
                    "INSERT OR REPLACE INTO sagex3_custom VALUES (?, ?, ?, ?, ?)",
                    (self._folder.name, table, name, kind, text),
                )
        gone = set(self._known)
        for row in self._rows():
            lines = [_Made(line) for line in row.lines]
            for made in (_Made(row, lines), *lines):
                self._keep(made)
                gone.discard((made.row.table, made.key))
        for place in gone:
            for table in ("sagex3_rows", "sagex3_keys"):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE folder = ? AND tbl = ? AND key = ?",
                    (self._folder.name, *place),
                )

    def _rows(self) -> Iterator[Row]:
        for part in _PARTS:
            yield from part(self._folder)

    def _keep(self, made: _Made) -> None:
        row, key = made.row, made.key
        known = self._known.get((row.table, key))
        if known is not None and known[1] == made.digest:
            return
        salt = f"{row.table}{key}"
        if known is None:
            number = self._last[row.table] = self._last.get(row.table, 0) + 1
            created, modified, tick = self._born(row, salt)
        else:
            number, created, tick = known[0], known[2], known[4] + 1
            # a second change within the day is later than the first
            modified = max(_moment(self._folder.today, f"{salt}{tick}"), _after(known[3]))
        self._write(made, number, created, modified, tick)

    def _born(self, row: Row, salt: str) -> tuple[str, str, int]:
        if not self._first:
            created = _moment(max(row.day, self._folder.today), salt)
            return created, created, 1
        created = _moment(row.day, salt)
        changed = max(row.changed, *(line.changed for line in row.lines), "")
        if changed <= row.day:
            return created, created, 1
        return created, _moment(changed, f"{salt}2"), 2

    def _write(self, made: _Made, number: int, created: str, modified: str, tick: int) -> None:
        table, key = made.row.table, made.key
        salt = zlib.crc32(f"{self._folder.name}{table}{key}".encode())
        found = {
            "CREDAT": created[:10],
            "CREDATTIM": created,
            "CREUSR": _USERS[salt % len(_USERS)],
            "UPDDAT": modified[:10],
            "UPDDATTIM": modified,
            "UPDTICK": tick,
            "UPDUSR": _USERS[(salt + tick - 1) % len(_USERS)],
            "ROWID": str(number),
        }
        if salt % _UPGRADED:
            found["AUUID"] = str(uuid.uuid5(_NAMESPACE, f"{self._folder.name}/{table}/{key}"))
        known = catalogue()[table].fields
        doc = made.doc | {name: value for name, value in found.items() if name in known}
        self._connection.execute(
            "INSERT OR REPLACE INTO sagex3_rows (folder, tbl, key, visible, doc) VALUES (?, ?, ?, ?, ?)",
            (self._folder.name, table, key, self._visible, json.dumps(doc, ensure_ascii=False)),
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO sagex3_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (self._folder.name, table, key, number, made.digest, created, modified, tick),
        )


def _moment(day: str, salt: str) -> str:
    """A working second of a day, in GMT."""
    second = zlib.crc32(salt.encode()) % _SECONDS
    return f"{day}T{_OPENS + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def _after(moment: str) -> str:
    """The second after a moment."""
    found = dt.datetime.fromisoformat(moment) + dt.timedelta(seconds=1)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")
