"""Requests of public Sage 300 clients, replayed, with the fields each client reads from the answers.

Sources, read at these commits:

* omniboost/go-sage300 @930dd08bd3eec0c9174fbc3fa672dc91b2226ebe (Go): ``client.go``, ``gl_accounts_get.go``,
  ``posted_transactions_get.go``, ``tax_rates_get.go``.
* lepepe/sage300_kit @300e68fd7d33b5ad5129366a25032272171543e4 (Ruby): ``lib/sage300_kit/client/**``.
* SageNADev/Sage300-SDK @59b8e522ab34e162db7a44cbe242fc463d12bb85:
  ``samples/WebAPI_Postman/Summit%20Demo.postman_collection.json``.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
import requests

GO_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Accept": "application/json",
    "User-Agent": "go-sage300/0.0.1",
}


class GoSage300:
    """``Client.NewRequest``, ``Client.Do`` and the requests' ``All``.

    The client sends Basic credentials every time, keeps no cookies, encodes its query as ``url.Values.Encode``
    does (``$select`` becomes ``%24select``, blanks become ``+``) and takes only ``$skip`` from a next link.
    """

    def __init__(self, base):
        self.base = base

    def do(self, path, **params):
        query = "&".join(
            f"{quote_plus('$' + name)}={quote_plus(str(params[name]))}" for name in sorted(params)
        )
        url = f"{self.base}/v1.0/-/SAMINC/{path}" + (f"?{query}" if query else "")
        answer = requests.get(url, headers=GO_HEADERS, auth=("WEBAPI", "WEBAPI"), timeout=30)
        if not 200 <= answer.status_code <= 299:
            # checkContentType: anything else is reported as "Expected Content-Type" instead of the error.
            kind = answer.headers["Content-Type"].split(";")[0]
            assert kind in {"application/vnd.oracle.resource+json", "text/plain"}
            error = answer.json()["error"]  # ErrorResponse2
            raise RuntimeError(f"{error['code']}: {error['message']['value']}")
        body = answer.json()
        assert set(body) <= {"@odata.context", "value", "@odata.nextLink"}  # DisallowUnknownFields
        return body

    def all(self, path, **params):
        body = self.do(path, **params)
        rows, requested = body["value"], 1
        while body.get("@odata.nextLink", ""):
            skip = int(parse_qs(urlsplit(body["@odata.nextLink"]).query)["$skip"][0])
            body = self.do(path, **{**params, "skip": skip})
            rows, requested = rows + body["value"], requested + 1
        return rows, requested


@pytest.fixture
def ledger(books):
    accounts = [
        {"UnformattedAccount": f"{number:06d}", "Description": f"Account {number}"} for number in range(240)
    ]
    books.write("GLAccounts", *accounts)
    books.write(
        "GLPostedTransactions",
        *(
            {
                "AccountNumber": "4000",
                "FiscalYear": "2024",
                "FiscalPeriod": f"{number % 12 + 1:02d}",
                "SourceCurrencyCode": "USD",
                "SourceLedgerCode": "GL",
                "SourceTypeCode": "JE",
                "PostingSequenceNumber": number,
                "DetailCount": 1,
            }
            for number in range(1, 121)
        ),
    )
    books.write("TXTaxGroups", {"TaxGroupKey": "CALIF", "Description": "California"})
    return books


def test_go_sage300_reads_all_accounts_page_by_page(ledger, start):
    go = GoSage300(start().origin + "/Sage300WebApi")
    rows, requested = go.all("GL/GLAccounts")
    assert (len(rows), requested) == (240, 3)
    assert len({row["UnformattedAccount"] for row in rows}) == 240
    # GLAccount's fields, by their json tags
    assert {"UnformattedAccount", "Description", "AccountType", "UpdateOperation"} <= set(rows[0])


def test_go_sage300_selects_and_filters(ledger, start):
    go = GoSage300(start().origin + "/Sage300WebApi")
    rows, _ = go.all(
        "GL/GLPostedTransactions",
        select="AccountNumber,PostingSequenceNumber",
        filter="PostingSequenceNumber gt 10 and FiscalYear eq '2024'",
    )
    assert sorted(row["PostingSequenceNumber"] for row in rows) == list(range(11, 121))
    assert set(rows[0]) == {"AccountNumber", "PostingSequenceNumber"}


def test_go_sage300_reads_tax_groups_in_the_service_it_knows(ledger, start):
    go = GoSage300(start().origin + "/Sage300WebApi")
    body = go.do("TX/TXTaxGroups")
    assert body["@odata.context"].endswith("/v1.0/-/SAMINC/TX/$metadata#TXTaxGroups")
    assert body["value"][0]["Description"] == "California"


def test_go_sage300_understands_the_errors(ledger, start):
    go = GoSage300(start().origin + "/Sage300WebApi")
    with pytest.raises(RuntimeError, match="^InvalidParameters: "):
        go.do("GL/GLAccounts", filter="Nothing eq 1")
    with pytest.raises(RuntimeError, match="^ResourceNotFound: "):
        go.do("GL/GLNothing")


@pytest.fixture
def sage300_kit(books, start):
    """HTTParty with ``base_uri ".../v1.0/vertilux"``: another tenant word, and one Authorization header."""
    books.write(
        "OEOrders",
        {"OrderUniquifier": 10021638, "OrderNumber": "ORD000000000073", "CustomerNumber": "C0001"},
        {"OrderUniquifier": 10021639, "OrderNumber": "ORD000000000074", "CustomerNumber": "C0002"},
    )
    books.write(
        "OEInvoices",
        {
            "InvoiceUniquifier": 10021700,
            "InvoiceNumber": "IN0001",
            "CustomerNumber": "C0001",
            "InvoiceAmountDue": 5,
        },
        {
            "InvoiceUniquifier": 10021701,
            "InvoiceNumber": "IN0002",
            "CustomerNumber": "C0001",
            "InvoiceAmountDue": 0,
        },
    )
    books.write("OECreditDebitNotes", {"CNUniquifier": 7, "CustomerNumber": "C0001"})
    api = start()
    headers = {"Authorization": "Basic V0VCQVBJOldFQkFQSQ==", "Content-Type": "application/json"}

    def get(path, **options):
        query = {f"${name}": value for name, value in options.items()}
        url = f"{api.origin}/Sage300WebApi/v1.0/vertilux/SAMINC{path}"
        return requests.get(url, params=query, headers=headers, timeout=120)

    return get


def test_sage300_kit_reads_orders_and_one_of_them(sage300_kit):
    orders = sage300_kit("/OE/OEOrders", skip=0, top=10).json()
    assert [order["OrderNumber"] for order in orders["value"]] == ["ORD000000000073", "ORD000000000074"]
    order = sage300_kit("/OE/OEOrders(10021638)").json()
    assert (order["OrderNumber"], order["CustomerNumber"]) == ("ORD000000000073", "C0001")


def test_sage300_kit_filters_invoices_and_selects_with_a_blank_after_the_comma(sage300_kit):
    found = sage300_kit("/OE/OEInvoices", filter="CustomerNumber eq 'C0001' and InvoiceAmountDue gt 0").json()
    assert [each["InvoiceNumber"] for each in found["value"]] == ["IN0001"]
    picked = sage300_kit("/OE/OEInvoices(10021700)", select="InvoiceNumber, BillTo").json()
    assert picked["InvoiceNumber"] == "IN0001"


@pytest.mark.parametrize(
    "name", ["OESalesHistory", "OESalesHistoryDetails", "OESalesStatistics", "OECreditDebitNotes"]
)
def test_sage300_kit_reads_the_other_resources(sage300_kit, name):
    answer = sage300_kit(f"/OE/{name}")
    assert answer.status_code == 200
    assert isinstance(answer.json()["value"], list)


def test_sage300_kits_purchase_orders_stand_in_the_wrong_module_and_are_not_found(sage300_kit):
    """The gem asks ``/OE/POPurchaseOrders``; its status table reads the body of no 404."""
    assert sage300_kit("/OE/POPurchaseOrders").status_code == 404


@pytest.fixture
def postman(books, start):
    """The Summit Demo collection: ADMIN on SAMLTD, a Content-Type on every request."""
    books.write(
        "ARCustomers",
        {
            "CustomerNumber": "1200",
            "CustomerName": "Mr. Ronald Black",
            "City": "San Francisco",
            "AccountType": "BalanceForward",
            "BalanceDueInCustomerCurrency": "112544.400",
            "DateOfLastInvoice": "2020-10-30",
        },
        company="SAMLTD",
    )
    api = start(user="ADMIN", password="ADMIN", allow_admin=True)

    def send(method, path, body=None):
        url = f"{api.origin}/Sage300WebApi/v1.0/-/SAMLTD/AR/{path}"
        headers = {"Content-Type": "application/json", "Authorization": "Basic QURNSU46QURNSU4="}
        return requests.request(method, url, json=body, headers=headers, timeout=30)

    return send


def test_postman_reads(postman):
    assert postman("GET", "ARCustomers?$count=true").json()["@odata.count"] == 2
    assert len(postman("GET", "ARCustomers?$skip=1&$top=2").json()["value"]) == 1
    assert len(postman("GET", "ARCustomers?$filter=City eq 'San Francisco'").json()["value"]) == 2
    wanted = (
        "ARCustomers?$count=true&$filter=BalanceDueInCustomerCurrency gt 1000.00"
        " and DateOfLastInvoice gt 2016-12-31T12:00:00Z and AccountType eq 'BalanceForward'"
    )
    found = postman("GET", wanted).json()
    assert (found["@odata.count"], found["value"][0]["CustomerNumber"]) == (1, "1200")
    assert postman("GET", "ARCustomers('1200')").json()["@odata.context"].endswith("#ARCustomers/$entity")
    assert b"ARInvoiceBatches" in postman("GET", "$metadata").content


def test_postman_writes(postman):
    customer = postman("GET", "ARCustomers('1200')").json() | {
        "CustomerNumber": "Z_POSTMAN",
        "ShortName": "Old Name",
    }
    assert postman("POST", "ARCustomers", customer).status_code == 201
    assert postman("PUT", "ARCustomers('Z_POSTMAN')", {"ShortName": "New Name"}).status_code == 204
    assert postman("GET", "ARCustomers('Z_POSTMAN')").json()["ShortName"] == "New Name"
    assert postman("DELETE", "ARCustomers('Z_POSTMAN')").status_code == 204
    refused = postman("PATCH", "ARCustomers('1200')", {"InvalidProperty": "Some Value"})
    assert refused.json()["error"]["code"] == "InvalidPayload"
    batch = {
        "BatchDate": "2020-06-20T00:00:00Z",
        "Description": "",
        "Invoices": [
            {
                "CustomerNumber": "1200",
                "DocumentType": "Invoice",
                "TransactionType": "InvoiceSummaryIssued",
                "DocumentDate": "2020-06-20T00:00:00Z",
                "AsOfDate": "2020-06-20T00:00:00Z",
                "DueDate": "2020-06-25T00:00:00Z",
                "InvoiceType": "Summary",
                "PostingDate": "2020-06-20T00:00:00Z",
                "InvoiceDetails": [
                    {"ItemNumber": "", "DistributionCode": "CACCSE", "ExtendedAmountWithTIP": 100}
                ],
            }
        ],
    }
    created = postman("POST", "ARInvoiceBatches", batch)
    assert (created.status_code, created.json()["BatchNumber"]) == (201, 1)
    run = {"ProcessReceiptBatch": "PostCashbatches", "ReceiptThroughPostingSequenceNumber": 999999}
    assert postman("POST", "ARCreateGLBatch('$process')", run).status_code == 204
