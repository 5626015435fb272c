"""Tables are made, and grow without losing a value."""

from __future__ import annotations

import pytest
from ml_connector.load.errors import LoadError
from ml_connector.load.schema import Column, Kind

from target_snowflake_ml.sql.table import Table

ID, NAME = Column("ID", Kind.INTEGER, 38, 0), Column("NAME", Kind.STRING)
AMOUNT = Column("AMOUNT", Kind.DECIMAL, 19, 3)


def table(*columns, **more):
    return Table("bills", "BOOKS", "BILLS", columns or (ID, NAME), ("ID",), **more)


def test_a_table_declares_its_key():
    assert table().create() == (
        'CREATE TABLE IF NOT EXISTS "BOOKS"."BILLS"'
        ' ("ID" NUMBER(38,0) NOT NULL, "NAME" VARCHAR, PRIMARY KEY ("ID"))'
    )


def test_a_transient_clustered_table():
    statement = table(transient=True, cluster_by=("NAME", "ID")).create()
    assert statement.startswith("CREATE TRANSIENT TABLE IF NOT EXISTS")
    assert statement.endswith('CLUSTER BY ("NAME", "ID")')


def test_a_table_without_a_key_has_no_constraint():
    keyless = Table("log", "BOOKS", "LOG", (NAME,))
    assert keyless.create() == 'CREATE TABLE IF NOT EXISTS "BOOKS"."LOG" ("NAME" VARCHAR)'


def test_nothing_is_altered_where_all_is_there():
    assert table().grow({"ID": "NUMBER(38,0)", "NAME": "VARCHAR(16777216)", "OLD": "DATE"}) == []


def test_a_new_column_is_added():
    assert table(ID, AMOUNT).grow({"ID": "NUMBER(38,0)"}) == [
        'ALTER TABLE "BOOKS"."BILLS" ADD COLUMN "AMOUNT" NUMBER(19,3)'
    ]


def test_more_digits_are_given_in_place():
    assert table(ID, AMOUNT).grow({"ID": "NUMBER(38,0)", "AMOUNT": "NUMBER(10,3)"}) == [
        'ALTER TABLE "BOOKS"."BILLS" ALTER COLUMN "AMOUNT" SET DATA TYPE NUMBER(19,3)'
    ]


@pytest.mark.parametrize(
    ("has", "wanted", "becomes", "value"),
    [
        ("NUMBER(38,0)", AMOUNT, "NUMBER(38,3)", 'CAST("AMOUNT" AS NUMBER(38,3))'),
        ("NUMBER(19,3)", Column("AMOUNT", Kind.STRING), "VARCHAR", 'CAST("AMOUNT" AS VARCHAR)'),
        ("DATE", Column("AMOUNT", Kind.TIMESTAMP_TZ), "TIMESTAMP_TZ", 'CAST("AMOUNT" AS TIMESTAMP_TZ)'),
        ("VARCHAR(50)", Column("AMOUNT", Kind.VARIANT), "VARIANT", 'TO_VARIANT("AMOUNT")'),
    ],
)
def test_a_type_is_widened_through_a_copy(has, wanted, becomes, value):
    assert table(ID, wanted).grow({"ID": "NUMBER(38,0)", "AMOUNT": has}) == [
        f'ALTER TABLE "BOOKS"."BILLS" ADD COLUMN "AMOUNT__ML_WIDER" {becomes}',
        f'UPDATE "BOOKS"."BILLS" SET "AMOUNT__ML_WIDER" = {value}',
        'ALTER TABLE "BOOKS"."BILLS" DROP COLUMN "AMOUNT"',
        'ALTER TABLE "BOOKS"."BILLS" RENAME COLUMN "AMOUNT__ML_WIDER" TO "AMOUNT"',
    ]


def test_a_type_is_never_narrowed():
    assert table(ID, AMOUNT).grow({"ID": "NUMBER(38,0)", "AMOUNT": "VARCHAR(16777216)"}) == []


def test_a_run_killed_before_the_old_column_was_dropped_starts_the_copy_anew():
    existing = {"ID": "NUMBER(38,0)", "AMOUNT": "NUMBER(38,0)", "AMOUNT__ML_WIDER": "NUMBER(38,3)"}
    first, second, *_ = table(ID, AMOUNT).grow(existing)
    assert first == 'ALTER TABLE "BOOKS"."BILLS" DROP COLUMN "AMOUNT__ML_WIDER"'
    assert second == 'ALTER TABLE "BOOKS"."BILLS" ADD COLUMN "AMOUNT__ML_WIDER" NUMBER(38,3)'


def test_a_run_killed_after_the_old_column_was_dropped_gets_its_values_back():
    existing = {"ID": "NUMBER(38,0)", "AMOUNT__ML_WIDER": "NUMBER(19,3)"}
    assert table(ID, AMOUNT).grow(existing) == [
        'ALTER TABLE "BOOKS"."BILLS" RENAME COLUMN "AMOUNT__ML_WIDER" TO "AMOUNT"'
    ]


def test_a_conflict_without_a_common_type_names_column_and_remedy():
    with pytest.raises(LoadError) as caught:
        table(ID, Column("AMOUNT", Kind.BINARY)).grow({"ID": "NUMBER(38,0)", "AMOUNT": "DATE"})
    assert "Column AMOUNT of BOOKS.BILLS is DATE, stream 'bills' now sends BINARY" in str(caught.value)


def test_a_key_cannot_change_its_type_in_place():
    with pytest.raises(LoadError, match="part of the table's key"):
        table(Column("ID", Kind.STRING)).grow({"ID": "NUMBER(38,0)"})


def test_the_settled_columns_are_those_of_the_table():
    existing = {"ID": "NUMBER(38,0)", "AMOUNT": "VARCHAR(16777216)"}
    assert table(ID, AMOUNT).settled(existing)["AMOUNT"].kind is Kind.STRING
