"""GraphQL: the schema as clients see it, the queries of Sage's samples, generations, errors."""

from __future__ import annotations

import pytest
from graphql import build_client_schema, get_introspection_query

from .conftest import client_of, run


def test_the_purchase_orders_of_sages_sample(client):
    data = run(client, """
    query($first: Int!, $filter: String, $orderBy: String) {
      x3Purchasing { purchaseOrder {
        query(first: $first, filter: $filter, orderBy: $orderBy) {
          totalCount
          edges { cursor node { _id id orderDate purchaseSite { _id name } orderFromSupplier { code { code } }
            isClosed receiptStatus taxExcludedTotalAmount expectedReceiptDate
            purchaseOrderLines { query(first: 200) { edges { node {
              lineNumber product { code } quantityInPurchaseUnitOrdered netPrice } } } } } }
          pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } } }""",
        first=50, filter="[{orderFromSupplier:{_id:'V0001'}},{purchaseSite:{}},{receiptStatus:'no'}]",
        orderBy="{purchaseSite:{_id:-1},_id:-1}",
    )["x3Purchasing"]["purchaseOrder"]["query"]  # fmt: skip
    assert data["totalCount"] == 1
    node = data["edges"][0]["node"]
    assert node["purchaseSite"] == {"_id": "SAM01", "name": "Main site"}
    assert node["orderFromSupplier"] == {"code": {"code": "V0001"}}
    assert (node["isClosed"], node["receiptStatus"], node["expectedReceiptDate"]) == (False, "no", None)
    lines = [edge["node"] for edge in node["purchaseOrderLines"]["query"]["edges"]]
    assert [(line["lineNumber"], line["product"]["code"], line["netPrice"]) for line in lines] == [
        (1000, "BOLT", 12.5),
        (2000, "BOLT", 12.5),
    ]
    assert data["pageInfo"]["hasNextPage"] is False


def test_one_record_by_its_id(client):
    text = "query($id: Id!) { x3MasterData { supplier { read(_id: $id) { code { code companyName1 } isActive } } } }"
    assert (
        run(client, text, id="V0003")["x3MasterData"]["supplier"]["read"]["code"]["companyName1"] == "O'Neill"
    )
    assert run(client, text, id="NOBODY")["x3MasterData"]["supplier"]["read"] is None


def test_an_entry_with_its_lines_and_dimensions(server):
    answer = server.graphql("""{ x3Finance { journalEntry { query(filter: "{journalEntryStatus:'final'}") { edges { node {
        _id journalEntryType { _id code } journalEntryNumber company { code name } journal { code } accountingDate
        journalEntryStatus transactionCurrency { code } _etag _updateUser { code }
        journalEntryLines { query { totalCount edges { node { _id lineNumber ledgerTypeNumber account { _id code }
          sign transactionAmount matchingDate tax { code } businessPartner { code }
          analyticalLines { query { edges { node { dimensions { query { edges { node {
            denormalizedIndex dimensionType { _id } dimension { _id } } } } } } } } } } } } } } } } } } }""")
    assert '"transactionAmount":100.123456789012,' in answer.text
    entry = answer.json()["data"]["x3Finance"]["journalEntry"]["query"]["edges"][0]["node"]
    assert entry["_id"] == "FAC|FAC00002"
    assert entry["journalEntryType"] == {"_id": "FAC|", "code": "FAC"}
    lines = entry["journalEntryLines"]["query"]
    assert lines["totalCount"] == 3
    first, _, last = (edge["node"] for edge in lines["edges"])
    assert first["_id"] == "FAC|FAC00002|1|1"
    assert (first["ledgerTypeNumber"], first["account"]) == ("legal", {"_id": "USA|6000", "code": "6000"})
    assert (first["matchingDate"], first["tax"], first["businessPartner"]) == (None, None, None)
    (line,) = first["analyticalLines"]["query"]["edges"]
    assert [edge["node"] for edge in line["node"]["dimensions"]["query"]["edges"]] == [
        {"denormalizedIndex": 1, "dimensionType": {"_id": "CCT"}, "dimension": {"_id": "CCT|100"}},
        {"denormalizedIndex": 2, "dimensionType": {"_id": "PRJ"}, "dimension": None},
    ]
    assert last["analyticalLines"]["query"]["edges"] == []
    assert last["businessPartner"] == {"code": "V0001"}


def test_twenty_rows_come_unasked_and_collections_page_too(serve, tmp_path):
    from .conftest import Rows, stamps

    path = tmp_path / "many.db"
    rows = Rows(path)
    for nth in range(1, 31):
        rows.add("ITMMASTER", ITMREF=f"I{nth:02}", **stamps())
        rows.add("ITMFACILIT", ITMREF="I01", STOFCY=f"S{nth:02}", **stamps())
    with serve(path) as server:
        text = """query($after: String) { x3MasterData { product { query { totalCount edges { node { code
          productSites { query(first: 25, after: $after) { totalCount edges { node { stockSite { _id } } }
            pageInfo { endCursor hasNextPage } } } } } pageInfo { hasNextPage } } } } }"""
        page = server.graphql(text).json()["data"]["x3MasterData"]["product"]["query"]
        assert (page["totalCount"], len(page["edges"]), page["pageInfo"]["hasNextPage"]) == (30, 20, True)
        sites = page["edges"][0]["node"]["productSites"]["query"]
        assert (sites["totalCount"], len(sites["edges"]), sites["pageInfo"]["hasNextPage"]) == (30, 25, True)
        # a reference to a record that is not there is its key
        assert sites["edges"][0]["node"]["stockSite"] == {"_id": "S01"}
        assert page["edges"][1]["node"]["productSites"]["query"]["totalCount"] == 0
    with serve(path, page_cap=7) as server:
        assert len(server.nodes("MasterData", "product", "code", first=100)) == 7


def test_a_cursor_leads_on_in_a_collection(server):
    text = """query($after: String) { x3Finance { journalEntry { query(first: 1) { edges { node { journalEntryLines {
      query(first: 2, after: $after, filter: "{sign:{_gte:-1}}", orderBy: "{lineNumber:-1}") {
        edges { node { lineNumber } } pageInfo { endCursor hasNextPage } } } } } } } } }"""

    def lines(after=None):
        body = server.graphql(text, after=after).json()
        found = body["data"]["x3Finance"]["journalEntry"]["query"]["edges"][0]["node"]["journalEntryLines"][
            "query"
        ]
        return [edge["node"]["lineNumber"] for edge in found["edges"]], found["pageInfo"]

    first, info = lines()
    assert (first, info["hasNextPage"]) == ([3, 2], True)
    assert lines(info["endCursor"])[0] == [1]


def test_the_schema_describes_itself_with_field_codes(server):
    answer = server.graphql(get_introspection_query(descriptions=True))
    schema = build_client_schema(answer.json()["data"])
    partner = schema.type_map["BusinessPartner_node"]
    assert partner.fields["code"].description == "Code (BPRNUM)"
    assert partner.fields["companyName1"].description == "Company name 1 (BPRNAM)"
    customer = schema.type_map["Customer_node"]
    assert customer.fields["authorizedCreditAmount"].description == "Authorized credit amount (OSTAUZ)"
    assert schema.type_map["Supplier_node"].fields["yrating"].description == "Rating (YRATING)"
    entry = set(schema.type_map["JournalEntry_node"].fields)
    assert entry == {
        "_access", "_updateUser", "_createUser", "_id", "journalEntryType", "journalEntryNumber", "company", "site",
        "journal", "accountingDate", "journalEntryStatus", "journalEntryTransaction", "transactionCurrency",
        "journalEntryLines", "_etag", "_createStamp", "_updateStamp",
    }  # fmt: skip
    status = schema.type_map["AccountingJournalStatus"]
    assert list(status.values) == ["temporary", "final"]
    assert "x3InvoicingData" in schema.query_type.fields
    assert "salesOrderLine" not in schema.query_type.fields["x3Sales"].type.fields


def test_custom_fields_belong_to_their_folder(server):
    other = client_of(server, "SAMLTD")
    text = "{ x3MasterData { supplier { query { edges { node { _id yrating } } } } } }"
    with pytest.raises(Exception, match="yrating"):
        run(other, text)
    assert run(client_of(server), text)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ x3Finances { journalEntry { query { totalCount } } } }", 'Did you mean "x3Finance"'),
        ("{ x3Finance { journalEntry { query { edges { node { nope } } } } } }", 'Cannot query field "nope" on type "JournalEntry_node"'),
        ("{ x3Finance { journalEntry { query(last: 2) { totalCount } } } }", 'Unknown argument "last"'),
        ("{ x3Finance", "Syntax Error"),
        ("mutation { x3Finance { create } }", "mutation"),
        ("{ x3MasterData { supplier { query { edges { node { code } } } } } }", "must have a selection of subfields"),
    ],
)  # fmt: skip
def test_a_query_that_is_not_of_the_schema_is_refused(server, query, words):
    answer = server.graphql(query)
    assert answer.status_code == 400
    body = answer.json()
    assert words in body["errors"][0]["message"]
    assert body["extensions"] == {}
    assert "data" not in body


@pytest.mark.parametrize("endpoint", ["", "NOPE"])
def test_the_endpoint_is_demanded(server, endpoint):
    answer = server.graphql("{ __typename }", endpoint=endpoint)
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_what_is_forbidden_or_not_activated_leaves_the_rest(serve):
    text = """{ x3Finance { journalEntryLine { query(first: 2) { edges { node { lineNumber account { code } } } } } }
      x3MasterData { supplier { query { totalCount } } } x3FinanceData { dimension { query { totalCount } } } }"""
    with serve(forbidden=("account",), inactive=("dimension",)) as server:
        answer = server.graphql(text)
        assert answer.status_code == 200
        body = answer.json()
        lines = body["data"]["x3Finance"]["journalEntryLine"]["query"]["edges"]
        assert lines[0]["node"] == {"lineNumber": 1, "account": None}
        assert body["data"]["x3MasterData"]["supplier"]["query"]["totalCount"] == 6
        assert body["data"]["x3FinanceData"]["dimension"]["query"] is None
        messages = {error["message"] for error in body["errors"]}
        assert messages == {"You are not allowed to read Account.", "Dimension.read not activated"}


def test_the_older_generation_has_its_names(serve):
    with serve(generation="older") as server:
        rows = server.nodes("MasterData", "supplier", "code { code } companyName isActive", prefix="xtremX3")
        assert rows[0] == {"code": {"code": "V0001"}, "companyName": "Acme", "isActive": True}
        items = server.nodes(
            "FinanceData", "openItem", "uniqueNumber canBeReminded paymentType dueDate", prefix="xtremX3",
            filter="{canBeReminded:'no'}",
        )  # fmt: skip
        assert items[0] == {
            "uniqueNumber": "D1", "canBeReminded": "no", "paymentType": "invoice", "dueDate": "2026-03-15",
        }  # fmt: skip
        lines = server.nodes(
            "Finance", "journalEntryLine", "debitAmountInLedgerCurrency creditAmountInLedgerCurrency ledgerTypeNumber",
            prefix="xtremX3", filter="{creditAmountInLedgerCurrency:{_gt:0}}",
        )  # fmt: skip
        assert lines[0] == {
            "debitAmountInLedgerCurrency": 0, "creditAmountInLedgerCurrency": 120.623456789012, "ledgerTypeNumber": 1,
        }  # fmt: skip
        schema = client_of(server)
        with schema:
            assert "_etag" not in schema.schema.type_map["Supplier"].fields


def test_the_oldest_generation_has_no_query_level(serve):
    with serve(generation="oldest") as server:
        text = """{ sage { x3BusinessPartners { supplier(filter: "{code:{$in:['V0001','V0002']}}", orderBy: "{code:1}", first: 1) {
          edges { cursor node { code { code } } } } }
          x3Purchasing { purchaseOrder { edges { node { id isClosed purchaseOrderLines(first: 1) { edges { node { lineNumber } } } } } } } } }"""
        body = server.graphql(text).json()
        assert "errors" not in body, body
        (edge,) = body["data"]["sage"]["x3BusinessPartners"]["supplier"]["edges"]
        assert edge["cursor"].startswith('["V0001"]#')
        order = body["data"]["sage"]["x3Purchasing"]["purchaseOrder"]["edges"][1]["node"]
        assert order["isClosed"] == "yes"
        assert len(order["purchaseOrderLines"]["edges"]) == 1


def test_every_property_of_every_node_can_be_asked_for(serve):
    """No property of any generation is without a reader."""
    for generation in ("current", "older", "oldest"):
        with serve(generation=generation) as server:
            client = client_of(server)
            with client:
                schema = client.schema
            assert _ask_all(server, schema, generation) > 20


def _ask_all(server, schema, generation):
    from graphql import GraphQLEnumType, GraphQLScalarType, get_named_type

    def selection(kind, depth):
        parts = []
        for name, field in kind.fields.items():
            inner = get_named_type(field.type)
            if isinstance(inner, GraphQLScalarType | GraphQLEnumType):
                parts.append(name)
            elif depth:
                below = selection(inner, depth - 1)
                parts.append(f"{name} {{ {below} }}" if below else "")
        return " ".join(parts)

    root = schema.query_type
    if generation == "oldest":
        root = get_named_type(root.fields["sage"].type)
    asked = 0
    for package, field in root.fields.items():
        for node, each in get_named_type(field.type).fields.items():
            connection = get_named_type(each.type)
            inner = f"{node} {{ query {{ %s }} }}"
            if generation == "oldest":
                inner = f"{node} {{ %s }}"
            else:
                connection = get_named_type(connection.fields["query"].type)
            text = inner % selection(connection, 5 if package == "x3Finance" else 3)
            text = f"{{ {package} {{ {text} }} }}"
            answer = server.graphql(f"{{ sage {text} }}" if generation == "oldest" else text)
            assert answer.status_code == 200, answer.text[:500]
            assert "errors" not in answer.json(), answer.text[:2000]
            asked += 1
    return asked
