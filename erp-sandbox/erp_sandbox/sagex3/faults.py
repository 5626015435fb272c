"""Faults on order: what X3, or what stands before it, does on a bad day (reference 1.5, 1.7 and 2.4)."""

from __future__ import annotations

import json
import random
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    #: Kinds that only one of the two APIs knows.
    ONLY: Final = {"diagnoses": "rest", "graphql-errors": "graphql"}


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

    def draw(self, api: str) -> str | None:
        """The kind that strikes the next request, or None.

        Args:
            api: ``rest`` or ``graphql``.
        """
        with self._lock:
            # every fault draws on every request, so that adding one does not move the others
            drawn = [kind for kind, rate in self._faults if self._random.random() < rate]
        return next((kind for kind in drawn if Struck.ONLY.get(kind, api) == api), None)
