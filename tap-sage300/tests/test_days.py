"""A day of Sage 300 is a date: at every depth, in keys, in states of earlier versions, and never cut short."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from tap_sage300.values import day

DAY = "{}T00:00:00Z"


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("2026-01-31T00:00:00Z", "2026-01-31"),
        ("2026-01-31T00:00:00.000Z", "2026-01-31"),
        ("2026-01-31T00:00:00-05:00", "2026-01-31"),
        ("2026-01-31T00:00:00", "2026-01-31"),
        ("2026-01-31", "2026-01-31"),
        ("9999-12-31T00:00:00Z", "9999-12-31"),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00", None),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_a_midnight_is_its_day_and_a_blank_is_null(told, written):
    assert day(told) == written


@pytest.mark.parametrize("told", ["2026-01-31T13:45:00Z", "2026-01-31T00:00:00.001Z", "31.01.2026", 20260131])
def test_what_is_no_day_is_written_as_it_came(told):
    """The target keeps it as a dead letter with its reason; nothing is cut short."""
    assert day(told) == told


def a_vendor(**more):
    return {"VendorNumber": "1200", "DateLastMaintained": DAY.format("2026-03-01"), **more}


def test_a_record_holds_days(erp):
    fields = [
        {"OptionalField": "SINCE", "DateValue": DAY.format("2020-02-29"), "TimeValue": "1899-12-30T08:15:00Z"}
    ]
    erp.fake.add(
        "SAMINC",
        "APVendors",
        a_vendor(InactiveDate="0001-01-01T00:00:00Z", StartDate="", VendorOptionalFieldValues=fields),
    )
    out = erp.run("vendors")
    (vendor,) = out.records("vendors")
    assert vendor["DateLastMaintained"] == "2026-03-01"
    assert vendor["InactiveDate"] is None
    (value,) = vendor["VendorOptionalFieldValues"]
    assert (value["DateValue"], value["TimeValue"]) == ("2020-02-29", "1899-12-30T08:15:00Z")
    properties = out.of("SCHEMA", "vendors")[0]["schema"]["properties"]
    assert properties["DateLastMaintained"]["format"] == "date"
    assert out.partition("vendors")["replication_key_value"] == "2026-03-01"


def test_a_time_in_a_field_of_days_is_left_to_the_target(erp):
    erp.fake.add("SAMINC", "APVendors", a_vendor(DateOfLastActivity="2026-03-01T16:20:00Z"))
    (vendor,) = erp.run("vendors").records("vendors")
    assert vendor["DateOfLastActivity"] == "2026-03-01T16:20:00Z"


def test_a_catalog_that_says_moment_gets_the_moment(erp):
    """The way to load it whole, and what a catalog of an earlier version says."""
    erp.fake.add("SAMINC", "APVendors", a_vendor(DateOfLastActivity="2026-03-01T16:20:00Z"))
    catalog = erp.tap("vendors").catalog_dict
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "vendors":
            entry["schema"]["properties"]["DateOfLastActivity"]["format"] = "date-time"
    out = erp.run("vendors", catalog=catalog)
    (vendor,) = out.records("vendors")
    assert vendor["DateOfLastActivity"] == "2026-03-01T16:20:00Z"
    assert vendor["DateLastMaintained"] == "2026-03-01"
    assert (
        out.of("SCHEMA", "vendors")[0]["schema"]["properties"]["DateOfLastActivity"]["format"] == "date-time"
    )


def a_payment(number, batch_date, check_date="2026-03-02"):
    return {
        "BankCode": "BANK",
        "VendorNumber": "1200",
        "CheckNumber": number,
        "DocumentNumber": number,
        "BatchType": "PY",
        "BatchNumber": 1,
        "EntryNumber": 1,
        "CheckSerialNumber": 1,
        "CheckDate": DAY.format(check_date),
        "BatchDate": batch_date and DAY.format(batch_date),
    }


@pytest.mark.parametrize("spelled", ["2026-03-02", DAY.format("2026-03-02")])
def test_a_state_of_the_version_before_goes_on_and_deletes_nothing_that_lives(erp, spelled):
    """Its bookmarks hold midnights, and the keys of documents that may change midnights or days."""
    document = json.dumps(["BANK", "1200", "2", 1, DAY.format("2026-03-02")], separators=(",", ":"))
    old = {
        "context": {"source_company": "SAMINC"},
        "open_keys": {document: [["BANK", "1200", "2", 1, spelled]]},
        "replication_key": "BatchDate",
        "replication_key_value": DAY.format("2026-03-02"),
    }
    state = {"bookmarks": {"ap_posted_payments": {"partitions": [old]}}}
    erp.fake.add("SAMINC", "APPostedPayments", a_payment("1", "2026-03-02"), a_payment("2", None))
    second = erp.run("ap_posted_payments", state=deepcopy(state))
    assert [r["CheckNumber"] for r in second.records("ap_posted_payments")] == ["1", "2"]
    assert not [r for r in second.records("ap_posted_payments") if r.get("_sdc_deleted_at")]
    # 45 days before the bookmark: a payment may be posted so long after its batch
    assert "BatchDate ge 2026-01-16T00:00:00Z" in erp.fake.asked("APPostedPayments")[0]

    erp.fake.documents["SAMINC", "APPostedPayments"].pop()
    third = erp.run("ap_posted_payments", state=deepcopy(state))
    gone = [r for r in third.records("ap_posted_payments") if r.get("_sdc_deleted_at")]
    assert [(r["CheckNumber"], r["CheckDate"]) for r in gone] == [("2", "2026-03-02")]
