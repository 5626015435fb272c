"""From the settings to a session, a spool and a loader: all that is heavy to import."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_connector import secrets
from ml_connector.load.spool import Spool

from target_snowflake_ml.connections import connection_of
from target_snowflake_ml.ledger import TARGET, Ledger, new_run_id
from target_snowflake_ml.loader import Loader
from target_snowflake_ml.settings import SECRETS
from target_snowflake_ml.sink import SnowflakeSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_snowflake_ml.connections import Connection

__all__ = ["SnowflakeSink", "connect", "loader_of", "spool_of"]


def connect(config: Mapping[str, Any], what: str) -> Connection:
    """A session, opened when it is first used.

    Args:
        config: The settings.
        what: Added to QUERY_TAG.
    """
    settings = {**config, **secrets.reveal_config(config, SECRETS)}
    return connection_of(settings, what)


def spool_of(config: Mapping[str, Any]) -> Spool:
    """The folder where batches lie until they are loaded."""
    default = Path.home() / ".cache" / "ml-connector" / "spool"
    return Spool(Path(config.get("spool_dir") or default).expanduser())


def loader_of(config: Mapping[str, Any], spool: Spool, audit_schema: str) -> Loader:
    """A way into the warehouse, with a run of its own."""
    run_id = new_run_id()
    connection = connect(config, f"run={run_id}")
    return Loader(
        connection,
        Ledger(connection, run_id=run_id, schema=audit_schema, version=version(TARGET)),
        spool,
        hard_delete=bool(config["hard_delete"]),
        create_streams=bool(config["create_streams"]),
        retry_seconds=float(config["max_retry_time"]),
    )
