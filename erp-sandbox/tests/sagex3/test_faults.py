"""Bad days: faults on order, the licence's meter, latency, late rows, the log, the command."""

from __future__ import annotations

import json
import time

import pytest
import requests
from click.testing import CliRunner
from erp_sandbox.cli import main
from erp_sandbox.fault_plan import FaultPlan, parse_fault
from erp_sandbox.sagex3.faults import KINDS, Struck
from erp_sandbox.sagex3.metering import Allowance

from .conftest import BASIC, Rows, stamps

LIST = "/api1/x3/erp/SAMINC/BPSUPPLIER"
OPTIONS = {"representation": "BPSUPPLIER.$query"}
QUERY = "{ x3MasterData { supplier { query { totalCount } } } }"


@pytest.mark.parametrize(
    ("kind", "rest", "graphql"),
    [
        ("401", 401, 401),
        ("429", 429, 429),
        ("500", 500, 500),
        ("503", 503, 503),
        ("diagnoses", "$diagnoses", "data"),
        ("graphql-errors", "$resources", "errors"),
    ],
)
def test_faults_strike_each_api_in_its_way(serve, kind, rest, graphql):
    with serve(faults=[(kind, 1.0)]) as server:
        for answer, expected in ((server.get(LIST, **OPTIONS), rest), (server.graphql(QUERY), graphql)):
            if isinstance(expected, int):
                assert answer.status_code == expected
            else:
                assert answer.status_code == 200
                assert expected in answer.json()
                assert ("errors" in answer.json()) is (expected == "errors")
        if kind == "429":
            assert server.get(LIST, **OPTIONS).headers["Retry-After"] == "1"


def test_answers_that_are_no_json(serve):
    for kind in ("malformed", "html"):
        with serve(faults=[(kind, 1.0)]) as server:
            answer = server.get(LIST, **OPTIONS)
            assert answer.status_code == 200
            with pytest.raises(requests.exceptions.JSONDecodeError):
                answer.json()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("truncated", requests.exceptions.ChunkedEncodingError),
        ("reset", requests.exceptions.ConnectionError),
        ("timeout", requests.exceptions.ReadTimeout),
    ],
)
def test_connections_that_break(serve, kind, error):
    with serve(faults=[(kind, 1.0)]) as server, pytest.raises(error):
        requests.get(server.url + LIST, params=OPTIONS, auth=BASIC, timeout=0.5)


def test_the_same_seed_gives_the_same_faults():
    def drawn():
        plan = FaultPlan([("429", 0.3), ("diagnoses", 0.2)], 7)
        return [plan.draw(Struck.SPARED["graphql" if nth % 2 else "rest"]) for nth in range(200)]

    assert drawn() == drawn()
    assert set(drawn()) == {None, "429", "diagnoses"}
    assert all(kind != "diagnoses" for kind in drawn()[1::2])


@pytest.mark.parametrize("text", ["nope:0.5", "429:2", "429:x", "429"])
def test_a_fault_that_does_not_exist_is_named(text):
    with pytest.raises(ValueError, match=r"There is no fault|must lie between"):
        parse_fault(text, KINDS)


def test_the_licence_slows_down_and_then_ends(serve):
    size = 4000
    with serve(allowance=Allowance(size=size, grace=2.0, slow=0.3, refuse=True)) as server:
        kinds = []
        for _ in range(8):
            started = time.monotonic()
            answer = server.get(LIST, count=1, **OPTIONS)
            kinds.append((answer.status_code, time.monotonic() - started > 0.25))
    assert kinds[0] == (200, False)
    assert (200, True) in kinds
    assert kinds[-1][0] == 503
    assert kinds == sorted(kinds, key=lambda kind: (kind[0], kind[1]) if kind[0] == 200 else (503, False))


def test_the_licence_may_end_in_silence_and_begin_anew(serve):
    with serve(allowance=Allowance(size=1, period=1.0, grace=0.0)) as server:
        assert server.get(LIST, **OPTIONS).status_code == 200
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(server.url + LIST, params=OPTIONS, auth=BASIC, timeout=0.2)
        time.sleep(1.0)
        assert server.get(LIST, **OPTIONS).status_code == 200


def test_latency_is_added(serve):
    with serve(latency=0.2) as server:
        started = time.monotonic()
        server.get(LIST, **OPTIONS)
        assert time.monotonic() - started > 0.2


def test_rows_come_late(serve, tmp_path):
    path = tmp_path / "late.db"
    rows = Rows(path)
    rows.add("BPSUPPLIER", BPSNUM="OLD", **stamps())
    rows.add("BPSUPPLIER", BPSNUM="NEW", visible=time.time(), **stamps())
    with serve(path, lag=60.0) as server:
        assert [row["BPSNUM"] for row in server.rest("BPSUPPLIER")["$resources"]] == ["OLD"]
        assert server.nodes("MasterData", "supplier", "_id") == [{"_id": "OLD"}]
    with serve(path) as server:
        assert len(server.rest("BPSUPPLIER")["$resources"]) == 2


def test_every_request_is_logged(serve):
    with serve(faults=[("503", 1.0)]) as server:
        server.get(LIST, **OPTIONS)
        server.graphql(QUERY)
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [(line["method"], line["path"], line["http"], line["fault"]) for line in lines] == [
        ("GET", LIST, 503, "503"),
        ("POST", "/xtrem/api", 503, "503"),
    ]


def test_the_command_knows_its_options():
    shown = CliRunner().invoke(main, ["serve", "sagex3", "--help"])
    assert shown.exit_code == 0
    for option in ("--drop-count", "--page-cap", "--generation", "--token-requests", "--fault", "--forbid"):
        assert option in shown.output
    wrong = CliRunner().invoke(main, ["serve", "sagex3", "--path", "x", "--fault", "nope:1"])
    assert wrong.exit_code == 2
    wrong = CliRunner().invoke(main, ["serve", "sagex3", "--path", "x", "--endpoint", "SEED"])
    assert wrong.exit_code == 2


def test_unknown_paths_are_not_found(server):
    for path in ("/", "/api1/x3/nope", "/nope"):
        assert server.get(path).status_code == 404
    assert requests.get(f"{server.url}/xtrem/api", auth=BASIC, timeout=30).status_code == 405
