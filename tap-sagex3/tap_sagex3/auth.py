"""Who the tap is: Basic, a connected application, or tokens of Sage X3 Cloud (reference 1.6 and 3)."""

from __future__ import annotations

import base64
import threading
import time
from abc import ABC, abstractmethod
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from ml_connector.extract.errors import SignInRefused
from ml_connector.secrets import remember

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_sagex3.tokens import Tokens

BACK: Final = 30.0
"""Seconds that a token is dated back, so that a clock that is a little ahead does not spoil it."""
MARGIN: Final = 30.0
"""Seconds before its end at which a token is renewed, or a fifth of its life if that is less."""
_SKEW: Final = 5.0
_SHARE: Final = 5


class Authorization(ABC):
    """Makes the headers of a request; safe to use from several threads."""

    renewable = True
    """Whether a refused token may be replaced by a fresh one."""

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """The headers of a request that is sent now.

        Raises:
            SignInRefused: No token can be had.
        """

    @abstractmethod
    def refused(self, headers: Mapping[str, str], date: str | None) -> None:
        """Be told that a request was refused; the next one gets a fresh token.

        Args:
            headers: Those of the request: a token that was replaced meanwhile is no reason to renew again.
            date: The server's clock as an HTTP date, if it was told.
        """


class Basic(Authorization):
    """A Syracuse user and password: on-premise only.

    Args:
        user: The user.
        password: The password.
    """

    renewable = False

    def __init__(self, user: str, password: str) -> None:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        remember(token)
        self._headers = {"Authorization": f"Basic {token}"}

    def headers(self) -> dict[str, str]:
        """The same for every request."""
        return dict(self._headers)

    def refused(self, headers: Mapping[str, str], date: str | None) -> None:
        """Nothing can be renewed."""


class Bearer(Authorization):
    """A token with an end, made anew before it.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def headers(self) -> dict[str, str]:
        """The token, renewed if it is about to end."""
        with self._lock:
            if self._clock() >= self._until:
                self._token, life = self._made()
                remember(self._token)
                self._until = self._clock() + life - min(MARGIN, life / _SHARE)
            return {"Authorization": f"Bearer {self._token}"}

    def refused(self, headers: Mapping[str, str], date: str | None) -> None:
        """Forget the token that was refused."""
        with self._lock:
            if headers.get("Authorization") == f"Bearer {self._token}":
                self._until = 0.0
                self._told(date)

    @abstractmethod
    def _made(self) -> tuple[str, float]:
        """A token, and the seconds that it lives from now."""

    def _told(self, date: str | None) -> None:
        """Hear the server's clock."""


class ConnectedApp(Bearer):
    """A connected application signs its own tokens: there is no token endpoint (reference 3.1).

    Args:
        config: The tap's settings, revealed.
        clock: Seconds since 1970.
    """

    def __init__(self, config: Mapping[str, Any], clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock)
        self._claims = {
            "iss": config["client_id"],
            "sub": config["user"],
            "aud": config.get("audience") or "",
        }
        self._secret = str(config["client_secret"])
        self._lifetime = float(config["token_lifetime"])
        self._ahead = 0.0
        self._used: set[int] = set()

    def _made(self) -> tuple[str, float]:
        import jwt  # noqa: PLC0415 - a twentieth of the start, for those who sign in otherwise

        # the server may check that exp - iat is no longer than the application allows
        begun = int(self._clock() - self._ahead - min(BACK, self._lifetime / 2))
        # two tokens of one second would be the same text, and the second one refused like the first
        while begun in self._used:
            begun -= 1
        self._used = {each for each in self._used if each > begun - self._lifetime} | {begun}
        claims = {**self._claims, "iat": begun, "exp": begun + int(self._lifetime)}
        life = begun + self._lifetime - (self._clock() - self._ahead)
        return jwt.encode(claims, self._secret, algorithm="HS256"), life

    def _told(self, date: str | None) -> None:
        """A clock that is ahead or behind spoils every token: go by the server's (reference 2.4)."""
        try:
            ahead = self._clock() - parsedate_to_datetime(date or "").timestamp()
        except (TypeError, ValueError):
            return
        self._ahead = ahead if abs(ahead) > _SKEW else 0.0


class CloudTokens(Bearer):
    """Tokens that a token endpoint gives.

    Args:
        tokens: Asks the endpoint.
        api_key: Sent with every request, if there is one.
        clock: Seconds since 1970.
    """

    def __init__(self, tokens: Tokens, api_key: str | None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock)
        self._tokens = tokens
        self._api_key = api_key

    def headers(self) -> dict[str, str]:
        """The token, with the API key."""
        found = super().headers()
        return {**found, "X-API-Key": self._api_key} if self._api_key else found

    def _made(self) -> tuple[str, float]:
        return self._tokens.access()


def missing_settings(config: Mapping[str, Any]) -> str:
    """Which setting is missing for the way of signing in, if any.

    Args:
        config: The tap's settings.

    Returns:
        A sentence; empty if all is there.
    """
    way = way_of(config)
    needed = {
        "basic": ("username", "password"),
        "connected_app": ("client_id", "client_secret", "user"),
        "authorization_code": ("client_id", "client_secret", "token_url"),
        "client_credentials": ("client_id", "client_secret", "token_url"),
    }[way]
    missing = [name for name in needed if not config.get(name)]
    return f"auth is {way}, which needs {', '.join(missing)}." if missing else ""


def way_of(config: Mapping[str, Any]) -> str:
    """The setting `auth`; without it Basic where there is a user name, else a connected application."""
    given = config.get("auth")
    if given:
        return str(given)
    return "basic" if config.get("username") else "connected_app"


def authorization(config: Mapping[str, Any], tokens: Callable[[], Tokens]) -> Authorization:
    """Choose the way of signing in.

    Args:
        config: The tap's settings, revealed.
        tokens: Makes what asks the token endpoint, where one is needed.

    Returns:
        It.

    Raises:
        SignInRefused: A setting is missing.
    """
    if problem := missing_settings(config):
        raise SignInRefused(f"The settings are not complete: {problem}")
    way = way_of(config)
    if way == "basic":
        return Basic(str(config["username"]), str(config["password"]))
    if way == "connected_app":
        return ConnectedApp(config)
    return CloudTokens(tokens(), config.get("api_key"))
