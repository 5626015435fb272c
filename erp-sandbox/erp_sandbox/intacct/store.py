"""The records in the business's SQLite file, and the questions that are asked of them."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.errors import unknown_object
from erp_sandbox.intacct.model import DECIMALS, Field, ObjectType, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from erp_sandbox.intacct.odd_gateway import OddGateway

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS intacct_records (
  id INTEGER PRIMARY KEY, company TEXT NOT NULL, object TEXT NOT NULL, recordno INTEGER NOT NULL,
  entity TEXT NOT NULL DEFAULT '', visible REAL NOT NULL DEFAULT 0, doc TEXT NOT NULL,
  UNIQUE (company, object, recordno));
CREATE TABLE IF NOT EXISTS intacct_custom (
  company TEXT, object TEXT, field TEXT, type TEXT, label TEXT, PRIMARY KEY (company, object, field));
CREATE INDEX IF NOT EXISTS intacct_modified
  ON intacct_records (company, object, json_extract(doc, '$."WHENMODIFIED"'), recordno);
CREATE INDEX IF NOT EXISTS intacct_modules
  ON intacct_records (company, object, json_extract(doc, '$."MODULEKEY"'), recordno)
  WHERE object = 'GLDETAIL';
CREATE INDEX IF NOT EXISTS intacct_lines ON intacct_records (company, object, coalesce(
  json_extract(doc, '$."RECORDKEY"'), json_extract(doc, '$."BATCHKEY"'), json_extract(doc, '$."DOCHDRNO"')));
"""
_EVENING: Final = 19
_CACHE_KB: Final = 64_000


@dataclass(frozen=True)
class Question:
    """What is asked of one object's records.

    Attributes:
        company: The company.
        entity: The entity of the session; empty sees the records of all.
        object: The object.
        where: SQL condition, with ``?``; empty for all.
        values: Its parameters.
        order: SQL expressions to sort by; empty leaves the order to chance.
        until: Only what was written before, in seconds since 1970.
    """

    company: str
    entity: str
    object: str
    where: str = ""
    values: tuple[Any, ...] = ()
    order: str = ""
    until: float | None = None

    def condition(self) -> tuple[str, list[Any]]:
        """The whole condition, and its parameters."""
        parts = ["company = ?", "object = ?"]
        values: list[Any] = [self.company, self.object]
        if self.entity:
            parts.append("entity IN ('', ?)")
            values.append(self.entity)
        if self.until is not None:
            parts.append("visible <= ?")
            values.append(self.until)
        if self.where:
            parts.append(f"({self.where})")
        return " AND ".join(parts), [*values, *self.values]


def expression(field: Field) -> str:
    """A field as SQL: texts, integers, numbers as reals."""
    if field.name == "RECORDNO":
        return "recordno"
    path = f"json_extract(doc, '$.\"{field.name}\"')"
    return f"CAST({path} AS REAL)" if field.type in DECIMALS else path


class Store:
    """The records of all companies; safe to use from many threads.

    Args:
        path: The SQLite file.
        odd: What the gateway does beside the rules.
    """

    def __init__(self, path: Path, odd: OddGateway | None = None) -> None:
        self._path = path
        self._odd = odd if odd is not None and odd.rewrites else None
        self._local = threading.local()
        connection = self._connection()
        connection.executescript(SCHEMA)
        self._records = self._odd.records(connection, self.now()) if self._odd else "intacct_records"

    def companies(self) -> list[str]:
        """Identifiers of the companies."""
        row = self._connection().execute("SELECT value FROM meta WHERE key = 'companies'").fetchone()
        found: list[str] = json.loads(row[0]) if row else []
        return found

    def now(self) -> float:
        """The business's clock, in seconds since 1970: the evening of its day."""
        row = self._connection().execute("SELECT value FROM meta WHERE key = 'today'").fetchone()
        today = date.fromisoformat(row[0])
        return datetime(today.year, today.month, today.day, _EVENING, tzinfo=timezone.utc).timestamp()

    def entities(self, company: str) -> list[str]:
        """Identifiers of a company's entities."""
        sql = (
            "SELECT json_extract(doc, '$.LOCATIONID') FROM intacct_records"
            " WHERE company = ? AND object = 'LOCATIONENTITY' ORDER BY recordno"
        )
        return [row[0] for row in self._connection().execute(sql, (company,))]

    def object(self, company: str, name: str) -> ObjectType:
        """An object with the company's own fields.

        Raises:
            GatewayError: If there is none of the name.
        """
        found = catalogue().get(name.upper())
        sql = "SELECT field, type, label FROM intacct_custom WHERE company = ? AND object = ? ORDER BY rowid"
        rows = self._connection().execute(sql, (company, name.upper())).fetchall()
        custom = {row[0]: Field(row[0], row[1], custom=True, label=row[2]) for row in rows}
        if found is None:
            if not custom:
                raise unknown_object(name)
            return ObjectType(name.upper(), ("NAME",), None, docparid=False, fields=custom)
        return replace(found, fields={**found.fields, **custom}) if custom else found

    def count(self, question: Question) -> int:
        """How many records there are."""
        where, values = question.condition()
        sql = f"SELECT COUNT(*) FROM {self._records} WHERE {where}"
        return int(self._connection().execute(sql, values).fetchone()[0])

    def page(self, question: Question, size: int, offset: int) -> list[dict[str, Any]]:
        """Some records as documents."""
        return [json.loads(doc) for doc in self.docs(question, size, offset)]

    def docs(self, question: Question, size: int = -1, offset: int = 0) -> Iterator[str]:
        """Some records as JSON texts."""
        where, values = question.condition()
        # a real gateway promises no order either; this one keeps no order that a client might come to rely on
        order = question.order or "(recordno * 7919) % 104729, recordno"
        sql = f"SELECT doc FROM {self._records} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
        for row in self._connection().execute(sql, [*values, size, offset]):
            yield row[0]

    def keys(self, question: Question) -> list[int]:
        """RECORDNO of every record."""
        where, values = question.condition()
        order = "(recordno * 7919) % 104729, recordno"
        sql = f"SELECT recordno FROM {self._records} WHERE {where} ORDER BY {order}"
        return [row[0] for row in self._connection().execute(sql, values)]

    def grouped(self, question: Question, columns: Sequence[str], by: Sequence[str]) -> list[tuple[Any, ...]]:
        """Aggregates, a row a group."""
        where, values = question.condition()
        groups = f" GROUP BY {', '.join(by)}" if by else ""
        groups += f" ORDER BY {question.order}" if by and question.order else ""
        sql = f"SELECT {', '.join(columns)} FROM {self._records} WHERE {where}{groups}"
        return [tuple(row) for row in self._connection().execute(sql, values)]

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=60, isolation_level=None)
            connection.execute("PRAGMA busy_timeout = 60000")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            for name, exact in _EXACT.items():
                connection.create_aggregate(name, 1, exact)  # type: ignore[arg-type]
            if self._odd is not None:
                self._odd.register(connection)
            self._local.connection = connection
        return connection


class _Exact:
    """Aggregates decimal texts without rounding; SQLite's own would use doubles."""

    def __init__(self) -> None:
        self.values = 0
        self.found: Decimal | None = None

    def step(self, value: Any) -> None:
        """Take one more."""
        if value is not None:
            given = Decimal(str(value))
            self.values += 1
            self.found = given if self.found is None else self.joined(self.found, given)

    def joined(self, one: Decimal, other: Decimal) -> Decimal:
        """Two as one."""
        return one + other

    def finalize(self) -> str | None:
        """The aggregate, as text."""
        return None if self.found is None else f"{self.found:f}"


class _Least(_Exact):
    def joined(self, one: Decimal, other: Decimal) -> Decimal:
        return min(one, other)


class _Greatest(_Exact):
    def joined(self, one: Decimal, other: Decimal) -> Decimal:
        return max(one, other)


class _Average(_Exact):
    def finalize(self) -> str | None:
        return None if self.found is None else f"{self.found / self.values:f}"


_EXACT: Final[dict[str, type[_Exact]]] = {
    "exact_sum": _Exact,
    "exact_min": _Least,
    "exact_max": _Greatest,
    "exact_avg": _Average,
}
