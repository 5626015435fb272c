"""Faults on order: read from the command line, drawn request by request."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Fault = tuple[str, float]
"""A kind and its rate, 0 to 1."""


def parse_fault(text: str, kinds: Mapping[str, str]) -> Fault:
    """Read ``KIND:RATE``.

    Args:
        text: For example ``503:0.05``.
        kinds: The kinds that there are.

    Raises:
        ValueError: One sentence on what is wrong.
    """
    kind, _, number = text.rpartition(":")
    if kind not in kinds:
        raise ValueError(f"There is no fault '{kind or text}'; choose one of {', '.join(kinds)}.")
    try:
        rate = float(number)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError(f"The rate of '{kind}' must lie between 0 and 1.")
    return kind, rate


class FaultType(click.ParamType[Fault]):
    """The value of ``--fault``.

    Args:
        kinds: The kinds that there are.
    """

    name = "KIND:RATE"

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = kinds

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Fault:
        """Read the option's text."""
        try:
            return parse_fault(str(value), self._kinds)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def fault_help(kinds: Mapping[str, str]) -> str:
    """The help of ``--fault``."""
    return "\b\nA fault, more than one allowed; RATE from 0 to 1:\n" + "\n".join(
        f"{kind}: {meaning}" for kind, meaning in kinds.items()
    )


class FaultPlan:
    """Decides, request by request, which fault strikes; the same seed and order give the same faults.

    Args:
        faults: Kinds with their rates.
        seed: Seed of the draw.
    """

    def __init__(self, faults: Sequence[Fault] = (), seed: int = 0) -> None:
        self._faults = faults
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self, spared: Sequence[str] = ()) -> str | None:
        """The kind that strikes the next request, or None.

        Args:
            spared: Kinds that cannot strike this request.
        """
        with self._lock:
            # every fault draws on every request, so that adding one does not move the others
            drawn = [kind for kind, rate in self._faults if self._random.random() < rate]
        return next((kind for kind in drawn if kind not in spared), None)
