"""What ``doctor`` checks of Snowflake: how to sign in, the network, role, warehouse and database."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ml_connector.load.checks import Checks, RefusedError
from ml_connector.load.errors import LoadError
from ml_connector.load.sql.identifiers import given, quoted

from target_snowflake_ml.connections.address import address_of, proxies_of
from target_snowflake_ml.connections.keys import private_key
from target_snowflake_ml.connections.sign_in import KEY_PAIR, cleaned, method_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml_connector.load.connection import Connection

_SECONDS = 10


def checks_of(settings: Callable[[], Mapping[str, Any]]) -> Checks:
    """The checks for some settings.

    Args:
        settings: Gives them, secrets in plain text; it may raise for a secret that cannot be decrypted.
    """
    return Checks(
        settings=lambda: _settings(settings()),
        before={"network": lambda: _network(settings())},
        sign_in=lambda connection: _sign_in(settings(), connection),
        session={
            name: partial(_over_session, check, settings)
            for name, check in (("role", _role), ("warehouse", _warehouse), ("database", _database))
        },
    )


def _over_session(
    check: Callable[[Mapping[str, Any], Connection], str],
    settings: Callable[[], Mapping[str, Any]],
    connection: Connection,
) -> str:
    return check(settings(), connection)


def _settings(config: Mapping[str, Any]) -> str:
    config = cleaned(config)
    method = method_of(config)
    if method == KEY_PAIR:
        private_key(config)
        return "The private key can be read."
    return f"They are complete; the way to sign in is {method.replace('_', ' ')}."


def _network(config: Mapping[str, Any]) -> str:
    address = address_of(config)
    host, port = address.host, address.port
    if proxies_of(address.url):
        return f"Requests to {host} go through the proxy that the environment names; the login will tell."
    try:
        with socket.create_connection((host.strip("[]"), port), timeout=_SECONDS) as connected:
            if address.protocol == "http":
                return f"{host}:{port} answers, without TLS."
            with ssl.create_default_context().wrap_socket(connected, server_hostname=host) as secured:
                return f"{host}:{port} answers with {secured.version()}."
    except socket.gaierror as error:
        raise RefusedError(f"There is no host {host}: check account and host.") from error
    except ssl.SSLError as error:
        raise RefusedError(
            f"{host}:{port} offers no certificate that this machine trusts: {error.reason}."
        ) from error
    except OSError as error:
        raise RefusedError(
            f"{host}:{port} does not answer ({error}): check the firewall, host and port."
        ) from error


def _sign_in(config: Mapping[str, Any], connection: Connection) -> str:
    ((user, version),) = connection.execute("SELECT CURRENT_USER(), CURRENT_VERSION()")
    return f"Logged on as {user or config.get('user')}; Snowflake {version}."


def _role(config: Mapping[str, Any], connection: Connection) -> str:
    wanted = config.get("role")
    if not wanted:
        return "None is set: the user's default is used."
    # USE is taken inside a transaction only over the SQL API:
    # https://docs.snowflake.com/en/developer-guide/sql-api/intro#limitations-of-the-sql-api
    connection.transaction([(f"USE ROLE {quoted(given(str(wanted), 'upper'))}", ())])
    return f"{wanted} may be used."


def _warehouse(config: Mapping[str, Any], connection: Connection) -> str:
    wanted = config.get("warehouse")
    if not wanted:
        return "None is set: the user's default is used."
    name = given(str(wanted), "upper")
    suspended = False
    with suppress(LoadError):  # a role may use a warehouse that it may not look at
        rows = connection.execute(f"SHOW WAREHOUSES LIKE '{name.replace(chr(39), chr(39) * 2)}'")
        suspended = bool(rows) and "SUSPENDED" in rows[0]
    try:
        connection.execute("SELECT COUNT(*) FROM INFORMATION_SCHEMA.SCHEMATA")
    except LoadError as error:
        raise RefusedError(
            f"{wanted} does not run: {error} If it is suspended without AUTO_RESUME: ALTER WAREHOUSE"
            f" {quoted(name)} SET AUTO_RESUME = TRUE, or ALTER WAREHOUSE {quoted(name)} RESUME before each"
            " run."
        ) from error
    return f"{wanted} runs statements." + (" It was suspended." if suspended else "")


def _database(config: Mapping[str, Any], connection: Connection) -> str:
    wanted = str(config["database"])
    name = quoted(given(wanted, "upper"))
    try:
        connection.transaction([(f"USE DATABASE {name}", ())])
    except LoadError as error:
        raise RefusedError(
            f"There is no database {wanted} that this role may use: {error} Check the setting database, or"
            f" GRANT USAGE ON DATABASE {name} to the role."
        ) from error
    return f"{wanted} may be used."
