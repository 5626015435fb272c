"""GraphQL's arguments: filters, orders, cursors."""

from __future__ import annotations

import json

import pytest
from gql.transport.exceptions import TransportQueryError

from .conftest import run

SUPPLIERS = "query($filter: String, $orderBy: String, $first: Int) { x3MasterData { supplier { query(filter: $filter, orderBy: $orderBy, first: $first) { edges { node { _id } } } } } }"


def suppliers(client, filter_=None, order=None, first=20):
    data = run(client, SUPPLIERS, filter=filter_, orderBy=order, first=first)
    return [int(edge["node"]["_id"][-1]) for edge in data["x3MasterData"]["supplier"]["query"]["edges"]]


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
