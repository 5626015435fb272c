"""Ugly cases: keys with signs in them, many at once, rows that come while others are read, Sage's own examples."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from click.testing import CliRunner
from erp_sandbox.cli import main

from .conftest import BASIC, Rows, stamps

KEYS = sorted(
    ["50%", "A B", "A&B", "A'B", "A+B", "A/B", "A?B#C", "A~B", "A|B", 'A"B', "A\\B", "É1", "{a}", "日本"]
)
PRODUCTS = "query($first: Int, $after: String, $filter: String) { x3MasterData { product { query(first: $first, after: $after, filter: $filter) { edges { node { _id code } } pageInfo { endCursor hasNextPage } } } } }"


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    path = tmp_path_factory.mktemp("strange") / "strange.db"
    rows = Rows(path)
    for key in KEYS:
        rows.add("ITMMASTER", ITMREF=key, ITMDES1=f"About {key}", **stamps())
    for amount in ("0", "-0.5", "123456789012345678.1234567890123", "1E+3", "0.0000000000001"):
        rows.add("GACCDUDATE", NUMDUD=f"D{amount}", AMTCUR=amount, **stamps())
    return path


@pytest.fixture
def odd(serve, strange):
    with serve(strange) as found:
        yield found


def test_keys_with_signs_page_and_read_in_api1(odd):
    url = f"{odd.url}/api1/x3/erp/SAMINC/ITMMASTER?representation=ITMMASTER.$query&count=1"
    found = []
    while url:
        page = requests.get(url, auth=BASIC, timeout=30).json()
        found += [row["ITMREF"] for row in page["$resources"]]
        url = page["$links"].get("$next", {}).get("$url")
    assert found == KEYS
    for key in KEYS:
        quoted = requests.utils.quote(key.replace("'", "''"), safe="")
        assert odd.rest("ITMMASTER", key=quoted)["ITMDES1"] == f"About {key}"
        doubled = key.replace("'", "''")
        assert len(odd.rest("ITMMASTER", where=f"ITMREF eq '{doubled}'")["$resources"]) == 1


def test_keys_with_signs_page_and_read_in_graphql(odd):
    found, after = [], None
    while True:
        page = odd.graphql(PRODUCTS, first=1, after=after).json()["data"]["x3MasterData"]["product"]["query"]
        found += [edge["node"]["_id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == KEYS
    for key in KEYS:
        for given in ({"_id": key}, {"code": {"_in": [key]}}):
            page = odd.graphql(PRODUCTS, filter=json.dumps(given)).json()["data"]["x3MasterData"]["product"]
            assert [edge["node"]["code"] for edge in page["query"]["edges"]] == [key]


def test_numbers_are_json_numbers_with_all_digits(odd):
    text = odd.get("/api1/x3/erp/SAMINC/GACCDUDATE", representation="GACCDUDATE.$query").text
    graph = odd.graphql(
        "{ x3FinanceData { openItem { query { edges { node { amountInCurrency } } } } } }"
    ).text
    for number in ("0", "-0.5", "123456789012345678.1234567890123", "1000", "0.0000000000001"):
        assert f'"AMTCUR":{number},' in text
        assert f'"amountInCurrency":{number}}}' in graph


def test_many_ask_at_once(odd):
    def ask(nth):
        if nth % 2:
            return len(odd.rest("ITMMASTER")["$resources"])
        return len(odd.nodes("MasterData", "product", "code localizedDescription1"))

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(64))) == {len(KEYS)}


def test_rows_that_come_meanwhile_disturb_no_page(serve, tmp_path):
    path = tmp_path / "growing.db"
    rows = Rows(path)
    for nth in range(0, 100, 2):
        rows.add("ITMMASTER", ITMREF=f"I{nth:03}", **stamps())
    with serve(path) as server:
        found, after = [], None
        while True:
            page = server.graphql(PRODUCTS, first=7, after=after).json()["data"]["x3MasterData"]["product"][
                "query"
            ]
            found += [edge["node"]["_id"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            rows.add("ITMMASTER", ITMREF=f"I{len(found) // 2:03}", **stamps())
            rows.connection.execute("DELETE FROM sagex3_rows WHERE key = ?", (found[0],))
            if not page["pageInfo"]["hasNextPage"]:
                break
    assert [each for each in found if int(each[1:]) % 2 == 0] == [f"I{nth:03}" for nth in range(0, 100, 2)]
    assert len(found) == len(set(found))


def test_a_custom_field_that_comes_is_in_the_next_schema(serve, tmp_path):
    path = tmp_path / "custom.db"
    rows = Rows(path)
    rows.add("ITMMASTER", ITMREF="A", ZCOLOUR="blue", ZWEIGHT="1.50", ZSIZES=["S", "M"], **stamps())
    with serve(path) as server:
        text = "{ x3MasterData { product { query { edges { node { zcolour zweight zsizes1 zsizes2 zsizes3 } } } } } }"
        assert server.graphql(text).status_code == 400
        rows.custom("ITMMASTER", "ZCOLOUR", "s", "Colour")
        rows.custom("ITMMASTER", "ZWEIGHT", "n", "Weight")
        rows.custom("ITMMASTER", "ZSIZES", "s[3]", "Sizes")
        answer = server.graphql(text).text
        assert '{"zcolour":"blue","zweight":1.50,"zsizes1":"S","zsizes2":"M","zsizes3":""}' in answer
        assert [row["ZSIZES"] for row in server.rest("ITMMASTER")["$resources"]] == [["S", "M", ""]]
        assert len(server.rest("ITMMASTER", where="ZWEIGHT gt 1.4 and ZCOLOUR eq 'blue'")["$resources"]) == 1


@pytest.mark.parametrize(
    ("package", "node", "filter_", "order", "expected"),
    [
        ("MasterData", "customer", "{customerCategory:{code:'NOR'}}", "{code:1}", []),
        ("MasterData", "supplier", "{isActive: true}", "{code: +1}", ["V0001", "V0002", "V0003", "V0004"]),
        ("MasterData", "supplier", "{code:'V0003'}", "", ["V0003"]),
        ("Purchasing", "purchaseOrder", "{purchaseSite:'SAM01', orderFromSupplier:'V0002'}", "{}", ["PO002"]),
        ("Purchasing", "purchaseOrder", "{purchaseSite:{_id:'SAM01'},isClosed:false}", "{orderDate:-1}", ["PO001"]),
        ("Purchasing", "purchaseOrder", "[{},{orderDate:{_gte:'2026-01-02'}}]", "{purchaseSite:{_id:-1},_id:-1}", ["PO002"]),
        ("Purchasing", "purchaseOrder", "{orderFromSupplier:{code:{_regex:'^V'}},purchaseOrderLines:{_every:true,lineNumber:{_gt:0}}}", "", ["PO001", "PO002"]),
        ("StockData", "stock", "{stockSite:'SAM01',product:{product:{code:'BOLT'}},status:{code:{_in:['A','Q']}}}", "{stockId:-1}", ["SAM01|17"]),
        ("FinanceData", "dimension", "{dimensionType:{localizedDescription:'Cost center'},isActive:true}", "{_id:-1}", ["CCT|200", "CCT|100"]),
    ],
)  # fmt: skip
def test_filters_as_sage_and_connectors_write_them(server, package, node, filter_, order, expected):
    found = server.nodes(package, node, "_id", filter=filter_, orderBy=order)
    assert [each["_id"] for each in found] == expected


def test_fragments_aliases_and_directives_work(server):
    text = """query($with: Boolean!) { x3MasterData { supplier { few: query(first: 1) { ...page }
        all: query(first: 9) { count: totalCount @include(if: $with) edges @skip(if: $with) { cursor } } } } }
        fragment page on Supplier_Connection { edges { node { key: _id name: companyName1 __typename } } }"""
    supplier = server.graphql(text, **{"with": True}).json()["data"]["x3MasterData"]["supplier"]
    (edge,) = supplier["few"]["edges"]
    assert edge["node"] == {"key": "V0001", "name": "Acme", "__typename": "Supplier_node"}
    assert supplier["all"] == {"count": 6}


def test_bodies_that_are_no_question_are_refused(server):
    for body in ("", "[]", "{}", '{"query": 5}', "nonsense", '"x"'):
        answer = requests.post(
            f"{server.url}/xtrem/api", body, auth=BASIC, headers={"x-xtrem-endpoint": "SAMINC"}, timeout=30
        )
        assert answer.status_code == 400
        assert answer.json()["errors"]
    missing = server.graphql(
        "query($first: Int!) { x3MasterData { supplier { query(first: $first) { totalCount } } } }"
    )
    assert missing.status_code == 400
    assert "first" in missing.json()["errors"][0]["message"]
    negative = server.graphql("{ x3MasterData { supplier { query(first: 0) { totalCount } } } }")
    assert negative.json()["errors"][0]["path"] == ["x3MasterData", "supplier", "query"]


def test_the_commands_options_reach_the_server(monkeypatch, books, tmp_path):
    """The books are there already; what the command makes of its options is what counts."""
    seen = {}
    monkeypatch.setattr("erp_sandbox.sagex3.cli.business.add_erp", lambda path, erp: seen.update(erp=erp))
    monkeypatch.setattr("erp_sandbox.sagex3.cli.serve", lambda app, **given: seen.update(given))

    def created(path, credentials, behaviour, plan):
        seen.update(path=path, credentials=credentials, behaviour=behaviour, plan=plan)

    monkeypatch.setattr("erp_sandbox.sagex3.cli.create_app", created)
    options = {
        "--path": str(books), "--endpoint": "SEED=SAMLTD", "--username": "me", "--client-id": "C", "--audience": "xtrem",
        "--token-seconds": "60", "--page-cap": "5", "--generation": "older", "--ws-grace": "20", "--ws-slow": "500",
        "--latency": "250", "--fault": "429:0.1", "--clock-skew": "-60", "--refresh-token": "r", "--port": "0",
    }  # fmt: skip
    words = [word for pair in options.items() for word in pair] + [
        "--drop-count",
        "--no-basic",
        "--forbid",
        "account",
    ]
    result = CliRunner().invoke(main, ["serve", "sagex3", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    behaviour, credentials = seen["behaviour"], seen["credentials"]
    assert seen["erp"] == "sagex3"
    assert (behaviour.endpoints, behaviour.page_cap, behaviour.generation) == ({"SEED": "SAMLTD"}, 5, "older")
    assert (behaviour.drop_count, behaviour.basic, behaviour.forbidden) == (True, False, ("account",))
    assert (behaviour.allowance.grace, behaviour.allowance.slow, behaviour.latency) == (0.2, 0.5, 0.25)
    assert (behaviour.skew, behaviour.first_refresh) == (-60.0, "r")
    assert (credentials.username, credentials.client_id, credentials.audience) == ("me", "C", "xtrem")
    assert credentials.token_seconds == 60
