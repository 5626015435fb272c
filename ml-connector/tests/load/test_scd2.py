"""``scd2``: every version of a record, in the order in which they arrived."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_messages import Stream, state
from warehouse import Warehouse, fail_at

from ml_connector.load.errors import LoadError

S = Stream()


@pytest.fixture(autouse=True)
def history(request):
    for name in ("warehouse", "plain_warehouse"):
        if name in request.fixturenames:
            request.getfixturevalue(name).settings["load_method"] = "scd2"


def at(minute, second=0):
    return f"2026-01-01T00:{minute:02d}:{second:02d}Z"


def moment(minute, second=0):
    return datetime(2026, 1, 1, 0, minute, second, tzinfo=timezone.utc)


def versions(warehouse, key=1):
    """A key's versions in order: name, begin, end."""
    rows = warehouse.query(
        f'SELECT * FROM "BOOKS"."BILLS" WHERE "ID" = {key} ORDER BY "_ML_VALID_FROM", "_SDC_SEQUENCE"'
    )
    for row in rows:
        assert row["_ML_IS_CURRENT"] == (row["_ML_VALID_TO"] is None)
    for one, other in pairwise(rows):
        assert one["_ML_VALID_TO"] <= other["_ML_VALID_FROM"]
    return [(row["VENDOR_NAME"], row["_ML_VALID_FROM"], row["_ML_VALID_TO"]) for row in rows]


def names(warehouse, key=1):
    return [name for name, *_ in versions(warehouse, key)]


def test_each_change_makes_a_version(warehouse):
    for minute, name in enumerate(["a", "a", "b", "a"]):
        warehouse.load(S.schema(), S.bill(1, name, at=at(minute)))
    assert versions(warehouse) == [
        ("a", moment(0), moment(2)),
        ("b", moment(2), moment(3)),
        ("a", moment(3), None),
    ]


def test_several_versions_in_a_batch(warehouse):
    outcome = warehouse.load(
        S.schema(),
        S.bill(1, "a", at=at(1)),
        S.bill(2, "x", at=at(1)),
        S.bill(1, "b", at=at(2)),
        S.bill(1, "b", at=at(3)),
        S.bill(1, "c", at=at(4)),
    )
    assert outcome.code == 0
    assert versions(warehouse) == [
        ("a", moment(1), moment(2)),
        ("b", moment(2), moment(4)),
        ("c", moment(4), None),
    ]
    assert names(warehouse, 2) == ["x"]


def test_of_one_moment_the_last_counts(warehouse):
    warehouse.load(S.schema(), S.bill(1, "a", at=at(1)), S.bill(1, "b", at=at(1)))
    assert versions(warehouse) == [("b", moment(1), None)]


def test_the_same_data_again_adds_nothing(warehouse):
    messages = [S.schema(), *[S.bill(1, name, at=at(minute)) for minute, name in enumerate("abc")]]
    for size in (1, 2, 100):
        warehouse.load(*messages, batch_size_rows=size)
    assert versions(warehouse) == [
        ("a", moment(0), moment(1)),
        ("b", moment(1), moment(2)),
        ("c", moment(2), None),
    ]


def test_the_same_data_again_with_a_deletion_adds_nothing(warehouse):
    gone = S.bill(1, "b", at=at(3), _sdc_deleted_at=at(3))
    messages = [S.schema(), S.bill(1, "a", at=at(1)), gone, S.bill(1, "c", at=at(4))]
    for size in (1, 2, 100):
        warehouse.load(*messages, batch_size_rows=size)
    assert versions(warehouse) == [("a", moment(1), moment(3)), ("c", moment(4), None)]


def test_what_arrives_later_is_newer_whatever_the_clock_says(warehouse):
    warehouse.load(S.schema(), S.bill(1, "old", at=at(30)))
    warehouse.load(S.schema(), S.bill(1, "new", at=at(10)))
    assert names(warehouse) == ["old", "new"]
    assert [row[1] for row in warehouse.rows()] == ["new"]
    warehouse.load(S.schema(), S.bill(1, "gone", at=at(5), _sdc_deleted_at=at(5)))
    assert warehouse.rows() == []
    warehouse.load(S.schema(), S.bill(1, "back", at=at(6)))
    assert [row[1] for row in warehouse.rows()] == ["back"]


def test_a_deletion_ends_a_version_and_a_return_begins_one(warehouse):
    warehouse.load(S.schema(), S.bill(1, "a", at=at(1)))
    warehouse.load(S.schema(), S.bill(1, "a", _sdc_deleted_at=at(2)))
    assert versions(warehouse) == [("a", moment(1), moment(2))]
    assert warehouse.rows() == []
    warehouse.load(S.schema(), S.bill(1, "a", at=at(3)))
    assert versions(warehouse) == [("a", moment(1), moment(2)), ("a", moment(3), None)]


def test_deletion_and_return_within_a_batch(warehouse):
    warehouse.load(
        S.schema(),
        S.bill(1, "a", at=at(1)),
        S.bill(1, None, _sdc_deleted_at=at(2)),
        S.bill(1, "a", at=at(3)),
        S.bill(2, "x", at=at(1)),
        S.bill(2, None, _sdc_deleted_at=at(2)),
    )
    assert versions(warehouse) == [("a", moment(1), moment(2)), ("a", moment(3), None)]
    assert versions(warehouse, 2) == [("x", moment(1), moment(2))]


def test_a_complete_read_ends_what_it_did_not_bring_and_nothing_else(warehouse):
    for version in (1, 2):
        warehouse.load(
            S.schema(),
            *[S.bill(number, "a", version=version) for number in range(1, 4 - version + 1)],
            S.version(version),
            state(1),
        )
    assert [row[0] for row in warehouse.rows()] == [1, 2]
    assert len(warehouse.rows(live=False)) == 3


def test_a_new_column_makes_no_version_by_itself(warehouse):
    warehouse.load(S.schema(), S.bill(1, "a", at=at(1)))
    wider = S.properties | {"note": {"type": ["string", "null"]}}
    warehouse.load(S.schema(wider), S.bill(1, "a", note=None, at=at(2)))
    assert names(warehouse) == ["a"]
    warehouse.load(S.schema(wider), S.bill(1, "a", note="n", at=at(3)))
    assert names(warehouse) == ["a", "a"]


events = st.lists(
    st.tuples(st.integers(1, 2), st.sampled_from(["a", "b", None]), st.integers(0, 6)), min_size=1, max_size=8
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    runs=st.lists(st.tuples(events, st.integers(1, 4)), min_size=1, max_size=3),
    small=st.sampled_from([0, 256_000]),
)
def test_the_current_version_is_what_arrived_last(tmp_path_factory, database, runs, small):
    """Whatever the clocks say, and however batches cut the input; of one moment in a batch the last counts."""
    warehouse = Warehouse(tmp_path_factory.mktemp("w"), database, load_method="scd2", small_batch_bytes=small)
    last, told = {}, set()
    moment_of_run = 0
    try:
        for records, size in runs:
            sent = []
            moment_of_run += 10
            for key, name, minute in records:
                when = at(minute + moment_of_run - 3)
                if (key, name, when) in told:
                    continue  # just the same again is no news
                told.add((key, name, when))
                about = {"_sdc_deleted_at": when} if name is None else {"at": when}
                sent.append(S.bill(key, name, **about))
                last[key] = name
            outcome = warehouse.load(S.schema(), *sent, batch_size_rows=size)
            assert outcome.code == 0, outcome.error
            live = {row[0]: row[1] for row in warehouse.rows(columns=["ID", "VENDOR_NAME"])}
            assert live == {key: name for key, name in last.items() if name is not None}
            for key in (1, 2):
                versions(warehouse, key)
    finally:
        warehouse.empty()


@pytest.mark.parametrize("keyed", [True, False], ids=["key", "no key"])
def test_a_table_that_was_upsert_becomes_a_history_wherever_it_is_cut(plain_warehouse, keyed):
    warehouse = plain_warehouse
    warehouse.settings["load_method"] = "upsert"
    for number in range(1, 40):
        warehouse.load(
            S.schema(key=("id",) if keyed else ()),
            S.bill(1, "a", at=at(1)),
            S.bill(2, "b", at=at(1)),
            S.bill(3, "c", at=at(1), _sdc_deleted_at=at(2)),
        )
        hook = warehouse.before = fail_at(number, LoadError("cut"), only=lambda sql: '"BOOKS"."BILLS"' in sql)
        first = warehouse.load(S.schema(), S.bill(1, "a2", at=at(5)), load_method="scd2")
        warehouse.before = None
        second = warehouse.load(S.schema(), S.bill(1, "a2", at=at(5)), state(1), load_method="scd2")
        assert second.code == 0, second.error
        assert versions(warehouse) == [("a", moment(1), moment(5)), ("a2", moment(5), None)], hook.fired
        assert versions(warehouse, 2) == [("b", moment(1), None)], hook.fired
        assert versions(warehouse, 3) == [("c", moment(1), moment(2))], hook.fired
        warehouse.database.execute('DROP TABLE "BOOKS"."BILLS"')
        if not hook.fired:
            assert first.code == 0
            break
    assert 5 < number < 39


def test_a_history_is_not_loaded_with_upsert(plain_warehouse):
    plain_warehouse.load(S.schema(), S.bill(1, "a"))
    outcome = plain_warehouse.load(S.schema(), S.bill(1, "b"), load_method="upsert")
    assert outcome.code == 1
    assert "holds the history" in str(outcome.error)
