"""What the source no longer has is marked, or removed with hard_delete."""

from __future__ import annotations


def version_of(number):
    return {"type": "ACTIVATE_VERSION", "stream": "bills", "version": number}


def test_rows_of_older_versions_are_marked(any_warehouse, bills):
    any_warehouse.load(bills.schema, bills.record(1, version=1), bills.record(2, version=1), version_of(1))
    run = any_warehouse.load(bills.schema, bills.record(1, "still here", version=2), version_of(2))
    assert run.code == 0, run.log
    assert any_warehouse.rows("BILLS", "ID", where='"_SDC_DELETED_AT" IS NULL') == [(1,)]
    assert any_warehouse.rows("BILLS", "ID", where='"_SDC_DELETED_AT" IS NOT NULL') == [(2,)]


def test_a_row_that_comes_back_is_no_longer_marked(warehouse, bills):
    warehouse.load(bills.schema, bills.record(1, version=1), version_of(1))
    warehouse.load(bills.schema, version_of(2))
    assert warehouse.rows("BILLS", "ID", where='"_SDC_DELETED_AT" IS NOT NULL') == [(1,)]
    warehouse.load(bills.schema, bills.record(1, version=3), version_of(3))
    assert warehouse.rows("BILLS", "ID", "_SDC_DELETED_AT") == [(1, None)]


def test_with_hard_delete_they_are_gone(warehouse, bills):
    warehouse.load(bills.schema, bills.record(1, version=1), bills.record(2, version=1), hard_delete=True)
    run = warehouse.load(bills.schema, bills.record(2, version=2), version_of(2), hard_delete=True)
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID") == [(2,)]


def test_a_stream_without_a_key_tells_the_present_copy_from_older_ones(warehouse, messages):
    log = messages.schema("bills", {"text": {"type": "string"}}, keys=())
    for number in (1, 2):
        record = messages.record("bills", {"text": f"copy {number}"}, version=number)
        assert warehouse.load(log, record, version_of(number)).code == 0
    assert warehouse.rows("BILLS", "TEXT", where='"_SDC_DELETED_AT" IS NULL') == [("copy 2",)]
    assert warehouse.rows("BILLS", "TEXT") == [("copy 1",), ("copy 2",)]


def test_one_deleted_record_marks_its_row(warehouse, bills, messages):
    warehouse.load(bills.schema, bills.record(1, "Ace"), bills.record(2, "Bolt"))
    gone = messages.record("bills", {"id": 1, "VendorName": "Ace", "_sdc_deleted_at": "2026-11-20T00:00:00Z"})
    assert warehouse.load(bills.schema, gone).code == 0
    assert warehouse.rows("BILLS", "ID", where='"_SDC_DELETED_AT" IS NOT NULL') == [(1,)]


def test_one_deleted_record_removes_its_row_with_hard_delete(warehouse, bills, messages):
    warehouse.load(bills.schema, bills.record(1, "Ace"), bills.record(2, "Bolt"))
    gone = [
        messages.record("bills", {"id": number, "_sdc_deleted_at": "2026-11-20T00:00:00Z"})
        for number in (1, 9)
    ]
    run = warehouse.load(bills.schema, *gone, hard_delete=True)
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID") == [(2,)]


def test_a_version_of_a_stream_without_schema_is_bad_input(warehouse):
    run = warehouse.load(version_of(1))
    assert run.code == 1
    assert "ACTIVATE_VERSION of stream 'bills'" in run.log


def test_a_version_that_comes_before_its_schema_is_kept_until_that_comes(warehouse, bills):
    run = warehouse.load(version_of(1), bills.schema, bills.record(1, version=1), version_of(1))
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID", where='"_SDC_DELETED_AT" IS NULL') == [(1,)]
