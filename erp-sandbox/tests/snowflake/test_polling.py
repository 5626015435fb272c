"""Statements that take long, as each generation of the connector waits for them, stops them and loses them."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
import uuid

import pytest
import snowflake.connector

OPTIONS = ("--patience", "0.3", "--slow", "LINGER=0.8")


def ask(server, path, body=None, *, token, method="POST"):
    """A request as the connectors send it."""
    headers = {"Authorization": f'Snowflake Token="{token}"', "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.url}{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def query(server, sql, *, token, name=None, **more):
    path = f"/queries/v1/query-request?requestId={name or uuid.uuid4()}"
    return ask(server, path, {"sqlText": sql, **more}, token=token)


def test_both_connectors_wait_for_a_statement_that_takes_long(server, client):
    program = 'print(json.dumps([run("SELECT SYSTEM$WAIT(1) AS W"), run("SELECT 1 AS LINGER")]))'
    assert client(server, program) == [[["waited 1 seconds"]], [[1]]]


def test_an_answer_says_where_to_ask_again(server):
    token = server.connect().rest.token
    answer = query(server, "SELECT SYSTEM$WAIT(1500, 'MILLISECONDS')", token=token)
    assert (answer["success"], answer["code"]) == (True, "333333")
    where = answer["data"]["getResultUrl"]
    assert where == f"/queries/{answer['data']['queryId']}/result"
    again = ask(server, where, token=token, method="GET")
    assert (again["code"], again["data"]["getResultUrl"]) == ("333333", where)
    while again.get("code") == "333333":
        again = ask(server, where, token=token, method="GET")
    assert again["success"]
    assert again["data"]["queryId"] == answer["data"]["queryId"]
    missing = ask(server, f"/queries/{uuid.uuid4()}/result", token=token, method="GET")
    assert (missing["success"], missing["code"]) == (False, "000709")


def test_a_statement_that_nobody_waits_for_is_answered_at_once(server):
    token = server.connect().rest.token
    answer = query(server, "SELECT SYSTEM$WAIT(2)", token=token, asyncExec=True)
    assert answer["code"] == "333334"
    about = f"/monitoring/queries/{answer['data']['queryId']}"
    status = ask(server, about, token=token, method="GET")["data"]["queries"][0]["status"]
    assert status == "RUNNING"
    while status == "RUNNING":
        time.sleep(0.05)
        status = ask(server, about, token=token, method="GET")["data"]["queries"][0]["status"]
    assert status == "SUCCESS"


def test_the_answer_to_a_request_that_is_sent_again_is_the_first_ones(server):
    session = server.session()
    session.run("CREATE TABLE IF NOT EXISTS ONCE (X NUMBER(38,0))")
    name = uuid.uuid4()
    insert = "INSERT INTO ONCE SELECT 1 AS LINGER"
    token = session.connection.rest.token
    first = query(server, insert, token=token, name=name)
    assert first["code"] == "333333"
    assert query(server, insert, token=token, name=name)["data"]["queryId"] == first["data"]["queryId"]
    while query(server, insert, token=token, name=name).get("code") == "333333":
        pass
    assert session.run("SELECT COUNT(*) FROM ONCE") == [(1,)]


def test_both_connectors_stop_a_statement_by_its_query_id(server, client):
    session = server.session()
    session.run("CREATE TABLE IF NOT EXISTS STOPPED (X VARCHAR)")
    program = """
cursor = connection.cursor()
cursor.execute_async("INSERT INTO BOOKS.SAGE300.STOPPED SELECT SYSTEM$WAIT(20)")
stopped = cursor.abort_query(cursor.sfqid)
again = cursor.abort_query(cursor.sfqid)
print(json.dumps([stopped, run("SELECT COUNT(*) FROM BOOKS.SAGE300.STOPPED")]))
"""
    assert client(server, program) == [True, [[0]]]


def test_a_cursor_that_waits_no_longer_stops_its_statement(server):
    cursor = server.connect().cursor()
    began = time.monotonic()
    with pytest.raises(snowflake.connector.errors.Error) as stopped:
        cursor.execute("SELECT SYSTEM$WAIT(20)", timeout=1)
    assert stopped.value.errno == 604
    assert time.monotonic() - began < 15


def test_a_statement_is_stopped_by_the_id_of_its_request(server):
    connection = server.connect()
    token, name = connection.rest.token, str(uuid.uuid4())
    answers = []
    wait = threading.Thread(
        target=lambda: answers.append(query(server, "SELECT SYSTEM$WAIT(30)", token=token, name=name))
    )
    wait.start()
    time.sleep(0.1)
    abort = {"sqlText": "SELECT SYSTEM$WAIT(30)", "requestId": name}
    assert ask(server, "/queries/v1/abort-request", abort, token=token)["success"]
    wait.join(10)
    assert (answers[0]["success"], answers[0]["code"]) == (False, "000604")
    assert ask(server, "/queries/v1/abort-request", abort, token=token)["code"] == "000605"


def test_work_in_the_database_is_stopped_too(server, client):
    session = server.session()
    session.run("CREATE TABLE IF NOT EXISTS TEN AS SELECT 'x' AS X")
    session.run(f"INSERT INTO TEN VALUES {', '.join(['(1)'] * 9)}")
    names = "abcdefghijkl"
    many = ", ".join(f"BOOKS.SAGE300.TEN {name}" for name in names)
    joined = " || ".join(f"{name}.X" for name in names)
    program = f"""
run("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
said = refused("SELECT COUNT(*) FROM {many} WHERE {joined} = 'no'")
run("ALTER SESSION UNSET STATEMENT_TIMEOUT_IN_SECONDS")
print(json.dumps([said, run("SELECT 1")]))
"""
    (code, text), rows = client(server, program)
    assert (code, rows) == (630, [[1]])
    assert "statement or warehouse timeout of 1 second(s)" in text


def test_a_timeout_may_come_with_the_login(server, client):
    how = {"authenticator": "SNOWFLAKE_JWT", "private_key_file": str(server.key.private)}
    how["session_parameters"] = {"STATEMENT_TIMEOUT_IN_SECONDS": 1}
    assert client(server, 'print(json.dumps(refused("SELECT SYSTEM$WAIT(20)")[0]))', **how) == 630


def test_the_sql_api_waits_no_longer_either(server, api):
    status, running = api.run("SELECT 7 AS LINGER")
    assert (status, running["code"]) == (202, "333334")
    while (answer := api.ask("GET", running["statementStatusUrl"]))[0] == 202:
        time.sleep(0.05)
    assert (answer[0], answer[1]["data"]) == (200, [["7"]])
    status, running = api.run("SELECT SYSTEM$WAIT(20)", timeout=1)
    while (answer := api.ask("GET", running["statementStatusUrl"]))[0] == 202:
        time.sleep(0.05)
    assert (answer[0], answer[1]["code"], answer[1]["sqlState"]) == (408, "000630", "57014")
    assert answer[1]["statementHandle"] == running["statementHandle"]


def test_a_statement_of_several_is_stopped_by_the_sessions_parameter(server, api):
    several = ("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1", "SELECT SYSTEM$WAIT(20)")
    status, answer = api.several(*several)
    while status == 202:
        status, answer = api.ask("GET", answer["statementStatusUrl"])
        time.sleep(0.05)
    assert (status, answer["code"]) == (408, "000630")
