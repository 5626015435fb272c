"""Secrets in settings: encrypted at rest, never in a log.

A secret setting holds plain text, or `enc:v1:<token>` as `ml-connector secrets encrypt` prints it. The token
is Fernet (AES-128-CBC and HMAC-SHA256, from `cryptography`); the keys come from the environment, so that a
configuration file alone reveals nothing.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PREFIX = "enc:v1:"
KEY_VARIABLE = "ML_CONNECTOR_KEY"
KEY_FILE_VARIABLE = "ML_CONNECTOR_KEY_FILE"
REDACTED = "***"

_SHORTEST_REDACTED = 4
_SHORTEST_LINE = 16
_PEM_BORDER = "-----"
_ESCAPE = re.compile("%[0-9A-F]{2}")
_known: set[str] = set()
_warned: set[str] = set()
_LOGGER = logging.getLogger(__name__)


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
        value: Plain text, or `enc:v1:<token>`.

    Returns:
        The plain text without white space around it: a line feed that came with a file or a clipboard is
        part of no secret, and an HTTP library quotes the header that it refuses because of one.

    Raises:
        SecretError: No usable key is set, or none of them opens the token.
    """
    value = value.strip()
    plain = _decrypted(value).strip() if value.startswith(PREFIX) else value
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


def clean_config(config: Mapping[str, Any], secret_names: Collection[str]) -> dict[str, Any]:
    """Copy a configuration with its secrets as text without white space around them, still encrypted.

    To be called before anything else sees the settings, their validation included.

    Args:
        config: The settings; nested objects and arrays are searched too.
        secret_names: The names of secret settings, at any depth.

    Returns:
        A new dictionary. A secret given as a number is its text; those in plain text are redacted from now
        on; every other value is the same as before.
    """
    return {name: _cleaned(name, value, secret_names) for name, value in config.items()}


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
    """Have a value removed from logs and from what `redact` is given, in every form that is sent or shown.

    Args:
        secret: The plain text; values under four characters are left alone, they would blot out common words.
    """
    secret = secret.strip()
    if len(secret) >= _SHORTEST_REDACTED:
        _known.update(_forms(secret), _forms(secret.upper()))


def remember_basic(user: str, password: str) -> None:
    """Have the header of HTTP's basic authentication redacted, and the password itself.

    Args:
        user: The user's name.
        password: The plain text.
    """
    remember(password)
    if password:
        for pair in {f"{user}:{password}", f"{user}:{password}".upper()}:
            _known.update(_base64_forms(pair))


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
    value = _as_text(name, value, secret_names)
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


def _cleaned(name: str, value: Any, secret_names: Collection[str]) -> Any:
    value = _as_text(name, value, secret_names)
    if isinstance(value, str) and name in secret_names:
        value = value.strip()
        if not value.startswith(PREFIX):
            remember(value)
        return value
    if isinstance(value, Mapping):
        return clean_config(value, secret_names)
    if isinstance(value, list):
        return [_cleaned(name, item, secret_names) for item in value]
    return value


def _as_text(name: str, value: Any, secret_names: Collection[str]) -> Any:
    number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    return str(value) if number and name in secret_names else value


def _forms(secret: str) -> Iterator[str]:
    """A secret as it stands in a URL, in a header, in JSON and in Python's messages."""
    yield secret
    for encoded in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield encoded
        yield _ESCAPE.sub(lambda escape: escape[0].lower(), encoded)
    for shown in (json.dumps(secret), repr(secret), repr(secret.encode())[1:]):
        yield shown[1:-1]
    yield from _base64_forms(secret)
    # a private key may be shown a line at a time
    yield from (line for line in map(str.strip, secret.splitlines()) if _is_telling(line))


def _is_telling(line: str) -> bool:
    return len(line) >= _SHORTEST_LINE and not line.startswith(_PEM_BORDER)


def _base64_forms(secret: str) -> Iterator[str]:
    for encoding in ("utf-8", "latin-1"):
        try:
            data = secret.encode(encoding)
        except UnicodeEncodeError:
            continue
        yield base64.b64encode(data).decode()
        yield base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decrypted(value: str) -> str:
    try:
        return _keys().decrypt(value[len(PREFIX) :].encode()).decode()
    except InvalidToken:
        raise SecretError(_WRONG_KEY) from None


def warn_if_readable(path: str | Path, what: str) -> None:
    """Warn once a process if other users of the machine can read a file that only its owner should.

    Args:
        path: The file.
        what: What it is, such as `The key file`.
    """
    if os.name != "posix" or str(path) in _warned:
        return
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return  # whoever reads it will say so
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        _warned.add(str(path))
        _LOGGER.warning("%s %s can be read by other users of this machine: chmod 600 it.", what, path)


def _keys() -> MultiFernet:
    """Collect the keys: the first one encrypts, all of them decrypt."""
    keys = _listed(os.environ.get(KEY_VARIABLE, ""), KEY_VARIABLE)
    if path := os.environ.get(KEY_FILE_VARIABLE, "").strip():
        warn_if_readable(path, f"The file of {KEY_FILE_VARIABLE},")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise SecretError(f"The file of {KEY_FILE_VARIABLE}, {path}, cannot be read: {reason}.") from None
        keys += _listed(text, KEY_FILE_VARIABLE)
    if not keys:
        raise SecretError(
            f"There is no encryption key: set {KEY_VARIABLE}, or {KEY_FILE_VARIABLE} to a file that holds it"
            " (`ml-connector secrets generate-key` makes one)."
        )
    return MultiFernet(keys)


def _listed(text: str, source: str) -> list[Fernet]:
    keys = text.replace(",", " ").split()
    return [_cipher(key, f"Key {n} of {len(keys)} in {source}") for n, key in enumerate(keys, 1)]


def _cipher(key: str, name: str) -> Fernet:
    try:
        return Fernet(key)
    except (ValueError, TypeError):
        raise SecretError(
            f"{name} is not an encryption key: it must be the 44 characters that `ml-connector secrets"
            " generate-key` prints."
        ) from None
