"""Texts of the gateway as values: exact, ISO, and never a silent null."""

from __future__ import annotations

from datetime import timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from ml_connector.extract.errors import InvalidSetting

from tap_sageintacct import old_state, query
from tap_sageintacct.values import converter

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
        ("t", "04/29/2026 08:15:30 PM", "2026-04-29T20:15:30Z"),
        ("t", "04/29/2026 12:15:30 AM", "2026-04-29T00:15:30Z"),
        ("s", None, None),
        ("n", None, None),
        ("s", " as it is ", " as it is "),
    ],
)
def test_a_text_becomes_its_type_or_stays_what_it_is(kind, text, value):
    (found,) = converter(KINDS[kind], timezone.utc)([text])
    if isinstance(found, msgspec.Raw):
        assert bytes(found) == text.encode(), "each digit is kept"
        found = Decimal(bytes(found).decode())
    assert found == value
    assert type(found) is type(value)


def test_a_column_of_whole_numbers_may_hold_other_things():
    assert converter(KINDS["i"], timezone.utc)(["1", None, "2.0", "two"]) == [1, None, 2, "two"]


def test_timestamps_leave_the_user_s_zone():
    zone = ZoneInfo("America/Los_Angeles")
    read = converter(KINDS["t"], zone)
    assert read(["09/16/2013 15:50:21"]) == ["2013-09-16T22:50:21Z"]
    assert read(["01/16/2013 15:50:21"]) == ["2013-01-16T23:50:21Z"]
    assert query.moment(query.read_moment("2013-09-16T22:50:21Z"), zone) == "09/16/2013 15:50:21"


@pytest.mark.parametrize(("kind", "text"), [("d", "25/03/2026"), ("t", "25/03/2026 10:00:00")])
def test_a_date_that_has_its_day_first_settles_how_dates_are_written(kind, text):
    with pytest.raises(InvalidSetting, match="mm/dd/yyyy"):
        converter(KINDS[kind], timezone.utc)([text])


def test_what_version_0_1_kept_is_read_in_todays_words():
    lines = {"lines": {"7": [5, 3, 10, 1], "8": ["8-1", "8-2"]}}
    old_state.upgrade(lines, lines=True)
    runs = {"runs": [[[], 5, 1, 3, []], [[], 10, 1, 1, []]]}
    assert lines["lines"] == {'["7"]': runs, '["8"]': [["8-1"], ["8-2"]]}
    known = dict(lines["lines"])
    old_state.upgrade(lines, lines=True)
    assert lines["lines"] == known, "once is enough"
    under_way = {"progress": {"since": None, "begun": "b", "slice": 2, "after": "17", "newest": None}}
    old_state.upgrade(under_way, lines=False)
    assert under_way["progress"] == {"since": None, "begun": "b", "after": ["2", "17"], "newest": None}
