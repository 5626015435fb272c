"""The SQL API v2, asked with nothing but HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import serialization


@pytest.fixture
def table(api):
    name = f"T{uuid.uuid4().hex[:8]}".upper()
    status, answer = api.run(f"CREATE TABLE {name} (N NUMBER(38,0), D DATE, S VARCHAR)", schema="SAGE300")
    assert status == 200, answer
    return f"SAGE300.{name}"


def jwt_of(key, **changed):
    private = serialization.load_pem_private_key(key.private.read_bytes(), None)
    der = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    fingerprint = base64.b64encode(hashlib.sha256(der).digest()).decode()
    now = int(time.time())
    claims = {
        "iss": f"SANDBOX.LOADER.SHA256:{fingerprint}",
        "sub": "SANDBOX.LOADER",
        "iat": now,
        "exp": now + 600,
    }
    return jwt.encode({**claims, **changed}, private, algorithm="RS256")


def test_a_result_says_its_types_and_gives_texts(api):
    status, answer = api.run(
        "SELECT 1.50::NUMBER(5,2) AS A, 'x' AS B, TRUE AS C, '1970-01-02'::DATE AS D, NULL"
    )
    assert status == 200
    assert answer["code"] == "090001"
    assert answer["data"] == [["1.50", "x", "true", "1", None]]
    described = answer["resultSetMetaData"]
    assert [column["type"] for column in described["rowType"][:4]] == ["fixed", "text", "boolean", "date"]
    assert described["numRows"] == 1
    assert api.ask("GET", answer["statementStatusUrl"])[1]["data"] == answer["data"]


def test_a_key_pair_opens_and_an_old_or_foreign_one_does_not(api, key, another_key):
    kind = {"X-Snowflake-Authorization-Token-Type": "KEYPAIR_JWT"}
    body = {"statement": "SELECT 1"}
    for bearer, expected in [
        (jwt_of(key), 200),
        (jwt_of(key, exp=int(time.time()) - 1), 401),
        (jwt_of(key, sub="SANDBOX.SOMEBODY"), 401),
        (jwt_of(key, exp=int(time.time()) + 7200), 401),
        (jwt_of(another_key("other")), 401),
    ]:
        headers = {**kind, "Authorization": f"Bearer {bearer}"}
        status, answer = api.ask("POST", "/api/v2/statements", body, **headers)
        assert status == expected, answer
        assert status == 200 or answer["code"] == "390144"
    status, answer = api.ask("POST", "/api/v2/statements", body, Authorization="Bearer nonsense")
    assert (status, answer["code"]) == (401, "394400")
    assert api.ask("POST", "/api/v2/statements", body, Accept="text/html")[0] == 406


def test_parameters_are_bound_with_their_types(api, table):
    bindings = {
        "1": {"type": "FIXED", "value": "12345678901234567890"},
        "2": {"type": "DATE", "value": "-86400000"},
        "3": {"type": "TEXT", "value": "it's; ?"},
    }
    assert api.run(f"INSERT INTO {table} VALUES (?, ?, ?)", bindings=bindings)[0] == 200
    assert api.run(f"SELECT * FROM {table}")[1]["data"] == [["12345678901234567890", "-1", "it's; ?"]]
    status, answer = api.run(
        f"INSERT INTO {table} VALUES (?, ?, ?)", bindings={"1": {"type": "FIXED", "value": "x"}}
    )
    assert status == 422, answer


def test_a_result_of_many_rows_comes_in_partitions(api):
    count = 7_000
    bindings = {"1": {"type": "TEXT", "value": json.dumps(list(range(count)))}}
    status, answer = api.run(
        "SELECT r.VALUE FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) r", bindings=bindings
    )
    assert status == 200, answer
    parts = answer["resultSetMetaData"]["partitionInfo"]
    assert [part["rowCount"] for part in parts] == [5_000, 2_000]
    assert all(part["uncompressedSize"] > 0 for part in parts)
    assert len(answer["data"]) == 5_000
    handle = f"/api/v2/statements/{answer['statementHandle']}"
    status, rest = api.ask("GET", f"{handle}?partition=1")
    assert (rest.keys(), rest["data"][-1]) == ({"data"}, [str(count - 1)])
    assert api.sent["Content-Encoding"] == "gzip"
    assert api.ask("GET", f"{handle}?partition=0")[1]["data"] == answer["data"]
    assert api.ask("GET", f"{handle}?partition=2")[0] == 400


@pytest.mark.parametrize(
    "binding",
    [
        {"type": "TEXT", "value": ["a", "b"]},
        {"type": "FIXED", "value": 1},
        {"type": "BOOLEAN", "value": True},
        {"type": "LIST", "value": "1"},
        {"value": "1"},
        "1",
    ],
    ids=["an array", "a number", "a boolean", "an unknown type", "no type", "a bare value"],
)
def test_a_binding_is_a_type_and_one_text(api, table, binding):
    status, answer = api.run(f'INSERT INTO {table} ("S") VALUES (?)', bindings={"1": binding})
    assert (status, answer["code"]) == (400, "391900"), answer
    assert api.run(f"SELECT COUNT(*) FROM {table}")[1]["data"] == [["0"]]


def test_several_statements_are_one_session_and_one_transaction(api, table):
    status, answer = api.several(
        "BEGIN", f"INSERT INTO {table} (N) VALUES (1)", "COMMIT", f"SELECT N FROM {table}"
    )
    assert status == 200
    assert answer["data"] == [["Multiple statements executed successfully."]]
    assert len(answer["statementHandles"]) == 4
    last = api.ask("GET", f"/api/v2/statements/{answer['statementHandles'][3]}")
    assert (last[0], last[1]["data"]) == (200, [["1"]])
    status, answer = api.several(
        "BEGIN", f"INSERT INTO {table} (N) VALUES (2)", "SELECT * FROM NOWHERE", "COMMIT"
    )
    assert status == 422
    status, answer = api.several("BEGIN", f"INSERT INTO {table} (N) VALUES (3)")
    assert status == 200
    assert api.run(f"SELECT N FROM {table}")[1]["data"] == [["1"]]
    assert api.several("CREATE TEMPORARY TABLE TMP (N INT)", "SELECT * FROM TMP", schema="SAGE300")[0] == 200
    assert api.run("SELECT * FROM TMP", schema="SAGE300")[0] == 422


def test_the_cause_of_a_failure_among_several_is_in_its_text(api):
    # the example of https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements
    text = (
        "create or replace table table1 (i int); insert into table1 (i) values (1);"
        " insert into table1 (i) values ('This is not a valid integer.'); insert into table1 (i) values (2);"
        " select i from table1 order by i"
    )
    status, answer = api.run(text, schema="SAGE300", parameters={"MULTI_STATEMENT_COUNT": "5"})
    assert (status, answer["code"], answer["sqlState"]) == (422, "100132", "P0000")
    assert {"message", "statementHandle", "createdOn", "statementStatusUrl"} <= answer.keys()
    first, cause = answer["message"].split("\n")[:2]
    assert first == (
        "JavaScript execution error: Uncaught Execution of multiple statements failed on statement"
        ' "insert into table1 (i) values ..." (at line 1, position 75).'
    )
    assert "This is not a valid integer." in cause
    assert " in SYSTEM$MULTISTMT at " in answer["message"]
    assert api.run("SELECT I FROM TABLE1", schema="SAGE300")[1]["data"] == [["1"]]


@pytest.mark.parametrize(
    ("statement", "more", "code"),
    [
        ("SELECT 1; SELECT 2", {}, "000008"),
        ("SELECT ';'", {"parameters": {"MULTI_STATEMENT_COUNT": "2"}}, "000008"),
        ("BEGIN", {}, "391911"),
        ("ALTER SESSION SET QUERY_TAG = 'x'", {}, "391911"),
        ("PUT file:///x @y", {}, "391911"),
        ("GET @y file:///x", {}, "391911"),
        ("USE SCHEMA PUBLIC", {}, "391911"),
        ("/* one */ -- more\n SET X = 1", {}, "391911"),
        ("CREATE OR REPLACE TEMPORARY TABLE T (N INT)", {}, "391911"),
        ("CREATE TEMP STAGE S", {}, "391911"),
        ("SELECT 1; PUT file:///x @y", {"parameters": {"MULTI_STATEMENT_COUNT": "2"}}, "391911"),
        (
            "SELECT 1; SELECT ?",
            {
                "parameters": {"MULTI_STATEMENT_COUNT": "0"},
                "bindings": {"1": {"type": "TEXT", "value": "a"}},
            },
            "391911",
        ),
        (" ; -- nothing", {}, "000900"),
    ],
)
def test_what_the_sql_api_does_not_take(api, statement, more, code):
    status, answer = api.run(statement, **more)
    assert (status, answer["code"]) == (422, code), answer


@pytest.mark.parametrize(
    "body",
    [
        {"timeout": "10"},
        {"timeout": -1},
        {"timeout": 604_801},
        {"statement": None},
        {"parameters": []},
        {"parameters": {"MULTI_STATEMENT_COUNT": "-1"}},
        {"parameters": {"TIMESTAMP_INPUT_FORMAT": "AUTO"}},
        {"parameters": {"STATEMENT_TIMEOUT_IN_SECONDS": "5"}},
    ],
)
def test_a_malformed_request_is_refused(api, body):
    status, answer = api.ask("POST", "/api/v2/statements", {"statement": "SELECT 1", **body})
    assert (status, answer["code"]) == (400, "391900"), answer


def test_parameters_of_the_page_are_taken(api):
    given = {"QUERY_TAG": "x", "timezone": "UTC", "rows_per_resultset": 10, "use_cached_result": False}
    assert api.run("SELECT 1", parameters=given, timeout=0)[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "text/html"}, 406),
        ({"User-Agent": ""}, 400),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Accept": "*/*"}, 200),
        ({"X-Snowflake-Authorization-Token-Type": None}, 200),
        ({"X-Snowflake-Authorization-Token-Type": "SOMETHING"}, 401),
        ({"Authorization": "Basic eDp5"}, 401),
        ({"Authorization": None}, 401),
    ],
)
def test_what_a_request_must_say_of_itself(api, headers, status):
    body = {"statement": "SELECT 1"}
    assert api.ask("POST", "/api/v2/statements", body, **headers)[0] == status


def test_a_request_id_is_a_uuid(api):
    assert api.run("SELECT 1", "?requestId=one")[0] == 400


def test_a_semicolon_in_a_text_ends_no_statement(api):
    status, answer = api.several("SELECT 'a;b' AS X", "SELECT 'c'';' AS X")
    assert status == 200, answer
    last = api.ask("GET", f"/api/v2/statements/{answer['statementHandles'][1]}")[1]
    assert last["data"] == [["c';"]]


def test_a_repeated_request_is_carried_out_once(api, table):
    query = f"?requestId={uuid.uuid4()}"
    insert = f"INSERT INTO {table} (N) VALUES (1)"
    first = api.run(insert, query)[1]["statementHandle"]
    assert api.run(insert, query + "&retry=true")[1]["statementHandle"] == first
    assert api.run(f"SELECT COUNT(*) FROM {table}")[1]["data"] == [["1"]]


def test_a_long_statement_is_polled_cancelled_and_timed_out(own_server, api_of):
    own_server.stop()
    own_server.start("--latency", "1500")
    api = api_of(own_server)
    status, running = api.run("SELECT 7", "?async=true")
    assert (status, running["code"]) == (202, "333334")
    assert api.ask("GET", running["statementStatusUrl"])[0] == 202
    deadline = time.monotonic() + 30
    while (answer := api.ask("GET", running["statementStatusUrl"]))[0] == 202 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (answer[0], answer[1]["data"]) == (200, [["7"]])
    _, running = api.run("SELECT 8", "?async=true")
    status, answer = api.ask("POST", running["statementStatusUrl"] + "/cancel")
    assert (status, answer["code"]) == (200, "000604")
    while (answer := api.ask("GET", running["statementStatusUrl"]))[0] == 202 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (answer[0], answer[1]["code"]) == (422, "000604")
    status, answer = api.run("SELECT 9", timeout=1)
    assert (status, answer["code"]) == (408, "000630")
    crowd = [api.run("SELECT 1", "?async=true")[0] for _ in range(17)]
    assert crowd == [202] * 16 + [429]
    assert api.ask("GET", f"/api/v2/statements/{uuid.uuid4()}")[0] == 404
