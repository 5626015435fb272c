"""GraphQL schemas as servers have them: what is asked of them, kept, and mapped where they do not tell."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from ml_connector.extract.errors import Refused
from ml_connector.extract.source import ReadRequest, Selection
from tap_sagex3.client import Client
from tap_sagex3.introspection import Schema
from tap_sagex3.properties import PropertyCodes
from tap_sagex3.schema_cache import SchemaCache
from tap_sagex3.selection import FieldMap, KnownNode, text_of
from tap_sagex3.sources.graphql import GraphqlSource
from tap_sagex3.sources.graphql_read import known_nodes
from tap_sagex3.sources.nodes import NodeReader
from tap_sagex3.streams import RESOURCES

_SPEC = importlib.util.spec_from_file_location(
    "graphql_schemas", Path(__file__).parent / "graphql_schemas.py"
)
given = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(given)
CODE, connection, field, kind, schema = given.CODE, given.connection, given.field, given.kind, given.schema

SUPPLIERS = next(each for each in RESOURCES if each.stream == "suppliers")
WANTED = ReadRequest(SUPPLIERS, Selection(frozenset({"BPSNUM", "BPSNAM"})))
NAME = field("name", "String", "Name (BPSNAM)")


class Server:
    """Answers by type, and with suppliers; knows what it was asked."""

    def __init__(self, little, document):
        self.little, self.document, self.asked = little, document, []
        little.answers = [self.answer]

    def answer(self, request):
        text = json.loads(request["body"])["query"]
        self.asked.append(text)
        if "types {" in text:
            return 200, {"data": {"__schema": self.document}}
        if "__schema" in text:
            return 200, {"data": {"__schema": {"queryType": {"name": "Query"}}}}
        types = {each["name"]: each for each in self.document["types"]}
        if "__type" in text:
            names = dict(re.findall(r'(t\d+): __type\(name: "(\w+)"\)', text))
            return 200, {"data": {alias: types.get(name) for alias, name in names.items()}}
        known = {each["name"] for each in types["Supplier"]["fields"]}
        if unknown := {"name"} - known & set(re.findall(r"\w+", text)):
            if unknown & set(re.findall(r"\b(?<!\")name\b", text)):
                message = f'Cannot query field "{unknown.pop()}" on type "Supplier".'
                return 400, {"errors": [{"message": message}]}
        node = {"_id": "V1", "code": {"_id": "V1"}, **({"name": "Anna"} if "name" in known else {})}
        found = {"edges": [{"node": node}], "pageInfo": {"endCursor": "x", "hasNextPage": False}}
        return 200, {"data": {"x3MasterData": {"supplier": {"query": found}}}}

    def source(self, tmp_path):
        config = {
            "base_url": self.little.url,
            "username": "me",
            "password": "secret",
            "max_retries": 0,
            "token_file": str(tmp_path / "token.json"),
        }
        cache = SchemaCache(config, "SEED", "token.json")
        return GraphqlSource(Client(config, "SEED"), "auto", logging.getLogger("test"), cache=cache)

    def introspections(self):
        return [text for text in self.asked if "__" in text]


def names_of(page):
    return page.levels()[()].columns["BPSNAM"]


def test_only_types_that_are_needed_are_asked_for_and_only_once_a_day(little, tmp_path):
    elsewhere = [kind("Elsewhere", field("_id", "Id"), field("what", "String"))]
    server = Server(little, schema(CODE, NAME, more=elsewhere))
    source = server.source(tmp_path)
    (page,) = source.pages(WANTED)
    assert names_of(page) == ["Anna"]
    asked = " ".join(server.introspections())
    assert '"Supplier"' in asked
    assert "Elsewhere" not in asked
    assert "types {" not in asked
    source.close()

    server.asked.clear()
    source = server.source(tmp_path)
    (page,) = source.pages(WANTED)
    assert names_of(page) == ["Anna"]
    assert not server.introspections()
    source.close()

    (path,) = tmp_path.glob("tap-sagex3-schema-*.json")
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "asked_at": time.time() - 90_000}))
    server.asked.clear()
    list(server.source(tmp_path).pages(WANTED))
    assert server.introspections()


def test_discovery_asks_for_all_of_it_as_it_is_now(little, tmp_path):
    server = Server(little, schema(CODE))
    source = server.source(tmp_path)
    assert "BPSNAM" not in source.describe(SUPPLIERS).fields
    source.close()
    server.document = schema(CODE, NAME)
    source = server.source(tmp_path)
    assert "BPSNAM" in source.describe(SUPPLIERS).fields


def test_a_refusal_of_what_was_kept_has_the_schema_asked_for_again(little, tmp_path):
    server = Server(little, schema(CODE, NAME))
    source = server.source(tmp_path)
    list(source.pages(WANTED))
    source.close()
    server.document = schema(CODE)
    server.asked.clear()
    (page,) = server.source(tmp_path).pages(WANTED)
    assert page.levels()[()].columns["BPSNUM"] == ["V1"]
    assert server.introspections()


def test_a_folder_that_cannot_be_written_to_is_no_reason_to_fail(little, tmp_path):
    server = Server(little, schema(CODE, NAME))
    source = server.source(tmp_path / "missing")
    assert list(source.pages(WANTED))
    source.close()


def test_fields_that_no_description_names_are_mapped_by_what_ships_and_by_the_settings():
    plain = schema(
        field("code", "BusinessPartner"), field("companyName", "String"), field("isActive", "Boolean")
    )
    shipped = FieldMap(Schema(plain, "auto", PropertyCodes()), {}).described("Supplier", ()).fields
    assert set(shipped) == {"BPSNUM", "companyName", "isActive"}
    own = PropertyCodes({"BPSNAM": "supplier.companyName", "ENAFLG": "isActive"})
    found = FieldMap(Schema(plain, "auto", own), {}).described("Supplier", ()).fields
    assert set(found) == {"BPSNUM", "BPSNAM", "ENAFLG"}


def test_an_enum_that_nobody_knows_is_text_whatever_the_shipped_schema_says(caplog, little, tmp_path):
    document = schema(
        CODE,
        NAME,
        field("kind", "Kind", "Type (BPSTYP)"),
        field("mood", "Mood", "Mood (ABCCLS)"),
        more=[kind("Kind", values=["normal", "prospect"]), kind("Mood", values=["glad", "sad"])],
    )
    from tap_sagex3.tap import FILES  # noqa: PLC0415 - beside what it is needed for

    server = Server(little, document)
    source = server.source(tmp_path)
    found = FILES.document(SUPPLIERS, source.describe(SUPPLIERS))["properties"]
    assert found["BPSTYP"]["type"] == ["integer", "null"]
    # the menu of this field is known, and these are not its values
    assert found["ABCCLS"]["type"] == ["integer", "null"]
    wanted = ReadRequest(SUPPLIERS, Selection(frozenset({"BPSNUM", "ABCCLS", "BPSTYP"})))
    list(source.pages(wanted))
    list(source.pages(wanted))
    (said,) = [each for each in caplog.messages if "no local menu" in each]
    assert "ABCCLS glad" in said


def test_a_node_of_a_custom_package_is_found_by_the_packages_name():
    found = schema(CODE, NAME)
    found["types"][0] = kind("Query", field("x3MasterData", "Pack"), field("acme", "Own"))
    found["types"].append(kind("Own", field("zContract", "Supplier_Ops")))
    assert Schema(found, "auto").entry("acme", "zContract").path == ("acme", "zContract")
    assert Schema(found, "auto").entry("", "zContract") is None


def elements_schema():
    elements = kind(
        "Element",
        field("denormalizedIndex", "Int"),
        field("value", "String", "Statistical group (TSCCOD)"),
        field("amount", "Decimal", "Amount (INVDTAAMT)"),
    )
    many = field("groups", "Element_Ops")
    return Schema(schema(CODE, many, more=[elements, *connection("Element"), kind("Decimal")]), "auto")


def page_of(places, following=None):
    edges = [
        {"node": {"denormalizedIndex": place, "value": f"G{place}", "amount": place / 2}} for place in places
    ]
    return {"query": {"edges": edges, "pageInfo": {"endCursor": following, "hasNextPage": bool(following)}}}


def test_elements_behind_a_page_are_read_like_lines():
    level = FieldMap(elements_schema(), {}).level("Supplier", (), None, SUPPLIERS.key)
    reader = NodeReader(level, FieldMap(elements_schema(), {}), ())
    asked, found = [], {}

    def more(inner, ids, after):
        asked.append((inner.property, tuple(ids), after))
        return [each["node"] for each in page_of([3])["query"]["edges"]]

    nodes = [
        {"_id": "V1", "code": {"_id": "V1"}, "groups": page_of([1, 2], "c2")},
        {"_id": "V2", "code": {"_id": "V2"}, "groups": page_of([1])},
    ]
    reader.add(nodes, None, more, None, found)
    assert found[()].columns["TSCCOD"] == [["G1", "G2", "G3"], ["G1"]]
    assert found[()].columns["INVDTAAMT"] == [[0.5, 1.0, 1.5], [0.5]]
    assert asked == [("groups", ("V1",), "c2")]


def test_a_part_of_a_key_that_holds_a_bar_is_read_from_its_property():
    account = kind(
        "Account", field("_id", "Id"), field("code", "String", "Code (ACC)"), field("chart", "String")
    )
    found = Schema(schema(CODE, field("account", "Account", "Account (ACC)"), more=[account]), "auto")
    fields = FieldMap(found, {"account": KnownNode(("COA", "ACC"), "ACC", ("GACCOUNT",))})
    level = fields.level("Supplier", (), None, SUPPLIERS.key)
    assert "account { _id code }" in text_of(level, 1)
    to = {}
    node = {"_id": "V1", "code": {"_id": "V1"}, "account": {"_id": "FRA|40|1", "code": "40|1"}}
    NodeReader(level, fields, ()).add([node, {**node, "account": None}], None, None, None, to)
    assert to[()].columns["ACC"] == ["40|1", None]


def test_a_page_of_lines_in_other_types_than_the_one_before_is_read():
    """Nodes of other types than the schema tells come as dictionaries, beside the Structs of another page."""
    account = kind("Account", field("_id", "Id"), field("code", "String", "Code (ACC)"))
    found = Schema(
        schema(
            CODE,
            field("account", "Account", "Account (ACC)"),
            field("amount", "Decimal", "Amount (AMT)"),
            more=[account, kind("Decimal")],
        ),
        "auto",
    )
    fields = FieldMap(found, {"account": KnownNode(("COA", "ACC"), "ACC", ("GACCOUNT",))})
    reader = NodeReader(fields.level("Supplier", (), None, SUPPLIERS.key), fields, ())
    typed = msgspec.json.decode(
        b'{"_id": "V1", "code": {"_id": "V1"}, "account": {"_id": "FRA|40", "code": "40"}, "amount": 1.50}',
        type=reader.type,
    )
    other = {"_id": "V2", "code": {"_id": "V2"}, "account": {"_id": "FRA|41", "code": None}, "amount": "2.50"}
    to = {}
    reader.add([typed, other, {**other, "account": None}], None, None, None, to)
    assert to[()].columns["BPSNUM"] == ["V1", "V2", "V2"]
    assert to[()].columns["ACC"] == ["40", "41", None]
    assert [bytes(to[()].columns["AMT"][0]), *to[()].columns["AMT"][1:]] == [b"1.50", "2.50", "2.50"]


def test_a_key_of_one_part_is_the_whole_id():
    found = Schema(schema(NAME), "auto")
    fields = FieldMap(found, known_nodes([replace(SUPPLIERS, node="supplier")]))
    to = {}
    level = fields.level("Supplier", (), None, SUPPLIERS.key)
    NodeReader(level, fields, ()).add([{"_id": "V|1", "name": "Anna"}], None, None, None, to)
    assert to[()].columns["BPSNUM"] == ["V|1"]


def test_a_key_of_several_parts_is_not_cut_where_it_cannot_be_told():
    fields = FieldMap(Schema(schema(NAME), "auto"), {})
    level = fields.level("Supplier", (), None, ("BPATYP", "BPSNUM"))
    to = {}
    NodeReader(level, fields, ()).add(
        [{"_id": "1|V|1", "name": "Anna"}, {"_id": "1|V1", "name": "Eva"}], None, None, None, to
    )
    # null, which is refused as a key and names the stream
    assert to[()].columns["BPSNUM"] == [None, "V1"]


def test_a_page_size_that_is_refused_names_the_setting(little, tmp_path):
    server = Server(little, schema(CODE, NAME))
    answer = server.answer

    def refuse(request):
        if b"first: 500" in request["body"]:
            return 200, {"data": None, "errors": [{"message": "Invalid value for first: 500"}]}
        return answer(request)

    little.answers = [refuse]
    with pytest.raises(Refused, match="page_size") as refused:
        list(server.source(tmp_path).pages(WANTED))
    assert refused.value.what == "size"
    assert list(server.source(tmp_path).pages(replace(WANTED, size=250)))
    assert os.listdir(tmp_path) == []  # nothing is written before the end


def test_changed_lines_are_asked_for_with_the_page_size_of_all_else(x3, tmp_path):
    """A server with a lower limit ended every second run: 500 were asked for, whatever page_size."""
    config = x3.config("graphql")
    source = GraphqlSource(Client(config, "SAMINC"), "auto", logging.getLogger("test"))
    journals = next(each for each in RESOURCES if each.stream == "gl_journals")
    wanted = ReadRequest(journals, Selection(frozenset({"TYP", "NUM"})), size=40)
    next(iter(source.pages(wanted)))
    x3.requests()
    with_limit = set(source.changed_documents(journals, "2000-01-01T00:00:00Z"))
    assert len(x3.requests()) > 5
    assert len(with_limit) > 40
    source.close()


def test_changes_of_lines_alone_that_cannot_be_asked_for_are_said_once(little, tmp_path, caplog):
    server = Server(little, schema(CODE, NAME))
    source = server.source(tmp_path)
    orders = next(each for each in RESOURCES if each.stream == "purchase_orders")
    assert not list(source.changed_documents(orders, "2026-01-01T00:00:00Z"))
    assert not list(source.changed_documents(orders, "2026-01-01T00:00:00Z"))
    (said,) = [each for each in caplog.messages if "no nodes of lines" in each]
    assert "purchase_orders" in said
    assert "full_refresh_every" in said
