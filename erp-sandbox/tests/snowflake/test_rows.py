"""Statements that bring their rows as one text: what a loader sends for small batches, over both transports."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector

UTC = dt.timezone.utc
HUGE = "9" * 38
CONNECTOR5 = Path(sys.prefix).parent / ".venv-connector5" / "bin" / "python"
TABLE = (
    '("ID" NUMBER(38,0), "NAME" VARCHAR, "RATE" FLOAT, "OPEN" BOOLEAN, "DAY" DATE, "CLOCK" TIME,'
    ' "AT" TIMESTAMP_TZ, "LOCAL" TIMESTAMP_NTZ, "MORE" VARIANT, "RAW" BINARY, "_SDC_SEQUENCE" NUMBER(38,0))'
)
ROWS = (
    'SELECT TO_NUMBER(r.VALUE[0]::VARCHAR, 38, 0) AS "ID", r.VALUE[1]::VARCHAR AS "NAME",'
    ' TO_DOUBLE(r.VALUE[2]::VARCHAR) AS "RATE", TO_BOOLEAN(r.VALUE[3]::VARCHAR) AS "OPEN",'
    " TO_DATE(r.VALUE[4]::VARCHAR, 'YYYY-MM-DD') AS \"DAY\","
    " TO_TIME(r.VALUE[5]::VARCHAR, 'HH24:MI:SS.FF9') AS \"CLOCK\","
    ' TO_TIMESTAMP_TZ(r.VALUE[6]::VARCHAR, \'YYYY-MM-DD"T"HH24:MI:SS.FF9TZH:TZM\') AS "AT",'
    ' TO_TIMESTAMP_NTZ(r.VALUE[7]::VARCHAR, \'YYYY-MM-DD"T"HH24:MI:SS.FF9\') AS "LOCAL",'
    " PARSE_JSON(r.VALUE[8]::VARCHAR, 'd') AS \"MORE\", TO_BINARY(r.VALUE[9]::VARCHAR, 'HEX') AS \"RAW\","
    ' TO_NUMBER(r.VALUE[10]::VARCHAR, 38, 0) AS "_SDC_SEQUENCE"'
    " FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) r"
)
FULL = [
    HUGE, "it's \"x\" \\ ü\n", "0.1", "true", "2026-02-28", "23:59:58.500000000",
    "2026-01-02T03:04:05.678901000+02:00", "2026-01-02T03:04:05.5",
    '{"n": 1.10, "deep": [12345678901234567890.50]}', "00FF10", "1",
]  # fmt: skip
EMPTY = ["2", *[None] * 9, "1"]
MERGE = (
    "MERGE INTO {table} t USING (SELECT * FROM ({rows}) QUALIFY ROW_NUMBER() OVER"
    ' (PARTITION BY "ID" ORDER BY "_SDC_SEQUENCE" DESC) = 1) s ON t."ID" = s."ID"'
    " WHEN MATCHED AND s.\"NAME\" = 'gone' THEN DELETE"
    ' WHEN MATCHED AND s."_SDC_SEQUENCE" >= t."_SDC_SEQUENCE" THEN UPDATE SET "NAME" = s."NAME",'
    ' "_SDC_SEQUENCE" = s."_SDC_SEQUENCE", "MORE" = s."MORE"'
    ' WHEN NOT MATCHED AND s."NAME" IS DISTINCT FROM \'gone\' THEN INSERT ("ID", "NAME", "AT", "MORE",'
    ' "_SDC_SEQUENCE") VALUES (s."ID", s."NAME", s."AT", s."MORE", s."_SDC_SEQUENCE")'
)


class Qmark:
    """A session that binds on the server's side, in no schema: every name is fully qualified."""

    def __init__(self, server):
        self.connection = server.connect(
            authenticator="SNOWFLAKE_JWT",
            private_key_file=str(server.key.private),
            database="BOOKS",
            paramstyle="qmark",
        )

    def run(self, sql, *values):
        return self.connection.cursor().execute(sql, values or None).fetchall()


@pytest.fixture
def loader(server, session):
    found = Qmark(server)
    found.schema = session.connection.schema
    found.table = f'"{found.schema}"."T"'
    return found


@pytest.fixture
def sql_api(server, access_token, loader):
    """Runs a statement with text bindings over the SQL API."""

    def run(statement, *values, count=None):
        body = {"statement": statement, "database": "BOOKS"}
        if values:
            body["bindings"] = {
                str(place): {"type": "TEXT", "value": value} for place, value in enumerate(values, 1)
            }
        if count:
            body["parameters"] = {"MULTI_STATEMENT_COUNT": str(count)}
        request = urllib.request.Request(
            f"{server.url}/api/v2/statements",
            json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {access_token}",
                "X-Snowflake-Authorization-Token-Type": "PROGRAMMATIC_ACCESS_TOKEN",
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": "test/1.0",
            },
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            return json.load(refused)

    return run


def rows(*lists):
    return json.dumps(lists)


def values_of(loader):
    return loader.run(f'SELECT * FROM {loader.table} ORDER BY "ID"')


def check_full(row):
    assert row[:8] == (
        int(HUGE),
        FULL[1],
        0.1,
        True,
        dt.date(2026, 2, 28),
        dt.time(23, 59, 58, 500000),
        dt.datetime(2026, 1, 2, 1, 4, 5, 678901, tzinfo=UTC),
        dt.datetime(2026, 1, 2, 3, 4, 5, 500000),
    )
    assert "".join(row[8].split()) == '{"n":1.10,"deep":[12345678901234567890.50]}'
    assert (bytes(row[9]), row[10]) == (b"\x00\xff\x10", 1)


def test_rows_of_one_text_are_inserted_with_every_type(loader):
    loader.run(f"CREATE TABLE {loader.table} {TABLE}")
    assert loader.run(f"INSERT INTO {loader.table} SELECT * FROM ({ROWS})", rows(FULL, EMPTY)) == [(2,)]
    empty, full = values_of(loader)
    check_full(full)
    assert empty == (2, *[None] * 9, 1)


def test_rows_of_one_text_over_the_sql_api(loader, sql_api):
    loader.run(f"CREATE TABLE {loader.table} {TABLE}")
    answer = sql_api(f"INSERT INTO {loader.table} SELECT * FROM ({ROWS})", rows(FULL))
    assert answer["data"] == [["1"]], answer
    check_full(values_of(loader)[0])


def test_rows_inlined_in_several_statements_over_the_sql_api(loader, sql_api):
    loader.run(f"CREATE TABLE {loader.table} {TABLE}")
    literal = "'" + rows(FULL, EMPTY).replace("\\", "\\\\").replace("'", "''") + "'"
    insert = f"INSERT INTO {loader.table} SELECT * FROM ({ROWS.replace('?', literal)})"
    answer = sql_api(f"BEGIN; {insert}; COMMIT", count=3)
    assert len(answer.get("statementHandles", ())) == 3, answer
    check_full(values_of(loader)[1])


def test_a_merge_says_what_it_inserted_updated_and_deleted(loader):
    loader.run(f"CREATE TABLE {loader.table} {TABLE}")
    merge = MERGE.format(table=loader.table, rows=ROWS)
    first = rows(FULL, ["2", "b", *[None] * 8, "1"], ["3", "c", *[None] * 8, "5"])
    cursor = loader.connection.cursor().execute(merge, (first,))
    assert [each.name for each in cursor.description] == [
        "number of rows inserted",
        "number of rows updated",
        "number of rows deleted",
    ]
    assert (cursor.fetchall(), cursor.rowcount) == ([(3, 0, 0)], 3)
    second = rows(
        ["2", "gone", *[None] * 8, "2"],
        ["3", "late", *[None] * 8, "4"],
        [HUGE, "older", *[None] * 8, "2"],
        [HUGE, "new", *[None] * 8, "3"],
        ["4", "gone", *[None] * 8, "2"],
    )
    assert loader.run(merge, second) == [(0, 1, 1)]
    assert loader.run(f'SELECT "ID", "NAME" FROM {loader.table} ORDER BY 1') == [(3, "c"), (int(HUGE), "new")]


def test_a_merge_that_comes_again_means_what_it_means_then(loader):
    """Its text is read once, but for what has changed: repeated keys in a JSON text, the table, a doubled row."""
    table = loader.table
    loader.run(f"CREATE TABLE {table} {TABLE}")
    merge = MERGE.format(table=table, rows=ROWS)
    once, twice = '{"a": 1.10}', '{"a": 1, "a": 2.50}'
    assert loader.run(merge, rows(["1", "a", *[None] * 6, once, None, "1"])) == [(1, 0, 0)]
    assert loader.run(merge, rows(["1", "b", *[None] * 6, twice, None, "2"])) == [(0, 1, 0)]
    assert "".join(values_of(loader)[0][8].split()) == '{"a":2.50}'
    assert loader.run(merge, rows(["1", "c", *[None] * 6, once, None, "3"])) == [(0, 1, 0)]
    assert "".join(values_of(loader)[0][8].split()) == '{"a":1.10}'
    loader.run(f'ALTER TABLE {table} DROP COLUMN "MORE"')
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="invalid identifier"):
        loader.run(merge, rows(["1", "d", *[None] * 6, once, None, "4"]))
    loader.run(f'ALTER TABLE {table} ADD COLUMN "MORE" VARIANT')
    loader.run(f'INSERT INTO {table} ("ID", "NAME", "_SDC_SEQUENCE") VALUES (9, \'x\', 0)')
    every = f'MERGE INTO {table} t USING ({ROWS}) s ON t."ID" = s."ID" WHEN MATCHED THEN UPDATE SET "NAME" = s."NAME"'
    assert loader.run(every, rows(["9", "y", *[None] * 8, "1"])) == [(1,)]
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="Duplicate row detected"):
        loader.run(every, rows(["9", "p", *[None] * 8, "1"], ["9", "q", *[None] * 8, "1"]))


def test_updates_deletes_and_correlated_queries_in_one_transaction(loader):
    table, ledger = loader.table, f'"{loader.schema}"."LEDGER"'
    loader.run(f"CREATE TABLE {table} {TABLE}")
    loader.run(f'CREATE TABLE {ledger} ("BATCH" VARCHAR, "N" NUMBER(38,0))')
    loader.run(f"INSERT INTO {table} SELECT * FROM ({ROWS})", rows(FULL, EMPTY, ["3", *[None] * 9, "1"]))
    loader.run("BEGIN")
    assert loader.run(
        f'UPDATE {table} t SET "NAME" = d."NAME" FROM (SELECT "ID", MAX("NAME") AS "NAME" FROM ({ROWS})'
        ' GROUP BY "ID") d WHERE t."ID" = d."ID"',
        rows(["2", "a", *[None] * 8, "1"], ["2", "b", *[None] * 8, "1"]),
    ) == [(1, 0)]
    assert loader.run(
        f'DELETE FROM {table} t USING (SELECT "ID" FROM ({ROWS})) d WHERE t."ID" = d."ID"',
        rows(["3", *[None] * 9, "1"]),
    ) == [(1,)]
    once = (
        f'INSERT INTO {ledger} ("BATCH", "N") SELECT ?, ? WHERE NOT EXISTS'
        f' (SELECT 1 FROM {ledger} WHERE "BATCH" = ?)'
    )
    assert loader.run(once, "b1", 3, "b1") == [(1,)]
    assert loader.run(once, "b1", 3, "b1") == [(0,)]
    loader.run(
        f"MERGE INTO {table} t USING (SELECT * FROM ({ROWS}) s WHERE NOT EXISTS (SELECT 1 FROM {table} o"
        ' WHERE o."ID" = s."ID")) s ON t."ID" = s."ID" WHEN NOT MATCHED THEN INSERT ("ID") VALUES (s."ID")',
        rows(EMPTY, ["7", *[None] * 9, "1"]),
    )
    assert loader.run(f'DELETE FROM {ledger} WHERE "BATCH" = ?', "other") == [(0,)]
    loader.run("ROLLBACK")
    assert [row[1] for row in values_of(loader)] == [None, None, FULL[1]]
    assert loader.run(f"SELECT COUNT(*) FROM {ledger}") == [(0,)]


def test_the_last_of_a_repeated_key_wins_if_duplicates_are_allowed(loader):
    loader.run(f"CREATE TABLE {loader.table} {TABLE}")
    twice = '{"a": 1.10, "b": [{"c": 1, "c": 2.50}], "a": 12345678901234567890.5}'
    loader.run(
        f"INSERT INTO {loader.table} SELECT * FROM ({ROWS})", rows(["1", *[None] * 7, twice, None, "1"])
    )
    assert "".join(values_of(loader)[0][8].split()) == '{"a":12345678901234567890.5,"b":[{"c":2.50}]}'


def test_a_staged_file_goes_into_a_temporary_table_and_hides_the_permanent_one(loader, tmp_path):
    schema, path = loader.schema, tmp_path / "rows.parquet"
    pq.write_table(
        pa.table({"ID": pa.array([Decimal(7)], pa.decimal128(38, 0)), "MORE": ['{"a": 1.10}']}), path
    )
    loader.run(f'CREATE TABLE "{schema}"."X" ("ID" NUMBER(38,0))')
    loader.run(f'CREATE TABLE {loader.table} ("ID" NUMBER(38,0), "MORE" VARIANT)')
    loader.run(f'CREATE TEMPORARY STAGE "{schema}"."LOADING"')
    loader.run(f'CREATE TEMPORARY TABLE "{schema}"."X" ("ID" NUMBER(38,0), "MORE" VARCHAR)')
    loader.run(f"PUT 'file://{path}' '@\"{schema}\".\"LOADING\"' AUTO_COMPRESS = FALSE")
    ((*_, first_error),) = [
        row[:7]
        for row in loader.run(
            f'COPY INTO "{schema}"."X" FROM \'@"{schema}"."LOADING"/rows.parquet\' FILE_FORMAT ='
            " (TYPE = PARQUET USE_VECTORIZED_SCANNER = TRUE NULL_IF = ())"
            " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE ON_ERROR = ABORT_STATEMENT PURGE = TRUE"
        )
    ]
    assert first_error is None
    assert loader.run(
        f'MERGE INTO {loader.table} t USING (SELECT "ID", PARSE_JSON("MORE", \'d\') AS "MORE"'
        f' FROM "{schema}"."X") s ON t."ID" = s."ID"'
        ' WHEN NOT MATCHED THEN INSERT ("ID", "MORE") VALUES (s."ID", s."MORE")'
    ) == [(1,)]
    ((number, more),) = values_of(loader)
    assert (number, "".join(more.split())) == (7, '{"a":1.10}')
    loader.run(f'DROP TABLE "{schema}"."X"')
    loader.run(f'DROP STAGE IF EXISTS "{schema}"."LOADING"')
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="does not exist"):
        loader.run(f'DROP STAGE "{schema}"."LOADING"')
    assert loader.run(f'SELECT * FROM "{schema}"."X"') == []
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="does not exist"):
        loader.run(f'SELECT "MORE" FROM "{schema}"."GONE"')


CATALOG = """
SELECT t.TABLE_NAME, t.COMMENT, c.COLUMN_NAME, c.DATA_TYPE, c.NUMERIC_PRECISION, c.NUMERIC_SCALE,
       c.CHARACTER_MAXIMUM_LENGTH, c.DATETIME_PRECISION, c.IS_NULLABLE, c.COMMENT
FROM INFORMATION_SCHEMA.SCHEMATA s
LEFT JOIN INFORMATION_SCHEMA.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME
LEFT JOIN INFORMATION_SCHEMA.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
WHERE s.SCHEMA_NAME = ? ORDER BY t.TABLE_NAME, c.ORDINAL_POSITION
"""


def test_the_catalog_of_a_schema_in_one_query(loader, sql_api):
    assert loader.run(CATALOG, loader.schema) == [(None,) * 10]
    assert loader.run(CATALOG, "NO_SUCH_SCHEMA") == []
    loader.run(
        f"CREATE TRANSIENT TABLE IF NOT EXISTS {loader.table} (\"N\" NUMBER(19,3) NOT NULL COMMENT 'it''s',"
        ' "S" VARCHAR(5), "L" VARCHAR, "F" FLOAT, "Z" TIMESTAMP_TZ, "P" TIMESTAMP_NTZ(3), "C" TIME,'
        ' "D" DATE, "V" VARIANT, "B" BINARY, "O" BOOLEAN, PRIMARY KEY ("N")) CLUSTER BY ("N")'
        " COMMENT = 'a table'"
    )
    found = loader.run(CATALOG, loader.schema)
    assert {row[:2] for row in found} == {("T", "a table")}
    assert [row[2:] for row in found] == [
        ("N", "NUMBER", 19, 3, None, None, "NO", "it's"),
        ("S", "TEXT", None, None, 5, None, "YES", None),
        ("L", "TEXT", None, None, 16777216, None, "YES", None),
        ("F", "FLOAT", None, None, None, None, "YES", None),
        ("Z", "TIMESTAMP_TZ", None, None, None, 9, "YES", None),
        ("P", "TIMESTAMP_NTZ", None, None, None, 3, "YES", None),
        ("C", "TIME", None, None, None, 9, "YES", None),
        ("D", "DATE", None, None, None, None, "YES", None),
        ("V", "VARIANT", None, None, None, None, "YES", None),
        ("B", "BINARY", None, None, 8388608, None, "YES", None),
        ("O", "BOOLEAN", None, None, None, None, "YES", None),
    ]
    assert len(sql_api(CATALOG, loader.schema)["data"]) == 11


def test_comments_and_keys_are_changed(loader):
    table = loader.table
    loader.run(f'CREATE TABLE {table} ("A" NUMBER(38,0) NOT NULL, "B" VARCHAR, PRIMARY KEY ("A"))')
    loader.run(f"COMMENT ON TABLE {table} IS 'it''s'")
    loader.run(f"ALTER TABLE {table} ALTER COLUMN \"A\" COMMENT 'a, b', COLUMN \"B\" COMMENT 'c'")
    assert [(row[1], row[9]) for row in loader.run(CATALOG, loader.schema)] == [
        ("it's", "a, b"),
        ("it's", "c"),
    ]
    assert [row[4:6] for row in loader.run(f"SHOW PRIMARY KEYS IN TABLE {table}")] == [("A", 1)]
    loader.run(f"ALTER TABLE {table} DROP PRIMARY KEY")
    assert loader.run(f"SHOW PRIMARY KEYS IN TABLE {table}") == []
    loader.run(f'ALTER TABLE {table} ALTER COLUMN "A" DROP NOT NULL')
    loader.run(f'ALTER TABLE {table} ALTER COLUMN "A" SET DATA TYPE NUMBER(38,0)')
    loader.run(f'ALTER TABLE {table} RENAME COLUMN "B" TO "C"')
    loader.run(f"ALTER TABLE {table} ADD COLUMN \"D\" TIMESTAMP_TZ COMMENT 'd'")
    loader.run(f'ALTER TABLE {table} DROP COLUMN "A"')
    assert [(row[2], row[8], row[9]) for row in loader.run(CATALOG, loader.schema)] == [
        ("C", "YES", "c"),
        ("D", "YES", "d"),
    ]


def test_a_column_is_widened_to_text_with_every_digit(loader):
    loader.run(f'CREATE TABLE {loader.table} ("A" TIMESTAMP_TZ, "C" TIME, "F" FLOAT, "W" VARCHAR)')
    loader.run(f"INSERT INTO {loader.table} SELECT '2026-01-02T03:04:05.678901Z', '01:02:03.5', 0.1, NULL")
    form = 'YYYY-MM-DD"T"HH24:MI:SS.FF9TZH:TZM'
    assert loader.run(f'UPDATE {loader.table} SET "W" = TO_VARCHAR("A", \'{form}\')') == [(1, 0)]
    assert loader.run(
        f'SELECT "W", TO_VARCHAR("C", \'HH24:MI:SS.FF9\'), TO_VARCHAR("F", \'9D9999999999999999EEEE\')'
        f" FROM {loader.table}"
    ) == [("2026-01-02T03:04:05.678901000+00:00", "01:02:03.500000000", "1.0000000000000001E-01")]


_WITH_CONNECTOR_5 = """
import sys
import snowflake.connector
host, port, key, merge, first = sys.argv[1:]
assert snowflake.connector.__version__.startswith("5."), snowflake.connector.__version__
snowflake.connector.paramstyle = "qmark"
connection = snowflake.connector.connect(
    account="SANDBOX", user="LOADER", host=host, port=int(port), protocol="http", database="BOOKS",
    authenticator="SNOWFLAKE_JWT", private_key_file=key,
)
cursor = connection.cursor().execute(merge, (first,))
print(cursor.fetchall())
"""


def test_connector_5_binds_rows_the_same_way(server, loader):
    loader.run(f"CREATE TABLE {loader.table} {TABLE}")
    where = server.address()
    command = [CONNECTOR5, "-c", _WITH_CONNECTOR_5, where["host"], str(where["port"])]
    merge = MERGE.format(table=loader.table, rows=ROWS)
    result = subprocess.run(
        [*command, server.key.private, merge, rows(FULL, EMPTY)], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.strip() == "[(2, 0, 0)]"
    assert [row[0] for row in values_of(loader)] == [2, int(HUGE)]
