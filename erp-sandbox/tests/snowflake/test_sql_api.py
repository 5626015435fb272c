"""The SQL API v2, asked with nothing but HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import urllib.error
import urllib.request
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import serialization


class Api:
    """Requests to one server, as its documentation describes them."""

    def __init__(self, server, key, token):
        self.server, self.key, self.token = server, key, token

    def ask(self, method, path, body=None, **headers):
        sent = {
            "Authorization": f"Bearer {self.token}",
            "X-Snowflake-Authorization-Token-Type": "PROGRAMMATIC_ACCESS_TOKEN",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "test/1.0",
            **headers,
        }
        sent = {name: value for name, value in sent.items() if value is not None}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.server.url}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def run(self, statement, query="", **body):
        return self.ask(
            "POST", f"/api/v2/statements{query}", {"statement": statement, "database": "BOOKS", **body}
        )

    def several(self, *statements, query="", **body):
        count = {"MULTI_STATEMENT_COUNT": str(len(statements))}
        return self.run("; ".join(statements), query, parameters=count, **body)


@pytest.fixture
def api(server, key, access_token):
    server.session()
    return Api(server, key, access_token)


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


def test_arrays_are_bound_as_many_rows(api, table):
    count = 7_000
    bindings = {
        "1": {"type": "FIXED", "value": [str(n) for n in range(count)]},
        "2": {"type": "DATE", "value": ["0", *[None] * (count - 1)]},
        "3": {"type": "TEXT", "value": [f"row {n}" for n in range(count)]},
    }
    status, answer = api.run(f'INSERT INTO {table} ("N", "D", "S") VALUES (?, ?, ?)', bindings=bindings)
    assert (status, answer["data"]) == (200, [[str(count)]])
    status, answer = api.run(f"SELECT N, S FROM {table} ORDER BY 1")
    parts = answer["resultSetMetaData"]["partitionInfo"]
    assert [part["rowCount"] for part in parts] == [5_000, 2_000]
    assert len(answer["data"]) == 5_000
    status, rest = api.ask("GET", f"/api/v2/statements/{answer['statementHandle']}?partition=1")
    assert rest["data"][-1] == [str(count - 1), f"row {count - 1}"]


def test_several_statements_are_one_session_and_one_transaction(api, table):
    status, answer = api.several(
        "BEGIN", f"INSERT INTO {table} (N) VALUES (1)", "COMMIT", f"SELECT N FROM {table}"
    )
    assert status == 200
    assert len(answer["statementHandles"]) == 4
    assert answer["data"] == [["1"]]
    status, answer = api.several(
        "BEGIN", f"INSERT INTO {table} (N) VALUES (2)", "SELECT * FROM NOWHERE", "COMMIT"
    )
    assert status == 422
    assert answer["code"] == "002003"
    status, answer = api.several("BEGIN", f"INSERT INTO {table} (N) VALUES (3)")
    assert status == 200
    assert api.run(f"SELECT N FROM {table}")[1]["data"] == [["1"]]
    assert api.several("CREATE TEMPORARY TABLE TMP (N INT)", "SELECT * FROM TMP", schema="SAGE300")[0] == 200
    assert api.run("SELECT * FROM TMP", schema="SAGE300")[0] == 422


@pytest.mark.parametrize(
    ("statement", "more", "code"),
    [
        ("SELECT 1; SELECT 2", {}, "000008"),
        ("SELECT ';'", {"parameters": {"MULTI_STATEMENT_COUNT": "2"}}, "000008"),
        ("BEGIN", {}, "391911"),
        ("ALTER SESSION SET QUERY_TAG = 'x'", {}, "391911"),
        ("PUT file:///x @y", {}, "391911"),
    ],
)
def test_what_the_sql_api_does_not_take(api, statement, more, code):
    status, answer = api.run(statement, **more)
    assert (status, answer["code"]) == (422, code), answer


def test_a_semicolon_in_a_text_ends_no_statement(api):
    status, answer = api.several("SELECT 'a;b' AS X", "SELECT 'c'';' AS X")
    assert (status, answer["data"]) == (200, [["c';"]])


def test_a_repeated_request_is_carried_out_once(api, table):
    query = f"?requestId={uuid.uuid4()}"
    insert = f"INSERT INTO {table} (N) VALUES (1)"
    first = api.run(insert, query)[1]["statementHandle"]
    assert api.run(insert, query + "&retry=true")[1]["statementHandle"] == first
    assert api.run(f"SELECT COUNT(*) FROM {table}")[1]["data"] == [["1"]]


def test_a_long_statement_is_polled_cancelled_and_timed_out(own_server, key, access_token):
    own_server.stop()
    own_server.start("--latency", "1500")
    api = Api(own_server, key, access_token)
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
