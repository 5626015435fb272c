"""Sessions whose tokens end, as each generation of the connector meets it."""

from __future__ import annotations

import json
import urllib.request

import pytest
import snowflake.connector


def ask(server, path, body, *, token):
    headers = {"Authorization": f'Snowflake Token="{token}"'} if token else {}
    request = urllib.request.Request(f"{server.url}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def query(server, sql, *, token):
    return ask(server, "/queries/v1/query-request", {"sqlText": sql}, token=token)


def test_both_connectors_renew_a_token_that_has_ended(server_with, client):
    server = server_with("--session-lifetime", "2")
    program = """
run("CREATE DATABASE BOOKS")
run("CREATE SCHEMA BOOKS.SAGE300")
run("USE SCHEMA BOOKS.SAGE300")
run("CREATE TEMPORARY TABLE KEPT (X NUMBER(38,0))")
time.sleep(2.1)
run("INSERT INTO KEPT VALUES (1)")
time.sleep(2.1)
print(json.dumps(run("SELECT X FROM KEPT")))
"""
    assert client(server, program) == [[1]]


def test_a_session_that_cannot_be_renewed_has_ended(server_with, client):
    server = server_with("--session-lifetime", "1", "--master-lifetime", "1")
    program = """
time.sleep(1.2)
print(json.dumps(refused("SELECT 1")))
"""
    said = client(server, program)
    # the second generation says no more than that it could not connect
    assert said[0] in {390114, 250001}, said


def test_both_connectors_are_told_of_a_session_that_was_ended(server, client):
    program = """
run("SELECT SYSTEM$ABORT_SESSION(CURRENT_SESSION())")
print(json.dumps(refused("SELECT 1")))
"""
    code, text = client(server, program)
    assert code == 390111
    assert "no longer exists" in text


def test_a_session_is_ended_by_another_ones_statement(server):
    session, other = server.session(), server.session()
    (number,) = session.run("SELECT CURRENT_SESSION()")[0]
    session.run("BEGIN")
    other.run(f"SELECT SYSTEM$ABORT_SESSION({number})")
    with pytest.raises(snowflake.connector.errors.Error) as gone:
        session.run("COMMIT")
    assert gone.value.errno == 390111


def test_each_token_says_why_it_opens_nothing(server):
    rest = server.connect().rest
    token, master = rest.token, rest.master_token
    assert query(server, "SELECT 1", token=token)["success"]
    assert query(server, "SELECT 1", token=None)["code"] == "390103"
    assert query(server, "SELECT 1", token="made up")["code"] == "390104"
    renewed = ask(server, "/session/token-request", {}, token=master)["data"]["sessionToken"]
    assert renewed != token
    assert query(server, "SELECT 1", token=token)["code"] == "390112"
    assert query(server, "SELECT 1", token=renewed)["success"]
    assert ask(server, "/session/token-request", {}, token="made up")["code"] == "390114"
    assert ask(server, "/session?delete=true", {}, token=renewed)["success"]
    assert query(server, "SELECT 1", token=renewed)["code"] == "390111"
    assert ask(server, "/session/heartbeat", {}, token=renewed)["code"] == "390111"
