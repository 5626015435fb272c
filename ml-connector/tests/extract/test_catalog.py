"""A catalog is believed as the SDK believes it, though only what is read of it is looked at."""

from __future__ import annotations

from unittest import mock

import pytest
from singer_sdk.singerlib import Catalog, Schema

from ml_connector.extract.catalog import RunCatalog

AMOUNT = {"type": "number", "multipleOf": 0.001, "x-precision": 19, "x-scale": 3}


def entry(name, **root):
    metadata = [{"breadcrumb": ["properties", "Number"], "metadata": {"inclusion": "automatic"}}]
    if root:
        own = {word.replace("_", "-"): value for word, value in root.items()}
        metadata.append({"breadcrumb": [], "metadata": own})
    schema = {"type": "object", "properties": {"Number": {"type": "string"}, "Amount": AMOUNT}}
    return {
        "tap_stream_id": name,
        "stream": name,
        "key_properties": ["Number"],
        "replication_method": "INCREMENTAL",
        "schema": schema,
        "metadata": metadata,
    }


@pytest.mark.parametrize(
    "root",
    [
        {},
        {"selected": True},
        {"selected": False},
        {"selected_by_default": True},
        {"selected": False, "selected_by_default": True},
        {"inclusion": "available"},
        {"inclusion": "automatic", "selected": False},
        {"inclusion": "unsupported", "selected": True},
    ],
)
def test_a_stream_is_selected_by_the_rules_of_the_sdk(root):
    document = {"streams": [entry("vendors", **root)]}
    expected = Catalog.from_dict(document).get_stream("vendors").metadata.resolve_selection().get((), True)
    assert RunCatalog(document).selects("vendors") is expected


def test_a_stream_that_a_catalog_lacks_is_not_selected():
    assert not RunCatalog({"streams": [entry("vendors")]}).selects("customers")


def test_a_catalog_is_the_same_as_the_sdks():
    document = {"streams": [entry("vendors", selected=True), entry("customers")]}
    assert RunCatalog(document).to_dict() == Catalog.from_dict(document).to_dict()


def test_only_what_is_asked_for_is_parsed():
    with mock.patch.object(Schema, "from_dict", wraps=Schema.from_dict) as parsed:
        catalog = RunCatalog({"streams": [entry("vendors", selected=True), entry("customers")]})
        assert catalog.selects("vendors")
        before = parsed.call_count
        assert catalog.get_stream("vendors").schema.to_dict()["properties"]["Number"] == {"type": "string"}
        assert catalog.get_stream("vendors").replication_method == "INCREMENTAL"
        assert parsed.call_count == before + 3  # the schema and its two columns


def test_digits_survive_though_the_sdk_has_no_words_for_them():
    catalog = RunCatalog({"streams": [entry("vendors")]})
    assert catalog.digits("vendors") == {"Amount": {"x-precision": 19, "x-scale": 3}}
    assert catalog.digits("customers") == {}
