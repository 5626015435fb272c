"""Settings from the environment have the types that are declared, and what is wrong with them is said."""

from __future__ import annotations

import pytest
from singer_sdk import typing as th

from ml_connector.config_errors import config_errors
from ml_connector.environment import environment_config

SCHEMA = th.PropertiesList(
    th.Property("password", th.StringType, secret=True),
    th.Property("page_size", th.IntegerType(minimum=1)),
    th.Property("request_timeout", th.NumberType(exclusive_minimum=0)),
    th.Property("verify", th.BooleanType, default=True),
    th.Property("limit", th.CustomType({"type": ["string", "number", "null"]})),
    th.Property("companies", th.ArrayType(th.StringType)),
    th.Property("entities", th.ArrayType(th.ObjectType(th.Property("id", th.StringType)))),
    th.Property("renamed", th.ObjectType(additional_properties=th.StringType)),
).to_dict()


@pytest.fixture
def settings(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def read(**texts):
        for name, text in texts.items():
            monkeypatch.setenv(f"TAP_BOOKS_{name.upper()}", text)
        return environment_config(SCHEMA, "TAP_BOOKS_")

    return read


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("password", "90210", "90210"),
        ("password", "", ""),
        ("page_size", " 500 ", 500),
        ("request_timeout", "30", 30),
        ("request_timeout", "0.5", 0.5),
        ("verify", "False", False),
        ("verify", "on", True),
        ("limit", "0.01", "0.01"),
        ("companies", '["SAMINC", "SAMLTD"]', ["SAMINC", "SAMLTD"]),
        ("companies", "SAMINC, SAMLTD", ["SAMINC", "SAMLTD"]),
        ("companies", "1200", ["1200"]),
        ("entities", '[{"id": "A"}]', [{"id": "A"}]),
        ("renamed", '{"a": "b"}', {"a": "b"}),
    ],
)
def test_a_text_becomes_what_is_declared(settings, name, text, value):
    found = settings(**{name: text})
    assert found == {name: value}
    assert type(found[name]) is type(value)
    assert config_errors(found, SCHEMA) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("page_size", "many", "a whole number"),
        ("page_size", "1.5", "a whole number"),
        ("request_timeout", "soon", "a number"),
        ("request_timeout", "NaN", "a number"),
        ("request_timeout", "Infinity", "a number"),
        ("verify", "maybe", "true or false"),
        ("entities", "A,B", "an object"),
        ("renamed", "{a: b}", "an object"),
    ],
)
def test_what_is_no_such_value_is_named(settings, name, text, said):
    (error,) = set(config_errors(settings(**{name: text}), SCHEMA)) & {
        f"Setting {name}{place} must be {said}." for place in ("", "[0]")
    }
    assert text not in error


@pytest.mark.parametrize("name", ["page_size", "request_timeout", "verify", "companies"])
def test_an_empty_variable_sets_nothing(settings, name):
    assert settings(**{name: ""}) == {}
