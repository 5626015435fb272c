"""Snowflake's own Python connector, 4.8 and later or 5.x.

Parameters: https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api
"""

from __future__ import annotations

import contextlib
import logging
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ml_connector.load.errors import LoadError, TransientLoadError

from target_snowflake_ml.connections.keys import private_key_der
from target_snowflake_ml.errors import LOG_ON, explained
from target_snowflake_ml.sql import load as sql
from target_snowflake_ml.sql.identifiers import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ml_connector.load.schema import Column

    from target_snowflake_ml.connections.base import Late, Statement

LOGIN_TIMEOUT = 60
REQUEST_TIMEOUT = 120
"""Seconds for which the connector repeats one request by itself; then the whole batch is tried again."""

_RUST_CORE = 5
_PASSED_ON = ("account", "user", "role", "warehouse", "database", "host", "port", "protocol")


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
        ids_follow: Always false: each statement has its id as soon as it ran.
    """

    ids_follow = False

    def __init__(self, config: Mapping[str, Any], query_tag: str, what: str) -> None:
        generation = int(version("snowflake-connector-python").partition(".")[0])
        self._query_tag = query_tag
        self._arguments = connector_arguments(config, f"{query_tag} {what}", generation)
        self._session: Any = None
        self._schema: str | None = None
        self._stages: set[str] = set()
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

    def transaction(self, statements: Sequence[Statement | Late]) -> None:
        """Run statements between BEGIN and COMMIT; see :class:`Connection`."""
        self.execute("BEGIN")
        try:
            for statement in statements:
                self.execute(*(statement() if callable(statement) else statement))
            self.execute("COMMIT")
        except BaseException:
            if self._session is not None:  # a session that broke has taken its transaction with it
                with contextlib.suppress(LoadError):
                    self.execute("ROLLBACK")
            raise

    def use(self, schema: str) -> None:
        """Make a schema current, unless it is; see :class:`Connection`."""
        if self._schema != schema:
            self.execute(f"USE SCHEMA {quoted(schema)}")
            self._schema = schema

    def stage(self, name: str, columns: Sequence[Column], path: Path, count: int) -> None:
        """Copy a file into a temporary table, over the schema's stage; see :class:`Connection`."""
        schema = str(self._schema)
        if schema not in self._stages:
            self.execute(sql.create_stage(schema))
            self._stages.add(schema)
        self.execute(sql.create_staged(name, columns))
        self.execute(sql.put(str(path.resolve()), schema))
        ((_file, _status, _parsed, copied, *_),) = self.execute(sql.copy(schema, name, path.name))
        if copied != count:
            raise LoadError(
                f"Snowflake copied {copied} of the {count} rows of {path.name}; nothing is loaded."
            )

    def unstage(self, names: Sequence[str]) -> None:
        """Drop the temporary tables, which a long session would else gather; see :class:`Connection`."""
        with contextlib.suppress(LoadError):
            for name in names:
                self.execute(f"DROP TABLE IF EXISTS {quoted(name)}")

    def tag(self, what: str) -> None:
        """Say in QUERY_TAG what the statements that follow are for; see :class:`Connection`."""
        self.execute(f"ALTER SESSION SET QUERY_TAG = {literal(f'{self._query_tag} {what}')}")

    def cancel(self) -> None:
        """Leave it to the session: what runs in it is not committed without the COMMIT that never comes."""

    def close(self) -> None:
        """End the session; never raises."""
        if self._session is not None:
            with contextlib.suppress(Exception):
                self._session.close()
        self._session = self._schema = None
        self._stages.clear()

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
