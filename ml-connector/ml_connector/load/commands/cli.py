"""``<target> <command>``, and what the commands share."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from ml_connector import secrets
from ml_connector.load.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ml_connector.load.lookup import Lookup
    from ml_connector.load.run import Run
    from ml_connector.load.target import WarehouseTarget

COMMANDS = {
    "audit": ("audit", "Runs, batches, and where a row came from."),
    "dead-letters": ("dead_letters", "Rejected records: list, show, correct and load, discard."),
    "replay": ("replay", "Load the batches that could not be loaded."),
    "reconcile": ("reconcile", "Compare the warehouse with the source's control totals."),
    "doctor": ("doctor", "Check settings, sign-in, schemas and grants one by one."),
}
"""Command to its module here and its line of help; a module is imported when its command is given."""

_MOVABLE = ("--config", "--format")
"""Options that may stand anywhere; Meltano puts ``--config FILE`` before everything else."""


@dataclass
class Operation:
    """One command that somebody gave.

    Attributes:
        target_class: The target, or where it is to be found (``package.module:Class``).
        config: Settings files, or ``ENV``.
        style: ``table`` or ``json``.
        failed: What went wrong, if something did.
    """

    target_class: type[WarehouseTarget] | str
    config: list[str] = field(default_factory=list)
    style: str = "table"
    failed: str | None = None

    @contextmanager
    def target(self) -> Iterator[WarehouseTarget]:
        """The target with its settings; an error becomes its sentence and exit code 1."""
        try:
            files = [name for name in self.config if name != "ENV"]
            kind = _imported(self.target_class)
            settings = {name: value for file in files for name, value in _settings_in(file).items()}
            yield kind(config=settings, parse_env_config="ENV" in self.config or not files)
        except (LoadError, secrets.SecretError) as error:
            _fail(str(error))
        except Exception as error:
            if type(error).__name__ == "SchemaError":
                _fail(str(error))
            raise

    @contextmanager
    def lookup(self, target: WarehouseTarget) -> Iterator[Lookup]:
        """A session that only looks: it writes no run into the ledger."""
        # what --help need not wait for
        from ml_connector.load.lookup import Lookup  # noqa: PLC0415

        connection = target.connect("command")
        try:
            yield Lookup(connection, target.open_dialect(), target.config)
        finally:
            connection.close()

    @contextmanager
    def run(self, target: WarehouseTarget) -> Iterator[Run]:
        """A run of the command's own, written into the ledger; :attr:`failed` says how it ended."""
        run = target.new_run().open_for_command()
        try:
            yield run
        except BaseException as error:
            run.finish(str(error) or type(error).__name__)
            raise
        run.finish(self.failed)

    def show(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """Print rows in the style that was asked for."""
        from ml_connector.load.output import rendered  # noqa: PLC0415

        click.echo(rendered(rows, columns, self.style))

    def show_pairs(self, row: Mapping[str, Any], columns: Sequence[str]) -> None:
        """Print one row, for a person a line a column."""
        if self.style == "json":
            self.show([row], columns)
            return
        pairs = [{"what": name, "value": row[name]} for name in columns if row.get(name) is not None]
        self.show(pairs, ("what", "value"))


pass_operation = click.make_pass_decorator(Operation)


def configured(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the operation, and have its help tell of ``--config`` and ``--format``."""
    config = click.option(
        "--config",
        multiple=True,
        metavar="FILE",
        expose_value=False,
        help="Settings file, as for the target; ENV takes them from the environment. May stand anywhere.",
    )
    style = click.option(
        "--format",
        type=click.Choice(["table", "json"]),
        expose_value=False,
        help="A table for a person (the default), or JSON for a program.",
    )
    return config(style(pass_operation(function)))


class _Commands(click.Group):
    """The commands; takes the options that may stand anywhere before anything else looks at them."""

    target_class: type[WarehouseTarget] | str

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        moved, rest = options_anywhere(args)
        operation = Operation(self.target_class, [value for name, value in moved if name == "--config"])
        for name, value in moved:
            if name == "--format":
                if value not in {"table", "json"}:
                    raise click.UsageError(f"--format takes table or json, not '{value}'.", ctx)
                operation.style = value
        ctx.obj = operation
        return super().parse_args(ctx, rest)

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"ml_connector.load.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def commands_of(target_class: type[WarehouseTarget] | str) -> click.Group:
    """The commands of a target."""
    group = _Commands(
        name="commands",
        help="Operate the target; without a command it is a Singer target.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    group.target_class = target_class
    return group


def main_of(target_class: str, program: str) -> Callable[[], None]:
    """A target's console script: the Singer target, unless a command is given.

    Args:
        target_class: Where the target is (``package.module:Class``); it is imported when it is needed.
        program: The script's name.
    """

    def main() -> None:
        """Run the command that is given, or the target."""
        _, rest = options_anywhere(sys.argv[1:])
        if rest and rest[0] in COMMANDS:
            commands_of(target_class)(prog_name=program)
            return
        if rest == ["--version"]:
            # as the SDK says it, without half a second of imports
            click.echo(f"{program} v{version(program)}, Meltano SDK v{version('singer-sdk')}")
            return
        cli = _imported(target_class).cli  # a new one at each access, with its own log handlers
        lines = "\n\n".join(f"{name}: {text}" for name, (_, text) in COMMANDS.items())
        cli.epilog = f"\b\nCommands beside the Singer target (each has --help):\n\n{lines}"
        cli()

    return main


def options_anywhere(args: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Take the options that may stand anywhere out of a command line.

    Args:
        args: The command line, without the program.

    Returns:
        Options and their values, and what is left.
    """
    moved: list[tuple[str, str]] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        name, mark, value = word.partition("=")
        if word == "--":
            rest += [word, *words]
        elif name in _MOVABLE and mark:
            moved.append((name, value))
        elif name in _MOVABLE and (following := next(words, None)) is not None:
            moved.append((name, following))
        else:
            rest.append(word)
    return moved, rest


def _imported(target_class: type[WarehouseTarget] | str) -> type[WarehouseTarget]:
    if not isinstance(target_class, str):
        return target_class
    module, _, name = target_class.partition(":")
    kind: type[WarehouseTarget] = getattr(import_module(module), name)
    return kind


def _settings_in(file: str) -> dict[str, Any]:
    try:
        settings = json.loads(Path(file).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise LoadError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise LoadError(f"The settings file {file} is not JSON.") from error  # the text may hold secrets
    if not isinstance(settings, dict):
        raise LoadError(f"The settings file {file} is not a JSON object.")
    return settings


def _fail(text: str) -> None:
    click.echo(secrets.redact(text), err=True)
    sys.exit(1)
