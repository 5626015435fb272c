"""Faults on order: what X3, or what stands before it, does on a bad day (reference 1.5, 1.7 and 2.4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_GATEWAY: Final = {
    "$severity": "error",
    "$dataCode": "InternalServerError",
    "$message": "",
    "$source": "Gateway",
}
_DIAGNOSES: Final = {"$diagnoses": [{"$severity": "error", "$message": "Error: the session was closed"}]}
_ERRORS: Final = {
    "data": None,
    "errors": [{"message": "An internal error occurred.", "extensions": {"code": "operation-error"}}],
}
_JSON: Final = "application/json"


class Struck:
    """What each kind of fault does."""

    TRUNCATED: Final = "truncated"
    RESET: Final = "reset"
    TIMEOUT: Final = "timeout"
    PAGES: Final[Mapping[str, tuple[int, str, str, dict[str, str]]]] = {
        "401": (401, _JSON, json.dumps({"message": "Unauthorised"}), {}),
        "429": (429, _JSON, json.dumps({"message": "Too Many Requests"}), {"Retry-After": "1"}),
        "500": (500, _JSON, json.dumps(_GATEWAY), {}),
        "503": (503, "text/html", "<html><body>Service Unavailable</body></html>", {}),
        "html": (200, "text/html", "<!DOCTYPE html><html><body>Sign in</body></html>", {}),
        "malformed": (200, _JSON, '{"$itemsPerPage": 20, "$resources": [{"$uuid": ', {}),
        "diagnoses": (200, _JSON, json.dumps(_DIAGNOSES), {}),
        "graphql-errors": (200, _JSON, json.dumps(_ERRORS), {}),
    }
    #: Kinds that an API does not know.
    SPARED: Final[Mapping[str, tuple[str, ...]]] = {"rest": ("graphql-errors",), "graphql": ("diagnoses",)}


KINDS: Final[dict[str, str]] = {
    "401": "401 with the gateway's body, whatever the token",
    "429": "429 with Retry-After",
    "500": "500 with the gateway's body",
    "503": "503 with an HTML page",
    "html": "200 with an HTML page of a sign-in",
    "malformed": "200 with JSON that ends too soon, complete by its length",
    "diagnoses": "200 with $diagnoses instead of rows; api1 only",
    "graphql-errors": "200 with errors and no data; GraphQL only",
    "truncated": "the answer breaks off in the middle",
    "reset": "the connection is closed without an answer",
    "timeout": "no answer for a long time, then 504",
}
