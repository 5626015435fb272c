"""Settings of target-snowflake-ml, as design section 4 names them."""

from __future__ import annotations

from ml_connector.load.settings import loading_settings
from singer_sdk import typing as th

from target_snowflake_ml.connection_settings import SECRETS, connection_settings

__all__ = ["SECRETS", "SETTINGS"]

PARALLEL_LOADS = 4
"""Sessions that load at once, unless the setting says otherwise."""

SETTINGS = th.PropertiesList(
    *connection_settings(),
    *loading_settings(PARALLEL_LOADS),
    th.Property(
        "create_streams",
        th.BooleanType,
        default=False,
        title="Create streams",
        description="Make a Snowflake STREAM <table>_STREAM on each table, for what consumes changes after.",
    ),
    th.Property(
        "transient_tables",
        th.BooleanType,
        default=False,
        title="Transient tables",
        description="Make tables TRANSIENT (no fail-safe storage).",
    ),
    th.Property(
        "query_tag",
        th.StringType,
        title="Query tag",
        default="target-snowflake-ml",
        description="QUERY_TAG of the session; the run's id is added.",
    ),
).to_dict()
