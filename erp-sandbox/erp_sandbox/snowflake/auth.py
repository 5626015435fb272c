"""Who may log in: key-pair JWTs are truly verified, tokens compared.

JWT claims: https://docs.snowflake.com/en/developer-guide/sql-api/authenticating (``iss`` is
``ACCOUNT.USER.SHA256:fingerprint``, ``sub`` is ``ACCOUNT.USER``, at most one hour). What the connectors send:
https://github.com/snowflakedb/snowflake-connector-python/tree/main/src/snowflake/connector/auth
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

JWT_INVALID = ("390144", "JWT token is invalid.")
REFUSED = ("390100", "Incorrect username or password was specified.")
TOKEN_INVALID = ("394400", "Programmatic access token is invalid.")
# 390303 and 390318 are what the connector renews its token for; https://docs.snowflake.com/en/user-guide/oauth-ext-overview
OAUTH_INVALID = ("390303", "Invalid OAuth access token.")
OAUTH_EXPIRED = ("390318", "OAuth access token expired.")
OAUTH_OTHER = (
    "390309",
    "The user you were trying to authenticate as differs from the user tied to the access token.",
)
# no code of it is documented; this one is inferred
WORKLOAD_INVALID = ("390303", "Invalid workload identity token.")
WORKLOAD_EXPIRED = ("390318", "Workload identity token expired.")
LONGEST_LIFE = 3_660


class LoginError(Exception):
    """The login is refused.

    Attributes:
        code: Snowflake's error code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Accounts:
    """What is registered: one user with its public keys and tokens.

    Attributes:
        account: Account identifier, upper case.
        user: User name, upper case.
        keys: Public key by fingerprint (``SHA256:…``).
        tokens: Programmatic access tokens.
        oauth_tokens: OAuth access tokens that somebody else gave out.
        oauth_clients: Secret by id of the clients that may ask for tokens here.
        workload_tokens: OpenID tokens of workloads that are the user.
        token_lifetime: Seconds until a token ends; 0 for never.
        issued: When each token that was given out here ends.
        began: From when the others' lifetime counts.
    """

    account: str
    user: str
    keys: Mapping[str, Any]
    tokens: Sequence[str] = ()
    oauth_tokens: Sequence[str] = ()
    oauth_clients: Mapping[str, str] = field(default_factory=dict)
    workload_tokens: Sequence[str] = ()
    token_lifetime: float = 0.0
    issued: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @staticmethod
    def keys_of(files: Iterable[Path]) -> dict[str, Any]:
        """Read public keys.

        Raises:
            ValueError: If a file holds no public key.
        """
        keys = {}
        for path in files:
            key = serialization.load_pem_public_key(path.read_bytes())
            der = key.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            keys["SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()] = key
        return keys

    def check(self, data: Mapping[str, Any]) -> None:
        """Check the ``data`` of a login request.

        Raises:
            LoginError: With Snowflake's code, if it is refused.
        """
        method = str(data.get("AUTHENTICATOR") or "").upper()
        token = str(data.get("TOKEN") or "")
        named = str(data.get("LOGIN_NAME") or "").upper()
        if method in {"OAUTH", "WORKLOAD_IDENTITY"}:  # these tokens say whose they are
            if method == "OAUTH":
                self._check_oauth(token)
            elif data.get("PROVIDER") == "OIDC":
                self._check_given(token, self.workload_tokens, WORKLOAD_INVALID, WORKLOAD_EXPIRED)
            else:
                raise LoginError(*WORKLOAD_INVALID)
            if named not in {"", self.user}:
                raise LoginError(*OAUTH_OTHER)
            return
        if named != self.user:
            raise LoginError(*(JWT_INVALID if method == "SNOWFLAKE_JWT" else REFUSED))
        if method == "SNOWFLAKE_JWT":
            self._check_jwt(token)
        elif method == "PROGRAMMATIC_ACCESS_TOKEN":
            self._check_access(token or str(data.get("PASSWORD") or ""))
        else:
            raise LoginError(*REFUSED)

    def check_bearer(self, kind: str | None, token: str) -> None:
        """Check what a request to the SQL API brings.

        Args:
            kind: ``X-Snowflake-Authorization-Token-Type``; without it the token is looked at.
            token: What follows ``Bearer``.

        Raises:
            LoginError: With Snowflake's code, if it is refused.
        """
        kind = kind or self._kind_of(token)
        if kind == "KEYPAIR_JWT":
            self._check_jwt(token)
        elif kind == "PROGRAMMATIC_ACCESS_TOKEN":
            self._check_access(token)
        elif kind == "OAUTH":
            self._check_oauth(token)
        else:
            raise LoginError(*REFUSED)

    def token_for(self, client: str, secret: str) -> str | None:
        """Give an OAuth access token to a client, if its secret is right."""
        known = self.oauth_clients.get(client)
        if known is None or not hmac.compare_digest(known.encode(), secret.encode()):
            return None
        token = secrets.token_urlsafe(32)
        self.issued[token] = time.monotonic() + self.token_lifetime if self.token_lifetime else float("inf")
        return token

    def _kind_of(self, token: str) -> str:
        if token in self.tokens:
            return "PROGRAMMATIC_ACCESS_TOKEN"
        try:
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
        except jwt.InvalidTokenError:
            return "OAUTH"
        return "KEYPAIR_JWT" if ".SHA256:" in issuer else "OAUTH"

    def _check_oauth(self, token: str) -> None:
        if (until := self.issued.get(token)) is not None:
            if until < time.monotonic():
                raise LoginError(*OAUTH_EXPIRED)
            return
        self._check_given(token, self.oauth_tokens, OAUTH_INVALID, OAUTH_EXPIRED)

    def _check_access(self, token: str) -> None:
        self._check_given(token, self.tokens, TOKEN_INVALID, TOKEN_INVALID)

    def _check_given(
        self, given: str, known: Sequence[str], invalid: tuple[str, str], expired: tuple[str, str]
    ) -> None:
        if not any(hmac.compare_digest(given.encode(), token.encode()) for token in known):
            raise LoginError(*invalid)
        if self.token_lifetime and time.monotonic() > self.began + self.token_lifetime:
            raise LoginError(*expired)

    def _check_jwt(self, token: str) -> None:
        try:
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
            fingerprint = issuer.partition(f"{self.account}.{self.user}.")[2]
            claims = jwt.decode(
                token,
                self.keys[fingerprint],
                algorithms=["RS256"],
                options={"require": ["iss", "sub", "iat", "exp"]},
            )
        except (jwt.InvalidTokenError, KeyError):
            raise LoginError(*JWT_INVALID) from None
        if claims["sub"] != f"{self.account}.{self.user}" or claims["exp"] - claims["iat"] > LONGEST_LIFE:
            raise LoginError(*JWT_INVALID)
