"""`tap-sageintacct --test`: sign-in, then each object's permission, one line each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ml_connector.extract import Finding, GaveUpError, HttpError

from tap_sageintacct import errors
from tap_sageintacct.client import Query
from tap_sageintacct.errors import IntacctError, ObjectUnavailable
from tap_sageintacct.xml import element

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from tap_sageintacct.client import Client


def check(clients: Sequence[Client], objects: Sequence[str], user: str, zone: tzinfo) -> Iterator[Finding]:
    """Try what a run needs, step by step.

    Args:
        clients: One an entity.
        objects: The objects of all streams.
        user: The user, whose preferences decide how dates and times are written.
        zone: The setting `timezone`.

    Yields:
        A finding for each sign-in, one for the user's preferences, then one for each object. An object that
        the user may not read is no failure, since its stream is skipped.
    """
    for client in clients:
        try:
            client.session.sign_in()
        except (IntacctError, GaveUpError, HttpError) as error:
            yield Finding(ok=False, text=f"{client.place}: {error}")
            return
        yield Finding(ok=True, text=f"{client.place}: sender and user accepted.")
        if client is clients[0]:
            yield _preferences(client, user, zone)
        asked = [(name, Query(name, ("RECORDNO",), size=1).element()) for name in objects]
        try:
            results = client.several(asked)
        except (IntacctError, GaveUpError, HttpError) as error:
            yield Finding(ok=False, text=f"{client.place}: {error}")
            continue
        for name, result in zip(objects, results, strict=True):
            if not result.failed:
                total = result.attributes.get("totalcount", "?")
                yield Finding(ok=True, text=f"{client.place} {name}: {total} records.")
                continue
            problem = errors.result_failed(result.errors, client.what(name))
            skipped = isinstance(problem, ObjectUnavailable)
            yield Finding(ok=skipped, text=f"{problem}{' Its stream is skipped.' if skipped else ''}")


def _preferences(client: Client, user: str, zone: tzinfo) -> Finding:
    """Compare how the user's dates and times are written with what the tap reads (reference 2.3 and 2.4)."""
    ask = element("readUserFormatting", element("userId", text=user))
    try:
        result = client.one(client.what("readUserFormatting"), ask)
    except (IntacctError, GaveUpError, HttpError) as error:
        return Finding(ok=True, text=f"The user's preferences cannot be read: {error}")
    said = result.records[0] if result.records else {}
    dates, clock, offset = (str(said.get(name) or "") for name in ("dateformat", "clock", "gmtoffset"))
    seen = f"dates are {dates or '?'}, clock {clock or '?'}, GMT offset {offset or '?'}"
    text = f"{client.place}: the user's {seen}"
    if dates.lower() not in {"", "/mdy"} or clock not in {"", "24"}:
        remedy = "set the user's preferences to mm/dd/yyyy and 24 hours: other dates would be misread"
        return Finding(ok=False, text=f"{text}: {remedy}.")
    if offset and offset not in _offsets(zone):
        remedy = "set the user's preferences to GMT and timezone to UTC, or both to the same zone"
        return Finding(ok=False, text=f"{text}, but timezone is {zone}: {remedy}.")
    return Finding(ok=True, text=f"{text}; timezone is {zone}.")


def _offsets(zone: tzinfo) -> set[str]:
    """The offsets that a zone has in a year, as Intacct writes them; none at all may bear either sign."""
    found = set()
    for month in (1, 7):
        offset = datetime(2026, month, 1, tzinfo=zone).utcoffset() or timedelta(0)
        hours, minutes = divmod(abs(int(offset.total_seconds())) // 60, 60)
        signs = "+-" if not offset else "-" if offset < timedelta(0) else "+"
        found |= {f"{sign}{hours:02}:{minutes:02}" for sign in signs}
    return found
