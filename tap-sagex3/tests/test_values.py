"""From what the APIs send to the types of the schemas."""

from __future__ import annotations

from decimal import Decimal

import pytest

import msgspec

from ml_connector.extract.decode import decode_exactly
from tap_sagex3.sources.rest_rows import gather
from tap_sagex3.values import converter

PROPERTIES = {
    "TEXT": {"type": ["string", "null"]},
    "DAY": {"type": ["string", "null"], "format": "date"},
    "AT": {"type": ["string", "null"], "format": "date-time"},
    "WHOLE": {"type": ["integer", "null"]},
    "AMOUNT": {"type": ["number", "null"]},
    "CCE": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
    "QTY": {"type": ["array", "null"], "items": {"type": ["number", "null"]}},
}


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("TEXT", "", ""),
        ("TEXT", None, ""),
        ("TEXT", "1599-12-31", "1599-12-31"),
        ("TEXT", 12, "12"),
        ("TEXT", {"value": "long"}, "long"),
        ("DAY", "1599-12-31", None),
        ("DAY", "", None),
        ("DAY", "1753-01-01", None),
        ("TEXT", {"$key": "EUR", "$title": "Euro"}, "EUR"),
        ("AMOUNT", {"$key": "3"}, Decimal("3")),
        ("DAY", None, None),
        ("DAY", "2026-01-31", "2026-01-31"),
        ("DAY", "2026-01-31T00:00:00Z", "2026-01-31"),
        ("DAY", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("DAY", "31/01/2026", "31/01/2026"),
        ("AT", "1599-12-31T00:00:00Z", None),
        ("AT", "2026-01-31T10:11:12Z", "2026-01-31T10:11:12Z"),
        ("AT", "2026-01-31T10:11:12.500Z", "2026-01-31T10:11:12.5Z"),
        ("AT", "2026-01-31T10:11:12.000", "2026-01-31T10:11:12Z"),
        ("AT", "2026-01-31T10:11:12+00:00", "2026-01-31T10:11:12Z"),
        ("AT", "2026-01-31T10:11:12+02:00", "2026-01-31T10:11:12+02:00"),
        ("AT", "2026-01-31", "2026-01-31T00:00:00Z"),
        ("AT", "soon", "soon"),
        ("WHOLE", True, 2),
        ("WHOLE", False, 1),
        ("WHOLE", 0, 0),
        ("WHOLE", "7", 7),
        ("WHOLE", Decimal("7.0"), 7),
        ("WHOLE", Decimal("7.5"), Decimal("7.5")),
        ("WHOLE", "Active", "Active"),
        ("AMOUNT", Decimal("12345678901234567.123456789"), Decimal("12345678901234567.123456789")),
        ("AMOUNT", 3, 3),
        ("AMOUNT", "3.10", Decimal("3.10")),
        ("AMOUNT", "", None),
        ("AMOUNT", "NaN", "NaN"),
        ("AMOUNT", "much", "much"),
        ("CCE", ["PAR", "", "X", "", ""], ["PAR", "", "X"]),
        ("CCE", [{"$uuid": "1", "CCE": "PAR"}, {"CCE": ""}], ["PAR"]),
        ("CCE", "PAR", ["PAR"]),
        ("CCE", None, []),
        ("QTY", [Decimal("1.5"), 0, 0], [Decimal("1.5")]),
    ],
)
def test_a_value(name, sent, kept):
    (found,) = converter(PROPERTIES[name])([sent])
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize("text", ["3.10", "-0.50", "12345678901234567.123456789", "1E+3"])
def test_numbers_keep_the_text_they_came_as(text):
    (found,) = converter(PROPERTIES["AMOUNT"])([msgspec.Raw(text.encode())])
    assert bytes(found) == text.encode()


def test_numbers_among_others_are_told_apart():
    sent = [msgspec.Raw(each) for each in (b"1.50", b"null", b'"2.5"', b'"much"')]
    found = converter(PROPERTIES["AMOUNT"])([*sent, msgspec.UNSET])
    assert [decode_exactly(found[0]), *found[1:]] == [
        Decimal("1.50"),
        None,
        Decimal("2.5"),
        "much",
        msgspec.UNSET,
    ]


def test_numbered_elements_are_gathered():
    record = {"CCE_0": "A", "CCE_1": "B", "CCE_2": ""}
    gather(record, frozenset({"CCE"}))
    assert converter(PROPERTIES["CCE"])([record["CCE"]]) == [["A", "B"]]
