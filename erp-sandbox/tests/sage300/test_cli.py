"""``erp-sandbox serve sage300`` as a process of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time

import pytest
import requests
from click.testing import CliRunner

from erp_sandbox.sage300.cli import sage300

HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def serve(books):
    """Start the command; yields a function from options to the printed address."""
    running = []

    def serve(*options):
        command = "from erp_sandbox.sage300.cli import sage300; sage300()"
        process = subprocess.Popen(
            [sys.executable, "-c", command, "--path", str(books.path), *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        line = process.stdout.readline()
        assert re.fullmatch(r"ready http://127\.0\.0\.1:\d+/Sage300WebApi/v1\.0/-\n", line)
        return line.split()[1], process

    yield serve
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.wait(10)
        process.stdout.close()


def test_it_prints_where_it_is_ready_and_stops_on_ctrl_c(serve):
    address, process = serve()
    answer = requests.get(
        f"{address}/SAMINC/AR/ARCustomers", headers=HEADERS, auth=("WEBAPI", "WEBAPI"), timeout=30
    )
    assert len(answer.json()["value"]) == 100
    process.send_signal(signal.SIGINT)
    assert process.wait(10) is not None


def test_its_options_reach_the_server(serve, tmp_path):
    log = tmp_path / "log.jsonl"
    address, _ = serve(
        *("--username", "jo", "--password", "secret", "--page-size", "7", "--unlicensed", "gl"),
        *("--request-log", str(log), "--lenient", "--fault", "409:1", "--fault-seed", "3", "--latency", "1"),
    )
    login = ("JO", "SECRET")
    page = requests.get(f"{address}/SAMINC/AR/ARCustomers?$orderby=City", auth=login, timeout=30).json()
    assert len(page["value"]) == 7
    assert requests.get(f"{address}/SAMINC/GL/GLAccounts", auth=login, timeout=30).status_code == 404
    assert (
        requests.post(f"{address}/SAMINC/AR/ARCustomers", json={}, auth=login, timeout=30).status_code == 409
    )
    deadline = time.monotonic() + 10
    while len(log.read_text().splitlines()) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)  # a line is written after its answer was sent
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == [200, 404, 409]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "flood:1"], "There is no fault 'flood'"),
        (["--fault", "500:7"], "must lie between 0 and 1"),
        (["--unlicensed", "ZZ"], "'ZZ' is not one of"),
        ([], "Missing option '--path'"),
    ],
)
def test_a_wrong_option_is_explained(options, said, tmp_path):
    path = ["--path", str(tmp_path / "none.db")] if options else []
    result = CliRunner().invoke(sage300, [*path, *options])
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "none.db").exists()


def test_the_help_names_every_fault():
    output = CliRunner().invoke(sage300, ["--help"]).output
    for kind in ("429", "truncate", "recycle", "slow-start", "wrapped-error"):
        assert f"{kind}:" in output
