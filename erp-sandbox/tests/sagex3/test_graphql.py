"""GraphQL: the schema as clients see it, the queries of Sage's samples, filters, orders, cursors, errors."""

from __future__ import annotations

import json

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from graphql import build_client_schema, get_introspection_query

from .conftest import BASIC


def client_of(server, endpoint="SAMINC"):
    transport = RequestsHTTPTransport(
        url=f"{server.url}/xtrem/api",
        auth=requests_basic(),
        headers={"x-xtrem-endpoint": endpoint},
        timeout=30,
    )
    return Client(transport=transport, fetch_schema_from_transport=True)


def requests_basic():
    from requests.auth import HTTPBasicAuth

    return HTTPBasicAuth(*BASIC)


@pytest.fixture(scope="module")
def client(server):
    return client_of(server)


def run(client, text, **variables):
    query = gql(text)
    query.variable_values = variables
    return client.execute(query)


SUPPLIERS = "query($filter: String, $orderBy: String, $first: Int) { x3MasterData { supplier { query(filter: $filter, orderBy: $orderBy, first: $first) { edges { node { _id } } } } } }"


def suppliers(client, filter_=None, order=None, first=20):
    data = run(client, SUPPLIERS, filter=filter_, orderBy=order, first=first)
    return [int(edge["node"]["_id"][-1]) for edge in data["x3MasterData"]["supplier"]["query"]["edges"]]


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


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("{}", [1, 2, 3, 4, 5, 6]),
        ("{code:'V0003'}", [3]),
        ('{"code": {"_eq": "V0003"}}', [3]),
        ("{_id:{_ne:'V0003'}}", [1, 2, 4, 5, 6]),
        ("{_id:{_gt:'V0004'}}", [5, 6]),
        ("{_id:{_gte:'V0004',_lt:'V0006'}}", [4, 5]),
        ("{_id:{_lte:'V0002'}}", [1, 2]),
        ("{_id:{_in:['V0001','V0005']}}", [1, 5]),
        ("{_id:{_nin:['V0001','V0005']}}", [2, 3, 4, 6]),
        ("{_id:{$in:['V0001']}}", [1]),
        ("{companyName1:{_regex:'^[Aa]cme'}}", [1, 5]),
        ("{companyName1:{_regex:'^acme', _options:'i'}}", [1, 5]),
        ("{_id:{_regex:'[12]$'}}", [1, 2]),
        ("{companyName1:'O\\'Neill'}", [3]),
        ("{companyName1:'Çelik'}", [4]),
        ("{currency:'EUR'}", [3]),
        ("{currency:{_id:'EUR'}}", [3]),
        ("{currency:{code:{_in:['EUR']}}}", [3]),
        ("{currency:{description:'Euro'}}", [3]),
        ("{code:{companyName1:'Acme'}}", [1]),
        ("{code:{code:'V0002'}}", [2]),
        ("{code:{currency:null}}", [1, 2, 3, 4, 5]),
        ("{currency:{_ne:'USD'}}", [3]),
        ("{isActive:false}", [5, 6]),
        ("{isActive:{_ne:true}}", [5, 6]),
        ("{supplierABCClass:'classC'}", [2]),
        ("{supplierABCClass:{_in:['classA','classB']}}", [1, 4, 5]),
        ("{supplierABCClass:null}", [6]),
        ("{minimumOrderAmount:{_gt:200.1}}", [3, 4, 5]),
        ("{minimumOrderAmount:{_eq:200.10}}", [2]),
        ("{_updateStamp:{_gte:'2026-03-05T10:00:00Z'}}", [5, 6]),
        ("{_updateStamp:{_gt:'2026-03-04T12:00:00.000+02:00'}}", [5, 6]),
        ("{_updateStamp:{_lt:'2026-03-02'}}", [1]),
        ("{cshdat:null,_createStamp:{_lte:'2026-03-02T10:00:00Z'}}", [1, 2]),
        ("{yrating:'AAA'}", [6]),
        ("[{currency:'USD'},{isActive:true},{}]", [1, 2, 4]),
        ("{_or:[{currency:'EUR'},{_id:'V0001'}]}", [1, 3]),
        ("{_and:[{currency:'USD'},{_not:{isActive:true}}]}", [5, 6]),
        ("{_not:{_or:[{currency:'EUR'},{isActive:true}]}}", [5, 6]),
        ("{code:{_or:[{code:'V0001'},{code:'V0002'}]}}", [1, 2]),
        ("{companyName1:{_not:{_regex:'c'}}}", [2, 3, 4, 6]),
        ("{_id:{_or:[{_eq:'V0001'},{_gt:'V0005'}]}}", [1, 6]),
    ],
)
def test_filters(client, filter_, expected):
    assert suppliers(client, filter_) == expected


def test_filters_over_collections_and_composite_keys(server):
    def ids(package, node, filter_):
        return [each["_id"] for each in server.nodes(package, node, "_id", filter=filter_)]

    assert ids("Finance", "journalEntry", "{_id:'FAC|FAC00002'}") == ["FAC|FAC00002"]
    assert ids("Finance", "journalEntry", "{journalEntryType:'FAC',accountingDate:{_gte:'2026-02-12'}}") == [
        "FAC|FAC00002"
    ]
    assert ids("Finance", "journalEntry", "{journalEntryType:{localizedDescription:'Nothing'}}") == []
    assert ids("Finance", "journalEntryLine", "{journalEntry:'FAC|FAC00002',lineNumber:{_eq:2}}") == [
        "FAC|FAC00002|2|1"
    ]
    assert ids(
        "Finance",
        "journalEntryLine",
        "{journalEntry:{_id:'FAC|FAC00002'},lineNumber:2,ledgerTypeNumber:'legal'}",
    ) == ["FAC|FAC00002|2|1"]
    assert ids("Finance", "journalEntryLine", "{journalEntry:{_id:'FAC|FAC00002'},_not:{lineNumber:2}}") == [
        "FAC|FAC00002|1|1",
        "FAC|FAC00002|3|1",
    ]
    assert len(ids("Finance", "journalEntry", "{journalEntryType:'FAC|'}")) == 2
    assert len(ids("Finance", "journalEntry", "{journalEntryType:{_id:'FAC|'}}")) == 2
    assert len(ids("Finance", "journalEntry", "{journalEntryType:{code:'FAC'}}")) == 2
    assert ids("Finance", "journalEntryLine", "{account:'USA|4010'}") == [
        "FAC|FAC00001|3|1",
        "FAC|FAC00002|3|1",
    ]
    assert ids(
        "Finance", "journalEntryLine", "{account:{code:'4010'},journalEntry:{journalEntryNumber:'FAC00001'}}"
    ) == ["FAC|FAC00001|3|1"]
    assert ids("Finance", "journalEntryLine", "{journalEntry:{journalEntryStatus:'final'},lineNumber:1}") == [
        "FAC|FAC00002|1|1"
    ]
    assert (
        len(ids("Finance", "journalEntry", "{journalEntryLines:{_atLeast:2,account:{code:{_gte:'6000'}}}}"))
        == 2
    )
    assert (
        ids("Finance", "journalEntry", "{journalEntryLines:{_atLeast:3,account:{code:{_gte:'6000'}}}}") == []
    )
    assert ids("Finance", "journalEntry", "{journalEntryLines:{_every:true,sign:{_in:[1,-1]}}}") != []
    assert ids("Finance", "journalEntry", "{journalEntryLines:{_none:true,sign:1}}") == []
    assert ids("Purchasing", "purchaseOrderLine", "{purchaseOrder:'PO002',netPrice:12.5}") == [
        "PO002|1000|1",
        "PO002|2000|2",
    ]
    assert ids("Purchasing", "purchaseOrder", "{orderFromSupplier:{code:{code:'V0001'}}}") == ["PO001"]
    assert ids("FinanceData", "dimension", "{dimensionType:{localizedDescription:'Cost center'}}") == [
        "CCT|100",
        "CCT|200",
    ]
    assert ids("FinanceData", "openItem", "{dueDate:null}") == ["D2"]


@pytest.mark.parametrize(
    "filter_",
    [
        "{nope:1}", "{code", "5", "{isActive:'yes'}", "{supplierABCClass:'classX'}", "{currency:{nope:1}}",
        "{_updateStamp:{_gte:'soon'}}", "{companyName1:{_near:'x'}}", "{_id:{_in:'V0001'}}", "{companyName1:{_regex:'('}}",
        "{dimensions:{_atLeast:1}}", "{_or:{}}", "{category:{nope:'x'}}",
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_an_error(client, filter_):
    with pytest.raises(TransportQueryError) as caught:
        suppliers(client, filter_)
    assert caught.value.errors[0]["path"] == ["x3MasterData", "supplier", "query"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("{code:1}", [1, 2, 3, 4, 5, 6]),
        ("{code:-1}", [6, 5, 4, 3, 2, 1]),
        ("{_id:+1}", [1, 2, 3, 4, 5, 6]),
        ("{currency:1,_id:-1}", [3, 6, 5, 4, 2, 1]),
        ("{currency:{_id:-1},companyName1:1}", [1, 2, 6, 5, 4, 3]),
        ("{currency:{description:-1}}", [1, 2, 4, 5, 6, 3]),
        ("{minimumOrderAmount:-1}", [5, 4, 3, 2, 1, 6]),
        ("[{isActive:1},{_updateStamp:-1}]", [6, 5, 4, 3, 2, 1]),
    ],
)
def test_orders_hold_over_pages_of_every_size(client, order, expected):
    text = """query($orderBy: String, $after: String, $first: Int) { x3MasterData { supplier {
      query(first: $first, orderBy: $orderBy, after: $after) { totalCount edges { cursor node { _id } }
      pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } } }"""
    for size in (1, 2, 4, 20):
        found, after = [], None
        while True:
            page = run(client, text, orderBy=order, after=after, first=size)["x3MasterData"]["supplier"][
                "query"
            ]
            assert page["totalCount"] == 6
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
            found += [int(edge["node"]["_id"][-1]) for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert (found, size) == (expected, size)


def cursors(server, **arguments):
    given = ", ".join(f"{name}: {json.dumps(value)}" for name, value in arguments.items())
    text = f"{{ x3MasterData {{ supplier {{ query(first: 1, {given}) {{ edges {{ cursor }} }} }} }} }}"
    return server.graphql(text).json()


def test_a_cursor_is_the_key_and_of_its_order_alone(server):
    body = cursors(server, orderBy="{code:1}")
    cursor = body["data"]["x3MasterData"]["supplier"]["query"]["edges"][0]["cursor"]
    assert cursor.startswith('["V0001"]#')
    assert len(cursor) == len('["V0001"]#40')
    assert "errors" not in cursors(server, orderBy="{_id:1}", after=cursor)
    for order in ("{companyName1:1}", "{code:-1}", "{currency:1}"):
        assert "Invalid cursor" in cursors(server, orderBy=order, after=cursor)["errors"][0]["message"]
    for wrong in ("V0001", '["V0001"]', '["V0002"]' + cursor[-3:], ""):
        assert "Invalid cursor" in cursors(server, orderBy="{code:1}", after=wrong)["errors"][0]["message"]


@pytest.mark.parametrize(
    "order", ["{nope:1}", "{code:2}", "{code:'asc'}", "{minimumOrderAmount:{x:1}}", "1", "{dimensions:1}"]
)
def test_an_order_that_cannot_be_read_is_an_error(server, order):
    assert cursors(server, orderBy=order)["errors"]


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
    wrap = "{} "
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
