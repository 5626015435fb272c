"""``target-snowflake-ml <command>``, and what its commands share."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from ml_connector import secrets
from ml_connector.load.errors import LoadError
from ml_connector.load.presentation import rendered
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from target_snowflake_ml.connections import Connection
    from target_snowflake_ml.target import TargetSnowflakeML

COMMANDS = {
    "audit": ("audit", "Runs, batches, and where a row came from."),
    "dead-letters": ("dead_letters", "Rejected records: list, show, correct and load, discard."),
    "replay": ("replay", "Load the batches that could not be loaded."),
    "reconcile": ("reconcile", "Compare the warehouse with the source's control totals."),
    "doctor": ("doctor", "Check settings, network, login and grants one by one."),
}
"""Command to its module here and its line of help; a module is imported when its command is given."""


class _Commands(click.Group):
    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"target_snowflake_ml.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Operate target-snowflake-ml; without a command it is a Singer target."""


def configured(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--config`` and ``--format``."""
    config = click.option(
        "--config",
        "config",
        multiple=True,
        metavar="FILE",
        help="Settings file, as for the target; ENV takes them from the environment.",
    )
    style = click.option("--format", "style", type=click.Choice(["table", "json"]), default="table")
    return config(style(function))


@contextmanager
def target_of(config: Sequence[str]) -> Iterator[TargetSnowflakeML]:
    """The target with its settings; an error becomes its sentence and exit code 1.

    Args:
        config: Settings files, or ``ENV``.
    """
    from target_snowflake_ml.target import TargetSnowflakeML  # noqa: PLC0415 - pyarrow, which help does not need

    try:
        files = [name for name in config if name != "ENV"]
        yield TargetSnowflakeML(config=files or None, parse_env_config="ENV" in config or not files)
    except (LoadError, secrets.SecretError) as error:
        click.echo(secrets.redact(str(error)), err=True)
        sys.exit(1)
    except Exception as error:
        if type(error).__name__ != "ConfigValidationError":
            raise
        click.echo(secrets.redact(f"{error} {'; '.join(getattr(error, 'errors', []))}"), err=True)
        sys.exit(1)


@contextmanager
def session_of(target: TargetSnowflakeML) -> Iterator[Connection]:
    """A session that only looks: it writes no run into the ledger."""
    connection = target.connect("commands")
    try:
        yield connection
    finally:
        connection.close()


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], style: str) -> None:
    """Print rows in the style that was asked for."""
    click.echo(rendered(rows, columns, style))


def select(
    connection: Connection, sql: str, parameters: Sequence[Any], columns: Sequence[str]
) -> list[dict[str, Any]]:
    """Run a query and name what it gives."""
    return [dict(zip(columns, row, strict=True)) for row in connection.execute(sql, parameters)]
