"""Faults on order: what the gateway, or what stands before it, does on a bad day (reference 1.5 and 1.6)."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Final

from erp_sandbox.intacct.errors import OFF_LINE, TRY_AGAIN, GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CLOUDFLARE: Final = (
    "<!DOCTYPE html><html><head><title>intacct.com | 524: A timeout occurred</title></head>"
    '<body><div id="cf-error-details">Error 524</div></body></html>'
)
_UNSIGNED: Final = (
    "<response><control><status>failure</status></control><errormessage><error>"
    "<errorno>XMLGW_JPP0002</errorno><description>Sign-in information is incorrect. Please check your"
    " request.</description></error></errormessage></response>"
)
_LIMITED: Final = (
    "<response><control><status>failure</status></control><errormessage><error><errorno>GW-0010</errorno>"
    "<description>Too many requests</description></error></errormessage></response>"
)


class Struck:
    """What each kind of fault does."""

    TRUNCATED: Final = "truncated"
    SESSION_LOSS: Final = "session-loss"
    PAGES: Final[Mapping[str, tuple[int, str, str, dict[str, str]]]] = {
        "401": (401, "text/xml", _UNSIGNED, {}),
        "429": (429, "text/xml", _LIMITED, {"Retry-After": "1"}),
        "500": (500, "text/html", "<html><body>Internal Server Error</body></html>", {}),
        "503": (503, "text/html", "<html><body>Service Unavailable</body></html>", {}),
        "html": (200, "text/html", _CLOUDFLARE, {}),
    }
    ERRORS: Final[Mapping[str, GatewayError]] = {
        "error-in-200": GatewayError("DL02000001", "There was an error processing the request."),
        "off-line": GatewayError("", OFF_LINE),
        "try-again": GatewayError(
            "BL01001973", "The operation could not be completed.", correction=TRY_AGAIN
        ),
        "busy": GatewayError("XL03000006", "Too many operations are running for this company."),
    }


KINDS: Final[dict[str, str]] = {
    "error-in-200": "200 with a result that failed for no given reason",
    "truncated": "the answer breaks off in the middle",
    "session-loss": "the session is forgotten: 200 with Invalid session",
    "401": "401 with an XML body, of the front end before the gateway",
    "429": "429 with an XML body",
    "500": "500 with an HTML page",
    "503": "503 with an HTML page",
    "html": "200 with the HTML page of the network before the gateway",
    "off-line": "200 with a result that says the service is temporarily off-line",
    "try-again": "200 with a result whose correction says to try again later",
    "busy": "200 with a result that says too many operations are running",
}


def parse_fault(text: str) -> tuple[str, float]:
    """Read ``KIND:RATE``.

    Raises:
        ValueError: One sentence on what is wrong.
    """
    kind, _, number = text.rpartition(":")
    if kind not in KINDS:
        raise ValueError(f"There is no fault '{kind or text}'; choose one of {', '.join(KINDS)}.")
    try:
        rate = float(number)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError(f"The rate of '{kind}' must lie between 0 and 1.")
    return kind, rate


class FaultPlan:
    """Decides, request by request, which fault strikes; the same seed and order give the same faults.

    Args:
        faults: Kinds with their rates.
        seed: Seed of the draw.
    """

    def __init__(self, faults: Sequence[tuple[str, float]] = (), seed: int = 0) -> None:
        self._faults = faults
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self) -> str | None:
        """The kind that strikes the next request, or None."""
        with self._lock:
            # every fault draws on every request, so that adding one does not move the others
            drawn = [kind for kind, rate in self._faults if self._random.random() < rate]
        return drawn[0] if drawn else None
