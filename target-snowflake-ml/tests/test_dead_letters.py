"""Records that break their schema are kept with the reason, and the rest loads."""

from __future__ import annotations

import json


def test_the_bad_record_is_kept_and_the_good_ones_load(any_warehouse, bills):
    run = any_warehouse.load(
        bills.schema,
        bills.record(1, "Ace", 1),
        bills.record("two", "Bolt", 2),
        bills.record(3, "Cog", 0.0001),
        bills.record(None, "Dyn", 4),
        b'{"type":"RECORD","stream":"bills","record":{"id":5,"VendorName":"Eel","Amount":NaN}}',
        bills.state("all read"),
    )
    assert run.code == 0, run.log
    assert run.states == [{"bookmarks": {"bills": "all read"}}]
    assert any_warehouse.rows("BILLS", "ID", "VENDOR_NAME") == [(1, "Ace")]
    letters = any_warehouse.audit(
        "DEAD_LETTERS", "DEAD_LETTER_ID", "STREAM", "ERROR_KIND", "ERROR_PATH", "ERROR_MESSAGE", "STATUS"
    )
    assert [letter[1:4] for letter in letters] == [
        ("bills", "type", "$.record.id"),
        ("bills", "decimal", "$.record.Amount"),
        ("bills", "missing_key", "$.record.id"),
        ("bills", "decimal", "$.record.Amount"),
    ]
    assert [letter[4].partition(":")[0] for letter in letters] == ["Line 3", "Line 4", "Line 5", "Line 6"]
    assert {letter[5] for letter in letters} == {"open"}
    records = [record for _, record in any_warehouse.audit("DEAD_LETTERS", "DEAD_LETTER_ID", "RECORD")]
    assert json.loads(records[0]) == {"id": "two", "VendorName": "Bolt", "Amount": 2}
    assert records[3] == '{"id":5,"VendorName":"Eel","Amount":NaN}'
    ((status, read, loaded, rejected),) = any_warehouse.audit(
        "RUNS", "STATUS", "RECORDS_READ", "RECORDS_LOADED", "RECORDS_REJECTED"
    )
    assert (status, read, loaded, rejected) == ("partial", 5, 1, 4)
    assert any_warehouse.audit("BATCHES", "RECORDS_READ", "RECORDS_LOADED", "RECORDS_REJECTED") == [(5, 1, 4)]
    assert any_warehouse.spooled() == []


def test_a_batch_of_nothing_but_bad_records_is_a_batch_too(warehouse, bills):
    run = warehouse.load(bills.schema, bills.record("x"), bills.record("y"), bills.state("no"))
    # a stream of which nothing could be loaded is no success
    assert (run.code, run.states) == (1, [])
    assert "Every record of 'bills' was rejected" in run.log
    assert warehouse.rows("BILLS", "ID") == []
    assert warehouse.audit("BATCHES", "RECORDS_LOADED", "RECORDS_REJECTED", "STATUS") == [(0, 2, "loaded")]


def test_past_the_count_the_run_stops_and_keeps_its_state(warehouse, bills):
    run = warehouse.load(
        bills.schema,
        bills.record("x"),
        bills.record("y"),
        bills.state("past them"),
        max_dead_letters=1,
    )
    assert run.code == 1
    assert run.states == []
    assert "2 of 2 records were rejected; max_dead_letters allows 1" in run.log
    assert "Traceback" not in run.log
    assert len(warehouse.audit("DEAD_LETTERS", "DEAD_LETTER_ID")) == 2
    ((status, error),) = warehouse.audit("RUNS", "STATUS", "ERROR")
    assert status == "failed"
    assert "max_dead_letters" in error


def test_a_percentage_is_judged_on_the_whole_run(warehouse, bills):
    good = [bills.record(number) for number in range(1, 100)]
    run = warehouse.load(
        bills.schema, bills.record("x"), *good, bills.state(1), max_dead_letters="1%", batch_size_rows=10
    )
    assert run.code == 0, run.log
    worse = warehouse.load(
        bills.schema, bills.record("x"), bills.record("y"), *good, bills.state(2), max_dead_letters="1%"
    )
    assert worse.code == 1
    assert worse.states == []


def test_a_limit_that_is_no_number_is_explained(warehouse, bills):
    run = warehouse.load(bills.schema, max_dead_letters="a few")
    assert run.code == 1
    assert "max_dead_letters is 'a few'; write a count such as 100, or a share such as 1%" in run.log


def test_properties_that_the_schema_does_not_name_are_told_once(warehouse, bills, messages):
    extra = [messages.record("bills", {"id": number, "Surprise": 1}) for number in (1, 2)]
    run = warehouse.load(bills.schema, *extra, batch_size_rows=1)
    assert run.code == 0, run.log
    assert run.log.count("properties that its schema does not name; they are not loaded: Surprise") == 1
