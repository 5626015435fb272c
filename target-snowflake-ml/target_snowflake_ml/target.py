"""``target-snowflake-ml``: Singer messages into Snowflake, columnar, exact and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.load.target import WarehouseTarget, revealed
from typing_extensions import override

from target_snowflake_ml.settings import SECRETS, SETTINGS

if TYPE_CHECKING:
    from ml_connector.load.checks import Checks
    from ml_connector.load.connection import Connection
    from ml_connector.load.sql.dialect import Dialect


class TargetSnowflakeML(WarehouseTarget):
    """Loads Singer streams into Snowflake tables."""

    name = "target-snowflake-ml"
    config_jsonschema = SETTINGS

    @override
    def open_dialect(self) -> Dialect:
        """Snowflake's SQL."""
        from target_snowflake_ml.dialect import SnowflakeDialect  # noqa: PLC0415 - --about does without

        return SnowflakeDialect()

    @override
    def connect(self, what: str) -> Connection:
        """A session of its own, over the transport of the settings; it is opened when it is first used."""
        # the connector, which --version and --about need not wait for
        from target_snowflake_ml.connections import connection_of  # noqa: PLC0415

        return connection_of(revealed(self.config, SECRETS), what)

    @override
    def checks(self) -> Checks:
        """What doctor checks of Snowflake."""
        from target_snowflake_ml.checks import checks_of  # noqa: PLC0415 - see connect

        return checks_of(lambda: revealed(self.config, SECRETS))
