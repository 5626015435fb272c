"""Servers and settings that are wrong: a sentence and an exit code, never success with nothing read."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tap_sagex3.tap import TapSageX3


def invoke(tmp_path, url, *arguments, **settings):
    config = tmp_path / "config.json"
    wanted = {
        "api": "rest",
        "base_url": url,
        "folders": ["SEED"],
        "username": "me",
        "password": "secret-word",
    }
    config.write_text(json.dumps({**wanted, "max_retries": 0, "discover_custom_fields": False, **settings}))
    return CliRunner().invoke(TapSageX3.cli, ["--config", str(config), *arguments])


@pytest.mark.parametrize("api", ["rest", "graphql"])
def test_a_folder_in_which_nothing_can_be_read_fails_the_run(little, tmp_path, api, caplog):
    little.answers = [(404, b"<html><title>Not Found</title></html>")]
    done = invoke(tmp_path, little.url, api=api)
    assert done.exit_code == 1
    assert "Nothing in SEED can be read" in caplog.text


def test_the_connection_test_of_a_wrong_address_fails(little, tmp_path):
    little.answers = [(404, b"<html><title>Not Found</title></html>")]
    done = invoke(tmp_path, little.url, "--test")
    assert done.exit_code == 1
    assert "FAIL  SEED: nothing in it can be read" in done.output
    assert "not available, its stream is skipped" in done.output
    assert not [
        line for line in done.output.splitlines() if line.startswith("ok") and "not available" in line
    ]


def test_no_folder_is_an_error(little, tmp_path):
    done = invoke(tmp_path, little.url, folders=[])
    assert done.exit_code == 1
    assert "folders is empty" in done.output
    assert not little.requests


@pytest.mark.parametrize(("name", "value"), [("start_date", "31.12.2026"), ("lookback", "soon")])
@pytest.mark.parametrize("arguments", [(), ("--test",)])
def test_a_setting_that_cannot_be_used_is_one_sentence(little, tmp_path, name, value, arguments):
    done = invoke(tmp_path, little.url, *arguments, **{name: value})
    assert done.exit_code == 1
    assert f"The setting {name}" in done.output
    assert "Traceback" not in done.output
    assert not little.requests


def test_one_kind_of_document_that_is_denied_does_not_starve_the_others(little, tmp_path, caplog):
    def answer(asked):
        if "/BPSUPPLIER" in asked["path"]:
            return 403, {"message": "Forbidden"}
        return 200, {"$resources": [], "$links": {}}

    little.answers = [answer]
    done = invoke(tmp_path, little.url)
    assert done.exit_code == 1
    failed = [line for line in caplog.messages if line.startswith("suppliers ")]
    assert any("right" in line for line in failed)
    assert "1 failed" in caplog.messages[-1]
    # what comes behind it was asked for all the same
    assert any("/SINVOICE" in asked["path"] for asked in little.requests)


def test_lines_are_told_of_their_document_and_versions_of_their_folders(little, tmp_path):
    little.answers = [(200, {"$resources": [], "$links": {}})]
    catalog = json.loads(invoke(tmp_path, little.url, "--discover").stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                selected = stream["tap_stream_id"] in {"payments", "payment_lines"}
                entry["metadata"] |= {"selected": selected, "forced-replication-method": "FULL_TABLE"}
        stream["replication_method"] = "FULL_TABLE"
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    lines = [
        json.loads(line)
        for line in invoke(tmp_path, little.url, "--catalog", str(path)).stdout.splitlines()
        if line.startswith("{")
    ]
    (schema,) = [each for each in lines if each["type"] == "SCHEMA" and each["stream"] == "payment_lines"]
    assert schema["schema"]["x-document-key"] == ["source_company", "NUM"]
    versions = [each for each in lines if each["type"] == "ACTIVATE_VERSION"]
    assert {each["stream"] for each in versions} == {"payments", "payment_lines"}
    assert all(each["x-partitions"] == [{"source_company": "SEED"}] for each in versions)


EXTRA = {"name": "z_contracts", "class": "ZCONTRACT", "key": ["ZNUM"], "stamp": "UPDDATTIM"}


def selected(text, *names):
    catalog = json.loads(text)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in names
    return catalog


def test_tables_of_the_sites_own_are_streams(little, tmp_path):
    fields = {"ZNUM": "string", "AMOUNT": "decimal", "UPDDATTIM": "datetime", "ZITMREF_REF": "reference"}

    def answer(asked):
        if "$prototypes('ZCONTRACT.$query')" in asked["path"]:
            return 200, {"$properties": {n: {"$type": f"application/x-{t}"} for n, t in fields.items()}}
        if asked["path"].endswith("/ZCONTRACT"):
            row = {"ZNUM": "C1", "AMOUNT": 1.50, "UPDDATTIM": "2026-03-01T10:00:00Z"}
            return 200, {"$resources": [row], "$links": {"$first": {}}}
        if "$prototypes" in asked["path"]:
            return 404, {}
        return 200, {"$resources": [], "$links": {}}

    little.answers = [answer]
    more = {"extra_resources": [EXTRA], "discover_custom_fields": True}
    found = invoke(tmp_path, little.url, "--discover", **more)
    catalog = selected(found.stdout, "z_contracts")
    (stream,) = [each for each in catalog["streams"] if each["tap_stream_id"] == "z_contracts"]
    assert stream["key_properties"] == ["source_company", "ZNUM"]
    assert stream["replication_key"] == "UPDDATTIM"
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    done = invoke(tmp_path, little.url, "--catalog", str(path), **more)
    assert done.exit_code == 0, done.output
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    (record,) = [each["record"] for each in messages if each["type"] == "RECORD"]
    assert record == {
        "source_company": "SEED",
        "ZNUM": "C1",
        "AMOUNT": 1.5,
        "UPDDATTIM": "2026-03-01T10:00:00Z",
    }
    # what only the declaration tells is enough to read the key by
    offline = invoke(tmp_path, little.url, "--discover", extra_resources=[EXTRA])
    (stream,) = [s for s in json.loads(offline.stdout)["streams"] if s["tap_stream_id"] == "z_contracts"]
    assert set(stream["schema"]["properties"]) == {"source_company", "ZNUM", "UPDDATTIM", "UPDDAT"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**EXTRA, "name": "suppliers"}, "there is a stream suppliers already"),
        ({**EXTRA, "class": None, "node": "zContract"}, "has no class"),
        ({**EXTRA, "key": []}, "has no key"),
    ],
)
def test_a_table_of_the_sites_own_that_cannot_be_read_is_said(little, tmp_path, given, words):
    declared = {name: value for name, value in given.items() if value is not None}
    done = invoke(tmp_path, little.url, extra_resources=[declared])
    assert done.exit_code == 1
    assert words in done.output
    assert not little.requests


@pytest.mark.parametrize("concurrency", [1, 4])
def test_kinds_of_documents_are_read_side_by_side_each_in_order(little, tmp_path, concurrency):
    def answer(asked):
        if "$query" not in asked["query"].get("representation", ""):
            return 404, {"$diagnoses": [{"$severity": "error", "$message": "721 : Record does not exist"}]}
        name = asked["path"].rsplit("/", 1)[1]
        key = {"BPSUPPLIER": "BPSNUM", "BPCUSTOMER": "BPCNUM", "ITMMASTER": "ITMREF", "TABCUR": "CUR"}.get(
            name
        )
        return 200, {"$resources": [{key: "A"}, {key: "B"}] if key else [], "$links": {}}

    little.answers = [answer]
    done = invoke(tmp_path, little.url, concurrency=concurrency)
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    records = [each["stream"] for each in lines if each["type"] == "RECORD"]
    assert sorted(set(records)) == ["currencies", "customers", "items", "suppliers"]
    assert len(records) == 8
    told = set()
    for each in lines:
        if each["type"] == "SCHEMA":
            told.add(each["stream"])
        if each["type"] == "RECORD":
            assert each["stream"] in told


def test_lines_of_the_log_are_for_a_person(little, tmp_path, caplog):
    little.answers = [(200, {"$resources": [], "$links": {}})]
    with caplog.at_level("INFO"):
        assert invoke(tmp_path, little.url).exit_code == 0
    assert not any("child stream" in line or "Skipping" in line for line in caplog.messages)
    assert any(line.startswith("suppliers of SEED: 0 records in 1 page") for line in caplog.messages)
    assert "29 kinds of documents read" in caplog.messages[-1]


def test_a_secret_given_as_a_number_is_never_shown(little, tmp_path):
    done = invoke(tmp_path, little.url, folders="SEED", password=987654321)
    assert done.exit_code == 1
    assert "Setting folders must be a list." in done.output
    assert "987654321" not in done.output
