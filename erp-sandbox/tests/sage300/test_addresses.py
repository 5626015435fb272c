"""Checklist 1: routes, keys and what is not there."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "path",
    [
        "/Sage300WebApi/v1.0/-/SAMINC/AR/ARCustomers",
        "/sage300webapi/V1.0/-/saminc/ar/arcustomers",
        "/Sage300WebApi/v1.0/vertilux/SAMINC/AR/ARCustomers",
    ],
)
def test_addresses_match_whatever_their_case_and_tenant(api, path):
    answer = api.session.get(api.origin + path)
    assert answer.status_code == 200
    assert answer.json()["value"][0]["CustomerNumber"] == "C0001"
    assert answer.json()["@odata.context"].endswith("/SAMINC/AR/$metadata#ARCustomers")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("NOBODY/AR/ARCustomers", "ResourceNotFound"),
        ("SAMINC/ZZ/ZZThings", "ResourceNotFound"),
        ("SAMINC/AR/ARNothing", "ResourceNotFound"),
        ("SAMINC/AP/ARCustomers", "ResourceNotFound"),
        ("SAMINC/AR/ARCustomers('C0001')/CustomerName", "ResourceNotFound"),
        ("SAMINC", "ResourceNotFound"),
        ("SAMINC/AR/ARCustomers('NOBODY')", "RecordNotFound"),
    ],
)
def test_what_is_not_there_is_404_with_a_code(api, path, code):
    assert api.refusal("GET", path) == (404, code)


def test_another_version_is_not_there(api):
    assert api.session.get(f"{api.origin}/Sage300WebApi/v2.0/-/SAMINC/AR/ARCustomers").status_code == 404


def test_a_module_that_is_not_activated_is_404(start):
    api = start(unlicensed=["ar"])
    assert api.refusal("GET", "SAMINC/AR/ARCustomers") == (404, "ResourceNotFound")
    assert api.refusal("GET", "SAMINC/AR/$metadata") == (404, "ResourceNotFound")
    assert api.get("SAMINC/AP/APVendors").status_code == 200


@pytest.mark.parametrize(
    "key",
    ["('C0007')", "(C0007)", "(CustomerNumber='C0007')", "(CustomerNumber = 'C0007')", "( 'C0007' )"],
)
def test_one_customer_in_every_spelling_of_its_key(api, key):
    answer = api.get(f"SAMINC/AR/ARCustomers{key}")
    assert answer.status_code == 200
    record = answer.json()
    assert next(iter(record)) == "@odata.context"
    assert record["@odata.context"].endswith("#ARCustomers/$entity")
    assert record["CustomerName"] == "Customer 7"
    assert "value" not in record


@pytest.mark.parametrize("key", ["(65)", "(BatchNumber = 65)", "(BatchNumber=65)", "('65')"])
def test_one_batch_by_number(api, key):
    assert api.get(f"SAMINC/AR/ARInvoiceBatches{key}").json()["Description"] == "Batch 65"


@pytest.mark.parametrize(
    "key",
    [
        "(BatchRecordType = 'CA', BatchNumber = 65)",
        "(BatchNumber=65,BatchRecordType='CA')",
        "('CA',65)",
        "(CA, 65)",
    ],
)
def test_a_key_of_two_parts_by_name_or_in_metadata_order(api, key):
    assert api.get(f"SAMINC/AR/ARReceiptAndAdjustmentBatches{key}").json()["Description"] == "Cash"


def test_quotes_commas_and_slashes_in_keys(api):
    path = "SAMINC/AR/ARShipToLocations(CustomerNumber='C0001',ShipToLocationKey='WARE, O''1')"
    assert api.get(path).json()["Description"] == "Dock"
    assert api.get("SAMINC/AP/APVendors('A%2FB%201')").json()["VendorName"] == "Slash & Co"
    assert api.get("SAMINC/AP/APVendors('A/B 1')").json()["VendorName"] == "Slash & Co"


@pytest.mark.parametrize(
    "path",
    [
        "SAMINC/AR/ARCustomers()",
        "SAMINC/AR/ARCustomers('C0001','C0002')",
        "SAMINC/AR/ARCustomers(Number='C0001')",
        "SAMINC/AR/ARInvoiceBatches(abc)",
        "SAMINC/AR/ARReceiptAndAdjustmentBatches(65)",
        "SAMINC/AR/ARReceiptAndAdjustmentBatches('CA',BatchNumber=65)",
    ],
)
def test_a_key_that_does_not_fit_is_invalid(api, path):
    assert api.refusal("GET", path) == (400, "InvalidEntityKey")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "SAMINC/PO/POReceipts"),
        ("POST", "SAMINC/PO/POGetReceipts"),
        ("DELETE", "SAMINC/AR/ARInvoiceBatches(65)"),
        ("PUT", "SAMINC/AR/ARInvoiceBatches(65)"),
        ("GET", "SAMINC/AR/ARPostInvoices('$process')"),
        ("POST", "SAMINC/AR/$metadata"),
    ],
)
def test_a_verb_the_resource_does_not_have_is_405(api, method, path):
    assert api.refusal(method, path, body={} if method != "GET" else None) == (405, "MethodNotAllowed")


def test_the_companies_of_the_server(api):
    answer = api.get("Companies").json()
    assert [company["Id"] for company in answer["value"]] == ["SAMINC", "SAMLTD"]


def test_each_company_has_its_own_books(api):
    assert [row["CustomerName"] for row in api.values("SAMLTD/AR/ARCustomers")] == ["The only one"]


def test_the_landing_page_asks_for_no_credentials(api):
    answer = api.session.get(f"{api.origin}/Sage300WebApi", auth=("", ""))
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/html")
