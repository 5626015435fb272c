"""Filters of the `query` function as XML, and moments in its notation (reference sections 2.1 and 2.4)."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo
from typing import TYPE_CHECKING

from tap_sageintacct.xml import element

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_sageintacct.xml import Element

MOST_IN = 1_000
"""Values that `in` takes."""
_TIME = "%m/%d/%Y %H:%M:%S"


def compared(operator: str, field: str, value: object) -> Element:
    """A comparison: `equalto`, `greaterthan`, `greaterthanorequalto` ..."""
    return element(operator, element("field", text=field), element("value", text=value))


def one_of(field: str, values: Iterable[object], *, negated: bool = False) -> Element:
    """`in`, or `notin`; at most `MOST_IN` values."""
    listed = [element("value", text=value) for value in values]
    return element("notin" if negated else "in", element("field", text=field), *listed)


def is_null(field: str) -> Element:
    """`isnull`."""
    return element("isnull", element("field", text=field))


def all_of(conditions: Sequence[Element | None]) -> Element | None:
    """Conditions that all hold; a filter has exactly one operator at its top."""
    return _joined("and", conditions)


def any_of(conditions: Sequence[Element | None]) -> Element | None:
    """Conditions of which one holds."""
    return _joined("or", conditions)


def moment(at: datetime, zone: tzinfo) -> str:
    """A moment as a filter takes it: 24 hours, in the user's zone.

    Args:
        at: An aware date-time.
        zone: The setting `timezone`.
    """
    return at.astimezone(zone).strftime(_TIME)


def read_moment(text: str) -> datetime:
    """A bookmark's ISO text as an aware date-time; without a zone it is UTC."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _joined(name: str, conditions: Sequence[Element | None]) -> Element | None:
    given = [condition for condition in conditions if condition is not None]
    if len(given) < 2:  # noqa: PLR2004 - one condition needs no operator over it
        return given[0] if given else None
    return element(name, *given)
