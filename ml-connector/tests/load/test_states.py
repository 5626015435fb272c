"""States: in order, each once all before it is committed, none that promises what was not loaded."""

from __future__ import annotations

import json

import pytest
from singer_messages import Stream, state
from warehouse import Outcome, fail_always, fail_at

from ml_connector.load.errors import LoadError, TransientLoadError

S = Stream()
T = Stream("vendors")


def values(states, stream="bills"):
    return [each["bookmarks"][stream]["replication_key_value"] for each in states]


def of_each_batch(warehouse):
    """Have every batch of one record loaded at once, with the state that follows it."""
    warehouse.settings |= {"batch_size_rows": 1}


def test_states_go_out_in_order_and_after_what_they_promise(warehouse):
    of_each_batch(warehouse)
    seen = []

    def on_state(told):
        number = told["bookmarks"]["bills"]["replication_key_value"]
        found = warehouse.query('SELECT COUNT(*) AS n FROM "BOOKS"."BILLS"')[0]["n"]
        seen.append((number, found))

    warehouse.on_state = on_state
    messages = [each for number in range(1, 9) for each in (S.bill(number), state(number))]
    outcome = warehouse.load(S.schema(), *messages, parallel_loads=3)
    assert outcome.code == 0
    numbers = values(outcome.states)
    assert numbers == sorted(numbers)
    assert numbers[-1] == 8
    assert all(found >= number for number, found in seen)


def test_a_state_without_records_goes_out(warehouse):
    assert values(warehouse.load(S.schema(), state(5)).states) == [5]
    assert values(warehouse.load(state(6)).states) == [6]


def test_no_state_goes_out_past_a_failure(warehouse):
    of_each_batch(warehouse)
    warehouse.load(S.schema(), S.bill(0))
    warehouse.before = fail_always(LoadError("no room"), 'INTO "BOOKS"."BILLS"')
    outcome = warehouse.load(S.schema(), S.bill(1), state(1), S.bill(2), state(2))
    assert outcome.code == 1
    assert outcome.states == []
    assert 1 not in [row[0] for row in warehouse.rows()]


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_a_transaction_that_fails_for_a_while_is_tried_again(warehouse, lost):
    """An answer that was lost may have been a commit: the ledger is asked, and nothing is loaded twice."""
    warehouse.load(S.schema(key=()), S.bill(0))
    hook = fail_at(1, TransientLoadError("gone"), only=lambda sql: sql == "COMMIT")
    if lost:
        warehouse.after = hook
    else:
        warehouse.before = hook
    outcome = warehouse.load(S.schema(key=()), S.bill(1), S.bill(2), state(2))
    assert hook.fired
    assert outcome.code == 0
    assert [row[0] for row in warehouse.rows()] == [0, 1, 2]
    assert values(outcome.states) == [2]
    assert warehouse.batches("RECORDS_LOADED", "STATUS", "ATTEMPTS")[1] == (2, "loaded", 1 if lost else 2)
    assert len(warehouse.batches("BATCH_ID")) == 2


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_a_replacement_that_fails_for_a_while_is_tried_again(warehouse, lost):
    warehouse.load(S.schema(), S.bill(0, version=1), S.version(1), load_method="overwrite")
    hook = fail_at(1, TransientLoadError("gone"), only=lambda sql: sql == "COMMIT")
    if lost:
        warehouse.after = hook
    else:
        warehouse.before = hook
    outcome = warehouse.load(
        S.schema(), S.bill(1, version=2), S.version(2), state(2), load_method="overwrite"
    )
    assert hook.fired
    assert outcome.code == 0
    assert [row[0] for row in warehouse.rows()] == [1]
    assert len(warehouse.batches("BATCH_ID")) == 2
    assert warehouse.spool() == []


def test_what_fails_for_too_long_is_kept_and_said(warehouse):
    warehouse.load(S.schema(), S.bill(0))
    warehouse.before = fail_always(TransientLoadError("The warehouse sleeps."), 'INTO "BOOKS"."BILLS"')
    outcome = warehouse.load(S.schema(), S.bill(1), state(1), max_retry_time=0)
    assert (outcome.code, outcome.states) == (1, [])
    (failed,) = warehouse.batches("BATCH_ID", where="STATUS = 'failed'")
    said = str(outcome.error)
    assert failed[0] in said
    assert "The warehouse sleeps." in said
    assert f"replay {failed[0]}" in said
    assert str(warehouse.folder / "spool") in said
    assert f"{failed[0]}.json" in warehouse.spool()
    assert warehouse.last_run()["STATUS"] == "failed"


def test_streams_share_a_transaction_and_one_that_fails_does_not_stop_the_others(plain_warehouse):
    warehouse = plain_warehouse
    streams = [Stream(f"s{number}") for number in range(6)]
    warehouse.load(*[stream.schema() for stream in streams])

    warehouse.before = fail_always(LoadError("S3 is locked for good."), 'INTO "BOOKS"."S3"')
    messages = [each for stream in streams for each in (stream.schema(), stream.bill(1))]
    outcome = warehouse.load(*messages, state(1), parallel_loads=1)
    assert outcome.code == 1
    assert "S3 is locked for good." in str(outcome.error)
    assert outcome.states == []
    for stream in streams:
        assert len(warehouse.rows(stream.name.upper())) == (stream.name != "s3"), stream.name
    status = dict(warehouse.audit("BATCHES", "STREAM", "STATUS"))
    assert status == {stream.name: "failed" if stream.name == "s3" else "loaded" for stream in streams}
    (failed,) = warehouse.batches("BATCH_ID", where="STATUS = 'failed'")
    assert failed[0] in str(outcome.error)
    assert f"{failed[0]}.json" in warehouse.spool()
    assert sum("BEGIN" == sql for sql in outcome.statements) >= 1 + len(streams)


def test_the_run_after_a_failure_loads_what_was_not_promised(warehouse):
    warehouse.load(S.schema(), S.bill(0))
    warehouse.before = fail_always(LoadError("no"), 'INTO "BOOKS"."BILLS"')
    warehouse.load(S.schema(), S.bill(1, "a"), state(1))
    warehouse.before = None
    assert values(warehouse.load(S.schema(), S.bill(1, "a"), state(1)).states) == [1]
    assert [row[0] for row in warehouse.rows()] == [0, 1]


def stopped(warehouse, *messages, **settings):
    """Load messages and stop after them, as SIGTERM does while the input is open."""
    outcome = Outcome()
    target = warehouse.target(outcome, **settings)
    lines = [json.dumps(each).encode() + b"\n" for each in messages]

    def source():
        yield from lines
        target.message_reader.stop()

    with pytest.raises(SystemExit) as end:
        target.listen(source())
    outcome.code = end.value.code
    return outcome


def test_a_run_that_is_stopped_loads_what_it_read_and_lets_its_state_out(warehouse):
    outcome = stopped(warehouse, S.schema(), S.bill(1), state(1), S.bill(2))
    assert outcome.code == 0
    assert values(outcome.states) == [1]
    assert [row[0] for row in warehouse.rows()] == [1, 2]
    assert warehouse.last_run()["STATUS"] == "partial"


def test_a_run_that_is_stopped_promises_no_rows_that_waited_for_a_proof(warehouse):
    warehouse.load(S.schema(), S.bill(7, version=1), S.version(1), load_method="overwrite")
    streams = {"bills": {"load_method": "overwrite"}}
    outcome = stopped(
        warehouse, S.schema(), T.schema(), S.bill(1, version=2), T.bill(1), state(1), streams=streams
    )
    assert outcome.states == []
    assert [row[0] for row in warehouse.rows()] == [7]
    assert [row[0] for row in warehouse.rows("VENDORS")] == [1]
    assert warehouse.spool() == []


def test_a_run_that_is_stopped_after_a_proof_keeps_its_replacement(warehouse):
    outcome = stopped(
        warehouse, S.schema(), S.bill(1, version=2), S.version(2), state(1), load_method="overwrite"
    )
    assert values(outcome.states) == [1]
    assert [row[0] for row in warehouse.rows()] == [1]
