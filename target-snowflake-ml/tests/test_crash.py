"""Killed at any instant, over a bad network, on a full disk: nothing is lost, and keys stay unique."""

from __future__ import annotations

import json
import random
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest


RECORDS = 1_500
IMPATIENT = """
import sys
import target_snowflake_ml.connections.connector as connector
connector.REQUEST_TIMEOUT = connector.LOGIN_TIMEOUT = 3
from target_snowflake_ml.cli import main
sys.argv[0] = "target-snowflake-ml"
main()
"""


@pytest.fixture
def source(messages):
    """A tap: everything from a state on, with a state after every tenth record."""
    bills = messages.schema("bills", {"id": {"type": "integer"}, "name": {"type": "string"}})
    lines = messages.schema("lines", {"id": {"type": "integer"}}, keys=())

    def read(state):
        yield bills
        yield lines
        for number in range(state.get("next", 0), RECORDS):
            # every bill comes twice: the second time it has changed
            yield messages.record("bills", {"id": number // 2, "name": f"version {number % 2}"})
            yield messages.record("lines", {"id": number})
            if number % 10 == 9:
                yield messages.state({"next": number + 1})
        yield messages.state({"next": RECORDS})

    return read


def feed(process, messages, pause):
    try:
        for message in messages:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            if message["type"] == "STATE":
                process.stdin.flush()
                time.sleep(pause)
        process.stdin.close()
    except (BrokenPipeError, ValueError):
        pass


def run_and_kill(warehouse, source, state, after, how=signal.SIGKILL):
    """One run that is killed some seconds after it began to load; the last state it let out, and its end."""
    process = subprocess.Popen(
        warehouse.command(batch_size_rows=40, max_retry_time=60),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    feeder = threading.Thread(target=feed, args=(process, source(state), 0.02), daemon=True)
    feeder.start()
    log = []
    for line in process.stderr:
        log.append(line)
        if b"| Run " in line:
            break
    timer = threading.Timer(after, process.send_signal, [how])
    timer.start()
    drained = threading.Thread(target=log.extend, args=(process.stderr,), daemon=True)
    drained.start()
    for line in process.stdout:
        state = json.loads(line)
    code = process.wait(120)
    timer.cancel()
    return state, code, b"".join(log).decode()


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
def test_a_run_killed_again_and_again_loses_nothing_and_repeats_no_key(warehouse, source, transport):
    warehouse.settings = {"transport": transport}
    chance, state, kills = random.Random(20261121), {}, 0
    for run in range(11):
        after = chance.uniform(0.05, 2.0) if run < 10 else 120
        state, code, log = run_and_kill(warehouse, source, state, after)
        if code == 0:
            break
        assert code == -signal.SIGKILL, log
        kills += 1
    assert state == {"next": RECORDS}
    assert kills >= 3
    bills = warehouse.rows("BILLS", "ID", "NAME")
    assert bills == [(number, "version 1") for number in range(RECORDS // 2)]
    lines = [number for (number,) in warehouse.rows("LINES", "ID")]
    assert set(lines) == set(range(RECORDS))
    loaded = dict(warehouse.query('SELECT "_ML_BATCH_ID", COUNT(*) FROM "BOOKS"."LINES" GROUP BY 1'))
    written = warehouse.rows(
        "BATCHES", "BATCH_ID", "RECORDS_LOADED", schema="ML_AUDIT", where="\"STREAM\" = 'lines'"
    )
    assert loaded == {batch: count for batch, count in written if count}
    repeated = len(lines) - RECORDS
    # each kill may repeat what was committed but not yet promised: the ledger has every one of these rows
    assert repeated <= kills * 80
    spooled = [name for name in warehouse.spooled() if name.endswith(".json")]
    assert len(spooled) <= kills * 2


def test_asked_to_stop_it_loads_what_it_read_and_goes_on_from_there(warehouse, source):
    state, code, log = run_and_kill(warehouse, source, {}, 0.5, signal.SIGTERM)
    assert code == 0, log
    assert 0 < state["next"] < RECORDS
    state, code, log = run_and_kill(warehouse, source, state, 60)
    assert code == 0, log
    assert warehouse.rows("BILLS", "ID", "NAME") == [(n, "version 1") for n in range(RECORDS // 2)]


@pytest.mark.parametrize("what", ["refuse", "reset", "cut"])
@pytest.mark.parametrize("word", ["COPY", "MERGE", "INSERT", "COMMIT"])
def test_an_answer_that_is_lost_loads_nothing_twice(warehouse, network, bills, messages, what, word):
    network.trouble = network.times(1, what, word)
    log = messages.schema("log", {"line": {"type": "integer"}}, keys=())
    run = warehouse.load(
        bills.schema, bills.record(1, "Ace"), log, *(messages.record("log", {"line": n}) for n in range(3))
    )
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID", "VENDOR_NAME") == [(1, "Ace")]
    assert warehouse.rows("LOG", "LINE") == [(0,), (1,), (2,)]
    assert warehouse.audit("BATCHES", "STREAM", "STATUS") == [("bills", "loaded"), ("log", "loaded")]


@pytest.mark.parametrize("code", ["390112", "390114", "390195"])
def test_a_session_that_ends_in_mid_run_is_opened_anew(warehouse, network, bills, code):
    ended = {"data": {}, "code": code, "message": "Your session has ended.", "success": False}
    network.trouble = network.times(1, ended, "MERGE")
    run = warehouse.load(bills.schema, bills.record(1, "Ace"), bills.state("x"))
    assert run.code == 0, run.log
    assert warehouse.rows("BILLS", "ID", "VENDOR_NAME") == [(1, "Ace")]
    assert run.states == [{"bookmarks": {"bills": "x"}}]


def test_a_server_that_says_nothing_ends_the_run_with_a_sentence(warehouse, network, bills):
    network.trouble = network.times(100, "silence", "COPY")
    config = warehouse.command(max_retry_time=1)[-1]
    lines = b"".join(
        json.dumps(m).encode() + b"\n" for m in (bills.schema, bills.record(1), bills.state("x"))
    )
    result = subprocess.run(
        [sys.executable, "-c", IMPATIENT, "--config", config], input=lines, capture_output=True, timeout=100
    )
    assert result.returncode == 1
    assert result.stdout == b""
    assert "Traceback" not in result.stderr.decode(), result.stderr.decode()[:6000]
    assert len([name for name in warehouse.spooled() if name.endswith(".parquet")]) == 1


def test_a_full_disk_ends_the_run_with_a_sentence(warehouse, bills):
    lines = [json.dumps(bills.schema).encode()]
    chance = random.Random(1)
    names = ["%030x" % chance.getrandbits(120) for _ in range(4_000)]
    lines += [json.dumps(bills.record(number, name)).encode() for number, name in enumerate(names)]
    lines.append(json.dumps(bills.state("never")).encode())
    result = subprocess.run(
        warehouse.command(),
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    log = result.stderr.decode()
    assert result.returncode == 1, log
    assert result.stdout == b""
    assert "Cannot write a batch of 'bills' to the spool folder" in log
    assert "Traceback" not in log
    assert warehouse.rows("BILLS", "ID") == []
