"""Days: Sage 300 sends them as midnights, and a day has no time zone.

Every date of the Web API's models is a day, sent as `2019-06-13T00:00:00Z`, and a blank one is null; only
time-of-day fields, `TimeValue` of optional fields, mean the rest of the text (recorded answers of AP, of 2023
and later; `0001-01-01` is .NET's empty date, which older servers send for a blank one). As moments they would
become the day before for anyone west of Greenwich.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_sage300.errors import Sage300Error

if TYPE_CHECKING:
    from collections.abc import Mapping

Days = dict[str, "Days | None"]
"""The fields that hold days, None for each; a collection has its own of these."""

_LENGTH = 10
_MIDNIGHT = "T00:00:00Z"
_BLANK = "0001-01-01"
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


def days_in(properties: Mapping[str, Mapping[str, Any]]) -> Days:
    """Find the fields that hold days, at every depth.

    Args:
        properties: The properties of a JSON schema.

    Returns:
        The fields; without those that neither are days nor hold any.
    """
    found: Days = {}
    for name, described in properties.items():
        if described.get("format") == "date":
            found[name] = None
        elif inner := days_in((described.get("items") or {}).get("properties") or {}):
            found[name] = inner
    return found


def write_days(record: dict[str, Any], days: Days, stream: str) -> None:
    """Turn a record's midnights into days.

    Args:
        record: The record, changed in place at every depth.
        days: Which fields hold days.
        stream: Whose record it is, to be named in errors.

    Raises:
        Sage300Error: A value is no day.
    """
    for name, inner in days.items():
        value = record.get(name)
        if value is None:
            continue
        if inner is None:
            record[name] = day(value, name, stream)
        else:
            for item in value:
                write_days(item, inner, stream)


def day(value: Any, field: str, stream: str = "") -> str | None:
    """Read a day.

    Args:
        value: What the Web API sent.
        field: The field, to be named in errors.
        stream: The stream, to be named in errors.

    Returns:
        `2019-06-13`; None for a blank.

    Raises:
        Sage300Error: The value is no day, or has a time of day that a date would lose.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if value[_LENGTH:] == _MIDNIGHT:
            text = value[:_LENGTH]
        elif not value.strip():
            return None
        elif (match := _DAY.fullmatch(value)) is not None:
            text = match[1]
        else:
            raise _no_day(value, field, stream)
        return None if text == _BLANK else text
    raise _no_day(value, field, stream)


def _no_day(value: Any, field: str, stream: str) -> Sage300Error:
    where = f"{stream}: {field}" if stream else field
    return Sage300Error(
        f"{where} holds {str(value)[:40]!r}, which is more than a day or none, and its schema says date."
        " Nothing is cut off silently: give the field the format date-time (or no format) in the catalog,"
        " in a Meltano project with the extra `schema`, and please report it."
    )
