"""Each load method, read back through Snowflake's own connector."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal

UTC = dt.timezone.utc


def test_upsert_keeps_one_row_a_key_and_the_last_one_wins(any_warehouse, bills):
    first = any_warehouse.load(
        bills.schema,
        bills.record(1, "Ace", 10.5),
        bills.record(2, "Bolt", 20),
        bills.record(1, "Ace & Sons", 11.125),
        bills.state("one"),
    )
    assert first.code == 0, first.log
    assert first.states == [{"bookmarks": {"bills": "one"}}]
    assert any_warehouse.rows("BILLS", "ID", "VENDOR_NAME", "AMOUNT") == [
        (1, "Ace & Sons", Decimal("11.125")),
        (2, "Bolt", Decimal("20.000")),
    ]
    second = any_warehouse.load(bills.schema, bills.record(2, "Bolt Ltd", -0.001), bills.record(3))
    assert second.code == 0, second.log
    assert any_warehouse.rows("BILLS", "ID", "VENDOR_NAME", "AMOUNT") == [
        (1, "Ace & Sons", Decimal("11.125")),
        (2, "Bolt Ltd", Decimal("-0.001")),
        (3, None, None),
    ]


def test_append_only_keeps_every_record(any_warehouse, bills):
    for _ in range(2):
        run = any_warehouse.load(
            bills.schema, bills.record(1, "Ace"), bills.record(1, "Ace"), load_method="append-only"
        )
        assert run.code == 0, run.log
    assert any_warehouse.rows("BILLS", "ID", "VENDOR_NAME") == [(1, "Ace")] * 4


def version_of(number):
    return {"type": "ACTIVATE_VERSION", "stream": "bills", "version": number}


def test_overwrite_leaves_what_the_last_complete_read_brought(any_warehouse, bills):
    any_warehouse.load(bills.schema, bills.record(1), bills.record(2), version_of(1), load_method="overwrite")
    run = any_warehouse.load(
        bills.schema,
        bills.record(2, "old"),
        bills.record(3),
        bills.record(2, "new"),
        version_of(2),
        bills.state("two"),
        load_method="overwrite",
        batch_size_rows=1,
    )
    assert run.code == 0, run.log
    assert any_warehouse.rows("BILLS", "ID", "VENDOR_NAME") == [(2, "new"), (3, None)]
    assert run.states == [{"bookmarks": {"bills": "two"}}]
    tables = any_warehouse.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'BOOKS'"
    )
    assert tables == [("BILLS",)]


def test_an_overwrite_without_proof_leaves_the_table_as_it_is(any_warehouse, bills):
    any_warehouse.load(bills.schema, bills.record(1), version_of(1), load_method="overwrite")
    run = any_warehouse.load(bills.schema, bills.record(2), bills.state("no"), load_method="overwrite")
    assert (run.code, run.states) == (1, [])
    assert "without ACTIVATE_VERSION" in run.log
    assert any_warehouse.rows("BILLS", "ID") == [(1,)]


def test_an_overwrite_that_fails_leaves_the_table_and_the_state_as_they_were(warehouse, bills):
    warehouse.load(bills.schema, bills.record(1), version_of(1), load_method="overwrite")
    run = warehouse.load(
        bills.schema,
        bills.record(2),
        bills.state("half way"),
        b"this is no message",
        load_method="overwrite",
        batch_size_rows=1,
    )
    assert run.code == 1
    assert run.states == []
    assert warehouse.rows("BILLS", "ID") == [(1,)]


def test_a_stream_without_a_key_is_appended_and_the_ledger_says_so(warehouse, messages):
    log = messages.schema("log", {"line": {"type": "string"}}, keys=())
    for _ in range(2):
        assert warehouse.load(log, messages.record("log", {"line": "x"})).code == 0
    assert warehouse.rows("LOG", "LINE") == [("x",), ("x",)]
    assert warehouse.audit("BATCHES", "LOAD_METHOD") == [("append-only",)] * 2


def test_streams_may_differ_from_the_rest(warehouse, bills, messages):
    run = warehouse.load(
        bills.schema,
        bills.record(1, "Ace"),
        bills.record(1, "Bolt"),
        messages.schema("gl_lines", {"id": {"type": "integer"}, "acct": {"type": "string"}}),
        messages.record("gl_lines", {"id": 1, "acct": "1000"}),
        streams={
            "bills": {"load_method": "append-only", "table": "ap_bills", "columns": {"VendorName": "vendor"}},
            "gl_*": {"schema": "ledger", "cluster_by": ["acct"]},
        },
    )
    assert run.code == 0, run.log
    assert warehouse.rows("AP_BILLS", "VENDOR") == [("Ace",), ("Bolt",)]
    assert warehouse.rows("GL_LINES", "ID", "ACCT", schema="LEDGER") == [(1, "1000")]


def test_a_stream_of_changes_is_made_where_it_is_asked_for(warehouse, bills):
    for _ in range(2):
        assert warehouse.load(bills.schema, bills.record(1), create_streams=True).code == 0
    (made,) = warehouse.query("SHOW STREAMS")
    assert made[:2] == ("BILLS_STREAM", "BOOKS")


def test_every_row_says_where_it_came_from(warehouse, bills):
    run = warehouse.load(
        bills.schema, bills.record(1, time_extracted="2026-11-20T10:00:00Z", version=5), bills.record(2)
    )
    assert run.code == 0, run.log
    ((batch_id, run_id, read, loaded),) = warehouse.audit(
        "BATCHES", "BATCH_ID", "RUN_ID", "RECORDS_READ", "RECORDS_LOADED"
    )
    assert (read, loaded) == (2, 2)
    assert warehouse.rows("BILLS", "ID", "_ML_BATCH_ID", "_SDC_EXTRACTED_AT", "_SDC_TABLE_VERSION") == [
        (1, batch_id, dt.datetime(2026, 11, 20, 10, tzinfo=UTC), 5),
        (2, batch_id, None, None),
    ]
    first, second = warehouse.rows("BILLS", "ID", "_SDC_SEQUENCE", "_SDC_RECEIVED_AT", "_SDC_BATCHED_AT")
    assert first[1] < second[1]
    assert first[2] <= first[3]
    ((found, status, records, rejected, error),) = warehouse.audit(
        "RUNS", "RUN_ID", "STATUS", "RECORDS_LOADED", "RECORDS_REJECTED", "ERROR"
    )
    assert (found, status, records, rejected, error) == (run_id, "succeeded", 2, 0, None)


def test_every_type_arrives_as_it_was_sent(any_warehouse, messages):
    properties = {
        "id": {"type": "integer"},
        "money": {"type": "number", "x-precision": 38, "x-scale": 9},
        "huge": {"type": "integer"},
        "ratio": {"type": "number"},
        "flag": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "moment": {"type": "string", "format": "date-time"},
        "naive": {"type": "string", "format": "date-time", "x-timezone-naive": True},
        "clock": {"type": "string", "format": "time"},
        "blob": {"type": "string", "contentEncoding": "base64"},
        "text": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "object"}},
        "any": {},
    }
    record = (
        b'{"type":"RECORD","stream":"all","record":{"id":1,"money":12345678901234567.123456789,'
        b'"huge":99999999999999999999999999999999999999,"ratio":0.1,"flag":true,"day":"2026-02-28",'
        b'"moment":"2026-01-02T03:04:05.678901+02:00","naive":"2026-01-02T03:04:05","clock":"23:59:58.5",'
        b'"blob":"AP8Q","text":"l\\u00ed\\"n\\\\e\\n\\ud83d\\ude80 \'","lines":[{"a":1.10}],"any":"x"}}'
    )
    run = any_warehouse.load(messages.schema("all", properties), record)
    assert run.code == 0, run.log
    columns = [name.upper() for name in properties]
    ((*plain, lines, anything),) = any_warehouse.rows("ALL", *columns)
    assert plain == [
        1,
        Decimal("12345678901234567.123456789"),
        99999999999999999999999999999999999999,
        0.1,
        True,
        dt.date(2026, 2, 28),
        dt.datetime(2026, 1, 2, 1, 4, 5, 678901, tzinfo=UTC),
        dt.datetime(2026, 1, 2, 3, 4, 5),
        dt.time(23, 59, 58, 500000),
        b"\x00\xff\x10",
        "lí\"n\\e\n🚀 '",
    ]
    assert "".join(lines.split()) == '[{"a":1.10}]'
    assert anything == '"x"'


def test_the_settings_are_told_without_what_only_loading_needs():
    code = (
        "import sys, target_snowflake_ml.target; print({'pyarrow', 'snowflake.connector'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "set()"
