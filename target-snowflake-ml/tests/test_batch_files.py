"""BATCH messages: files of JSON lines and of Parquet."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

UTC = dt.timezone.utc
PROPERTIES = {
    "id": {"type": "integer"},
    "name": {"type": ["string", "null"]},
    "amount": {"type": ["number", "null"], "x-precision": 38, "x-scale": 9},
    "ratio": {"type": ["number", "null"]},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "day": {"type": ["string", "null"], "format": "date"},
    "flag": {"type": ["boolean", "null"]},
    "lines": {"type": ["array", "null"]},
}
EXACT = Decimal("12345678901234567890123456789.123456789")


@pytest.fixture
def bills(messages):
    return messages.schema("bills", PROPERTIES)


def batch(path, kind="jsonl", compression="gzip"):
    encoding = {"format": kind, "compression": compression}
    return {"type": "BATCH", "stream": "bills", "encoding": encoding, "manifest": [path.as_uri()]}


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return batch(path, "parquet", "none")


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_json_lines(warehouse, bills, messages, tmp_path, compression):
    path = tmp_path / "bills.jsonl"
    content = b'{"id":1,"amount":12345678901234567890123456789.123456789}\n{"id":2,"name":"B"}\n{"id":"x"}\n'
    path.write_bytes(gzip.compress(content) if compression == "gzip" else content)
    state = messages.state({"bookmarks": {"bills": 1}})
    run = warehouse.load(bills, batch(path, compression=compression), state)
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID", "NAME", "AMOUNT") == [(1, None, EXACT), (2, "B", None)]
    assert run.states == [{"bookmarks": {"bills": 1}}]
    assert [kind for (kind,) in warehouse.audit("DEAD_LETTERS", "ERROR_KIND")] == ["type"]


def test_parquet_columns_are_taken_as_they_are(any_warehouse, bills, tmp_path):
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    message = parquet(
        tmp_path / "bills.parquet",
        id=pa.array([1, 2], pa.int32()),
        name=["Ace", None],
        amount=pa.array([EXACT, None], pa.decimal128(38, 9)),
        ratio=[0.1, None],
        at=pa.array([moment, None], pa.timestamp("us", tz="UTC")),
        day=[dt.date(2026, 2, 28), None],
        flag=[True, None],
        surprise=["x", "y"],
    )
    run = any_warehouse.load(bills, message)
    assert run.code == 0, run.log
    assert any_warehouse.rows("BILLS", "ID", "NAME", "AMOUNT", "RATIO", "AT", "DAY", "FLAG", "LINES") == [
        (1, "Ace", EXACT, 0.1, moment, dt.date(2026, 2, 28), True, None),
        (2, None, None, None, None, None, None, None),
    ]
    assert "surprise" in run.log
    assert any_warehouse.audit("BATCHES", "RECORDS_READ", "RECORDS_LOADED") == [(2, 2)]


def test_what_does_not_fit_is_a_dead_letter_and_the_rest_loads(warehouse, bills, tmp_path):
    message = parquet(
        tmp_path / "bills.parquet",
        id=[1, None, 3, 4],
        ratio=[0.5, 0.5, float("nan"), None],
        lines=[[{"a": 1}], None, None, []],
    )
    run = warehouse.load(bills, message)
    assert run.code == 0, run.log
    found = [(key, lines and json.loads(lines)) for key, lines in warehouse.rows("BILLS", "ID", "LINES")]
    assert found == [(1, [{"a": 1}]), (4, [])]
    kinds = {kind for (kind,) in warehouse.audit("DEAD_LETTERS", "ERROR_KIND")}
    assert kinds == {"missing_key", "type"}
    assert warehouse.audit("BATCHES", "RECORDS_READ", "RECORDS_LOADED", "RECORDS_REJECTED") == [(4, 2, 2)]


def test_files_and_records_keep_their_order(warehouse, bills, messages, tmp_path):
    message = parquet(tmp_path / "bills.parquet", id=[1, 2], name=["file", "file"])
    before = messages.record("bills", {"id": 1, "name": "before"})
    after = messages.record("bills", {"id": 2, "name": "after"})
    run = warehouse.load(bills, before, message, after)
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID", "NAME") == [(1, "file"), (2, "after")]


def test_a_file_that_is_not_there_stops_the_run(warehouse, bills, tmp_path):
    run = warehouse.load(bills, batch(tmp_path / "gone.jsonl"))
    assert run.code == 1
    assert "gone.jsonl" in run.log
    assert "Traceback" not in run.log
