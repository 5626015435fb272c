"""Sessions of the account: who they are, how long their tokens are good for, and when they are dead."""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import fakesnow.server as fakesnow_server

from erp_sandbox.snowflake.parameters import parameters
from erp_sandbox.snowflake.transactions import Transaction

if TYPE_CHECKING:
    from starlette.requests import Request

SILENCE_OF_THE_DEAD = 3.0
"""Seconds of silence inside a transaction after which another login, or who wants its tables, ends a session.

Snowflake gives it five minutes, which tests have not; https://docs.snowflake.com/en/sql-reference/transactions#aborting-transactions
"""
SESSION_SECONDS = 3_600.0
MASTER_SECONDS = 14_400.0
"""https://docs.snowflake.com/en/user-guide/session-policies: four hours, unless the client keeps it alive."""

_NUMBERS = itertools.count(1_000_001)
_KEPT = 10_000
_USE = re.compile(r'^\s*USE\s+(?P<what>ROLE|WAREHOUSE)\s+(?P<name>"[^"]+"|\w+)\s*;?\s*$', re.IGNORECASE)


class SessionError(Exception):
    """A token that opens nothing.

    Attributes:
        code: Snowflake's code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# what the drivers act upon: net.snowflake.client.core.SFSession and Constants in
# https://github.com/snowflakedb/snowflake-jdbc, and network.py of the Python connector
NOT_GIVEN = ("390103", "Session token not found in the request data.")
UNKNOWN = ("390104", "User must login again to access the service.")
GONE = ("390111", "Session no longer exists. New login required to access the service.")
EXPIRED = ("390112", "Your session has expired. Please login again.")
MASTER_EXPIRED = ("390114", "Authentication token has expired. The user must authenticate again.")


@dataclass(eq=False)
class Session:
    """One session, of the connector or of a single request to the SQL API.

    Attributes:
        connection: fakesnow's connection.
        role: The current role.
        warehouse: The current warehouse.
        token: What the client shows for it.
        master: What it shows for another token.
        until: When the token ends.
        master_until: When the master token ends.
        number: The session's id.
        transaction: What it has begun.
        temporary: Full names of its temporary tables and stages.
        busy: How many statements of it run.
        seen: When it was last heard of.
        turn: Taken by the statement that runs.
        silence: Seconds after which it is dead.
    """

    connection: Any
    role: str
    warehouse: str | None
    token: str = ""
    master: str = ""
    until: float = 0.0
    master_until: float = 0.0
    number: int = field(default_factory=lambda: next(_NUMBERS))
    transaction: Transaction = field(default_factory=Transaction)
    temporary: set[tuple[str, ...]] = field(default_factory=set)
    busy: int = 0
    seen: float = field(default_factory=time.monotonic)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    silence: float = SILENCE_OF_THE_DEAD

    @property
    def parameters(self) -> dict[str, str]:
        """Its parameters, names in capitals."""
        return parameters(self.connection)

    @property
    def dead(self) -> bool:
        """Whether it is silent for so long that nobody waits for it any more."""
        return not self.busy and time.monotonic() - self.seen > self.silence

    def heard(self, sql: str) -> None:
        """Take over what a statement that was carried out says of the session."""
        if match := _USE.match(sql):
            name = match["name"].strip('"') if match["name"].startswith('"') else match["name"].upper()
            if match["what"].upper() == "ROLE":
                self.role = name
            else:
                self.warehouse = name

    def left(self) -> None:
        """Note that a statement has ended."""
        self.busy -= 1
        self.seen = time.monotonic()


class Sessions:
    """The connectors' sessions.

    Args:
        lifetime: Seconds a session's token is good for.
        master_lifetime: Seconds for which it can be renewed.
    """

    def __init__(self, lifetime: float = SESSION_SECONDS, master_lifetime: float = MASTER_SECONDS) -> None:
        self.lifetime = lifetime
        self.master_lifetime = master_lifetime
        self._sessions: dict[str, Session] = {}
        self._ended: dict[str, tuple[str, str]] = {}
        fakesnow_server.sessions.clear()

    def __iter__(self) -> Any:
        return iter(list(self._sessions.values()))

    def opened(self, session: Session) -> None:
        """Take a session that fakesnow has opened under its token."""
        session.master = f"master-{secrets.token_urlsafe(24)}"
        session.until = time.monotonic() + self.lifetime
        session.master_until = time.monotonic() + self.master_lifetime
        self._sessions[session.token] = session

    def of(self, request: Request) -> Session:
        """Whose request it is.

        Raises:
            SessionError: If its token opens nothing, or nothing any more.
        """
        token = _token(request)
        session = self._sessions.get(token)
        if session is None:
            raise SessionError(*self._ended.get(token, UNKNOWN))
        if session.until < time.monotonic():
            raise SessionError(*EXPIRED)
        return session

    def renewed(self, request: Request) -> Session:
        """Give a session another token, for who has its master token.

        Raises:
            SessionError: If that one has ended, or is none.
        """
        master = _token(request)
        session = next((each for each in self._sessions.values() if each.master == master), None)
        if session is None or session.master_until < time.monotonic():
            raise SessionError(*MASTER_EXPIRED)
        self._forget(session, EXPIRED)
        session.token = secrets.token_urlsafe(32)
        session.until = time.monotonic() + self.lifetime
        self._sessions[session.token] = session
        fakesnow_server.sessions[session.token] = session.connection
        return session

    def abort(self, number: int) -> None:
        """Let the session of a number go, if there is one."""
        for session in self:
            if session.number == number:
                self._forget(session, GONE)
                if not session.busy:
                    roll_back(session)

    def end(self, session: Session) -> None:
        """Let a session go, and with it what it had begun."""
        self._forget(session, GONE)
        roll_back(session)

    def bury_the_dead(self) -> None:
        """End what killed clients left in a transaction; others that are silent may come back."""
        for session in self:
            if session.dead and session.transaction.open:
                self.end(session)
            elif session.dead:  # whether it is known or not: DuckDB may hold one
                roll_back(session)

    def _forget(self, session: Session, why: tuple[str, str]) -> None:
        self._sessions.pop(session.token, None)
        fakesnow_server.sessions.pop(session.token, None)
        self._ended[session.token] = why
        while len(self._ended) > _KEPT:
            self._ended.pop(next(iter(self._ended)))


def roll_back(session: Session) -> None:
    """Undo what a session has begun, and let go of its tables."""
    with suppress(duckdb.Error):
        session.connection._duck_conn.rollback()  # noqa: SLF001 - there is no public word for it
    session.connection._in_transaction = False  # noqa: SLF001
    session.transaction.end()


def _token(request: Request) -> str:
    header = request.headers.get("Authorization") or ""
    if not header:
        raise SessionError(*NOT_GIVEN)
    token: str = fakesnow_server.to_token(request)
    return token
