"""What a request to Snowflake's SQL API proves who it is with, and OAuth's access tokens for both transports.

The SQL API's ways: https://docs.snowflake.com/en/developer-guide/sql-api/authenticating
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any, Protocol

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from ml_connector import secrets
from ml_connector.load.errors import LoadError, TransientLoadError

from target_snowflake_ml.connections import http, sign_in
from target_snowflake_ml.connections.keys import private_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LIFETIME = 3_540
"""Seconds a key pair's token is made for; Snowflake allows an hour."""
RENEWED = 300
"""Seconds before its end at which the next one is made."""
_USUAL_LIFETIME = 600
"""Seconds that an access token is taken to last where its endpoint does not say."""
_ANSWER_SECONDS = (15.0, 30.0)
_PASSING = frozenset({408, 425, 429})
_MOST_TEXT = 200


class Proof(Protocol):
    """Makes the two headers that say who asks."""

    def headers(self) -> dict[str, str]:
        """``Authorization`` and the kind of token, valid for some minutes at least.

        Raises:
            LoadError: If there is no token to be had.
        """

    def renew(self) -> bool:
        """Forget the token that was just refused; tell whether another one may do better."""


class GivenToken:
    """A token that the settings say: a programmatic access token, or one of OAuth.

    Args:
        token: The token.
        kind: PROGRAMMATIC_ACCESS_TOKEN or OAUTH.
    """

    def __init__(self, token: str, kind: str) -> None:
        secrets.remember(token)
        self._token = token
        self._kind = kind

    def headers(self) -> dict[str, str]:
        """See :class:`Proof`."""
        return _headers(self._token, self._kind)

    def renew(self) -> bool:
        """There is no other one."""
        return False


class KeyPair:
    """Tokens signed with the user's RSA key, each for less than an hour.

    Args:
        account: Account identifier; what follows the first dot (a region) is no part of it.
        user: The user.
        config: Where the key is; see :func:`~target_snowflake_ml.connections.keys.private_key`.
        clock: Seconds since 1970.
    """

    def __init__(
        self, account: str, user: str, config: Mapping[str, Any], clock: Callable[[], float] = time.time
    ) -> None:
        self._key = private_key(config)
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._subject = f"{account.partition('.')[0]}.{user}".upper()
        fingerprint = base64.b64encode(hashlib.sha256(der).digest()).decode()
        self._issuer = f"{self._subject}.SHA256:{fingerprint}"
        self._clock = clock
        self._token = ""
        self._made = 0.0

    def headers(self) -> dict[str, str]:
        """See :class:`Proof`."""
        now = self._clock()
        if not self._token or now >= self._made + LIFETIME - RENEWED:
            claims = {"iss": self._issuer, "sub": self._subject, "iat": int(now), "exp": int(now) + LIFETIME}
            self._token, self._made = jwt.encode(claims, self._key, algorithm="RS256"), now
            secrets.remember(self._token)
        return _headers(self._token, "KEYPAIR_JWT")

    def renew(self) -> bool:
        """Another one helps where the old one has ended; a fresh one that is refused stays refused."""
        fresh = self._clock() - self._made < RENEWED
        self._token = ""
        return not fresh


class ClientCredentials:
    """Access tokens of OAuth's client credentials grant (RFC 6749, section 4.4), each used until it ends.

    Client and secret go in an Authorization header, which the RFC (2.3.1) has every server accept.

    Args:
        config: ``oauth_token_request_url``, ``oauth_client_id``, ``oauth_client_secret``, ``oauth_scope``
            (``session:role:<role>`` if it is unset and a role is set, as Snowflake's drivers ask).
        clock: Seconds that only grow.
    """

    def __init__(self, config: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._url = str(config["oauth_token_request_url"]).strip()
        if not self._url.lower().startswith(("https://", "http://")):
            raise LoadError("The setting oauth_token_request_url takes an address that begins with https://.")
        self._client = (str(config["oauth_client_id"]).strip(), str(config["oauth_client_secret"]))
        role = config.get("role")
        self._scope = config.get("oauth_scope") or (f"session:role:{role}" if role else None)
        self._clock = clock
        self._token = ""
        self._made = self._ends = 0.0

    def token(self) -> str:
        """An access token that is valid for a while.

        Raises:
            LoadError: If the endpoint refuses the client.
            TransientLoadError: If it does not answer properly.
        """
        if not self._token or self._clock() >= self._ends:
            self._fetch()
        return self._token

    def headers(self) -> dict[str, str]:
        """See :class:`Proof`."""
        return _headers(self.token(), "OAUTH")

    def renew(self) -> bool:
        """Another one helps where the old one has ended or was revoked; a fresh one stays refused."""
        fresh = self._clock() - self._made < 1
        self._token = ""
        return not fresh

    def _fetch(self) -> None:
        form = {"grant_type": "client_credentials", **({"scope": str(self._scope)} if self._scope else {})}
        with http.new_session({"Accept": "application/json"}) as session:
            answer = http.send(
                session,
                "POST",
                self._url,
                "The token endpoint (oauth_token_request_url)",
                data=form,
                auth=self._client,
                timeout=_ANSWER_SECONDS,
            )
        status = answer.status_code
        if status in _PASSING or status >= requests.codes.internal_server_error:
            raise TransientLoadError(f"The token endpoint {self._url} answered HTTP {status}.")
        try:
            said = answer.json()
        except ValueError:
            said = None
        token = said.get("access_token") if isinstance(said, dict) else None
        if status != requests.codes.ok or not token:
            raise LoadError(
                f"The token endpoint {self._url} gives no access token: {_refusal(status, said)} Check"
                " oauth_client_id, oauth_client_secret, oauth_scope and oauth_token_request_url."
            )
        secrets.remember(str(token))
        seconds = float(said.get("expires_in") or _USUAL_LIFETIME)
        self._token, self._made = str(token), self._clock()
        self._ends = self._made + max(seconds / 2, seconds - RENEWED)


def proof_of(config: Mapping[str, Any]) -> Proof:
    """How the settings say to sign in to the SQL API.

    Args:
        config: The settings, secrets in plain text.

    Raises:
        LoadError: If they name no way, the key cannot be read, or the SQL API does not know the way.
    """
    method = sign_in.method_of(config)
    if method == sign_in.TOKEN:
        return GivenToken(str(config["token"]), "PROGRAMMATIC_ACCESS_TOKEN")
    if method == sign_in.OAUTH:
        return GivenToken(str(config["oauth_token"]), "OAUTH")
    if method == sign_in.OAUTH_CLIENT_CREDENTIALS:
        return ClientCredentials(config)
    if method == sign_in.KEY_PAIR:
        return KeyPair(str(config["account"]), str(config["user"]), config)
    raise LoadError(
        "Snowflake's SQL API takes key pairs, programmatic access tokens and OAuth, but no workload identity:"
        " set transport to connector, or sign in otherwise."
    )


def _refusal(status: int, said: Any) -> str:
    """What an error answer says (RFC 6749, section 5.2): never more than its own fields."""
    fields = [said.get(name) for name in ("error", "error_description")] if isinstance(said, dict) else []
    text = ": ".join(str(field) for field in fields if field)[:_MOST_TEXT]
    return f"HTTP {status}{f', {text}' if text else ''}."


def _headers(token: str, kind: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Snowflake-Authorization-Token-Type": kind}
