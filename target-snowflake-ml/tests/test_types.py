"""Column kinds are Snowflake types, and what Snowflake describes is read back as the same kind."""

from __future__ import annotations

import pytest
from ml_connector.load.schema import Column, Kind, columns_of

from target_snowflake_ml.sql.types import column_of, type_of


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
def test_a_json_type_is_a_snowflake_type(declared, column, kind):
    (found,) = columns_of({"properties": {"x": declared}})
    assert (type_of(found), found.kind) == (column, kind)
    read_back = column_of("x", column)
    assert read_back is not None
    assert type_of(read_back) == column


@pytest.mark.parametrize(
    ("described", "column"),
    [
        ("NUMBER(10,0)", Column("C", Kind.DECIMAL, 10, 0)),
        ("NUMBER(38,0)", Column("C", Kind.INTEGER, 38, 0)),
        ("VARCHAR(16777216)", Column("C", Kind.STRING)),
        ("TIMESTAMP_NTZ(9)", Column("C", Kind.TIMESTAMP_NTZ)),
        ("BINARY(8388608)", Column("C", Kind.BINARY)),
        ("TIMESTAMP_LTZ(9)", Column("C", Kind.TIMESTAMP_TZ)),
    ],
)
def test_what_describe_says_is_understood(described, column):
    assert column_of("C", described) == column


def test_a_type_that_the_target_never_makes_is_not_guessed():
    assert column_of("C", "GEOGRAPHY") is None
