"""Schemas and answers of GraphQL: what is mapped, what is paged, what is refused."""

from __future__ import annotations

import logging
from datetime import datetime, timezone

import pytest

from tap_sagex3 import graphql
from tap_sagex3.api import Question, Wanted
from tap_sagex3.client import Client
from tap_sagex3.errors import SageX3Error, StreamUnavailable
from tap_sagex3.graphql import GraphqlApi
from tap_sagex3.introspection import Schema
from tap_sagex3.selection import FieldMap, quoted, text_of
from tap_sagex3.streams import RESOURCES

BY_NAME = {resource.stream: resource for resource in RESOURCES}
SUPPLIERS, JOURNALS = BY_NAME["suppliers"], BY_NAME["gl_journals"]
ALL = Question(Wanted(frozenset({"BPSNUM"})))
LINE_FIELDS = frozenset({"TYP", "NUM", "LIN", "LEDTYP", "AMTLED"})
ANALYTICAL = Wanted(frozenset({"ANALIN", "AMTLED", "CCE", "DIE"}))
DOCUMENTS = Wanted(frozenset({"TYP", "NUM", "STA"}), {"HAEDAE": Wanted(LINE_FIELDS, {"DAEDAA": ANALYTICAL})})


def field(name, kind, description=None, *args):
    return {
        "name": name,
        "description": description,
        "args": [{"name": each} for each in args],
        "type": {"kind": "OBJECT", "name": kind, "ofType": None},
    }


def kind(name, *fields, values=None):
    shape = "ENUM" if values else "OBJECT" if fields else "SCALAR"
    return {
        "name": name,
        "kind": shape,
        "fields": list(fields) or None,
        "enumValues": [{"name": each} for each in values or ()],
    }


def connection(of):
    return [
        kind(f"{of}_C", field("edges", f"{of}_E"), field("pageInfo", "PageInfo"), field("totalCount", "Int")),
        kind(f"{of}_E", field("node", of), field("cursor", "String")),
        kind(f"{of}_Ops", field("query", f"{of}_C"), field("read", of)),
    ]


def schema(*properties, root="x3MasterData", more=()):
    types = [
        kind("Query", field(root, "Pack")),
        kind("Pack", field("supplier", "Supplier_Ops")),
        *connection("Supplier"),
        kind("Supplier", field("_id", "Id"), *properties),
        kind("BusinessPartner", field("_id", "Id"), field("code", "String", "Code (BPRNUM)")),
        kind("Int"),
        kind("String"),
        kind("Id"),
        kind("Datetime"),
        *more,
    ]
    return {"queryType": {"name": "Query"}, "types": types}


def api(little, generation="auto"):
    config = {"base_url": little.url, "username": "me", "password": "secret", "max_retries": 0}
    return GraphqlApi(Client(config, "SEED"), None, generation, logging.getLogger("test"))


CODE = field("code", "BusinessPartner", "Supplier (BPSNUM)")


def test_properties_are_mapped_by_the_codes_in_their_descriptions():
    found = Schema(
        schema(
            CODE,
            field("companyName2", "String", "Company name 2 (BPRNAM)"),
            field("companyName1", "String", "Company name 1 (BPRNAM)"),
            field("localizedName", "String", "Name (BPSNAM)"),
            field("supplierName", "String", "Name (BPSNAM)"),
            field("isActive", "Boolean", "Active (ENAFLG)"),
            field("kind", "Kind", "Type (BPSTYP)"),
            field("ownThing", "String", "Made by the site"),
            field("_updateStamp", "Datetime"),
            field("_etag", "String"),
            more=[kind("Boolean"), kind("Kind", values=["normal", "prospect"])],
        ),
        "auto",
    )
    entry = found.entry("x3MasterData", "supplier")
    assert entry.path == ("x3MasterData", "supplier")
    level = FieldMap(found, {}).level(entry.type, (), None)
    record = level.record(
        {
            "code": {"_id": "V1"},
            "companyName1": "one",
            "companyName2": "two",
            "supplierName": "Anna",
            "isActive": False,
            "kind": "prospect",
            "ownThing": "mine",
            "_updateStamp": "2026-01-31T10:00:00Z",
        }
    )
    assert record == {
        "BPSNUM": "V1",
        "BPRNAM": ["one", "two"],
        "BPSNAM": "Anna",
        "ENAFLG": False,
        "BPSTYP": 2,
        "ownThing": "mine",
        "UPDDATTIM": "2026-01-31T10:00:00Z",
    }
    assert "_etag" not in text_of(level, 1)
    assert level.record({**dict.fromkeys(["companyName1", "companyName2", "supplierName"], ""), "code": None,
                         "isActive": None, "kind": "unheard of", "ownThing": None,
                         "_updateStamp": None})["BPSTYP"] == "unheard of"  # fmt: skip


@pytest.mark.parametrize(
    ("root", "generation"), [("x3MasterData", "x3"), ("xtremX3MasterData", "xtremX3"), ("x3Elsewhere", "x3")]
)
def test_a_node_is_found_in_its_package_or_in_another(root, generation):
    found = Schema(schema(CODE, root=root), "auto")
    assert found.generation == generation
    assert found.entry("x3MasterData", "supplier").path == (root, "supplier")
    assert found.entry("x3MasterData", "nothing") is None


def test_only_what_is_wanted_is_asked_for(little):
    asked = []

    def answer(request):
        text = request["body"].decode()
        if "__schema" in text:
            return 200, {"data": {"__schema": schema(CODE, field("name", "String", "Name (BPSNAM)"))}}
        asked.append(text)
        edges = [{"node": {"_id": "V1", "code": {"_id": "V1"}}}]
        info = {"endCursor": "x", "hasNextPage": False}
        return 200, {"data": {"x3MasterData": {"supplier": {"query": {"edges": edges, "pageInfo": info}}}}}

    little.answers = [answer]
    (page,) = api(little).pages(SUPPLIERS, ALL)
    assert page.records == [{"BPSNUM": "V1"}]
    assert "name" not in asked[0].replace("pageInfo", "")
    assert little.requests[-1]["headers"]["x-xtrem-endpoint"] == "SEED"


@pytest.mark.parametrize(
    ("answer", "kind_of", "words"),
    [
        ({"data": {"x3MasterData": {"supplier": {"query": {"edges": []}}}}, "errors": [{"message": "Broken", "path": ["a", 0]}]}, SageX3Error, r"Broken \(at a\.0\)"),
        ({"data": None, "errors": [{"message": "Supplier.read not activated"}]}, StreamUnavailable, "not activated"),
        ({"data": None, "errors": [{"message": "You have no access rights"}]}, SageX3Error, "deselect"),
        ({"data": None}, SageX3Error, "no data"),
        ({"data": {"x3MasterData": None}}, SageX3Error, "no data and no error"),
    ],
)  # fmt: skip
def test_half_an_answer_is_an_error(little, answer, kind_of, words):
    little.answers = [(200, {"data": {"__schema": schema(CODE)}}), (200, answer)]
    with pytest.raises(kind_of, match=words):
        list(api(little).pages(SUPPLIERS, ALL))


def test_what_is_not_in_the_schema_is_unavailable(little):
    little.answers = [(200, {"data": {"__schema": schema(CODE)}})]
    with pytest.raises(StreamUnavailable, match="no node journalEntry"):
        list(api(little).pages(JOURNALS, ALL))


def test_a_schema_that_is_not_x3s_names_the_settings(little):
    little.answers = [(200, {"data": {"__schema": schema(CODE, root="films")}})]
    with pytest.raises(SageX3Error, match="schema_generation"):
        list(api(little).pages(SUPPLIERS, ALL))
    little.answers = [(200, {"data": {"__schema": schema(CODE)}})]
    with pytest.raises(SageX3Error, match="of the generation sage"):
        list(api(little, "sage").pages(SUPPLIERS, ALL))


def test_a_cursor_that_does_not_move_is_an_error(little):
    edges = [{"node": {"_id": "V1", "code": {"_id": "V1"}}}]
    page = {"edges": edges, "pageInfo": {"endCursor": "same", "hasNextPage": True}}
    little.answers = [
        (200, {"data": {"__schema": schema(CODE)}}),
        (200, {"data": {"x3MasterData": {"supplier": {"query": page}}}}),
    ]
    with pytest.raises(SageX3Error, match="repeats the cursor"):
        list(api(little).pages(SUPPLIERS, ALL))


def test_a_stamp_that_is_not_in_the_schema_reads_all_and_says_so(little, caplog):
    edges = [{"node": {"_id": "V1", "code": {"_id": "V1"}}}]
    page = {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}
    little.answers = [
        (200, {"data": {"__schema": schema(CODE)}}),
        (200, {"data": {"x3MasterData": {"supplier": {"query": page}}}}),
    ]
    mark = datetime(2026, 3, 2, tzinfo=timezone.utc)
    list(api(little).pages(SUPPLIERS, Question(ALL.wanted, since=mark, bookmark=mark)))
    assert "all of it is read" in caplog.text
    assert "filter" not in little.requests[-1]["body"].decode()


def served_api(x3):
    return GraphqlApi(Client(x3.config("graphql"), "SAMINC"), None, "auto", logging.getLogger("test"))


def test_lines_are_paged_to_their_end_on_every_level(x3, monkeypatch):
    whole = [r for page in served_api(x3).pages(JOURNALS, Question(DOCUMENTS)) for r in page.records]
    assert any(len(line["DAEDAA"]) > 1 for record in whole for line in record["HAEDAE"])
    monkeypatch.setattr(graphql, "LINES_PAGE", 1)
    monkeypatch.setattr(graphql, "DOCUMENT_PAGE", 7)
    few = BY_NAME["gl_journals"]
    pages = served_api(x3).pages(few, Question(DOCUMENTS))
    paged = [record for _, page in zip(range(4), pages, strict=False) for record in page.records]
    assert len(paged) == 28
    assert paged == whole[:28]


def test_records_are_read_by_their_keys_and_those_gone_are_missing(x3):
    keys = [tuple(record[name] for name in JOURNALS.key) for record in next(
        iter(served_api(x3).pages(JOURNALS, Question(Wanted(frozenset(JOURNALS.key)))))
    ).records[:60]]  # fmt: skip
    found = list(served_api(x3).records(JOURNALS, [*keys, ("NONE", "NOTHING")], DOCUMENTS))
    assert sorted((record["TYP"], record["NUM"]) for record in found) == sorted(keys)


def test_documents_are_found_through_lines_that_changed(x3):
    since = datetime(2000, 1, 1, tzinfo=timezone.utc)
    keys = set(served_api(x3).changed_through_lines(JOURNALS, since))
    stored = x3.stored("GACCENTRY")["GACCENTRY"].values()
    assert keys == {(doc["TYP"], doc["NUM"]) for doc in stored}
    later = datetime(2999, 1, 1, tzinfo=timezone.utc)
    assert not set(served_api(x3).changed_through_lines(JOURNALS, later))


def test_what_a_catalog_selects_and_the_schema_has_not_is_said_once(x3, caplog):
    wanted = Wanted(frozenset({"BPSNUM", "NOTHING"}))
    assert list(served_api(x3).pages(SUPPLIERS, Question(wanted)))
    (said,) = [each for each in caplog.messages if "this schema has no" in each]
    assert said.endswith("has no NOTHING; they stay empty.")
    caplog.clear()
    wanted = Wanted(
        frozenset({"TYP", "NUM"}), {"HAEDAE": Wanted(frozenset({"LIN", "WHAT"})), "MORE": ANALYTICAL}
    )
    assert list(served_api(x3).pages(JOURNALS, Question(wanted)))
    assert any("has no HAEDAE.WHAT, MORE;" in each for each in caplog.messages)


def test_texts_are_quoted_as_graphql_wants():
    assert quoted('a"b\\c\n') == '"a\\"b\\\\c\\u000a"'
