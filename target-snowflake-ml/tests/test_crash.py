"""Killed at any instant, by whatever loads: nothing is lost, keys stay unique, and nobody sees half a table."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess

import pytest
from methods_tap import METHODS, Books, Reader, next_of
from trials import STRESS, WAYS, chance

SIZE = 60 if STRESS else 20
PARTS = int(os.environ.get("STRESS_PARTS") or 7) if STRESS else 1
KILLS = 10 if STRESS else 3
"""In each part of each way: 210 kills under STRESS."""
REQUESTS = 90 if STRESS else 60
"""About as many as a run makes until it has read everything."""
ROWS = 10


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_killed_again_and_again_loses_nothing_and_repeats_no_key(trial, way, part):
    random, total = chance("crash", way, part), 0
    while total < KILLS:  # a tap may be read through before
        trial.warehouse.schema = f"BOOKS_{total}"
        total += read_through(trial, random, most=KILLS - total)
    print(f"{way}, part {part}: {total} kills")


def read_through(trial, random, most):
    """Read a tap to its end, however often the target is killed; how often it was."""
    books, since, kills = Books(SIZE), 0, 0
    audit = f"AUDIT_{trial.warehouse.schema}"
    with Reader(trial.warehouse, 0.1 if STRESS else 0.3) as reader:
        while True:
            settings = {
                "audit_schema": audit,
                "batch_size_rows": ROWS,
                "batch_max_age": 1,
                "small_batch_bytes": random.choice([0, 256_000]),
                "parallel_loads": random.choice([1, 2, 4]),
                "streams": METHODS,
            }
            messages = list(books.messages(since))
            if kills == most:
                killed = trial.load(messages, **settings) is None
            elif random.random() < 0.7:
                killed = trial.killed(
                    messages, random.randrange(REQUESTS), sent=random.random() < 0.5, **settings
                )
            else:
                killed = trial.killed_after(random.uniform(0, 6), messages, **settings)
            states = trial.runs[-1].states
            since = next_of(states[-1]) if states else since
            if not killed:
                break
            kills += 1
    assert since == SIZE
    reader.check()
    books.check(trial.warehouse, kills=kills, most_repeated=kills * ROWS, audit=audit)
    return kills


def test_asked_to_stop_it_loads_what_it_read_and_goes_on_from_there(warehouse, bills):
    command = [str(part) for part in warehouse.command()]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log = []
    send(process, bills.schema, *(bills.record(number, "Ace") for number in range(20)), bills.state(20))
    for line in process.stderr:  # it has signed on; the next line that it waits for does not come
        log.append(line)
        if b"| Run " in line:
            break
    send(process, bills.record(20, "Bolt"), bills.state(21))
    process.send_signal(signal.SIGTERM)
    rest, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, b"".join(log) + stderr
    states = [json.loads(line) for line in rest.splitlines()]
    # the signal may come before the lines that wait were read; what a state promises is there
    reached = states[-1]["bookmarks"]["bills"] if states else 0
    assert reached in {0, 20, 21}
    rows = warehouse.rows("BILLS", "ID")
    assert rows == [(number,) for number in range(len(rows))]
    assert reached <= len(rows) <= 21
    assert [row[0] for row in warehouse.audit("RUNS", "STATUS")] == ["partial"]
    assert warehouse.spooled() == []


def send(process, *messages):
    process.stdin.write(b"".join(json.dumps(each).encode() + b"\n" for each in messages))
    process.stdin.flush()


def test_a_full_disk_ends_the_run_with_a_sentence(warehouse, bills):
    lines = [json.dumps(bills.schema).encode()]
    random = chance("disk")
    names = ["%030x" % random.getrandbits(120) for _ in range(4_000)]
    lines += [json.dumps(bills.record(number, name)).encode() for number, name in enumerate(names)]
    lines.append(json.dumps(bills.state("never")).encode())
    result = subprocess.run(
        warehouse.command(),
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    log = result.stderr.decode()
    assert result.returncode == 1, log
    assert result.stdout == b""
    assert "Cannot write a batch of 'bills' to the spool folder" in log
    assert "Traceback" not in log
    assert warehouse.rows("BILLS", "ID") == []
