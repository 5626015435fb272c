"""Texts of the gateway as values: exact, ISO, and never a silent null."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tap_sageintacct import bookmarks, filters
from tap_sageintacct.bookmarks import Lines
from tap_sageintacct.values import converters

KINDS = {
    "i": {"type": ["integer", "null"]},
    "n": {"type": ["number", "null"]},
    "b": {"type": ["boolean", "null"]},
    "d": {"type": ["string", "null"], "format": "date"},
    "t": {"type": ["string", "null"], "format": "date-time"},
    "s": {"type": ["string", "null"]},
}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("i", "12", 12),
        ("i", "12.0", 12),
        ("i", "12.5", Decimal("12.5")),
        ("i", "twelve", "twelve"),
        ("n", ".5", Decimal("0.5")),
        ("n", "-.5", Decimal("-0.5")),
        ("n", "12345678901234567.123456789", Decimal("12345678901234567.123456789")),
        ("n", "NaN", "NaN"),
        ("n", "1,000.00", "1,000.00"),
        ("b", "true", True),
        ("b", "F", False),
        ("b", "maybe", "maybe"),
        ("d", "04/26/2021", "2021-04-26"),
        ("d", "2021-04-26", "2021-04-26"),
        ("d", "13/45/20", "13/45/20"),
        ("t", "04/29/2024 08:15:30", "2024-04-29T08:15:30Z"),
        ("t", "04/29/2024", "2024-04-29T00:00:00Z"),
        ("t", "sometime", "sometime"),
        ("s", " as it is ", " as it is "),
    ],
)
def test_a_text_becomes_its_type_or_stays_what_it_is(kind, text, value):
    found = converters(KINDS, timezone.utc)[kind](text)
    assert found == value
    assert type(found) is type(value)


def test_timestamps_leave_the_user_s_zone():
    zone = ZoneInfo("America/Los_Angeles")
    read = converters(KINDS, zone)["t"]
    assert read("09/16/2013 15:50:21") == "2013-09-16T22:50:21Z"
    assert read("01/16/2013 15:50:21") == "2013-01-16T23:50:21Z"
    assert filters.moment(filters.read_moment("2013-09-16T22:50:21Z"), zone) == "09/16/2013 15:50:21"


def test_lines_are_remembered_as_ranges_and_missed():
    lines = Lines()
    for number in (5, 6, 7, 10):
        lines.add("1", number)
    assert lines.by_parent == {"1": [5, 3, 10, 1]}
    assert lines.remember("1", [5, 6, 11]) == {7, 10}
    assert lines.by_parent == {"1": [5, 2, 11, 1]}
    assert lines.remember("1", []) == {5, 6, 11}
    assert lines.by_parent == {}


def test_a_state_remembers_no_more_documents_than_it_should(monkeypatch):
    monkeypatch.setattr(bookmarks, "MOST_REMEMBERED", 3)
    lines = Lines()
    for parent in "12345":
        lines.add(parent, int(parent))
    assert list(lines.by_parent) == ["3", "4", "5"]


def test_a_first_read_begins_at_the_start_date_and_a_later_one_before_its_bookmark():
    from datetime import timedelta

    assert bookmarks.since({}, None, timedelta(hours=3)) is None
    assert bookmarks.since({}, "2026-01-01", timedelta(hours=3)) == datetime(2026, 1, 1, tzinfo=timezone.utc)
    later = bookmarks.since(
        {"replication_key_value": "2026-01-02T00:00:00Z"}, "2020-01-01", timedelta(hours=3)
    )
    assert later == datetime(2026, 1, 1, 21, tzinfo=timezone.utc)
