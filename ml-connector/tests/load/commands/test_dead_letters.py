"""Rejected records: looked at, corrected, loaded into the table of their time, or let go."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from .conftest import PROPERTIES, activate, record, schema


def reject(warehouse, **settings):
    bad = [record(2, "Bolt", 0.00001), record("three", "Cog", 3)]
    assert warehouse.load(schema(), record(1, "Ace", 1), *bad, **settings) is None


def of_kind(warehouse, kind):
    (letter,) = warehouse.operate("dead-letters", "list", "--kind", kind)
    return letter["DEAD_LETTER_ID"]


def corrected(warehouse, **record):
    path = warehouse.folder / "corrected.json"
    path.write_text(json.dumps({"id": 2, "VendorName": "Bolt", "Amount": 0.001, **record}))
    return path


def test_a_corrected_record_is_loaded_and_another_keeps_its_reason(warehouse):
    reject(warehouse)
    assert len(warehouse.operate("dead-letters", "list", "--stream", "bills")) == 2
    bolt = of_kind(warehouse, "decimal")
    (whole,) = warehouse.operate("dead-letters", "show", bolt)
    assert json.loads(whole["RECORD"])["VendorName"] == "Bolt"
    (outcome,) = warehouse.operate("dead-letters", "replay", bolt, "--record", corrected(warehouse))
    assert outcome == {"stream": "bills", "replayed": 1, "rejected_again": 0, "superseded": 0}
    (outcome,) = warehouse.operate("dead-letters", "replay", "--all")
    assert (outcome["replayed"], outcome["rejected_again"]) == (0, 1)
    assert warehouse.rows("ID", "AMOUNT") == [(1, Decimal("1.000")), (2, Decimal("0.001"))]
    assert warehouse.audit("DEAD_LETTERS", "ERROR_KIND", "STATUS", "ATTEMPTS") == [
        ("decimal", "replayed", 2),
        ("type", "open", 2),
    ]
    assert warehouse.audit("BATCHES", "STATUS", "RECORDS_LOADED", "REPLAYS", where="STATUS = 'replayed'") == [
        ("replayed", 1, None)
    ]
    warehouse.operate("dead-letters", "replay", bolt, code=1)
    assert "no open dead letter" in warehouse.errors


def test_they_go_to_the_table_of_their_time_whatever_the_settings_say(warehouse):
    reject(warehouse)
    elsewhere = {"default_target_schema": None, "streams": {"bills": {"table": "elsewhere"}}}
    bolt = of_kind(warehouse, "decimal")
    warehouse.operate("dead-letters", "replay", bolt, "--record", corrected(warehouse), settings=elsewhere)
    assert [number for (number,) in warehouse.rows("ID")] == [1, 2]
    assert warehouse.query("SELECT table_name FROM duckdb_tables() WHERE table_name ILIKE 'elsewhere'") == []


def test_a_table_with_other_column_names_is_left_as_it_is(warehouse):
    reject(warehouse)
    bolt = of_kind(warehouse, "decimal")
    other = {"streams": {"bills": {"columns": {"id": "number"}}}}
    words = ("dead-letters", "replay", bolt, "--record", corrected(warehouse))
    warehouse.operate(*words, settings=other, code=1)
    assert "Nothing was changed" in warehouse.errors
    assert warehouse.audit("DEAD_LETTERS", "STATUS", where="STATUS = 'replayed'") == []


def test_a_wider_schema_lets_what_was_rejected_in(warehouse):
    reject(warehouse)
    wider = dict(PROPERTIES, Amount={"type": ["number", "null"], "x-precision": 19, "x-scale": 5})
    assert warehouse.load(schema(properties=wider), record(9, amount=None)) is None
    (outcome,) = warehouse.operate("dead-letters", "replay", "--kind", "decimal")
    assert (outcome["replayed"], outcome["rejected_again"]) == (1, 0)
    assert warehouse.rows("ID", "AMOUNT") == [(1, Decimal("1")), (2, Decimal("0.00001")), (9, None)]


def test_a_newer_row_stays(warehouse):
    reject(warehouse)
    assert warehouse.load(schema(), record(2, "Bolt Ltd", 5)) is None
    bolt = of_kind(warehouse, "decimal")
    warehouse.operate("dead-letters", "replay", bolt, "--record", corrected(warehouse))
    assert warehouse.rows("VENDOR_NAME", where='"ID" = 2') == [("Bolt Ltd",)]


@pytest.mark.parametrize("method", ["upsert", "scd2"])
def test_what_a_later_complete_read_did_not_bring_stays_gone(warehouse, method):
    reject(warehouse, load_method=method)
    assert warehouse.load(schema(), record(1, "Ace", 1, version=5), activate(5), load_method=method) is None
    bolt = of_kind(warehouse, "decimal")
    (outcome,) = warehouse.operate("dead-letters", "replay", bolt, "--record", corrected(warehouse))
    assert (outcome["replayed"], outcome["superseded"]) == (1, 1)
    assert warehouse.rows("ID", where='"_SDC_DELETED_AT" IS NULL') == [(1,)]


def test_lines_of_documents_that_were_read_again_stay_as_they_are(warehouse):
    lines = schema(keys=("source_company", "id"), **{"x-document-key": ["source_company"]})

    def line(number, amount):
        return record(number, amount=amount, more={"source_company": "D1"})

    assert warehouse.load(lines, line(1, 1), line(2, 0.00001)) is None
    words = ("dead-letters", "replay", of_kind(warehouse, "decimal"), "--record")
    path = corrected(warehouse, source_company="D1")
    assert warehouse.load(lines, line(1, 2)) is None
    (outcome,) = warehouse.operate(*words, path)
    assert outcome["superseded"] == 1
    assert warehouse.rows("ID") == [(1,)]


def test_a_line_of_a_document_that_was_not_read_again_comes_in(warehouse):
    lines = schema(keys=("source_company", "id"), **{"x-document-key": ["source_company"]})
    one = record(1, more={"source_company": "D1"})
    assert warehouse.load(lines, one, record(2, amount=0.00001, more={"source_company": "D1"})) is None
    words = ("dead-letters", "replay", of_kind(warehouse, "decimal"), "--record")
    (outcome,) = warehouse.operate(*words, corrected(warehouse, source_company="D1"))
    assert (outcome["replayed"], outcome["superseded"]) == (1, 0)
    assert warehouse.rows("ID", where='"_SDC_DELETED_AT" IS NULL') == [(1,), (2,)]


def test_letters_of_several_batches_and_streams_go_each_to_theirs(warehouse):
    for _ in range(2):
        reject(warehouse)
    assert (
        warehouse.load(schema("notes", keys=()), record(1, stream="notes"), record("x", stream="notes"))
        is None
    )
    wider = {**PROPERTIES, "id": {"type": ["string", "integer"]}, "Amount": {"type": ["number", "null"]}}
    assert warehouse.load(schema("notes", wider, keys=()), record(2, stream="notes")) is None
    outcomes = warehouse.operate("dead-letters", "replay", "--all")
    assert [(each["stream"], each["replayed"]) for each in outcomes] == [("bills", 0), ("notes", 1)]
    assert len(warehouse.rows("ID", table="BOOKS.notes")) == 3


def test_what_is_discarded_stays_in_the_table(warehouse):
    reject(warehouse)
    assert warehouse.operate("dead-letters", "discard", "--stream", "bills") == [{"discarded": 2}]
    assert warehouse.operate("dead-letters", "list") == []
    assert len(warehouse.operate("dead-letters", "list", "--status", "all")) == 2
    assert {status for (status,) in warehouse.audit("DEAD_LETTERS", "STATUS")} == {"discarded"}


def test_help_names_every_kind_of_error(warehouse):
    help_ = warehouse.operate("dead-letters", "list", "--help", style=None)
    for kind in ("type", "decimal", "missing_key", "required", "format", "too_long", "too_deep"):
        assert kind in help_
