"""Who may log in: key-pair JWTs are truly verified, access tokens compared.

JWT claims: https://docs.snowflake.com/en/developer-guide/sql-api/authenticating (``iss`` is
``ACCOUNT.USER.SHA256:fingerprint``, ``sub`` is ``ACCOUNT.USER``, at most one hour).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

JWT_INVALID = ("390144", "JWT token is invalid.")
REFUSED = ("390100", "Incorrect username or password was specified.")
TOKEN_INVALID = ("394400", "Programmatic access token is invalid.")
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
    """

    account: str
    user: str
    keys: Mapping[str, Any]
    tokens: Sequence[str]

    @classmethod
    def registered(
        cls, account: str, user: str, key_files: Sequence[Path], tokens: Sequence[str]
    ) -> Accounts:
        """Read the public keys.

        Raises:
            ValueError: If a file holds no public key.
        """
        keys = {}
        for path in key_files:
            key = serialization.load_pem_public_key(path.read_bytes())
            der = key.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            keys["SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()] = key
        return cls(account.upper(), user.upper(), keys, tuple(tokens))

    def check(self, data: Mapping[str, Any]) -> None:
        """Check the ``data`` of a login request.

        Raises:
            LoginError: With Snowflake's code, if it is refused.
        """
        method = str(data.get("AUTHENTICATOR") or "").upper()
        if str(data.get("LOGIN_NAME") or "").upper() != self.user:
            raise LoginError(*(JWT_INVALID if method == "SNOWFLAKE_JWT" else REFUSED))
        if method == "SNOWFLAKE_JWT":
            self._check_jwt(str(data.get("TOKEN") or ""))
        elif method == "PROGRAMMATIC_ACCESS_TOKEN":
            self._check_token(str(data.get("TOKEN") or data.get("PASSWORD") or ""))
        else:
            raise LoginError(*REFUSED)

    def check_bearer(self, kind: str, token: str) -> None:
        """Check what a request to the SQL API brings.

        Args:
            kind: ``X-Snowflake-Authorization-Token-Type``.
            token: What follows ``Bearer``.

        Raises:
            LoginError: With Snowflake's code, if it is refused.
        """
        if kind == "KEYPAIR_JWT":
            self._check_jwt(token)
        elif kind == "PROGRAMMATIC_ACCESS_TOKEN":
            self._check_token(token)
        else:
            raise LoginError(*REFUSED)

    def _check_token(self, given: str) -> None:
        if not any(hmac.compare_digest(given.encode(), token.encode()) for token in self.tokens):
            raise LoginError(*TOKEN_INVALID)

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
