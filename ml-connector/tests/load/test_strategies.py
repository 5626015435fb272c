"""Load methods: what becomes of records, of rejected ones, and what the ledger says of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from singer_messages import Stream, state

S = Stream()
ONE = Decimal("1.000")


def test_upsert_keeps_one_row_a_key_and_the_last_one_wins(warehouse):
    assert warehouse.load(S.schema(), S.bill(1, "a"), S.bill(2, "b"), S.bill(1, "c"), state(1)).code == 0
    assert warehouse.rows() == [(1, "c", ONE), (2, "b", ONE)]
    warehouse.load(S.schema(), S.bill(2, "d"), S.bill(3, "e"))
    assert warehouse.rows() == [(1, "c", ONE), (2, "d", ONE), (3, "e", ONE)]
    assert warehouse.batches("RECORDS_READ", "RECORDS_LOADED", "LOAD_METHOD", "TARGET_TABLE", "STATUS") == [
        (3, 3, "upsert", "BOOKS.BILLS", "loaded"),
        (2, 2, "upsert", "BOOKS.BILLS", "loaded"),
    ]


@pytest.mark.parametrize("hard", [False, True])
def test_upsert_follows_the_source_s_deletes(warehouse, hard):
    warehouse.load(S.schema(), S.bill(1, "a"), S.bill(2, "b"), hard_delete=hard)
    gone = S.bill(2, "b", _sdc_deleted_at="2026-01-02T00:00:00Z")
    never = S.bill(9, "z", _sdc_deleted_at="2026-01-02T00:00:00Z")
    warehouse.load(S.schema(), gone, never, hard_delete=hard)
    assert warehouse.rows() == [(1, "a", ONE)]
    assert len(warehouse.rows(live=False)) == (1 if hard else 3)
    assert warehouse.batches("RECORDS_DELETED") == [(0,), (2,)]
    assert warehouse.last_run()["RECORDS_DELETED"] == 2
    warehouse.load(S.schema(), S.bill(2, "back"), hard_delete=hard)
    assert warehouse.rows() == [(1, "a", ONE), (2, "back", ONE)]


def test_append_only_makes_every_record_a_row(warehouse):
    for _ in range(2):
        warehouse.load(S.schema(), S.bill(1, "a"), S.bill(1, "a"), load_method="append-only")
    assert warehouse.rows() == [(1, "a", ONE)] * 4


def test_a_stream_without_a_key_is_appended(warehouse):
    keyless = S.schema(key=())
    warehouse.load(keyless, S.bill(1, "a"))
    warehouse.load(keyless, S.bill(1, "a"))
    assert warehouse.rows() == [(1, "a", ONE)] * 2
    assert warehouse.batches("LOAD_METHOD") == [("append-only",)] * 2


def test_scd2_needs_a_key(plain_warehouse):
    outcome = plain_warehouse.load(S.schema(key=()), load_method="scd2")
    assert outcome.code == 1
    assert "no key properties" in str(outcome.error)


@pytest.mark.parametrize("method", ["upsert", "append-only", "scd2"])
def test_a_bad_record_becomes_a_dead_letter_and_the_rest_loads(warehouse, method):
    outcome = warehouse.load(
        S.schema(),
        S.bill(1, "a"),
        S.bill("x", "b"),
        S.bill(3, "c", amount="12x"),
        S.bill(4, "d"),
        state(4),
        load_method=method,
    )
    assert outcome.code == 0
    assert len(outcome.states) == 1
    assert [row[0] for row in warehouse.rows()] == [1, 4]
    letters = warehouse.audit("DEAD_LETTERS", "STREAM", "ERROR_PATH", "STATUS", "RECORD", "BATCH_ID")
    assert [(stream, path, status) for stream, path, status, *_ in letters] == [
        ("bills", "$.record.Amount", "open"),
        ("bills", "$.record.id", "open"),
    ]
    ((batch,),) = warehouse.batches("BATCH_ID")
    assert {letter[4] for letter in letters} == {batch}
    assert warehouse.batches("RECORDS_READ", "RECORDS_LOADED", "RECORDS_REJECTED") == [(4, 2, 2)]
    run = warehouse.last_run()
    assert (run["STATUS"], run["RECORDS_READ"], run["RECORDS_LOADED"], run["RECORDS_REJECTED"]) == (
        "partial",
        4,
        2,
        2,
    )


def test_a_stream_of_which_every_record_was_rejected_fails_the_run(warehouse):
    outcome = warehouse.load(S.schema(), S.bill("x"), S.bill("y"), state(1))
    assert outcome.code == 1
    assert "Every record of 'bills' was rejected" in str(outcome.error)
    assert len(warehouse.audit("DEAD_LETTERS", "RECORD")) == 2
    assert warehouse.last_run()["STATUS"] == "failed"
    assert warehouse.load(S.schema(), S.bill("x"), max_dead_letters="100%").code == 0


def test_too_many_dead_letters_stop_the_run(warehouse):
    outcome = warehouse.load(S.schema(), S.bill(1), S.bill("x"), S.bill("y"), max_dead_letters="1")
    assert outcome.code == 1
    assert "max_dead_letters allows 1" in str(outcome.error)


def test_every_row_says_where_it_came_from(warehouse):
    warehouse.load(S.schema(), S.bill(1, at="2026-01-01T10:00:00.5Z", version=7), S.bill(2))
    rows = warehouse.query('SELECT * FROM "BOOKS"."BILLS" ORDER BY "ID"')
    ((batch, run, low, high),) = warehouse.batches(
        "BATCH_ID", "RUN_ID", "MIN_EXTRACTED_AT", "MAX_EXTRACTED_AT"
    )
    assert {row["_ML_BATCH_ID"] for row in rows} == {batch}
    assert batch.startswith(run)
    assert rows[0]["_SDC_TABLE_VERSION"] == 7
    assert rows[0]["_SDC_EXTRACTED_AT"] == low == high
    assert rows[0]["_SDC_SEQUENCE"] + 1 == rows[1]["_SDC_SEQUENCE"]
    assert all(row["_SDC_RECEIVED_AT"] and row["_SDC_BATCHED_AT"] for row in rows)


def test_the_ledger_names_the_replication_key_and_its_span(warehouse):
    warehouse.load(S.schema(bookmark_properties=["id"]), S.bill(5), S.bill(3), S.bill(11), state(11))
    assert warehouse.batches("REPLICATION_KEY", "MIN_REPLICATION_VALUE", "MAX_REPLICATION_VALUE") == [
        ("id", "3", "11")
    ]
    assert warehouse.audit(
        "WATERMARKS", "STREAM", "SOURCE_COMPANY", "REPLICATION_KEY", "REPLICATION_VALUE"
    ) == [("bills", "", "id", "11")]


def test_schemas_are_written_once(warehouse):
    for _ in range(2):
        warehouse.load(S.schema(), S.bill(1))
    assert warehouse.audit("SCHEMAS", "STREAM", "KEY_PROPERTIES", "TARGET_TABLE") == [
        ("bills", '["id"]', "BOOKS.BILLS")
    ]


def test_nothing_is_left_behind(warehouse):
    for method in ("upsert", "append-only", "overwrite", "scd2"):
        streams = {"bills": {"table": method, "load_method": method}}
        outcome = warehouse.load(
            S.schema(), S.bill(1, version=1), S.bill("x"), S.version(1), state(1), streams=streams
        )
        assert outcome.code == 0, outcome.error
    assert warehouse.spool() == []
    assert warehouse.tables() == ["OVERWRITE", "SCD2", "UPSERT", "append-only"]
    assert warehouse.tables("ML_AUDIT") == sorted(
        [
            "RUNS",
            "BATCHES",
            "DEAD_LETTERS",
            "WATERMARKS",
            "SCHEMAS",
            "RECONCILIATIONS",
            "DELETED_KEYS",
        ]
    )
