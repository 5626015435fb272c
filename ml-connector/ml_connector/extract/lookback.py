"""How far before its bookmark a stream reads again.

ERPs stamp changes by day, or write them a little after the moment they carry. Reading an overlap again and
letting the target's upsert swallow the repetition is what keeps such a stream complete.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

DEFAULT_LOOKBACK = "P1D"

_ISO_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+(?:\.\d+)?)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII | re.IGNORECASE,
)
_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_UNITS = {
    "weeks": 7 * 86_400,
    "days": 86_400,
    "hours": 3_600,
    "minutes": 60,
    "seconds": 1,
}


def parse_lookback(value: str | float | timedelta | None) -> timedelta:
    """Read the `lookback` setting.

    Args:
        value: An ISO 8601 duration in weeks, days, hours, minutes and seconds (`P1D`, `PT90M`, `P1DT12H`), a
            number of seconds (`86400` or `"86400"`), a ready `timedelta`, or None for the default of one day.

    Returns:
        The span to subtract from a bookmark; never negative.

    Raises:
        ValueError: The value is neither form, is negative, or uses months or years, whose length varies.
    """
    if value is None:
        value = DEFAULT_LOOKBACK
    if isinstance(value, timedelta):
        span = value
    elif isinstance(value, str):
        span = _from_text(value.strip())
    elif isinstance(value, bool):
        raise ValueError(_complaint(value))  # noqa: TRY004 - a setting's value, like the others
    else:
        try:
            span = timedelta(seconds=value)
        except (OverflowError, ValueError) as error:
            raise ValueError(_complaint(value)) from error
    if span < timedelta(0):
        raise ValueError(_complaint(value))
    return span


def _from_text(text: str) -> timedelta:
    if _SECONDS.fullmatch(text):
        seconds = Decimal(text)
    elif match := _ISO_DURATION.fullmatch(text):
        parts = {unit: Decimal(count) for unit, count in match.groupdict().items() if count is not None}
        seconds = sum((count * _UNITS[unit] for unit, count in parts.items()), Decimal(0))
    else:
        raise ValueError(_complaint(text))
    try:
        return timedelta(microseconds=int(seconds * 1_000_000))
    except OverflowError as error:
        raise ValueError(_complaint(text)) from error


def _complaint(value: object) -> str:
    return (
        f"The setting lookback is {value!r}: give an ISO 8601 duration of weeks, days, hours, minutes or"
        " seconds, such as P1D or PT6H, or a number of seconds."
    )
