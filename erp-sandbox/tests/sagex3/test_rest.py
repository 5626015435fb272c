"""api1: lists, paging, predicates, single records, refusals."""

from __future__ import annotations

import re

import pytest
import requests

from .conftest import BASIC

LIST = "/api1/x3/erp/SAMINC/BPSUPPLIER"


def numbers(body, code="BPSNUM"):
    return [row[code] for row in body["$resources"]]


def test_a_row_has_every_field_with_x3s_empty_values(server):
    row = server.rest("BPSUPPLIER", count=1)["$resources"][0]
    assert row["$etag"] == "2026-03-01T10:00:00Z"
    assert re.fullmatch(r"[0-9a-f-]{36}", row["$uuid"])
    assert row["CSHDAT"] == "1599-12-31"
    assert row["BPSGRU"] == ""
    assert row["TSSCOD"] == ["A", "B", "", "", ""]
    assert row["OSTAUZAMT"] == 0
    assert row["YRATING"] == ""


def test_amounts_keep_all_digits(server):
    answer = server.get(
        "/api1/x3/erp/SAMINC/GACCENTRYD", representation="ZGACCENTRYD.$query", where="LIN eq 1"
    )
    assert '"AMTCUR":100.123456789012,' in answer.text


def test_pages_follow_next_and_end_without_it(server):
    page = server.rest("BPSUPPLIER", count=4)
    assert page["$itemsPerPage"] == 4
    assert numbers(page) == ["V0001", "V0002", "V0003", "V0004"]
    following = page["$links"]["$next"]["$url"]
    assert following == (f"{server.url}{LIST}?representation=BPSUPPLIER.$query&key=gt.V0004&count=4")
    last = requests.get(following, auth=BASIC, timeout=30).json()
    assert numbers(last) == ["V0005", "V0006"]
    assert "$next" not in last["$links"]
    before = requests.get(last["$links"]["$prev"]["$url"], auth=BASIC, timeout=30).json()
    assert numbers(before) == ["V0001", "V0002", "V0003", "V0004"]


def test_composite_keys_page_as_x3_shows_them(server):
    page = server.rest("GACCENTRYD", representation="ZGACCENTRYD", count=2)
    assert "key=gt.FAC~FAC00001~2~1&" in page["$links"]["$next"]["$url"]
    rest = server.rest("GACCENTRYD", representation="ZGACCENTRYD", count=9)
    assert [row["LIN"] for row in rest["$resources"]] == [1, 2, 3, 1, 2, 3]
    answer = server.get(
        "/api1/x3/erp/SAMINC/GACCENTRYD", representation="ZGACCENTRYD.$query", key="gt.FAC~FAC00001~2~1"
    )
    assert [row["LIN"] for row in answer.json()["$resources"]] == [3, 1, 2, 3]


def loop(url, count):
    """The paging loop of a public client: follow $next with the same header, and count again."""
    found = []
    while url:
        page = requests.get(url, auth=BASIC, headers={"Accept": "application/json"}, timeout=30).json()
        found += page["$resources"]
        url = page["$links"].get("$next", {}).get("$url")
        if url and "count=" not in url:
            url += f"&count={count}"
    return found


@pytest.mark.parametrize("behaviour", [{}, {"drop_count": True}, {"page_cap": 1}])
def test_a_public_clients_loop_reads_all(serve, behaviour):
    with serve(**behaviour) as server:
        rows = loop(f"{server.url}{LIST}?representation=BPSUPPLIER.$query&count=2", 2)
        assert [row["BPSNUM"] for row in rows] == [f"V000{nth}" for nth in range(1, 7)]
        page = server.rest("BPSUPPLIER", count=2)
        assert ("count=" in page["$links"]["$next"]["$url"]) is not behaviour.get("drop_count", False)
        assert page["$itemsPerPage"] == behaviour.get("page_cap", 2)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("BPSNAM desc, BPSNUM asc", [4, 5, 6, 3, 2, 1]),
        ("CUR;BPSNUM Desc", [3, 6, 5, 4, 2, 1]),
        ("ORDMINAMT desc", [5, 4, 3, 2, 1, 6]),
        ("UPDDATTIM desc", [6, 5, 4, 3, 2, 1]),
        ("BPSNUM asc", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_an_order_holds_over_pages(server, order, expected):
    url = f"{server.url}{LIST}?representation=BPSUPPLIER.$query&count=2&orderBy={order}"
    assert [row["BPSNUM"] for row in loop(url, 2)] == [f"V000{nth}" for nth in expected]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("BPSNAM eq 'Acme'", [1]),
        ("BPSNAM eq 'O''Neill'", [3]),
        ("left(BPSNAM,4) eq 'Acme'", [1]),
        ("upper(left(BPSNAM,4)) eq 'ACME'", [1, 5]),
        ("BPSNAM ne 'Acme' and CUR eq 'USD'", [2, 4, 5, 6]),
        ("CUR eq 'EUR' or BPSNUM eq 'V0001'", [1, 3]),
        ("CUR eq 'EUR' or BPSNUM eq 'V0001' and ENAFLG eq 1", [3]),
        ("(CUR eq 'EUR' or BPSNUM eq 'V0001') and not ENAFLG eq 1", [1, 3]),
        ("BPSNUM in ('V0001','V0004')", [1, 4]),
        ("BPSNUM between 'V0002' and 'V0003'", [2, 3]),
        ("BPSNAM like '%olt%'", [2]),
        ("ORDMINAMT gt 200.5", [3, 4, 5]),
        ("ORDMINAMT lt -1 + 2 mul 100", [1, 6]),
        ("ORDMINAMT div 2 ge 250", [5]),
        ("ABCCLS mod 2 eq 0 and ABCCLS le 2", [1, 5, 6]),
        ("UPDDAT ge @2026-03-05@", [5, 6]),
        ("UPDDATTIM gt @2026-03-04T10:00:00Z@", [5, 6]),
        ("UPDDATTIM ge @2026-03-04T12:00:00+02:00@", [4, 5, 6]),
        ("UPDDATTIM le @2026-03-02@", [1]),
        ("CSHDAT eq @1599-12-31@ and day(UPDDAT) eq 2", [2]),
        ("YRATING eq 'AAA'", [6]),
    ],
)
def test_predicates(server, where, expected):
    assert numbers(server.rest("BPSUPPLIER", where=where)) == [f"V000{nth}" for nth in expected]


@pytest.mark.parametrize(
    ("where", "lines"),
    [
        ("TYP eq 'FAC' and NUM eq 'FAC00002'", [1, 2, 3]),
        ("(NUM eq 'FAC00002' and TYP eq 'FAC') and LIN eq 2", [2]),
        ("TYP eq 'FAC' and NUM eq 'FAC00002' and LIN eq 2 and LEDTYP eq 1", [2]),
        ("TYP eq 'FAC' and NUM eq 'FAC00002' and not LIN eq 2", [1, 3]),
        ("TYP eq 'FAC' and NUM eq 'FAC00002' and (LIN eq 2 or LIN eq 3)", [2, 3]),
        ("TYP eq 'FAC' and NUM eq 'FAC00002' and NUM eq 'FAC00001'", []),
        ("NUM eq 'FAC00001' and LIN ge 3", [3]),
    ],
)
def test_predicates_on_the_key(server, where, lines):
    body = server.rest("GACCENTRYD", representation="ZGACCENTRYD", where=where)
    assert [row["LIN"] for row in body["$resources"]] == lines


@pytest.mark.parametrize(
    ("name", "options", "status"),
    [
        ("BPSUPPLIER", {"where": "NOPE eq 1"}, 400),
        ("BPSUPPLIER", {"where": "BPSNUM eq"}, 400),
        ("BPSUPPLIER", {"where": "BPSNUM eq 'a' 'b'"}, 400),
        ("BPSUPPLIER", {"where": "BPSNUM eq 5"}, 400),
        ("BPSUPPLIER", {"where": "nope(BPSNUM) eq 'x'"}, 400),
        ("BPSUPPLIER", {"where": "left(BPSNUM) eq 'x'"}, 400),
        ("BPSUPPLIER", {"where": "UPDDAT ge @soon@"}, 400),
        ("BPSUPPLIER", {"where": "TSSCOD eq 'A'"}, 400),
        ("BPSUPPLIER", {"where": "{}"}, 400),
        ("BPSUPPLIER", {"orderBy": "NOPE"}, 400),
        ("BPSUPPLIER", {"orderBy": "BPSNUM up"}, 400),
        ("BPSUPPLIER", {"count": "0"}, 400),
        ("BPSUPPLIER", {"count": "many"}, 400),
        ("PORDER", {"where": "POPLIN eq 1000"}, 400),
        ("BPSUPPLIER", {"representation": "BPCUSTOMER"}, 400),
        ("NOPE", {}, 404),
        ("GACCENTRYD", {}, 400),
    ],
)
def test_what_is_wrong_is_refused_with_diagnoses(server, name, options, status):
    body = server.rest(name, status=status, **options)
    assert body["$diagnoses"][0]["$severity"] == "error"
    assert body["$diagnoses"][0]["$message"]


def test_a_representation_is_demanded_with_its_facet(server):
    assert server.get(LIST).status_code == 400
    assert server.get(LIST, representation="BPSUPPLIER").status_code == 400
    assert server.get(LIST, representation="BPSUPPLIER.$details").status_code == 400
    assert server.get(LIST, representation="ZBPSUPPLIER.$query").status_code == 200


def test_an_unknown_endpoint_is_an_opaque_500(server):
    answer = server.get("/api1/x3/erp/NOPE/BPSUPPLIER", representation="BPSUPPLIER.$query")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")


def test_one_record_has_its_collections(server):
    entry = server.rest("GACCENTRY", key="FAC~FAC00001")
    assert entry["CUR_REF"]["$title"] == "US Dollar"
    lines = entry["HAEDAE"]
    assert [(line["LIN"], line["ACC"], line["SNS"]) for line in lines] == [
        (1, "6000", 1), (2, "6100", 1), (3, "4010", -1),
    ]  # fmt: skip
    assert [len(line["DAEDAA"]) for line in lines] == [1, 1, 0]
    assert lines[0]["DAEDAA"][0]["CCE"][:2] == ["100", ""]
    assert lines[0]["$uuid"] != lines[1]["$uuid"]


def test_order_lines_carry_prices_and_quantities(server):
    lines = server.rest("PORDER", key="PO001")["POHPOP"]
    assert [(row["POPLIN"], row["NETPRI"], row["QTYPUU"], row["POQSEQ"], row["POPSEQ"]) for row in lines] == [
        (1000, 12.5, 6, 1, 1),
        (2000, 12.5, 6, 2, 2),
    ]


def test_a_record_that_does_not_exist_is_an_error_in_200(server):
    body = server.rest("BPSUPPLIER", key="NOBODY")
    assert body == {"$diagnoses": [{"$severity": "error", "$message": "721 : Record does not exist"}]}


def test_a_prototype_describes_the_properties(server):
    body = server.get("/api1/x3/erp/SAMINC/$prototypes('BPSUPPLIER.$query')").json()
    assert body["$properties"]["ORDMINAMT"]["$type"] == "application/x-decimal"
    assert body["$properties"]["YRATING"]["$title"] == "Rating"
    details = server.get("/api1/x3/erp/SAMINC/$prototypes('GACCENTRY.$details')").json()["$properties"]
    assert "DAEDAA" in details["HAEDAE"]["$item"]["$properties"]
    assert server.get("/api1/x3/erp/SAMINC/$prototypes('NOPE.$query')").status_code == 404


def test_endpoints_can_be_listed_and_named(serve):
    with serve(endpoints={"SEED": "SAMLTD"}) as server:
        path = "/api1/syracuse/collaboration/syracuse/endPoints"
        body = server.get(path, representation="endPoints.$query", count=100).json()
        assert [row["dataset"] for row in body["$resources"]] == ["SEED"]
        assert numbers(server.rest("BPSUPPLIER", endpoint="SEED")) == ["X1"]
        assert server.get("/api1/x3/erp/SAMLTD/BPSUPPLIER").status_code == 500


def test_sdata_and_writing_are_refused(server):
    assert server.get("/sdata/x3/erp/SAMINC/BPSUPPLIER").status_code == 403
    answer = requests.post(server.url + LIST, auth=BASIC, json={}, timeout=30)
    assert answer.status_code == 405


def test_a_forbidden_class_is_refused(serve):
    with serve(forbidden=("BPSUPPLIER",)) as server:
        assert server.rest("BPSUPPLIER", status=403)["$diagnoses"]
        assert server.rest("TABCUR")["$resources"]
