"""Snowflake's own Python connector, 4.8 and later or 5.x.

Parameters: https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from ml_connector.load.errors import LoadError, TransientLoadError

from target_snowflake_ml.errors import LOG_ON, explained
from target_snowflake_ml.sql.identifiers import literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOGIN_TIMEOUT = 60
REQUEST_TIMEOUT = 120
"""Seconds for which the connector repeats one request by itself; then the whole batch is tried again."""

_RUST_CORE = 5
_PASSED_ON = ("account", "user", "role", "warehouse", "database", "host", "port", "protocol")


def private_key_der(config: Mapping[str, Any]) -> bytes:
    """The RSA key of the settings as unencrypted PKCS#8 DER, which the connector takes.

    Args:
        config: ``private_key`` (PEM text, or DER in base64) or ``private_key_path`` (PEM or DER file), and
            ``private_key_passphrase`` if it is encrypted.

    Raises:
        LoadError: If the key cannot be read.
    """
    if config.get("private_key"):
        text = str(config["private_key"]).replace("\\n", "\n").strip()
        try:
            data = text.encode() if text.startswith("-----") else base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise LoadError(
                "private_key is neither a PEM text nor base64: paste the whole key file."
            ) from None
        origin = "private_key"
    else:
        path = Path(str(config["private_key_path"])).expanduser()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise LoadError(f"Cannot read private_key_path {path}: {error.strerror}.") from None
        origin = f"private_key_path {path}"
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
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def connector_arguments(config: Mapping[str, Any], query_tag: str, generation: int) -> dict[str, Any]:
    """What ``snowflake.connector.connect`` is called with.

    Args:
        config: The settings, secrets in plain text.
        query_tag: QUERY_TAG of the session.
        generation: Major version of the connector.

    Raises:
        LoadError: If the settings name no way to log on.
    """
    arguments: dict[str, Any] = {name: config[name] for name in _PASSED_ON if config.get(name)}
    if config.get("token"):
        arguments |= {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": config["token"]}
    elif config.get("private_key") or config.get("private_key_path"):
        arguments |= {"authenticator": "SNOWFLAKE_JWT", "private_key": private_key_der(config)}
    else:
        raise LoadError("Set private_key, private_key_path or token: there is no other way to log on.")
    return arguments | {
        "login_timeout": LOGIN_TIMEOUT,
        **_timeouts(generation),
        "autocommit": True,
        "session_parameters": {"QUERY_TAG": query_tag, "TIMEZONE": "UTC"},
    }


def _timeouts(generation: int) -> dict[str, Any]:
    """How long a request may take, never how long a statement runs: a large MERGE takes its time."""
    if generation < _RUST_CORE:
        # a statement that takes longer is answered by Snowflake before, and asked for again by the connector
        return {"network_timeout": REQUEST_TIMEOUT, "socket_timeout": REQUEST_TIMEOUT}
    # there are no asynchronous queries to look after when the session is closed
    return {"request_timeout": REQUEST_TIMEOUT, "enable_server_session_keep_alive_auto_detection": False}


class ConnectorConnection:
    """One session of the connector, opened when it is first needed and again after it broke.

    Attributes:
        statement_ids: Query ids since the list was last cleared.
    """

    def __init__(self, config: Mapping[str, Any], query_tag: str, what: str) -> None:
        generation = int(version("snowflake-connector-python").partition(".")[0])
        self._query_tag = query_tag
        self._arguments = connector_arguments(config, f"{query_tag} {what}", generation)
        self._session: Any = None
        self.statement_ids: list[str] = []

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; see :class:`Connection`."""
        session = self._open()
        cursor = None
        try:
            cursor = session.cursor()
            cursor.execute(sql, tuple(parameters) or None)
            rows = cursor.fetchall()
        except Exception as error:
            raise self._failed(error, sql) from error
        finally:
            if cursor is not None:
                with contextlib.suppress(Exception):
                    if cursor.sfqid:
                        self.statement_ids.append(str(cursor.sfqid))
                    cursor.close()
        return [tuple(row) for row in rows]

    def tag(self, what: str) -> None:
        """Say in QUERY_TAG what the statements that follow are for; see :class:`Connection`."""
        self.execute(f"ALTER SESSION SET QUERY_TAG = {literal(f'{self._query_tag} {what}')}")

    def close(self) -> None:
        """End the session; never raises."""
        if self._session is not None:
            with contextlib.suppress(Exception):
                self._session.close()
        self._session = None

    def _open(self) -> Any:
        if self._session is None:
            # half a second of imports, which --about and --help need not wait for
            import snowflake.connector  # noqa: PLC0415

            logging.getLogger("snowflake.connector").setLevel(logging.WARNING)
            # it logs a traceback of each failed request; the error it raises says the same
            logging.getLogger("snowflake.connector.network").setLevel(logging.CRITICAL)
            try:
                self._session = snowflake.connector.connect(**self._arguments)
            except Exception as error:
                raise self._failed(error, LOG_ON) from error
        return self._session

    def _failed(self, error: Exception, sql: str) -> LoadError:
        found = explained(error, sql, self._arguments)
        if isinstance(found, TransientLoadError):
            self.close()  # a broken session takes its transaction with it; the next attempt opens its own
        return found
