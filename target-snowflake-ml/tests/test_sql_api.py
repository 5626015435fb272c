"""The whole target over the SQL API: types, the ledger, lost answers, cancelling."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import time
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

UTC = dt.timezone.utc


@pytest.fixture
def sql_api(warehouse):
    warehouse.settings = {"transport": "sql_api"}
    return warehouse


def test_every_type_comes_back_as_it_was_sent(sql_api, messages):
    properties = {
        "id": {"type": "integer"},
        "big": {"type": ["integer", "null"]},
        "exact": {"type": ["number", "null"], "x-precision": 38, "x-scale": 9},
        "day": {"type": ["string", "null"], "format": "date"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "hour": {"type": ["string", "null"], "format": "time"},
        "yes": {"type": ["boolean", "null"]},
        "tree": {"type": ["object", "null"]},
        "text": {"type": ["string", "null"]},
    }
    schema = messages.schema("kinds", properties)
    line = (
        b'{"type":"RECORD","stream":"kinds","record":{"id":1,"big":12345678901234567890123456789012345678,'
        b'"exact":12345678901234567890123456789.123456789,"day":"2026-02-28","at":"2026-02-28T23:59:59.000001Z",'
        b'"hour":"01:02:03.5","yes":true,"tree":{"n":0.10},"text":"quote \' and \\\\ and \\u00e9"}}'
    )
    run = sql_api.load(schema, line, messages.record("kinds", {"id": 2}))
    assert run.code == 0, run.log
    names = [name.upper() for name in properties]
    full, empty = sql_api.rows("KINDS", *names)
    assert full[1:7] == (
        12345678901234567890123456789012345678,
        Decimal("12345678901234567890123456789.123456789"),
        dt.date(2026, 2, 28),
        dt.datetime(2026, 2, 28, 23, 59, 59, 1, UTC),
        dt.time(1, 2, 3, 500_000),
        True,
    )
    assert json.loads(full[7], parse_float=Decimal) == {"n": Decimal("0.10")}
    assert full[8] == "quote ' and \\ and é"
    assert empty == (2, *[None] * 8)


def test_the_ledger_names_every_statement_of_a_batch(sql_api, bills):
    run = sql_api.load(bills.schema, bills.record(1, "Ace"))
    assert run.code == 0, run.log
    ((ids,),) = sql_api.audit("BATCHES", "STATEMENT_IDS")
    # create, insert, count; then BEGIN, MERGE, the ledger's INSERT, COMMIT; then what is dropped
    assert len(set(ids.split(","))) >= 5
    tables = sql_api.query(
        f"SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '{sql_api.schema}'"
    )
    assert tables == [("BILLS",)]


def test_what_a_killed_process_left_is_swept_away_after_a_day(sql_api, bills):
    sql_api.query(f'CREATE SCHEMA "{sql_api.schema}"')
    today = dt.datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = [f"ML_STAGED_{moment}-0a0b0c0d-000001" for moment in ("20200101T000000Z", today)]
    for name in names:
        sql_api.query(f'CREATE TABLE "{sql_api.schema}"."{name}" ("ID" NUMBER)')
    assert sql_api.load(bills.schema, bills.record(1), small_batch_bytes=0).code == 0
    tables = sql_api.query(
        f"SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '{sql_api.schema}' ORDER BY 1"
    )
    assert tables == [("BILLS",), (names[1],)]


@pytest.mark.parametrize("what", ["refuse", "reset", "cut"])
@pytest.mark.parametrize("word", ["INSERT", "ALTER SESSION"])
def test_an_answer_that_is_lost_loads_nothing_twice(sql_api, network, bills, messages, what, word):
    network.trouble = network.times(2, what, word)
    log = messages.schema("log", {"line": {"type": "integer"}}, keys=())
    run = sql_api.load(
        bills.schema,
        bills.record(1, "Ace"),
        log,
        *(messages.record("log", {"line": n}) for n in range(3)),
        small_batch_bytes=0,
        max_retry_time=60,
    )
    assert run.code == 0, run.log
    assert sql_api.rows("BILLS", "ID", "VENDOR_NAME") == [(1, "Ace")]
    assert sql_api.rows("LOG", "LINE") == [(0,), (1,), (2,)]
    assert sql_api.audit("BATCHES", "STREAM", "STATUS") == [("bills", "loaded"), ("log", "loaded")]
    assert any("retry=true" in path for path in network.paths)


def test_a_storm_of_429_is_waited_for(sql_api, network, bills):
    crowded = (429, {"Retry-After": "1"}, {"code": "390505", "message": "Too many requests."})
    network.trouble = network.times(3, crowded, "ALTER SESSION")
    started = time.monotonic()
    run = sql_api.load(bills.schema, bills.record(1, "Ace"), bills.state("x"), max_retry_time=30)
    assert run.code == 0, run.log
    assert time.monotonic() - started > 3
    assert run.states == [{"bookmarks": {"bills": "x"}}]
    assert sql_api.rows("BILLS", "ID") == [(1,)]


def test_a_key_that_nobody_registered_is_a_sentence_with_its_remedy(sql_api, bills):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    run = sql_api.load(bills.schema, bills.record(1), private_key=key.decode())
    assert run.code == 1
    assert "RSA_PUBLIC_KEY" in run.log
    assert "Traceback" not in run.log
    assert "Bearer" not in run.log
    assert "PRIVATE KEY" not in run.log


def test_an_access_token_lets_in_and_is_never_shown(sql_api, bills):
    secret = "a-programmatic-access-token"
    run = sql_api.load(bills.schema, bills.record(1), private_key=None, token=secret)
    assert run.code == 0, run.log
    refused = sql_api.load(bills.schema, bills.record(1), private_key=None, token="another-token-of-mine")
    assert refused.code == 1
    assert "PROGRAMMATIC ACCESS TOKEN" in refused.log
    assert "another-token-of-mine" not in refused.log + run.log
    assert secret not in run.log


def test_a_second_signal_cancels_what_runs(sql_api, network, bills):
    """Its transaction goes on in Snowflake otherwise, as nobody waits for it any more."""
    handle = "01b2c3d4-0000-0000-0000-000000000001"
    running = (
        202,
        {},
        {"code": "333334", "message": "Asynchronous execution in progress.", "statementHandle": handle},
    )

    def trouble(path, statement):
        return running if "BEGIN" in statement or handle in path else None

    network.trouble = trouble
    process = subprocess.Popen(
        sql_api.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for message in (bills.schema, bills.record(1)):
        process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()
    process.send_signal(0)
    deadline = time.monotonic() + 60
    process.stdin.close()
    while not any(handle in path for path in network.paths) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM
    assert any(path.endswith(f"{handle}/cancel") for path in network.paths)


def test_the_first_run_needs_no_connector(sql_api, bills):
    """The SQL API's users are spared the connector's import."""
    program = (
        "import sys\n"
        "from target_snowflake_ml.cli import main\n"
        "import atexit\n"
        "atexit.register(lambda: print(any(m.startswith('snowflake.connector') for m in sys.modules)))\n"
        "main()\n"
    )
    config = sql_api.command()[-1]
    lines = b"".join(json.dumps(m).encode() + b"\n" for m in (bills.schema, bills.record(1)))
    result = subprocess.run(
        [sys.executable, "-c", program, "--config", config], input=lines, capture_output=True, timeout=60
    )
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout.decode().splitlines()[-1] == "False"
