"""What clients write: records created, patched, replaced, deleted; processes run."""

from __future__ import annotations

import pytest

SET = "SAMINC/AR/ARCustomers"
BATCHES = "SAMINC/AR/ARInvoiceBatches"


def test_a_posted_customer_comes_back_whole(api):
    answer = api.request("POST", SET, body={"CustomerNumber": "NEW", "CustomerName": "New & Co"})
    assert answer.status_code == 201
    record = answer.json()
    assert record["@odata.context"].endswith("#ARCustomers/$entity")
    assert record["CustomerName"] == "New & Co"
    assert record["Status"] == "Active"
    assert record["UpdateOperation"] == "Unspecified"
    assert record["DateLastMaintained"].endswith("T00:00:00Z")
    read = api.get(f"{SET}('NEW')").json()
    assert read == record


def test_a_batch_is_numbered_with_its_entries_and_lines(api):
    payload = {
        "BatchDate": "2024-06-20T00:00:00Z",
        "Invoices": [
            {
                "CustomerNumber": "C0002",
                "InvoiceDetails": [{"ExtendedAmountWithTIP": 100}, {"ExtendedAmountWithTIP": 1.005}],
            },
            {"CustomerNumber": "C0003"},
        ],
    }
    answer = api.request("POST", BATCHES, body=payload)
    batch = answer.json()
    assert (answer.status_code, batch["BatchNumber"]) == (201, 101)
    assert [invoice["EntryNumber"] for invoice in batch["Invoices"]] == [1, 2]
    lines = batch["Invoices"][0]["InvoiceDetails"]
    assert [(line["BatchNumber"], line["EntryNumber"]) for line in lines] == [(101, 1), (101, 1)]
    assert lines[0]["LineNumber"] != lines[1]["LineNumber"]
    assert '"ExtendedAmountWithTIP":1.005' in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "InvalidPayload"),
        ("[]", 400, "InvalidPayload"),
        ({"CustomerNumber": "X", "InvalidProperty": "x"}, 400, "InvalidPayload"),
        ({"CustomerNumber": 5}, 400, "InvalidPayload"),
        ({"CustomerNumber": "X", "CreditLimitCustomerCurrency": "much"}, 400, "InvalidPayload"),
        ({"CustomerNumber": "X", "StartDate": "yesterday"}, 400, "InvalidPayload"),
        ({"CustomerNumber": "X", "CreditLimitCustomerCurrency": 12345678901234567890}, 409, "FieldInvalid"),
        ({"CustomerName": "Nameless"}, 409, "RecordInvalid"),
        ({"CustomerNumber": "C0001"}, 409, "RecordDuplicate"),
    ],
)
def test_a_payload_the_business_refuses(api, body, status, code):
    assert api.refusal("POST", SET, body=body) == (status, code)


def test_an_invoice_for_an_unknown_customer_is_refused(api):
    body = {"Invoices": [{"CustomerNumber": "NOBODY"}]}
    assert api.refusal("POST", BATCHES, body=body) == (409, "RecordInvalid")
    assert len(api.values(BATCHES)) == 4


def test_patch_changes_what_it_names_and_stamps_the_day(api):
    before = api.get(f"{SET}('C0001')").json()
    answer = api.request("PATCH", f"{SET}('C0001')", body={"City": "Vancouver"})
    assert (answer.status_code, answer.content) == (204, b"")
    after = api.get(f"{SET}('C0001')").json()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"City", "DateLastMaintained"}


def test_patched_details_follow_their_update_operation(api):
    batch = api.get(f"{BATCHES}(65)").json()
    assert len(batch["Invoices"]) == 1
    entry = batch["Invoices"][0]["EntryNumber"]
    body = {
        "Invoices": [
            {"EntryNumber": entry, "InvoiceDescription": "Changed", "UpdateOperation": "Update"},
            {"CustomerNumber": "C0002", "UpdateOperation": "Insert"},
        ]
    }
    assert api.request("PATCH", f"{BATCHES}(65)", body=body).status_code == 204
    first, second = api.get(f"{BATCHES}(65)").json()["Invoices"]
    assert (first["InvoiceDescription"], first["CustomerNumber"]) == ("Changed", "C0001")
    assert len(first["InvoiceDetails"]) == 2
    assert second["CustomerNumber"] == "C0002"
    gone = {"Invoices": [{"EntryNumber": entry, "UpdateOperation": "Delete"}]}
    assert api.request("PATCH", f"{BATCHES}(65)", body=gone).status_code == 204
    assert [each["CustomerNumber"] for each in api.get(f"{BATCHES}(65)").json()["Invoices"]] == ["C0002"]
    assert api.refusal("PATCH", f"{BATCHES}(65)", body=gone) == (409, "RecordInvalid")


def test_put_keeps_the_header_and_purges_details_not_sent(api, books):
    option = {"OptionalField": "NOTE", "Value": "x"}
    books.write(
        "ARCustomers", {"CustomerNumber": "P", "CustomerName": "Put", "CustomerOptionalFieldValues": [option]}
    )
    assert len(api.get(f"{SET}('P')").json()["CustomerOptionalFieldValues"]) == 1
    assert api.request("PUT", f"{SET}('P')", body={"ShortName": "New Name"}).status_code == 204
    record = api.get(f"{SET}('P')").json()
    assert (record["CustomerName"], record["ShortName"]) == ("Put", "New Name")
    assert record["CustomerOptionalFieldValues"] == []


def test_a_key_is_never_changed(api):
    assert api.refusal("PATCH", f"{SET}('C0001')", body={"CustomerNumber": "Z"}) == (409, "RecordInvalid")


def test_delete_removes_the_record(api):
    assert api.request("DELETE", f"{SET}('C0001')").status_code == 204
    assert api.refusal("GET", f"{SET}('C0001')") == (404, "RecordNotFound")
    assert api.refusal("DELETE", f"{SET}('C0001')") == (404, "RecordNotFound")


def test_writes_without_a_key_are_malformed(api):
    assert api.refusal("DELETE", SET) == (400, "InvalidEntityKey")
    assert api.refusal("PATCH", SET, body={}) == (400, "InvalidEntityKey")


def test_a_receipt_is_posted_to_one_set_and_read_from_another(api):
    answer = api.request("POST", "SAMINC/PO/POReceipts", body={"Description": "Goods"})
    assert answer.status_code == 201
    (row,) = api.values("SAMINC/PO/POGetReceipts")
    assert row["Description"] == "Goods"


def test_posting_turns_ready_batches_into_posted_ones(api):
    answer = api.request("POST", "SAMINC/AR/ARPostInvoices('$process')", body={})
    assert (answer.status_code, answer.content) == (204, b"")
    states = {row["BatchNumber"]: row["BatchStatus"] for row in api.values(BATCHES)}
    assert states == {9: "Posted", 65: "Open", 66: "Posted", 100: "Open"}


def test_a_process_shows_its_template(api):
    answer = api.request("POST", "SAMINC/AR/ARPostInvoices('$template')")
    assert answer.status_code == 200
    assert "FromBatch" in answer.json()


def test_another_key_is_no_action(api):
    assert api.refusal("POST", "SAMINC/AR/ARPostInvoices('65')", body={}) == (400, "InvalidAction")
    assert api.refusal("POST", "SAMINC/AR/ARPostInvoices", body={}) == (400, "InvalidAction")
    assert api.refusal("POST", f"{SET}('C0001')", body={}) == (400, "InvalidAction")
