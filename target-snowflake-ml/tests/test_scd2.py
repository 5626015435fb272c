"""Histories: a version for each change, and none for anything else."""

from __future__ import annotations

import datetime as dt

import pytest

UTC = dt.timezone.utc


def at(day):
    return f"2026-01-{day:02d}T00:00:00Z"


def day_of(moment):
    return moment and moment.astimezone(UTC).day


@pytest.fixture
def history(warehouse, bills):
    """Loads records into a history, and reads it back as (key, name, from, to, current)."""

    class History:
        @staticmethod
        def load(*messages, **settings):
            run = warehouse.load(bills.schema, *messages, load_method="scd2", **settings)
            assert run.code == 0, run.log
            return run

        @staticmethod
        def rows():
            found = warehouse.rows(
                "BILLS", "ID", "VENDOR_NAME", "_ML_VALID_FROM", "_ML_VALID_TO", "_ML_IS_CURRENT"
            )
            ordered = sorted(found, key=lambda row: (row[0], row[2], row[4]))
            return [(key, name, day_of(since), day_of(to), now) for key, name, since, to, now in ordered]

    return History


def test_a_change_ends_one_version_and_begins_the_next(history, bills):
    history.load(
        bills.record(1, "Ace", 1, time_extracted=at(1)), bills.record(2, "Bolt", time_extracted=at(1))
    )
    history.load(bills.record(1, "Ace Ltd", 1, time_extracted=at(5)))
    assert history.rows() == [
        (1, "Ace", 1, 5, False),
        (1, "Ace Ltd", 5, None, True),
        (2, "Bolt", 1, None, True),
    ]


def test_the_same_data_again_adds_no_version(history, bills):
    records = [
        bills.record(1, "Ace", 1.5, time_extracted=at(1)),
        bills.record(2, "Bolt", time_extracted=at(2)),
    ]
    history.load(*records)
    history.load(*records)
    history.load(bills.record(1, "Ace", 1.500, time_extracted=at(9)))
    assert history.rows() == [(1, "Ace", 1, None, True), (2, "Bolt", 2, None, True)]


def test_several_versions_may_come_in_one_batch(history, bills):
    history.load(
        bills.record(1, "A", time_extracted=at(1)),
        bills.record(1, "B", time_extracted=at(3)),
        bills.record(1, "B", time_extracted=at(4)),
        bills.record(1, "A", time_extracted=at(5)),
    )
    assert history.rows() == [(1, "A", 1, 3, False), (1, "B", 3, 5, False), (1, "A", 5, None, True)]


def test_of_one_moment_the_last_record_counts(history, bills):
    history.load(bills.record(1, "A", time_extracted=at(1)), bills.record(1, "B", time_extracted=at(1)))
    assert history.rows() == [(1, "B", 1, None, True)]


def test_what_arrives_later_is_newer_whatever_its_clock_says(history, bills):
    history.load(bills.record(1, "first", time_extracted=at(9)))
    history.load(bills.record(1, "second", time_extracted=at(2)))
    history.load(
        bills.record(1, "third", time_extracted=at(5)), bills.record(1, "fourth", time_extracted=at(4))
    )
    assert history.rows() == [
        (1, "first", 9, 9, False),
        (1, "second", 9, 9, False),
        (1, "third", 9, 9, False),
        (1, "fourth", 9, None, True),
    ]


def test_a_deleted_record_has_no_current_version_until_it_comes_back(history, bills, warehouse):
    history.load(bills.record(1, "Ace", time_extracted=at(1)))
    gone = bills.record(1, "Ace", time_extracted=at(3))
    gone["record"]["_sdc_deleted_at"] = at(3)
    history.load(gone)
    assert history.rows() == [(1, "Ace", 1, 3, False)]
    assert warehouse.rows("BILLS", "ID", where='"_SDC_DELETED_AT" IS NOT NULL') == [(1,)]
    history.load(gone)
    assert history.rows() == [(1, "Ace", 1, 3, False)]
    history.load(bills.record(1, "Ace", time_extracted=at(7)))
    assert history.rows() == [(1, "Ace", 1, 3, False), (1, "Ace", 7, None, True)]


def test_a_full_read_ends_what_it_did_not_bring_and_keeps_what_is_unchanged(history, bills, messages):
    def version(number):
        return {"type": "ACTIVATE_VERSION", "stream": "bills", "version": number}

    both = [bills.record(n, "x", time_extracted=at(1), version=1) for n in (1, 2)]
    history.load(*both, version(1))
    history.load(bills.record(1, "x", time_extracted=at(2), version=2), version(2))
    assert [(key, now) for key, _, _, _, now in history.rows()] == [(1, True), (2, False)]


def test_a_new_column_makes_no_version_by_itself(history, bills, warehouse, messages):
    history.load(bills.record(1, "Ace", 1, time_extracted=at(1)))
    properties = {**bills.schema["schema"]["properties"], "City": {"type": ["string", "null"]}}
    wider = messages.schema("bills", properties)
    record = {"id": 1, "VendorName": "Ace", "Amount": 1, "City": None}
    again = messages.record("bills", record, time_extracted=at(2))
    assert warehouse.load(wider, again, load_method="scd2").code == 0
    assert history.rows() == [(1, "Ace", 1, None, True)]
    moved = messages.record("bills", {**record, "City": "Vancouver"}, time_extracted=at(3))
    assert warehouse.load(wider, moved, load_method="scd2").code == 0
    assert history.rows() == [(1, "Ace", 1, 3, False), (1, "Ace", 3, None, True)]


def test_a_table_of_another_method_becomes_a_history(history, bills, warehouse):
    warehouse.load(bills.schema, bills.record(1, "Ace", time_extracted=at(1)))
    history.load(bills.record(1, "Ace Ltd", time_extracted=at(4)))
    assert history.rows() == [(1, "Ace", 1, 4, False), (1, "Ace Ltd", 4, None, True)]
    refused = warehouse.load(bills.schema, bills.record(1, "Ace"))
    assert refused.code == 1
    assert "holds the history of its records" in refused.log


def test_a_stream_without_a_key_has_no_versions(warehouse, messages):
    run = warehouse.load(
        messages.schema("log", {"line": {"type": "string"}}, keys=()),
        messages.record("log", {"line": "x"}),
        load_method="scd2",
    )
    assert run.code == 1
    assert "no key properties" in run.log
    assert "Traceback" not in run.log
