"""What failed is fixed and loaded: batches from the spool, records from DEAD_LETTERS."""

from __future__ import annotations

import json
import shutil
import subprocess
from decimal import Decimal

import pytest


@pytest.fixture
def operate(warehouse):
    """Runs a command of the target; gives its exit code and what it printed, as JSON where it is."""

    def operate(*words, style="json", **settings):
        program, _, config = warehouse.command(**settings)
        command = [program, *words, "--config", config]
        if style:
            command += ["--format", style]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert "Traceback" not in result.stderr, result.stderr
        output = json.loads(result.stdout) if style == "json" and result.stdout.strip() else result.stdout
        return result.returncode, output, result.stderr

    return operate


@pytest.fixture
def failed(warehouse, bills):
    """A batch that could not be loaded, as somebody made the table otherwise; gives the way to mend it."""
    warehouse.query('CREATE SCHEMA "BOOKS"')
    warehouse.query('CREATE TABLE "BOOKS"."BILLS" ("ID" NUMBER(38,0), "THEIRS" VARCHAR NOT NULL)')
    run = warehouse.load(
        bills.schema, bills.record(1, "Ace", 1.5), bills.record(2, "Bolt"), bills.state("no")
    )
    assert (run.code, run.states) == (1, [])

    def mend():
        warehouse.query('ALTER TABLE "BOOKS"."BILLS" DROP COLUMN "THEIRS"')

    return mend


def test_a_failed_batch_is_loaded_once_its_cause_is_mended(warehouse, operate, failed):
    code, (still,), _ = operate("replay", "--all")
    assert code == 1
    assert "non-nullable" in still["outcome"]
    failed()
    code, outcome, _ = operate("replay", "--all")
    assert code == 0
    assert outcome[0]["outcome"].startswith("replayed as ")
    assert warehouse.rows("BILLS", "ID", "VENDOR_NAME", "AMOUNT") == [
        (1, "Ace", Decimal("1.500")),
        (2, "Bolt", None),
    ]
    # the batch's own row stays as it was; each try of a replay has one of its own, which names it
    rows = warehouse.audit("BATCHES", "BATCH_ID", "STATUS", "RECORDS_LOADED", "REPLAYS")
    ((original,),) = {(batch,) for batch, _, _, replays in rows if replays is None}
    assert sorted(row[1:] for row in rows if row[3]) == [("failed", 0, original), ("replayed", 2, original)]
    assert warehouse.spooled() == []
    assert operate("replay", "--all")[:2] == (0, [])


def test_a_batch_whose_files_outlived_their_commit_is_only_tidied_away(warehouse, operate, failed):
    failed()
    spool = warehouse.folder / "spool"
    shutil.copytree(spool, warehouse.folder / "copy")
    assert operate("replay", "--all")[0] == 0
    shutil.copytree(warehouse.folder / "copy", spool, dirs_exist_ok=True)
    code, outcome, _ = operate("replay", "--all", load_method="upsert")
    assert (code, [each["outcome"] for each in outcome]) == (0, ["loaded before"])
    assert warehouse.spooled() == []
    assert sorted(warehouse.audit("BATCHES", "STATUS")) == [("failed",), ("replayed",)]


def test_rows_that_came_since_are_newer(warehouse, operate, failed, bills):
    failed()
    assert warehouse.load(bills.schema, bills.record(1, "Ace the Second")).code == 0
    assert operate("replay", "--all")[0] == 0
    assert warehouse.rows("BILLS", "ID", "VENDOR_NAME") == [(1, "Ace the Second"), (2, "Bolt")]


def test_a_damaged_file_is_not_loaded(warehouse, operate, failed):
    failed()
    (file,) = (warehouse.folder / "spool").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    code, (outcome,), _ = operate("replay", "--all")
    assert code == 1
    assert "digest" in outcome["outcome"]
    assert file.exists()


def test_what_a_stream_without_key_has_read_again_is_not_repeated(warehouse, operate, messages):
    log = messages.schema("log", {"line": {"type": "string"}}, keys=())
    warehouse.query('CREATE SCHEMA "BOOKS"')
    warehouse.query('CREATE TABLE "BOOKS"."LOG" ("THEIRS" VARCHAR NOT NULL)')
    assert warehouse.load(log, messages.record("log", {"line": "x"})).code == 1
    warehouse.query('ALTER TABLE "BOOKS"."LOG" ADD COLUMN "SPARE" VARCHAR')
    warehouse.query('ALTER TABLE "BOOKS"."LOG" DROP COLUMN "THEIRS"')
    assert warehouse.load(log, messages.record("log", {"line": "x"})).code == 0
    code, (outcome,), _ = operate("replay", "--all")
    assert code == 1
    assert "would repeat them" in outcome["outcome"]
    assert warehouse.rows("LOG", "LINE") == [("x",)]


def reject(warehouse, bills):
    run = warehouse.load(
        bills.schema,
        bills.record(1, "Ace", 1),
        bills.record(2, "Bolt", 0.00001),
        bills.record("three", "Cog", 3),
    )
    assert run.code == 0, run.log


def told(replayed, rejected):
    return {"stream": "bills", "replayed": replayed, "rejected_again": rejected, "superseded": 0}


def test_a_corrected_record_is_loaded_and_another_stays_with_its_reason(warehouse, operate, bills, tmp_path):
    reject(warehouse, bills)
    _, letters, _ = operate("dead-letters", "list", "--stream", "bills")
    assert [letter["STATUS"] for letter in letters] == ["open", "open"]
    bolt = next(letter for letter in letters if letter["ERROR_KIND"] == "decimal")
    _, (whole,), _ = operate("dead-letters", "show", bolt["DEAD_LETTER_ID"])
    record = json.loads(whole["RECORD"])
    fixed = tmp_path / "fixed.json"
    fixed.write_text(json.dumps({**record, "Amount": 0.001}))
    code, outcome, errors = operate("dead-letters", "replay", bolt["DEAD_LETTER_ID"], "--record", fixed)
    assert (code, outcome) == (0, [told(1, 0)]), errors
    code, outcome, _ = operate("dead-letters", "replay", "--all")
    assert (code, outcome) == (0, [told(0, 1)])
    assert warehouse.rows("BILLS", "ID", "VENDOR_NAME", "AMOUNT") == [
        (1, "Ace", Decimal("1.000")),
        (2, "Bolt", Decimal("0.001")),
    ]
    found = warehouse.audit("DEAD_LETTERS", "ERROR_KIND", "STATUS", "ATTEMPTS")
    assert found == [("decimal", "replayed", 2), ("type", "open", 2)]
    code, _, errors = operate("dead-letters", "replay", bolt["DEAD_LETTER_ID"])
    assert code == 1
    assert "no open dead letter" in errors


def test_a_wider_schema_lets_what_was_rejected_in(warehouse, operate, bills, messages):
    reject(warehouse, bills)
    wider = dict(
        bills.schema["schema"]["properties"],
        Amount={"type": ["number", "null"], "x-precision": 19, "x-scale": 5},
    )
    assert warehouse.load(messages.schema("bills", wider), bills.record(9)).code == 0
    code, outcome, errors = operate("dead-letters", "replay", "--kind", "decimal")
    assert (code, outcome) == (0, [told(1, 0)]), errors
    assert warehouse.rows("BILLS", "ID", "AMOUNT") == [(1, Decimal("1")), (2, Decimal("0.00001")), (9, None)]


def test_a_newer_row_is_not_overwritten_by_an_old_rejected_record(warehouse, operate, bills, tmp_path):
    reject(warehouse, bills)
    assert warehouse.load(bills.schema, bills.record(2, "Bolt Ltd", 5)).code == 0
    fixed = tmp_path / "fixed.json"
    fixed.write_text('{"id": 2, "VendorName": "Bolt", "Amount": 1}')
    (letter,) = operate("dead-letters", "list", "--kind", "decimal")[1]
    assert operate("dead-letters", "replay", letter["DEAD_LETTER_ID"], "--record", fixed)[0] == 0
    assert warehouse.rows("BILLS", "ID", "VENDOR_NAME", where='"ID" = 2') == [(2, "Bolt Ltd")]


def test_what_is_discarded_stays_in_the_table(warehouse, operate, bills):
    reject(warehouse, bills)
    assert operate("dead-letters", "discard", "--stream", "bills")[1] == [{"discarded": 2}]
    assert operate("dead-letters", "list")[1] == []
    assert {status for (status,) in warehouse.audit("DEAD_LETTERS", "STATUS")} == {"discarded"}
    assert len(operate("dead-letters", "list", "--status", "all")[1]) == 2


def test_the_ledger_is_shown_to_people_and_programs(warehouse, operate, bills):
    assert (
        warehouse.load(bills.schema, bills.record(1, "Ace", time_extracted="2026-11-20T10:00:00Z")).code == 0
    )
    _, (run,), _ = operate("audit", "runs")
    _, (batch,), _ = operate("audit", "batches", "--run", run["RUN_ID"])
    assert (run["STATUS"], batch["STREAM"], batch["STATUS"]) == ("succeeded", "bills", "loaded")
    _, (row,), _ = operate("audit", "row", "bills", "id=1")
    assert row["RUN_ID"] == run["RUN_ID"]
    assert row["_ML_BATCH_ID"] == batch["BATCH_ID"]
    assert row["_SDC_EXTRACTED_AT"].startswith("2026-11-20T10:00:00")
    assert row["STATEMENT_IDS"]
    _, table, _ = operate("audit", "runs", style="table")
    assert run["RUN_ID"] in table
    assert "succeeded" in table
    code, _, errors = operate("audit", "row", "bills", "id=7")
    assert code == 1
    assert "has no row with id=7" in errors


def test_watermarks_say_how_far_each_company_has_come(warehouse, bills, messages):
    def state(day):
        context = {"source_company": "SAMINC"}
        mark = {"context": context, "replication_key": "Day", "replication_key_value": day}
        return messages.state({"bookmarks": {"bills": {"partitions": [mark]}, "notes": {"version": 7}}})

    assert warehouse.load(bills.schema, bills.record(1), state("2026-01-01")).code == 0
    assert warehouse.load(bills.schema, bills.record(2), state("2026-01-02")).code == 0
    found = warehouse.audit("WATERMARKS", "STREAM", "SOURCE_COMPANY", "REPLICATION_KEY", "REPLICATION_VALUE")
    assert found == [("bills", "SAMINC", "Day", "2026-01-02"), ("notes", "", None, None)]
