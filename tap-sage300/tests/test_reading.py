"""One read for all streams of a set, bookmarks that lose nothing, and reads that go on after an interruption."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
import threading

import pytest

DAY = "{}T00:00:00Z"


def a_vendor(number, edited="2026-03-01", **more):
    return {
        "VendorNumber": number,
        "VendorName": f"Vendor {number}",
        "DateLastMaintained": edited and DAY.format(edited),
        "DateOfLastActivity": None,
        **more,
    }


def an_invoice_batch(number, status="Posted", edited="2026-03-01", invoices=1, lines=2):
    return {
        "BatchNumber": number,
        "BatchDate": DAY.format(edited),
        "BatchStatus": status,
        "DateLastEdited": DAY.format(edited),
        "PostingSequenceNumber": 0,
        "Invoices": [
            {
                "BatchNumber": number,
                "EntryNumber": entry,
                "VendorNumber": "1200",
                "DocumentNumber": f"INV{number}-{entry}",
                "InvoiceDetails": [
                    {
                        "BatchNumber": number,
                        "EntryNumber": entry,
                        "LineNumber": 20 * line,
                        "GLAccount": "6000",
                    }
                    for line in range(1, lines + 1)
                ],
            }
            for entry in range(1, invoices + 1)
        ],
    }


def test_batches_invoices_and_lines_come_from_one_read(erp):
    erp.fake.add(
        "SAMINC", "APInvoiceBatches", *(an_invoice_batch(n, invoices=2, lines=3) for n in range(1, 251))
    )
    out = erp.run("ap_invoice_batches", "ap_invoices", "ap_invoice_lines")
    assert len(out.records("ap_invoice_batches")) == 250
    assert len(out.records("ap_invoices")) == 500
    assert len(out.records("ap_invoice_lines")) == 1500
    assert len(erp.fake.asked("APInvoiceBatches")) == 3  # pages, not lines


def test_lines_alone_are_read_once_and_ask_only_for_what_they_need(erp):
    erp.fake.add("SAMINC", "APInvoiceBatches", an_invoice_batch(1))
    out = erp.run("ap_invoice_lines")
    line = out.records("ap_invoice_lines")[0]
    assert out.keys("ap_invoice_lines") == [("SAMINC", 1, 1, 20), ("SAMINC", 1, 1, 40)]
    assert line["source_module"] == "AP"
    assert (line["VendorNumber"], line["DocumentNumber"], line["BatchStatus"]) == ("1200", "INV1-1", "Posted")
    ((_, query),) = [r for r in erp.fake.requests if r[0] == "APInvoiceBatches"]
    assert "Invoices" in query["$select"].split(",")
    assert "OperatorEntryCount" not in query["$select"]
    assert not out.of("RECORD", "ap_invoice_batches")


def test_amounts_keep_every_digit_and_days_are_dates(erp):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1200"))
    plain = erp.fake.answer

    def with_an_exact_amount(path, query):
        status, body = plain(path, query)
        return status, body.replace(b'"VendorName"', b'"CreditLimit": 1234567890123456.100, "VendorName"')

    erp.fake.answer = with_an_exact_amount
    line = erp.run("vendors").of("RECORD", "vendors")[0]["line"]
    assert '"CreditLimit":1234567890123456.100' in line
    assert '"DateLastMaintained":"2026-03-01"' in line


def test_the_second_run_asks_from_the_bookmark_less_a_day(erp):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1", "2026-02-01"), a_vendor("2", "2026-03-05"))
    first = erp.run("vendors")
    assert first.partition("vendors")["replication_key_value"] == "2026-03-05"
    erp.fake.documents["SAMINC", "APVendors"].append(a_vendor("3", "2026-03-05"))
    second = erp.run("vendors", state=first.state)
    assert [r["VendorNumber"] for r in second.records("vendors")] == ["2", "3"]
    assert "DateLastMaintained ge 2026-03-04T00:00:00Z" in str(erp.fake.asked("APVendors")[1:])


def test_a_vendor_whose_balance_moved_is_found_by_its_activity(erp):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1", "2026-01-01"), a_vendor("2", "2026-03-05"))
    first = erp.run("vendors")
    erp.fake.documents["SAMINC", "APVendors"][0]["DateOfLastActivity"] = DAY.format("2026-03-06")
    second = erp.run("vendors", state=first.state)
    assert "1" in [r["VendorNumber"] for r in second.records("vendors")]


def test_a_date_in_the_future_does_not_hide_what_happens_until_then(erp):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1", "2999-12-31"))
    bookmark = erp.run("vendors").partition("vendors")["replication_key_value"]
    assert bookmark < "2900"


def test_start_date_is_the_first_bookmark_and_blanks_come_along(erp):
    erp.fake.add(
        "SAMINC",
        "APVendors",
        a_vendor("1", "2020-01-01"),
        a_vendor("2", "2026-03-05"),
        a_vendor("3", edited=None),
    )
    out = erp.run("vendors", start_date="2026-01-01")
    assert [r["VendorNumber"] for r in out.records("vendors")] == ["2", "3"]


def test_a_server_that_knows_no_null_is_asked_without_it(erp):
    erp.fake.refuses_null = True
    erp.fake.add("SAMINC", "APVendors", a_vendor("1", "2020-01-01"), a_vendor("2", "2026-03-05"))
    out = erp.run("vendors", start_date="2026-01-01")
    assert [r["VendorNumber"] for r in out.records("vendors")] == ["2"]


def test_an_open_batch_is_read_again_until_it_is_posted(erp):
    batches = [an_invoice_batch(1, "Open", "2026-01-01"), an_invoice_batch(2, "Posted", "2026-03-05")]
    erp.fake.add("SAMINC", "APInvoiceBatches", *batches)
    streams = ("ap_invoice_batches", "ap_invoice_lines")
    first = erp.run(*streams)
    assert first.partition("ap_invoice_batches")["open"] == ["[1]"]

    batches[0]["BatchStatus"] = "ReadyToPost"
    second = erp.run(*streams, state=first.state)
    assert erp.fake.asked("APInvoiceBatches")[-1] == "BatchNumber eq 1"
    assert {r["BatchStatus"] for r in second.records("ap_invoice_lines") if r["BatchNumber"] == 1} == {
        "ReadyToPost"
    }

    batches[0]["BatchStatus"] = "Posted"
    third = erp.run(*streams, state=second.state)
    assert "open" not in third.partition("ap_invoice_batches")
    fourth = erp.run(*streams, state=third.state)
    assert 1 not in [r["BatchNumber"] for r in fourth.records("ap_invoice_batches")]


def test_a_line_removed_from_an_open_batch_is_marked_as_deleted(erp):
    batch = an_invoice_batch(1, "Open", lines=2)
    erp.fake.add("SAMINC", "APInvoiceBatches", batch)
    first = erp.run("ap_invoice_lines")
    del batch["Invoices"][0]["InvoiceDetails"][1]
    second = erp.run("ap_invoice_lines", state=first.state)
    gone = [r for r in second.records("ap_invoice_lines") if r.get("_sdc_deleted_at")]
    assert [(r["source_company"], r["BatchNumber"], r["EntryNumber"], r["LineNumber"]) for r in gone] == [
        ("SAMINC", 1, 1, 40)
    ]


def test_an_open_batch_that_vanished_takes_its_rows_along(erp):
    erp.fake.add("SAMINC", "APInvoiceBatches", an_invoice_batch(1, "Open"), an_invoice_batch(2))
    streams = ("ap_invoice_batches", "ap_invoices", "ap_invoice_lines")
    first = erp.run(*streams)
    del erp.fake.documents["SAMINC", "APInvoiceBatches"][0]
    second = erp.run(*streams, state=first.state)
    for stream, rows in zip(streams, (1, 1, 2), strict=True):
        assert sum("_sdc_deleted_at" in r for r in second.records(stream)) == rows
        assert "open" not in second.partition(stream)


def test_a_record_entered_with_a_date_in_the_past_is_found_by_its_number(erp):
    def receipt(number, day):
        return {"SequenceNumber": number, "ReceiptNumber": f"R{number}", "PostingDate": DAY.format(day)}

    erp.fake.add("SAMINC", "ICReceipts", receipt(1, "2025-12-01"), receipt(2, "2026-03-20"))
    first = erp.run("ic_receipts")
    erp.fake.add("SAMINC", "ICReceipts", receipt(3, "2025-11-15"))
    second = erp.run("ic_receipts", state=first.state)
    assert [r["SequenceNumber"] for r in second.records("ic_receipts")] == [2, 3]


def test_the_posted_ledger_is_followed_by_its_posting_sequence(erp):
    def line(account, sequence):
        return {
            "AccountNumber": account,
            "FiscalYear": "2026",
            "FiscalPeriod": "03",
            "SourceCurrencyCode": "USD",
            "SourceLedgerCode": "GL",
            "SourceTypeCode": "JE",
            "PostingSequenceNumber": sequence,
            "DetailCount": 1,
        }

    erp.fake.add("SAMINC", "GLPostedTransactions", line("1000", 7), line("1000", 9), line("2000", 8))
    first = erp.run("gl_posted_transactions")
    assert first.partition("gl_posted_transactions")["replication_key_value"] == 9
    second = erp.run("gl_posted_transactions", state=first.state)
    assert erp.fake.asked("GLPostedTransactions")[-1] == "PostingSequenceNumber ge 9"
    assert len(second.records("gl_posted_transactions")) == 1


def accounts(count):
    return [{"UnformattedAccount": f"{n:04}", "Description": f"Account {n}"} for n in range(count)]


def test_a_full_read_is_followed_by_one_version_for_all_companies(erp):
    for company in ("SAMINC", "SAMLTD"):
        erp.fake.add(company, "GLAccounts", *accounts(3))
    out = erp.run("gl_accounts", companies=["SAMINC", "SAMLTD"])
    (activated,) = out.of("ACTIVATE_VERSION")
    assert {m["version"] for m in out.of("RECORD")} == {activated["version"]}
    assert [m["type"] for m in out.messages if m["type"] != "STATE"][-1] == "ACTIVATE_VERSION"


def test_companies_are_read_at_once_and_end_in_one_version(erp):
    both = threading.Barrier(2, timeout=10)
    erp.fake.before_answer = lambda name, _: both.wait() if name == "GLAccounts" else None
    for company in ("SAMINC", "SAMLTD"):
        erp.fake.add(company, "GLAccounts", *accounts(1))
    out = erp.run("gl_accounts", companies=["SAMINC", "SAMLTD"], concurrency=2)
    assert sorted(out.keys("gl_accounts")) == [("SAMINC", "0000"), ("SAMLTD", "0000")]
    kinds = [each["type"] for each in out.messages if each["type"] != "STATE"]
    assert kinds == ["SCHEMA", "RECORD", "RECORD", "ACTIVATE_VERSION"]
    (version,) = out.of("ACTIVATE_VERSION")
    assert version["x-partitions"] == [{"source_company": "SAMINC"}, {"source_company": "SAMLTD"}]


def test_an_interrupted_full_read_goes_on_by_key_under_the_same_version(erp):
    erp.fake.page_size = 10
    erp.fake.add("SAMINC", "GLAccounts", *accounts(45))
    broken = erp.broken_run("gl_accounts", after=2)
    assert not broken.of("ACTIVATE_VERSION")
    assert broken.partition("gl_accounts")["progress"]["after"] == {"key": ["0019"], "read": 20}

    out = erp.run("gl_accounts", state=broken.state)
    assert "UnformattedAccount gt '0019'" in erp.fake.asked("GLAccounts")[3:]
    assert out.keys("gl_accounts")[0] == ("SAMINC", "0020")
    assert len(broken.records("gl_accounts")) + len(out.records("gl_accounts")) == 45
    versions = {m["version"] for m in broken.of("RECORD") + out.of("RECORD")}
    assert versions == {out.of("ACTIVATE_VERSION")[0]["version"]}
    assert "progress" not in out.partition("gl_accounts")


def test_an_interrupted_incremental_read_goes_on_and_only_then_moves_its_bookmark(erp):
    erp.fake.page_size = 10
    stamped = [a_vendor(f"{n:03}", f"2026-03-{30 - n:02}") for n in range(25)]
    erp.fake.add("SAMINC", "APVendors", *stamped)
    broken = erp.broken_run("vendors", after=1)
    assert "replication_key_value" not in broken.partition("vendors")

    out = erp.run("vendors", state=broken.state)
    assert [r["VendorNumber"] for r in out.records("vendors")][0] == "010"
    # The greatest stamp was on the first page, which the second run did not read.
    assert out.partition("vendors")["replication_key_value"] == "2026-03-30"


def test_a_composite_key_goes_on_in_lexicographic_order(erp):
    erp.fake.page_size = 2
    codes = [{"SegmentNumber": s, "SegmentCode": c} for s in ("1", "2") for c in ("A", "B", "C")]
    erp.fake.add("SAMINC", "GLSegmentCodes", *codes)
    broken = erp.broken_run("gl_segment_codes", after=1)
    out = erp.run("gl_segment_codes", state=broken.state)
    assert "(SegmentNumber gt '1' or (SegmentNumber eq '1' and SegmentCode gt 'B'))" in erp.fake.asked(
        "GLSegmentCodes"
    )
    assert [r["SegmentNumber"] + r["SegmentCode"] for r in out.records("gl_segment_codes")] == [
        "1C",
        "2A",
        "2B",
        "2C",
    ]


def test_rows_that_do_not_ascend_are_counted_instead(erp):
    erp.fake.page_size = 2
    codes = [{"UnformattedAccount": name} for name in ("B", "A", "D", "C", "E")]
    erp.fake.add("SAMINC", "GLAccounts", *codes)
    broken = erp.broken_run("gl_accounts", after=2)
    out = erp.run("gl_accounts", state=broken.state)
    both = {r["UnformattedAccount"] for r in broken.records("gl_accounts") + out.records("gl_accounts")}
    assert both == {"A", "B", "C", "D", "E"}


def test_a_stream_selected_later_begins_at_its_own_beginning(erp):
    erp.fake.add("SAMINC", "APInvoiceBatches", an_invoice_batch(1, edited="2020-01-01"), an_invoice_batch(2))
    first = erp.run("ap_invoice_batches")
    second = erp.run("ap_invoice_batches", "ap_invoice_lines", state=first.state)
    assert {r["BatchNumber"] for r in second.records("ap_invoice_lines")} == {1, 2}


def test_a_module_that_is_not_activated_is_one_warning_and_the_rest_runs(erp, caplog):
    erp.fake.missing_modules.add("GL")
    erp.fake.add("SAMINC", "APVendors", a_vendor("1"))
    erp.fake.add("SAMINC", "CSCompanyProfile", {"OrgID": "SAMINC"})
    out = erp.run("gl_accounts", "vendors")
    (warning,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert all(word in warning for word in ("gl_accounts", "SAMINC", "GL"))
    assert len(out.records("vendors")) == 1
    assert not out.of("ACTIVATE_VERSION")


def test_older_servers_serve_receipts_under_their_old_name(erp):
    erp.fake.missing_sets.add("POGetReceipts")
    erp.fake.add(
        "SAMINC", "POReceipts", {"ReceiptSequenceKey": 5, "LastPostingDate": DAY.format("2026-03-01")}
    )
    erp.fake.add("SAMINC", "CSCompanyProfile", {"OrgID": "SAMINC"})
    assert erp.run("purchase_receipts").keys("purchase_receipts") == [("SAMINC", 5)]


def test_passwords_stay_in_the_erp_at_every_depth(erp):
    secret = {"ApprovingUsersPassword": "hunter2", "UpdateOperation": "Unspecified"}
    order = {
        "OrderUniquifier": 1,
        "LastPostingDate": DAY.format("2026-03-01"),
        "AuthorizingUserPassword": "hunter2",
        "OrderDetails": [
            {"OrderUniquifier": 1, "LineNumber": 1, **secret, "OrderDetailLotNumbers": [dict(secret)]}
        ],
        **secret,
    }
    erp.fake.add("SAMINC", "OEOrders", order)
    out = erp.run("orders", "order_lines")
    lines = [m["line"] for m in out.messages]
    assert len(out.records("order_lines")) == 1
    assert not [
        line for line in lines if "hunter2" in line or "Password" in line or "UpdateOperation" in line
    ]


def test_optional_fields_become_columns_where_the_settings_say_so(erp):
    fields = [{"OptionalField": "REGION", "Value": "  WEST "}, {"OptionalField": "DESCRIPTION", "Value": ""}]
    erp.fake.add("SAMINC", "APVendors", a_vendor("1", VendorOptionalFieldValues=fields))
    erp.fake.add("SAMINC", "GLAccounts", {"UnformattedAccount": "1", "AccountOptionalFields": fields})
    out = erp.run("vendors", "gl_accounts", flatten_optional_fields=["gl_*"])
    (account,) = out.records("gl_accounts")
    assert (account["REGION"], account["DESCRIPTION_optional"]) == ("WEST", None)
    assert "REGION" not in out.records("vendors")[0]
    described = out.of("SCHEMA", "gl_accounts")[-1]["schema"]["properties"]
    assert described["REGION"]["type"] == ["string", "null"]


def test_optional_fields_become_columns_of_batch_files_too(erp, tmp_path):
    fields = [{"OptionalField": "REGION", "Value": "  WEST "}]
    erp.fake.add("SAMINC", "APVendors", a_vendor("1", VendorOptionalFieldValues=fields))
    config = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": tmp_path.as_uri()}}
    out = erp.run("vendors", flatten_optional_fields=True, batch_config=config)
    assert [row["REGION"] for row in out.filed("vendors")] == ["WEST"]
    kinds = [(m["type"], m.get("stream")) for m in out.messages]
    assert "REGION" in out.of("SCHEMA", "vendors")[-1]["schema"]["properties"]
    assert kinds.index(("BATCH", "vendors")) > max(n for n, kind in enumerate(kinds) if kind[0] == "SCHEMA")


def test_batch_files_hold_the_rows_and_come_before_the_state(erp, tmp_path):
    erp.fake.add("SAMINC", "APInvoiceBatches", *(an_invoice_batch(n) for n in range(1, 4)))
    config = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{tmp_path}", "prefix": ""},
    }
    out = erp.run("ap_invoice_batches", "ap_invoice_lines", batch_config=config)
    assert not out.of("RECORD")
    assert len(out.filed("ap_invoice_batches")) == 3
    assert len(out.filed("ap_invoice_lines")) == 6
    kinds = [m["type"] for m in out.messages]
    assert max(i for i, kind in enumerate(kinds) if kind == "STATE") > kinds.index("BATCH")
    for place, message in enumerate(out.messages):
        if message["type"] == "STATE" and "replication_key_value" in json.dumps(message["value"]):
            assert "BATCH" in kinds[:place]


@pytest.mark.parametrize("settings", [{}, {"emit_activate_version_messages": False}])
def test_versions_can_be_switched_off(erp, settings):
    erp.fake.add("SAMINC", "GLAccounts", *accounts(1))
    assert bool(erp.run("gl_accounts", **settings).of("ACTIVATE_VERSION")) is not bool(settings)


EVERY_WEEK = {"full_refresh_every": {"ap_*": 30, "vend*": 7}}


def aged(state, stream, days):
    """A state whose last full read is so old."""
    for partition in state["bookmarks"][stream]["partitions"]:
        moment = datetime.now(timezone.utc) - timedelta(days=days)
        partition["full_read"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return state


def test_all_is_read_again_when_full_refresh_every_has_passed(erp):
    """What was deleted, and what changed without a stamp, comes to light: the version disowns the rest."""
    erp.fake.add("SAMINC", "APVendors", a_vendor("1", "2026-02-01"), a_vendor("2", "2026-03-05"))
    first = erp.run("vendors", **EVERY_WEEK)
    assert len(first.of("ACTIVATE_VERSION", "vendors")) == 1
    erp.fake.documents["SAMINC", "APVendors"][0]["VendorName"] = "Changed without a stamp"

    young = erp.run("vendors", state=aged(first.state, "vendors", 6), **EVERY_WEEK)
    assert [r["VendorNumber"] for r in young.records("vendors")] == ["2"]
    assert not young.of("ACTIVATE_VERSION", "vendors")

    due = erp.run("vendors", state=aged(young.state, "vendors", 8), **EVERY_WEEK)
    assert [r["VendorName"] for r in due.records("vendors")] == ["Changed without a stamp", "Vendor 2"]
    (activated,) = due.of("ACTIVATE_VERSION", "vendors")
    assert {message["version"] for message in due.of("RECORD", "vendors")} == {activated["version"]}

    after = erp.run("vendors", state=due.state, **EVERY_WEEK)
    assert [r["VendorNumber"] for r in after.records("vendors")] == ["2"]


def test_a_full_refresh_does_not_go_on_with_the_bounds_of_an_interrupted_read(erp):
    erp.fake.add("SAMINC", "APVendors", *(a_vendor(f"{n:04}", "2026-02-01") for n in range(250)))
    state = erp.run("vendors", page_size=100, **EVERY_WEEK).state
    for vendor in erp.fake.documents["SAMINC", "APVendors"][:240]:
        vendor["DateLastMaintained"] = DAY.format("2026-03-05")
    broken = erp.broken_run("vendors", state=state, after=2, page_size=100, **EVERY_WEEK)
    assert broken.partition("vendors")["progress"]
    due = erp.run("vendors", state=aged(broken.state, "vendors", 8), page_size=100, **EVERY_WEEK)
    assert len(due.records("vendors")) == 250
