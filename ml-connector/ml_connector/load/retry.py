"""Make the same call again while what failed may pass: exponential backoff with full jitter."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from ml_connector.load.errors import TransientLoadError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

T = TypeVar("T")
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


def retrying(
    call: Callable[[int], T],
    *,
    seconds: float,
    what: str,
    logger: logging.Logger,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[float, float], float] = random.uniform,
) -> T:
    """Call until it succeeds, fails for good, or time is up.

    Args:
        call: Takes the attempt's number, from 1. A :class:`TransientLoadError` of it is tried again.
        seconds: For how long to try, in seconds; 0 tries once.
        what: What is being done, for the log.
        logger: Where each repetition is told.
        clock: Seconds that only grow.
        sleep: Waits that many seconds.
        jitter: Picks a number between two.

    Returns:
        What the call returned.

    Raises:
        TransientLoadError: The last one, when time is up.
    """
    deadline = clock() + seconds
    attempt = 1
    while True:
        try:
            return call(attempt)
        except TransientLoadError as error:  # noqa: PERF203 - an attempt is a network call
            pause = jitter(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)))
            if clock() + pause >= deadline:
                raise
            logger.warning("%s: %s Trying again in %.1f s (attempt %d).", what, error, pause, attempt + 1)
            sleep(pause)
            attempt += 1
