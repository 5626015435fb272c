"""The rows in the business's SQLite file, and the questions that are asked of them."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from erp_sandbox.sagex3.model import Field, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from erp_sandbox.sagex3.source import Source

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sagex3_rows (
  folder TEXT NOT NULL, tbl TEXT NOT NULL, key TEXT NOT NULL,
  visible REAL NOT NULL DEFAULT 0, doc TEXT NOT NULL,
  PRIMARY KEY (folder, tbl, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sagex3_custom (
  folder TEXT, tbl TEXT, field TEXT, type TEXT, description TEXT, PRIMARY KEY (folder, tbl, field));
CREATE INDEX IF NOT EXISTS sagex3_stamped ON sagex3_rows (
  folder, tbl, coalesce(json_extract(doc, '$."UPDDATTIM"'), '1599-12-31T00:00:00Z'), key);
"""
_CACHE_KB: Final = 64_000
#: The indexed expression, as conditions write it.
_STAMP: Final = "coalesce(json_extract(r.doc, '$.\"UPDDATTIM\"'), '1599-12-31T00:00:00Z')"
#: So many rows are sorted in no time.
_FEW: Final = 5000
_DECODER: Final = msgspec.json.Decoder()
#: A stored row: its key and its document.
Stored = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Question:
    """What is asked of a source's rows.

    Attributes:
        folder: The folder.
        source: Where the rows come from.
        where: SQL condition with ``?``; empty for all rows.
        values: Its parameters.
        order: SQL expressions to sort by; empty for the order of the key.
        until: Only what was written before, in seconds since 1970.
        behind: SQL condition of the page's beginning; empty for the first.
        behind_values: Its parameters.
    """

    folder: str
    source: Source
    where: str = ""
    values: tuple[Any, ...] = ()
    order: str = ""
    until: float | None = None
    behind: str = ""
    behind_values: tuple[Any, ...] = ()

    def narrowed(self, where: str, values: Iterable[Any]) -> Question:
        """The same with one more condition."""
        if not where:
            return self
        both = f"({self.where}) AND ({where})" if self.where else where
        return replace(self, where=both, values=(*self.values, *values))

    def condition(self, behind: str = "") -> tuple[str, list[Any]]:
        """The whole condition and its parameters.

        Args:
            behind: Where the page begins; empty for the rows of all pages.
        """
        parts = ["r.folder = ?", "r.tbl = ?"]
        values: list[Any] = [self.folder, self.source.table.name]
        if self.until is not None:
            parts.append("r.visible <= ?")
            values.append(self.until)
        if behind:
            # before the rest: of two bounds of an index, SQLite takes the first, and this is the nearer one
            parts.append(behind)
            values += self.behind_values
        if self.where:
            parts.append(f"({self.where})")
        return " AND ".join(parts), [*values, *self.values]


class Store:
    """The rows of all folders; safe to use from many threads.

    Args:
        path: The SQLite file.
        overlay: What every connection is given, once the tables are there.
    """

    def __init__(self, path: Path, overlay: Callable[[sqlite3.Connection], None] | None = None) -> None:
        self._path = path
        self._local = threading.local()
        self._overlay: Callable[[sqlite3.Connection], None] | None = None
        connection = self._connection()
        connection.executescript(SCHEMA)
        if overlay is not None:
            self._overlay = overlay
            overlay(connection)

    def folders(self) -> list[str]:
        """Names of the folders: the business's companies, or whatever has rows where there is no business."""
        connection = self._connection()
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            row = connection.execute("SELECT value FROM meta WHERE key = 'companies'").fetchone()
            if row:
                found: list[str] = json.loads(row[0])
                return found
        return [row[0] for row in connection.execute("SELECT DISTINCT folder FROM sagex3_rows ORDER BY 1")]

    def custom(self, folder: str) -> dict[str, dict[str, tuple[Field, str]]]:
        """A folder's own fields with their descriptions, by table and code."""
        sql = "SELECT tbl, field, type, description FROM sagex3_custom WHERE folder = ? ORDER BY tbl, field"
        found: dict[str, dict[str, tuple[Field, str]]] = {}
        for table, code, kind, description in self._connection().execute(sql, (folder,)):
            size = int(kind[2:-1]) if len(kind) > 1 else 0
            if table in catalogue():
                found.setdefault(table, {})[code] = (Field(code, kind[0], size), description or code)
        return found

    def count(self, question: Question) -> int:
        """How many rows there are."""
        where, values = question.condition()
        sql = f"SELECT COUNT(*) FROM sagex3_rows r {question.source.joins} WHERE {where}"
        return int(self._connection().execute(sql, values).fetchone()[0])

    def page(self, question: Question, size: int) -> list[Stored]:
        """The first rows of the answer."""
        return [(key, doc) for key, doc, _ in self.page_with(question, (), size)]

    def page_with(
        self, question: Question, columns: Sequence[str], size: int
    ) -> list[tuple[str, dict[str, Any], tuple[Any, ...]]]:
        """The first rows of the answer, each with the values of some SQL expressions."""
        where, values, order = self._route(question)
        source = question.source
        selected = ", ".join([source.columns, *columns])
        sql = f"SELECT {selected} FROM sagex3_rows r {source.joins} WHERE {where} ORDER BY {order} LIMIT ?"
        more = 3 if source.beside else 2
        rows = self._connection().execute(sql, [*values, size])
        return [(*_row(source, row[:more]), tuple(row[more:])) for row in rows]

    def children(self, question: Question, parents: Sequence[str]) -> dict[str, list[Stored]]:
        """Rows whose keys begin with those of other rows, by the keys of these.

        One statement for a whole page of parents: a range of the index for each of them.
        """
        where, values = question.condition()
        source = question.source
        # bounds of a range: what follows key~ and sorts before the key with whatever comes behind a tilde
        sql = (
            f"SELECT p.value, {source.columns} FROM json_each(?) p CROSS JOIN sagex3_rows r {source.joins}"
            f" WHERE {where} AND r.key >= p.value || '~' AND r.key < p.value || char(127)"
            f" ORDER BY {question.order or 'r.key'}"
        )
        found: dict[str, list[Stored]] = {parent: [] for parent in parents}
        for row in self._connection().execute(sql, [json.dumps(list(parents)), *values]):
            found[row[0]].append(_row(source, row[1:]))
        return found

    def lookup(self, question: Question, keys: Sequence[str]) -> dict[str, Stored]:
        """Rows by their keys; what does not exist is left out."""
        where, values = question.condition()
        source = question.source
        sql = (
            f"SELECT {source.columns} FROM sagex3_rows r {source.joins}"
            f" WHERE {where} AND r.key IN (SELECT value FROM json_each(?))"
        )
        rows = self._connection().execute(sql, [*values, json.dumps(list(keys))])
        return {row[0]: _row(source, row) for row in rows}

    def _route(self, question: Question) -> tuple[str, list[Any], str]:
        """The condition of a page, its parameters and its order, so written that SQLite goes the short way.

        It would read a whole table by key for the few rows that changed of late. Where they are few, a plus
        hides the key's index from it, and it takes the one of the stamps.
        """
        behind, order = question.behind, question.order or "r.key"
        if _STAMP in question.where and order == "r.key":
            where, values = question.condition()
            counted = f"SELECT 1 FROM sagex3_rows r {question.source.joins} WHERE {where} LIMIT {_FEW + 1}"
            found = self._connection().execute(f"SELECT COUNT(*) FROM ({counted})", values).fetchone()[0]
            if found <= _FEW:
                behind, order = (sql.replace("r.key", "+r.key") for sql in (behind, order))
        where, values = question.condition(behind)
        return where, values, order

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=60, isolation_level=None)
            connection.execute("PRAGMA busy_timeout = 60000")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            connection.execute("PRAGMA case_sensitive_like = ON")
            connection.create_function("regexp", 2, _matches, deterministic=True)
            if self._overlay is not None:
                self._overlay(connection)
            self._local.connection = connection
        return connection


def _row(source: Source, row: Sequence[Any]) -> Stored:
    """A key and its document."""
    doc = _DECODER.decode(row[1])
    if source.beside is not None and row[2] is not None:
        doc = source.merged(doc, _DECODER.decode(row[2]))
    return row[0], doc


def _matches(pattern: str, value: Any) -> bool:
    """SQLite's ``value REGEXP pattern``."""
    return value is not None and re.search(pattern, str(value)) is not None
