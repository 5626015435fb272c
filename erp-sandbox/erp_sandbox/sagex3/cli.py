"""``erp-sandbox serve sagex3``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from erp_sandbox import business
from erp_sandbox.fault_plan import FaultPlan, FaultType, fault_help
from erp_sandbox.oddities import OddityType, oddity_help
from erp_sandbox.sagex3.app import Behaviour, create_app
from erp_sandbox.sagex3.auth import Credentials
from erp_sandbox.sagex3.faults import KINDS
from erp_sandbox.sagex3.graphql_names import GENERATIONS
from erp_sandbox.sagex3.metering import Allowance
from erp_sandbox.sagex3.oddities import ODDITIES
from erp_sandbox.serving import serve

_FILE = click.Path(dir_okay=False, path_type=Path)
_KNOWN = Credentials()


class _EndpointType(click.ParamType[tuple[str, str]]):
    name = "NAME=FOLDER"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read the option's text."""
        name, equals, folder = str(value).partition("=")
        if not (name and equals and folder):
            self.fail(f"'{value}' is not of the form NAME=FOLDER.", param, ctx)
        return name, folder


@click.command("sagex3")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=int, default=0, show_default=True, help="Port to bind; 0 takes a free one.")
@click.option(
    "--path", required=True, type=_FILE, help="Business file; created with a generated business when missing."
)
@click.option("--scale", type=float, default=1.0, show_default=True, help="Size of a new business.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of a new business.")
@click.option(
    "--company", "companies", multiple=True, default=("SAMINC",), show_default=True,
    help="Company of a new business, which becomes a folder; more than one allowed.",
)  # fmt: skip
@click.option(
    "--endpoint", "endpoints", type=_EndpointType(), multiple=True,
    help="An endpoint and its folder; without any, each folder is an endpoint of its name.",
)  # fmt: skip
@click.option("--username", default=_KNOWN.username, show_default=True, help="User for Basic.")
@click.option("--password", default=_KNOWN.password, help="The user's password.")
@click.option("--basic/--no-basic", default=True, show_default=True, help="Whether Basic is allowed.")
@click.option("--client-id", default=_KNOWN.client_id, show_default=True, help="Connected application.")
@click.option("--client-secret", default=_KNOWN.client_secret, show_default=True, help="Its secret.")
@click.option("--user", default=_KNOWN.user, show_default=True, help="The application's allowed user.")
@click.option("--audience", default=_KNOWN.audience, show_default=True, help="The application's audience.")
@click.option(
    "--token-seconds", type=float, default=_KNOWN.token_seconds, show_default=True,
    help="Longest life of a token that a connected application signs.",
)  # fmt: skip
@click.option("--token-requests", type=int, help="A token dies after so many requests.")
@click.option("--access-seconds", type=float, default=300.0, help="Life of the gateway's access tokens.")
@click.option("--refresh-token", help="A refresh token that is good once, as if a user had paired.")
@click.option("--api-key", default=_KNOWN.api_key, show_default=True, help="X-API-Key of client credentials.")
@click.option("--api-audience", default=_KNOWN.api_audience, show_default=True, help="Their audience.")
@click.option("--clock-skew", type=float, default=0.0, help="Seconds that the server's clock is ahead.")
@click.option(
    "--generation", type=click.Choice(GENERATIONS), default=GENERATIONS[0], show_default=True,
    help="Generation of the GraphQL schema.",
)  # fmt: skip
@click.option("--page-cap", type=click.IntRange(min=1), help="The most rows of a page.")
@click.option("--drop-count", is_flag=True, help="Let api1's $next forget the page size.")
@click.option(
    "--forbid", multiple=True, help="Class or node that the user may not read; more than one allowed."
)
@click.option("--inactive", multiple=True, help="Node that is not activated; more than one allowed.")
@click.option("--ws-size-limit", type=int, help="Bytes that the licence allows a period.")
@click.option("--ws-period", type=float, default=86_400.0, help="Seconds of the licence's period.")
@click.option("--ws-grace", type=float, default=10.0, help="Percent beyond, answered slowly.")
@click.option("--ws-slow", type=float, default=1000.0, help="Milliseconds added then.")
@click.option("--ws-refuse", is_flag=True, help="Answer 503 beyond that, instead of nothing.")
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, help="Milliseconds added to requests.")
@click.option("--visibility-lag", type=float, default=0.0, help="Seconds after which a change can be seen.")
@click.option("--fault", "faults", type=FaultType(KINDS), multiple=True, help=fault_help(KINDS))
@click.option("--fault-seed", type=int, default=0, show_default=True, help="Seed of the faults' draw.")
@click.option("--oddity", "oddities", type=OddityType(ODDITIES), multiple=True, help=oddity_help(ODDITIES))
@click.option("--request-log", type=_FILE, help="File to append one JSON line a request to.")
def sagex3(
    *,
    host: str,
    port: int,
    path: Path,
    scale: float,
    seed: int,
    companies: tuple[str, ...],
    faults: tuple[tuple[str, float], ...],
    fault_seed: int,
    **options: Any,
) -> None:
    """Serve Sage X3's api1 and its GraphQL over a generated business."""
    if not path.exists():
        business.create(path, companies=companies, scale=scale, seed=seed, erps=("sagex3",))
    business.add_erp(path, "sagex3")
    plan = FaultPlan(faults, fault_seed)
    app = create_app(path, _credentials(options), _behaviour(options), plan)
    serve(app, host=host, port=port, dated=not options["clock_skew"])


def _credentials(options: dict[str, Any]) -> Credentials:
    return Credentials(
        username=options["username"],
        password=options["password"],
        client_id=options["client_id"],
        client_secret=options["client_secret"],
        user=options["user"],
        audience=options["audience"],
        token_seconds=options["token_seconds"],
        api_key=options["api_key"],
        api_audience=options["api_audience"],
    )


def _behaviour(options: dict[str, Any]) -> Behaviour:
    allowance = Allowance(
        size=options["ws_size_limit"],
        period=options["ws_period"],
        grace=options["ws_grace"] / 100,
        slow=options["ws_slow"] / 1000,
        refuse=options["ws_refuse"],
    )
    return Behaviour(
        generation=options["generation"],
        endpoints=dict(options["endpoints"]),
        page_cap=options["page_cap"],
        drop_count=options["drop_count"],
        forbidden=options["forbid"],
        inactive=options["inactive"],
        basic=options["basic"],
        token_requests=options["token_requests"],
        access_seconds=options["access_seconds"],
        first_refresh=options["refresh_token"],
        skew=options["clock_skew"],
        lag=options["visibility_lag"],
        latency=options["latency"] / 1000,
        allowance=allowance,
        request_log=options["request_log"],
        oddities=options["oddities"],
    )
