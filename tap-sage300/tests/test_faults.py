"""What servers of users have done to the tap, and what has to come of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from tap_sage300.streams import RESOURCES

DAY = "{}T00:00:00Z"


def days_ago(days):
    return DAY.format((datetime.now(timezone.utc) - timedelta(days=days)).date().isoformat())


def a_vendor(number, edited=400, **more):
    return {
        "VendorNumber": number,
        "VendorName": f"Vendor {number}",
        "DateLastMaintained": days_ago(edited),
        **more,
    }


def held(*runs, stream):
    """What a warehouse holds after some runs."""
    rows = {}
    for out in runs:
        key = out.of("SCHEMA", stream)[0]["key_properties"]
        for row in out.records(stream):
            name = tuple(row[each] for each in key)
            if row.get("_sdc_deleted_at"):
                rows.pop(name, None)
            else:
                rows[name] = row
    return rows


# --- nothing is lost


def test_a_change_between_interruption_and_resumption_comes_with_the_run_after(erp):
    erp.fake.page_size = 5
    vendors = [a_vendor(f"V{n:02}") for n in range(20)]
    erp.fake.add("SAMINC", "APVendors", *vendors)
    broken = erp.broken_run("vendors", after=2)
    # the read was interrupted three days ago
    state = broken.state
    for partition in state["bookmarks"]["vendors"]["partitions"]:
        partition["progress"]["begun"] = days_ago(3)
    vendors[1].update(VendorName="New name", DateLastMaintained=days_ago(2))
    vendors[19]["DateLastMaintained"] = days_ago(0)
    resumed = erp.run("vendors", state=state)
    assert resumed.partition("vendors")["replication_key_value"] <= days_ago(3)[:10]
    after = erp.run("vendors", state=resumed.state)
    rows = held(broken, resumed, after, stream="vendors")
    assert rows["SAMINC", "V01"]["VendorName"] == "New name"


def test_a_read_that_takes_days_does_not_pass_the_day_on_which_it_began(erp):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1", -2), a_vendor("2", 3))
    out = erp.run("vendors")
    assert out.partition("vendors")["replication_key_value"] <= days_ago(0)[:10]


@pytest.mark.parametrize(
    ("stream", "document"),
    [
        ("order_lines", ["source_company", "OrderUniquifier"]),
        ("purchase_order_lines", ["source_company", "PurchaseOrderSequenceKey"]),
        ("ap_terms_payment_schedules", ["source_company", "TermsCode"]),
        ("gl_journal_lines", ["source_company", "BatchNumber"]),
        ("ap_payment_lines", ["source_company", "BatchSelector", "BatchNumber"]),
    ],
)
def test_lines_say_which_document_they_belong_to_whole(erp, stream, document):
    assert erp.run(stream).of("SCHEMA", stream)[0]["schema"]["x-document-key"] == document


def test_every_line_stream_names_its_document(erp):
    lines = [line.stream for each in RESOURCES for line in each.lines]
    out = erp.run(*lines)
    assert [name for name in lines if "x-document-key" not in out.of("SCHEMA", name)[0]["schema"]] == []


def test_a_line_removed_from_an_order_that_is_read_again_is_told_as_deleted(erp):
    order = {
        "OrderUniquifier": 7,
        "LastPostingDate": days_ago(1),
        "OrderDetails": [{"OrderUniquifier": 7, "LineNumber": n, "QuantityOrdered": 8} for n in (1, 2, 3)],
    }
    erp.fake.add("SAMINC", "OEOrders", order)
    first = erp.run("order_lines")
    del order["OrderDetails"][1]
    second = erp.run("order_lines", state=first.state)
    assert [key[2] for key in held(first, second, stream="order_lines")] == [1, 3]


def a_payment(number, day, **more):
    return {
        "BankCode": "CCB", "VendorNumber": "1", "CheckNumber": number, "CheckSerialNumber": 0,
        "CheckDate": days_ago(day), "BatchDate": days_ago(day), "PostingDate": days_ago(day),
        "DateCleared": None, "DateReversed": None, "PostingSequenceNumber": 5, **more,
    }  # fmt: skip


def test_a_payment_that_is_dated_back_within_the_period_is_found(erp):
    erp.fake.add("SAMINC", "APPostedPayments", a_payment("1", 0))
    first = erp.run("ap_posted_payments")
    erp.fake.add("SAMINC", "APPostedPayments", a_payment("2", 26, PostingSequenceNumber=4))
    second = erp.run("ap_posted_payments", state=first.state)
    assert "2" in [row["CheckNumber"] for row in second.records("ap_posted_payments")]


def test_a_cheque_cleared_by_a_statement_dated_before_the_last_one_is_found(erp):
    old = a_payment("1", 300)
    erp.fake.add("SAMINC", "APPostedPayments", old, a_payment("2", 200, DateCleared=days_ago(1)))
    first = erp.run("ap_posted_payments")
    old["DateCleared"] = days_ago(20)
    second = erp.run("ap_posted_payments", state=first.state)
    assert "1" in [row["CheckNumber"] for row in second.records("ap_posted_payments")]


def test_a_document_with_an_old_activity_date_is_found_by_its_posting(erp):
    def document(number, activity, posted):
        return {
            "VendorNumber": "1", "DocumentNumber": number, "LastActivityDate": days_ago(activity),
            "PostingDate": days_ago(posted), "BatchDate": days_ago(posted), "PostingSequenceNumber": 1,
        }  # fmt: skip

    erp.fake.add("SAMINC", "APPostedDocuments", document("A", 1, 1))
    first = erp.run("ap_posted_documents")
    erp.fake.add("SAMINC", "APPostedDocuments", document("B", 300, 0))
    second = erp.run("ap_posted_documents", state=first.state)
    assert "B" in [row["DocumentNumber"] for row in second.records("ap_posted_documents")]


def test_posting_sequences_are_kept_by_type_of_batch(erp):
    def document(number, kind, sequence):
        return {
            "CustomerNumber": "1", "DocumentNumber": number, "LastActivityDate": days_ago(400),
            "PostingDate": days_ago(400), "BatchType": kind, "PostingSequenceNumber": sequence,
        }  # fmt: skip

    erp.fake.add("SAMINC", "ARPostedDocuments", document("A", "Invoice", 90), document("B", "Receipt", 4))
    first = erp.run("ar_posted_documents")
    erp.fake.add("SAMINC", "ARPostedDocuments", document("P", "Receipt", 5))
    second = erp.run("ar_posted_documents", state=first.state)
    assert "P" in [row["DocumentNumber"] for row in second.records("ar_posted_documents")]


@pytest.mark.parametrize("order", [1, -1], ids=["by key", "counted"])
def test_a_record_deleted_while_pages_are_read_loses_no_other(erp, order):
    erp.fake.page_size = 3
    accounts = [{"UnformattedAccount": f"{n:02}"} for n in range(12)][::order]
    erp.fake.add("SAMINC", "GLAccounts", *accounts)
    living = erp.fake.documents["SAMINC", "GLAccounts"]

    def delete_the_first(name, _query):
        if name == "GLAccounts" and len(erp.fake.asked(name)) == 2:
            living.pop(0)

    erp.fake.before_answer = delete_the_first
    out = erp.run("gl_accounts")
    (version,) = out.of("ACTIVATE_VERSION")
    kept = {m["record"]["UnformattedAccount"] for m in out.of("RECORD") if m["version"] == version["version"]}
    assert {each["UnformattedAccount"] for each in living} <= kept


def test_a_new_record_without_a_date_comes_in_a_later_run(erp):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1"))
    first = erp.run("vendors")
    erp.fake.add("SAMINC", "APVendors", {**a_vendor("2"), "DateLastMaintained": None})
    second = erp.run("vendors", state=first.state)
    assert "2" in [row["VendorNumber"] for row in second.records("vendors")]


def test_numbers_as_text_and_blank_dates_are_numbers_and_nulls(erp):
    first = {"VendorNumber": "1", "DateLastMaintained": days_ago(5), "CreditLimit": "1234567890123456.100",
             "InactiveDate": "0001-01-01T00:00:00Z", "StartDate": "", "NextClientUniqueID": "17"}  # fmt: skip
    second = {"VendorNumber": "2", "DateLastMaintained": "0001-01-01T00:00:00Z"}
    erp.fake.add("SAMINC", "APVendors", first, second, {"VendorNumber": "3", "DateLastMaintained": ""})
    out = erp.run("vendors")
    row = out.records("vendors")[0]
    line = out.of("RECORD", "vendors")[0]["line"]
    assert '"CreditLimit":1234567890123456.100' in line
    assert '"NextClientUniqueID":17' in line
    assert (row["InactiveDate"], row["StartDate"]) == (None, None)
    assert out.partition("vendors")["replication_key_value"] == days_ago(5)[:10]
    again = erp.run("vendors", state=out.state)
    assert (
        out.partition("vendors")["replication_key_value"]
        == again.partition("vendors")["replication_key_value"]
    )


def test_a_null_among_details_is_no_line(erp):
    batch = {"BatchNumber": 1, "BatchStatus": "Posted", "DateLastEdited": days_ago(5), "Invoices": [
        None, {"BatchNumber": 1, "EntryNumber": 1, "InvoiceDetails": [
            {"BatchNumber": 1, "EntryNumber": 1, "LineNumber": 20}, None]}]}  # fmt: skip
    erp.fake.add("SAMINC", "APInvoiceBatches", batch)
    out = erp.run("ap_invoice_batches", "ap_invoice_lines")
    assert out.keys("ap_invoice_lines") == [("SAMINC", 1, 1, 20)]


def test_one_company_in_two_spellings_is_one(erp):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1"))
    erp.fake.add("saminc", "APVendors", a_vendor("1"))
    out = erp.run("vendors", companies=["SAMINC", "saminc", " SAMINC "])
    assert out.keys("vendors") == [("SAMINC", "1")]


# --- one fault does not starve the rest


@pytest.mark.parametrize("by_fields", [True, False], ids=["its key can be read", "nothing of it can"])
def test_a_document_that_breaks_its_page_is_passed_over_and_asked_for_again(erp, by_fields, caplog):
    erp.fake.page_size, erp.fake.breaks_by_fields = 8, by_fields
    erp.fake.add("SAMINC", "APVendors", *(a_vendor(f"V{n:02}") for n in range(1, 21)))
    erp.fake.add("SAMINC", "APTerms", {"TermsCode": "N30", "DateLastMaintained": days_ago(9)})
    erp.fake.broken.add("V11")
    out = erp.failing_run("vendors", "ap_terms")
    assert [row["VendorNumber"] for row in out.records("vendors")] == [
        f"V{n:02}" for n in range(1, 21) if n != 11
    ]
    assert out.records("ap_terms")
    assert "vendors" in caplog.text
    assert "Runtime Error" in caplog.text
    erp.fake.broken.clear()
    again = erp.run("vendors", state=out.state)
    assert "V11" in [row["VendorNumber"] for row in again.records("vendors")]


@pytest.mark.parametrize("status", [400, 401, 403, 409, 500])
def test_a_set_that_is_refused_fails_alone(erp, status):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1"))
    erp.fake.add("SAMINC", "CSCompanyProfile", {"OrgID": "SAMINC"})
    erp.fake.add("SAMINC", "APVendorGroups", {"GroupCode": "A", "DateLastMaintained": days_ago(9)})
    erp.fake.refused["APTerms"] = status
    out = erp.failing_run("ap_terms", "ap_vendor_groups", "vendors")
    assert out.records("ap_vendor_groups")
    assert out.records("vendors")


def test_a_module_whose_metadata_is_forbidden_is_left_out_of_the_catalog(erp):
    erp.fake.metadata["GL"] = 403
    tap = erp.tap("vendors", "gl_accounts", discover_custom_fields=True)
    assert "gl_accounts" not in tap.streams
    assert "vendors" in tap.streams


def test_a_module_whose_metadata_is_broken_is_taken_as_it_ships(erp, caplog):
    erp.fake.metadata["AP"] = b"<edmx:Edmx"
    tap = erp.tap("vendors", "ap_terms", discover_custom_fields=True)
    assert "VendorName" in tap.streams["vendors"].schema["properties"]
    assert len([r for r in caplog.records if "as it ships" in r.getMessage()]) == 1


def test_a_server_that_takes_no_filter_is_read_whole_and_not_tried_again(erp, caplog):
    erp.fake.add("SAMINC", "APVendors", a_vendor("1"))
    first = erp.run("vendors")
    plain = erp.fake.answer

    def without_filters(path, query):
        if "DateLastMaintained" in query.get("$filter", ""):
            erp.fake.requests.append((path.split("/")[-1], query))
            return 400, json.dumps(
                {"error": {"code": "InvalidParameters", "message": "Not allowed."}}
            ).encode()
        return plain(path, query)

    erp.fake.answer = without_filters
    second = erp.run("vendors", state=first.state)
    assert second.records("vendors")
    assert second.partition("vendors")["without"]
    asked = len(erp.fake.requests)
    third = erp.run("vendors", state=second.state)
    assert third.records("vendors")
    assert not any("DateLastMaintained" in query.get("$filter", "") for _, query in erp.fake.requests[asked:])


# --- states of version 0.1


def test_a_state_of_version_0_1_is_read_and_carried_over(erp):
    context = {"source_company": "SAMINC"}
    old = {"bookmarks": {
        "ap_invoice_batches": {"partitions": [{"context": context, "replication_key": "DateLastEdited",
            "replication_key_value": days_ago(10), "highest": 7, "open_keys": {"[5]": [[5]], "[6]": [[6]]}}]},
        "ap_invoice_lines": {"partitions": [{"context": context, "replication_key": "DateLastEdited",
            "replication_key_value": days_ago(10), "highest": 7,
            "open_keys": {"[5]": [[5, 1, 20], [5, 1, 40]], "[6]": [[6, 1, 20]]}}]},
        "ap_posted_payments": {"partitions": [{"context": context, "replication_key": "BatchDate",
            "replication_key_value": days_ago(10), "also_changed": {"DateCleared": days_ago(3)}}]},
        "vendors": {"partitions": [{"context": context, "progress":
            {"filter": "", "after": ["V05"], "stamps": {"DateLastMaintained": days_ago(1)}}}]},
    }}  # fmt: skip

    def batch(number, edited, status, *lines):
        return {"BatchNumber": number, "DateLastEdited": days_ago(edited), "BatchStatus": status, "Invoices": [
            {"BatchNumber": number, "EntryNumber": 1, "InvoiceDetails": [
                {"BatchNumber": number, "EntryNumber": 1, "LineNumber": line} for line in lines]}]}  # fmt: skip

    erp.fake.add("SAMINC", "APInvoiceBatches", batch(3, 90, "Posted", 20), batch(5, 40, "Open", 20),
                 batch(8, 90, "Open", 20))  # fmt: skip
    erp.fake.add(
        "SAMINC", "APPostedPayments", a_payment("1", 300), a_payment("2", 300, DateCleared=days_ago(30))
    )
    erp.fake.add("SAMINC", "APVendors", *(a_vendor(f"V{n:02}") for n in range(10)))
    out = erp.run("ap_invoice_batches", "ap_invoice_lines", "ap_posted_payments", "vendors", state=old)
    deleted = {k for k in out.keys("ap_invoice_lines")} - held(out, stream="ap_invoice_lines").keys()
    assert deleted == {("SAMINC", 5, 1, 40), ("SAMINC", 6, 1, 20)}
    assert held(out, stream="ap_invoice_batches").keys() == {("SAMINC", 5), ("SAMINC", 8)}
    assert [row["CheckNumber"] for row in out.records("ap_posted_payments")] == ["2"]
    assert len(out.records("vendors")) == 10
    kept = out.partition("ap_invoice_batches")
    assert kept["stamps"] == {"BatchNumber": 8}
    assert sorted(kept["open"]) == ["[5]", "[8]"]
    assert not {"open_keys", "highest", "also_changed"} & kept.keys()


# --- linear


def test_an_open_batch_with_many_lines_leaves_a_small_state(erp):
    lines = [{"BatchNumber": 1, "EntryNumber": 1, "LineNumber": 20 * n} for n in range(1, 3001)]
    batch = {"BatchNumber": 1, "BatchStatus": "Open", "DateLastEdited": days_ago(0),
             "Invoices": [{"BatchNumber": 1, "EntryNumber": 1, "InvoiceDetails": lines}]}  # fmt: skip
    erp.fake.add("SAMINC", "APInvoiceBatches", batch)
    first = erp.run("ap_invoice_lines")
    assert len(json.dumps(first.state)) < 2_000
    del lines[1500]
    second = erp.run("ap_invoice_lines", state=first.state)
    (gone,) = [row for row in second.records("ap_invoice_lines") if row.get("_sdc_deleted_at")]
    assert gone["LineNumber"] == 20 * 1501
