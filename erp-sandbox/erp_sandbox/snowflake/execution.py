"""One statement on its way: held back, let in, locked, limited in time, and stopped when somebody says so."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from erp_sandbox.snowflake.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from erp_sandbox.snowflake.roles import Roles
    from erp_sandbox.snowflake.sessions import Session
    from erp_sandbox.snowflake.transactions import Transactions

    Work = Callable[[str], Awaitable[Any]]
    Repeat = Callable[[], None]

T = TypeVar("T")

CANCELLED = Failure("000604", "SQL execution canceled", "57014")
_SHORT = 10_000
"""Characters up to which a statement is searched for functions that it may call."""
LONGEST = 172_800.0
"""Seconds a statement may run where nobody says otherwise.

https://docs.snowflake.com/en/sql-reference/parameters#statement-timeout-in-seconds
"""
# https://docs.snowflake.com/en/sql-reference/functions/system_wait
_WAIT = re.compile(
    r"SYSTEM\$WAIT\s*\(\s*(?P<count>\d+(?:\.\d+)?)\s*(?:,\s*'?(?P<unit>[A-Za-z]+)'?\s*)?\)", re.IGNORECASE
)
_CALL = re.compile(r"^\s*CALL\s+(?=SYSTEM\$WAIT)", re.IGNORECASE)
# https://docs.snowflake.com/en/sql-reference/functions/system_abort_session
_ABORT = re.compile(
    r"SYSTEM\$ABORT_SESSION\s*\(\s*(?P<number>\d+|CURRENT_SESSION\s*\(\s*\))\s*\)", re.IGNORECASE
)
_SESSION = re.compile(r"\bCURRENT_SESSION\s*\(\s*\)", re.IGNORECASE)
_UNITS = {"MILLISECONDS": 0.001, "SECONDS": 1.0, "MINUTES": 60.0, "HOURS": 3600.0, "DAYS": 86_400.0}


class StoppedError(Exception):
    """A statement that did not come to its end.

    Attributes:
        failure: What its client is told.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Running:
    """A statement, or a request of several, that can be stopped while it runs.

    Attributes:
        failure: Why it was stopped, if it was.
    """

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self._stopped = asyncio.Event()

    def stop(self, failure: Failure) -> None:
        """Stop it; what was said first counts."""
        self.failure = self.failure or failure
        self._stopped.set()

    def time_out(self, seconds: float) -> None:
        """Stop it as one that ran for too long."""
        limit = f"its statement or warehouse timeout of {seconds:g} second(s)"
        self.stop(Failure("000630", f"Statement reached {limit} and was canceled.", "57014"))

    async def pause(self, seconds: float) -> None:
        """Wait, unless it is stopped.

        Raises:
            StoppedError: If it is stopped, before or meanwhile.
        """
        if seconds > 0 and self.failure is None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)
        if self.failure:
            raise StoppedError(self.failure)

    async def finished(self, work: Awaitable[T], connection: Any) -> T:
        """What some work comes to; DuckDB is interrupted once it is stopped.

        Raises:
            StoppedError: If it was stopped and failed by that.
        """
        task: asyncio.Future[T] = asyncio.ensure_future(work)
        stopped: asyncio.Future[Any] = asyncio.ensure_future(self._stopped.wait())
        either: set[asyncio.Future[Any]] = {task, stopped}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            while not task.done():
                # it may be between two of DuckDB's statements, so once is not enough
                with suppress(duckdb.Error):
                    connection._duck_conn.interrupt()  # noqa: SLF001 - there is no public word for it
                await asyncio.wait({task}, timeout=0.02)
        finally:
            stopped.cancel()
        try:
            return task.result()  # what was done in spite of all is told as done
        except Exception:
            if self.failure:
                raise StoppedError(self.failure) from None
            raise


@dataclass(frozen=True)
class Execution:
    """How statements are carried out, whichever way they came.

    Attributes:
        transactions: Who holds which table.
        latency: Seconds each statement is held back.
        end: Ends the session of a number.
        slow: Words, and the seconds for which a statement that contains one runs longer.
        roles: Who may do what; None where everybody may everything.
    """

    transactions: Transactions
    end: Callable[[int], None]
    latency: float = 0.0
    slow: Sequence[tuple[str, float]] = field(default=())
    roles: Roles | None = None

    async def run(
        self, session: Session, sql: str, running: Running, work: Work, repeat: Repeat | None
    ) -> Any:
        """Carry out one statement.

        Args:
            session: Whose it is.
            sql: The statement as the client wrote it.
            running: What can stop it.
            work: Does it, given what is left of it to do.
            repeat: Does it once more, as it is, for :class:`Transactions`; None where that cannot be done.

        Raises:
            StoppedError: If it was stopped, or could not have its tables.
        """
        limit = float(session.parameters.get("STATEMENT_TIMEOUT_IN_SECONDS") or 0) or LONGEST
        timer = asyncio.get_running_loop().call_later(limit, running.time_out, limit)
        session.busy += 1
        try:
            async with session.turn:
                await running.pause(self.latency)
                admission = self.roles.admitted(session, sql) if self.roles else None
                left, seconds = _waited(_numbered(admission.sql if admission else sql, session))
                left, ended = _aborted(left)
                async with self.transactions.statement(session, sql, running, repeat):
                    await running.pause(seconds + self._extra(sql))
                    found = await running.finished(work(left), session.connection)
                session.heard(sql)
                if self.roles and admission:
                    self.roles.carried_out(session, admission)
                if ended is not None:
                    self.end(ended)
                return found
        finally:
            timer.cancel()
            session.left()

    def _extra(self, sql: str) -> float:
        return sum(seconds for word, seconds in self.slow if word.upper() in sql.upper())


def _numbered(sql: str, session: Session) -> str:
    return _SESSION.sub(str(session.number), sql) if len(sql) < _SHORT else sql


def _aborted(sql: str) -> tuple[str, int | None]:
    """A statement without the session that it ends, and that session's number."""
    if len(sql) < _SHORT and (match := _ABORT.search(sql)):
        return _ABORT.sub("'session terminated.'", sql), int(match["number"])
    return sql, None


def _waited(sql: str) -> tuple[str, float]:
    """A statement without its waiting, and for how long it waits."""
    if len(sql) > _SHORT or not _WAIT.search(sql):
        return sql, 0.0
    seconds = 0.0

    def said(match: re.Match[str]) -> str:
        nonlocal seconds
        unit = (match["unit"] or "SECONDS").upper()
        seconds += float(match["count"]) * _UNITS.get(unit, 1.0)
        return f"'waited {match['count']} {unit.lower()}'"

    return _WAIT.sub(said, _CALL.sub("SELECT ", sql)), seconds
