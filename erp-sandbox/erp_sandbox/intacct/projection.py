"""The business's books as Intacct objects: what is new, changed or gone since the last time.

Every object is made anew from the books and compared with what is stored, so that a stamp moves when, and
only when, something that can be seen has changed. What is gone leaves a row in AUDITHISTORY (reference 2.6).
"""

from __future__ import annotations

import json
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.books import Books
from erp_sandbox.intacct.model import catalogue
from erp_sandbox.intacct.projection_documents import documents
from erp_sandbox.intacct.projection_filling import Filler
from erp_sandbox.intacct.projection_ledger import ledger
from erp_sandbox.intacct.projection_masters import masters
from erp_sandbox.intacct.projection_orders import orders
from erp_sandbox.intacct.projection_record import CUSTOM, Keys, Record
from erp_sandbox.intacct.store import SCHEMA

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_KEYS: Final = """
CREATE TABLE IF NOT EXISTS intacct_keys (
  company TEXT, object TEXT, natural TEXT, recordno INTEGER, digest INTEGER, created TEXT, modified TEXT,
  PRIMARY KEY (company, object, natural)) WITHOUT ROWID;
"""
#: Lines leave no trace of their own in the audit trail: their parents do (reference 2.6).
_UNAUDITED: Final = frozenset(name for name, kind in catalogue().items() if kind.parent)
#: Objects that the audit trail is said to name by their business key; others have met their numbers only.
_NAMED: Final = frozenset({"CONTACT", "VENDOR", "CUSTOMER", "USERINFO", "PODOCUMENT", "SODOCUMENT"})
#: One record in so many has never been modified, and says so by an empty stamp (reference 2.5).
_NEVER_MODIFIED: Final = 23
_OPENS, _MINUTES = 8, 600


def project(connection: sqlite3.Connection, companies: list[str], today: str) -> None:
    """Bring the Intacct objects of a file to what its books say.

    Args:
        connection: The business's file, within a transaction.
        companies: The companies.
        today: The business's day, ISO.
    """
    for statement in (SCHEMA + _KEYS).split(";"):
        if statement.strip():
            connection.execute(statement)
    for company in companies:
        _Projection(connection, company, today).run()


class _Projection:
    """One company's objects, compared with those that are stored."""

    def __init__(self, connection: sqlite3.Connection, company: str, today: str) -> None:
        self._connection = connection
        self._company = company
        self._today = today
        self._known: dict[tuple[str, str], tuple[int, int | None, str, str | None]] = {
            (row[0], row[1]): (row[2], row[3], row[4], row[5])
            for row in connection.execute(
                "SELECT object, natural, recordno, digest, created, modified FROM intacct_keys"
                " WHERE company = ?",
                (company,),
            )
        }
        self._first = not self._known
        self._keys = Keys({place: known[0] for place, known in self._known.items()})
        self._filler = Filler(Books(connection, company), self._keys)

    def run(self) -> None:
        """Write what differs."""
        for name, (kind, label, of) in CUSTOM.items():
            for owner in of:
                values = (self._company, owner, name, kind, label)
                self._connection.execute(
                    "INSERT OR REPLACE INTO intacct_custom VALUES (?, ?, ?, ?, ?)", values
                )
        seen = set()
        for record in self._records():
            seen.add((record.object, record.natural))
            self._keep(record)
        for place in self._known.keys() - seen:
            if self._known[place][1] is not None and place[0] != "AUDITHISTORY":
                self._remove(*place)

    def _records(self) -> Iterator[Record]:
        books = Books(self._connection, self._company)
        for make in (masters, documents, orders, ledger):
            yield from make(books, self._keys)

    def _keep(self, record: Record) -> None:
        digest = zlib.crc32(json.dumps(record.fields, sort_keys=True).encode() + record.entity.encode())
        recordno = self._keys.number(record.object, record.natural)
        known = self._known.get((record.object, record.natural))
        if known is not None and known[1] == digest:
            return
        salt = f"{record.object}{record.natural}"
        if known is None or known[1] is None:
            born = record.day if self._first else max(record.day, self._today)
            created = _moment(born, salt)
            touched = max(record.changed or record.day, record.day) if self._first else born
            modified: str | None = max(created, _moment(touched, salt + "m"))
            if modified == created and zlib.crc32(salt.encode()) % _NEVER_MODIFIED == 0:
                modified = None
        else:
            created, modified = known[2], _moment(self._today, f"{salt}{digest}")
        # after the comparison, as nothing that is filled in decides whether a record has changed
        self._write(self._filler.filled(record), recordno, created, modified)
        self._connection.execute(
            "INSERT OR REPLACE INTO intacct_keys VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._company, record.object, record.natural, recordno, digest, created, modified),
        )

    def _write(self, record: Record, recordno: int, created: str, modified: str | None) -> None:
        kind = catalogue().get(record.object)
        stamps: dict[str, Any] = {"RECORDNO": recordno, "WHENMODIFIED": modified, "AUWHENCREATED": created}
        if (
            kind is None
            or kind.fields.get("WHENCREATED") is None
            or kind.fields["WHENCREATED"].type == "TIMESTAMP"
        ):
            stamps["WHENCREATED"] = created
        names = record.fields if kind is None else kind.fields
        stamps = {name: value for name, value in stamps.items() if kind is None or name in names}
        doc = json.dumps({**stamps, **record.fields}, ensure_ascii=False)
        self._connection.execute(
            "INSERT OR REPLACE INTO intacct_records (company, object, recordno, entity, visible, doc)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (self._company, record.object, recordno, record.entity, self._now(), doc),
        )

    def _remove(self, name: str, natural: str) -> None:
        recordno = self._known[name, natural][0]
        place = (self._company, name, recordno)
        audited = self._audited(place)
        self._connection.execute(
            "DELETE FROM intacct_records WHERE company = ? AND object = ? AND recordno = ?", place
        )
        self._connection.execute(
            "UPDATE intacct_keys SET digest = NULL WHERE company = ? AND object = ? AND natural = ?",
            (self._company, name, natural),
        )
        if name in _UNAUDITED:
            return
        number = self._keys.number("AUDITHISTORY", f"{name} {natural} {self._today}")
        row = {
            "ID": f"{recordno}:{number}",
            "OBJECTTYPE": name.lower(),
            "OBJECTKEY": audited,
            "USERID": "Admin",
            "ACCESSTIME": _moment(self._today, f"{name}{natural}gone"),
            "ACCESSMODE": "D",
            "WORKFLOWACTION": None,
            "SOURCE": "ui",
            "IPADDRESS": None,
        }
        values = (self._company, number, self._now(), json.dumps({"RECORDNO": number, **row}))
        self._connection.execute(
            "INSERT INTO intacct_records (company, object, recordno, visible, doc)"
            " VALUES (?, 'AUDITHISTORY', ?, ?, ?)",
            values,
        )
        self._connection.execute(
            "INSERT INTO intacct_keys VALUES (?, 'AUDITHISTORY', ?, ?, 0, ?, NULL)",
            (self._company, f"{name} {natural} {self._today}", number, row["ACCESSTIME"]),
        )

    def _audited(self, place: tuple[str, str, int]) -> str:
        """What the audit trail calls a record: its number in two notations, or its name (reference 2.6)."""
        _, name, recordno = place
        kind = catalogue().get(name)
        if name in _NAMED and kind is not None and recordno % 2:
            row = self._connection.execute(
                "SELECT doc FROM intacct_records WHERE company = ? AND object = ? AND recordno = ?", place
            ).fetchone()
            return str(json.loads(row[0])[kind.business_key[0]])
        return f"{recordno}--REC" if recordno % 2 else str(recordno)

    def _now(self) -> float:
        """A history has been there for long; what changes later is seen after a while."""
        return 0.0 if self._first else time.time()


def _moment(day: str, salt: str) -> str:
    """A working minute of a day: many things happen in the same one."""
    minute = zlib.crc32(salt.encode()) % _MINUTES
    return f"{day}T{_OPENS + minute // 60:02d}:{minute % 60:02d}:00"
