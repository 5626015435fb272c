"""Roles: what each may do, what it is told of the rest, and what it sees."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector

LOADER = [
    "USAGE ON WAREHOUSE LOADING",
    "USAGE ON DATABASE BOOKS",
    "USAGE, CREATE TABLE, CREATE STREAM ON SCHEMA BOOKS.LOADED",
    "SELECT, INSERT ON TABLE BOOKS.LOADED.PARTLY",
    "USAGE ON SCHEMA BOOKS.GIVEN",
    "SELECT, INSERT, UPDATE, DELETE ON TABLE BOOKS.GIVEN.BILLS",
]


@pytest.fixture(scope="module")
def server(server_for, tmp_path_factory):
    file = tmp_path_factory.mktemp("grants") / "grants.json"
    file.write_text(json.dumps({"LOADER": LOADER, "READER": ["USAGE ON WAREHOUSE LOADING"]}))
    with server_for("--grants", str(file)) as server:
        admin = snowflake_session(server, role="ACCOUNTADMIN")
        for statement in (
            "CREATE DATABASE BOOKS",
            "CREATE SCHEMA BOOKS.LOADED",
            "CREATE SCHEMA BOOKS.GIVEN",
            "CREATE SCHEMA BOOKS.HIDDEN",
            "CREATE TABLE BOOKS.HIDDEN.SECRETS (X NUMBER(38,0))",
            "CREATE TABLE BOOKS.GIVEN.BILLS (X NUMBER(38,0), Y NUMBER(38,0))",
            "CREATE TABLE BOOKS.GIVEN.OTHERS (X NUMBER(38,0))",
            "CREATE TABLE BOOKS.LOADED.PARTLY (X NUMBER(38,0))",
        ):
            admin(statement)
        yield server


def snowflake_session(server, **how):
    how = {"authenticator": "SNOWFLAKE_JWT", "private_key_file": str(server.key.private), **how}
    connection = server.connect(**{"warehouse": "LOADING", **how})
    return lambda sql: connection.cursor().execute(sql).fetchall()


@pytest.fixture
def run(server):
    return snowflake_session(server)


@pytest.fixture(scope="module")
def runs(server):
    """The same for all tests that change nothing of the session."""
    return snowflake_session(server)


@pytest.fixture
def admin(server):
    return snowflake_session(server, role="ACCOUNTADMIN")


NO_DATABASE = (3001, "42501", "Insufficient privileges to operate on database 'BOOKS'")
MERGE = "MERGE INTO {} t USING (SELECT 1 AS X) s ON t.X = s.X WHEN MATCHED THEN {} WHEN NOT MATCHED THEN INSERT (X) VALUES (s.X)"


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("CREATE SCHEMA IF NOT EXISTS BOOKS.LOADED", NO_DATABASE),
        ("CREATE SCHEMA BOOKS.MORE", NO_DATABASE),
        ("CREATE DATABASE MORE", (3001, "42501", "operate on account 'SANDBOX'")),
        (
            "CREATE TABLE IF NOT EXISTS BOOKS.GIVEN.BILLS (X INT)",
            (3001, "42501", "operate on schema 'GIVEN'"),
        ),
        ("CREATE STAGE IF NOT EXISTS BOOKS.LOADED.S", (3001, "42501", "operate on schema 'LOADED'")),
        ("CREATE OR REPLACE TABLE BOOKS.LOADED.PARTLY (X INT)", (3001, "42501", "operate on table 'PARTLY'")),
        ("CREATE TEMPORARY TABLE BOOKS.GIVEN.BILLS (X INT)", (3001, "42501", "operate on table 'BILLS'")),
        ("ALTER TABLE BOOKS.GIVEN.BILLS ADD COLUMN Z INT", (3001, "42501", "operate on table 'BILLS'")),
        ("ALTER TABLE BOOKS.GIVEN.BILLS DROP PRIMARY KEY", (3001, "42501", "operate on table 'BILLS'")),
        ("COMMENT ON TABLE BOOKS.GIVEN.BILLS IS 'x'", (3001, "42501", "operate on table 'BILLS'")),
        ("COMMENT ON COLUMN BOOKS.GIVEN.BILLS.X IS 'x'", (3001, "42501", "operate on table 'BILLS'")),
        ("DROP TABLE BOOKS.GIVEN.BILLS", (3001, "42501", "operate on table 'BILLS'")),
        ("TRUNCATE TABLE BOOKS.GIVEN.BILLS", (3001, "42501", "operate on table 'BILLS'")),
        ("DELETE FROM BOOKS.LOADED.PARTLY", (3001, "42501", "operate on table 'PARTLY'")),
        ("UPDATE BOOKS.LOADED.PARTLY SET X = 1", (3001, "42501", "operate on table 'PARTLY'")),
        (
            MERGE.format("BOOKS.LOADED.PARTLY", "UPDATE SET X = 2"),
            (3001, "42501", "operate on table 'PARTLY'"),
        ),
        (MERGE.format("BOOKS.LOADED.PARTLY", "DELETE"), (3001, "42501", "operate on table 'PARTLY'")),
        (
            "SELECT * FROM BOOKS.GIVEN.OTHERS",
            (2003, "42S02", "Object 'BOOKS.GIVEN.OTHERS' does not exist or"),
        ),
        (
            "INSERT INTO BOOKS.GIVEN.OTHERS VALUES (1)",
            (2003, "42S02", "'BOOKS.GIVEN.OTHERS' does not exist or"),
        ),
        (
            "ALTER TABLE BOOKS.GIVEN.OTHERS ADD COLUMN Z INT",
            (2003, "42S02", "does not exist or not authorized"),
        ),
        (
            "DESCRIBE TABLE BOOKS.GIVEN.OTHERS",
            (2003, "42S02", "Table 'BOOKS.GIVEN.OTHERS' does not exist or"),
        ),
        (
            "INSERT INTO BOOKS.GIVEN.BILLS (X) SELECT X FROM BOOKS.HIDDEN.SECRETS",
            (2003, "02000", "Schema 'BOOKS.HIDDEN' does not exist or not authorized"),
        ),
        ("SELECT * FROM NONE.NONE.NONE", (2003, "02000", "Database 'NONE' does not exist or not authorized")),
        (
            "USE SCHEMA BOOKS.HIDDEN",
            (2043, "02000", "Object does not exist, or operation cannot be performed"),
        ),
        ("USE WAREHOUSE OTHERS", (2043, "02000", "Object does not exist, or operation cannot be performed")),
        ("USE ROLE NOBODY", (3013, "42501", "'NOBODY' is not assigned to the executing user")),
        (
            "GRANT SELECT ON TABLE BOOKS.HIDDEN.SECRETS TO ROLE LOADER",
            (3001, "42501", "Insufficient privileges"),
        ),
    ],
)
def test_what_a_role_may_not(runs, statement, refusal):
    with pytest.raises(snowflake.connector.errors.ProgrammingError) as refused:
        runs(statement)
    number, state, text = refusal
    assert (refused.value.errno, refused.value.sqlstate) == (number, state), refused.value
    assert text in str(refused.value)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM BOOKS.GIVEN.BILLS",
        "WITH B AS (SELECT * FROM BOOKS.GIVEN.BILLS) SELECT * FROM B",
        "INSERT INTO BOOKS.GIVEN.BILLS VALUES (1, 1)",
        "UPDATE BOOKS.GIVEN.BILLS SET Y = 2",
        MERGE.format("BOOKS.GIVEN.BILLS", "UPDATE SET Y = 3"),
        "DELETE FROM BOOKS.GIVEN.BILLS",
        "DROP TABLE IF EXISTS BOOKS.GIVEN.OTHERS",
        "DROP TABLE IF EXISTS BOOKS.GIVEN.NEVER",
        "USE SCHEMA BOOKS.GIVEN",
        "USE ROLE READER",
        "ALTER SESSION SET QUERY_TAG = 'x'",
    ],
)
def test_what_a_role_may(run, statement):
    run(statement)


def test_what_a_role_makes_it_owns(run):
    run("CREATE TABLE BOOKS.LOADED.MADE (X NUMBER(38,0))")
    run("ALTER TABLE BOOKS.LOADED.MADE ADD COLUMN Y VARCHAR")
    run("COMMENT ON TABLE BOOKS.LOADED.MADE IS 'ours'")
    run("INSERT INTO BOOKS.LOADED.MADE (X) VALUES (1)")
    run("CREATE TABLE IF NOT EXISTS BOOKS.LOADED.MADE (X NUMBER(38,0))")
    run("ALTER TABLE BOOKS.LOADED.MADE RENAME TO BOOKS.LOADED.RENAMED")
    assert run("SELECT X FROM BOOKS.LOADED.RENAMED") == [(1,)]
    run("DROP TABLE BOOKS.LOADED.RENAMED")
    # what exists stays its owner's
    run("CREATE TABLE IF NOT EXISTS BOOKS.LOADED.PARTLY (X NUMBER(38,0))")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="Insufficient privileges"):
        run("ALTER TABLE BOOKS.LOADED.PARTLY ADD COLUMN Z INT")


def test_tables_and_stages_of_a_session_need_no_privilege_to_create(run, tmp_path):
    run("USE SCHEMA BOOKS.GIVEN")
    run("CREATE TEMPORARY TABLE ARRIVED (X NUMBER(38,0))")
    run("INSERT INTO ARRIVED VALUES (1)")
    assert run("SELECT X FROM ARRIVED") == [(1,)]
    run("ALTER TABLE ARRIVED ADD COLUMN Y VARCHAR")
    run("DROP TABLE ARRIVED")
    run("CREATE TEMPORARY STAGE ARRIVING")
    pq.write_table(pa.table({"X": [7], "Y": [8]}), tmp_path / "a.parquet")
    run(f"PUT 'file://{tmp_path}/a.parquet' @ARRIVING AUTO_COMPRESS = FALSE OVERWRITE = TRUE")
    run(
        "COPY INTO BILLS FROM @ARRIVING/a.parquet FILE_FORMAT = (TYPE = PARQUET)"
        " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE"
    )
    assert run("SELECT Y FROM BILLS WHERE X = 7") == [(8,)]


def test_the_information_schema_shows_what_the_role_may_see(run, admin):
    run("USE DATABASE BOOKS")
    tables = "SELECT TABLE_SCHEMA, TABLE_NAME FROM INFORMATION_SCHEMA.TABLES t WHERE t.TABLE_SCHEMA <> 'X' ORDER BY 1, 2"
    assert run(tables) == [("GIVEN", "BILLS"), ("LOADED", "PARTLY")]
    schemas = "SELECT SCHEMA_NAME FROM BOOKS.INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME <> 'INFORMATION_SCHEMA' ORDER BY 1"
    assert run(schemas) == [("GIVEN",), ("LOADED",)]
    columns = "SELECT DISTINCT TABLE_NAME FROM INFORMATION_SCHEMA.COLUMNS c ORDER BY 1"
    assert run(columns) == [("BILLS",), ("PARTLY",)]
    joined = (
        "SELECT s.SCHEMA_NAME, t.TABLE_NAME, c.COLUMN_NAME FROM INFORMATION_SCHEMA.SCHEMATA s"
        " LEFT JOIN INFORMATION_SCHEMA.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME"
        " LEFT JOIN INFORMATION_SCHEMA.COLUMNS c"
        " ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME"
        " WHERE s.SCHEMA_NAME IN ('LOADED', 'HIDDEN')"
    )
    assert run(joined) == [("LOADED", "PARTLY", "X")]
    admin("USE DATABASE BOOKS")
    assert ("HIDDEN", "SECRETS") in admin(tables)


def test_privileges_are_given_and_taken(run, admin):
    admin("CREATE TABLE BOOKS.HIDDEN.SHOWN (X NUMBER(38,0))")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="does not exist or not authorized"):
        run("SELECT * FROM BOOKS.HIDDEN.SHOWN")
    admin("GRANT USAGE ON SCHEMA BOOKS.HIDDEN TO ROLE LOADER")
    admin("GRANT SELECT ON TABLE BOOKS.HIDDEN.SHOWN TO LOADER")
    assert run("SELECT * FROM BOOKS.HIDDEN.SHOWN") == []
    admin("REVOKE USAGE ON SCHEMA BOOKS.HIDDEN FROM ROLE LOADER")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="does not exist or not authorized"):
        run("SELECT * FROM BOOKS.HIDDEN.SHOWN")


def test_privileges_may_be_on_all_tables_of_a_schema(run, admin):
    admin("CREATE SCHEMA BOOKS.WHOLE")
    admin("GRANT USAGE ON SCHEMA BOOKS.WHOLE TO ROLE LOADER")
    admin("GRANT SELECT ON FUTURE TABLES IN SCHEMA BOOKS.WHOLE TO ROLE LOADER")
    admin("CREATE TABLE BOOKS.WHOLE.LATER (X NUMBER(38,0))")
    assert run("SELECT * FROM BOOKS.WHOLE.LATER") == []
    admin("DROP SCHEMA BOOKS.WHOLE")


def test_who_has_no_warehouse_gets_no_rows(server):
    run = snowflake_session(server, warehouse="OTHERS")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="No active warehouse") as refused:
        run("SELECT * FROM BOOKS.GIVEN.BILLS")
    assert (refused.value.errno, refused.value.sqlstate) == (606, "57P03")
    run("USE SCHEMA BOOKS.GIVEN")
    run("CREATE TEMPORARY TABLE UNSEEN (X NUMBER(38,0))")
    run("USE WAREHOUSE LOADING")
    run("SELECT * FROM BOOKS.GIVEN.BILLS")


def test_a_role_that_is_none_opens_no_session(server):
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="does not exist or not authorized"):
        snowflake_session(server, role="NOBODY")


def test_the_sql_api_has_the_role_of_its_request(server, api_of):
    api = api_of(server)
    about = {"warehouse": "LOADING", "database": "BOOKS"}
    assert api.run("SELECT X FROM GIVEN.BILLS", **about)[0] == 200
    status, answer = api.run("SELECT X FROM GIVEN.BILLS", **about, role="READER")
    assert (status, answer["code"], answer["sqlState"]) == (422, "002003", "02000")
    status, answer = api.run("SELECT 1", **about, role="NOBODY")
    assert (status, answer["code"]) == (422, "390189")
    status, answer = api.several("BEGIN", "DELETE FROM GIVEN.OTHERS", "COMMIT", **about)
    assert (status, answer["code"]) == (422, "100132")
    assert "does not exist or not authorized" in answer["message"]
