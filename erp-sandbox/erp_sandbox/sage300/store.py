"""The read side (and the API's own writes) of the SQLite file that holds every company's documents."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from erp_sandbox.sage300.odd_reading import register, stored_differently

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from erp_sandbox.oddities import Oddities
    from erp_sandbox.sage300.odata import Condition

_BOOKMARKS: Final = 10_000
#: A filtered set with more documents than this gets an index over the properties filtered on.
_LARGE: Final = 20_000


@dataclass(frozen=True)
class Rows:
    """One page of documents.

    Attributes:
        docs: The JSON texts in key order.
        more: Whether further documents follow.
    """

    docs: list[str]
    more: bool


class Store:
    """Reads documents by set, filter, offset and key.

    ``$skip`` is an offset, and SQLite walks over skipped rows one by one. A long paged read would cost the
    square of its length, so the store remembers which key each page ended with and goes on from there. The
    memory is dropped whenever the file changes: from then on an offset again counts the rows as they are, and
    rows shift between pages exactly as they do on a server that knows nothing but offsets.

    A filter would parse every document of a large set on every page. Its first use therefore builds an index
    in key order that carries the filtered properties, and only matching documents are read from then on.

    Args:
        path: The SQLite file.
        oddities: What the server does beside the rules.
    """

    def __init__(self, path: Path, oddities: Oddities | None = None) -> None:
        self._path = path
        self._oddities = oddities if oddities and stored_differently(oddities) else None
        self._documents = "documents"
        descends = oddities is not None and "rows-descend" in oddities
        self._beyond, self._way = ("<", " DESC") if descends else (">", "")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._watcher = self._open()
        self._version = -1
        self._bookmarks: OrderedDict[tuple[Any, ...], str] = OrderedDict()
        self._counts: dict[tuple[Any, ...], int] = {}
        self._indexes: set[str] = set()
        self._open_connections: list[sqlite3.Connection] = [self._watcher]
        if self._oddities:
            last = self._watcher.execute("SELECT coalesce(max(id), 0) FROM documents").fetchone()[0]
            changed = f"CASE WHEN id > {last} THEN rewritten(entity_set, doc) ELSE doc END"
            columns = f"company, entity_set, sort_key, {changed} AS doc"
            self._documents = f"(SELECT {columns} FROM documents)"

    def companies(self) -> list[str]:
        """The company databases in the file, in the order they were created."""
        row = self._read("SELECT value FROM meta WHERE key = 'companies'", ()).fetchone()
        names: list[str] = msgspec.json.decode(row[0]) if row else []
        return names

    def page(
        self, company: str, entity_set: str, condition: Condition | None, *, skip: int, limit: int
    ) -> Rows:
        """Documents ``skip`` to ``skip + limit`` in key order.

        Args:
            company: Company database.
            entity_set: Entity set's proper name.
            condition: The filter, or None.
            skip: Matching documents to pass over.
            limit: Documents wanted.
        """
        if limit == 0:
            return Rows([], more=False)
        where, parameters = _where(company, entity_set, condition)
        read = (where, parameters)
        start = self._bookmark((*read, skip)) if skip else None
        bound: tuple[Any, ...]
        if start is not None:
            sql = f"{where} AND sort_key {self._beyond} ? ORDER BY sort_key{self._way} LIMIT ?"
            bound = (*parameters, start, limit + 1)
        else:
            sql = f"{where} ORDER BY sort_key{self._way} LIMIT ? OFFSET ?"
            bound = (*parameters, limit + 1, skip)
        source = self._source(company, entity_set, condition)
        rows = self._read(f"SELECT sort_key, doc FROM {source} WHERE {sql}", bound).fetchall()
        more = len(rows) > limit
        if more:
            self._remember((*read, skip + limit), rows[limit - 1][0])
        return Rows([doc for _, doc in rows[:limit]], more=more)

    def count(self, company: str, entity_set: str, condition: Condition | None) -> int:
        """How many documents match."""
        where, parameters = _where(company, entity_set, condition)
        with self._lock:
            self._forget_if_changed()
            known = self._counts.get((where, parameters))
        if known is not None:
            return known
        source = self._source(company, entity_set, condition)
        total: int = self._read(f"SELECT count(*) FROM {source} WHERE {where}", parameters).fetchone()[0]
        with self._lock:
            self._counts[(where, parameters)] = total
        return total

    def get(self, company: str, entity_set: str, sort_key: str) -> str | None:
        """One document by its order key, or None."""
        row = self._read(
            f"SELECT doc FROM {self._documents} WHERE company = ? AND entity_set = ? AND sort_key = ?",
            (company, entity_set, sort_key),
        ).fetchone()
        return str(row[0]) if row else None

    def last_key(self, company: str, entity_set: str, prefix: str = "") -> str | None:
        """The highest order key of a set that begins with ``prefix``, or None."""
        row = self._read(
            "SELECT max(sort_key) FROM documents WHERE company = ? AND entity_set = ?"
            " AND substr(sort_key, 1, ?) = ?",
            (company, entity_set, len(prefix), prefix),
        ).fetchone()
        return row[0] if row else None

    def put(self, company: str, entity_set: str, sort_key: str, doc: str, *, new: bool) -> bool:
        """Write one document.

        Args:
            company: Company database.
            entity_set: Entity set's proper name.
            sort_key: Its order key.
            doc: Its complete JSON text.
            new: Refuse to overwrite.

        Returns:
            False when ``new`` and the key exists already.
        """
        connection = self._connection()
        clause = "DO NOTHING" if new else "(company, entity_set, sort_key) DO UPDATE SET doc = excluded.doc"
        with connection:
            done = connection.execute(
                f"INSERT INTO documents (company, entity_set, sort_key, doc) VALUES (?, ?, ?, ?)"
                f" ON CONFLICT {clause}",
                (company, entity_set, sort_key, doc),
            )
        return done.rowcount > 0

    def delete(self, company: str, entity_set: str, sort_key: str) -> bool:
        """Remove one document; False when there was none."""
        connection = self._connection()
        with connection:
            done = connection.execute(
                "DELETE FROM documents WHERE company = ? AND entity_set = ? AND sort_key = ?",
                (company, entity_set, sort_key),
            )
        return done.rowcount > 0

    def delete_first(self, company: str, entity_set: str, condition: Condition | None) -> None:
        """Remove the first of the documents that match."""
        where, parameters = _where(company, entity_set, condition)
        sql = f"SELECT sort_key FROM {self._documents} WHERE {where} ORDER BY sort_key{self._way} LIMIT 1"
        for row in self._read(sql, parameters).fetchall():
            self.delete(company, entity_set, row[0])

    def every(self, company: str, entity_set: str) -> Iterator[tuple[str, str]]:
        """All (order key, document) of a set."""
        yield from self._read(
            "SELECT sort_key, doc FROM documents WHERE company = ? AND entity_set = ? ORDER BY sort_key",
            (company, entity_set),
        ).fetchall()

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._open_connections:
                connection.close()
            self._open_connections.clear()

    def _source(self, company: str, entity_set: str, condition: Condition | None) -> str:
        """The table, with the index a filter of a large set should use."""
        if self._oddities or condition is None or not condition.columns:
            return self._documents
        if self.count(company, entity_set, None) < _LARGE:
            return "documents"
        columns = ", ".join(("company", "sort_key", *condition.columns))
        name = f"filter_{zlib.crc32(f'{entity_set} {columns}'.encode()):08x}"
        if name not in self._indexes:
            try:
                with self._connection() as connection:
                    connection.execute(
                        f"CREATE INDEX IF NOT EXISTS {name} ON documents ({columns})"
                        f" WHERE entity_set = '{entity_set}'"
                    )
            except sqlite3.OperationalError:  # somebody else writes for long: this once, read without
                return "documents"
            self._indexes.add(name)
        return f"documents INDEXED BY {name}"

    def _read(self, sql: str, parameters: tuple[Any, ...]) -> sqlite3.Cursor:
        return self._connection().execute(sql, parameters)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
            with self._lock:
                self._open_connections.append(connection)
        return connection

    def _open(self) -> sqlite3.Connection:
        # A connection is used by one thread; only close() comes from another.
        connection = sqlite3.connect(self._path, timeout=30, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA mmap_size = 1073741824")
        if self._oddities:
            register(connection, self._oddities)
        return connection

    def _bookmark(self, key: tuple[Any, ...]) -> str | None:
        with self._lock:
            self._forget_if_changed()
            return self._bookmarks.get(key)

    def _remember(self, key: tuple[Any, ...], sort_key: str) -> None:
        with self._lock:
            self._bookmarks[key] = sort_key
            self._bookmarks.move_to_end(key)
            if len(self._bookmarks) > _BOOKMARKS:
                self._bookmarks.popitem(last=False)

    def _forget_if_changed(self) -> None:
        # data_version moves when any other connection, of this or another process, commits.
        version = self._watcher.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._bookmarks.clear()
            self._counts.clear()


def _where(company: str, entity_set: str, condition: Condition | None) -> tuple[str, tuple[Any, ...]]:
    # The set's name comes from the catalogue; as a literal it lets SQLite prove that a partial index applies.
    where = f"company = ? AND entity_set = '{entity_set}'"
    if condition is None:
        return where, (company,)
    return f"{where} AND {condition.sql}", (company, *condition.parameters)
