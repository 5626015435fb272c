"""Which lines documents have lost, and what a state keeps of them."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ml_connector.extract import deletes
from ml_connector.extract.deletes import LineTracker


def test_lines_survive_the_state_whatever_their_keys():
    tracker = LineTracker()
    runs = [(1000 * number, "LEG") for number in range(1, 6)]
    texts = [("A", "x"), ("B", "y")]
    raw = [(msgspec.Raw(b"1"), Decimal("1.0")), (msgspec.Raw(b"2.5"), Decimal(2))]
    for name, keys in {"[1]": runs, "[2]": texts, "[3]": raw, "[4]": []}.items():
        tracker.remember(name, keys, may_change=False)
    state = tracker.as_state()
    assert state == {
        "lines": {
            "[1]": {"runs": [[[], 1000, 1000, 5, ["LEG"]]]},
            "[2]": [["A", "x"], ["B", "y"]],
            "[3]": [[1, 1], ["2.5", 2]],
        }
    }
    again = LineTracker(msgspec.json.decode(msgspec.json.encode(state)))
    assert again.as_state() == state
    assert again.remember("[1]", runs[1:], may_change=False) == runs[:1]
    assert again.remember("[2]", texts[:1], may_change=False) == texts[1:]


def test_a_document_is_packed_once(monkeypatch):
    """A state is written every few seconds, and holds thousands of documents that did not change."""
    packed = []
    monkeypatch.setattr(
        deletes, "_sequences", lambda numbers: packed.append(numbers) or [(1, 1, len(numbers))]
    )
    tracker = LineTracker()
    for number in range(3):
        tracker.remember(f"[{number}]", [(line,) for line in range(1, 6)], may_change=False)
    first = tracker.as_state()
    assert tracker.as_state() == first
    assert len(packed) == 3
    tracker.remember("[0]", [(line,) for line in range(1, 7)], may_change=False)
    assert list(tracker.as_state()["lines"]["[0]"]["runs"][0]) == [[], 1, 1, 6, []]
    assert len(packed) == 4


def test_lines_that_follow_a_state_join_those_before_it():
    tracker = LineTracker()
    for line in (1, 2):
        tracker.add("[1]", (line,))
    state = tracker.as_state()
    assert state == {"lines": {"[1]": [[1], [2]]}}
    for line in (3, 4):
        tracker.add("[1]", (line,))
    assert state == {"lines": {"[1]": [[1], [2]]}}
    assert tracker.as_state() == {"lines": {"[1]": {"runs": [[[], 1, 1, 4, []]]}}}
    tracker.add("[1]", (5,))
    assert tracker.forget("[1]") == [(1,), (2,), (3,), (4,), (5,)]


@pytest.mark.parametrize("lines", [[10, 20], ["10", "AB"]])
def test_lines_in_the_form_of_earlier_versions_are_kept_until_they_are_read(lines):
    tracker = LineTracker({"lines": {"[1]": lines}})
    assert tracker.as_state() == {"lines": {"[1]": [[line] for line in lines]}}
    assert tracker.remember("[1]", [(lines[0],)], may_change=False) == [(lines[1],)]
