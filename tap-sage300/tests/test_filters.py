"""The conditions, as text."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tap_sage300 import filters
from tap_sage300.streams.resource import Resource

BATCHES = Resource("b", "AP", "Batches", ("BatchNumber",), "DateLastEdited", grows_by="BatchNumber")
PAYMENTS = Resource("p", "AR", "ARPayments", ("K",), "PostingDate", also_changed=("DateCleared",))
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("resource", "stamps", "highest", "condition"),
    [
        (
            BATCHES,
            {"DateLastEdited": "2026-03-02T00:00:00Z"},
            17,
            "(DateLastEdited ge 2026-03-01T00:00:00Z or BatchNumber gt 17)",
        ),
        (BATCHES, {"DateLastEdited": "2026-03-02T00:00:00Z"}, None, "DateLastEdited ge 2026-03-01T00:00:00Z"),
        (BATCHES, {"PostingSequenceNumber": 9}, None, "PostingSequenceNumber ge 9"),
        (
            PAYMENTS,
            {"PostingDate": "2026-03-02T00:00:00Z", "DateCleared": "2026-01-02T00:00:00Z"},
            None,
            "(PostingDate ge 2026-03-01T00:00:00Z or DateCleared ge 2026-01-01T00:00:00Z)",
        ),
    ],
)
def test_a_later_read_asks_for_changed_and_for_new(resource, stamps, highest, condition):
    assert filters.later_read(resource, stamps, highest, DAY) == condition


@pytest.mark.parametrize(
    ("with_blanks", "condition"),
    [
        (
            True,
            "(PostingDate ge 2024-01-01T00:00:00Z or DateCleared ge 2024-01-01T00:00:00Z or PostingDate eq null)",
        ),
        (False, "(PostingDate ge 2024-01-01T00:00:00Z or DateCleared ge 2024-01-01T00:00:00Z)"),
    ],
)
def test_a_first_read_begins_at_the_start_date(with_blanks, condition):
    assert filters.first_read(PAYMENTS, "2024-01-01", with_blanks=with_blanks) == condition
    assert filters.first_read(PAYMENTS, None, with_blanks=with_blanks) == ""


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
    conditions = list(filters.by_key(("BatchSelector", "BatchNumber"), [("PY", n) for n in range(100)]))
    assert all(len(condition) < 1000 for condition in conditions)
    assert sum(condition.count("BatchNumber eq") for condition in conditions) == 100
    assert "(BatchSelector eq 'PY' and BatchNumber eq 0) or (" in conditions[0]


@pytest.mark.parametrize(
    ("value", "schema", "literal"),
    [
        ("000490", {"type": "string"}, "000490"),
        (12.0, {"type": "integer"}, Decimal("12.0")),
        ("1.50", {"type": ["number", "null"]}, Decimal("1.50")),
        (
            "2026-03-01T00:00:00Z",
            {"type": "string", "format": "date-time"},
            filters.moment("2026-03-01T00:00:00Z"),
        ),
    ],
)
def test_values_from_a_state_become_literals_of_their_type(value, schema, literal):
    assert filters.typed(value, schema) == literal
