"""The generated business through the Web API: every set, every key, every value as ``$metadata`` promises."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from erp_sandbox import business
from erp_sandbox.sage300.app import create_app
from erp_sandbox.sage300.model import INTEGER_TYPES, catalogue

READABLE = sorted(name for name, each in catalogue().sets.items() if "GET" in each.verbs)


@pytest.fixture(scope="module")
def company(tmp_path_factory, serving):
    """A small generated business, served; a client of it."""
    path = tmp_path_factory.mktemp("business") / "business.db"
    business.create(path, companies=["SAMINC"], scale=0.05, seed=1)
    with serving(create_app(path, page_size=50)) as client:
        yield client


def key_text(prop, value):
    if isinstance(value, str) and prop.type != "Edm.DateTimeOffset":
        return (
            "'"
            + value.replace("'", "''").replace("/", "%2F").replace("%", "%25").replace("%252F", "%2F")
            + "'"
        )
    return str(value)


@pytest.mark.parametrize("name", READABLE)
def test_a_set_is_walked_and_each_record_is_found_by_its_key(company, name):
    entity_set = catalogue().sets[name]
    path = f"SAMINC/{entity_set.module}/{name}"
    rows = company.walk(path, count="true")
    assert rows, "the business fills every set"
    assert len(rows) == company.get(path, count="true", top=0).json()["@odata.count"]
    keys = [tuple(row[part] for part in entity_set.key) for row in rows]
    assert len(set(keys)) == len(keys)
    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        texts = [key_text(prop, row[prop.name]) for prop in entity_set.key_properties]
        named = ",".join(
            f"{prop.name}={text}" for prop, text in zip(entity_set.key_properties, texts, strict=True)
        )
        for key in (",".join(texts), named):
            answer = company.get(f"{path}({key})").json()
            answer.pop("@odata.context")
            assert answer == row


@pytest.mark.parametrize("name", READABLE)
def test_every_value_is_of_the_type_in_the_metadata(company, name):
    entity_set = catalogue().sets[name]
    text = company.get(f"SAMINC/{entity_set.module}/{name}").text
    for record in json.loads(text, parse_float=Decimal)["value"]:
        check(name, entity_set.properties, record)


def check(owner, properties, record):
    assert list(record) == [prop.name for prop in properties], owner
    for prop in properties:
        value, where = record[prop.name], f"{owner}.{prop.name}"
        if prop.type == "Collection":
            for detail in value:
                check(where, prop.properties, detail)
        elif prop.type == "Edm.DateTimeOffset":
            assert value is None or value.endswith("Z"), where
        elif prop.type == "Edm.Boolean":
            assert isinstance(value, bool), where
        elif prop.type in INTEGER_TYPES:
            assert isinstance(value, int), where
        elif prop.type == "Edm.Decimal":
            assert isinstance(value, int | Decimal), where
            assert -Decimal(value).as_tuple().exponent == prop.scale, where
        else:
            assert isinstance(value, str), where
        if prop.type == "Enum" and prop.members:
            assert value in prop.members or value.isdigit(), where


def test_days_that_pass_are_seen_by_a_running_server(tmp_path, serving):
    path = tmp_path / "business.db"
    business.create(path, companies=["SAMINC"], scale=0.05, seed=1)
    with serving(create_app(path)) as client:
        before = client.walk("SAMINC/AP/APInvoiceBatches")
        business.advance(path, 3)
        after = client.walk("SAMINC/AP/APInvoiceBatches")
    states = [{row["BatchNumber"]: row["BatchStatus"] for row in rows} for rows in (before, after)]
    assert set(states[1]) - set(states[0]), "new batches"
    assert any(states[1].get(number) != state for number, state in states[0].items()), (
        "posted or deleted ones"
    )
