"""What some X3 servers always do: each oddity is seen by a client."""

from __future__ import annotations

import json

import pytest
import requests
from click.testing import CliRunner
from erp_sandbox.cli import main
from erp_sandbox.sagex3.oddities import ODDITIES

from .conftest import BASIC, Rows, stamps

TYPE = '{ __type(name: "%s") { fields { name description type { kind name } } enumValues { name } } }'


def fields(server, name):
    """The fields of a type, by name."""
    found = server.graphql(TYPE % name).json()["data"]["__type"]
    return {each["name"]: each for each in found["fields"]}


def labels(server, name):
    found = server.graphql(TYPE % name).json()["data"]["__type"]
    return [each["name"] for each in found["enumValues"]]


def opaque(answer):
    return answer.status_code == 500 and "json" not in answer.headers["content-type"]


def test_the_help_lists_them_and_an_unknown_one_is_refused_with_the_list():
    help_ = CliRunner().invoke(main, ["serve", "sagex3", "--help"]).output
    refusal = CliRunner().invoke(main, ["serve", "sagex3", "--path", "x", "--oddity", "moon"]).output
    for name, oddity in ODDITIES.items():
        assert oddity.meaning
        assert oddity.source
        assert name in help_
        assert name in refusal


def test_elements_describe_their_id_as_the_document_s_key(serve):
    with serve(oddities=["element-keys"]) as server:
        element = fields(server, "SupplierDimensions_node")
        assert element["id"]["description"] == "Id (BPSNUM)"
        (row,) = server.nodes(
            "MasterData",
            "supplier",
            "_id dimensions { query { edges { node { denormalizedIndex id dimension { _id } } } } }",
            filter="{_id:'V0001'}",
        )
        assert row["dimensions"]["query"]["edges"][0]["node"]["id"] == "V0001"


def test_indexed_fields_come_as_lists_over_both_apis(serve, tmp_path):
    path = tmp_path / "lists.db"
    rows = Rows(path)
    rows.add("SINVOICE", NUM="INV1", TAX="NOR", AMTTAX="20.00", **stamps())
    rows.add("SINVOICEV", NUM="INV1", TSCCOD="A", REP="R1", **stamps())
    rows.add("BPCUSTOMER", BPCNUM="C1", TSCCOD="A", INVDTAAMT="1.5", REP="R1", **stamps())
    with serve(path, oddities=["indexed-as-lists"]) as server:
        invoice = server.rest("BPCINV")["$resources"][0]
        assert (invoice["TAX"], invoice["AMTTAX"][:2]) == (["NOR"] + [""] * 9, [20.0, 0])
        customer = server.rest("BPCUSTOMER")["$resources"][0]
        assert (customer["TSCCOD"], customer["REP"]) == (["A", "", "", "", ""], ["R1", "", ""])
        (row,) = server.nodes("MasterData", "customer", "tsccod { query { edges { node { value } } } }")
        assert row["tsccod"]["query"]["edges"] == [{"node": {"value": "A"}}]
        described = server.get("/api1/x3/erp/SAMINC/$prototypes('BPCUSTOMER.$query')").json()
        assert described["$properties"]["REP"]["$type"] == "application/x-array"
    with serve(path) as server:
        assert server.rest("BPCUSTOMER")["$resources"][0]["REP"] == "R1"


def test_a_field_is_hidden(serve):
    with serve(oddities=["hidden=UPDDATTIM", "hidden=PORDERQ.POQSEQ"]) as server:
        row = server.rest("PORDERQ", representation="ZPORDERQ")["$resources"][0]
        assert not {"UPDDATTIM", "POQSEQ"} & row.keys()
        server.rest("BPSUPPLIER", where="UPDDATTIM ge @2026-01-01T00:00:00Z@", status=400)
        lines = server.nodes("Purchasing", "purchaseOrderLine", "_id lineNumber")
        assert len(lines) == 4
        assert "sequenceNumber" not in fields(server, "PurchaseOrderLine_node")


def test_a_part_of_a_key_hides_behind_a_reference(serve):
    with serve(oddities=["key-as-reference=PORDERQ.POQSEQ"]) as server:
        lines = server.nodes("Purchasing", "purchaseOrderLine", "sequenceNumber { _id code }")
        assert lines[0]["sequenceNumber"] == {"_id": "1", "code": "1"}
        assert fields(server, "PurchaseOrderLine_node")["sequenceNumber"]["description"].endswith("(POQSEQ)")


@pytest.mark.parametrize("option", [{"where": "NOPE eq 'x'"}, {"orderBy": "NOPE desc"}])
def test_an_unknown_property_gives_500_in_two_wordings(serve, option):
    options = {"representation": "BPSUPPLIER.$query", **option}
    with serve(oddities=["unknown-property-500"]) as server:
        assert opaque(server.get("/api1/x3/erp/SAMINC/BPSUPPLIER", **options))
    with serve(oddities=["unknown-property-500=told"]) as server:
        told = server.rest("BPSUPPLIER", status=500, **option)["$diagnoses"][0]["$message"]
        assert told == "Property NOPE does not exist"


def test_classes_and_nodes_are_missing_or_called_otherwise(serve):
    with serve(
        oddities=["class-missing=PORDER", "class-renamed=SINVOICE:SINVOICEV", "node-missing=supplier"]
    ) as server:
        server.rest("PORDER", status=404)
        server.rest("SINVOICE", status=404)
        assert server.rest("SINVOICEV")["$resources"] == []
        text = "{ x3MasterData { supplier { query { totalCount } } } }"
        assert server.graphql(text).status_code == 400
        assert server.nodes("Purchasing", "purchaseOrder", "id orderFromSupplier { _id }")


def test_large_pages_are_refused(serve):
    with serve(oddities=["page-limit=5"]) as server:
        server.rest("BPSUPPLIER", count=6, status=400)
        assert len(server.rest("BPSUPPLIER", count=5)["$resources"]) == 5
        text = "{ x3MasterData { supplier { query(first: %d) { totalCount } } } }"
        assert server.graphql(text % 6).json()["errors"]
        assert "errors" not in server.graphql(text % 5).json()


def test_descriptions_show_no_codes_or_other_ones(serve):
    for oddity, described in [
        ("no-codes", "Company name1"),
        ("codes-with-index", "Company name1 (BPSNAM_0)"),
    ]:
        with serve(oddities=[oddity]) as server:
            found = fields(server, "Supplier_node")["companyName1"]["description"]
            assert found.replace("name 1", "name1") == described


def test_enums_have_gaps_additions_and_substitutes(serve):
    modes = [
        "enum-gap=GeneralLedgerTypes.ledger4",
        "enum-extra=GeneralLedgerTypes.local",
        "enum-renamed=AccountingJournalStatus.final:substituteValue2",
    ]
    with serve(oddities=modes) as server:
        assert "ledger4" not in labels(server, "GeneralLedgerTypes")
        assert labels(server, "GeneralLedgerTypes")[-1] == "local"
        assert labels(server, "AccountingJournalStatus") == ["temporary", "substituteValue2"]
        rows = server.nodes("Finance", "journalEntry", "journalEntryStatus")
        assert {row["journalEntryStatus"] for row in rows} == {"temporary", "substituteValue2"}


def test_references_and_empty_dates_of_api1(serve):
    with serve(oddities=["references-as-objects", "empty-date=1753-01-01"]) as server:
        row = server.rest("GACCDUDATE")["$resources"][1]
        assert row["CUR"] == {"$key": "USD"}
        assert row["DUDDAT"] == "1753-01-01"
    with serve(oddities=["references-as-objects=BPR"]) as server:
        row = server.rest("GACCDUDATE")["$resources"][0]
        assert (row["BPR"], row["CUR"]) == ({"$key": "V0001"}, "USD")


def test_nested_pages_end_early(serve):
    with serve(oddities=["nested-limit=1"]) as server:
        page = "{ query { edges { node { _id } } pageInfo { hasNextPage endCursor } } }"
        entry = server.nodes("Finance", "journalEntry", f"journalEntryLines {page}")[0]
        assert len(entry["journalEntryLines"]["query"]["edges"]) == 1
        assert entry["journalEntryLines"]["query"]["pageInfo"]["hasNextPage"]
        supplier = server.nodes("MasterData", "supplier", f"dimensions {page}", filter="{_id:'V0001'}")[0]
        assert len(supplier["dimensions"]["query"]["edges"]) == 1


def test_what_describes_or_leads_on_is_missing(serve):
    with serve(oddities=["prototypes-500", "no-links"]) as server:
        assert opaque(server.get("/api1/x3/erp/SAMINC/$prototypes('BPSUPPLIER.$query')"))
        assert "$links" not in server.rest("BPSUPPLIER", count=2)


def test_a_key_has_a_pipe_wherever_it_stands(serve):
    with serve(oddities=["pipe-in-key=V0001"]) as server:
        assert "V00|01" in [row["BPSNUM"] for row in server.rest("BPSUPPLIER")["$resources"]]
        assert server.rest("BPSUPPLIER", key="V00|01")["BPSNAM"] == "Acme"
        orders = server.nodes("Purchasing", "purchaseOrder", "orderFromSupplier { _id companyName1 }")
        assert {"_id": "V00|01", "companyName1": "Acme"} in [each["orderFromSupplier"] for each in orders]


def test_introspection_is_forbidden_or_large(serve):
    with serve(oddities=["introspection-forbidden"]) as server:
        answer = server.graphql(TYPE % "Supplier_node")
        assert answer.status_code == 400
        assert "Introspection is not allowed" in answer.text
        assert server.nodes("MasterData", "supplier", "_id")
    with serve(oddities=["introspection-large=2"]) as server:
        text = "{ __schema { types { enumValues { name description } } } }"
        assert len(server.graphql(text).content) > 2_000_000


def test_one_reference_cannot_be_resolved(serve):
    text = "{ x3Purchasing { purchaseOrder { query { edges { node { id orderFromSupplier { _id } } } } } } }"
    for oddity in ("purchaseOrder.orderFromSupplier:PO002", "purchaseOrder.orderFromSupplier"):
        with serve(oddities=[f"unresolvable-reference={oddity}"]) as server:
            body = server.graphql(text).json()
            edges = body["data"]["x3Purchasing"]["purchaseOrder"]["query"]["edges"]
            broken = [edge["node"]["id"] for edge in edges if edge["node"]["orderFromSupplier"] is None]
            assert broken == [oddity.partition(":")[2] or "PO001"]
            assert len(body["errors"]) == 1
            assert body["errors"][0]["path"][-1] == "orderFromSupplier"


def test_the_wire_is_odd(serve):
    path = "/api1/x3/erp/SAMINC/BPSUPPLIER"
    for oddity, status in [("everything-404", 404), ("login-page", 200), ("cold-start=60", 503)]:
        with serve(oddities=[oddity]) as server:
            answer = server.get(path, representation="BPSUPPLIER.$query")
            assert (answer.status_code, "html" in answer.headers["content-type"]) == (status, True)
    with serve(oddities=["redirect=308:http://127.0.0.1:9"]) as server:
        answer = requests.get(server.url + path, auth=BASIC, allow_redirects=False, timeout=5)
        assert (answer.status_code, answer.headers["Location"]) == (308, f"http://127.0.0.1:9{path}")
        (line,) = server.log.read_text().splitlines()[-1:]
        assert (json.loads(line)["path"], json.loads(line)["http"]) == (path, 308)
