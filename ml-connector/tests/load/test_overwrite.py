"""``overwrite``: a table is replaced only on proof of a whole read, at once, and by nobody halfway."""

from __future__ import annotations

import threading

import pytest
from singer_messages import COMPANY, Stream, state
from warehouse import fail_in_transactions

from ml_connector.load.errors import LoadError

S = Stream()
C = Stream("accounts", COMPANY, ("source_company", "id"))


@pytest.fixture(autouse=True)
def overwrite(warehouse):
    warehouse.settings["load_method"] = "overwrite"
    warehouse.load(S.schema(), S.bill(1, version=1), S.bill(2, version=1), S.version(1))
    assert ids(warehouse) == [1, 2]


def ids(warehouse, table="BILLS"):
    return [row[0] for row in warehouse.rows(table)]


@pytest.mark.parametrize("rows_a_batch", [1, 2, 100])
def test_a_whole_read_replaces_the_table(warehouse, rows_a_batch):
    outcome = warehouse.load(
        S.schema(),
        S.bill(3, version=2),
        S.bill(4, version=2),
        S.bill(5, version=2),
        S.version(2),
        state(5),
        batch_size_rows=rows_a_batch,
    )
    assert outcome.code == 0
    assert len(outcome.states) == 1
    assert ids(warehouse) == [3, 4, 5]
    assert warehouse.spool() == []


@pytest.mark.parametrize("rows_a_batch", [1, 100])
def test_input_that_ends_without_a_proof_leaves_the_table_and_fails(warehouse, rows_a_batch):
    outcome = warehouse.load(
        S.schema(), S.bill(3, version=2), S.bill(4, version=2), state(4), batch_size_rows=rows_a_batch
    )
    assert outcome.code == 1
    assert "without ACTIVATE_VERSION" in str(outcome.error)
    assert "replace_at_end_of_input" in str(outcome.error)
    assert outcome.states == []
    assert ids(warehouse) == [1, 2]
    assert warehouse.spool() == []
    assert warehouse.last_run()["STATUS"] == "failed"


def test_a_version_before_the_records_is_no_proof(warehouse):
    outcome = warehouse.load(S.schema(), S.version(2), S.bill(3, version=2), state(3))
    assert outcome.code == 1
    assert ids(warehouse) == [1, 2]


def test_a_version_before_the_records_and_after_them_is_one(warehouse):
    outcome = warehouse.load(S.schema(), S.version(2), S.bill(3, version=2), S.version(2), state(3))
    assert outcome.code == 0
    assert ids(warehouse) == [3]


def test_the_same_word_twice_does_not_empty_the_table(warehouse):
    outcome = warehouse.load(S.schema(), S.bill(3, version=2), S.version(2), S.version(2), state(3))
    assert outcome.code == 0
    assert ids(warehouse) == [3]


def test_a_second_whole_read_in_a_run_replaces_the_first(warehouse):
    outcome = warehouse.load(
        S.schema(), S.bill(3, version=2), S.version(2), S.bill(4, version=3), S.version(3), state(3)
    )
    assert outcome.code == 0
    assert ids(warehouse) == [4]


def test_the_same_version_goes_on_where_it_was(warehouse):
    """The SDK's taps send a version for each parent of a child stream, before that parent's records."""
    outcome = warehouse.load(
        S.schema(),
        S.version(2),
        S.bill(3, version=2),
        S.version(2),
        S.bill(4, version=2),
        S.version(2),
        state(3),
    )
    assert outcome.code == 0
    assert ids(warehouse) == [3, 4]


def test_a_tap_that_died_after_its_announcement_empties_nothing(warehouse):
    """As an SDK tap with a wrong password does: SCHEMA, ACTIVATE_VERSION, and then nothing more."""
    assert warehouse.load(S.schema(), S.version(2)).code == 0
    assert ids(warehouse) == [1, 2]


def test_a_whole_read_of_nothing_empties_the_table(warehouse):
    outcome = warehouse.load(S.schema(), S.version(2), state(0))
    assert outcome.code == 0
    assert ids(warehouse) == []
    assert warehouse.batches("STATUS", "PARTITIONS")[-1] == ("loaded", "[{}]")


def test_a_stream_that_is_read_on_from_a_bookmark_is_refused(warehouse):
    outcome = warehouse.load(S.schema(bookmark_properties=["id"]), S.bill(3), S.version(2), state(3))
    assert outcome.code == 1
    assert "replication key id" in str(outcome.error)
    assert ids(warehouse) == [1, 2]


def test_the_end_of_the_input_can_be_made_proof_enough(warehouse):
    streams = {"bills": {"replace_at_end_of_input": True}}
    outcome = warehouse.load(
        S.schema(bookmark_properties=["id"]), S.bill(3), S.bill(4), state(4), streams=streams
    )
    assert outcome.code == 0
    assert len(outcome.states) == 1
    assert ids(warehouse) == [3, 4]


def test_a_stream_that_fails_its_proof_does_not_stop_the_others(warehouse):
    T = Stream("vendors")
    streams = {"vendors": {"load_method": "upsert"}}
    outcome = warehouse.load(S.schema(), T.schema(), S.bill(3), T.bill(1), state(1), streams=streams)
    assert outcome.code == 1
    assert outcome.states == []
    assert ids(warehouse) == [1, 2]
    assert ids(warehouse, "VENDORS") == [1]


def test_a_replacement_that_fails_leaves_the_old_table(warehouse):
    for number in range(1, 99):
        hook = warehouse.before = fail_in_transactions(number, LoadError("cut"))
        outcome = warehouse.load(
            S.schema(), S.bill(3, version=2), S.bill(4, version=2), S.version(2), state(3), batch_size_rows=1
        )
        warehouse.before = None
        if not hook.fired:
            break
        assert ids(warehouse) == [1, 2], hook.fired
        assert (outcome.code, outcome.states, warehouse.spool()) == (1, [], [])
    assert number > 5
    assert ids(warehouse) == [3, 4]


@pytest.mark.parametrize("key", [("id",), ()], ids=["keyed", "keyless"])
@pytest.mark.parametrize("empty", [False, True], ids=["full", "empty"])
def test_two_runs_at_once_end_as_one_after_the_other(warehouse, key, empty):
    if empty:
        warehouse.load(S.schema(), S.version(2))
    go = threading.Barrier(2)
    first = [S.bill(number, "first", version=3) for number in range(10, 15)]
    second = [S.bill(number, "second", version=4) for number in range(12, 20)]
    outcomes = []

    def run(records, version):
        go.wait(10)
        outcomes.append(warehouse.load(S.schema(key=key), *records, S.version(version), batch_size_rows=2))

    threads = [threading.Thread(target=run, args=each) for each in ((first, 3), (second, 4))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.code for outcome in outcomes] == [0, 0]
    names = {row[1] for row in warehouse.rows()}
    assert names in ({"first"}, {"second"})
    assert ids(warehouse) == (list(range(10, 15)) if names == {"first"} else list(range(12, 20)))


def test_partitions_are_replaced_by_themselves(warehouse):
    both = [{"source_company": "A"}, {"source_company": "B"}]
    of = {name: [C.record(source_company=name, id=number) for number in (1, 2)] for name in "AB"}
    warehouse.load(C.schema(), *of["A"], *of["B"], C.version(1, both))
    only = C.record(source_company="A", id=9)
    assert warehouse.load(C.schema(), only, C.version(2, both[:1]), state(1)).code == 0
    assert warehouse.rows("ACCOUNTS", columns=["SOURCE_COMPANY", "ID"]) == [("A", 9), ("B", 1), ("B", 2)]


def test_each_partition_may_be_told_after_all_records(warehouse):
    records = [C.record(source_company=name, id=number) for name in "ABC" for number in (1, 2)]
    told = [C.version(1, [{"source_company": name}]) for name in "ABC"]
    assert warehouse.load(C.schema(), *records, *told, state(1)).code == 0
    assert len(warehouse.rows("ACCOUNTS")) == 6
    again = [C.record(source_company=name, id=1) for name in "ABC"]
    told = [C.version(2, [{"source_company": name}]) for name in "ABC"]
    assert warehouse.load(C.schema(), *again, *told, state(2)).code == 0
    assert warehouse.rows("ACCOUNTS", columns=["SOURCE_COMPANY", "ID"]) == [("A", 1), ("B", 1), ("C", 1)]


def test_a_partition_that_was_not_told_leaves_its_rows_and_fails(warehouse):
    records = [C.record(source_company=name, id=1) for name in "AB"]
    warehouse.load(C.schema(), *records, C.version(1))
    again = [C.record(source_company=name, id=2) for name in "AB"]
    outcome = warehouse.load(C.schema(), *again, C.version(2, [{"source_company": "A"}]), state(2))
    assert outcome.code == 1
    assert outcome.states == []
    assert warehouse.rows("ACCOUNTS", columns=["SOURCE_COMPANY", "ID"]) == [("A", 2), ("B", 1)]


def test_no_partition_touches_nothing(warehouse):
    warehouse.load(C.schema(), C.record(source_company="A", id=1), C.version(1))
    assert warehouse.load(C.schema(), C.version(2, []), state(2)).code == 0
    assert len(warehouse.rows("ACCOUNTS")) == 1


def test_a_schema_may_change_within_a_read(warehouse):
    wider = S.properties | {"note": {"type": ["string", "null"]}}
    outcome = warehouse.load(
        S.schema(),
        S.bill(3, version=2),
        S.schema(wider),
        S.bill(4, note="n", version=2),
        S.version(2),
        state(4),
    )
    assert outcome.code == 0
    assert warehouse.rows(columns=["ID", "NOTE"]) == [(3, None), (4, "n")]
