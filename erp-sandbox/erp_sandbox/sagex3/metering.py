"""The licence's meter: so many bytes a period, then slower, then nothing (reference 1.7)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Allowance:
    """What the licence allows.

    Attributes:
        size: ``WSSIZELIMIT`` in bytes; None for no limit.
        period: ``WSPERIOD`` in seconds.
        grace: ``WSGRACELIMIT`` as a share of the size.
        slow: Seconds that an answer takes longer within the grace.
        refuse: Whether what lies beyond is answered with 503; else it is not answered.
    """

    size: int | None = None
    period: float = 86_400.0
    grace: float = 0.1
    slow: float = 1.0
    refuse: bool = False


class Meter:
    """Counts bytes by period.

    Args:
        allowance: What may be used.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._began = time.monotonic()
        self._used = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        """Count an answer."""
        with self._lock:
            self._renew()
            self._used += size

    def delay(self) -> float | None:
        """Seconds to wait before the next answer; None if there shall be none."""
        limit = self._allowance.size
        if limit is None:
            return 0.0
        with self._lock:
            self._renew()
            if self._used < limit:
                return 0.0
            return self._allowance.slow if self._used < limit * (1 + self._allowance.grace) else None

    def _renew(self) -> None:
        if time.monotonic() - self._began >= self._allowance.period:
            self._began, self._used = time.monotonic(), 0
