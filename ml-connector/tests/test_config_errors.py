"""A wrong setting is named, and its value never shown."""

from __future__ import annotations

import pytest
from singer_sdk import typing as th

from ml_connector.config_errors import config_errors, secret_names

SCHEMA = th.PropertiesList(
    th.Property("password", th.StringType, required=True, secret=True),
    th.Property("port", th.IntegerType(minimum=1, maximum=65535)),
    th.Property("verify", th.BooleanType, default=True),
    th.Property("method", th.StringType(allowed_values=["upsert", "scd2"])),
    th.Property("limit", th.CustomType({"type": ["string", "number", "null"]})),
    th.Property(
        "companies",
        th.ArrayType(
            th.ObjectType(
                th.Property("company_id", th.StringType, required=True),
                th.Property("company_password", th.StringType, secret=True),
                additional_properties=False,
            )
        ),
    ),
).to_dict()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"password": 90210}, ["Setting password must be text."]),
        ({}, ["Setting password is missing."]),
        ({"password": ["hidden"]}, ["Setting password must be text."]),
        ({"password": "a", "port": "hidden"}, ["Setting port must be a whole number."]),
        ({"password": "a", "port": 0}, ["Setting port must be at least 1."]),
        ({"password": "a", "port": 90210}, ["Setting port must be at most 65535."]),
        ({"password": "a", "verify": "hidden"}, ["Setting verify must be true or false."]),
        ({"password": "a", "method": "hidden"}, ["Setting method must be one of upsert, scd2."]),
        ({"password": "a", "limit": ["hidden"]}, ["Setting limit must be text or a number."]),
        ({"password": "a", "companies": "hidden"}, ["Setting companies must be a list."]),
        (
            {"password": "a", "companies": [{"company_id": "A"}, {"company_password": 90210, "x": "hidden"}]},
            [
                "Setting companies[1].company_id is missing.",
                "Setting companies[1].company_password must be text.",
                "There is no setting companies[1].x.",
            ],
        ),
        ({"password": "a"}, []),
    ],
)
def test_each_mistake_is_a_sentence_without_the_value(config, said):
    found = config_errors(config, SCHEMA)
    assert sorted(found) == sorted(said)
    assert "hidden" not in str(found)
    assert "90210" not in str(found)


def test_judging_changes_nothing():
    config = {"password": "a"}
    config_errors(config, SCHEMA)
    assert config == {"password": "a"}


def test_secret_settings_are_found_at_any_depth():
    assert secret_names(SCHEMA) == {"password", "company_password"}
