"""``erp-sandbox advance``."""

from __future__ import annotations

from pathlib import Path

import click

from erp_sandbox import business


@click.command()
@click.option(
    "--path", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
    help="The business's file, as given to `serve`.",
)  # fmt: skip
@click.option("--days", type=click.IntRange(min=1), default=1, show_default=True, help="How many days pass.")
def advance(path: Path, days: int) -> None:
    """Let days pass in the business: new, edited, posted, paid, reversed and deleted documents."""
    try:
        business.advance(path, days)
    except business.BusinessError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{days} day{'s' if days > 1 else ''} passed in {path}")
