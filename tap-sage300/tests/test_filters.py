"""The conditions, as text."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.extract.resource import Stamp
from ml_connector.extract.source import Bound
from ml_connector.extract.state import moment_of
from tap_sage300 import filters, odata

EDITED, NUMBER = Stamp("DateLastEdited", "day"), Stamp("BatchNumber", "counter")
POSTED, CLEARED = Stamp("PostingDate", "day"), Stamp("DateCleared", "day")
PER_TYPE = Stamp("PostingSequenceNumber", "counter", per="BatchType")


@pytest.mark.parametrize(
    ("bounds", "blanks", "condition"),
    [
        (
            [Bound(EDITED, "2026-03-01"), Bound(NUMBER, 17)],
            False,
            "(DateLastEdited ge 2026-03-01T00:00:00Z or BatchNumber ge 17)",
        ),
        ([Bound(EDITED, "2026-03-01")], False, "DateLastEdited ge 2026-03-01T00:00:00Z"),
        (
            [Bound(POSTED, "2026-03-01"), Bound(CLEARED, "2026-01-01")],
            True,
            "(PostingDate ge 2026-03-01T00:00:00Z or DateCleared ge 2026-01-01T00:00:00Z"
            " or PostingDate eq null or PostingDate lt 1900-01-01T00:00:00Z)",
        ),
        ([Bound(NUMBER, 9)], True, "BatchNumber ge 9"),
        (
            [Bound(PER_TYPE, None, {"CA": 17, "IN": 4})],
            True,
            "((BatchType eq 'CA' and PostingSequenceNumber ge 17) or (BatchType eq 'IN' and"
            " PostingSequenceNumber ge 4) or (BatchType ne 'CA' and BatchType ne 'IN'))",
        ),
    ],
)
def test_what_changed_is_asked_by_every_stamp_and_blanks_come_along(bounds, blanks, condition):
    assert filters.since(bounds, None, blanks=blanks) == condition


def test_stamps_that_the_server_lacks_are_not_asked_for():
    bounds = [Bound(EDITED, "2026-03-01"), Bound(PER_TYPE, None, {"CA": 17, "IN": 4})]
    assert filters.since(bounds, {"PostingSequenceNumber"}, blanks=False) == "PostingSequenceNumber ge 4"
    assert filters.since(bounds, {"Other"}, blanks=True) is None


@pytest.mark.parametrize(
    ("key", "last", "condition"),
    [
        (("A",), ("O'Hara",), "A gt 'O''Hara'"),
        (("A", "B"), ("x", 2), "(A gt 'x' or (A eq 'x' and B gt 2))"),
        (("A", "B", "C"), ("x", 2, 3), "(A gt 'x' or (A eq 'x' and (B gt 2 or (B eq 2 and C gt 3))))"),
    ],
)
def test_behind_a_position(key, last, condition):
    assert filters.after(key, last) == condition


def test_single_documents_are_asked_for_in_addresses_that_iis_accepts():
    keys = [("PY", n) for n in range(100)]
    conditions = list(filters.by_key(("BatchSelector", "BatchNumber"), keys, 1000))
    assert all(len(odata.query({"$filter": condition})) < 1100 for condition, _ in conditions)
    assert sum(count for _, count in conditions) == 100
    assert "(BatchSelector eq 'PY' and BatchNumber eq 0) or (" in conditions[0][0]


@pytest.mark.parametrize(
    ("value", "schema", "literal"),
    [
        ("000490", {"type": "string"}, "000490"),
        (12.0, {"type": "integer"}, Decimal("12.0")),
        ("1.50", {"type": ["number", "null"]}, Decimal("1.50")),
        (
            "2026-03-01T00:00:00Z",
            {"type": "string", "format": "date-time"},
            moment_of("2026-03-01T00:00:00Z"),
        ),
    ],
)
def test_values_from_a_state_become_literals_of_their_type(value, schema, literal):
    assert filters.typed(value, schema) == literal
