"""Checklist 8: bad days, on order and repeatable; and the log that tells what happened."""

from __future__ import annotations

import asyncio
import json

import pytest
import requests

from erp_sandbox.sage300.faults import STORM, FaultPlan, parse_fault

SET = "SAMINC/AR/ARCustomers"


def outcome(api, method="GET", path=SET, body=None):
    try:
        return api.request(method, path, body=body).status_code
    except requests.ConnectionError:
        return "dropped"
    except requests.exceptions.ChunkedEncodingError:
        return "cut"


@pytest.mark.parametrize(
    ("kind", "status", "code"), [("429", 429, "TooManyRequests"), ("500", 500, "InternalServerError")]
)
def test_errors_the_web_api_itself_reports(start, kind, status, code):
    api = start(faults=[f"{kind}:1"])
    assert api.refusal("GET", SET) == (status, code)


def test_too_many_requests_says_when_to_come_back(start):
    assert start(faults=["429:1"]).get(SET).headers["Retry-After"] == "1"


def test_iis_answers_503_in_html(start):
    answer = start(faults=["503:1"]).get(SET)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (503, "text/html")
    assert "Service Unavailable" in answer.text


def test_answers_with_status_200_that_are_none(start):
    html = start(faults=["html:1"]).get(SET)
    assert (html.status_code, html.headers["content-type"].split(";")[0]) == (200, "text/html")
    empty = start(faults=["empty:1"]).get(SET)
    assert (empty.status_code, empty.content) == (200, b"")
    wrapped = start(faults=["wrapped-error:1"]).get(SET)
    assert (wrapped.status_code, wrapped.json()["error"]["code"]) == (200, "General")
    broken = start(faults=["malformed:1"]).get(SET)
    assert broken.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.content)


def test_a_dropped_connection_gives_no_answer(start):
    with pytest.raises(requests.ConnectionError):
        start(faults=["reset:1"]).get(SET)


def test_a_truncated_answer_is_shorter_than_it_says(start):
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        start(faults=["truncate:1"]).get(SET)


def test_a_hanging_server_outlasts_the_clients_patience(start):
    api = start(faults=["timeout:1"])
    with pytest.raises(requests.ReadTimeout):
        api.session.get(f"{api.base}/{SET}", timeout=0.3)


def test_business_errors_strike_writes_only(start):
    api = start(faults=["409:1"])
    assert api.get(SET).status_code == 200
    assert api.refusal("POST", SET, body={"CustomerNumber": "X"}) == (409, "General")


def test_a_recycling_pool_drops_one_request_answers_503_and_forgets_sessions(start):
    api = start(faults=["recycle:3"])
    assert [outcome(api) for _ in range(3)] == [200] * 3
    assert outcome(api) == "dropped"
    api.session.auth = None
    assert [outcome(api) for _ in range(STORM)] == [503] * STORM
    assert outcome(api) == 401


def test_the_same_seed_gives_the_same_bad_day(start):
    days = []
    for _ in range(2):
        api = start(faults=["500:0.3", "503:0.2"], seed=7)
        days.append([outcome(api) for _ in range(40)])
    assert days[0] == days[1]
    assert set(days[0]) == {200, 500, 503}
    other = start(faults=["500:0.3", "503:0.2"], seed=8)
    assert [outcome(other) for _ in range(40)] != days[0]


def test_a_read_that_retries_gets_every_record_through_faults(start):
    api = start(faults=["500:0.1", "503:0.1", "reset:0.1", "truncate:0.1", "429:0.1"], seed=1, page_size=10)
    link, rows = f"{api.base}/{SET}", []
    while link:
        try:
            answer = api.session.get(link, timeout=5)
            page = answer.json() if answer.status_code == 200 else None
        except requests.RequestException:
            continue
        if page:
            rows += page["value"]
            link = page.get("@odata.nextLink")
    assert [row["CustomerNumber"] for row in rows] == [f"C{n:04d}" for n in range(1, 251)]


def test_latency_and_a_slow_start_are_waited_for(start, monkeypatch):
    waits, sleep = [], asyncio.sleep

    async def noted(seconds, *more):
        waits.append(round(seconds, 3))
        await sleep(0, *more)

    api = start(latency=0.051, faults=["slow-start:2"])
    monkeypatch.setattr("erp_sandbox.sage300.wire.asyncio.sleep", noted)
    api.get(SET)
    api.get(SET)
    monkeypatch.undo()
    assert [wait for wait in waits if wait in {0.051, 2.051}] == [2.051, 0.051]


@pytest.mark.parametrize("text", ["flood:0.1", "500", "500:x", "500:2", "recycle:0.5", "slow-start:-1", ""])
def test_a_fault_nobody_can_order_is_explained(text):
    with pytest.raises(ValueError, match=r"\.$"):
        parse_fault(text)


def test_a_rate_is_met_over_many_requests():
    plan = FaultPlan([parse_fault("500:0.1")], seed=5)
    struck = sum(plan.draw(write=False) == "500" for _ in range(10_000))
    assert 900 < struck < 1100


def test_the_request_log_tells_each_request(start, tmp_path):
    log = tmp_path / "requests.jsonl"
    api = start(request_log=log)
    api.get(SET, filter="City eq 'Boston'", top=5)
    api.get("SAMINC/AR/ARNothing")
    api.get("SAMLTD/AR/ARCustomers('C0001')")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(x["company"], x["set"], x["status"], x["rows"]) for x in lines] == [
        ("SAMINC", "ARCustomers", 200, 5),
        ("SAMINC", "ARNothing", 404, None),
        ("SAMLTD", "ARCustomers", 200, None),
    ]
    assert lines[0]["method"] == "GET"
    assert lines[0]["path"] == f"/Sage300WebApi/v1.0/-/{SET}"
    assert "$top=5" in lines[0]["query"]
    assert lines[0]["ms"] > 0
    assert "WEBAPI" not in log.read_text()


def test_the_log_names_the_fault(start, tmp_path):
    log = tmp_path / "requests.jsonl"
    outcome(start(request_log=log, faults=["reset:1"]))
    entry = json.loads(log.read_text().splitlines()[0])
    assert (entry["status"], entry["fault"]) == (0, "reset")
