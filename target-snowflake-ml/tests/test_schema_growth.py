"""A stream's schema changes; its table follows, and no value is lost."""

from __future__ import annotations

from decimal import Decimal


def test_a_new_property_is_a_new_column(warehouse, messages):
    before = messages.schema("bills", {"id": {"type": "integer"}})
    after = messages.schema("bills", {"id": {"type": "integer"}, "Terms": {"type": "string"}})
    assert warehouse.load(before, messages.record("bills", {"id": 1})).code == 0
    run = warehouse.load(after, messages.record("bills", {"id": 2, "Terms": "N30"}))
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID", "TERMS") == [(1, None), (2, "N30")]


def test_a_schema_may_change_in_mid_stream_and_later_records_still_win(warehouse, messages):
    before = messages.schema("bills", {"id": {"type": "integer"}, "Terms": {"type": "string"}})
    after = messages.schema("bills", {"id": {"type": "integer"}, "Due": {"type": "string", "format": "date"}})
    run = warehouse.load(
        before,
        messages.record("bills", {"id": 1, "Terms": "N30"}),
        messages.record("bills", {"id": 2, "Terms": "N60"}),
        after,
        messages.record("bills", {"id": 2, "Due": "2026-12-01"}),
        messages.record("bills", {"id": 3, "Due": "2026-12-02"}),
        batch_size_rows=2,
    )
    assert run.code == 0, run.log
    found = warehouse.rows("BILLS", "ID", "TERMS", "DUE")
    assert [(number, terms, due and due.day) for number, terms, due in found] == [
        (1, "N30", None),
        (2, "N60", 1),
        (3, None, 2),
    ]


def test_a_column_is_widened_and_its_values_stay(warehouse, messages):
    def load(kind, value):
        schema = messages.schema("bills", {"id": {"type": "integer"}, "Ref": kind})
        run = warehouse.load(schema, messages.record("bills", {"id": value, "Ref": value}))
        assert run.code == 0, run.log

    load({"type": "integer"}, 1)
    assert warehouse.types("BILLS")["REF"] == "NUMBER(38,0)"
    load({"type": "number", "multipleOf": 0.01}, 2)
    assert warehouse.rows("BILLS", "ID", "REF") == [(1, Decimal("1.00")), (2, Decimal("2.00"))]
    schema = messages.schema("bills", {"id": {"type": "integer"}, "Ref": {"type": "string"}})
    assert warehouse.load(schema, messages.record("bills", {"id": 3, "Ref": "A-3"})).code == 0
    assert warehouse.rows("BILLS", "ID", "REF") == [(1, "1.00"), (2, "2.00"), (3, "A-3")]
    load({"type": "integer"}, 4)  # never narrowed: the number is written as text
    assert warehouse.rows("BILLS", "ID", "REF", where='"ID" = 4') == [(4, "4")]


def test_a_table_made_by_somebody_else_gets_the_columns_it_lacks(warehouse, bills):
    warehouse.query('CREATE SCHEMA "BOOKS"')
    warehouse.query('CREATE TABLE "BOOKS"."BILLS" ("ID" NUMBER(10,0), "THEIRS" VARCHAR)')
    run = warehouse.load(bills.schema, bills.record(1, "Ace", 1.5))
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID", "THEIRS", "VENDOR_NAME") == [(1, None, "Ace")]
    assert warehouse.types("BILLS")["ID"] == "NUMBER(38,0)"


def test_a_conflict_stops_the_run_and_names_the_column(warehouse, messages):
    warehouse.query('CREATE SCHEMA "BOOKS"')
    warehouse.query('CREATE TABLE "BOOKS"."BILLS" ("ID" NUMBER(38,0), "SCAN" DATE)')
    schema = messages.schema(
        "bills", {"id": {"type": "integer"}, "scan": {"type": "string", "contentEncoding": "base64"}}
    )
    run = warehouse.load(schema, messages.record("bills", {"id": 1, "scan": "AA=="}))
    assert run.code == 1
    assert "Column SCAN of BOOKS.BILLS is DATE, stream 'bills' now sends BINARY" in run.log
    assert "Traceback" not in run.log


def test_two_properties_that_share_a_column_are_named_both(warehouse, messages):
    schema = messages.schema(
        "bills", {"id": {"type": "integer"}, "VendorNo": {"type": "string"}, "vendor_no": {"type": "string"}}
    )
    run = warehouse.load(schema)
    assert run.code == 1
    assert "'VendorNo' and 'vendor_no' of stream 'bills' both become column VENDOR_NO" in run.log


def test_two_streams_that_share_a_table_are_named_both(warehouse, messages):
    one = messages.schema("ApBills", {"id": {"type": "integer"}})
    two = messages.schema("ap_bills", {"id": {"type": "integer"}})
    run = warehouse.load(one, two)
    assert run.code == 1
    assert "Streams 'ApBills' and 'ap_bills' would both be loaded into BOOKS.AP_BILLS" in run.log
