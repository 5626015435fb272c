"""For how long nothing has worked, against the setting max_retry_time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT = 600.0
ONE_SECOND = 1.0


class Patience:
    """Begins to run out with the first failure, and is whole again once something succeeds.

    What one call may take, its own repetitions included, is derived from what is left, so that the time-outs
    of the layers do not add up.

    Args:
        seconds: ``max_retry_time``.
        clock: Seconds that only grow.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since: float | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> Patience:
        """As long as the settings say."""
        seconds = config.get("max_retry_time")
        return cls(DEFAULT if seconds is None else float(seconds), clock)

    def now(self) -> float:
        """Seconds on the clock."""
        return self._clock()

    @property
    def left(self) -> float:
        """Seconds for which it is still worth trying."""
        passed = 0.0 if self._since is None else self._clock() - self._since
        return max(0.0, self._seconds - passed)

    def at_most(self, seconds: float) -> float:
        """Seconds that one attempt may take: so many, or what is left, but never less than one."""
        return max(ONE_SECOND, min(seconds, self.left))

    def failed(self) -> None:
        """Something failed that may pass."""
        if self._since is None:
            self._since = self._clock()

    def succeeded(self) -> None:
        """Something worked."""
        self._since = None
