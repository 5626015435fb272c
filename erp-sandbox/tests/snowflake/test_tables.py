"""Files, tables and transactions, through Snowflake's own connector."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import snowflake.connector

UTC = dt.timezone.utc
HUGE = 10**38 - 1
CONNECTOR5 = Path(
    os.environ.get(
        "CONNECTOR5_PYTHON", Path(__file__).resolve().parents[3] / ".venv-connector5" / "bin" / "python"
    )
)


def test_a_parquet_file_is_put_copied_and_merged(session, tmp_path):
    session.run(
        "CREATE TABLE BILLS (ID NUMBER(38,0) NOT NULL, AMOUNT NUMBER(38,9), NOTE VARCHAR, PRIMARY KEY (ID))"
    )
    session.run("INSERT INTO BILLS VALUES (1, 1.5, 'old'), (2, 2.5, 'goes')")
    amounts = [Decimal("12345678901234567890123456789.123456789"), None, Decimal("-0.000000001")]
    session.stage(
        tmp_path,
        "a.parquet",
        ID=pa.array([Decimal(1), Decimal(2), Decimal(HUGE)], pa.decimal128(38, 0)),
        AMOUNT=pa.array(amounts, pa.decimal128(38, 9)),
        NOTE=pa.array(["new", "gone", "came"]),
    )
    session.run('CREATE TEMPORARY TABLE "STAGED" ("ID" NUMBER(38,0), "AMOUNT" NUMBER(38,9), "NOTE" VARCHAR)')
    ((file, status, parsed, loaded, *_),) = session.copy('"STAGED"', "a.parquet")
    assert (file.endswith("a.parquet"), status, parsed, loaded) == (True, "LOADED", 3, 3)
    session.run(
        "MERGE INTO BILLS t USING (SELECT * FROM STAGED) s ON t.ID = s.ID"
        " WHEN MATCHED AND s.NOTE = 'gone' THEN DELETE"
        " WHEN MATCHED THEN UPDATE SET AMOUNT = s.AMOUNT, NOTE = s.NOTE"
        " WHEN NOT MATCHED THEN INSERT (ID, AMOUNT, NOTE) VALUES (s.ID, s.AMOUNT, s.NOTE)"
    )
    assert session.run("SELECT * FROM BILLS ORDER BY ID") == [
        (1, amounts[0], "new"),
        (HUGE, amounts[2], "came"),
    ]


def test_purge_takes_the_file_off_the_stage(session, tmp_path):
    session.stage(tmp_path, "p.parquet", X=pa.array([1]))
    session.run("CREATE TABLE T (X NUMBER(38,0))")
    copy = (
        "COPY INTO T FROM @LOADING/p.parquet FILE_FORMAT = (TYPE = PARQUET)"
        " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE PURGE = TRUE"
    )
    session.run(copy)
    assert session.run("SELECT X FROM T") == [(1,)]
    # no error: who does not read the answer would not know that nothing was loaded
    assert session.run(copy) == [("Copy executed with 0 files processed.",)]


def test_every_type_keeps_its_value(session):
    session.run(
        "CREATE TABLE T (N NUMBER(38,9), I NUMBER(38,0), D DATE, TZ TIMESTAMP_TZ, NTZ TIMESTAMP_NTZ,"
        " TI TIME, B BOOLEAN, V VARIANT, BIN BINARY, F FLOAT)"
    )
    session.run(
        "INSERT INTO T SELECT 12345678901234567890123456789.123456789, 7, '2026-02-28',"
        " '2026-01-02T03:04:05.678901+02:00', '2026-01-02 03:04:05', '23:59:58.5', TRUE,"
        """ PARSE_JSON('{"a": 1.10, "b": [12345678901234567890.5]}'), TO_BINARY('00FF10', 'HEX'), 0.1"""
    )
    ((*plain, variant, binary, ratio),) = session.run("SELECT * FROM T")
    assert plain == [
        Decimal("12345678901234567890123456789.123456789"),
        7,
        dt.date(2026, 2, 28),
        dt.datetime(2026, 1, 2, 1, 4, 5, 678901, tzinfo=UTC),
        dt.datetime(2026, 1, 2, 3, 4, 5),
        dt.time(23, 59, 58, 500000),
        True,
    ]
    assert "".join(variant.split()) == '{"a":1.10,"b":[12345678901234567890.5]}'
    assert (bytes(binary), ratio) == (b"\x00\xff\x10", 0.1)


def test_sums_of_numbers_are_exact(session):
    session.run("CREATE TABLE T (C VARCHAR, A NUMBER(19,3))")
    session.run("INSERT INTO T VALUES ('x', 0.1), ('x', 0.2), ('y', 1234567890123456.789), ('y', NULL)")
    assert session.run("SELECT C, SUM(A), COUNT(*) FROM T GROUP BY C ORDER BY C") == [
        ("x", Decimal("0.300"), 2),
        ("y", Decimal("1234567890123456.789"), 2),
    ]
    ((total,),) = session.run("SELECT SUM(CASE WHEN C = 'x' THEN A ELSE 0 END) FROM T")
    assert (type(total), total) == (Decimal, Decimal("0.300"))
    ((total,),) = session.run("SELECT SUM(A) AS TOTAL FROM T")
    assert (type(total), total) == (Decimal, Decimal("1234567890123457.089"))


def test_keys_are_not_enforced_as_in_snowflake(session):
    session.run("CREATE TABLE T (ID NUMBER(38,0) NOT NULL, PRIMARY KEY (ID))")
    session.run("INSERT INTO T VALUES (1), (1)")
    assert session.run("SELECT COUNT(*) FROM T") == [(2,)]
    with pytest.raises(snowflake.connector.errors.Error, match="NULL"):
        session.run("INSERT INTO T VALUES (NULL)")


def test_a_table_is_described_as_it_was_declared(session):
    session.run('CREATE TABLE "Mixed" ("a b" NUMBER(19,3), C VARCHAR, D TIMESTAMP_TZ, E NUMBER(38,0))')
    session.run('ALTER TABLE "Mixed" ADD COLUMN "Ü" VARIANT')
    described = [(row[0], row[1].partition("(16")[0]) for row in session.run('DESCRIBE TABLE "Mixed"')]
    assert described == [
        ("a b", "NUMBER(19,3)"),
        ("C", "VARCHAR"),
        ("D", "TIMESTAMP_TZ(9)"),
        ("E", "NUMBER(38,0)"),
        ("Ü", "VARIANT"),
    ]
    columns = session.run(
        "SELECT COLUMN_NAME, DATA_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE FROM INFORMATION_SCHEMA.COLUMNS"
        " WHERE TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        "Mixed",
    )
    assert columns[0] == ("a b", "NUMBER", 19, 3)
    assert columns[3] == ("E", "NUMBER", 38, 0)


def test_a_dollar_inside_a_text_names_no_variable(session):
    session.run("CREATE TABLE T (X VARCHAR)")
    session.run("INSERT INTO T VALUES (%s)", '{"$schema": "it\'s \\\\ $here"}')
    assert session.run("SELECT X FROM T") == [('{"$schema": "it\'s \\\\ $here"}',)]


def test_a_rollback_leaves_nothing(session):
    session.run("CREATE TABLE T (X NUMBER(38,0))")
    session.run("BEGIN")
    session.run("INSERT INTO T VALUES (1)")
    session.run("ROLLBACK")
    session.run("BEGIN")
    session.run("INSERT INTO T VALUES (2)")
    session.run("COMMIT")
    assert session.run("SELECT X FROM T") == [(2,)]


def test_what_is_not_committed_is_seen_by_nobody_else(server, session, request):
    other = server.session(schema=session.connection.schema)
    session.run("CREATE TABLE T (X NUMBER(38,0))")
    session.run("BEGIN")
    session.run("INSERT INTO T VALUES (1)")
    assert other.run("SELECT COUNT(*) FROM T") == [(0,)]
    session.run("COMMIT")
    assert other.run("SELECT COUNT(*) FROM T") == [(1,)]


@pytest.mark.parametrize(
    "statement", ["SELECT FROM WHERE", "CREATE NETWORK POLICY P ALLOWED_IP_LIST = ('x')"]
)
def test_what_is_not_understood_is_an_error_and_no_silence(session, statement):
    with pytest.raises(snowflake.connector.errors.Error):
        session.run(statement)


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_tables_outlive_the_server(own_server, kill):
    session = own_server.session()
    session.run("CREATE TABLE T (X NUMBER(38,9))")
    session.run("INSERT INTO T VALUES (12345678901234567890123456789.123456789)")
    own_server.stop(kill=kill)
    again = own_server.start().session()
    assert again.run("SELECT X FROM T") == [(Decimal("12345678901234567890123456789.123456789"),)]


_LEAVES_A_TRANSACTION_OPEN = """
import sys, time
import snowflake.connector
host, port, key = sys.argv[1:]
connection = snowflake.connector.connect(
    account="SANDBOX", user="LOADER", host=host, port=int(port), protocol="http",
    authenticator="SNOWFLAKE_JWT", private_key_file=key, database="BOOKS", schema="SAGE300",
)
for statement in ("USE DATABASE BOOKS", 'USE SCHEMA "SAGE300"', "BEGIN", "INSERT INTO T VALUES (1)"):
    connection.cursor().execute(statement)
print("open", flush=True)
time.sleep(60)
"""


def test_a_killed_client_leaves_nothing_behind(own_server):
    session = own_server.session()
    session.run("CREATE TABLE T (X NUMBER(38,0))")
    where = own_server.address()
    command = [sys.executable, "-c", _LEAVES_A_TRANSACTION_OPEN, where["host"], str(where["port"])]
    client = subprocess.Popen([*command, str(own_server.key.private)], stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"open\n"
    client.send_signal(signal.SIGKILL)
    client.wait(10)
    time.sleep(3.5)  # the server takes a silent session for dead at the next login
    again = own_server.session()
    again.run("INSERT INTO T VALUES (2)")
    assert again.run("SELECT X FROM T") == [(2,)]


_LOADS_WITH_CONNECTOR_5 = """
import sys
import snowflake.connector
host, port, key, file = sys.argv[1:]
assert snowflake.connector.__version__.startswith("5."), snowflake.connector.__version__
connection = snowflake.connector.connect(
    account="SANDBOX", user="LOADER", host=host, port=int(port), protocol="http",
    authenticator="SNOWFLAKE_JWT", private_key_file=key,
)
run = lambda sql: connection.cursor().execute(sql).fetchall()
for statement in (
    "USE DATABASE BOOKS", 'USE SCHEMA "SAGE300"',
    "CREATE TABLE T (X NUMBER(38,0), Y NUMBER(38,9), Z TIMESTAMP_TZ)", "CREATE STAGE IF NOT EXISTS LOADING",
    f"PUT 'file://{file}' @LOADING AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE OVERWRITE = TRUE",
    'CREATE TEMPORARY TABLE "S" ("X" NUMBER(38,0), "Y" NUMBER(38,9), "Z" TIMESTAMP_TZ)',
    'COPY INTO "S" FROM @LOADING/five.parquet FILE_FORMAT = (TYPE = PARQUET)'
    " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE",
    "MERGE INTO T t USING (SELECT * FROM S) s ON t.X = s.X"
    " WHEN NOT MATCHED THEN INSERT (X, Y, Z) VALUES (s.X, s.Y, s.Z)",
):
    run(statement)
print(run("SELECT X, Y, Z FROM T ORDER BY X"))
"""


def test_connector_5_loads_the_same_way(own_server, tmp_path):
    session = own_server.session()
    path = session.stage(
        tmp_path,
        "five.parquet",
        X=pa.array([Decimal(5), Decimal(HUGE)], pa.decimal128(38, 0)),
        Y=pa.array([Decimal("0.000000001"), None], pa.decimal128(38, 9)),
        Z=pa.array([dt.datetime(2026, 1, 2, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
    )
    where = own_server.address()
    command = [CONNECTOR5, "-c", _LOADS_WITH_CONNECTOR_5, where["host"], str(where["port"])]
    result = subprocess.run(
        [*command, own_server.key.private, path], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert session.run("SELECT X, Y, Z FROM T ORDER BY X") == [
        (5, Decimal("0.000000001"), dt.datetime(2026, 1, 2, tzinfo=UTC)),
        (HUGE, None, None),
    ]
    assert "0.000000001" in result.stdout or "1E-9" in result.stdout


def test_a_session_that_is_closed_leaves_no_transaction_behind(server, session):
    session.run("CREATE TABLE HELD (N NUMBER(38,0))")
    session.run("INSERT INTO HELD VALUES (1)")
    for _ in range(3):
        other = server.session(schema="HOLDING")
        schema = session.run("SELECT CURRENT_SCHEMA()")[0][0]
        other.run(f'USE SCHEMA "{schema}"')
        other.run("BEGIN")
        other.run("UPDATE HELD SET N = 2")
        other.connection.close()
        session.run("UPDATE HELD SET N = N + 10")
    assert session.run("SELECT N FROM HELD") == [(31,)]
