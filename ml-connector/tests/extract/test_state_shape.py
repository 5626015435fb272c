"""A state that no run has written is refused in a sentence, before anything is read."""

from __future__ import annotations

import pytest

from ml_connector.extract.errors import InvalidSetting
from ml_connector.extract.state_shape import check_state


def bookmarks(**partition):
    context = {"context": {"source_company": "SAMINC"}}
    return {"bookmarks": {"vendors": {"partitions": [{**context, **partition}]}}}


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ([], "object"),
        ({"bookmarks": []}, "$.bookmarks"),
        ({"bookmarks": {"vendors": "2026-01-01"}}, "$.bookmarks[...]"),
        ({"bookmarks": {"vendors": {"partitions": {}}}}, "partitions"),
        ({"bookmarks": {"vendors": {"partitions": ["SAMINC"]}}}, "partitions[0]"),
        (bookmarks(context="SAMINC"), "context"),
        (bookmarks(replication_key_value=["2026-01-01"]), "replication_key_value"),
        (bookmarks(stamps=[]), "stamps"),
        (bookmarks(lines=[1]), "lines"),
        (bookmarks(open=[5]), "open"),
        (bookmarks(size="many"), "size"),
        (bookmarks(failed="V1"), "failed"),
        (bookmarks(progress={"since": [["CHANGED"]]}), "since"),
        (bookmarks(progress={"newest": [1]}), "newest"),
    ],
)
def test_a_state_that_is_odd_is_a_sentence_with_its_place(state, place):
    with pytest.raises(InvalidSetting, match="read everything again") as refused:
        check_state(state)
    assert place in str(refused.value)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"bookmarks": None},
        {"bookmarks": {"vendors": {}}},
        {"bookmarks": {"vendors": {"replication_key_value": "2026-01-01"}}, "other": 1},
        bookmarks(open_keys={"[5]": [[5]]}, progress={"filter": "", "after": ["V05"], "stamps": {}}),
        bookmarks(
            open=["[5]"], lines={"[5]": {"runs": []}}, size=250,
            progress={"since": [["CHANGED", "2026-01-01", None]], "begun": "2026-01-02", "after": 2},
        ),
    ],
)  # fmt: skip
def test_states_of_runs_are_taken(state):
    check_state(state)
