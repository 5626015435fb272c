"""The command line of a tap: the SDK's, with `--control-totals`, a `--test` of each step, and sentences."""

from __future__ import annotations

import json
import os
import sys
from abc import abstractmethod
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk import Tap as SdkTap
from singer_sdk.helpers._util import load_json
from singer_sdk.plugin_base import SingerCommand
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from ml_connector.extract.errors import ApiError, InvalidSetting
from ml_connector.extract.http import HttpError
from ml_connector.extract.state_shape import check_state
from ml_connector.secrets import SecretError, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.plugin_base import _ConfigInput

    from ml_connector.extract.checks import Check


class CommandTap(SdkTap):
    """What a tap can be told to do, besides to read."""

    best_effort = False
    """Discovery goes on with what ships with the tap where a server cannot be asked."""

    @abstractmethod
    def checks(self) -> Iterator[Check]:
        """Try what a run needs, step by step."""

    @abstractmethod
    def control_totals(self) -> dict[str, Any]:
        """Count and sum the selected streams."""

    @abstractmethod
    def close(self) -> None:
        """End all sessions."""

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
        return _Command(
            name=command.name,
            callback=command.callback,
            params=command.params,
            context_settings=command.context_settings,
            help=command.help,
            logger=cls.logger,
        )

    @classmethod
    @override
    def invoke(cls, *, control_totals: bool = False, **options: Any) -> None:
        """Run the tap.

        Args:
            control_totals: Print control totals instead of records.
            options: The SDK's: `about`, `about_format`, `config`, `state`, `catalog`.
        """
        # as the SDK's own, but for what is no JSON: a sentence, without parsing a catalog of megabytes twice
        super(SdkTap, cls).invoke(about=options.get("about", False), about_format=options.get("about_format"))
        state, catalog = (_read(name, options.get(name)) for name in ("state", "catalog"))
        if state is not None:
            check_state(state)
        if control_totals:
            tap = _made(cls, options.get("config"), catalog=catalog)
            click.echo(json.dumps(tap.control_totals(), indent=1))
            tap.close()
            return
        cls.print_version(print_fn=cls.logger.info)
        _made(cls, options.get("config"), state=state, catalog=catalog).sync_all()

    @classmethod
    @override
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        if not value:
            return
        tap = _made(cls, ctx.params.get("config"), validate_config=False, setup_mapper=False)
        tap.best_effort = True
        tap.run_discovery()
        tap.close()
        ctx.exit()

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        if value != CliTestOptionValue.All.value:
            super().cb_test(ctx, param, value)
            return
        tap = _made(cls, ctx.params.get("config"), setup_mapper=False)
        failed = False
        for each in tap.checks():
            click.echo(f"{each.word}  {redact(each.text)}")
            failed = failed or not each.ok
        tap.close()
        ctx.exit(1 if failed else 0)


def _read(name: str, file: IO[str] | None) -> Any:
    if file is None:
        return None
    try:
        return load_json(file.read())
    except ValueError as error:
        raise InvalidSetting(f"The {name} in {file.name} is no JSON: {error}.") from error


def _made(cls: Callable[..., CommandTap], config: _ConfigInput | None, **options: Any) -> CommandTap:
    return cls(
        config=config.config if config else None,
        parse_env_config=bool(config and config.parse_env),
        **options,
    )


class _Command(SingerCommand):
    """A command whose expected failures are one sentence each."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except (ApiError, SecretError, HttpError) as error:
            _fail(str(error))

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _fail("The program that reads this tap's output has ended before the tap: see what it says.")


def _fail(sentence: str) -> NoReturn:
    click.echo(redact(sentence), err=True)
    sys.exit(1)
