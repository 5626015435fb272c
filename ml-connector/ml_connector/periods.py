"""The periods by which a tap's control totals and a target's are compared: both have to tell them alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MONTH = len("2026-03")
"""Characters of a date that name its month."""
_LAST_NUMBER = re.compile(r"(\d+)$")


def period_of(fiscal: Iterable[tuple[Any, Any]], dates: Iterable[Any]) -> str | None:
    """The period of a row: the first fiscal one it has, else the month of the first date it has.

    Args:
        fiscal: Pairs of fiscal year and period.
        dates: Dates, or texts that begin with one.

    Returns:
        `2026P03` or `2026-03`; None if it has neither.
    """
    for year, period in fiscal:
        if year and period is not None:
            # periods are numbers, or names of a list: "3", "03", "Num3"
            number = _LAST_NUMBER.search(str(period))
            return f"{year}P{number[1].zfill(2) if number else period}"
    date = next((date for date in dates if date), None)
    return str(date)[:MONTH] if date else None
