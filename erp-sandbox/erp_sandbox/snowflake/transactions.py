"""Transactions of several sessions on the same tables, as Snowflake lets them meet.

Snowflake reads what is committed when a statement begins, and who changes a table's rows waits for who
changed them before: https://docs.snowflake.com/en/sql-reference/transactions (isolation level, resource
locking). DuckDB reads what was committed when the transaction began, and refuses a second writer at once. So
a statement waits here for the tables it wants; and where others have committed since a transaction began, it
is begun anew and its statements are repeated, which comes to the same.
"""

from __future__ import annotations

import re
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from starlette.concurrency import run_in_threadpool

from erp_sandbox.snowflake.execution import StoppedError
from erp_sandbox.snowflake.failures import Failure
from erp_sandbox.snowflake.naming import NAME, Key, full_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from erp_sandbox.snowflake.execution import Repeat, Running
    from erp_sandbox.snowflake.sessions import Session

LOCK_TIMEOUT = 43_200.0
"""https://docs.snowflake.com/en/sql-reference/parameters#lock-timeout"""
MOST_WAITERS = 20
_PAUSE = 0.02
_EVERY_SCHEMA: Key = ("*",)
"""DuckDB takes one change of its catalog at a time."""

_SPACE = r"^(?:\s+|--[^\n]*\n|/\*.*?\*/)*"
_DEFINE = r"(?:CREATE|ALTER|DROP|UNDROP|COMMENT\s+(?:IF\s+EXISTS\s+)?ON)"
_FLAGS = re.IGNORECASE | re.DOTALL
_MORE = re.compile(rf"\b(?:SWAP\s+WITH|RENAME\s+TO)\s+{NAME}", _FLAGS)


class Kind(Enum):
    """What a statement does to tables."""

    BEGIN = auto()
    END = auto()
    CHANGE = auto()
    ADD = auto()
    DEFINE = auto()
    OTHER = auto()


_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(_SPACE + pattern, _FLAGS))
    for kind, pattern in (
        (Kind.BEGIN, r"(?:BEGIN|START\s+TRANSACTION)\b"),
        (Kind.END, r"(?:COMMIT|ROLLBACK)\b"),
        (Kind.CHANGE, rf"INSERT\s+OVERWRITE\s+INTO\s+{NAME}"),
        (Kind.ADD, rf"(?:INSERT|COPY)\s+INTO\s+(?!@|'@){NAME}"),
        (Kind.CHANGE, rf"(?:UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+{NAME}"),
        (Kind.CHANGE, rf"TRUNCATE\s+(?:TABLE\s+)?(?:IF\s+EXISTS\s+)?{NAME}"),
        (
            Kind.DEFINE,
            rf"{_DEFINE}\s+(?:[A-Z]+\s+){{0,4}}?(?:TABLE|COLUMN|VIEW|STAGE)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?{NAME}",
        ),
        (Kind.DEFINE, r"(?:CREATE|DROP|UNDROP|COMMENT|ALTER\s+(?!SESSION|WAREHOUSE))\b"),
    )
)
_DROP = re.compile(_SPACE + r"DROP\b", _FLAGS)
_TEMPORARY = re.compile(
    _SPACE + r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:LOCAL\s+|GLOBAL\s+)?TEMP(?:ORARY)?\b", _FLAGS
)


class Statement(NamedTuple):
    """What a statement does, and to which tables.

    Attributes:
        kind: What it does.
        tables: To which tables.
        temporary: Whether it makes a temporary one.
        reads_from: Where in its text the tables begin whose rows matter to it: who only adds to a table need
            not know what others have added.
    """

    kind: Kind
    tables: frozenset[Key]
    temporary: bool = False
    reads_from: int = 0


@dataclass
class Transaction:
    """What a session has begun.

    Attributes:
        open: Whether it is between BEGIN and its end.
        since: Up to which commit it sees others' work.
        written: Tables it has written.
        changed: Those of which it changed rows, or the definition.
        defining: Tables whose definition it changes just now.
        done: How to repeat what it did; None for what cannot be repeated.
    """

    open: bool = False
    since: int = 0
    written: set[Key] = field(default_factory=set)
    changed: set[Key] = field(default_factory=set)
    defining: set[Key] = field(default_factory=set)
    done: list[Repeat | None] = field(default_factory=list)
    waits_for: Session | None = None

    def end(self) -> None:
        """Let go of everything."""
        self.open = False
        self.done = []
        for held in (self.written, self.changed, self.defining):
            held.clear()


class Transactions:
    """Who holds which table of the account.

    Args:
        bury: Ends a session that is dead.
    """

    def __init__(self, bury: Callable[[Session], None]) -> None:
        self._bury = bury
        self._clock = 0
        self._committed: dict[Key, int] = {}
        self._at_work: set[Session] = set()

    @asynccontextmanager
    async def statement(
        self, session: Session, sql: str, running: Running, repeat: Repeat | None
    ) -> AsyncIterator[None]:
        """What surrounds a statement.

        Raises:
            StoppedError: If its tables cannot be had.
        """
        statement = read(session, sql)
        mine = session.transaction
        duck = session.connection._duck_conn  # noqa: SLF001 - there is no public way to the session's database
        if statement.kind is Kind.DEFINE and mine.open:
            # https://docs.snowflake.com/en/sql-reference/transactions#ddl
            duck.commit()
            session.connection._in_transaction = False  # noqa: SLF001
            self._committed_by(session)
        self._at_work.add(session)
        wanted = statement.tables - session.temporary
        try:
            await self._have(session, statement.kind, wanted, running)
            await self._see(session, statement, sql)
            yield
        except BaseException:
            await self._failed(session, statement.kind)
            raise
        else:
            self._done(session, statement, wanted, repeat, sql)
        finally:
            mine.defining.clear()
            if not mine.open:
                mine.end()
                self._at_work.discard(session)

    def forget(self, session: Session) -> None:
        """Let go of what a session that has ended holds."""
        session.transaction.end()
        self._at_work.discard(session)

    async def _have(self, session: Session, kind: Kind, wanted: Iterable[Key], running: Running) -> None:
        """Wait until nobody else holds the tables, and hold them."""
        mine = session.transaction
        timeout = float(session.parameters.get("LOCK_TIMEOUT") or LOCK_TIMEOUT)
        until = time.monotonic() + timeout
        try:
            while found := self._holder(session, kind, wanted):
                holder, key = found
                mine.waits_for = holder
                if holder.dead:
                    self._bury(holder)
                    self.forget(holder)
                    continue
                self._give_up(session, holder, key, kind, until)
                await running.pause(_PAUSE)
        finally:
            mine.waits_for = None
        if kind in {Kind.CHANGE, Kind.DEFINE}:
            mine.changed.update(wanted)
        if kind is Kind.DEFINE:
            mine.defining.update(wanted, {_EVERY_SCHEMA})
        if kind is Kind.ADD:
            mine.written.update(wanted)

    def _holder(self, session: Session, kind: Kind, wanted: Iterable[Key]) -> tuple[Session, Key] | None:
        """Whom a statement has to wait for, and for which table."""
        keys = [*wanted, _EVERY_SCHEMA] if kind is Kind.DEFINE else list(wanted)
        for other in self._at_work:
            theirs = other.transaction
            held = theirs.defining
            if kind in {Kind.CHANGE, Kind.DEFINE}:
                held = held | theirs.changed
            if kind is Kind.DEFINE:
                held = held | theirs.written
            if other is not session and (key := next((key for key in keys if key in held), None)):
                return other, key
        return None

    def _give_up(self, session: Session, holder: Session, key: Key, kind: Kind, until: float) -> None:
        """Refuse to wait where it has no end, or too long a one; the wording is ours, but for the limit."""
        name = ".".join(key)
        held = (
            f"Statement of session {holder.number} has locked table '{name}' and this lock has not yet been"
            " released.\nYour statement was aborted because"
        )
        waiters = [s for s in self._at_work if s.transaction.waits_for is holder]
        met, seen = holder.transaction.waits_for, {session}
        while met is not None and met not in seen:
            met = met.transaction.waits_for
        if kind is Kind.CHANGE and len(waiters) > MOST_WAITERS:
            why = f"the number of waiters for this lock exceeds the {MOST_WAITERS} statements limit."
        elif met is session:
            why = "it waited for a lock of a transaction that waits for yours (deadlock)."
        elif time.monotonic() >= until:
            why = "it waited for a lock for longer than LOCK_TIMEOUT."
        else:
            return
        raise StoppedError(Failure("000625", f"{held} {why}", "57014"))

    async def _see(self, session: Session, statement: Statement, sql: str) -> None:
        """Let a transaction see what others have committed before its statement."""
        mine = session.transaction
        if not mine.open or statement.kind in {Kind.BEGIN, Kind.END}:
            return
        newer = [key for key, when in self._committed.items() if when > mine.since]
        if not newer or not _mentions(sql[statement.reads_from :], newer):
            return
        if mine.done and statement.kind is Kind.OTHER:
            return  # a query may be told of a moment ago
        await self._again(session)

    async def _again(self, session: Session) -> None:
        """Begin a transaction anew, and repeat what it has done."""
        mine = session.transaction
        duck = session.connection._duck_conn  # noqa: SLF001
        if any(repeat is None for repeat in mine.done):
            raise StoppedError(_CANNOT)
        with suppress(duckdb.Error):
            duck.rollback()
        duck.begin()
        mine.since = self._clock
        try:
            for repeat in mine.done:
                if repeat is not None:
                    await run_in_threadpool(repeat)
        except Exception as error:
            with suppress(duckdb.Error):
                duck.rollback()
            mine.end()
            raise StoppedError(_CANNOT) from error

    def _done(
        self, session: Session, statement: Statement, wanted: Iterable[Key], repeat: Repeat | None, sql: str
    ) -> None:
        mine = session.transaction
        if statement.temporary:
            session.temporary.update(statement.tables)
        elif statement.kind is Kind.DEFINE and _DROP.match(sql):
            session.temporary.difference_update(statement.tables)
        if statement.kind is Kind.BEGIN:
            mine.open, mine.since = True, self._clock
        elif statement.kind is Kind.END:
            if "COMMIT" in sql[:200].upper():
                self._committed_by(session)
            mine.end()
        elif statement.kind in {Kind.CHANGE, Kind.ADD}:
            mine.written.update(wanted)
            if not session.connection._autocommit and not mine.open:  # noqa: SLF001
                mine.open, mine.since = True, self._clock
            if mine.open:
                mine.done.append(repeat)
            else:
                self._committed_by(session)
        elif statement.kind is Kind.DEFINE:
            mine.written.update(wanted)
            self._committed_by(session)

    def _committed_by(self, session: Session) -> None:
        self._clock += 1
        for key in session.transaction.written:
            self._committed[key] = self._clock
        session.transaction.end()

    async def _failed(self, session: Session, kind: Kind) -> None:
        """A statement that fails takes no other with it; DuckDB gives up the whole transaction."""
        mine = session.transaction
        if kind is Kind.END:
            mine.end()
        if not mine.open:
            return
        duck = session.connection._duck_conn  # noqa: SLF001
        try:
            duck.execute("SELECT 1").fetchall()
        except duckdb.Error:
            with suppress(StoppedError):
                await self._again(session)


_CANNOT = Failure(
    "000625",
    "Your statement was aborted because it waited for a lock: others have committed since your transaction"
    " began, and this sandbox cannot repeat what it has done.",
    "57014",
)


def read(session: Session, sql: str) -> Statement:
    """What a statement does, by its head, as it may be megabytes."""
    head = sql[:4_000]
    for kind, pattern in _KINDS:
        if match := pattern.match(head):
            names = [match["name"]] if "name" in pattern.groupindex else []
            if kind is Kind.DEFINE:
                names += [more["name"] for more in _MORE.finditer(head)]
            column = kind is Kind.DEFINE and re.match(_SPACE + r"COMMENT\s+.*?\bCOLUMN\b", head, _FLAGS)
            keys = frozenset(full_name(session.connection, name, 1 if column else 0) for name in names)
            return Statement(
                kind,
                keys,
                temporary=_TEMPORARY.match(head) is not None,
                reads_from=match.end() if kind is Kind.ADD else 0,
            )
    return Statement(Kind.OTHER, frozenset())


def _mentions(sql: str, keys: Iterable[Key]) -> bool:
    text = sql.upper()
    return any(key[-1].upper() in text for key in keys)
