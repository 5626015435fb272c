"""What only the SQL API does: tokens, polling, partitions, repetition by name, cancelling."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import signal
import subprocess
import sys
import time
from decimal import Decimal

import jwt
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from ml_connector.load.errors import LoadError
from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.connections import connection_of, tokens, wire

UTC = dt.timezone.utc


@pytest.fixture
def sql_api(warehouse):
    warehouse.settings = {"transport": "sql_api"}
    return warehouse


@pytest.fixture
def connection(sql_api):
    """The target's own connection to the test's database."""
    opened = connection_of({"query_tag": "test", **sql_api.config()}, "run=1")
    yield opened
    opened.close()


def test_a_key_pair_says_who_asks_and_is_renewed_before_its_hour_ends():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    fingerprint = base64.b64encode(hashlib.sha256(der).digest()).decode()
    now = [1_790_000_000.0]
    proof = tokens.KeyPair("myorg-books.eu-west-1", "loader", {"private_key": pem.decode()}, lambda: now[0])

    def token():
        headers = proof.headers()
        assert headers["X-Snowflake-Authorization-Token-Type"] == "KEYPAIR_JWT"
        return headers["Authorization"].removeprefix("Bearer ")

    first = token()
    claims = jwt.decode(
        first, key.public_key(), ["RS256"], options={"verify_exp": False, "verify_iat": False}
    )
    assert claims == {
        "iss": f"MYORG-BOOKS.LOADER.SHA256:{fingerprint}",
        "sub": "MYORG-BOOKS.LOADER",
        "iat": 1_790_000_000,
        "exp": 1_790_003_540,
    }
    now[0] += 3_000
    assert token() == first
    now[0] += 300
    assert token() != first
    assert proof.renew() is False
    now[0] += 400
    token()
    now[0] += 400
    assert proof.renew() is True


@pytest.mark.parametrize(
    ("kind", "array", "texts"),
    [
        (Kind.STRING, pa.array(["é", None]), ["é", None]),
        (Kind.INTEGER, pa.array([7, None]), ["7", None]),
        (Kind.INTEGER, pa.array([Decimal(10**37)], pa.decimal128(38, 0)), [str(10**37)]),
        (Kind.DECIMAL, pa.array([Decimal("0.000000001")], pa.decimal128(38, 9)), ["0.000000001"]),
        (Kind.DOUBLE, pa.array([0.1]), ["0.1"]),
        (Kind.BOOLEAN, pa.array([True, False]), ["true", "false"]),
        (Kind.DATE, pa.array([dt.date(1969, 12, 31)]), ["-86400000"]),
        (
            Kind.TIMESTAMP_TZ,
            pa.array([dt.datetime(2026, 1, 2, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            ["1767312000000000000 1440"],
        ),
        (Kind.TIMESTAMP_NTZ, pa.array([dt.datetime(1970, 1, 1, 0, 0, 1, 5)]), ["1000005000"]),
        (Kind.TIME, pa.array([dt.time(0, 0, 1)], pa.time64("us")), ["1000000000"]),
        (Kind.BINARY, pa.array([b"\x00\xff"]), ["00ff"]),
    ],
)
def test_a_column_is_bound_as_exact_texts(kind, array, texts):
    assert wire.column_binding(Column("X", kind), array)["value"] == texts


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ({"type": "fixed", "scale": 0}, "99999999999999999999", 99999999999999999999),
        ({"type": "fixed", "scale": 2}, "1.10", Decimal("1.10")),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "0", False),
        ({"type": "date"}, "-1", dt.date(1969, 12, 31)),
        ({"type": "time"}, "3723.500000000", dt.time(1, 2, 3, 500_000)),
        ({"type": "timestamp_ntz"}, "-0.500000000", dt.datetime(1969, 12, 31, 23, 59, 59, 500_000)),
        (
            {"type": "timestamp_tz"},
            "1616173619.000001000 1500",
            dt.datetime(2021, 3, 19, 18, 6, 59, 1, dt.timezone(dt.timedelta(hours=1))),
        ),
        ({"type": "binary"}, "00FF", b"\x00\xff"),
        ({"type": "variant"}, '{"a":1}', '{"a":1}'),
    ],
)
def test_a_result_is_read_exactly(kind, text, value):
    ((found,),) = wire.decoded([kind], [[text]])
    assert found == value
    assert type(found) is type(value)


def test_parameters_become_literals_where_bindings_are_not_taken():
    sql = wire.inlined("SELECT %s, %s, %s, %s", ("it's a \\ %s", None, 3, Decimal("1E-9")))
    assert sql == "SELECT 'it''s a \\\\ %s', NULL, 3, 0.000000001"
    with pytest.raises(ValueError, match="2 parameters"):
        wire.inlined("SELECT %s", (1, 2))


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
    assert len(set(ids.split(","))) >= 7
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
    assert sql_api.load(bills.schema, bills.record(1)).code == 0
    tables = sql_api.query(
        f"SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = '{sql_api.schema}' ORDER BY 1"
    )
    assert tables == [("BILLS",), (names[1],)]


def test_many_rows_go_in_several_requests_and_come_in_several_partitions(connection, tmp_path):
    import pyarrow.parquet as pq

    count = 12_000
    columns = [Column("N", Kind.INTEGER), *(Column(f"T{place}", Kind.STRING) for place in range(9))]
    rows = {column.name: [str(n) for n in range(count)] for column in columns[1:]}
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"N": pa.array(range(count), pa.int64()), **rows}), path)
    connection.execute('CREATE SCHEMA IF NOT EXISTS "MANY"')
    connection.use("MANY")
    connection.statement_ids.clear()
    connection.stage("LOTS", columns, path, count)
    assert len(connection.statement_ids) >= 4  # the sweep, the table, two inserts and the count
    assert connection.execute('SELECT "N", "T8" FROM "LOTS" ORDER BY 1') == [
        (n, str(n)) for n in range(count)
    ]
    with pytest.raises(LoadError, match="took 24000 of the 12001 rows|took 12000 of the 12001 rows"):
        connection.stage("LOTS", columns, path, count + 1)
    connection.unstage(["LOTS"])
    with pytest.raises(LoadError, match="LOTS"):
        connection.execute('SELECT COUNT(*) FROM "LOTS"')


def test_a_transaction_is_wholly_there_or_not_at_all(connection):
    connection.execute('CREATE SCHEMA IF NOT EXISTS "ALLORNONE"')
    connection.use("ALLORNONE")
    connection.execute('CREATE TABLE "T" ("N" NUMBER(38,0))')
    with pytest.raises(LoadError, match="MISSING"):
        connection.transaction(
            [('INSERT INTO "T" VALUES (%s)', (1,)), ('INSERT INTO "MISSING" VALUES (1)', ())]
        )
    assert connection.execute('SELECT COUNT(*) FROM "T"') == [(0,)]
    connection.transaction(
        [('INSERT INTO "T" VALUES (%s)', (1,)), lambda: ('INSERT INTO "T" VALUES (2)', ())]
    )
    assert connection.execute('SELECT "N" FROM "T" ORDER BY 1') == [(1,), (2,)]


@pytest.mark.parametrize("what", ["refuse", "reset", "cut"])
@pytest.mark.parametrize("word", ["CREATE OR REPLACE", "INSERT", "BEGIN"])
def test_an_answer_that_is_lost_loads_nothing_twice(sql_api, network, bills, messages, what, word):
    network.trouble = network.times(2, what, word)
    log = messages.schema("log", {"line": {"type": "integer"}}, keys=())
    run = sql_api.load(
        bills.schema, bills.record(1, "Ace"), log, *(messages.record("log", {"line": n}) for n in range(3))
    )
    assert run.code == 0, run.log
    assert sql_api.rows("BILLS", "ID", "VENDOR_NAME") == [(1, "Ace")]
    assert sql_api.rows("LOG", "LINE") == [(0,), (1,), (2,)]
    assert sql_api.audit("BATCHES", "STREAM", "STATUS") == [("bills", "loaded"), ("log", "loaded")]
    assert any("retry=true" in path for path in network.paths)


def test_a_storm_of_429_is_waited_for(sql_api, network, bills):
    crowded = (429, {"Retry-After": "1"}, {"code": "390505", "message": "Too many requests."})
    network.trouble = network.times(3, crowded, "BEGIN")
    started = time.monotonic()
    run = sql_api.load(bills.schema, bills.record(1, "Ace"), bills.state("x"), max_retry_time=30)
    assert run.code == 0, run.log
    assert time.monotonic() - started > 3
    assert run.states == [{"bookmarks": {"bills": "x"}}]
    assert sql_api.rows("BILLS", "ID") == [(1,)]


def test_a_token_that_was_refused_in_mid_run_is_made_anew(sql_api, network, bills, monkeypatch):
    """The first token looks old to the target: a refusal is then worth another one."""
    ended = (401, {}, {"code": "390144", "message": "JWT token is invalid."})
    network.trouble = network.times(1, ended, "BEGIN")
    monkeypatch.setattr(tokens, "RENEWED", 0)
    config = {"query_tag": "test", **sql_api.config(), "transport": "sql_api"}
    opened = connection_of(config, "run=1")
    opened.execute('CREATE SCHEMA IF NOT EXISTS "RENEWED"')
    opened.use("RENEWED")
    opened.execute('CREATE TABLE "T" ("N" NUMBER(38,0))')
    opened.transaction([('INSERT INTO "T" VALUES (1)', ())])
    assert opened.execute('SELECT "N" FROM "T"') == [(1,)]


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
        return running if statement.startswith("BEGIN") or handle in path else None

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
