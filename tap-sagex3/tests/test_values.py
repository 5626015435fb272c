"""From what the APIs send to the types of the schemas."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tap_sagex3.values import Shape

PROPERTIES = {
    "TEXT": {"type": ["string", "null"]},
    "DAY": {"type": ["string", "null"], "format": "date"},
    "AT": {"type": ["string", "null"], "format": "date-time"},
    "WHOLE": {"type": ["integer", "null"]},
    "AMOUNT": {"type": ["number", "null"]},
    "CCE": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
    "QTY": {"type": ["array", "null"], "items": {"type": ["number", "null"]}},
    "LINES": {
        "type": ["array", "null"],
        "items": {"type": "object", "properties": {"DAY": {"type": ["string", "null"], "format": "date"}}},
    },
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
        ("LINES", [{"DAY": "1599-12-31", "OTHER": 1}], [{"DAY": None}]),
        ("LINES", None, []),
    ],
)
def test_a_value(name, sent, kept):
    found = Shape(PROPERTIES).row({name: sent})
    assert found == {name: kept}
    assert type(found[name]) is type(kept)


def test_numbered_elements_are_gathered():
    assert Shape(PROPERTIES).row({"CCE_0": "A", "CCE_1": "B", "CCE_2": ""}) == {"CCE": ["A", "B"]}
