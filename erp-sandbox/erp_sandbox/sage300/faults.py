"""Faults on order: what a Web API, its application pool or the network between does on a bad day."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What each kind does to a request.
KINDS: Final[dict[str, str]] = {
    "429": "429 TooManyRequests with Retry-After",
    "500": "500 InternalServerError",
    "503": "503 with the HTML page of IIS",
    "409": "409 General on writes",
    "timeout": "no answer for ten minutes",
    "truncate": "the connection is closed in mid-body",
    "reset": "the connection is dropped before any answer",
    "session-expiry": "the session is forgotten and the request refused with 401",
    "malformed": "200 with invalid JSON",
    "html": "200 with an HTML page",
    "empty": "200 with an empty body",
    "wrapped-error": "200 with an error body",
    "recycle": "after every N requests the application pool recycles: a reset, then 503s, sessions lost",
    "slow-start": "the first request of each session waits N seconds",
}

#: How many requests meet the 503 page while a recycled application pool starts.
STORM: Final = 5


@dataclass(frozen=True)
class Fault:
    """One ``--fault`` option.

    Attributes:
        kind: A key of ``KINDS``.
        value: A rate from 0 to 1; for ``recycle`` a number of requests, for ``slow-start`` seconds.
    """

    kind: str
    value: float


def parse_fault(text: str) -> Fault:
    """Read ``KIND:RATE``.

    Args:
        text: For example ``503:0.05``, ``recycle:1500`` or ``slow-start:2``.

    Returns:
        The fault.

    Raises:
        ValueError: One sentence on what is wrong.
    """
    kind, _, number = text.partition(":")
    if kind not in KINDS:
        raise ValueError(f"There is no fault '{kind}'; choose one of {', '.join(KINDS)}.")
    try:
        value = float(number)
    except ValueError:
        raise ValueError(
            f"The fault '{text}' needs a number after the colon, for example {kind}:0.1."
        ) from None
    if kind == "recycle" and (value < 1 or value != int(value)):
        raise ValueError("recycle takes a whole number of requests, for example recycle:1500.")
    if kind == "slow-start" and value < 0:
        raise ValueError("slow-start takes seconds, for example slow-start:2.")
    if kind not in {"recycle", "slow-start"} and not 0 <= value <= 1:
        raise ValueError(f"The rate of '{kind}' must lie between 0 and 1.")
    return Fault(kind, value)


class FaultPlan:
    """Decides, request by request, which fault strikes.

    The same seed and the same order of requests give the same faults.

    Args:
        faults: The faults on order.
        seed: Seed of the draw.
    """

    def __init__(self, faults: Sequence[Fault] = (), seed: int = 0) -> None:
        self._rates = [fault for fault in faults if fault.kind not in {"recycle", "slow-start"}]
        self._recycle = next((int(fault.value) for fault in faults if fault.kind == "recycle"), 0)
        self.slow_start = next((fault.value for fault in faults if fault.kind == "slow-start"), 0.0)
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._requests = 0
        self._storm = 0

    def draw(self, *, write: bool) -> str | None:
        """The kind that strikes the next request, or None.

        Args:
            write: Whether the request writes; ``409`` strikes no reads.

        Returns:
            A key of ``KINDS``; a recycling pool shows as ``recycle`` once and then as ``503``.
        """
        with self._lock:
            if self._storm:
                self._storm -= 1
                return "503"
            self._requests += 1
            if self._recycle and self._requests > self._recycle:
                self._requests = 0
                self._storm = STORM
                return "recycle"
            struck = None
            for fault in self._rates:
                # Every fault draws on every request, so that adding one does not move the others.
                if self._random.random() < fault.value and struck is None and (write or fault.kind != "409"):
                    struck = fault.kind
            return struck
