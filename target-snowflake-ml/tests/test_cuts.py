"""Answers that are lost, connections that are reset, requests that are refused: in every kind of statement."""

from __future__ import annotations

import pytest
from methods_tap import check_ledger, record, schema
from trials import STRESS, in_turn

INTEGER, TEXT = {"type": "integer"}, {"type": ["string", "null"]}
STREAMS = {
    "log": {"load_method": "append-only"},
    "prices": {"load_method": "scd2"},
    "accounts": {"load_method": "overwrite"},
}
KINDS = {
    "login": ("login-request",),
    "catalog": ("FROM INFORMATION_SCHEMA",),
    "schema": ("CREATE SCHEMA",),
    "table": ("CREATE TABLE",),
    "column": ("ADD COLUMN",),
    "wider": ("SET DATA TYPE",),
    "copy of a column": ("RENAME COLUMN",),
    "fill a column": ('SET "WAS__ML_WIDER"',),
    "old column": ("DROP COLUMN",),
    "stage": ("CREATE TEMPORARY STAGE", "CREATE OR REPLACE TRANSIENT"),
    "upload": ("PUT ", "ML_STAGED"),
    "copy": ("COPY INTO", 'INSERT INTO "BOOKS"."ML_STAGED'),
    "begin": ("BEGIN",),
    "merge": ('MERGE INTO "BOOKS"',),
    "insert": ('INSERT INTO "BOOKS"."LOG"',),
    "batches": ('INSERT INTO "ML_AUDIT"."BATCHES"',),
    "update": ('UPDATE "BOOKS"."BILLS"',),
    "delete": ("DELETE FROM",),
    "commit": ("COMMIT",),
    "watermark": ('MERGE INTO "ML_AUDIT"."WATERMARKS"',),
    "runs": ('INSERT INTO "ML_AUDIT"."RUNS"',),
    "last": ('UPDATE "ML_AUDIT"."RUNS"',),
}
"""Kinds of statements: a word of the statement or of the request's path, whichever the transport uses."""


def earlier():
    yield schema(
        "bills",
        {
            "id": INTEGER,
            "digits": {"type": "number", "multipleOf": 0.1, "x-precision": 5, "x-scale": 1},
            "was": INTEGER,
        },
        ["id"],
    )
    for number in (0, 1):
        yield record("bills", {"id": number, "digits": 1.5, "was": number}, version=1)
    yield schema("log", {"id": INTEGER}, [])
    yield record("log", {"id": -1})


def later():
    properties = {
        "id": INTEGER,
        "digits": {"type": "number", "multipleOf": 0.1, "x-precision": 15, "x-scale": 1},
        "was": TEXT,
        "name": TEXT,
    }
    yield schema("bills", properties, ["id"])
    for number in range(1, 30):
        yield record("bills", {"id": number, "name": "x" * 100, "was": "y", "digits": 1}, version=2)
    yield {"type": "ACTIVATE_VERSION", "stream": "bills", "version": 2}
    yield schema("log", {"id": INTEGER}, [])
    yield schema("prices", {"id": INTEGER, "price": INTEGER}, ["id"])
    yield schema("accounts", {"id": INTEGER, "read": INTEGER}, ["id"])
    for number in range(5):
        yield record("log", {"id": number})
        yield record("prices", {"id": number, "price": 2})
        yield record("accounts", {"id": number, "read": 1}, version=2)
    yield {"type": "ACTIVATE_VERSION", "stream": "accounts", "version": 2}
    yield {
        "type": "STATE",
        "value": {"bookmarks": {"log": {"replication_key": "id", "replication_key_value": 5}}},
    }


def once_each(kinds, what):
    """Trouble for the first request of each kind; and what is left of the kinds."""
    left = dict(kinds)

    def trouble(path, statement):
        for kind, words in left.items():
            if any(word in (statement or path) for word in words):
                del left[kind]
                return what
        return None

    return trouble, left


@in_turn("what", "cut", "reset", "refuse")
def test_an_answer_that_is_lost_loads_nothing_twice(trial, what, way):
    """Each kind of statement in one pair of runs."""
    check(trial, KINDS, what, way)


@pytest.mark.skipif(not STRESS, reason="a pair of runs for each kind of statement")
@pytest.mark.parametrize("kind", KINDS)
@in_turn("what", "cut", "reset", "refuse")
def test_one_answer_that_is_lost_loads_nothing_twice(trial, kind, what, way):
    check(trial, {kind: KINDS[kind]}, what, way)


def check(trial, kinds, what, way):
    settings = {"small_batch_bytes": 2_000, "streams": STREAMS, "hard_delete": True, "parallel_loads": 2}
    trial.network.trouble, left = once_each(kinds, what)
    trial.load(earlier(), **settings)
    run = trial.load(later(), **settings)
    assert set(left) <= {"login"} if way == "SQL API" else not left, left
    warehouse = trial.warehouse
    assert warehouse.rows("BILLS", "ID", "WAS") == [(number, "y") for number in range(1, 30)]
    assert warehouse.rows("LOG", "ID") == [(number,) for number in range(-1, 5)]
    assert warehouse.rows("PRICES", "ID", "PRICE", "_ML_IS_CURRENT") == [
        (number, 2, True) for number in range(5)
    ]
    assert warehouse.rows("ACCOUNTS", "ID", "READ") == [(number, 1) for number in range(5)]
    check_ledger(warehouse)
    assert len(run.states) == 1


@in_turn("code", "390104", "390112", "390114", "390195")
def test_a_session_that_ends_in_mid_run_is_opened_anew(trial, code, way):
    if way == "SQL API":
        pytest.skip("it has no sessions")
    ended = {"data": {}, "code": code, "message": "Your session has ended.", "success": False}
    trial.network.trouble, left = once_each({"merge": KINDS["merge"]}, ended)
    run = trial.load(later(), streams=STREAMS)
    assert not left
    assert trial.warehouse.rows("LOG", "ID") == [(number,) for number in range(5)]
    assert len(run.states) == 1
    check_ledger(trial.warehouse)
