"""The `ml-connector` command: keys and encrypted settings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ml_connector import __version__, secrets

if TYPE_CHECKING:
    from collections.abc import Callable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ml-connector")
def main() -> None:
    """Commands shared by the ml-connector taps and targets."""


@main.group("secrets")
def secrets_group() -> None:
    """Encrypt the secrets in settings.

    The keys come from the environment: ML_CONNECTOR_KEY (several, separated by commas), then those of the
    file whose path is in ML_CONNECTOR_KEY_FILE. The first one encrypts, all of them decrypt. Secrets are
    read from standard input, or asked for without echo at a terminal; never from the command line, which
    others can see. White space around a secret is not part of it.
    """


@secrets_group.command("generate-key")
def generate_key() -> None:
    """Print a new key for ML_CONNECTOR_KEY."""
    click.echo(secrets.generate_key())


@secrets_group.command()
def encrypt() -> None:
    """Encrypt a secret; print the enc:v1: value to put into a setting."""
    click.echo(_answer(secrets.encrypt, _read("Secret", confirm=True)))


@secrets_group.command()
def decrypt() -> None:
    """Print the plain text of an enc:v1: value."""
    value = _read("Encrypted value")
    if not value.startswith(secrets.PREFIX):
        raise click.ClickException(f"This value is not encrypted: it does not start with {secrets.PREFIX}.")
    click.echo(_answer(secrets.reveal, value))


@secrets_group.command()
def rotate() -> None:
    """Encrypt enc:v1: values again with the first key, one a line.

    Put the new key first in ML_CONNECTOR_KEY and the old one after it, rotate every value, then drop the
    old key.
    """
    for line in _read("Encrypted value").splitlines():
        if value := line.strip():
            click.echo(_answer(secrets.rotate, value))


def _read(what: str, *, confirm: bool = False) -> str:
    """Read a pipe whole, a person without echo; white space around it is not part of it."""
    if _at_terminal():
        text = str(click.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True))
    else:
        text = sys.stdin.read()
    text = text.strip()
    if not text:
        raise click.ClickException(f"{what} is empty: give it on standard input.")
    return text


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _answer(action: Callable[[str], str], value: str) -> str:
    try:
        return action(value)
    except secrets.SecretError as error:
        raise click.ClickException(str(error)) from None
