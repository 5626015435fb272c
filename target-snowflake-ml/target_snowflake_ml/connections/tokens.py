"""What a request to Snowflake's SQL API proves who it is with.

Both ways: https://docs.snowflake.com/en/developer-guide/sql-api/authenticating
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any, Protocol

import jwt
from cryptography.hazmat.primitives import serialization
from ml_connector.load.errors import LoadError

from target_snowflake_ml.connections.keys import private_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LIFETIME = 3_540
"""Seconds a key pair's token is made for; Snowflake allows an hour."""
RENEWED = 300
"""Seconds before its end at which the next one is made."""


class Proof(Protocol):
    """Makes the two headers that say who asks."""

    def headers(self) -> dict[str, str]:
        """``Authorization`` and the kind of token, valid for some minutes at least."""

    def renew(self) -> bool:
        """Forget the token that was just refused; tell whether another one may do better."""


class AccessToken:
    """A programmatic access token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self) -> dict[str, str]:
        """See :class:`Proof`."""
        return _headers(self._token, "PROGRAMMATIC_ACCESS_TOKEN")

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
        return _headers(self._token, "KEYPAIR_JWT")

    def renew(self) -> bool:
        """Another one helps where the old one has ended; a fresh one that is refused stays refused."""
        fresh = self._clock() - self._made < RENEWED
        self._token = ""
        return not fresh


def proof_of(config: Mapping[str, Any]) -> Proof:
    """How the settings say to log on.

    Args:
        config: The settings, secrets in plain text.

    Raises:
        LoadError: If they name no way, or the key cannot be read.
    """
    if config.get("token"):
        return AccessToken(str(config["token"]))
    if config.get("private_key") or config.get("private_key_path"):
        return KeyPair(str(config["account"]), str(config["user"]), config)
    raise LoadError("Set private_key, private_key_path or token: there is no other way to log on.")


def _headers(token: str, kind: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-Snowflake-Authorization-Token-Type": kind}
