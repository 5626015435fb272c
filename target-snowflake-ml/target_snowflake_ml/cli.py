"""``target-snowflake-ml``: a Singer target, unless one of its commands is given."""

from __future__ import annotations

from ml_connector.load.commands.cli import main_of

main = main_of("target_snowflake_ml.target:TargetSnowflakeML", "target-snowflake-ml")
