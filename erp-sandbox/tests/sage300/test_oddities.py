"""What some servers always do: each oddity is seen by a client."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from erp_sandbox.cli import main
from erp_sandbox.oddities import Oddities
from erp_sandbox.sage300.oddities import ODDITIES

CUSTOMERS = "SAMINC/AR/ARCustomers"
BATCHES = "SAMINC/AR/ARInvoiceBatches"


def numbers(rows):
    return [row["CustomerNumber"] for row in rows]


def test_each_oddity_has_a_sentence_and_a_source():
    for name, oddity in ODDITIES.items():
        assert oddity.meaning, name
        assert oddity.source, name


def test_the_help_lists_them_and_an_unknown_one_is_refused_with_the_list():
    help_ = CliRunner().invoke(main, ["serve", "sage300", "--help"]).output
    refusal = CliRunner().invoke(main, ["serve", "sage300", "--path", "x", "--oddity", "moon"]).output
    assert "filter-refused" in help_
    assert "There is no oddity 'moon'" in refusal
    assert "filter-refused" in refusal


@pytest.mark.parametrize("text", ["moon", "company-down", "no-count=5", "date-literals"])
def test_an_oddity_that_cannot_be_had_is_explained(text):
    with pytest.raises(ValueError, match=r"oddity '\S+'"):
        Oddities(ODDITIES, [text])


def test_iis_refuses_a_long_query_string(start):
    api = start(oddities=["iis-limits"])
    answer = api.get(CUSTOMERS, filter="City eq '" + "x" * 2_100 + "'")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "text/html")
    assert "404.15" in answer.text
    assert api.get(CUSTOMERS, filter="City eq 'Boston'").status_code == 200
    assert start(oddities=["uri-too-long=300"]).get(CUSTOMERS, filter="x" * 300).status_code == 414


def test_a_record_is_deleted_while_somebody_pages(start):
    rows = start(oddities=["delete-while-paging=ARCustomers"], page_size=100).walk(CUSTOMERS)
    assert "C0101" not in numbers(rows)
    assert len(rows) == 249


def test_rows_descend(start):
    rows = start(oddities=["rows-descend"], page_size=100).walk(CUSTOMERS)
    assert numbers(rows) == [f"C{number:04d}" for number in range(250, 0, -1)]


def test_counts_and_links_are_odd(start):
    def page(*oddities, **options):
        return start(oddities=oddities, page_size=100).get(CUSTOMERS, **options).json()

    assert "@odata.count" not in page("no-count", count="true")
    assert page("count-of-page", count="true")["@odata.count"] == 100
    assert start(oddities=["count-refused"]).refusal("GET", f"{CUSTOMERS}?$count=true") == (
        400,
        "InvalidParameters",
    )
    assert "@odata.nextLink" not in page("no-links")
    assert "?" not in page("link-without-query")["@odata.nextLink"]
    assert page("circular-links", skip=100)["@odata.nextLink"].endswith("skip=0")


def test_numbers_and_dates_come_in_other_notations(start):
    text = start(oddities=["numbers-as-text", "blank-dates=0001-01-01"]).get(f"{CUSTOMERS}('C0001')").json()
    assert text["CreditLimitCustomerCurrency"] == "100.000"
    assert text["InactiveDate"] == "0001-01-01T00:00:00Z"
    empty = start(oddities=["blank-dates=empty"]).values(CUSTOMERS, top=1)[0]
    assert (empty["InactiveDate"], empty["CreditLimitCustomerCurrency"]) == ("", 100)


def test_one_broken_document_breaks_every_page_that_holds_it(start):
    api = start(oddities=["broken-document=ARCustomers:C0150"], page_size=100)
    assert api.get(CUSTOMERS).status_code == 200
    answer = api.get(CUSTOMERS, skip=100)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (500, "text/html")
    assert api.get(CUSTOMERS, skip=100, top=49).status_code == 200
    assert api.get(f"{CUSTOMERS}('C0150')").status_code == 500
    assert api.get(f"{CUSTOMERS}('C0151')").status_code == 200


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_one_set_is_refused_and_no_other(start, status):
    api = start(oddities=[f"refused-set=ARCustomers:{status}"])
    assert api.get(CUSTOMERS).status_code == status
    assert api.get(BATCHES).status_code == 200


def test_one_company_is_down(start):
    api = start(oddities=["company-down=SAMLTD"])
    assert api.get("SAMLTD/AR/ARCustomers").status_code == 500
    assert api.get(CUSTOMERS).status_code == 200


def test_one_module_s_metadata_is_forbidden_and_another_s_broken(start):
    api = start(oddities=["metadata-forbidden=GL", "metadata-broken=AP"])
    assert api.refusal("GET", "SAMINC/GL/$metadata") == (403, "Forbidden")
    assert not api.get("SAMINC/AP/$metadata").text.endswith("</edmx:Edmx>")
    assert api.get("SAMINC/AR/$metadata").text.endswith("</edmx:Edmx>")


@pytest.mark.parametrize(
    ("oddity", "options", "fine"),
    [
        ("filter-refused", {"filter": "City eq 'Boston'"}, {"top": 1}),
        ("filter-refused=ARCustomers", {"filter": "City eq 'Boston'"}, {"top": 1}),
        ("select-refused", {"select": "City"}, {"top": 1}),
        ("null-refused", {"filter": "DateLastMaintained eq null"}, {"filter": "City eq 'Boston'"}),
        ("text-order-refused", {"filter": "CustomerNumber gt 'C0001'"}, {"filter": "City eq 'Boston'"}),
        (
            "date-literals=v3",
            {"filter": "DateLastMaintained ge 2024-01-01T00:00:00Z"},
            {"filter": "DateLastMaintained ge datetime'2024-01-01T00:00:00'"},
        ),
        (
            "date-literals=plain",
            {"filter": "DateLastMaintained ge 2024-01-01T00:00:00Z"},
            {"filter": "DateLastMaintained ge 2024-01-01T00:00:00"},
        ),
        (
            "date-literals=day",
            {"filter": "DateLastMaintained ge 2024-01-01T00:00:00Z"},
            {"filter": "DateLastMaintained ge 2024-01-01"},
        ),
    ],
)
def test_a_query_is_refused_and_a_plainer_one_answered(start, oddity, options, fine):
    api = start(oddities=[oddity])
    refused = api.get(CUSTOMERS, **options)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidParameters")
    assert api.values(CUSTOMERS, **fine)


def test_large_pages_time_out(start):
    api = start(oddities=["page-timeout=50"], page_size=100)
    assert api.get(CUSTOMERS).status_code == 504
    assert api.get(CUSTOMERS, top=50).status_code == 200


def test_a_detail_is_null_and_a_batch_is_long(start):
    row = start(oddities=["null-detail"]).values(BATCHES, top=1)[0]
    assert row["Invoices"][1] is None
    rows = start(oddities=["long-batch=ARInvoiceBatches:65:1000"]).values(BATCHES)
    lines = [row["Invoices"][0]["InvoiceDetails"] for row in rows]
    assert sorted(len(each) for each in lines) == [2, 2, 2, 1000]
    assert len({line["LineNumber"] for line in max(lines, key=len)}) == 1000


def test_what_is_new_bears_dates_of_the_past_and_low_numbers(start, books):
    books.write("APPostedPayments", {"VendorNumber": "V1", "BatchDate": "2024-05-20"})
    api = start(oddities=["back-dated=26", "lower-sequence=5"])
    new = {"VendorNumber": "V2", "BatchDate": "2024-05-28", "PostingSequenceNumber": 9}
    books.write("APPostedPayments", new)
    rows = {row["VendorNumber"]: row for row in api.values("SAMINC/AP/APPostedPayments")}
    assert rows["V1"]["BatchDate"] == "2024-05-20T00:00:00Z"
    assert rows["V2"]["BatchDate"] == f"{date(2024, 5, 28) - timedelta(days=26)}T00:00:00Z"
    assert rows["V2"]["PostingSequenceNumber"] == 4
    asked = api.values("SAMINC/AP/APPostedPayments", filter="BatchDate ge 2024-05-19T00:00:00Z")
    assert [row["VendorNumber"] for row in asked] == ["V1"]


def test_answers_in_utf_16(start):
    answer = start(oddities=["utf-16"]).get(CUSTOMERS, top=1)
    assert json.loads(answer.content.decode("utf-16"))["value"]


def test_redirects_lead_elsewhere(start):
    answer = start(oddities=["redirect=307:http://127.0.0.1:9/"])
    found = answer.session.get(f"{answer.base}/{CUSTOMERS}?$top=1", allow_redirects=False, timeout=5)
    assert found.status_code == 307
    assert found.headers["Location"].endswith(f"/{CUSTOMERS}?$top=1")


def test_pages_instead_of_answers(start):
    for oddity, status, words in [
        ("login-page", 200, "Sign in"),
        ("everything-404", 404, "404"),
        ("cold-start=60", 503, "Service Unavailable"),
        ("cold-start=60:404", 404, "404"),
        ("echo-error", 500, "authorization: Basic"),
    ]:
        answer = start(oddities=[oddity]).get(CUSTOMERS)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, "text/html")
        assert words in answer.text
    assert start(oddities=["login-page=APVendors"]).get(CUSTOMERS).headers["content-type"] != "text/html"


def test_a_cold_start_is_over_after_its_seconds(start):
    api = start(oddities=["cold-start=0.2"])
    assert api.get(CUSTOMERS).status_code == 503
    time.sleep(0.25)
    assert api.get(CUSTOMERS).status_code == 200


def test_a_body_without_an_end_and_one_that_grows(start):
    for oddity, least in [("endless-body", 50_000_000), ("gzip-bomb", 500_000_000)]:
        api = start(oddities=[oddity])
        with api.session.get(f"{api.base}/{CUSTOMERS}", stream=True, timeout=10) as answer:
            read = 0
            for chunk in answer.iter_content(1 << 20):
                read += len(chunk)
                if read > least:
                    break
        assert read > least


def test_an_answer_drips(start):
    api = start(oddities=["slow-drip=0.01"])
    with api.session.get(f"{api.base}/{CUSTOMERS}", stream=True, timeout=5) as answer:
        chunks = answer.raw.read_chunked()
        assert [next(chunks) for _ in range(3)] == [b"{", b'"', b"@"]
