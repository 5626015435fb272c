"""Small polls: what they cost in statements, and that nothing is made that is there."""

from __future__ import annotations

from singer_messages import Stream, state
from warehouse import fail_always

from ml_connector.load.errors import LoadError


def poll(streams, records=20):
    messages = []
    for stream in streams:
        messages.append(stream.schema())
        messages += [stream.bill(number, "a") for number in range(records)]
    return [*messages, state(1)]


def test_an_empty_poll_costs_six_statements(plain_warehouse):
    streams = [Stream(f"s{number}") for number in range(12)]
    plain_warehouse.load(*poll(streams, 1))
    outcome = plain_warehouse.load(*poll(streams, 0))
    assert outcome.code == 0
    assert len(outcome.statements) <= 6, outcome.statements


def test_a_small_poll_costs_two_and_a_half_statements_a_stream(plain_warehouse):
    streams = [Stream(f"s{number}") for number in range(144)]
    plain_warehouse.load(*poll(streams, 0))
    outcome = plain_warehouse.load(*poll(streams), parallel_loads=4)
    assert outcome.code == 0, outcome.error
    assert len(outcome.statements) <= 2.5 * len(streams)
    assert all(len(plain_warehouse.rows(stream.name.upper())) == 20 for stream in streams[::20])
    assert len(plain_warehouse.batches("BATCH_ID")) == 144


def test_nothing_is_made_that_is_there(warehouse):
    """A role that may only use what exists can load into it."""
    S = Stream()
    warehouse.load(S.schema(), S.bill(1))

    def refuse(sql):
        staged = "ML_STAGED" in sql or "ML_REJECTED" in sql
        if sql.startswith(("CREATE", "ALTER", "COMMENT")) and not staged:
            raise LoadError(f"may not: {sql}")

    warehouse.before = refuse
    outcome = warehouse.load(S.schema(), S.bill(2, "b"), S.bill("x"), state(2))
    assert outcome.code == 0, outcome.error
    assert [row[0] for row in warehouse.rows()] == [1, 2]


def test_small_and_large_batches_of_one_table_stay_in_order(plain_warehouse):
    S = Stream()
    messages = [S.schema()]
    for number in range(6):
        messages += [S.bill(key, f"{number}" * (1 if number % 2 else 400)) for key in range(10)]
    outcome = plain_warehouse.load(
        *messages, state(1), batch_size_rows=10, small_batch_bytes=2_500, parallel_loads=3
    )
    assert outcome.code == 0
    assert {row[1] for row in plain_warehouse.rows()} == {"5"}
    assert any("ML_STAGED" in sql for sql in outcome.statements)
    assert len(plain_warehouse.batches("BATCH_ID")) == 6


def test_what_was_staged_is_removed_when_the_batch_fails(plain_warehouse):
    S = Stream()
    plain_warehouse.settings["small_batch_bytes"] = 0
    plain_warehouse.load(S.schema(), S.bill(1))
    plain_warehouse.before = fail_always(LoadError("no"), 'MERGE INTO "BOOKS"."BILLS"')
    assert plain_warehouse.load(S.schema(), S.bill(2), S.bill("x")).code == 1
    assert plain_warehouse.tables() == ["BILLS"]
    assert not [name for name in plain_warehouse.tables("ML_AUDIT") if name.startswith("ML_")]
