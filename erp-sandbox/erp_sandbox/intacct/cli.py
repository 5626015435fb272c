"""``erp-sandbox serve intacct``."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from erp_sandbox import business
from erp_sandbox.fault_plan import FaultPlan, FaultType, fault_help
from erp_sandbox.intacct.app import PATH, Behaviour, create_app
from erp_sandbox.intacct.faults import KINDS
from erp_sandbox.intacct.oddities import ODDITIES
from erp_sandbox.intacct.sessions import Credentials
from erp_sandbox.oddities import OddityType, oddity_help
from erp_sandbox.serving import serve

_FILE = click.Path(dir_okay=False, path_type=Path)


class _ZoneType(click.ParamType[ZoneInfo]):
    name = "ZONE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        """Find the zone."""
        try:
            return value if isinstance(value, ZoneInfo) else ZoneInfo(str(value))
        except (KeyError, ValueError):
            self.fail(f"There is no time zone '{value}'.", param, ctx)


@click.command("intacct")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=int, default=0, show_default=True, help="Port to bind; 0 takes a free one.")
@click.option(
    "--path", required=True, type=_FILE, help="Business file; created with a generated business when missing."
)
@click.option("--scale", type=float, default=1.0, show_default=True, help="Size of a new business.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of a new business.")
@click.option(
    "--company", "companies", multiple=True, default=("SAMINC",), show_default=True,
    help="Company of a new business; more than one allowed.",
)  # fmt: skip
@click.option("--sender-id", default="SENDER", show_default=True, help="Web Services sender.")
@click.option("--sender-password", default="SENDERPASS", help="The sender's password.")
@click.option("--user-id", default="WEBUSER", show_default=True, help="User of the companies.")
@click.option("--user-password", default="WEBPASS", help="The user's password.")
@click.option("--session-minutes", type=float, default=120.0, help="Life of a session after each use.")
@click.option("--session-requests", type=int, help="A session dies after so many requests.")
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, help="Milliseconds added to requests.")
@click.option("--fault", "faults", type=FaultType(KINDS), multiple=True, help=fault_help(KINDS))
@click.option("--fault-seed", type=int, default=0, show_default=True, help="Seed of the faults' draw.")
@click.option("--oddity", "oddities", type=OddityType(ODDITIES), multiple=True, help=oddity_help(ODDITIES))
@click.option("--request-log", type=_FILE, help="File to append one JSON line a request to.")
@click.option("--timezone", "zone", type=_ZoneType(), default="UTC", help="Zone of the user's timestamps.")
@click.option("--forbid", multiple=True, help="Object that the user may not read; more than one allowed.")
@click.option("--visibility-lag", type=float, default=0.0, help="Seconds after which a change can be seen.")
def intacct(
    *,
    host: str,
    port: int,
    path: Path,
    scale: float,
    seed: int,
    companies: tuple[str, ...],
    sender_id: str,
    sender_password: str,
    user_id: str,
    user_password: str,
    session_minutes: float,
    session_requests: int | None,
    latency: float,
    faults: tuple[tuple[str, float], ...],
    fault_seed: int,
    request_log: Path | None,
    zone: ZoneInfo,
    forbid: tuple[str, ...],
    visibility_lag: float,
    oddities: tuple[str, ...],
) -> None:
    """Serve Sage Intacct's XML Gateway over a generated business."""
    if not path.exists():
        business.create(path, companies=companies, scale=scale, seed=seed, erps=("intacct",))
    business.add_erp(path, "intacct")
    behaviour = Behaviour(
        zone,
        session_minutes,
        session_requests,
        forbid,
        visibility_lag,
        latency / 1000,
        request_log,
        oddities,
    )
    credentials = Credentials(sender_id, sender_password, user_id, user_password)
    app = create_app(path, credentials, behaviour, FaultPlan(faults, fault_seed))
    serve(app, host=host, port=port, path=PATH)
