"""Snowflake is away for a while that is shorter than max_retry_time: the run goes on as if nothing had been."""

from __future__ import annotations

import os
import time

import pytest
from methods_tap import check_ledger, record, schema
from trials import STRESS, WAYS, in_turn

SECONDS = (
    [float(text) for text in (os.environ.get("STRESS_OUTAGES") or "30,80,140").split(",")]
    if STRESS
    else [3.0]
)
PATIENCE = 300 if STRESS else 60
BEGINNINGS = {
    "connecting": "login-request",
    "looking": "FROM INFORMATION_SCHEMA",
    "in the transaction": 'INSERT INTO "ML_AUDIT"."BATCHES"',
    "at its end": "COMMIT",
    "staging": "ML_STAGED",
}
"""What the outage begins with; the SQL API has no login, and sends a transaction whole."""
WHATS = ("refuse", "reset", "cut", "silence")
CASES = [(beginning, what) for beginning in BEGINNINGS for what in WHATS]
"""Under STRESS all; else each beginning and each kind of outage."""
FEW = [
    ("connecting", "refuse"),
    ("in the transaction", "silence"),
    ("at its end", "cut"),
    ("staging", "reset"),
]


def away(seconds, what, word):
    """Nothing is answered for some seconds, from the first request with a word in it on."""
    ends = []

    def silence():
        time.sleep(max(0.0, ends[0] - time.monotonic()))
        return "reset"

    def trouble(path, statement):
        if not ends and word in (statement or path):
            ends.append(time.monotonic() + seconds)
        if not ends or time.monotonic() >= ends[0]:
            return None
        return silence if what == "silence" else what

    return trouble, ends


@in_turn("case", *[(*case, seconds) for case in (CASES if STRESS else FEW) for seconds in SECONDS])
def test_an_outage_is_survived(trial, case, way):
    beginning, what, seconds = case
    word = BEGINNINGS[beginning]
    if way == "SQL API" and beginning == "connecting":
        word = "/api/v2/statements"
    trial.network.trouble, ends = away(seconds, what, word)
    small = 0 if beginning == "staging" else 256_000
    run = trial.load(messages(), small_batch_bytes=small, max_retry_time=PATIENCE)
    assert ends
    assert time.monotonic() > ends[0]
    assert trial.warehouse.rows("BILLS", "ID") == [(number,) for number in range(10)]
    assert trial.warehouse.rows("LOG", "ID") == [(number,) for number in range(10)]
    assert len(run.states) == 1
    check_ledger(trial.warehouse)


def messages():
    integer = {"type": "integer"}
    yield schema("bills", {"id": integer}, ["id"])
    yield schema("log", {"id": integer}, [])
    for number in range(10):
        yield record("bills", {"id": number})
        yield record("log", {"id": number})
    yield {
        "type": "STATE",
        "value": {"bookmarks": {"log": {"replication_key": "id", "replication_key_value": 9}}},
    }


@pytest.mark.skipif(not STRESS, reason="an answer is waited for for a minute")
@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_says_nothing_ends_the_run_with_a_sentence(trial, way):
    trial.load(messages())
    trial.network.trouble = trial.network.times(100, "silence", "MERGE", "ALTER SESSION")
    run = trial.start(messages(), max_retry_time=2)
    assert run.wait() == 1
    assert run.states == []
    assert "Traceback" not in run.log
    assert "It lies in the spool folder" in run.log
    assert [name for name in trial.warehouse.spooled() if name.endswith(".parquet")]
