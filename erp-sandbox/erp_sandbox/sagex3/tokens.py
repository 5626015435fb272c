"""The gateway's tokens: by a user's consent and refreshed since, or for client credentials (reference 3)."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import jwt
from starlette.responses import JSONResponse, RedirectResponse, Response

from erp_sandbox.sagex3.errors import Refused, gateway

if TYPE_CHECKING:
    from collections.abc import Mapping

    from erp_sandbox.sagex3.auth import Credentials

AUTHORISE: Final = "/v1/token/authorise"
TOKEN: Final = "/v1/token"  # noqa: S105 - a path
CLIENT_CREDENTIALS: Final = "/oauth/token"
_REFRESH_SECONDS: Final = 30 * 24 * 3600
_COMMON: Final = ("client_id", "client_secret", "grant_type")
_GRANTS: Final = {"authorization_code": ("code", "redirect_uri"), "refresh_token": ("refresh_token",)}


class TokenOffice:
    """Gives out tokens and knows them again.

    Args:
        credentials: The application's.
        seconds: Life of an access token.
        first_refresh: A refresh token that is good once, so that a client may begin as if it were paired.
    """

    def __init__(
        self, credentials: Credentials, *, seconds: float = 300.0, first_refresh: str | None = None
    ) -> None:
        self._credentials = credentials
        self._seconds = seconds
        self._secret = secrets.token_hex(32)
        self._codes: dict[str, str] = {}
        self._refreshes: dict[str, float] = {}
        self._lock = threading.Lock()
        if first_refresh:
            self._refreshes[first_refresh] = time.time() + _REFRESH_SECONDS

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of this office that is alive."""
        # the library compares whole seconds, and a token here may live for less
        options: Any = {"verify_aud": False, "verify_exp": False}
        try:
            found: dict[str, Any] = jwt.decode(token, self._secret, algorithms=["HS256"], options=options)
        except jwt.PyJWTError:
            return None
        return found if found["exp"] > time.time() else None

    def authorise(self, options: Mapping[str, str], origin: str) -> Response:
        """Where a user's browser is sent; this user accepts at once.

        Raises:
            Refused: If something is missing or unknown.
        """
        _demand(options, ("client_id", "scope", "customer", "redirect_uri"))
        self._known(options["client_id"])
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._codes[code] = options["redirect_uri"]
        back = f"{options['redirect_uri']}?code={code}&endpoint={origin}/v1"
        return RedirectResponse(back + (f"&state={options['state']}" if "state" in options else ""), 302)

    def token(self, body: Mapping[str, Any]) -> Response:
        """Answer ``POST /v1/token``.

        Raises:
            Refused: If the grant is not good.
        """
        _demand(body, _COMMON)
        wanted = _GRANTS.get(body["grant_type"])
        if wanted is None:
            raise gateway(400, "Invalid grant type")
        _demand(body, wanted)
        self._known(body["client_id"])
        if body["client_secret"] != self._credentials.client_secret:
            raise gateway(403, "Application disabled")
        with self._lock:
            self._spend(body)
            refresh = secrets.token_urlsafe(32)
            self._refreshes[refresh] = time.time() + _REFRESH_SECONDS
        access = self._signed({"scopes": "api.graphQL", "sub": "configuration"})
        return self._given(access, refresh_token=refresh)

    def client_token(self, body: Mapping[str, Any]) -> Response:
        """Answer ``POST /oauth/token``.

        Raises:
            Refused: If the client or the audience is not known.
        """
        known = self._credentials
        if body.get("grant_type") != "client_credentials":
            raise _denied(400, "unsupported_grant_type", f"Unsupported grant type: {body.get('grant_type')}")
        if (body.get("client_id"), body.get("client_secret")) != (known.client_id, known.client_secret):
            raise _denied(401, "access_denied", "Unauthorized")
        if body.get("audience") != known.api_audience:
            raise _denied(403, "access_denied", f"Service not found: {body.get('audience')}")
        return self._given(self._signed({"gty": "client-credentials", "sub": f"{known.client_id}@clients"}))

    def _spend(self, body: Mapping[str, Any]) -> None:
        """Take what was given for a token; neither a code nor a refresh token is good twice."""
        if body["grant_type"] == "authorization_code":
            address = self._codes.pop(body["code"], None)
            if address is None:
                raise gateway(403, "Pairing not found")
            if address != body["redirect_uri"]:
                raise gateway(404, "Unknown redirect_uri")
        elif self._refreshes.pop(body["refresh_token"], 0.0) < time.time():
            raise gateway(403, "Request expired")

    def _known(self, client_id: Any) -> None:
        if client_id != self._credentials.client_id:
            raise gateway(404, "Unknown client_id")

    def _signed(self, claims: dict[str, Any]) -> str:
        now = time.time()
        common = {"iss": "sandbox", "aud": self._credentials.api_audience, "azp": self._credentials.client_id}
        # the name keeps two tokens of the same second apart
        lasting = {"iat": now, "exp": now + self._seconds, "jti": secrets.token_hex(8)}
        return jwt.encode({**common, **lasting, **claims}, self._secret, "HS256")

    def _given(self, access: str, **more: str) -> Response:
        given = {"access_token": access, "expires_in": int(self._seconds), "token_type": "Bearer", **more}
        return JSONResponse(given)


def _demand(body: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if any(not isinstance(body.get(name), str) or not body[name] for name in names):
        raise gateway(400, "Missing required request parameters")


def _denied(status: int, error: str, description: str) -> Refused:
    return Refused(JSONResponse({"error": error, "error_description": description}, status))
