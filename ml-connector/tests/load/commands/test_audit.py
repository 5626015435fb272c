"""What the ledger says, to people and to programs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ml_connector.load.commands.cli import options_anywhere

from .conftest import activate, record, schema


def test_runs_and_batches_are_shown_to_people_and_programs(warehouse):
    assert warehouse.load(schema(), record(1, "Ace", time_extracted="2026-11-20T10:00:00Z")) is None
    (run,) = warehouse.operate("audit", "runs")
    (batch,) = warehouse.operate("audit", "batches", "--run", run["RUN_ID"])
    assert (run["STATUS"], run["RECORDS_DELETED"]) == ("succeeded", 0)
    assert (batch["STREAM"], batch["STATUS"], batch["WHAT"]) == ("bills", "loaded", "batch")
    (row,) = warehouse.operate("audit", "row", "bills", "id=1")
    assert (row["RUN_ID"], row["_ML_BATCH_ID"], row["ID"]) == (run["RUN_ID"], batch["BATCH_ID"], 1)
    assert row["_SDC_EXTRACTED_AT"].startswith("2026-11-20")
    table = warehouse.operate("audit", "runs", style="table")
    assert run["RUN_ID"] in table
    assert "succeeded" in table
    warehouse.operate("audit", "row", "bills", "id=7", code=1)
    assert "has no row with id=7" in warehouse.errors
    warehouse.operate("audit", "row", "bills", "number=7", code=1)
    assert "has no column number" in warehouse.errors


def test_a_row_is_found_where_the_settings_say_nothing(warehouse):
    assert (
        warehouse.load(schema(), record(1), streams={"bills": {"schema": "THEIRS", "table": "Vendor_Bills"}})
        is None
    )
    nothing = {"default_target_schema": ""}
    for table in ("bills", "vendor_bills", "THEIRS.VENDOR_BILLS"):
        (row,) = warehouse.operate("audit", "row", table, "id=1", settings=nothing)
        assert row["STREAM"] == "bills"


def test_rows_that_share_a_value_say_which_is_which(warehouse):
    messages = [record(1, more={"source_company": company}) for company in ("A", "B")]
    assert warehouse.load(schema(keys=("source_company", "id")), *messages) is None
    rows = warehouse.operate("audit", "row", "bills", "id=1")
    assert [(row["SOURCE_COMPANY"], row["ID"]) for row in rows] == [("A", 1), ("B", 1)]
    text = warehouse.operate("audit", "row", "bills", "id=1", style="table")
    assert "SOURCE_COMPANY" in text


@pytest.mark.parametrize("method", ["upsert", "scd2"])
def test_deletes_by_version_say_who_and_why(warehouse, method):
    settings = {"load_method": method}
    assert (
        warehouse.load(schema(), record(1, version=1), record(2, version=1), activate(1), **settings) is None
    )
    assert warehouse.load(schema(), record(2, version=2), activate(2), **settings) is None
    (deletes, *_) = warehouse.operate("audit", "batches", "--limit", "1")
    assert (deletes["WHAT"], deletes["RECORDS_DELETED"]) == ("deletes by version", 1)
    (row,) = warehouse.operate("audit", "row", "bills", "id=1")
    assert row["DELETED_BY"] == deletes["BATCH_ID"]
    assert "complete read" in row["DELETED_BECAUSE"]
    (run, *_) = warehouse.operate("audit", "runs", "--limit", "1")
    assert run["RECORDS_DELETED"] == 1


def test_deletes_by_document_say_who_and_why(warehouse):
    lines = schema(keys=("source_company", "id"), **{"x-document-key": ["source_company"]})
    one, two = (record(number, more={"source_company": "D1"}) for number in (1, 2))
    assert warehouse.load(lines, one, two) is None
    assert warehouse.load(lines, two) is None
    (row,) = warehouse.operate("audit", "row", "bills", "id=1")
    (batch, *_) = warehouse.operate("audit", "batches", "--limit", "1")
    assert (row["DELETED_BY"], batch["RECORDS_DELETED"]) == (batch["BATCH_ID"], 1)
    assert "document" in row["DELETED_BECAUSE"]


def test_what_the_source_deleted_says_so(warehouse):
    gone = record(1, more={"_sdc_deleted_at": "2026-01-01T00:00:00Z"})
    assert warehouse.load(schema(), gone) is None
    (row,) = warehouse.operate("audit", "row", "bills", "id=1")
    assert (row["DELETED_BY"], row["DELETED_BECAUSE"]) == (row["_ML_BATCH_ID"], "the source said so")


def test_without_a_ledger_there_is_a_sentence(warehouse):
    warehouse.query("CREATE SCHEMA IF NOT EXISTS other")
    warehouse.operate("audit", "runs", code=1)
    assert "nothing was ever loaded" in warehouse.errors


def test_a_ledger_of_an_earlier_version_is_read_all_the_same(warehouse):
    assert warehouse.load(schema(), record(1)) is None
    for table, column in (
        ("RUNS", "RECORDS_DELETED"), ("BATCHES", "RECORDS_DELETED"), ("BATCHES", "REPLAYS"),
        ("BATCHES", "PARTITIONS"), ("SCHEMAS", "TARGET_TABLE"),
    ):  # fmt: skip
        warehouse.query(f'ALTER TABLE "ML_AUDIT"."{table}" DROP COLUMN "{column}"')
    assert warehouse.operate("audit", "runs")[0]["RECORDS_DELETED"] is None
    assert warehouse.operate("audit", "batches")[0]["REPLAYS"] is None
    assert warehouse.operate("audit", "row", "bills", "id=1", settings={"default_target_schema": ""})


def test_options_may_stand_anywhere(warehouse):
    assert warehouse.load(schema(), record(1)) is None
    config = str(warehouse.folder / "config.json")
    (row,) = warehouse.operate("audit", "row", "bills", "id=1", before=("--config", config, "--format=json"))
    assert row["ID"] == 1
    warehouse.operate("audit", "runs", before=("--format", "xml"), style=None, code=2)


def test_options_anywhere_leave_the_rest_in_order():
    moved, rest = options_anywhere(
        ["--config", "f", "audit", "--format=json", "row", "t", "--", "--config", "x"]
    )
    assert moved == [("--config", "f"), ("--format", "json")]
    assert rest == ["audit", "row", "t", "--", "--config", "x"]


def test_settings_that_are_wrong_are_a_sentence_without_their_values(warehouse):
    warehouse.operate("audit", "runs", settings={"path": 31415926}, code=1)
    assert "Setting path must be text." in warehouse.errors
    assert "31415926" not in warehouse.errors


def test_help_waits_for_neither_pyarrow_nor_a_warehouse():
    code = (
        "import sys; from ml_connector.load.commands.cli import main_of; sys.argv = ['t', {words}]\n"
        "try: main_of('nowhere.at_all:Target', 't')()\n"
        "except SystemExit as error: assert not error.code\n"
        "assert not {{'pyarrow', 'singer_sdk', 'duckdb', 'rich'}} & set(sys.modules), sorted(sys.modules)"
    )
    for words in (
        "'audit', '--help'",
        "'audit', 'row', '--help'",
        "'dead-letters', 'replay', '--help'",
        "'replay', '--help'",
        "'reconcile', '--help'",
        "'doctor', '--help'",
    ):
        done = subprocess.run(
            [sys.executable, "-c", code.format(words=words)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
