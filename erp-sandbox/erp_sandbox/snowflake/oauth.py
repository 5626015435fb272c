"""The token endpoint of an identity provider, for clients with a secret.

https://www.rfc-editor.org/rfc/rfc6749#section-4.4; the connectors ask it for ``OAUTH_CLIENT_CREDENTIALS`` at
``oauth_token_request_url``.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from erp_sandbox.snowflake.auth import Accounts

TOKEN_REQUEST = "/oauth/token-request"  # noqa: S105 - a path
_ENDLESS = 3_600
_NEVER_KEPT = {"Cache-Control": "no-store"}


class TokenEndpoint:
    """Gives OAuth access tokens to the clients that are registered.

    Args:
        accounts: Who they are.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def routes(self) -> list[Route]:
        """What it answers."""
        return [Route(TOKEN_REQUEST, self.token, methods=["POST"])]

    async def token(self, request: Request) -> Response:
        """Give a token for ``grant_type=client_credentials``."""
        fields = {name: found[0] for name, found in parse_qs((await request.body()).decode()).items()}
        if fields.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type")
        client, secret = _client(request.headers.get("authorization", ""), fields)
        token = self._accounts.token_for(client, secret)
        if token is None:
            return _refusal(401, "invalid_client")
        found = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(self._accounts.token_lifetime or _ENDLESS),
            "scope": fields.get("scope", ""),
        }
        return JSONResponse(found, headers=_NEVER_KEPT)


def _client(header: str, fields: dict[str, str]) -> tuple[str, str]:
    """Id and secret, from the header or, if there is none, from the body."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return fields.get("client_id", ""), fields.get("client_secret", "")
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(client), unquote(secret)


def _refusal(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status_code=status, headers=_NEVER_KEPT)
