"""Runs against a gateway that behaves, and against one that does not."""

from __future__ import annotations

import gzip
import json
import signal
import sqlite3
import subprocess
import time
from decimal import Decimal

import pytest

from tap_sageintacct.streams import RESOURCES

OBJECTS = {resource.stream: resource.address for resource in RESOURCES}


def stored(company, name):
    rows = sqlite3.connect(company.books).execute(
        "SELECT recordno, doc FROM intacct_records WHERE object = ?", (name,)
    )
    return {str(number): json.loads(doc) for number, doc in rows}


def same(company, held):
    """Every stream holds the records that the gateway has, as they are now."""
    for stream, name in OBJECTS.items():
        docs, rows = stored(company, name), held.get(stream, {})
        assert rows.keys() == docs.keys(), stream
        for number, doc in docs.items():
            row = rows[number]
            for field, value in doc.items():
                if field not in row or field == "RECORDNO":
                    continue
                found = row[field]
                value = None if value == "" else value  # an empty element is both
                if field in {"WHENMODIFIED", "AUWHENCREATED", "MODIFIED"} and value:
                    value += "Z"
                if isinstance(found, Decimal) or (isinstance(found, int) and isinstance(value, str)):
                    assert Decimal(value) == found, (stream, number, field)
                elif not (isinstance(found, str) and isinstance(value, bool)):
                    assert found == value or (field == "WHENCREATED" and found == f"{value}Z"), (
                        stream,
                        field,
                    )


def test_a_first_run_brings_every_record_as_it_is(company):
    run = company.run(company.catalog())
    assert run.code == 0, run.log
    held = {}
    for stream in OBJECTS:
        held[stream] = {str(row["RECORDNO"]): row for row in run.records(stream)}
    same(company, held)
    assert run.records("trial_balances")
    assert sorted(run.versions()) == sorted(r.stream for r in RESOURCES if r.replication_key is None)
    amount = run.schema("ap_bills")["schema"]["properties"]["TOTALENTERED"]
    assert (amount["x-precision"], amount["x-scale"]) == (38, 10)
    assert run.schema("ap_bills")["key_properties"] == ["source_company", "RECORDNO"]


def test_batch_files_hold_what_records_would(company, tmp_path):
    catalog = company.catalog("vendors", "ap_bill_lines", "trial_balances")
    plain = company.run(catalog)
    storage = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{tmp_path}"},
    }
    batched = company.run(catalog, batch_config={**storage, "batch_size": 30})
    assert batched.code == 0, batched.log
    assert not [message for message in batched.messages if message["type"] == "RECORD"]
    for stream in ("vendors", "ap_bill_lines", "trial_balances"):
        files = [
            name
            for message in batched.messages
            if message["type"] == "BATCH" and message["stream"] == stream
            for name in message["manifest"]
        ]
        rows = [
            json.loads(line, parse_float=Decimal)
            for name in files
            for line in gzip.open(name.removeprefix("file://"), "rt")
        ]
        assert rows == plain.records(stream)
    assert batched.state == plain.state


def test_secrets_are_nowhere_in_what_is_written(company):
    run = company.run(company.catalog("vendors"))
    assert {message.get("stream") for message in run.messages if message["type"] == "RECORD"} == {"vendors"}
    assert "TAXID" not in run.records("vendors")[0]
    everything = run.log + json.dumps(run.messages, default=str)
    assert "WEBPASS" not in everything
    assert "SENDERPASS" not in everything


def test_the_second_run_moves_only_what_changed_and_what_is_gone(own_company, warehouse):
    catalog = own_company.catalog()
    first = own_company.run(catalog)
    own_company.requests()
    quiet = own_company.run(catalog, first.state)
    assert quiet.code == 0, quiet.log
    held = sum(len(first.records(stream)) for stream in OBJECTS)
    # what bears the very stamp of the bookmark comes again, and what has no stamp at all
    assert sum(len(quiet.records(stream)) for stream in OBJECTS) < held / 10
    assert not any(quiet.deleted(stream) for stream in OBJECTS)
    runs, gone, whole = [first, quiet], set(), set()
    for _ in range(6):
        before = {stream: set(stored(own_company, name)) for stream, name in OBJECTS.items()}
        own_company.advance(3)
        run = own_company.run(catalog, runs[-1].state)
        assert run.code == 0, run.log
        runs.append(run)
        for stream, name in OBJECTS.items():
            lost = before[stream] - set(stored(own_company, name))
            if lost and stream not in {r.stream for r in RESOURCES if r.replication_key is None}:
                gone.add(stream)
                told = {str(row["RECORDNO"]) for row in run.deleted(stream)}
                if stream in run.versions():  # the audit trail named one otherwise: all were read
                    whole.add(stream)
                    told |= before[stream] - {str(row["RECORDNO"]) for row in run.records(stream)}
                assert lost <= told, stream
                assert not told & set(stored(own_company, name)), stream
    assert {"gl_batches", "gl_entries"} <= gone
    assert "contacts" in whole
    same(own_company, warehouse(*runs))


def test_calls_are_few(own_company):
    """Each is billed: of a first run a call an object, of a second one two or three for each with changes."""
    catalog = own_company.catalog()
    own_company.requests()
    first = own_company.run(catalog)
    asked = own_company.requests()
    # GLDETAIL goes in eleven slices, the trial balance in a call a month, all else in one; the user's
    # preferences are asked for once
    months = len({row["END_DATE"] for row in first.records("trial_balances")})
    assert sum(len(request["functions"]) for request in asked) == len(RESOURCES) + 10 + 1 + months + 1 + 1
    assert len(asked) < 40
    own_company.run(catalog, first.state)
    again = own_company.requests()
    assert sum(len(request["functions"]) for request in again) <= len(RESOURCES) + 1 + months + 1 + 1 + 12
    assert len(again) <= 20, "questions are asked together"
    assert sum(name == "AUDITHISTORY" for request in again for name in request["objects"]) == 1


def test_entities_have_sessions_partitions_and_bookmarks_of_their_own(company):
    run = company.run(company.catalog("ap_bills", "vendors"), entity_ids=["E100", "E200"])
    assert run.code == 0, run.log
    partitions = run.state["bookmarks"]["ap_bills"]["partitions"]
    assert [p["context"] for p in partitions] == [
        {"source_company": "SAMINC", "source_entity": entity} for entity in ("E100", "E200")
    ]
    bills = stored(company, "APBILL")
    for entity in ("E100", "E200"):
        mine = {str(row["RECORDNO"]) for row in run.records("ap_bills") if row["source_entity"] == entity}
        assert mine == {number for number, bill in bills.items() if bill["MEGAENTITYID"] == entity}
    refused = company.run(company.catalog("vendors"), entity_ids=["NOWHERE"])
    assert refused.code == 1
    assert "entity_ids" in refused.log
    assert "Traceback" not in refused.log


def test_an_interrupted_run_goes_on_where_it_was(own_company, warehouse):
    catalog = own_company.catalog("gl_entries", "gl_detail")
    whole = own_company.run(catalog)
    own_company.restart("--latency", "150")
    arguments = own_company.command("--catalog", catalog, page_size=20)
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(7)
    process.send_signal(signal.SIGTERM)
    out, log = process.communicate(timeout=30)
    cut = type(whole)(
        process.returncode,
        log.decode(),
        [json.loads(line, parse_float=Decimal) for line in out.splitlines()],
    )
    assert cut.code == 128 + signal.SIGTERM
    assert "Ended by SIGTERM" in cut.log
    assert 0 < len(cut.records("gl_entries")) + len(cut.records("gl_detail"))
    state = cut.state
    assert any("progress" in p for s in state["bookmarks"].values() for p in s["partitions"])
    own_company.restart()
    rest = own_company.run(catalog, state)
    assert rest.code == 0, rest.log
    counted = len(rest.records("gl_entries")) + len(rest.records("gl_detail"))
    assert counted < len(whole.records("gl_entries")) + len(whole.records("gl_detail"))
    held, all_of_it = warehouse(cut, rest), warehouse(whole)
    assert held == all_of_it


@pytest.mark.parametrize(
    "trouble",
    [
        ("--session-requests", "3"),
        ("--fault", "session-loss:0.2"),
        ("--fault", "error-in-200:0.05", "--fault", "truncated:0.05", "--session-requests", "50"),
        ("--fault", "429:0.05", "--fault", "503:0.05", "--fault", "html:0.05"),
        ("--fault", "off-line:0.05", "--fault", "try-again:0.05", "--fault", "busy:0.05"),
    ],
)
def test_trouble_changes_nothing(own_company, warehouse, trouble):
    catalog = own_company.catalog("vendors", "ap_bills", "ap_bill_lines", "gl_accounts", "gl_batches")
    quiet = own_company.run(catalog, page_size=15)
    own_company.restart(*trouble)
    troubled = own_company.run(catalog, page_size=15)
    assert troubled.code == 0, troubled.log
    assert warehouse(troubled) == warehouse(quiet)
    for stream in ("vendors", "ap_bills", "ap_bill_lines"):
        numbers = [row["RECORDNO"] for row in troubled.records(stream)]
        assert len(numbers) == len(set(numbers)), "a page was written twice"


def test_an_object_that_may_not_be_read_is_skipped_with_a_warning(own_company):
    own_company.restart("--forbid", "APBILL", "--forbid", "AUDITHISTORY")
    catalog = own_company.catalog("vendors", "ap_bills")
    run = own_company.run(catalog)
    assert run.code == 0
    assert "ap_bills skipped for SAMINC" in run.log
    assert "List and View rights" in run.log
    assert run.records("vendors")
    again = own_company.run(catalog, run.state)
    assert again.code == 0
    assert "deletes are not seen" in again.log


def test_custom_fields_are_found_typed_and_read(company):
    run = company.run(company.catalog("customers", "gl_detail"))
    properties = run.schema("customers")["schema"]["properties"]
    assert properties["CUST_RATE"]["type"] == ["number", "null"]
    assert properties["IS_PRIORITY"]["type"] == ["boolean", "null"]
    docs = stored(company, "CUSTOMER")
    for row in run.records("customers"):
        doc = docs[str(row["RECORDNO"])]
        assert row["REGION_CODE"] == doc["REGION_CODE"]
        assert row["CUST_RATE"] == (None if doc["CUST_RATE"] is None else Decimal(doc["CUST_RATE"]))
        assert row["IS_PRIORITY"] is doc["IS_PRIORITY"]
    assert all(row["GLDIMPROGRAM"] for row in run.records("gl_detail"))
    offline = company.run(company.catalog("customers", discover_custom_fields=False))
    assert "CUST_RATE" not in offline.schema("customers")["schema"]["properties"]
    extra = company.run(company.catalog("program", extra_objects=["PROGRAM"]), extra_objects=["PROGRAM"])
    assert [row["NAME"] for row in extra.records("program")] == ["Retail", "Wholesale", "Service"]
    legacy = ["APBILLITEM:readByQuery"]
    by_query = company.run(
        company.catalog("apbillitem", extra_objects=legacy), extra_objects=legacy, page_size=40
    )
    assert by_query.code == 0, by_query.log
    numbers = [str(row["RECORDNO"]) for row in by_query.records("apbillitem")]
    assert sorted(numbers) == sorted(stored(company, "APBILLITEM"))
    assert by_query.versions() == ["apbillitem"]


def test_a_field_that_the_company_does_not_have_is_left_out_with_a_warning(company):
    catalog = company.catalog("vendors", discover_custom_fields=False)
    found = json.loads(catalog.read_text())
    (vendors,) = (s for s in found["streams"] if s["tap_stream_id"] == "vendors")
    vendors["schema"]["properties"]["NOT_HERE"] = {"type": ["string", "null"]}
    vendors["metadata"].append({"breadcrumb": ["properties", "NOT_HERE"], "metadata": {"selected": True}})
    catalog.write_text(json.dumps(found))
    run = company.run(catalog)
    assert run.code == 0, run.log
    assert "NOT_HERE" in run.log
    assert len(run.records("vendors")) == len(stored(company, "VENDOR"))


def test_control_totals_are_those_of_the_rows(company):
    catalog = company.catalog("ap_bills", "gl_detail", "vendors")
    done = subprocess.run(
        company.command("--catalog", catalog, "--control-totals"), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    totals = json.loads(done.stdout)
    assert totals["source"] == "sageintacct"
    assert totals["periods"]["ap_bills"] == {"fiscal": [], "dates": ["WHENCREATED"]}
    run = company.run(catalog)
    for stream, day, amount in (
        ("ap_bills", "WHENCREATED", "TOTALENTERED"),
        ("gl_detail", "ENTRY_DATE", "DEBITAMOUNT"),
    ):
        expected = {}
        for row in run.records(stream):
            count, total = expected.get(row[day][:7], (0, Decimal(0)))
            expected[row[day][:7]] = (count + 1, total + (row[amount] or 0))
        found = {
            each["period"]: (each["count"], Decimal(each["measures"][amount]))
            for each in totals["totals"]
            if each["stream"] == stream
        }
        assert found == expected
    entities = [each for each in totals["by_entity"] if each["stream"] == "ap_bills"]
    assert {each["source_entity"] for each in entities} == {"E100", "E200"}
    assert sum(each["count"] for each in entities) == len(run.records("ap_bills"))


def test_the_test_says_what_may_be_read(own_company):
    own_company.restart("--forbid", "APBILL", "--forbid", "AUDITHISTORY")
    done = subprocess.run(own_company.command("--test"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "ok    SAMINC: sender and user accepted."
    (bills,) = [line for line in lines if "APBILL of" in line]
    assert bills.startswith("skip  ")
    assert bills.endswith("Its stream is skipped.")
    (trail,) = [line for line in lines if "AUDITHISTORY" in line]
    assert trail.startswith("skip  ")
    assert "Deletes are not seen" in trail
    assert not [line for line in lines if line.startswith("ok") and "permission" in line]
    assert lines[1].endswith("GMT offset +00:00; timezone is UTC.")
    assert len(lines) == len(RESOURCES) + 3, "the audit trail is tried, too"
    wrong = subprocess.run(
        own_company.command("--test", user_password="WRONG"), capture_output=True, text=True, timeout=60
    )
    assert wrong.returncode == 1
    assert "FAIL" in wrong.stdout
    assert "user_password" in wrong.stdout
    assert "Traceback" not in wrong.stderr


def test_wrong_credentials_are_one_sentence(company):
    for setting, remedy in (("user_password", "Web Services user"), ("sender_password", "sender_id")):
        run = company.run(company.catalog("vendors"), **{setting: "not-the-right-one"})
        assert run.code == 1
        assert remedy in run.log
        assert "Traceback" not in run.log
        assert "not-the-right-one" not in run.log
