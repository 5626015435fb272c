"""A DuckDB warehouse of a test: loads messages in this process, and tells what became of them."""

from __future__ import annotations

import io
import json
import logging
import threading
from dataclasses import dataclass, field

import duckdb
from duckdb_warehouse import DuckDBConnection, TargetDuckDB

SCHEMA = "BOOKS"


class Killed(BaseException):
    """Stands in for the death of the process: nothing that handles errors sees it."""


@dataclass
class Outcome:
    """What a run did.

    Attributes:
        code: Its exit code.
        states: The states that it let out.
        log: What it logged, a line each.
        error: What ended it, or None.
        statements: SQL that it ran.
    """

    code: int = 0
    states: list = field(default_factory=list)
    log: list = field(default_factory=list)
    error: BaseException | None = None
    statements: list = field(default_factory=list)

    def told(self, *words):
        return [line for line in self.log if all(word in line for word in words)]


class WatchedConnection(DuckDBConnection):
    """Asks the test before each statement, and tells it after each."""

    def __init__(self, database, turn, warehouse, outcome):
        super().__init__(database, turn)
        self.warehouse, self.outcome = warehouse, outcome

    def execute(self, sql, parameters=()):
        self.outcome.statements.append(sql)
        if self.warehouse.before:
            self.warehouse.before(sql)
        rows = super().execute(sql, parameters)
        if self.warehouse.after:
            self.warehouse.after(sql)
        return rows


class Watched(TargetDuckDB):
    def connect(self, what):
        return WatchedConnection(self.database, self.turn, self.warehouse, self.outcome)

    def _write_state(self, state):
        if self.warehouse.on_state:
            self.warehouse.on_state(state)
        if state not in self.outcome.states[-1:]:
            self.outcome.states.append(state)


class _Handler(logging.Handler):
    def __init__(self, lines):
        super().__init__(logging.INFO)
        self.lines = lines

    def emit(self, record):
        self.lines.append(record.getMessage())


class Warehouse:
    """A database, a spool folder, and settings.

    Attributes:
        before: Called with each statement before it runs; what it raises is the statement's failure.
        after: Called with each statement that ran.
        on_state: Called with each state before it is let out.
    """

    def __init__(self, folder, database=None, **settings):
        self.folder = folder
        self.settings = {
            "path": "unused",
            "spool_dir": str(folder / "spool"),
            "default_target_schema": SCHEMA,
            "max_retry_time": 3,
            **settings,
        }
        self.database = database or duckdb.connect(config={"threads": 1})
        self.turn = threading.Lock()
        self.before = self.after = self.on_state = None

    def target(self, outcome, **settings):
        target = Watched(config={**self.settings, **settings})
        target.warehouse, target.outcome = self, outcome
        target.__dict__["database"], target.__dict__["turn"] = self.database, self.turn
        return target

    def load(self, *messages, **settings):
        """Load messages as a process would, and tell what came of it."""
        outcome = Outcome()
        lines = b"".join(
            each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n" for each in messages
        )
        handler = _Handler(outcome.log)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            target = self.target(outcome, **settings)
            target.listen(io.BytesIO(lines))
        except SystemExit as end:
            outcome.code = end.code or 0
        except Killed:
            target.run._file._lock.release()  # as the end of a process does
            raise
        except Exception as error:
            outcome.code, outcome.error = 1, error
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        return outcome

    def query(self, sql, *parameters):
        cursor = self.database.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def rows(self, table="BILLS", *, live=True, columns=None, where="TRUE", schema=SCHEMA):
        """A table's rows, ordered; bookkeeping columns only where they are asked for."""
        names = [
            row["column_name"]
            for row in self.query(
                "SELECT column_name FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
                schema,
                table,
            )
        ]
        chosen = columns or [name for name in names if not name.startswith(("_SDC_", "_ML_"))]
        alive = "_SDC_DELETED_AT IS NULL" if live and "_SDC_DELETED_AT" in names else "TRUE"
        if live and "_ML_IS_CURRENT" in names:
            alive = "_ML_IS_CURRENT"
        listed = ", ".join(f'"{name}"' for name in chosen)
        found = self.query(
            f'SELECT {listed} FROM "{schema}"."{table}" WHERE {alive} AND ({where}) ORDER BY ALL'
        )
        return [tuple(row.values()) for row in found]

    def audit(self, table, *columns, where="TRUE", order="ALL"):
        """Rows of an audit table: tuples of some columns."""
        listed = ", ".join(columns)
        return [
            tuple(row.values())
            for row in self.query(f'SELECT {listed} FROM "ML_AUDIT"."{table}" WHERE {where} ORDER BY {order}')
        ]

    def batches(self, *columns, where="TRUE"):
        return self.audit("BATCHES", *columns, where=where, order="SEQUENCE")

    def last_run(self):
        (row,) = self.query('SELECT * FROM "ML_AUDIT"."RUNS" ORDER BY STARTED_AT DESC LIMIT 1')
        return row

    def tables(self, schema=None):
        found = self.query("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL")
        return [row["table_name"] for row in found if row["schema_name"] == (schema or SCHEMA)]

    def spool(self):
        """Files of batches in the spool folder."""
        return sorted(path.name for path in (self.folder / "spool").glob("*") if ".run" not in path.name)

    def empty(self):
        """Leave nothing but empty audit tables: they are costly to make."""
        for (name,) in self.database.execute(
            "SELECT schema_name FROM duckdb_schemas() WHERE NOT internal"
        ).fetchall():
            if name != "ML_AUDIT":
                self.database.execute(f'DROP SCHEMA "{name}" CASCADE')
        for name in self.tables("ML_AUDIT"):
            self.database.execute(f'DELETE FROM "ML_AUDIT"."{name}"')


def fail_in_transactions(number, error):
    """A hook that fails each transaction at its n-th statement, BEGIN being the first."""
    own = threading.local()

    def hook(sql):
        if sql == "BEGIN":
            own.count = 0
        own.count = getattr(own, "count", 1 << 30) + 1
        if own.count == number:
            hook.fired = sql
            raise error
        if sql == "COMMIT":
            own.count = 1 << 30

    hook.fired = None
    return hook


def fail_always(error, *words):
    """A hook that fails every statement with some words in it."""

    def hook(sql):
        if all(word in sql for word in words):
            raise error

    return hook


def fail_at(number, error, *, only=lambda sql: True):
    """A hook that fails at the n-th statement, counted from 1; ``hook.fired`` tells whether it did."""
    lock, count = threading.Lock(), 0

    def hook(sql):
        nonlocal count
        if not only(sql):
            return
        with lock:
            count += 1
            mine = count
        if mine == number:
            hook.fired = sql
            raise error

    hook.fired = None
    return hook
