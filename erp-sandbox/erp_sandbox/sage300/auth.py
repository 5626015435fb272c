"""Who may ask: HTTP Basic with a Sage 300 user, then the session's cookie."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Final

from erp_sandbox.sage300.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE: Final = "ASP.NET_SessionId"
ADMIN: Final = "ADMIN"


@dataclass(frozen=True)
class Login:
    """A request let in.

    Attributes:
        user: The Sage 300 user.
        session: The session id.
        new: Whether the answer must set the cookie.
    """

    user: str
    session: str
    new: bool


class Gatekeeper:
    """Checks credentials and keeps sessions.

    Users and passwords are stored and compared in upper case, as Sage 300 does (inferred: every published
    sample is upper-case), so credentials in lower case are refused.

    Args:
        username: The one user with Web API rights.
        password: Its password.
        allow_admin: Let ``ADMIN`` in, which a real server refuses until its web.config is changed.
    """

    def __init__(self, username: str, password: str, *, allow_admin: bool = False) -> None:
        self._username = username.upper()
        self._password = password.upper()
        self._allow_admin = allow_admin
        self._sessions: dict[str, str] = {}
        self._lock = threading.Lock()

    def admit(self, headers: Mapping[str, str]) -> Login:
        """Let a request in or refuse it.

        Args:
            headers: The request's headers, found without regard to case.

        Returns:
            Who asks, and in which session.

        Raises:
            ApiError: ``Unauthorized`` or ``Forbidden``.
        """
        session = session_of(headers)
        authorization = headers.get("authorization")
        with self._lock:
            user = self._sessions.get(session or "")
        if authorization is None:
            if user is None or session is None:
                raise ApiError("Unauthorized", "The request carries neither credentials nor a live session")
            return Login(user, session, new=False)
        asked = self._verify(authorization)
        if user == asked and session is not None:
            return Login(asked, session, new=False)
        session = secrets.token_hex(12)
        with self._lock:
            self._sessions[session] = asked
        return Login(asked, session, new=True)

    def forget(self, session: str | None) -> bool:
        """End one session; False when it was not alive."""
        with self._lock:
            return self._sessions.pop(session or "", None) is not None

    def forget_all(self) -> None:
        """End every session, as a recycled application pool does."""
        with self._lock:
            self._sessions.clear()

    def _verify(self, authorization: str) -> str:
        user, password = _basic(authorization)
        if user == ADMIN and not self._allow_admin:
            raise ApiError("Forbidden", "The user ADMIN is not allowed to use the Web API")
        if user == ADMIN and password in {ADMIN, self._password}:
            return user
        if (user, password) != (self._username, self._password):
            raise ApiError("Unauthorized", "The user ID or the password is not valid")
        return user


def session_of(headers: Mapping[str, str]) -> str | None:
    """The session id in the request's cookies, or None."""
    morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    return morsel.value if morsel else None


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.casefold() != "basic":
        raise ApiError("Unauthorized", "The Web API takes HTTP Basic credentials")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError("Unauthorized", "The Basic credentials are not base64 of user:password") from error
    user, _, password = text.partition(":")
    return user, password
