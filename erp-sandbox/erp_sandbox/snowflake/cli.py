"""``erp-sandbox serve snowflake``."""

from __future__ import annotations

from pathlib import Path

import click

from erp_sandbox.serving import serve

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", default=0, show_default=True, help="Port to bind, 0 for a free one.")
@click.option("--path", type=click.Path(path_type=Path), required=True, help="Folder of the databases.")
@click.option("--account", default="SANDBOX", show_default=True, help="Account identifier.")
@click.option("--user", default="LOADER", show_default=True, help="The registered user.")
@click.option(
    "--public-key", "keys", type=_FILE, multiple=True, help="PEM file with a public key of the user."
)
@click.option("--token", "tokens", multiple=True, help="A programmatic access token of the user.")
@click.option("--latency", default=0.0, help="Milliseconds each statement is held back.")
@click.option("--request-log", type=click.Path(path_type=Path), help="File for one JSON line a statement.")
def snowflake(
    *,
    host: str,
    port: int,
    path: Path,
    account: str,
    user: str,
    keys: tuple[Path, ...],
    tokens: tuple[str, ...],
    latency: float,
    request_log: Path | None,
) -> None:
    """Serve a Snowflake account with one user."""
    # a second of imports, which the other commands need not wait for
    from erp_sandbox.snowflake.app import create_app  # noqa: PLC0415
    from erp_sandbox.snowflake.auth import Accounts  # noqa: PLC0415

    accounts = Accounts.registered(account, user, keys, tokens)
    app = create_app(accounts, path, latency=latency / 1000, request_log=request_log)
    serve(app, host=host, port=port)
