"""Who may call: Basic, a connected application's own tokens, and the tokens that the gateway gave out."""

from __future__ import annotations

import base64
import binascii
import hmac
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import jwt

from erp_sandbox.sagex3.errors import diagnoses, gateway, plain, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from erp_sandbox.sagex3.errors import Refused
    from erp_sandbox.sagex3.tokens import TokenOffice

CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Syracuse"'}
_ISSUER, _SUBJECT, _AUDIENCE, _UNTRUSTED, _FUTURE = 41, 42, 45, 50, 21


@dataclass(frozen=True)
class Credentials:
    """What a client has to know.

    Attributes:
        username: A Syracuse user of the basic type.
        password: Its password.
        client_id: Of the connected application, and of the gateway's.
        client_secret: Its secret.
        user: The connected application's allowed user.
        audience: The connected application's address, as registered; often empty.
        token_seconds: Longest life of a token that the application signs.
        api_key: What goes with a client-credentials token.
        api_audience: Audience that such a token is asked for.
    """

    username: str = "ADMIN"
    password: str = "admin"  # noqa: S105 - a simulator's
    client_id: str = "CLIENT"
    client_secret: str = "client-secret-of-the-sandbox-0001"  # noqa: S105
    user: str = "WEBUSER"
    audience: str = ""
    token_seconds: float = 600.0
    api_key: str = "API-KEY"
    api_audience: str = "https://api.sandbox"


class Gatekeeper:
    """Lets requests in, or says why not.

    Args:
        credentials: What is right.
        office: Where the gateway's tokens come from.
        basic: Whether Basic is allowed.
        requests: After how many requests a token dies; None for never.
        skew: By how many seconds the server's clock is ahead of the client's.
    """

    def __init__(
        self,
        credentials: Credentials,
        office: TokenOffice,
        *,
        basic: bool = True,
        requests: int | None = None,
        skew: float = 0.0,
    ) -> None:
        self._credentials = credentials
        self._office = office
        self._basic = basic
        self._requests = requests
        self._skew = skew
        self._used: Counter[str] = Counter()
        self._lock = threading.Lock()

    def admit(self, headers: Mapping[str, str]) -> str:
        """Check a request; return how it was let in, for the log.

        Raises:
            Refused: With the answer, if it may not pass.
        """
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._admit_bearer(given.strip(), headers)
        if scheme.lower() == "basic" and self._basic and self._is_user(given):
            return "basic"
        raise _unauthorized()

    def _is_user(self, given: str) -> bool:
        try:
            text = base64.b64decode(given, validate=True)
        except binascii.Error:
            return False
        right = f"{self._credentials.username}:{self._credentials.password}"
        return hmac.compare_digest(text, right.encode())

    def _admit_bearer(self, token: str, headers: Mapping[str, str]) -> str:
        claims = _claims(token)
        if claims is None or "azp" in claims:
            return self._admit_gateway(token, headers)
        self._check_connected(token, claims)
        if not self._is_alive(token):
            raise _invalid(_UNTRUSTED)
        return "connected-app"

    def _admit_gateway(self, token: str, headers: Mapping[str, str]) -> str:
        claims = self._office.read(token)
        if claims is None or not self._is_alive(token):
            raise gateway(401, "Unauthorised")
        if (
            claims.get("gty") == "client-credentials"
            and headers.get("x-api-key") != self._credentials.api_key
        ):
            raise gateway(403, "Forbidden")
        return "gateway"

    def _check_connected(self, token: str, claims: Mapping[str, Any]) -> None:
        """The checks in the order in which X3's error numbers show them to be made."""
        known, now = self._credentials, time.time() + self._skew
        if claims.get("iss") != known.client_id:
            raise _invalid(_ISSUER)
        if claims.get("sub") != known.user:
            raise _invalid(_SUBJECT)
        if claims.get("aud", "") != known.audience:
            raise _invalid(_AUDIENCE)
        if not _is_signed(token, known.client_secret):
            raise _invalid(_UNTRUSTED)
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            raise _invalid(_UNTRUSTED)
        if expires <= now or expires - issued > known.token_seconds:
            raise _invalid(_UNTRUSTED)
        if issued > now:
            raise _invalid(_FUTURE)

    def _is_alive(self, token: str) -> bool:
        with self._lock:
            self._used[token] += 1
            return self._requests is None or self._used[token] <= self._requests


def _claims(token: str) -> dict[str, Any] | None:
    """What a token says of itself, believed or not; None if it is no JWT."""
    try:
        found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return found


def _is_signed(token: str, secret: str) -> bool:
    # what the claims say is checked elsewhere, as the order of the checks shows in the error numbers
    try:
        jwt.PyJWS(["HS256"]).decode(token, secret.encode(), ["HS256"])
    except jwt.PyJWTError:
        return False
    return True


def _invalid(number: int) -> Refused:
    return plain(401, f"Error {number}: Invalid token")


def _unauthorized() -> Refused:
    found = refused(401, "Unauthorized")
    found.response = diagnoses(401, "Unauthorized")
    found.response.headers.update(CHALLENGE)
    return found
