"""Statements that bring a staged file into its table."""

from __future__ import annotations

from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.sql import ledger, load
from target_snowflake_ml.sql.table import Table

ID, LINES = Column("ID", Kind.INTEGER, 38, 0), Column("LINES", Kind.VARIANT)
SEQUENCE, DELETED = Column("_SDC_SEQUENCE", Kind.INTEGER, 38, 0), Column("_SDC_DELETED_AT", Kind.TIMESTAMP_TZ)
BILLS = Table("bills", "BOOKS", "BILLS", (ID, LINES, SEQUENCE, DELETED), ("ID",))
SETTLED = {column.name: column for column in BILLS.columns}


def test_nested_values_are_staged_as_text():
    assert load.create_staged("S1", (ID, LINES)) == (
        'CREATE OR REPLACE TEMPORARY TABLE "S1" ("ID" NUMBER(38,0), "LINES" VARCHAR)'
    )


def test_a_file_is_put_as_it_is_and_copied_by_column_name():
    assert load.put("/tmp/a b.parquet", "BOOKS") == (
        'PUT \'file:///tmp/a b.parquet\' @"BOOKS"."ML_CONNECTOR_STAGE"'
        " AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE OVERWRITE = TRUE"
    )
    assert load.copy("BOOKS", "S1", "b1.parquet") == (
        'COPY INTO "S1" FROM @"BOOKS"."ML_CONNECTOR_STAGE"/b1.parquet FILE_FORMAT = (TYPE = PARQUET'
        " USE_VECTORIZED_SCANNER = TRUE USE_LOGICAL_TYPE = TRUE BINARY_AS_TEXT = FALSE)"
        " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE ON_ERROR = ABORT_STATEMENT PURGE = TRUE"
    )


def test_upsert_is_one_merge_of_the_last_row_of_each_key():
    (statement,) = load.merge(BILLS, "S1", SETTLED, hard_delete=False)
    assert statement == (
        'MERGE INTO "BOOKS"."BILLS" t USING (SELECT "ID" AS "ID", PARSE_JSON("LINES") AS "LINES",'
        ' "_SDC_SEQUENCE" AS "_SDC_SEQUENCE", "_SDC_DELETED_AT" AS "_SDC_DELETED_AT" FROM "S1"'
        ' QUALIFY ROW_NUMBER() OVER (PARTITION BY "ID" ORDER BY "_SDC_SEQUENCE" DESC) = 1) s ON t."ID" = s."ID"'
        ' WHEN MATCHED THEN UPDATE SET "LINES" = s."LINES", "_SDC_SEQUENCE" = s."_SDC_SEQUENCE",'
        ' "_SDC_DELETED_AT" = s."_SDC_DELETED_AT"'
        ' WHEN NOT MATCHED THEN INSERT ("ID", "LINES", "_SDC_SEQUENCE", "_SDC_DELETED_AT")'
        ' VALUES (s."ID", s."LINES", s."_SDC_SEQUENCE", s."_SDC_DELETED_AT")'
    )


def test_with_hard_delete_a_deleted_record_removes_its_row_and_makes_none():
    (statement,) = load.merge(BILLS, "S1", SETTLED, hard_delete=True)
    assert (
        'WHEN MATCHED AND s."_SDC_DELETED_AT" IS NOT NULL THEN DELETE WHEN MATCHED THEN UPDATE' in statement
    )
    assert 'WHEN NOT MATCHED AND NOT (s."_SDC_DELETED_AT" IS NOT NULL) THEN INSERT' in statement


def test_values_are_cast_where_the_table_is_wider_than_the_stream():
    (statement,) = load.insert(BILLS, "S1", {**SETTLED, "ID": Column("ID", Kind.STRING)})
    assert statement.endswith(
        'SELECT CAST("ID" AS VARCHAR) AS "ID", PARSE_JSON("LINES") AS "LINES",'
        ' "_SDC_SEQUENCE" AS "_SDC_SEQUENCE", "_SDC_DELETED_AT" AS "_SDC_DELETED_AT" FROM "S1"'
    )


def test_overwrite_is_a_delete_and_an_insert_for_one_transaction():
    plain = Table("bills", "BOOKS", "BILLS", (ID,))
    assert load.replace(plain, "BILLS__NEW", {"ID": ID}, {"ID": Column("ID", Kind.VARIANT)}) == [
        'DELETE FROM "BOOKS"."BILLS"',
        'INSERT INTO "BOOKS"."BILLS" ("ID") SELECT TO_VARIANT("ID") FROM "BOOKS"."BILLS__NEW"',
    ]


def test_rows_of_older_versions_are_marked_once_or_removed():
    assert load.retire(BILLS, 7, hard_delete=False) == (
        'UPDATE "BOOKS"."BILLS" SET "_SDC_DELETED_AT" = CURRENT_TIMESTAMP() WHERE'
        ' ("_SDC_TABLE_VERSION" IS NULL OR "_SDC_TABLE_VERSION" < 7) AND "_SDC_DELETED_AT" IS NULL'
    )
    assert load.retire(BILLS, 7, hard_delete=True) == (
        'DELETE FROM "BOOKS"."BILLS" WHERE ("_SDC_TABLE_VERSION" IS NULL OR "_SDC_TABLE_VERSION" < 7)'
    )


def test_the_ledger_has_the_columns_that_other_peoples_queries_name():
    assert ", ".join(ledger.RUNS).lower() == (
        "run_id, target, target_version, started_at, finished_at, status, records_read, records_loaded,"
        " records_rejected, error"
    )
    assert ", ".join(ledger.BATCHES).lower() == (
        "batch_id, run_id, stream, target_table, sequence, load_method, records_read, records_loaded,"
        " records_rejected, min_extracted_at, max_extracted_at, replication_key, min_replication_value,"
        " max_replication_value, bytes, sha256, status, attempts, first_attempt_at, loaded_at, statement_ids,"
        " error"
    )
    assert ", ".join(ledger.DEAD_LETTERS).lower() == (
        "dead_letter_id, run_id, batch_id, stream, record, error_kind, error_path, error_message, received_at,"
        " status, attempts, resolved_at"
    )


def test_a_run_is_written_once_however_often_the_statement_is_sent():
    statement, parameters = ledger.insert_once(
        "ML_AUDIT", "RUNS", "RUN_ID", {"RUN_ID": "r1", "STATUS": "running"}
    )
    assert statement == (
        'INSERT INTO "ML_AUDIT"."RUNS" ("RUN_ID", "STATUS") SELECT %s, %s'
        ' WHERE NOT EXISTS (SELECT 1 FROM "ML_AUDIT"."RUNS" WHERE "RUN_ID" = %s)'
    )
    assert parameters == ("r1", "running", "r1")
