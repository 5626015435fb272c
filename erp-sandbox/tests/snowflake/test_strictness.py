"""What Snowflake refuses, each with its code; asked with the genuine connector."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pyarrow as pa
import pytest
import snowflake.connector

UTC = dt.timezone.utc


def refused(session, sql, *values):
    """The code and text of what a statement is refused with."""
    with pytest.raises(snowflake.connector.errors.Error) as caught:
        session.run(sql, *values)
    return f"{caught.value.errno:06d} {caught.value.sqlstate} {caught.value.msg}"


@pytest.fixture
def table(session):
    session.run("CREATE TABLE T (ID NUMBER(38,0) NOT NULL, NAME VARCHAR(5), PRIMARY KEY (ID))")
    session.run("INSERT INTO T VALUES (1, 'a')")
    return session


@pytest.mark.parametrize(
    "name",
    ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "LOCALTIME", "LOCALTIMESTAMP"],
)
def test_six_names_are_no_columns_even_quoted(table, name):
    assert "reserved" in refused(table, f'CREATE TABLE R ("{name}" VARCHAR)')
    assert "reserved" in refused(table, f'ALTER TABLE T ADD COLUMN "{name}" VARCHAR')
    assert "reserved" in refused(table, f'ALTER TABLE T RENAME COLUMN NAME TO "{name}"')
    table.run(f'ALTER TABLE T ADD COLUMN "{name}_" VARCHAR')


def test_a_column_of_a_key_may_be_made_nullable(table):
    table.run("ALTER TABLE T ALTER COLUMN ID DROP NOT NULL")
    assert [row[4] for row in table.run("SHOW PRIMARY KEYS IN TABLE T")] == ["ID"]
    table.run("INSERT INTO T VALUES (NULL, 'b')")


def test_keys_are_notes_with_rules(table):
    assert "already exists" in refused(table, "ALTER TABLE T ADD PRIMARY KEY (ID)")
    table.run("ALTER TABLE T RENAME COLUMN ID TO NUMBER_")
    assert [row[4] for row in table.run("SHOW PRIMARY KEYS IN TABLE T")] == ["NUMBER_"]
    table.run("ALTER TABLE T DROP PRIMARY KEY")
    assert "does not exist" in refused(table, "ALTER TABLE T DROP PRIMARY KEY")
    table.run("ALTER TABLE T ALTER COLUMN NUMBER_ DROP NOT NULL")
    table.run("INSERT INTO T VALUES (NULL, 'b')")
    assert refused(table, "ALTER TABLE T ADD PRIMARY KEY (NUMBER_)").startswith("100072")


def test_a_column_changes_its_type_within_the_rules_only(table):
    table.run("ALTER TABLE T ALTER COLUMN NAME SET DATA TYPE VARCHAR(20)")
    assert refused(table, "ALTER TABLE T ALTER COLUMN NAME SET DATA TYPE VARCHAR(4)").startswith(
        "002108 22000"
    )
    assert refused(table, "ALTER TABLE T ALTER COLUMN ID SET DATA TYPE NUMBER(38,2)").startswith("002108")
    assert refused(table, "ALTER TABLE T ALTER COLUMN ID SET DATA TYPE VARCHAR").startswith("002108")
    assert refused(table, "ALTER TABLE T ALTER COLUMN NAME SET DATA TYPE DATE").startswith("002108")
    table.run("ALTER TABLE T ALTER COLUMN ID SET DATA TYPE NUMBER(3,0), COLUMN NAME TYPE VARCHAR(30)")
    table.run("INSERT INTO T VALUES (9, '12345678901234567890')")
    assert refused(table, "INSERT INTO T VALUES (1234, 'x')").startswith("100046 22003")


def test_columns_are_added_by_the_rules(table):
    assert refused(table, "ALTER TABLE T ADD COLUMN NAME VARCHAR").startswith("001430 42601")
    table.run("ALTER TABLE T ADD COLUMN IF NOT EXISTS NAME VARCHAR")
    assert "non-empty" in refused(table, "ALTER TABLE T ADD COLUMN N NUMBER NOT NULL")
    table.run("ALTER TABLE T ADD COLUMN N NUMBER(5,0) NOT NULL DEFAULT 3")
    assert table.run("SELECT N FROM T") == [(3,)]
    assert refused(table, "CREATE TABLE D (A VARCHAR, a NUMBER)").startswith("002025 42S21")


def test_what_exists_and_what_does_not(table):
    assert refused(table, "CREATE TABLE T (A VARCHAR)").startswith("002002 42710")
    assert (
        "already exists, statement succeeded" in table.run("CREATE TABLE IF NOT EXISTS T (A VARCHAR)")[0][0]
    )
    assert refused(table, "CREATE SCHEMA " + table.connection.schema).startswith("002002 42710")
    for statement in (
        "SELECT * FROM NONE",
        "INSERT INTO NONE VALUES (1)",
        "DROP TABLE NONE",
        'SELECT * FROM "t"',
    ):
        assert refused(table, statement).startswith("002003 42S02"), statement
    assert refused(table, "USE SCHEMA NONE").startswith("002043 02000")
    assert refused(table, 'CREATE TABLE "NO SCHEMA"."T" (A VARCHAR)').startswith("002003 02000")
    assert refused(table, "INSERT INTO T (NONE) VALUES (1)").startswith("000904 42000")
    assert refused(table, "SELECT NONE FROM T").startswith("000904 42000")
    assert refused(table, "INSERT INTO T VALUES (1)").startswith("002020 21S01")


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [
        ("'123456'", "VARCHAR(5)", "100078 22000"),
        ("'ab'", "NUMBER(5,2)", "100038 22018"),
        ("'1234'", "NUMBER(5,2)", "100039 22003"),
        ("1234", "NUMBER(5,2)", "100046 22003"),
        ("'x'", "FLOAT", "100038 22018"),
        ("'maybe'", "BOOLEAN", "100037 22018"),
        ("'2026-02-30'", "DATE", "100040 22007"),
        ("'30.01.2026'", "DATE", "100040 22007"),
        ("'25:00:00'", "TIME", "100108 22007"),
        ("'yesterday'", "TIMESTAMP_NTZ", "100035 22007"),
        ("'yesterday'", "TIMESTAMP_TZ", "100035 22007"),
        ("'0G'", "BINARY", "100115"),
        ("TO_BINARY('0011', 'HEX')", "BINARY(1)", "100145 22000"),
        ("'{}'", "VARIANT", "002023 22000"),
        ("1", "DATE", "002023 22000"),
        ("'2026-01-01T00:00:00.123456789Z'", "TIMESTAMP_TZ", "000002 0A000"),
    ],
)
def test_a_value_fits_its_column_or_the_statement_fails(session, value, kind, code):
    session.run(f"CREATE TABLE T (ID NUMBER(38,0), V {kind})")
    assert refused(session, f"INSERT INTO T SELECT 1, {value}").startswith(code)
    session.run("INSERT INTO T VALUES (1, NULL)")
    assert refused(session, f"UPDATE T SET V = {value}").startswith(code)
    merge = (
        f"MERGE INTO T t USING (SELECT 1 AS ID, {value} AS V) s ON t.ID = s.ID"
        " WHEN MATCHED THEN UPDATE SET V = s.V"
    )
    assert refused(session, merge).startswith(code)
    assert session.run("SELECT V FROM T") == [(None,)]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("TO_NUMBER('1,5', 38, 2)", "100038 22018"),
        ("TO_NUMBER('12345', 4, 0)", "100039 22003"),
        ("TO_DOUBLE('')", "100038 22018"),
        ("TO_BOOLEAN('2')", "100037 22018"),
        ("TO_DATE('2026-1-2', 'YYYY-MM-DD')", "100096 22007"),
        ("TO_TIME('10:00', 'HH24:MI:SS.FF9')", "100096 22007"),
        ("TO_TIMESTAMP_TZ('2026-01-02 03:04:05', 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM')", "100096 22007"),
        ("TO_BINARY('abc', 'HEX')", "100115"),
        ("'x'::NUMBER(5,2)", "100038 22018"),
        ("CAST('x' AS DATE)", "100040 22007"),
        ("'2026-13-01 00:00:00'::TIMESTAMP_NTZ", "100035 22007"),
        ("'x'::BOOLEAN", "100037 22018"),
        ("PARSE_JSON('{\"a\": 1,')", "100069 22P02"),
        ('PARSE_JSON(\'{"a": 1, "a": 2}\')', "100069 22P02"),
    ],
)
def test_a_text_that_does_not_fit_its_conversion_is_refused(session, call, code):
    assert refused(session, f"SELECT {call}").startswith(code)


def test_the_sizes_that_no_column_exceeds(session):
    session.run("CREATE TABLE T (S VARCHAR, B BINARY, V VARIANT)")
    # 16 MB are bytes, so half as many of two bytes each
    assert refused(session, "INSERT INTO T (S) SELECT REPEAT('ü', 8388609)").startswith("100078 22000")
    large = "INSERT INTO T (B) SELECT TO_BINARY(REPEAT('00', 8388609), 'HEX')"
    assert refused(session, large).startswith("100145 22000")
    json_text = "INSERT INTO T (V) SELECT PARSE_JSON('[\"' || REPEAT('x', 16777216) || '\"]')"
    assert "too large" in refused(session, json_text)


def test_a_statement_of_more_than_a_megabyte_is_refused(session):
    assert "1048576" in refused(session, f"SELECT '{'x' * 1_048_576}'")
    assert session.run(f"SELECT LENGTH('{'x' * 1_000_000}')") == [(1_000_000,)]


def test_null_in_a_column_that_has_none(table):
    assert refused(table, "INSERT INTO T VALUES (NULL, 'x')").startswith("100072 22000")
    assert refused(table, "UPDATE T SET ID = NULL").startswith("100072 22000")
    assert refused(table, "INSERT INTO T (NAME) VALUES ('x')").startswith("100072 22000")


def test_a_merge_that_would_depend_on_chance_is_refused(table):
    source = "(SELECT 1 AS ID, 'b' AS NAME UNION ALL SELECT 1, 'c') s"
    merge = f"MERGE INTO T t USING {source} ON t.ID = s.ID WHEN MATCHED"
    said = refused(table, f"{merge} THEN UPDATE SET NAME = s.NAME")
    assert said.startswith("100090 42P18")
    assert "Row Values: [1, 'a']" in said
    assert refused(
        table, f"{merge} AND s.NAME = 'b' THEN DELETE WHEN MATCHED THEN UPDATE SET NAME = 'z'"
    ).startswith("100090")
    assert table.run(f"{merge} AND s.NAME = 'b' THEN UPDATE SET NAME = s.NAME") == [(1,)]
    assert table.run("SELECT NAME FROM T") == [("b",)]
    table.run(f"{merge} AND s.NAME = 'c' THEN DELETE")
    assert table.run("SELECT * FROM T") == []


def test_a_cast_to_text_has_the_sessions_output_format(session):
    session.run("CREATE TABLE T (Z TIMESTAMP_TZ, N TIMESTAMP_NTZ, C TIME, F FLOAT, B BINARY)")
    session.run(
        "INSERT INTO T SELECT '2026-01-02T03:04:05.678901+00:00', '2026-01-02 03:04:05.678901', '01:02:03.5',"
        " 0.1234567890123456, TO_BINARY('00ff', 'HEX')"
    )
    assert session.run(
        "SELECT Z::VARCHAR, CAST(N AS VARCHAR), C::VARCHAR, F::VARCHAR, B::VARCHAR FROM T"
    ) == [("2026-01-02 03:04:05.678 +0000", "2026-01-02 03:04:05.678", "01:02:03", "0.123456789", "00FF")]
    session.run("ALTER SESSION SET TIMESTAMP_TZ_OUTPUT_FORMAT = 'YYYY-MM-DD\"T\"HH24:MI:SS.FF6TZH:TZM'")
    assert session.run("SELECT TO_VARCHAR(Z) FROM T") == [("2026-01-02T03:04:05.678901+00:00",)]


def test_a_copy_turns_the_mark_of_null_into_null_unless_told_otherwise(session, tmp_path):
    session.run("CREATE TABLE T (S VARCHAR)")
    session.stage(tmp_path, "n.parquet", S=pa.array(["\\N", "", "x"]))
    copy = (
        "COPY INTO T FROM @LOADING/n.parquet FILE_FORMAT = (TYPE = PARQUET{})"
        " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE"
    )
    session.run(copy.format(""))
    assert session.run("SELECT S FROM T ORDER BY S NULLS FIRST") == [(None,), ("",), ("x",)]
    session.run("TRUNCATE TABLE T")
    session.run(copy.format(" NULL_IF = ()"))
    assert session.run("SELECT S FROM T ORDER BY S") == [("",), ("\\N",), ("x",)]


@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        ("VARCHAR(2)", pa.array(["abc"]), "100078 22000"),
        ("VARCHAR NOT NULL", pa.array([None], pa.string()), "100072 22000"),
        ("NUMBER(3,0)", pa.array([1234], pa.int64()), "100046 22003"),
        ("DATE", pa.array(["soon"]), "100040 22007"),
        ("TIMESTAMP_NTZ", pa.array([1], pa.timestamp("ns")), "000002 0A000"),
    ],
)
def test_a_file_is_copied_by_the_same_rules(session, tmp_path, kind, values, code):
    session.run(f"CREATE TABLE T (V {kind})")
    session.stage(tmp_path, "v.parquet", V=values)
    copy = "COPY INTO T FROM @LOADING/v.parquet FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME ="
    assert refused(session, f"{copy} CASE_SENSITIVE").startswith(code)
    assert session.run("SELECT * FROM T") == []
    assert refused(session, copy.removesuffix(" MATCH_BY_COLUMN_NAME =")).startswith("002019")


def test_a_text_of_a_file_is_a_text_in_a_variant(session, tmp_path):
    session.run("CREATE TABLE T (V VARIANT)")
    session.stage(tmp_path, "v.parquet", V=pa.array(['{"a": 1}']))
    session.copy("T", "v.parquet")
    assert json.loads(session.run("SELECT V FROM T")[0][0]) == '{"a": 1}'


def test_ddl_commits_what_was_begun(table):
    table.run("BEGIN")
    table.run("INSERT INTO T VALUES (2, 'b')")
    table.run("CREATE TEMPORARY TABLE X (A VARCHAR)")
    table.run("ROLLBACK")
    assert table.run("SELECT COUNT(*) FROM T") == [(2,)]


ACCOUNT = (
    "QUOTED_IDENTIFIERS_IGNORE_CASE=TRUE",
    "TIMESTAMP_INPUT_FORMAT=DD.MM.YYYY HH24:MI:SS",
    "DATE_INPUT_FORMAT=DD.MM.YYYY",
    "BINARY_INPUT_FORMAT=BASE64",
    "TIMESTAMP_TYPE_MAPPING=TIMESTAMP_TZ",
    "TIMEZONE=America/Los_Angeles",
    "AUTOCOMMIT=FALSE",
)


def test_an_account_may_have_other_parameters_which_a_session_overrides(own_server):
    own_server.stop()
    own_server.start(*[word for each in ACCOUNT for word in ("--parameter", each)])
    session = own_server.session()
    session.run('CREATE TABLE "lower" ("a" TIMESTAMP, B BINARY, D DATE)')
    assert [row[:2] for row in session.run("DESCRIBE TABLE LOWER")] == [
        ("A", "TIMESTAMP_TZ(9)"),
        ("B", "BINARY(8388608)"),
        ("D", "DATE"),
    ]
    session.run("INSERT INTO LOWER SELECT '02.01.2026 03:04:05', 'AP8=', '31.12.2026'")
    ((moment, raw, day),) = session.run('SELECT "a", "b", "d" FROM "lower"')
    assert moment == dt.datetime(2026, 1, 2, 11, 4, 5, tzinfo=UTC)
    assert (bytes(raw), day) == (b"\x00\xff", dt.date(2026, 12, 31))
    assert refused(session, "INSERT INTO LOWER SELECT '2026-01-02T03:04:05Z', NULL, NULL").startswith(
        "100096"
    )
    session.run("ROLLBACK")
    assert session.run("SELECT COUNT(*) FROM LOWER") == [(0,)]
    session.run("ALTER SESSION SET AUTOCOMMIT = TRUE TIMESTAMP_INPUT_FORMAT = 'AUTO'")
    session.run("INSERT INTO LOWER (A) SELECT '2026-01-02T03:04:05Z'")
    session.run("ROLLBACK")
    assert session.run("SELECT COUNT(*) FROM LOWER") == [(1,)]
    chosen = {"QUOTED_IDENTIFIERS_IGNORE_CASE": False, "AUTOCOMMIT": True, "TIMEZONE": "UTC"}
    connection = own_server.connect(
        authenticator="SNOWFLAKE_JWT",
        private_key_file=str(own_server.key.private),
        session_parameters=chosen,
        database="BOOKS",
        schema="SAGE300",
    )
    connection.cursor().execute('CREATE TABLE "mixed" ("a" VARCHAR)')
    assert connection.cursor().execute('SELECT "a" FROM "mixed"').fetchall() == []


def test_numbers_are_rounded_as_in_snowflake(session):
    session.run("CREATE TABLE T (N NUMBER(5,2))")
    session.run("INSERT INTO T SELECT 1.005")
    session.run("INSERT INTO T SELECT '2.675'")
    assert session.run("SELECT N FROM T ORDER BY N") == [(Decimal("1.01"),), (Decimal("2.68"),)]
