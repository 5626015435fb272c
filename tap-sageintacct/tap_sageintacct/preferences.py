"""How the API user's dates and times are written, against what the tap reads (reference 2.3 and 2.4)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ml_connector.extract.errors import InvalidSetting

from tap_sageintacct.xml import element

if TYPE_CHECKING:
    from tap_sageintacct.xml import Element, Result

WHAT = "readUserFormatting"


def zone_of(name: object) -> tzinfo:
    """The zone of the user's timestamps, the setting `timezone`; UTC if it is not set.

    Raises:
        InvalidSetting: There is no such zone.
    """
    text = str(name or "UTC").strip()
    if text.upper() == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidSetting(
            f"The setting timezone is '{text}': give an IANA name such as America/New_York."
        ) from error


def asked(user: str) -> Element:
    """The function that tells the preferences.

    Args:
        user: The setting `user_id`.
    """
    return element(WHAT, element("userId", text=user))


def judged(result: Result, zone: tzinfo, *, is_set: bool) -> tuple[bool, str]:
    """Compare the preferences with the settings.

    Args:
        result: The answer.
        zone: The zone of the setting `timezone`.
        is_set: Whether the setting is given.

    Returns:
        Whether all will be read as it is meant, and a sentence.
    """
    rows = [] if result.failed else result.rows
    said = rows[0] if rows else {}
    dates, clock, offset = (str(said.get(name) or "") for name in ("dateformat", "clock", "gmtoffset"))
    if not said or not offset:
        reason = " ".join(map(str, result.errors)) or "the gateway does not say"
        if is_set:
            return True, f"The user's preferences cannot be read ({reason}); timezone is {zone}."
        return False, (
            f"The user's time zone is not known ({reason}), and its time stamps would be misread: set"
            " timezone to the zone of the user's preferences, or to UTC if that is GMT."
        )
    text = f"the user's dates are {dates or '?'}, clock {clock or '?'}, GMT offset {offset}"
    if dates.lower() not in {"", "/mdy"} or clock not in {"", "24"}:
        remedy = "set the user's preferences to mm/dd/yyyy and 24 hours: other dates would be misread"
        return False, f"{text}: {remedy}."
    if offset not in _offsets(zone):
        remedy = "set the user's preferences to GMT and timezone to UTC, or both to the same zone"
        return False, f"{text}, but timezone is {zone}: {remedy}."
    return True, f"{text}; timezone is {zone}."


def _offsets(zone: tzinfo) -> set[str]:
    """The offsets that a zone has in a year, as Intacct writes them; none at all may bear either sign."""
    found = set()
    for month in (1, 7):
        offset = datetime(2026, month, 1, tzinfo=zone).utcoffset() or timedelta(0)
        hours, minutes = divmod(abs(int(offset.total_seconds())) // 60, 60)
        signs = "+-" if not offset else "-" if offset < timedelta(0) else "+"
        found |= {f"{sign}{hours:02}:{minutes:02}" for sign in signs}
    return found
