"""Faults on order: what the gateway, or what stands before it, does on a bad day (reference 1.5 and 1.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from erp_sandbox.intacct.errors import OFF_LINE, TRY_AGAIN, GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
