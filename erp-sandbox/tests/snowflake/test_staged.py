"""Queries of staged files, as the targets of other people send them."""

from __future__ import annotations

import datetime as dt
import gzip
import json

import pytest
import snowflake.connector

HOME = "'@~/target-snowflake/sync-1'"
NAIVE = dt.datetime(2026, 11, 20, 10, 0)
MERGE = (
    "merge into VENDORS d using (select $1:id::DECIMAL as id, $1:name::VARCHAR(200) as name,"
    ' $1:"date"::TIMESTAMP_NTZ as "date", $1:rate::DOUBLE as rate, $1:more::VARIANT as more'
    f" from {HOME}(file_format => LINES)"
    " QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY SEQ8() DESC) = 1) s on d.id = s.id"
    ' when matched then update set d.name = s.name, d."date" = s."date", d.rate = s.rate, d.more = s.more'
    ' when not matched then insert (id, name, "date", rate, more)'
    ' values (s.id, s.name, s."date", s.rate, s.more)'
)


@pytest.fixture
def lines(tmp_path):
    """A file of JSON lines, compressed."""
    records = [
        {"id": 1, "name": "old", "date": "2026-11-20T10:00:00Z", "rate": 0.5, "more": {"a": [1]}},
        {"id": 2, "name": None, "date": None, "rate": None, "more": None},
        {"id": 1, "name": 'new "one"', "date": "2026-11-20T10:00:00+02:00", "rate": 1.25, "more": {"a": [2]}},
        {"id": 10**37, "name": "huge"},
    ]
    path = tmp_path / "batch-1.json.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode()))
    return path


@pytest.fixture
def vendors(session):
    session.run(
        'CREATE TABLE VENDORS (ID NUMBER(38,0), NAME VARCHAR(200), "date" TIMESTAMP_NTZ, RATE FLOAT, MORE VARIANT)'
    )
    session.run("CREATE OR REPLACE FILE FORMAT LINES TYPE = 'JSON' COMPRESSION = 'AUTO'")
    return session


def test_json_lines_of_the_users_stage_are_merged_and_the_last_of_a_key_wins(vendors, lines):
    vendors.run("INSERT INTO VENDORS (ID, NAME) VALUES (2, 'was here')")
    vendors.run(f"put 'file://{lines}' {HOME}")
    assert vendors.run(MERGE) == [(2, 1)]
    first, second, third = vendors.run("SELECT * FROM VENDORS ORDER BY ID")
    assert first[:4] == (1, 'new "one"', NAIVE, 1.25)
    assert json.loads(first[4]) == {"a": [2]}
    assert second[:4] == (2, None, None, None)
    assert third[:2] == (10**37, "huge")


def test_what_is_removed_from_the_users_stage_is_merged_no_more(vendors, lines):
    vendors.run(f"put 'file://{lines}' {HOME}")
    vendors.run("remove '@~/target-snowflake/sync-1/'")
    assert vendors.run(MERGE)[0][0] == 0


def test_json_lines_are_copied_through_a_query(vendors, lines):
    vendors.run(f"put 'file://{lines}' {HOME}")
    ((file, status, parsed, loaded, *_),) = vendors.run(
        f"copy into VENDORS (id, name) from (select $1:id::DECIMAL as id, $1:name::VARCHAR as name from {HOME})"
        "file_format = (format_name='LINES')"
    )
    assert (file, status, parsed, loaded) == ("~/target-snowflake/sync-1", "LOADED", 4, 4)
    assert vendors.run("SELECT COUNT(*) FROM VENDORS WHERE NAME IS NULL") == [(1,)]


def test_an_exact_decimal_of_a_json_line_is_refused_as_it_would_not_be_exact(vendors, lines):
    vendors.run(f"put 'file://{lines}' {HOME}")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="exact"):
        vendors.run(MERGE.replace("$1:rate::DOUBLE", "$1:rate::NUMBER(19,3)"))


def test_csv_of_a_tables_own_stage_is_merged(session, tmp_path):
    schema = session.run("SELECT CURRENT_SCHEMA()")[0][0]
    session.run('CREATE TABLE BILLS (ID NUMBER(38,0), NOTE VARCHAR, "PAID" BOOLEAN, MORE VARIANT)')
    session.run(
        """CREATE FILE FORMAT ROWS_ TYPE = 'CSV' ESCAPE = '\\\\' FIELD_OPTIONALLY_ENCLOSED_BY = '"'"""
    )
    path = tmp_path / "batch.csv.gz"
    path.write_bytes(gzip.compress(b'1,"say \\"x\\", or\\\\y",true,"{\\"a\\": 1}"\n2,,,\n3,"",false,\n'))
    session.run(f"PUT 'file://{path}' '@{schema}.%\"BILLS\"' SOURCE_COMPRESSION=GZIP")
    session.run(
        'MERGE INTO BILLS t USING (SELECT ($1) "ID", ($2) "NOTE", ($3) "PAID", parse_json($4) "MORE"'
        f' FROM \'@{schema}.%"BILLS"/batch.csv.gz\' (FILE_FORMAT => \'ROWS_\')) s ON s."ID" = t."ID"'
        ' WHEN MATCHED THEN UPDATE SET "NOTE"=s."NOTE" WHEN NOT MATCHED THEN'
        ' INSERT ("ID", "NOTE", "PAID", "MORE") VALUES (s."ID", s."NOTE", s."PAID", s."MORE")'
    )
    first, second, third = session.run("SELECT * FROM BILLS ORDER BY ID")
    assert first[:3] == (1, 'say "x", or\\y', True)
    assert json.loads(first[3]) == {"a": 1}
    assert second == (2, None, None, None)
    assert third == (3, "", False, None)


def test_a_file_format_is_dropped_once(session):
    session.run("CREATE FILE FORMAT SHORT TYPE = 'JSON'")
    session.run("DROP FILE FORMAT SHORT")
    session.run("DROP FILE FORMAT IF EXISTS SHORT")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="does not exist"):
        session.run("DROP FILE FORMAT SHORT")


def test_schemas_are_shown_by_their_pattern(session):
    session.run("CREATE SCHEMA IF NOT EXISTS LOOKED_FOR")
    names = {row["name"] for row in _dicts(session, "SHOW SCHEMAS LIKE 'looked%'")}
    assert names == {"LOOKED_FOR"}
    assert {"LOOKED_FOR", "PUBLIC"} <= {row["name"] for row in _dicts(session, "SHOW SCHEMAS")}


def test_a_primary_key_added_later_is_a_note_too(session):
    session.run("CREATE TABLE NOTES (ID NUMBER(38,0))")
    session.run('ALTER TABLE NOTES ADD PRIMARY KEY("ID")')
    session.run("INSERT INTO NOTES VALUES (1), (1)")
    assert session.run("SELECT COUNT(*) FROM NOTES") == [(2,)]


def _dicts(session, sql):
    cursor = session.connection.cursor(snowflake.connector.DictCursor)
    return cursor.execute(sql).fetchall()
