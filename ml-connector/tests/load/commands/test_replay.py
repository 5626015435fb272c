"""What could not be loaded is loaded late: where it was meant to go, and nothing that is gone comes back."""

from __future__ import annotations

import json
import shutil

import pytest
from ml_connector.load.clock import new_run_id

from .conftest import STATE, activate, record, schema


def fail(warehouse, *messages, table="BILLS", **settings):
    """Have a batch fail, and then mend the cause."""
    warehouse.block(table)
    assert warehouse.load(*messages, **settings) is not None
    warehouse.unblock(table)


def test_a_failed_batch_is_loaded_under_an_id_of_its_own(warehouse):
    warehouse.block()
    error = warehouse.load(schema(), record(1, "Ace", 1.5), record(2, "Bolt"))
    (failed,) = warehouse.spooled
    original = failed.partition(".")[0]
    assert original in str(error)
    (still,) = warehouse.operate("replay", "--all", code=1)
    assert (still["batch_id"], "THEIRS" in still["outcome"]) == (original, True)
    (listed,) = warehouse.operate("replay", "--list")
    assert "THEIRS" in listed["outcome"]
    warehouse.unblock()
    (outcome,) = warehouse.operate("replay", "--all")
    assert outcome["outcome"].startswith("replayed as ")
    own = outcome["outcome"].removeprefix("replayed as ")
    assert warehouse.rows("ID", "VENDOR_NAME", "_ML_BATCH_ID") == [(1, "Ace", own), (2, "Bolt", own)]
    found = warehouse.audit("BATCHES", "BATCH_ID", "STATUS", "REPLAYS", "RECORDS_LOADED")
    assert (original, "failed", None, 0) in found
    assert (own, "replayed", original, 2) in found
    ((run, read, loaded),) = warehouse.audit(
        "RUNS", "STATUS", "RECORDS_READ", "RECORDS_LOADED", where=f"'{own}' LIKE RUN_ID || '%'"
    )
    assert (run, read, loaded) == ("succeeded", 2, 2)
    assert warehouse.spooled == []
    assert warehouse.operate("replay", "--all") == []


def test_it_goes_where_it_was_meant_to_go_whatever_the_settings_say(warehouse):
    fail(warehouse, schema(), record(1, "Ace", 1.5))
    others = {
        "default_target_schema": None, "identifier_case": "preserve", "number_type": "decimal",
        "load_method": "append-only", "streams": {"bills": {"table": "elsewhere", "columns": {"id": "number"}}},
    }  # fmt: skip
    assert "replayed" in warehouse.operate("replay", "--all", settings=others)[0]["outcome"]
    assert warehouse.rows("ID", "VENDOR_NAME") == [(1, "Ace")]
    assert warehouse.query("SELECT schema_name FROM duckdb_tables() WHERE table_name = 'elsewhere'") == []


def test_numbers_are_what_they_were_when_the_batch_was_read(warehouse):
    properties = {"id": {"type": "integer"}, "rate": {"type": "number"}}
    message = {"type": "RECORD", "stream": "bills", "record": {"id": 1, "rate": 0.5}}
    fail(warehouse, schema(properties=properties), message)
    assert (
        "replayed" in warehouse.operate("replay", "--all", settings={"number_type": "decimal"})[0]["outcome"]
    )
    assert warehouse.rows("RATE") == [(0.5,)]


def test_a_manifest_of_an_earlier_version_takes_the_table_from_the_ledger(warehouse):
    fail(warehouse, schema(), record(1, "Ace"))
    (path,) = (warehouse.folder / "spool").glob("*.json")
    manifest = json.loads(path.read_text())
    for name in ("target_schema", "target_table", "columns", "document_key", "sequence"):
        del manifest[name]
    path.write_text(json.dumps(manifest))
    elsewhere = {"default_target_schema": "ELSEWHERE"}
    shutil.copytree(warehouse.folder / "spool", warehouse.folder / "copy")
    assert "replayed" in warehouse.operate("replay", "--all", settings=elsewhere)[0]["outcome"]
    assert warehouse.rows("ID") == [(1,)]
    shutil.copytree(warehouse.folder / "copy", warehouse.folder / "spool", dirs_exist_ok=True)
    warehouse.query('DELETE FROM "ML_AUDIT"."BATCHES"')
    (outcome,) = warehouse.operate("replay", "--all", settings=elsewhere, code=1)
    assert "Nothing was changed" in outcome["outcome"]
    assert warehouse.query("SELECT schema_name FROM duckdb_schemas() WHERE schema_name = 'ELSEWHERE'") == []


def test_what_was_loaded_before_is_only_tidied_away(warehouse):
    fail(warehouse, schema(), record(1))
    shutil.copytree(warehouse.folder / "spool", warehouse.folder / "copy")
    warehouse.operate("replay", "--all")
    shutil.copytree(warehouse.folder / "copy", warehouse.folder / "spool", dirs_exist_ok=True)
    assert warehouse.operate("replay", "--all")[0]["outcome"] == "loaded before"
    assert warehouse.spooled == []
    assert len(warehouse.audit("BATCHES", "BATCH_ID", where="STATUS = 'replayed'")) == 1


def test_rows_that_came_since_are_newer(warehouse):
    fail(warehouse, schema(), record(1, "Ace"), record(2, "Bolt"))
    assert warehouse.load(schema(), record(1, "Ace the Second")) is None
    warehouse.operate("replay", "--all")
    assert warehouse.rows("ID", "VENDOR_NAME") == [(1, "Ace the Second"), (2, "Bolt")]


@pytest.mark.parametrize("method", ["upsert", "scd2"])
@pytest.mark.parametrize("hard", [False, True])
def test_what_a_later_complete_read_did_not_bring_stays_gone(warehouse, method, hard):
    settings = {"load_method": method, "hard_delete": hard}
    assert warehouse.load(schema(), record(1, "old", version=1), **settings) is None
    fail(warehouse, schema(), record(1, "Ace"), record(2, "Bolt"), record(3, "Cog"), **settings)
    assert warehouse.load(schema(), record(3, "Cog", version=2), activate(2), **settings) is None
    (outcome,) = warehouse.operate("replay", "--all")
    assert "3 of its 3 records were left out" in outcome["outcome"]
    live = '"_SDC_DELETED_AT" IS NULL' + (' AND "_ML_IS_CURRENT"' if method == "scd2" else "")
    assert warehouse.rows("ID", where=live) == [(3,)]
    assert warehouse.audit("BATCHES", "RECORDS_READ", "RECORDS_LOADED", where="STATUS = 'replayed'") == [
        (3, 0)
    ]
    assert warehouse.audit("RUNS", "RECORDS_LOADED", where="RECORDS_READ = 3 AND STATUS = 'succeeded'") == [
        (0,)
    ]


def test_a_complete_read_of_one_company_leaves_the_others(warehouse):
    def of(company, number):
        return record(number, more={"source_company": company})

    fail(warehouse, schema(), of("A", 1), of("B", 2), of(None, 3))
    later = activate(9, **{"x-partitions": [{"source_company": "A"}]})
    assert warehouse.load(schema(), record(4, more={"source_company": "A"}, version=9), later) is None
    assert "1 of its 3" in warehouse.operate("replay", "--all")[0]["outcome"]
    assert warehouse.rows("ID", where='"_SDC_DELETED_AT" IS NULL') == [(2,), (3,), (4,)]


@pytest.mark.parametrize("small", [256_000, 0])
def test_a_key_that_was_deleted_since_stays_deleted(warehouse, small):
    settings = {"hard_delete": True, "small_batch_bytes": small}
    fail(warehouse, schema(), record(1, "Ace"), record(2, "Bolt"), **settings)
    gone = record(1, more={"_sdc_deleted_at": "2026-01-01T00:00:00Z"})
    assert warehouse.load(schema(), gone, **settings) is None
    assert len(warehouse.audit("DELETED_KEYS", "ROW_KEY")) == 1
    warehouse.operate("replay", "--all", settings=settings)
    assert warehouse.rows("ID") == [(2,)]
    assert warehouse.audit("DELETED_KEYS", "ROW_KEY") == []


def line(document, number, name="a"):
    return record(number, name, more={"source_company": document})


LINES = schema(keys=("source_company", "id"), **{"x-document-key": ["source_company"]})


@pytest.mark.parametrize("method", ["upsert", "scd2"])
@pytest.mark.parametrize("hard", [False, True])
def test_lines_of_documents_that_were_read_again_stay_lost(warehouse, method, hard):
    settings = {"load_method": method, "hard_delete": hard}
    fail(warehouse, LINES, line("D1", 1), line("D1", 2), line("D2", 1), **settings)
    assert warehouse.load(LINES, line("D1", 1, "new"), **settings) is None
    assert "2 of its 3" in warehouse.operate("replay", "--all")[0]["outcome"]
    live = '"_SDC_DELETED_AT" IS NULL'
    assert warehouse.rows("SOURCE_COMPANY", "ID", "VENDOR_NAME", where=live) == [
        ("D1", 1, "new"),
        ("D2", 1, "a"),
    ]


def test_a_replayed_document_loses_the_lines_that_it_lost(warehouse):
    assert warehouse.load(LINES, line("D1", 1), line("D1", 2)) is None
    fail(warehouse, LINES, line("D1", 1, "new"), line("D2", 1))
    warehouse.operate("replay", "--all")
    live = warehouse.rows("SOURCE_COMPANY", "ID", "VENDOR_NAME", where='"_SDC_DELETED_AT" IS NULL')
    assert live == [("D1", 1, "new"), ("D2", 1, "a")]
    assert warehouse.audit("BATCHES", "RECORDS_DELETED", where="STATUS = 'replayed'") == [(1,)]


def test_what_a_stream_without_key_has_read_again_is_not_repeated(warehouse):
    log = schema(keys=())
    fail(warehouse, log, record(1))
    assert warehouse.load(log, record(1)) is None
    (outcome,) = warehouse.operate("replay", "--all", code=1)
    assert "would repeat them" in outcome["outcome"]
    assert warehouse.rows("ID") == [(1,)]


def test_what_was_replayed_without_key_is_not_read_again(warehouse):
    log = schema(keys=())
    fail(warehouse, log, record(1), record(2))
    warehouse.operate("replay", "--all")
    assert warehouse.load(log, record(1), record(2), STATE) is None
    assert warehouse.rows("ID") == [(1,), (2,)]


def test_a_replay_leaves_the_notes_of_killed_runs_to_the_next_run(warehouse):
    fail(warehouse, schema("notes", keys=()), record(1, stream="notes"), table="NOTES")
    notes = sorted((warehouse.folder / "spool").glob("*.run"))
    warehouse.operate("replay", "--all")
    assert sorted((warehouse.folder / "spool").glob("*.run")) == notes


def test_an_overwrite_is_not_replayed(warehouse):
    fail(warehouse, schema(), record(1))
    (path,) = (warehouse.folder / "spool").glob("*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "load_method": "overwrite"}))
    (outcome,) = warehouse.operate("replay", "--all", code=1)
    assert "the next run brings the whole" in outcome["outcome"]


def test_another_key_of_today_is_respected(warehouse):
    fail(warehouse, schema(), record(1, more={"source_company": "A"}))
    assert (
        warehouse.load(schema(keys=("source_company", "id")), record(2, more={"source_company": "A"})) is None
    )
    (outcome,) = warehouse.operate("replay", "--all", code=1)
    assert "under the key id" in outcome["outcome"]
    assert warehouse.rows("ID") == [(2,)]


def test_a_table_that_keeps_no_history_gets_none_by_a_replay(warehouse):
    fail(warehouse, schema(), record(1), load_method="scd2")
    warehouse.query('DROP TABLE "BOOKS"."BILLS"')
    assert warehouse.load(schema(), record(2)) is None
    (outcome,) = warehouse.operate("replay", "--all", code=1)
    assert "now loaded with upsert" in outcome["outcome"]


def test_a_damaged_file_is_not_loaded(warehouse):
    fail(warehouse, schema(), record(1))
    (file,) = (warehouse.folder / "spool").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    (outcome,) = warehouse.operate("replay", "--all", code=1)
    assert "digest" in outcome["outcome"]
    assert file.exists()


def test_a_manifest_that_cannot_be_read_holds_nothing_back(warehouse):
    fail(warehouse, schema(), record(1))
    torn = f"{new_run_id()}-000001"
    (warehouse.folder / "spool" / f"{torn}.json").write_bytes(b"")
    listed = warehouse.operate("replay", "--list")
    assert "cannot be read" in next(each for each in listed if each["batch_id"] == torn)["outcome"]
    outcomes = warehouse.operate("replay", "--all", code=1)
    said = {each["batch_id"]: each["outcome"] for each in outcomes}
    assert "set aside" in said.pop(torn)
    assert [each.startswith("replayed") for each in said.values()] == [True]
    assert warehouse.rows("ID") == [(1,)]
    assert warehouse.operate("replay", "--all") == []
    (left,) = warehouse.operate("replay", "--list")
    assert (left["batch_id"], "set aside" in left["outcome"]) == (torn, True)


def test_dead_letters_of_a_replayed_batch_are_kept(warehouse):
    fail(warehouse, schema(), record(1), record("two"))
    warehouse.operate("replay", "--all")
    assert warehouse.audit("DEAD_LETTERS", "ERROR_KIND", "STATUS") == [("type", "open")]
    assert warehouse.audit("BATCHES", "RECORDS_REJECTED", where="STATUS = 'replayed'") == [(1,)]


def test_a_batch_that_is_not_there_is_named(warehouse):
    (outcome,) = warehouse.operate("replay", "nothing", code=1)
    assert "There is no batch nothing" in outcome["outcome"]
