"""Schemas and answers of GraphQL: what is mapped, what is paged, what is refused."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from ml_connector.extract.errors import ApiError, Denied, Refused, StreamUnavailable
from ml_connector.extract.source import Bound, ReadRequest, Selection
from tap_sagex3.client import Client
from tap_sagex3.sources import graphql
from tap_sagex3.sources.graphql import GraphqlSource
from tap_sagex3.sources.graphql_read import known_nodes
from tap_sagex3.sources.nodes import NodeReader
from tap_sagex3.introspection import Schema
from tap_sagex3.selection import FieldMap, quoted, text_of
from tap_sagex3.streams import RESOURCES

_SPEC = importlib.util.spec_from_file_location(
    "graphql_schemas", Path(__file__).parent / "graphql_schemas.py"
)
given = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(given)
CODE, connection, field, kind, schema = given.CODE, given.connection, given.field, given.kind, given.schema
NODES = known_nodes(RESOURCES)
BY_NAME = {resource.stream: resource for resource in RESOURCES}
SUPPLIERS, JOURNALS = BY_NAME["suppliers"], BY_NAME["gl_journals"]
ALL = ReadRequest(SUPPLIERS, Selection(frozenset({"BPSNUM"})))
LINE_FIELDS = frozenset({"TYP", "NUM", "LIN", "LEDTYP", "AMTLED"})
ANALYTICAL = Selection(frozenset({"ANALIN", "AMTLED", "CCE", "DIE"}))
DOCUMENTS = Selection(
    frozenset({"TYP", "NUM", "STA"}), {"HAEDAE": Selection(LINE_FIELDS, {"DAEDAA": ANALYTICAL})}
)


def records(page):
    """The records of a page as dictionaries, lines inside their documents."""
    levels = page.levels()

    def of(path):
        level = levels[path]
        rows = [
            {name: plain(values[place]) for name, values in level.columns.items()}
            for place in range(level.count)
        ]
        for inner in [each for each in levels if each[:-1] == path and each]:
            for row in rows:
                row[inner[-1]] = []
            for parent, row in zip(levels[inner].parents, of(inner), strict=True):
                rows[parent][inner[-1]].append(row)
        return rows

    return of(())


def plain(value):
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else value


def read_by(level, *nodes):
    found = {}
    NodeReader(level, FieldMap(Schema(schema(CODE), "auto"), NODES), ()).add(
        list(nodes), None, None, None, found
    )
    return [
        {name: values[place] for name, values in found[()].columns.items()} for place in range(len(nodes))
    ]


def api(little, generation="auto"):
    config = {"base_url": little.url, "username": "me", "password": "secret", "max_retries": 0}
    return GraphqlSource(Client(config, "SEED"), generation, logging.getLogger("test"))


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
    level = FieldMap(found, NODES).level(entry.type, (), None)
    (record,) = read_by(
        level,
        {
            "code": {"_id": "V1"},
            "companyName1": "one",
            "companyName2": "two",
            "supplierName": "Anna",
            "isActive": False,
            "kind": "prospect",
            "ownThing": "mine",
            "_updateStamp": "2026-01-31T10:00:00Z",
        },
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
    (other,) = read_by(level, {**dict.fromkeys(["companyName1", "companyName2", "supplierName"], ""), "code": None,
                         "isActive": None, "kind": "unheard of", "ownThing": None,
                         "_updateStamp": None})  # fmt: skip
    assert other["BPSTYP"] == "unheard of"


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
    (page,) = api(little).pages(ALL)
    assert records(page) == [{"BPSNUM": "V1"}]
    assert "name" not in asked[0].replace("pageInfo", "")
    assert little.requests[-1]["headers"]["x-xtrem-endpoint"] == "SEED"


@pytest.mark.parametrize(
    ("answer", "kind_of", "words"),
    [
        ({"data": {"x3MasterData": {"supplier": {"query": {"edges": []}}}}, "errors": [{"message": "Broken", "path": ["a", 0]}]}, ApiError, r"Broken \(at a\.0\)"),
        ({"data": None, "errors": [{"message": "Supplier.read not activated"}]}, StreamUnavailable, "not activated"),
        ({"data": None, "errors": [{"message": "You have no access rights"}]}, Denied, "deselect"),
        ({"data": None}, ApiError, "no data"),
        ({"data": {"x3MasterData": None}}, ApiError, "no data and no error"),
    ],
)  # fmt: skip
def test_half_an_answer_is_an_error(little, answer, kind_of, words):
    little.answers = [(200, {"data": {"__schema": schema(CODE)}}), (200, answer)]
    with pytest.raises(kind_of, match=words):
        list(api(little).pages(ALL))


def test_what_is_not_in_the_schema_is_unavailable(little):
    little.answers = [(200, {"data": {"__schema": schema(CODE)}})]
    with pytest.raises(StreamUnavailable, match="no node journalEntry"):
        list(api(little).pages(ReadRequest(JOURNALS, ALL.selection)))


def test_a_schema_that_is_not_x3s_names_the_settings(little):
    little.answers = [(200, {"data": {"__schema": schema(CODE, root="films")}})]
    with pytest.raises(ApiError, match="schema_generation"):
        list(api(little).pages(ALL))
    little.answers = [(200, {"data": {"__schema": schema(CODE)}})]
    with pytest.raises(ApiError, match="of the generation sage"):
        list(api(little, "sage").pages(ALL))


def test_a_cursor_that_does_not_move_is_an_error(little):
    edges = [{"node": {"_id": "V1", "code": {"_id": "V1"}}}]
    page = {"edges": edges, "pageInfo": {"endCursor": "same", "hasNextPage": True}}
    little.answers = [
        (200, {"data": {"__schema": schema(CODE)}}),
        (200, {"data": {"x3MasterData": {"supplier": {"query": page}}}}),
    ]
    with pytest.raises(ApiError, match="repeats the cursor"):
        list(api(little).pages(ALL))


def test_a_stamp_that_is_not_in_the_schema_is_refused_before_it_is_asked(little):
    little.answers = [(200, {"data": {"__schema": schema(CODE)}})]
    since = (Bound(SUPPLIERS.stamps[0], "2026-03-02T00:00:00Z"),)
    with pytest.raises(Refused, match="shows no UPDDATTIM") as refused:
        list(api(little).pages(replace(ALL, since=since)))
    assert refused.value.what == "filter"


def served_api(x3):
    return GraphqlSource(Client(x3.config("graphql"), "SAMINC"), "auto", logging.getLogger("test"))


def test_lines_are_paged_to_their_end_on_every_level(x3, monkeypatch):
    whole = [r for page in served_api(x3).pages(ReadRequest(JOURNALS, DOCUMENTS)) for r in records(page)]
    assert any(len(line["DAEDAA"]) > 1 for record in whole for line in record["HAEDAE"])
    monkeypatch.setattr(graphql, "LINES_PAGE", 1)
    monkeypatch.setattr(graphql, "DOCUMENT_PAGE", 7)
    pages = served_api(x3).pages(ReadRequest(JOURNALS, DOCUMENTS))
    paged = [record for _, page in zip(range(4), pages, strict=False) for record in records(page)]
    assert len(paged) == 28
    assert paged == whole[:28]


def test_records_are_read_by_their_keys_and_those_gone_are_missing(x3):
    first = next(iter(served_api(x3).pages(ReadRequest(JOURNALS, Selection(frozenset(JOURNALS.key))))))
    keys = [(record["TYP"], record["NUM"]) for record in records(first)[:60]]
    pages = served_api(x3).records(ReadRequest(JOURNALS, DOCUMENTS), [*keys, ("NONE", "NOTHING")])
    found = [record for page in pages for record in records(page)]
    assert sorted((record["TYP"], record["NUM"]) for record in found) == sorted(keys)


def test_documents_are_found_through_lines_that_changed(x3):
    keys = set(served_api(x3).changed_documents(JOURNALS, "2000-01-01T00:00:00Z"))
    stored = x3.stored("GACCENTRY")["GACCENTRY"].values()
    assert keys == {(doc["TYP"], doc["NUM"]) for doc in stored}
    assert not set(served_api(x3).changed_documents(JOURNALS, "2999-01-01T00:00:00Z"))


def test_what_a_catalog_selects_and_the_schema_has_not_is_said_once(x3, caplog):
    wanted = Selection(frozenset({"BPSNUM", "NOTHING"}))
    assert list(served_api(x3).pages(ReadRequest(SUPPLIERS, wanted)))
    (said,) = [each for each in caplog.messages if "this schema has no" in each]
    assert said.endswith("has no NOTHING; they stay empty.")
    caplog.clear()
    wanted = Selection(
        frozenset({"TYP", "NUM"}), {"HAEDAE": Selection(frozenset({"LIN", "WHAT"})), "MORE": ANALYTICAL}
    )
    assert list(served_api(x3).pages(ReadRequest(JOURNALS, wanted)))
    assert any("has no HAEDAE.WHAT, MORE;" in each for each in caplog.messages)


def test_texts_are_quoted_as_graphql_wants():
    assert quoted('a"b\\c\n') == '"a\\"b\\\\c\\u000a"'


def test_elements_never_take_the_place_of_their_documents_key():
    """A node of elements bears its document's key too, with its code in the description."""
    elements = kind(
        "Element",
        field("denormalizedIndex", "Int"),
        field("id", "String", "Supplier (BPSNUM)"),
        field("dimension", "String", "Dimension (CCE)"),
    )
    found = Schema(
        schema(CODE, field("dimensions", "Element_Ops"), more=[elements, *connection("Element")]), "auto"
    )
    level = FieldMap(found, {}).level("Supplier", (), None, SUPPLIERS.key)
    assert [column.code for column in level.columns] == ["BPSNUM", "CCE"]
    assert level.columns[0].inside is None


def test_a_key_that_no_property_shows_is_read_from_the_nodes_id():
    found = Schema(schema(field("name", "String", "Name (BPSNAM)")), "auto")
    level = FieldMap(found, {}).level("Supplier", (), None, ("BPATYP", "BPSNUM"))
    assert read_by(level, {"_id": "1|V1", "name": "Anna"}) == [
        {"BPSNAM": "Anna", "BPATYP": "1", "BPSNUM": "V1"}
    ]


def test_a_code_with_the_number_of_an_element_is_the_fields():
    found = Schema(schema(CODE, field("tax", "String", "Tax (VAT_0)")), "auto")
    assert "VAT" in FieldMap(found, {}).described("Supplier", ()).fields


def test_a_condition_that_is_an_error_of_the_server_is_a_refusal(little):
    """Sage's help: an unknown property in where is answered with 500."""
    little.answers = [
        (200, {"data": {"__schema": schema(CODE, field("_updateStamp", "Datetime"))}}),
        (200, {"data": None, "errors": [{"message": "Property _updateStamp does not exist"}]}),
    ]
    since = (Bound(SUPPLIERS.stamps[0], "2026-03-02T00:00:00Z"),)
    with pytest.raises(Refused, match="does not exist"):
        list(api(little).pages(replace(ALL, since=since)))
