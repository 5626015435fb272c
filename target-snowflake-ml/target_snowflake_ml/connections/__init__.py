"""Ways to reach Snowflake, behind one small interface."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ml_connector.load.connection import Connection

from target_snowflake_ml.connections.sign_in import cleaned

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Connection", "connection_of"]

TRANSPORTS = {"connector": "ConnectorConnection", "sql_api": "SqlApiConnection"}
"""The setting transport: a module of this package, and its class."""


def connection_of(config: Mapping[str, Any], what: str) -> Connection:
    """The connection that the settings ask for; it is opened when it is first used.

    Args:
        config: The settings, secrets in plain text.
        what: Follows ``query_tag`` in QUERY_TAG, until :meth:`Connection.tag` says something else.

    Raises:
        LoadError: If the address is none, the key cannot be read, or there is no way to sign in.
    """
    transport = str(config.get("transport") or "connector")
    module = import_module(f"target_snowflake_ml.connections.{transport}")
    connection: Connection = getattr(module, TRANSPORTS[transport])(cleaned(config), what)
    return connection
