"""``erp-sandbox serve sage300``."""

from __future__ import annotations

from pathlib import Path

import click

from erp_sandbox import business
from erp_sandbox.oddities import OddityType, oddity_help
from erp_sandbox.sage300.app import APPLICATION, VERSION, create_app
from erp_sandbox.sage300.faults import KINDS, Fault, FaultPlan, parse_fault
from erp_sandbox.sage300.model import MODULES
from erp_sandbox.sage300.oddities import ODDITIES
from erp_sandbox.serving import serve

_FAULTS = (
    "\b\nA fault, more than one allowed; RATE from 0 to 1 (for recycle requests, for slow-start seconds):\n"
    + "\n".join(f"{kind}: {meaning}" for kind, meaning in KINDS.items())
)


class _FaultType(click.ParamType[Fault]):
    name = "KIND:RATE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Fault:
        """Read the option's text."""
        try:
            return parse_fault(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command("sage300")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=int, default=0, show_default=True, help="Port to bind; 0 takes a free one.")
@click.option(
    "--path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Business file; created with a generated business when missing.",
)
@click.option("--scale", type=float, default=1.0, show_default=True, help="Size of a new business.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of a new business.")
@click.option(
    "--company",
    "companies",
    multiple=True,
    default=("SAMINC", "SAMLTD"),
    show_default=True,
    help="Company database of a new business; more than one allowed.",
)
@click.option("--username", default="WEBAPI", show_default=True, help="User with Web API rights.")
@click.option("--password", default="WEBAPI", help="The user's password.")
@click.option(
    "--page-size", type=click.IntRange(min=1), default=100, show_default=True, help="Records a page."
)
@click.option(
    "--latency", type=click.FloatRange(min=0), default=0.0, help="Milliseconds added to every request."
)
@click.option("--fault", "faults", type=_FaultType(), multiple=True, help=_FAULTS)
@click.option("--fault-seed", type=int, default=0, show_default=True, help="Seed of the faults' draw.")
@click.option("--oddity", "oddities", type=OddityType(ODDITIES), multiple=True, help=oddity_help(ODDITIES))
@click.option(
    "--request-log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to append one JSON line a request to.",
)
@click.option(
    "--unlicensed",
    type=click.Choice(MODULES, case_sensitive=False),
    multiple=True,
    help="Module that is not activated; more than one allowed.",
)
@click.option("--allow-admin", is_flag=True, help="Let the user ADMIN use the Web API.")
@click.option("--lenient", is_flag=True, help="Ignore $orderby, $expand and a missing Content-Type.")
def sage300(
    *,
    host: str,
    port: int,
    path: Path,
    scale: float,
    seed: int,
    companies: tuple[str, ...],
    username: str,
    password: str,
    page_size: int,
    latency: float,
    faults: tuple[Fault, ...],
    fault_seed: int,
    request_log: Path | None,
    unlicensed: tuple[str, ...],
    allow_admin: bool,
    lenient: bool,
    oddities: tuple[str, ...],
) -> None:
    """Serve a Sage 300 Web API (v1.0, OData v4) over a generated business."""
    if not path.exists():
        business.create(path, companies=companies, scale=scale, seed=seed)
    app = create_app(
        path,
        username=username,
        password=password,
        page_size=page_size,
        latency=latency / 1000,
        plan=FaultPlan(faults, fault_seed),
        request_log=request_log,
        unlicensed=unlicensed,
        allow_admin=allow_admin,
        lenient=lenient,
        oddities=oddities,
    )
    serve(app, host=host, port=port, path=f"/{APPLICATION}/{VERSION}/-")
