"""The RSA key of the settings: PEM or DER, a file or a text, encrypted or not.

Key pairs: https://docs.snowflake.com/en/user-guide/key-pair-auth
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from ml_connector.load.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Mapping


logger = logging.getLogger(__name__)


def private_key(config: Mapping[str, Any]) -> RSAPrivateKey:
    """Read the key.

    Args:
        config: ``private_key`` (PEM text, or DER in base64) or ``private_key_path`` (PEM or DER file), and
            ``private_key_passphrase`` if it is encrypted.

    Raises:
        LoadError: If the key cannot be read.
    """
    data, origin = _material(config)
    passphrase = config.get("private_key_passphrase")
    secret = str(passphrase).encode() if passphrase else None
    load = (
        serialization.load_pem_private_key
        if data.lstrip().startswith(b"-----")
        else serialization.load_der_private_key
    )
    try:
        key = load(data, password=secret)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError  # noqa: TRY301 - one sentence for every kind of wrong key
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise LoadError(
            f"The key in {origin} cannot be read: it must be an RSA key in PKCS#8, and if it is encrypted,"
            " private_key_passphrase must be right (and unset if it is not encrypted).",
        ) from None
    return key


def private_key_der(config: Mapping[str, Any]) -> bytes:
    """The key as unencrypted PKCS#8 DER, which the connector takes; see :func:`private_key`."""
    return private_key(config).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _material(config: Mapping[str, Any]) -> tuple[bytes, str]:
    """The key as it was given, and which setting says it."""
    if config.get("private_key"):
        text = str(config["private_key"]).replace("\\n", "\n").strip()
        try:
            data = text.encode() if text.startswith("-----") else base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise LoadError(
                "private_key is neither a PEM text nor base64: paste the whole key file."
            ) from None
        return data, "private_key"
    path = Path(str(config["private_key_path"])).expanduser()
    try:
        data, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise LoadError(f"Cannot read private_key_path {path}: {error.strerror}.") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        logger.warning("Others on this machine may read the key in %s: chmod 600 it.", path)
    return data, f"private_key_path {path}"
