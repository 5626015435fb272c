"""Snowflake's SQL: types both ways, and the statements that make tables, let them grow and fill them."""

from __future__ import annotations

import pytest
from ml_connector.load.errors import LoadError
from ml_connector.load.schema import Column, Kind, columns_of
from ml_connector.load.sql import audit, merge
from ml_connector.load.sql.dialect import Declared, Existing, existing_tables
from ml_connector.load.sql.merge import Loading
from ml_connector.load.sql.staged import rows_in_table, rows_in_text
from ml_connector.load.sql.table import Table, actual_columns, create, grow

from target_snowflake_ml.dialect import SnowflakeDialect

SNOWFLAKE = SnowflakeDialect()
ID, NAME = Column("ID", Kind.INTEGER, 38, 0), Column("NAME", Kind.STRING)
AMOUNT = Column("AMOUNT", Kind.DECIMAL, 19, 3)
LINES = Column("LINES", Kind.VARIANT)
SEQUENCE, DELETED = Column("_SDC_SEQUENCE", Kind.INTEGER, 38, 0), Column("_SDC_DELETED_AT", Kind.TIMESTAMP_TZ)
WHOLE = Declared("NUMBER", 38, 0, None, nullable=False)


def table(*columns, **more):
    return Table("bills", "BOOKS", "BILLS", columns or (ID, NAME), ("ID",), **more)


def growth_of(wanted, **existing):
    return grow(wanted, Existing({"ID": WHOLE, **existing}), SNOWFLAKE)


@pytest.mark.parametrize(
    ("declared", "column", "kind"),
    [
        ({"type": "integer"}, "NUMBER(38,0)", Kind.INTEGER),
        ({"type": "number", "x-precision": 19, "x-scale": 3}, "NUMBER(19,3)", Kind.DECIMAL),
        ({"type": "number", "multipleOf": 0.01}, "NUMBER(38,2)", Kind.DECIMAL),
        ({"type": "string", "format": "singer.decimal"}, "NUMBER(38,9)", Kind.DECIMAL),
        ({"type": "number"}, "FLOAT", Kind.DOUBLE),
        ({"type": "boolean"}, "BOOLEAN", Kind.BOOLEAN),
        ({"type": "string", "format": "date"}, "DATE", Kind.DATE),
        ({"type": "string", "format": "date-time"}, "TIMESTAMP_TZ", Kind.TIMESTAMP_TZ),
        (
            {"type": "string", "format": "date-time", "x-timezone-naive": True},
            "TIMESTAMP_NTZ",
            Kind.TIMESTAMP_NTZ,
        ),
        ({"type": "string", "format": "time"}, "TIME", Kind.TIME),
        ({"type": "string", "contentEncoding": "base64"}, "BINARY", Kind.BINARY),
        ({"type": "string"}, "VARCHAR", Kind.STRING),
        ({"type": "object"}, "VARIANT", Kind.VARIANT),
        ({"type": "array"}, "VARIANT", Kind.VARIANT),
        ({}, "VARIANT", Kind.VARIANT),
    ],
)
def test_a_json_type_is_a_snowflake_type_and_read_back_as_the_same(declared, column, kind):
    (made,) = columns_of({"properties": {"x": declared}})
    assert (SNOWFLAKE.type_of(made), made.kind) == (column, kind)
    read_back = SNOWFLAKE.column_of("x", SNOWFLAKE.declared(made, nullable=True, comment=None))
    assert SNOWFLAKE.type_of(read_back) == column


@pytest.mark.parametrize(
    ("described", "column"),
    [
        (Declared("NUMBER", 10, 0), Column("C", Kind.DECIMAL, 10, 0)),
        (Declared("NUMBER", 38, 0), Column("C", Kind.INTEGER, 38, 0)),
        (Declared("TEXT", length=16_777_216), Column("C", Kind.STRING)),
        (Declared("TIMESTAMP_NTZ"), Column("C", Kind.TIMESTAMP_NTZ)),
        (Declared("BINARY", length=8_388_608), Column("C", Kind.BINARY)),
        (Declared("TIMESTAMP_LTZ"), Column("C", Kind.TIMESTAMP_TZ)),
        (Declared("GEOGRAPHY"), None),
    ],
)
def test_what_the_catalog_says_is_understood(described, column):
    assert SNOWFLAKE.column_of("C", described) == column


def test_the_catalog_tells_a_missing_schema_from_an_empty_one():
    assert existing_tables([]) is None
    assert existing_tables([(None,) * 10]) == {}


def test_a_table_declares_its_key_and_says_what_its_columns_are():
    made = create(table(comment="Bills of vendors", comments={"NAME": "The vendor's name"}), SNOWFLAKE)
    assert made == [
        'CREATE TABLE IF NOT EXISTS "BOOKS"."BILLS" ("ID" NUMBER(38,0) NOT NULL,'
        " \"NAME\" VARCHAR COMMENT 'The vendor''s name', PRIMARY KEY (\"ID\")) COMMENT = 'Bills of vendors'"
    ]


def test_a_transient_clustered_table():
    (statement,) = create(table(transient=True, cluster_by=("NAME", "ID")), SNOWFLAKE)
    assert statement.startswith("CREATE TRANSIENT TABLE IF NOT EXISTS")
    assert statement.endswith('CLUSTER BY ("NAME", "ID")')


def test_nothing_is_altered_where_all_is_there():
    same = growth_of(table(), NAME=Declared("TEXT", length=16_777_216), OLD=Declared("DATE"))
    assert (same.statements, same.comments, same.changes) == ([], [], [])


def test_a_new_column_is_added_and_more_digits_are_given_in_place():
    assert growth_of(table(ID, AMOUNT)).statements == [
        'ALTER TABLE "BOOKS"."BILLS" ADD COLUMN "AMOUNT" NUMBER(19,3)'
    ]
    assert growth_of(table(ID, AMOUNT), AMOUNT=Declared("NUMBER", 10, 3)).statements == [
        'ALTER TABLE "BOOKS"."BILLS" ALTER COLUMN "AMOUNT" SET DATA TYPE NUMBER(19,3)'
    ]
    assert growth_of(table(), NAME=Declared("TEXT", length=5)).statements == [
        'ALTER TABLE "BOOKS"."BILLS" ALTER COLUMN "NAME" SET DATA TYPE VARCHAR'
    ]


@pytest.mark.parametrize(
    ("has", "wanted", "becomes", "value"),
    [
        (Declared("NUMBER", 38, 0), AMOUNT, "NUMBER(38,3)", "CAST({} AS NUMBER(38,3))"),
        (Declared("NUMBER", 19, 3), Column("AMOUNT", Kind.STRING), "VARCHAR", "TO_VARCHAR({})"),
        (Declared("FLOAT"), Column("AMOUNT", Kind.STRING), "VARCHAR", "TO_JSON(TO_VARIANT({}))"),
        (
            Declared("TIMESTAMP_TZ"),
            Column("AMOUNT", Kind.STRING),
            "VARCHAR",
            "TO_VARCHAR({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9TZH:TZM')",
        ),
        (Declared("DATE"), Column("AMOUNT", Kind.TIMESTAMP_TZ), "TIMESTAMP_TZ", "CAST({} AS TIMESTAMP_TZ)"),
        (Declared("TEXT"), Column("AMOUNT", Kind.VARIANT), "VARIANT", "TO_VARIANT({})"),
    ],
)
def test_a_type_is_widened_through_a_copy_that_keeps_every_digit(has, wanted, becomes, value):
    path = '"BOOKS"."BILLS"'
    assert growth_of(table(ID, wanted), AMOUNT=has).statements == [
        f'ALTER TABLE {path} ADD COLUMN "AMOUNT__ML_WIDER" {becomes}',
        f'UPDATE {path} SET "AMOUNT__ML_WIDER" = {value.format(chr(34) + "AMOUNT" + chr(34))}',
        f'ALTER TABLE {path} RENAME COLUMN "AMOUNT" TO "AMOUNT__ML_OLD"',
        f'ALTER TABLE {path} RENAME COLUMN "AMOUNT__ML_WIDER" TO "AMOUNT"',
        f'UPDATE {path} SET "AMOUNT" = {value.format(chr(34) + "AMOUNT__ML_OLD" + chr(34))}'
        ' WHERE "AMOUNT" IS NULL AND "AMOUNT__ML_OLD" IS NOT NULL',
        f'ALTER TABLE {path} DROP COLUMN "AMOUNT__ML_OLD"',
    ]


def test_a_type_is_never_narrowed_and_an_instant_stays_where_it_is():
    assert growth_of(table(ID, AMOUNT), AMOUNT=Declared("TEXT")).statements == []
    moment = Column("AT", Kind.TIMESTAMP_TZ)
    assert growth_of(table(ID, moment), AT=Declared("TIMESTAMP_NTZ")).statements == []
    actual = actual_columns(
        table(ID, moment), Existing({"ID": WHOLE, "AT": Declared("TIMESTAMP_NTZ")}), SNOWFLAKE
    )
    assert SNOWFLAKE.convert('"AT"', moment, actual["AT"]) == (
        "CAST(CONVERT_TIMEZONE('UTC', \"AT\") AS TIMESTAMP_NTZ)"
    )


def test_a_conflict_without_a_common_type_names_column_and_remedy():
    with pytest.raises(LoadError) as caught:
        growth_of(table(ID, Column("AMOUNT", Kind.BINARY)), AMOUNT=Declared("DATE"))
    assert "Column AMOUNT of BOOKS.BILLS is DATE, stream 'bills' now sends BINARY" in str(caught.value)


def test_a_key_cannot_change_its_type_in_place():
    with pytest.raises(LoadError, match="part of the table's key"):
        growth_of(table(Column("ID", Kind.STRING)))


def test_a_column_that_left_the_key_may_be_null():
    growth = grow(
        Table("bills", "BOOKS", "BILLS", (ID, NAME), ("NAME",), former_keys=("ID",)),
        Existing({"ID": WHOLE, "NAME": Declared("TEXT", nullable=False)}),
        SNOWFLAKE,
    )
    assert growth.statements == ['ALTER TABLE "BOOKS"."BILLS" ALTER COLUMN "ID" DROP NOT NULL']
    assert growth.drops_key


def test_stale_comments_are_renewed_in_one_statement():
    growth = growth_of(
        table(comments={"NAME": "New", "ID": "Kept"}, comment="Bills"),
        NAME=Declared("TEXT", comment="Old"),
        ID=WHOLE._replace(comment="Kept"),
    )
    assert growth.comments == [
        'ALTER TABLE "BOOKS"."BILLS" ALTER COLUMN "NAME" COMMENT \'New\'',
        'COMMENT ON TABLE "BOOKS"."BILLS" IS \'Bills\'',
    ]


def test_rows_that_travel_are_cast_from_their_texts_and_the_last_of_a_key_wins():
    bills = table(ID, LINES, SEQUENCE, DELETED)
    rows = rows_in_text(SNOWFLAKE, bills.columns, "[]")
    actual = {column.name: column for column in bills.columns}
    ((statement, parameters),) = merge.merge(Loading(SNOWFLAKE, bills, actual, rows))
    assert parameters == ("[]",)
    names = '"ID", "LINES", "_SDC_SEQUENCE", "_SDC_DELETED_AT"'
    assert statement == (
        f'MERGE INTO "BOOKS"."BILLS" t USING (SELECT {names} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY'
        ' "ID" ORDER BY "_SDC_SEQUENCE" DESC) AS "ML_LAST" FROM ('
        'SELECT TO_NUMBER(r.VALUE[0]::VARCHAR, 38, 0) AS "ID", PARSE_JSON(r.VALUE[1]::VARCHAR, \'d\') AS "LINES",'
        ' TO_NUMBER(r.VALUE[2]::VARCHAR, 38, 0) AS "_SDC_SEQUENCE",'
        ' TO_TIMESTAMP_TZ(r.VALUE[3]::VARCHAR, \'YYYY-MM-DD"T"HH24:MI:SS.FF9TZH:TZM\') AS "_SDC_DELETED_AT"'
        ' FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) r) a) b WHERE "ML_LAST" = 1) s ON t."ID" = s."ID"'
        ' WHEN MATCHED AND (t."_SDC_SEQUENCE" IS NULL OR t."_SDC_SEQUENCE" < s."_SDC_SEQUENCE")'
        ' THEN UPDATE SET "LINES" = s."LINES", "_SDC_SEQUENCE" = s."_SDC_SEQUENCE",'
        ' "_SDC_DELETED_AT" = s."_SDC_DELETED_AT"'
        f" WHEN NOT MATCHED THEN INSERT ({names})"
        ' VALUES (s."ID", s."LINES", s."_SDC_SEQUENCE", s."_SDC_DELETED_AT")'
    )


def test_staged_rows_are_cast_where_the_table_is_wider_than_the_stream():
    bills = table(ID, LINES)
    rows = rows_in_table(SNOWFLAKE, '"BOOKS"."S1"', bills.columns, frozenset({"LINES"}))
    actual = {"ID": Column("ID", Kind.STRING), "LINES": LINES}
    ((statement, _),) = merge.insert(Loading(SNOWFLAKE, bills, actual, rows))
    assert statement == (
        'INSERT INTO "BOOKS"."BILLS" ("ID", "LINES") SELECT TO_VARCHAR("ID") AS "ID",'
        ' PARSE_JSON("LINES", \'d\') AS "LINES" FROM "BOOKS"."S1"'
    )


def test_quotes_and_backslashes_cannot_leave_their_literal():
    assert SNOWFLAKE.literal("it's C:\\new") == r"'it''s C:\\new'"


def test_the_ledger_has_the_columns_that_other_peoples_queries_name():
    named = {
        "RUNS": "run_id, target, target_version, started_at, finished_at, status, records_read, records_loaded,"
        " records_rejected, records_deleted, error",
        "BATCHES": "batch_id, run_id, stream, target_table, sequence, load_method, records_read,"
        " records_loaded, records_rejected, records_deleted, min_extracted_at, max_extracted_at,"
        " replication_key, min_replication_value, max_replication_value, bytes, sha256, status, attempts,"
        " first_attempt_at, loaded_at, statement_ids, error",
        "DEAD_LETTERS": "dead_letter_id, run_id, batch_id, stream, record, error_kind, error_path,"
        " error_message, received_at, status, attempts, resolved_at",
        "WATERMARKS": "stream, source_company, replication_key, replication_value, state, run_id, updated_at",
        "RECONCILIATIONS": "reconciliation_id, stream, source_company, period, measure, source_value,"
        " warehouse_value, difference, status, checked_at",
    }
    for name, columns in named.items():
        own = ", ".join(column.name for column in audit.COLUMNS[name]).lower()
        assert own.startswith(columns), name
