"""Sessions that want the same tables: who waits, what they see, and who is refused."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import pytest
import snowflake.connector

OPTIONS = ("--idle-transaction", "60")
MERGE = (
    "MERGE INTO T t USING (SELECT {key} AS X) s ON t.X = s.X"
    " WHEN MATCHED THEN UPDATE SET Y = t.Y + 1 WHEN NOT MATCHED THEN INSERT (X, Y) VALUES (s.X, 1)"
)


@pytest.fixture
def session(server, request):
    """A session in a schema of its own, with a table."""
    session = server.session(schema=request.node.name.upper()[:60])
    session.run("CREATE TABLE T (X NUMBER(38,0), Y NUMBER(38,0))")
    session.run("INSERT INTO T VALUES (1, 1)")
    session.run("CREATE TABLE U (X NUMBER(38,0))")
    return session


@pytest.fixture
def other(server, session):
    """Another session in the same schema."""
    return server.session(schema=session.connection.schema)


@contextmanager
def meanwhile(run, *statements):
    """Run statements in a thread; yields a function that tells whether they have ended."""
    errors = []

    def work():
        try:
            for statement in statements:
                run(statement)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    yield lambda: not thread.is_alive()
    thread.join(20)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


def test_who_changes_a_table_waits_for_who_changed_it_before(session, other):
    session.run("BEGIN")
    session.run(MERGE.format(key=1))
    session.run(MERGE.format(key=2))
    with meanwhile(other.run, "BEGIN", MERGE.format(key=1), MERGE.format(key=2), "COMMIT") as ended:
        time.sleep(0.3)
        assert not ended()
        session.run("COMMIT")
    assert session.run("SELECT X, Y FROM T ORDER BY X") == [(1, 3), (2, 2)]


def test_a_single_statement_waits_too_and_for_a_rollback_as_well(session, other):
    session.run("BEGIN")
    session.run("UPDATE T SET Y = 100")
    with meanwhile(other.run, "UPDATE T SET Y = Y + 1") as ended:
        time.sleep(0.2)
        assert not ended()
        session.run("ROLLBACK")
    assert session.run("SELECT Y FROM T") == [(2,)]


def test_inserts_and_reads_wait_for_nobody(session, other):
    session.run("BEGIN")
    session.run("UPDATE T SET Y = 100")
    other.run("INSERT INTO T VALUES (5, 5)")
    assert other.run("SELECT X, Y FROM T ORDER BY X") == [(1, 1), (5, 5)]
    session.run("COMMIT")
    assert other.run("SELECT X, Y FROM T ORDER BY X") == [(1, 100), (5, 5)]


def test_waiting_ends_with_the_lock_timeout(session, other):
    session.run("BEGIN")
    session.run("UPDATE T SET Y = 2")
    other.run("ALTER SESSION SET LOCK_TIMEOUT = 1")
    with pytest.raises(snowflake.connector.errors.Error, match="waited for a lock") as refused:
        other.run("DELETE FROM T")
    assert (refused.value.errno, refused.value.sqlstate) == (625, "57014")
    session.run("COMMIT")
    other.run("DELETE FROM T")


def test_two_that_wait_for_each_other_do_not_wait_for_ever(session, other):
    session.run("BEGIN")
    session.run("UPDATE T SET Y = 2")
    other.run("BEGIN")
    other.run("UPDATE U SET X = 2")
    with meanwhile(session.run, "UPDATE U SET X = 3", "COMMIT"):
        time.sleep(0.3)
        with pytest.raises(snowflake.connector.errors.Error, match="deadlock"):
            other.run("UPDATE T SET Y = 3")
        other.run("ROLLBACK")
    assert session.run("SELECT Y FROM T") == [(2,)]


def test_a_transaction_reads_what_others_committed_since_it_began(session, other):
    session.run("BEGIN")
    assert session.run("SELECT COUNT(*) FROM T") == [(1,)]
    other.run("INSERT INTO T VALUES (2, 2)")
    assert session.run("SELECT COUNT(*) FROM T") == [(2,)]
    session.run("COMMIT")


def test_a_merge_sees_what_was_committed_after_its_transaction_had_written(session, other):
    session.run("BEGIN")
    session.run("INSERT INTO U VALUES (1)")
    other.run(MERGE.format(key=9))
    session.run(MERGE.format(key=9))
    session.run("COMMIT")
    assert session.run("SELECT X, Y FROM T WHERE X = 9") == [(9, 2)]
    assert session.run("SELECT X FROM U") == [(1,)]


def test_adding_to_a_table_that_others_added_to_repeats_nothing(session, other):
    session.run("CREATE TABLE V (X VARCHAR)")
    session.run("BEGIN")
    session.run("INSERT INTO V SELECT UUID_STRING()")
    told = session.run("SELECT X FROM V")
    other.run("INSERT INTO T VALUES (7, 7)")
    session.run("INSERT INTO T VALUES (8, 8)")
    assert session.run("SELECT X FROM V") == told
    session.run("COMMIT")
    assert other.run("SELECT X FROM T ORDER BY X") == [(1,), (7,), (8,)]


def test_adding_what_is_not_there_yet_sees_what_others_added(session, other):
    session.run("BEGIN")
    session.run("INSERT INTO U VALUES (1)")
    other.run("INSERT INTO T VALUES (7, 7)")
    session.run("INSERT INTO T SELECT 7, 7 WHERE NOT EXISTS (SELECT 1 FROM T WHERE X = 7)")
    session.run("COMMIT")
    assert other.run("SELECT X, Y FROM T ORDER BY X") == [(1, 1), (7, 7)]


def test_a_statement_that_defines_something_commits_what_was_open(session, other):
    session.run("BEGIN")
    session.run("INSERT INTO U VALUES (1)")
    session.run("CREATE TEMPORARY TABLE S (X NUMBER(38,0))")
    session.run("ROLLBACK")
    assert other.run("SELECT X FROM U") == [(1,)]


def test_a_statement_that_fails_takes_no_other_with_it(session):
    session.run("BEGIN")
    session.run("INSERT INTO U VALUES (1)")
    with pytest.raises(snowflake.connector.errors.Error):
        session.run("INSERT INTO U SELECT 'x'::NUMBER")
    session.run("INSERT INTO U VALUES (2)")
    session.run("COMMIT")
    assert session.run("SELECT X FROM U ORDER BY 1") == [(1,), (2,)]


def test_a_table_is_defined_anew_once_nobody_is_at_it(session, other):
    session.run("BEGIN")
    session.run("INSERT INTO T VALUES (2, 2)")
    with meanwhile(other.run, "ALTER TABLE T ADD COLUMN Z VARCHAR") as ended:
        time.sleep(0.2)
        assert not ended()
        session.run("COMMIT")
    assert session.run("SELECT X, Z FROM T ORDER BY X") == [(1, None), (2, None)]


def test_many_make_the_same_at_once(server, session):
    others = [server.session(schema=session.connection.schema) for _ in range(4)]
    errors = []

    def make(one):
        try:
            for n in range(5):
                one.run(f"CREATE TABLE IF NOT EXISTS MADE{n} (X NUMBER(38,0))")
                one.run(f"INSERT INTO MADE{n} VALUES (1)")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=make, args=(one,)) for one in others]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert not errors
    assert session.run("SELECT COUNT(*) FROM MADE4") == [(4,)]


def test_who_falls_silent_in_a_transaction_is_ended_by_who_wants_its_table(server_with):
    server = server_with("--idle-transaction", "0.5")
    session, other = server.session(), server.session()
    session.run("CREATE TABLE T (Y NUMBER(38,0))")
    session.run("INSERT INTO T VALUES (1)")
    session.run("BEGIN")
    session.run("UPDATE T SET Y = 100")
    other.run("UPDATE T SET Y = Y + 1")
    assert other.run("SELECT Y FROM T") == [(2,)]
    with pytest.raises(snowflake.connector.errors.Error, match="no longer exists") as gone:
        session.run("COMMIT")
    assert gone.value.errno == 390111


def test_the_sql_api_waits_as_well(session, api):
    name = f'"{session.connection.schema}".T'
    session.run("BEGIN")
    session.run("UPDATE T SET Y = 10")

    def add(_):
        status, answer = api.several("BEGIN", f"UPDATE {name} SET Y = Y + 1", "COMMIT")
        assert status == 200, answer

    with meanwhile(add, "") as ended:
        time.sleep(0.2)
        assert not ended()
        session.run("COMMIT")
    assert session.run("SELECT Y FROM T") == [(11,)]


def test_a_line_of_the_log_says_how_many_statements_whose_and_as_whom(server, session, api):
    session.run("SELECT 'logged once'")
    api.several("SELECT 'logged twice'", "SELECT 2")
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (once,) = [line for line in lines if "logged once" in line["statement"]]
    (twice,) = [line for line in lines if "logged twice" in line["statement"]]
    assert (once["statements"], once["role"], once["transport"]) == (1, "LOADER", "connector")
    assert (twice["statements"], twice["transport"], twice["error"]) == (2, "sql_api", None)
    assert once["session"] != twice["session"]
