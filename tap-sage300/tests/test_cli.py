"""The command line, against the sandbox's Sage 300."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
DESIGN = """base_url companies username password start_date page_size lookback discover_custom_fields
request_timeout max_retries requests_per_minute prefetch_pages verify_ssl ca_bundle proxy_url user_agent
stream_maps flattening_enabled flattening_max_depth batch_config extra_resources
flatten_optional_fields""".split()


def test_discovery_needs_nothing(cli):
    result = cli("--discover")
    assert result.returncode == 0
    assert len(json.loads(result.stdout)["streams"]) == 144


def test_about_lists_the_settings_of_the_design(cli):
    about = json.loads(cli("--about", "--format", "json").stdout)
    settings = about["settings"]["properties"]
    assert set(DESIGN) <= set(settings)
    assert settings["password"]["secret"] is True


def test_the_connection_is_tested_company_by_company_and_set_by_set(cli, sandbox_config):
    result = cli("--test", config=sandbox_config)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert [line for line in lines if line.startswith("ok    SAMLTD vendors: ")]
    assert len(lines) == 2 * (1 + 101)


@pytest.mark.parametrize("arguments", [(), ("--discover",), ("--control-totals",)])
def test_a_wrong_password_is_one_sentence(cli, sandbox_config, arguments):
    result = cli(*arguments, config=sandbox_config | {"password": "Wr0ng-Secret"})
    assert result.returncode == 1
    sentence = result.stderr.splitlines()[-1]
    assert "password" in sentence
    assert "Traceback" not in result.stderr
    assert "wr0ng-secret" not in (result.stderr + result.stdout).lower()


def test_the_connection_test_tries_a_wrong_password_only_once(cli, sandbox_config):
    result = cli("--test", config=sandbox_config | {"password": "wrong"})
    assert result.returncode == 1
    assert result.stderr.count("refused the login") == 1


def test_a_host_that_does_not_answer_is_one_sentence(cli, sandbox_config):
    config = sandbox_config | {"base_url": "http://127.0.0.1:9/Sage300WebApi/v1.0/-", "max_retries": 0}
    result = cli(config=config)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "127.0.0.1:9" in result.stderr.splitlines()[-1]


def test_an_encrypted_password_without_its_key_is_one_sentence(cli, sandbox_config, monkeypatch):
    monkeypatch.delenv("ML_CONNECTOR_KEY", raising=False)
    result = cli(config=sandbox_config | {"password": "enc:v1:abc"})
    assert result.returncode == 1
    assert "ML_CONNECTOR_KEY" in result.stderr.splitlines()[-1]


def test_control_totals_are_the_erps_own_sums(cli, sandbox, sandbox_config):
    result = cli("--control-totals", config=sandbox_config)
    totals = json.loads(result.stdout)
    assert totals["source"] == "sage300"
    field, expected = "JournalTransactionAmount", {}
    with closing(sqlite3.connect(sandbox[1])) as database:
        rows = database.execute(
            "SELECT company, doc FROM documents WHERE entity_set = 'GLPostedTransactions'"
        ).fetchall()
    for company, text in rows:
        document = json.loads(text, parse_float=Decimal)
        place = company, f"{document['FiscalYear']}P{document['FiscalPeriod'].zfill(2)}"
        count, amount, turnover = expected.get(place, (0, Decimal(0), Decimal(0)))
        expected[place] = count + 1, amount + document[field], turnover + document["ReportCurrencyAmount"]
    found = {
        (t["source_company"], t["period"]): (
            t["count"],
            Decimal(t["measures"][field]),
            Decimal(t["measures"]["ReportCurrencyAmount"]),
        )
        for t in totals["totals"]
        if t["stream"] == "gl_posted_transactions"
    }
    assert found == expected


def test_two_runs_over_the_real_protocol_move_less_the_second_time(cli, sandbox_config, tmp_path):
    sandbox_config |= {"companies": ["SAMINC"], "discover_custom_fields": False}
    first = cli(config=sandbox_config)
    assert first.returncode == 0, first.stderr[-2000:]
    messages = [json.loads(line) for line in first.stdout.splitlines()]
    state = tmp_path / "state.json"
    state.write_text(json.dumps([m["value"] for m in messages if m["type"] == "STATE"][-1]))
    second = cli("--state", str(state), config=sandbox_config)
    counts = [
        sum(json.loads(line).get("stream") == "gl_posted_transactions" for line in run.stdout.splitlines())
        for run in (first, second)
    ]
    assert 0 < counts[1] < counts[0]
    assert "WEBAPI" not in state.read_text()


@pytest.mark.parametrize("text", ['{"bookmarks": {"vendors": []}}', "[1]", "7", "not json", ""])
def test_a_state_that_is_odd_is_one_sentence(cli, sandbox_config, tmp_path, text):
    state = tmp_path / "state.json"
    state.write_text(text)
    result = cli("--state", str(state), config=sandbox_config)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert "state" in result.stderr.splitlines()[-1]
    assert not result.stdout


def test_a_target_that_dies_is_one_sentence(sandbox_config, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(sandbox_config))
    command = f"{BIN / 'tap-sage300'} --config {tmp_path / 'config.json'} | head -1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "before the tap" in result.stderr.splitlines()[-1]
