"""``target-snowflake-ml``: a Singer target, unless the first word is one of its commands."""

from __future__ import annotations

import sys

from target_snowflake_ml.commands.group import COMMANDS, commands


def main() -> None:
    """Run the command that is given, or the target."""
    if len(sys.argv) > 1 and sys.argv[1] in COMMANDS:
        commands(prog_name="target-snowflake-ml")
        return
    from target_snowflake_ml.target import TargetSnowflakeML  # noqa: PLC0415 - half a second that commands' help need not wait for

    cli = TargetSnowflakeML.cli  # a new one at each access, with its own log handlers
    lines = "\n\n".join(f"{name}: {text}" for name, (_, text) in COMMANDS.items())
    cli.epilog = f"\b\nCommands beside the Singer target (each has --help):\n\n{lines}"
    cli()
