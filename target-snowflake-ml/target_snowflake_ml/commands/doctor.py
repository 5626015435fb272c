"""``doctor``: settings, network, spool, login, role, warehouse, database and grants, one by one."""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
import pyarrow as pa
import pyarrow.parquet as pq
from ml_connector import secrets
from ml_connector.load.errors import LoadError
from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.commands.group import configured, show, target_of
from target_snowflake_ml.connections.keys import private_key_der
from target_snowflake_ml.settings import SECRETS
from target_snowflake_ml.sql.identifiers import given, literal, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from target_snowflake_ml.connections import Connection
    from target_snowflake_ml.target import TargetSnowflakeML

COLUMNS = ("result", "check", "says")
_HTTPS = 443
_SECONDS = 10


class RefusedError(Exception):
    """A check that failed; the text says why, and what to do."""


@click.command(name="doctor")
@configured
def command(config: Sequence[str], style: str) -> None:
    """Check one after the other what a run needs; exit code 1 if anything is missing.

    What is made on the way (a schema, a table, a file on the stage) is removed again.
    """
    with target_of(config) as target:
        found = list(_examined(target))
    show(found, COLUMNS, style)
    if any(each["result"] == "fail" for each in found):
        raise SystemExit(1)


def _examined(target: TargetSnowflakeML) -> Iterator[dict[str, str]]:
    """Each check; what builds on one that failed is not tried."""
    connection = None
    try:
        reached = True
        for name, check in (("settings", _settings), ("network", _network), ("spool folder", _spool)):
            outcome = _outcome(name, partial(check, target))
            yield outcome
            reached = reached and not (name == "network" and outcome["result"] == "fail")
        if not reached:
            return  # a login would try the same address for a minute
        login: dict[str, Connection] = {}
        outcome = _outcome("login", partial(_login, target, login))
        yield outcome
        if outcome["result"] == "fail":
            return
        connection = login["session"]
        session = connection
        for name, ask in (("role", _role), ("warehouse", _warehouse), ("database", _database)):
            yield _outcome(name, partial(ask, target, session))
        yield _outcome("grants and stage", partial(_grants, target, session))
    finally:
        if connection is not None:
            connection.close()


def _outcome(name: str, check: Callable[[], str]) -> dict[str, str]:
    try:
        return {"result": "ok", "check": name, "says": secrets.redact(check())}
    except (LoadError, RefusedError, secrets.SecretError, OSError) as error:
        return {"result": "fail", "check": name, "says": secrets.redact(str(error))}


def _settings(target: TargetSnowflakeML) -> str:
    config = {**target.config, **secrets.reveal_config(target.config, SECRETS)}
    if config.get("token"):
        return "An access token is set."
    if not (config.get("private_key") or config.get("private_key_path")):
        raise RefusedError("Set private_key, private_key_path or token: there is no other way to log on.")
    private_key_der(config)
    return "The private key can be read."


def _network(target: TargetSnowflakeML) -> str:
    config = target.config
    host = str(config.get("host") or f"{config['account']}.snowflakecomputing.com".replace("_", "-"))
    port = int(config.get("port") or _HTTPS)
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return f"Requests to {host} go through the proxy that HTTPS_PROXY names; the login will tell."
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as connected:
            if config.get("protocol") == "http":
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


def _spool(target: TargetSnowflakeML) -> str:
    folder = target.spool.folder
    probe = folder / f".probe-{uuid4().hex[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise RefusedError(
            f"{folder} cannot be written: {error.strerror}. Point spool_dir at another folder."
        ) from error
    waiting = len(target.spool.manifests())
    return f"{folder} can be written." + (f" {waiting} batches wait in it: see replay." if waiting else "")


def _login(target: TargetSnowflakeML, login: dict[str, Connection]) -> str:
    connection = target.connect("doctor")
    ((user, version),) = connection.execute("SELECT CURRENT_USER(), CURRENT_VERSION()")
    login["session"] = connection
    return f"Logged on as {user or target.config['user']}; Snowflake {version}."


def _role(target: TargetSnowflakeML, connection: Connection) -> str:
    if wanted := target.config.get("role"):
        connection.transaction([(f"USE ROLE {quoted(given(wanted, 'upper'))}", ())])
        return f"{wanted} may be used."
    return "None is set: the user's own is used."


def _warehouse(target: TargetSnowflakeML, connection: Connection) -> str:
    wanted = target.config.get("warehouse")
    if not wanted:
        return "None is set: the user's own is used."
    name = given(wanted, "upper")
    connection.transaction([(f"USE WAREHOUSE {quoted(name)}", ())])
    state: dict[str, Any] = {}
    with suppress(LoadError):  # a role may use a warehouse that it may not look at
        rows = connection.execute(f"SHOW WAREHOUSES LIKE {literal(name)}")
        state = {"suspended": "SUSPENDED" in rows[0], "text": " ".join(map(str, rows[0]))} if rows else {}
    try:
        connection.execute("SELECT COUNT(*) FROM INFORMATION_SCHEMA.SCHEMATA")
    except LoadError as error:
        raise RefusedError(
            f"{wanted} does not run: {error} If it is suspended without AUTO_RESUME: ALTER WAREHOUSE {name}"
            f" SET AUTO_RESUME = TRUE, or ALTER WAREHOUSE {name} RESUME before each run."
        ) from error
    return f"{wanted} runs statements." + (" It was suspended." if state.get("suspended") else "")


def _database(target: TargetSnowflakeML, connection: Connection) -> str:
    name = given(target.config["database"], "upper")
    connection.transaction([(f"USE DATABASE {quoted(name)}", ())])
    return f"{name} may be used."


def _grants(target: TargetSnowflakeML, connection: Connection) -> str:
    """Make what a run makes, in a schema of its own, and take it away again."""
    schema = f"ML_DOCTOR_{uuid4().hex[:8].upper()}"
    path: Path = target.spool.folder / f"doctor-{uuid4().hex[:8]}.parquet"
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    try:
        connection.execute(f'CREATE TABLE {quoted(schema, "PROBE")} ("X" NUMBER(38,0))')
        pq.write_table(pa.table({"X": [1]}), path)
        connection.use(schema)
        connection.stage("PROBED", [Column("X", Kind.INTEGER)], path, 1)
        move = f'INSERT INTO {quoted(schema, "PROBE")} ("X") SELECT "X" FROM "PROBED"'
        connection.transaction([(move, ())])
        ((count,),) = connection.execute(f"SELECT COUNT(*) FROM {quoted(schema, 'PROBE')}")
    finally:
        path.unlink(missing_ok=True)
        with suppress(LoadError):
            connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)}")
    if count != 1:
        raise RefusedError(f"A file of one row was loaded as {count} rows.")
    return "A schema and tables can be made, and a file loaded."
