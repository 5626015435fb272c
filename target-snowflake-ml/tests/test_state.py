"""A state is let out when everything read before it is in the warehouse, and never sooner."""

from __future__ import annotations

import json
import select
import subprocess


def line(message):
    return json.dumps(message).encode() + b"\n"


def wait_for_line(process, seconds=30):
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline() if ready else b""


def start(warehouse, **settings):
    return subprocess.Popen(
        warehouse.command(**settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(warehouse.folder / "log").open("wb"),
    )


def test_the_last_state_comes_out_at_the_end(warehouse, bills):
    run = warehouse.load(bills.schema, bills.record(1), bills.state(1), bills.record(2), bills.state(2))
    assert run.states == [{"bookmarks": {"bills": 2}}]


def test_numbers_in_a_state_keep_their_digits(warehouse):
    text = b'{"type":"STATE","value":{"at":12345678901234567.123456789,"seq":123456789012345678901234567890}}'
    result = subprocess.run(
        warehouse.command(), input=text + b"\n", capture_output=True, check=True, timeout=60
    )
    assert result.stdout.strip() == b'{"at":12345678901234567.123456789,"seq":123456789012345678901234567890}'


def test_a_state_comes_out_while_the_input_goes_on_once_its_records_are_loaded(warehouse, bills):
    process = start(warehouse, batch_size_rows=2)
    try:
        for message in (bills.schema, bills.record(1), bills.state("one read"), bills.record(2)):
            process.stdin.write(line(message))
        process.stdin.flush()
        assert json.loads(wait_for_line(process)) == {"bookmarks": {"bills": "one read"}}
        assert warehouse.rows("BILLS", "ID") == [(1,), (2,)]
    finally:
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_full_batch_of_one_stream_holds_the_state_while_another_stream_waits(warehouse, bills, messages):
    other = messages.schema("notes", {"id": {"type": "integer"}})
    process = start(warehouse, batch_size_rows=2)
    try:
        sent = [
            bills.schema,
            other,
            messages.record("notes", {"id": 1}),
            bills.record(1),
            bills.state("notes 1 and bill 1"),
            bills.record(2),
        ]
        process.stdin.write(b"".join(map(line, sent)))
        process.stdin.flush()
        assert wait_for_line(process, seconds=4) == b""
        process.stdin.write(line(messages.record("notes", {"id": 2})))
        process.stdin.flush()
        assert json.loads(wait_for_line(process)) == {"bookmarks": {"bills": "notes 1 and bill 1"}}
        assert warehouse.rows("NOTES", "ID") == [(1,), (2,)]
    finally:
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_batch_that_cannot_be_loaded_keeps_the_state_back(warehouse, bills):
    warehouse.query('CREATE SCHEMA "BOOKS"')
    warehouse.query('CREATE TABLE "BOOKS"."BILLS" ("ID" NUMBER(38,0), "THEIRS" VARCHAR NOT NULL)')
    run = warehouse.load(bills.schema, bills.record(1), bills.state("never"))
    assert run.code == 1
    assert run.states == []
    assert "Traceback" not in run.log
    ((batch_id, status, loaded, error),) = warehouse.audit(
        "BATCHES", "BATCH_ID", "STATUS", "RECORDS_LOADED", "ERROR"
    )
    assert (status, loaded) == ("failed", 0)
    assert "NULL result in a non-nullable column" in error
    assert warehouse.spooled() == [f"{batch_id}.json", f"{batch_id}.parquet"]
    manifest = json.loads((warehouse.folder / "spool" / f"{batch_id}.json").read_text())
    assert (manifest["stream"], manifest["records"], manifest["error"]) == ("bills", 1, error)
    ((run_status,),) = warehouse.audit("RUNS", "STATUS")
    assert run_status == "failed"


def test_asked_to_stop_it_loads_what_it_read(warehouse, bills):
    process = start(warehouse)
    for message in (bills.schema, bills.record(1), bills.record(2), bills.state("two read")):
        process.stdin.write(line(message))
    process.stdin.flush()
    while b"Run " not in (warehouse.folder / "log").read_bytes():
        select.select([], [], [], 0.05)
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, (warehouse.folder / "log").read_text()
    read = warehouse.rows("BILLS", "ID")
    # the signal may come before the last lines were read; what the state promises is there
    if output:
        assert json.loads(output) == {"bookmarks": {"bills": "two read"}}
        assert read == [(1,), (2,)]
    ((status, error),) = warehouse.audit("RUNS", "STATUS", "ERROR")
    assert status == "partial"
    assert "Stopped by a signal" in error


def test_the_age_of_a_batch_is_bounded(warehouse, bills):
    process = start(warehouse, batch_max_age=1)
    try:
        for message in (bills.schema, bills.record(1), bills.state("first")):
            process.stdin.write(line(message))
        # the age is looked at whenever a message comes; neither rows nor bytes fill the batch
        for number in range(2, 60):
            process.stdin.write(line(bills.record(number)))
            process.stdin.flush()
            if state := wait_for_line(process, seconds=0.25):
                break
        assert json.loads(state) == {"bookmarks": {"bills": "first"}}
        assert (1,) in warehouse.rows("BILLS", "ID")
    finally:
        process.stdin.close()
        assert process.wait(60) == 0
