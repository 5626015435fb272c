"""Ways to reach a Snowflake account."""

from __future__ import annotations

from target_snowflake_ml.connections.base import Connection
from target_snowflake_ml.connections.connector import ConnectorConnection

__all__ = ["Connection", "ConnectorConnection"]
