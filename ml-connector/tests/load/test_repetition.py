"""Append-only streams after a kill: what was loaded and not promised is not loaded again."""

from __future__ import annotations

import threading

import pytest
from singer_messages import Stream, state
from warehouse import Killed, fail_always

from ml_connector.load.errors import LoadError

S = Stream(key=())


@pytest.fixture(autouse=True)
def append(warehouse):
    warehouse.settings |= {"load_method": "append-only", "batch_size_rows": 2, "parallel_loads": 1}


def bills(*numbers):
    return [S.bill(number) for number in numbers]


def ids(warehouse):
    return [int(row[0]) for row in warehouse.rows(columns=["ID"])]


def killed(warehouse, *messages, batches):
    """A run that dies once so many batches are committed: no handler runs, no state goes out."""
    count = 0

    def after(sql):
        nonlocal count
        count += sql.startswith('INSERT INTO "BOOKS"')
        if sql == "COMMIT" and count >= batches:
            raise Killed

    warehouse.after = after
    with pytest.raises(Killed):
        warehouse.load(*messages)
    warehouse.after = None


def test_a_run_after_a_kill_loads_nothing_twice(warehouse):
    messages = [S.schema(), *bills(*range(1, 9)), state(8)]
    killed(warehouse, *messages, batches=3)
    before = ids(warehouse)
    assert len(before) >= 6
    outcome = warehouse.load(*messages)
    assert outcome.code == 0
    assert ids(warehouse) == list(range(1, 9))
    assert outcome.told("not loaded again")
    assert warehouse.last_run()["RECORDS_READ"] == 8
    assert warehouse.last_run()["RECORDS_LOADED"] == 8 - len(before)
    assert warehouse.audit("RUNS", "STATUS") == [("killed",), ("succeeded",)]


def test_two_kills_one_after_the_other_load_nothing_twice(warehouse):
    messages = [S.schema(), *bills(*range(1, 9)), state(8)]
    killed(warehouse, S.schema(), *bills(*range(1, 5)), batches=1)
    killed(warehouse, *messages, batches=1)
    warehouse.load(*messages)
    assert ids(warehouse) == list(range(1, 9))


def test_a_second_kill_before_all_was_skipped_loads_nothing_twice(warehouse):
    T = Stream("vendors", key=())
    messages = [S.schema(), T.schema(), *bills(1, 2), T.bill(1), T.bill(2), *bills(3, 4, 5, 6), state(8)]
    killed(warehouse, S.schema(), *bills(*range(1, 7)), state(6), batches=3)
    killed(warehouse, *messages, batches=1)
    warehouse.load(*messages)
    assert ids(warehouse) == list(range(1, 7))
    assert len(warehouse.rows("VENDORS")) == 2


def test_the_same_batch_later_on_is_loaded(warehouse):
    messages = [S.schema(), *bills(1, 2, 3, 4), state(8)]
    killed(warehouse, *messages, batches=1)
    warehouse.load(*messages)
    assert ids(warehouse) == [1, 2, 3, 4]
    warehouse.load(*messages)
    assert ids(warehouse) == [1, 1, 2, 2, 3, 3, 4, 4]
    killed(warehouse, S.schema(), *bills(7, 8, 9, 9), state(1), batches=2)
    warehouse.load(S.schema(), *bills(7, 8, 7, 8, 9, 9), state(1))
    # after the first batch that differs everything is loaded
    assert ids(warehouse) == [1, 1, 2, 2, 3, 3, 4, 4, 7, 7, 8, 8, 9, 9, 9, 9]


def test_what_was_promised_is_loaded_when_it_comes_again(warehouse):
    killed(warehouse, S.schema(), *bills(1, 2), state(2), *bills(3, 4), batches=2)
    warehouse.load(S.schema(), *bills(1, 2), state(2))
    # nothing had been let out by the killed run, so this is its first batch again
    assert ids(warehouse) == [1, 2, 3, 4]
    warehouse.load(S.schema(), *bills(1, 2), state(2))
    assert ids(warehouse) == [1, 1, 2, 2, 3, 4]


def test_a_run_that_failed_counts_like_one_that_was_killed(warehouse):
    warehouse.load(S.schema(), *bills(0), state(0))
    messages = [S.schema(), *bills(1, 2, 3, 4), state(4)]
    warehouse.before = fail_always(LoadError("no"), 'INTO "BOOKS"."VENDORS"')
    T = Stream("vendors", key=())
    messages += [T.schema(), T.bill(1)]
    assert warehouse.load(*messages).code == 1
    warehouse.before = None
    warehouse.load(*messages)
    assert ids(warehouse) == [0, 1, 2, 3, 4]


def test_a_transaction_takes_one_batch_of_a_stream(warehouse):
    """It may be carried out though the process is gone, and before the next run can see it in the ledger."""
    made = threading.Event()
    warehouse.before = lambda sql: "CREATE TABLE" in sql and '"BOOKS"' in sql and made.wait(20)
    timer = threading.Timer(0.5, made.set)  # by then every batch waits for the table
    timer.start()
    outcome = warehouse.load(S.schema(), *bills(*range(1, 13)), state(12))
    transactions = " ".join(sql.split("(")[0] for sql in outcome.statements).split("BEGIN")
    assert [each.count('INSERT INTO "BOOKS"."BILLS"') for each in transactions[1:]] == [1] * 6
    assert ids(warehouse) == list(range(1, 13))
