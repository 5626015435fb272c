"""What only the SQL API does: requests of several statements, polling, partitions, repetition by name."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ml_connector.load.connection import StagedFile
from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.connections import sql_api

UTC = dt.timezone.utc


@pytest.fixture
def opened_with(warehouse, network):
    """Opens the target's own connection to the test's database, over the proxy."""
    connections = []

    def opened_with(**more):
        config = {"query_tag": "test", **warehouse.config(max_retry_time=60)}
        connections.append(sql_api.SqlApiConnection(config, "run=1", **more))
        return connections[-1]

    yield opened_with
    for connection in connections:
        connection.close()


@pytest.fixture
def connection(opened_with):
    return opened_with()


@pytest.fixture
def schema(warehouse):
    warehouse.query('CREATE SCHEMA "WORK"')
    return "WORK"


def test_only_scalars_are_bound_and_the_session_is_said_with_each_request(connection, network, schema):
    connection.execute("SELECT ?", ("x",))
    connection.execute('CREATE TABLE "WORK"."T" ("N" NUMBER(38,0))')
    connection.transaction([('INSERT INTO "WORK"."T" SELECT ?', (7,))])
    alone, _, together = network.requests()
    assert alone["bindings"] == {"1": {"type": "TEXT", "value": "x"}}
    assert alone["timeout"] == 172_800
    assert alone["parameters"] == {
        "BINARY_OUTPUT_FORMAT": "HEX",
        "TIMEZONE": "UTC",
        "QUERY_TAG": "test run=1",
        "MULTI_STATEMENT_COUNT": "1",
    }
    assert "bindings" not in together
    first, *others = together["statement"].split(";\n")
    assert first.startswith("ALTER SESSION SET ")
    assert "QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE" in first
    assert "TIMESTAMP_INPUT_FORMAT = 'AUTO'" in first
    assert "AUTOCOMMIT" not in first
    assert others == ["BEGIN", 'INSERT INTO "WORK"."T" SELECT 7', "COMMIT"]
    assert together["parameters"]["MULTI_STATEMENT_COUNT"] == "4"


def test_a_name_in_small_letters_is_kept_whatever_the_account_makes_of_it(connection, network):
    """A request of one statement cannot set QUOTED_IDENTIFIERS_IGNORE_CASE."""
    result = {
        "resultSetMetaData": {"rowType": [{"type": "fixed", "scale": 0}], "partitionInfo": [{}]},
        "data": [["7"]],
        "statementHandle": "the-second",
    }
    done = {"statementHandle": "all", "statementHandles": ["the-first", "the-second"], "code": "090001"}
    network.trouble = lambda path, statement: (
        done if statement else result if path.endswith("/the-second") else None
    )
    assert connection.execute('SELECT "n" FROM "WORK"."T" WHERE "n" = ?', ("it's",)) == [(7,)]
    (sent,) = network.requests()
    assert sent["statement"].startswith("ALTER SESSION SET ")
    assert sent["statement"].endswith(';\nSELECT "n" FROM "WORK"."T" WHERE "n" = \'it\'\'s\'')
    assert connection.statement_ids == ["the-first", "the-second"]


def test_many_rows_go_in_several_requests(connection, network, schema, tmp_path, monkeypatch):
    monkeypatch.setattr(sql_api, "MOST_BYTES", 12_000)
    columns = [Column("N", Kind.INTEGER, 38, 0), Column("TEXT", Kind.STRING)]
    path = tmp_path / "rows.parquet"
    rows = {"N": pa.array(range(1_000), pa.int64()), "TEXT": [f"row {n} ?" for n in range(1_000)]}
    pq.write_table(pa.table(rows), path)
    connection.stage(schema, "ML_STAGED_LOTS", StagedFile(path, columns, frozenset(), 1_000))
    inserts = [sent for sent in network.requests() if sent["statement"].startswith("INSERT")]
    assert len(inserts) == 2
    for sent in inserts:
        ((place, bound),) = sent["bindings"].items()
        assert (place, bound["type"]) == ("1", "TEXT")
        assert len(sent["statement"].encode()) + len(bound["value"].encode()) <= 12_000
    assert connection.execute('SELECT COUNT(DISTINCT "N") FROM "WORK"."ML_STAGED_LOTS"') == [(1_000,)]


def test_a_result_comes_in_several_partitions(connection, schema):
    connection.execute('CREATE TABLE "WORK"."T" AS SELECT seq AS N FROM (SELECT UNNEST(RANGE(12000)) AS seq)')
    assert connection.execute('SELECT "N" FROM "WORK"."T" ORDER BY 1') == [(n,) for n in range(12_000)]


@pytest.mark.parametrize("what", ["refuse", "reset", "cut"])
def test_a_request_that_is_sent_again_is_not_carried_out_twice(connection, network, schema, what):
    connection.execute('CREATE TABLE "WORK"."T" ("N" NUMBER(38,0))')
    network.trouble = network.times(2, what, "ALTER SESSION", "INSERT")
    connection.transaction([('INSERT INTO "WORK"."T" VALUES (1)', ())])
    connection.execute('INSERT INTO "WORK"."T" VALUES (2)')
    assert connection.execute('SELECT "N" FROM "WORK"."T" ORDER BY 1') == [(1,), (2,)]
    assert any("retry=true" in path for path in network.paths)


def test_a_statement_that_takes_long_is_asked_for(connection, network):
    running = {"statementHandle": "h", "code": "333334", "message": "Asynchronous execution in progress."}
    done = {
        "resultSetMetaData": {"rowType": [{"type": "fixed", "scale": 0}]},
        "data": [["1"]],
        "statementHandle": "h",
    }
    left = [3]

    def trouble(path, statement):
        if statement or left[0]:
            left[0] -= not statement
            return (202, {}, running)
        return done if path.endswith("/h") else None

    network.trouble = trouble
    assert connection.execute("SELECT 1") == [(1,)]
    assert sum(path.endswith("/h") for path in network.paths) == 4


def test_too_many_requests_are_waited_for_as_long_as_is_said(opened_with, network):
    slept = []
    connection = opened_with(sleep=slept.append)
    crowded = (429, {"Retry-After": "7"}, {"code": "390505", "message": "Too many requests."})
    network.trouble = network.times(2, crowded, "SELECT")
    assert connection.execute("SELECT 1") == [(1,)]
    assert sum(seconds >= 7 for seconds in slept) == 2


def test_what_a_killed_process_left_is_swept_away_after_a_day(connection, schema, warehouse, tmp_path):
    today = dt.datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = [f"ML_STAGED_{moment}-0a0b0c0d-000001" for moment in ("20200101T000000Z", today)]
    for name in names:
        warehouse.query(f'CREATE TABLE "WORK"."{name}" ("ID" NUMBER)')
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"N": pa.array([1], pa.int64())}), path)
    file = StagedFile(path, [Column("N", Kind.INTEGER, 38, 0)], frozenset(), 1)
    connection.stage(schema, "ML_STAGED_X", file)
    asked = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'WORK' ORDER BY 1"
    assert warehouse.query(asked) == [(names[1],), ("ML_STAGED_X",)]
