"""``erp-sandbox serve snowflake``."""

from __future__ import annotations

from pathlib import Path

import click

from erp_sandbox.serving import serve

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def _pairs(_context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> list[tuple[str, str]]:
    """Read ``NAME=VALUE``, or ``ID:SECRET``."""
    mark = ":" if option.name == "oauth_clients" else "="
    for text in given:
        if mark not in text:
            raise click.BadParameter(f"{text!r} has no {mark!r}.")
    return [(text.partition(mark)[0], text.partition(mark)[2]) for text in given]


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
@click.option("--oauth-token", "oauth_tokens", multiple=True, help="An OAuth access token of the user.")
@click.option(
    "--oauth-client",
    "oauth_clients",
    multiple=True,
    callback=_pairs,
    metavar="ID:SECRET",
    help="A client that gets tokens at /oauth/token-request.",
)
@click.option(
    "--workload-identity-token",
    "workload_tokens",
    multiple=True,
    help="An OpenID token of the user's workload.",
)
@click.option("--token-lifetime", default=0.0, help="Seconds until a token ends, 0 for never.")
@click.option(
    "--session-lifetime", default=3600.0, show_default=True, help="Seconds until a session's token ends."
)
@click.option(
    "--master-lifetime", default=14400.0, show_default=True, help="Seconds until it cannot be renewed."
)
@click.option(
    "--idle-transaction",
    default=3.0,
    show_default=True,
    help="Seconds of silence that end an open transaction.",
)
@click.option(
    "--patience", default=45.0, show_default=True, help="Seconds an answer waits for its statement."
)
@click.option(
    "--slow",
    multiple=True,
    callback=_pairs,
    metavar="WORD=SECONDS",
    help="How much longer a statement runs that contains a word.",
)
@click.option(
    "--parameter", "parameters", multiple=True, help="NAME=VALUE: a session parameter that the account sets."
)
@click.option(
    "--grants",
    "grants_file",
    type=_FILE,
    help='JSON file of what roles may, as {"LOADER": ["USAGE ON DATABASE BOOKS"]}; the first is the user\'s.',
)
@click.option("--latency", default=0.0, help="Milliseconds each statement is held back.")
@click.option("--request-log", type=click.Path(path_type=Path), help="File for one JSON line a request.")
def snowflake(
    *,
    host: str,
    port: int,
    path: Path,
    account: str,
    user: str,
    keys: tuple[Path, ...],
    tokens: tuple[str, ...],
    oauth_tokens: tuple[str, ...],
    oauth_clients: list[tuple[str, str]],
    workload_tokens: tuple[str, ...],
    token_lifetime: float,
    session_lifetime: float,
    master_lifetime: float,
    idle_transaction: float,
    patience: float,
    slow: list[tuple[str, str]],
    parameters: tuple[str, ...],
    grants_file: Path | None,
    latency: float,
    request_log: Path | None,
) -> None:
    """Serve a Snowflake account with one user."""
    # a second of imports, which the other commands need not wait for
    from erp_sandbox.snowflake.app import create_app  # noqa: PLC0415
    from erp_sandbox.snowflake.auth import Accounts  # noqa: PLC0415
    from erp_sandbox.snowflake.grants import Grants  # noqa: PLC0415
    from erp_sandbox.snowflake.options import Options  # noqa: PLC0415
    from erp_sandbox.snowflake.parameters import ACCOUNT, of_account  # noqa: PLC0415

    try:
        ACCOUNT.update(of_account(parameters))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    accounts = Accounts(
        account.upper(),
        user.upper(),
        Accounts.keys_of(keys),
        tokens,
        oauth_tokens,
        dict(oauth_clients),
        workload_tokens,
        token_lifetime,
    )
    options = Options(
        latency=latency / 1000,
        patience=patience,
        slow=[(word, float(seconds)) for word, seconds in slow],
        session_lifetime=session_lifetime,
        master_lifetime=master_lifetime,
        idle_transaction=idle_transaction,
        grants=Grants.read(grants_file) if grants_file else None,
        request_log=request_log,
    )
    serve(create_app(accounts, path, options), host=host, port=port)
