"""What the command line of every ERP tap can do beside the SDK's: control totals, a test for people."""

from __future__ import annotations

import json
import os
import signal
import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import click
from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from ml_connector.extract.digits import into_catalog, out_of_catalog
from ml_connector.extract.http import HttpError
from ml_connector.extract.writer import ExactWriter
from ml_connector.secrets import SecretError, protect_logs, redact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput


_KILLED = 128
"""What a shell adds to the number of the signal that ended a program."""


class Finding(NamedTuple):
    """What one step of a test found."""

    ok: bool
    """False when the run would stop there."""
    text: str
    """One line for a person."""


VERSIONS = th.Property(
    "emit_activate_version_messages",
    th.BooleanType,
    default=True,
    title="Emit ACTIVATE_VERSION",
    description="Follow a stream that was read whole by ACTIVATE_VERSION: targets then mark what vanished.",
)
"""A setting of every ERP tap."""


class ErpTap(Tap):
    """A tap with `--control-totals`, a `--test` of one line a step, and sentences instead of tracebacks."""

    message_writer_class = ExactWriter
    foreseen: ClassVar[tuple[type[Exception], ...]] = ()
    """Errors whose message is all that a person needs."""

    def __init__(self, **options: Any) -> None:
        self.digits = out_of_catalog(options.get("catalog"))
        protect_logs()
        super().__init__(**options)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End a run that was told to: between two lines, and not as if all were read."""
        # a second signal ends it at once, whatever is on its way
        signal.signal(signum, signal.SIG_DFL)
        name = signal.Signals(signum).name
        self.logger.warning("Ended by %s. The next run goes on from the last state that was written.", name)
        code = _KILLED + signum
        if isinstance(self.message_writer, ExactWriter):
            self.message_writer.end(code)
        else:
            sys.exit(code)

    @property
    def emits_versions(self) -> bool:
        """Whether full reads are followed by ACTIVATE_VERSION."""
        return self.config.get("emit_activate_version_messages") is not False

    @property
    @override
    def catalog_dict(self) -> dict[str, Any]:
        schemas = {name: stream.schema for name, stream in self.streams.items()}
        return into_catalog(super().catalog_dict, schemas)

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """Try what a run needs, step by step."""

    @abstractmethod
    def control_totals(self) -> dict[str, Any]:
        """Count and sum the selected streams.

        Returns:
            `{"source", "generated_at", "periods", "totals"}`, as the targets' `reconcile` reads it.
        """

    @abstractmethod
    def close(self) -> None:
        """End all sessions."""

    def forgive(self) -> None:
        """Have discovery go on where a server cannot be asked; a run would stop there."""

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.params.append(
            click.Option(
                ["--control-totals"],
                is_flag=True,
                help="Print counts and sums by stream, company and period as JSON, and exit.",
            )
        )
        made = _Command(
            name=command.name,
            callback=command.callback,
            params=command.params,
            context_settings=command.context_settings,
            help=command.help,
            logger=cls.logger,
        )
        made.foreseen = cls.foreseen
        return made

    @classmethod
    @override
    def invoke(cls, *, control_totals: bool = False, **options: Any) -> None:
        """Run the tap.

        Args:
            control_totals: Print control totals instead of records.
            options: The SDK's: `about`, `about_format`, `config`, `state`, `catalog`.
        """
        if not control_totals:
            super().invoke(**options)
            return
        config, catalog = options.get("config"), options.get("catalog")
        tap = cls(
            config=config.config if config else None,
            catalog=json.load(catalog) if catalog else None,
            parse_env_config=bool(config and config.parse_env),
        )
        click.echo(json.dumps(tap.control_totals(), indent=1))

    @classmethod
    @override
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        if not value:
            return
        config: _ConfigInput | None = ctx.params.get("config")
        tap = cls(
            config=config.config if config else None,
            parse_env_config=bool(config and config.parse_env),
            validate_config=False,
            setup_mapper=False,
        )
        tap.forgive()
        tap.run_discovery()
        tap.close()
        ctx.exit()

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        if value != CliTestOptionValue.All.value:
            super().cb_test(ctx, param, value)
            return
        config: _ConfigInput | None = ctx.params.get("config")
        tap = cls(
            config=config.config if config else None,
            parse_env_config=bool(config and config.parse_env),
            setup_mapper=False,
        )
        failed = False
        for finding in tap.findings():
            click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {redact(finding.text)}")
            failed = failed or not finding.ok
        tap.close()
        ctx.exit(1 if failed else 0)


class _Command(SingerCommand):
    """A command whose foreseen failures are one sentence each."""

    foreseen: tuple[type[Exception], ...] = ()

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        foreseen: tuple[type[Exception], ...] = (*self.foreseen, SecretError, HttpError)
        try:
            return super().main(*args, **kwargs)
        except ConfigValidationError as error:
            _fail(f"The settings are not complete: {'; '.join(error.errors)}.")
        except foreseen as error:
            _fail(str(error))

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _fail("The program that reads this tap's output has ended before the tap: see what it says.")


def _fail(sentence: str) -> None:
    click.echo(redact(sentence), err=True)
    sys.exit(1)
