"""Secrets in settings: encrypted at rest, never in a log.

A secret setting holds plain text, or `enc:v1:<token>` as `ml-connector secrets encrypt` prints it. The token
is Fernet (AES-128-CBC and HMAC-SHA256, from `cryptography`); the keys come from the environment, so that a
configuration file alone reveals nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PREFIX = "enc:v1:"
KEY_VARIABLE = "ML_CONNECTOR_KEY"
KEY_FILE_VARIABLE = "ML_CONNECTOR_KEY_FILE"
REDACTED = "***"

_SHORTEST_REDACTED = 4
_known: set[str] = set()


class SecretError(ValueError):
    """A key is missing or unusable, or a value was encrypted with another one."""


def generate_key() -> str:
    """Make a new encryption key.

    Returns:
        32 random bytes as URL-safe base64, fit for `ML_CONNECTOR_KEY`.
    """
    return Fernet.generate_key().decode()


def encrypt(plain: str) -> str:
    """Encrypt a secret with the first key.

    Args:
        plain: The secret.

    Returns:
        `enc:v1:<token>`, to be put into a setting.

    Raises:
        SecretError: No usable key is set.
    """
    return PREFIX + _keys().encrypt(plain.encode()).decode()


def reveal(value: str) -> str:
    """Return a setting's plain text, and have it redacted from logs from now on.

    Args:
        value: Plain text, which is returned unchanged, or `enc:v1:<token>`.

    Returns:
        The plain text.

    Raises:
        SecretError: No usable key is set, or none of them opens the token.
    """
    plain = _decrypted(value) if value.startswith(PREFIX) else value
    remember(plain)
    return plain


def rotate(value: str) -> str:
    """Encrypt a secret again with the first key, whichever key it was encrypted with.

    Args:
        value: `enc:v1:<token>`.

    Returns:
        `enc:v1:<new token>`.

    Raises:
        SecretError: The value is not encrypted, no usable key is set, or none opens it.
    """
    if not value.startswith(PREFIX):
        raise SecretError(f"Only values that start with {PREFIX} can be rotated; encrypt this one first.")
    try:
        return PREFIX + _keys().rotate(value[len(PREFIX) :].encode()).decode()
    except InvalidToken:
        raise SecretError(_WRONG_KEY) from None


def reveal_config(config: Mapping[str, Any], secret_names: Collection[str]) -> dict[str, Any]:
    """Copy a configuration with its secrets in plain text.

    Args:
        config: The settings; nested objects and arrays are searched too.
        secret_names: The names of secret settings, at any depth.

    Returns:
        A new dictionary; every other value is the same as before.

    Raises:
        SecretError: A secret cannot be decrypted; the setting is named.
    """
    return {name: _revealed(name, value, secret_names) for name, value in config.items()}


def remember(secret: str) -> None:
    """Have a value removed from logs and from what `redact` is given.

    Args:
        secret: The plain text; values under four characters are left alone, they would blot out common words.
    """
    if len(secret) >= _SHORTEST_REDACTED:
        _known.update({secret, secret.upper()})


def redact(text: str) -> str:
    """Replace every known secret in a text by `***`.

    Args:
        text: Anything about to be shown or stored.

    Returns:
        The text without the secrets `reveal` or `remember` has seen.
    """
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text


class RedactingFilter(logging.Filter):
    """Removes known secrets from log records: message, arguments and traceback.

    Put it on handlers (filters of a logger do not see the records of its children); `protect_logs` does so.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact one record.

        Args:
            record: The record; changed in place.

        Returns:
            True: no record is dropped.
        """
        if not _known:
            return True
        message = record.getMessage()
        if (clean := redact(message)) != message:
            record.msg, record.args = clean, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def protect_logs(logger: logging.Logger | None = None) -> None:
    """Put a `RedactingFilter` on a logger's handlers.

    Args:
        logger: The root logger by default.
    """
    for handler in (logger or logging.getLogger()).handlers:
        if not any(isinstance(present, RedactingFilter) for present in handler.filters):
            handler.addFilter(RedactingFilter())


_WRONG_KEY = (
    f"A secret was encrypted with a key that is not among those of {KEY_VARIABLE} or {KEY_FILE_VARIABLE}: add"
    " the key it was made with, or encrypt the secret again."
)


def _revealed(name: str, value: Any, secret_names: Collection[str]) -> Any:
    if isinstance(value, str) and name in secret_names:
        try:
            return reveal(value)
        except SecretError as error:
            raise SecretError(f"Setting {name}: {error}") from None
    if isinstance(value, Mapping):
        return reveal_config(value, secret_names)
    if isinstance(value, list):
        return [_revealed(name, item, secret_names) for item in value]
    return value


def _decrypted(value: str) -> str:
    try:
        return _keys().decrypt(value[len(PREFIX) :].encode()).decode()
    except InvalidToken:
        raise SecretError(_WRONG_KEY) from None


def _keys() -> MultiFernet:
    """Collect the keys: the first one encrypts, all of them decrypt."""
    listed = os.environ.get(KEY_VARIABLE, "")
    source = KEY_VARIABLE
    if not listed.strip() and (path := os.environ.get(KEY_FILE_VARIABLE, "").strip()):
        source = KEY_FILE_VARIABLE
        try:
            listed = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise SecretError(f"The file of {KEY_FILE_VARIABLE}, {path}, cannot be read: {reason}.") from None
    keys = listed.replace(",", " ").split()
    if not keys:
        raise SecretError(
            f"There is no encryption key: set {KEY_VARIABLE}, or {KEY_FILE_VARIABLE} to a file that holds it"
            " (`ml-connector secrets generate-key` makes one)."
        )
    return MultiFernet([_cipher(key, f"Key {n} of {len(keys)} in {source}") for n, key in enumerate(keys, 1)])


def _cipher(key: str, name: str) -> Fernet:
    try:
        return Fernet(key)
    except (ValueError, TypeError):
        raise SecretError(
            f"{name} is not an encryption key: it must be the 44 characters that `ml-connector secrets"
            " generate-key` prints."
        ) from None
