"""Parameters and results as the SQL API has them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from target_snowflake_ml.connections import bindings

UTC = dt.timezone.utc


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ({"type": "fixed", "scale": 0}, "99999999999999999999", 99999999999999999999),
        ({"type": "fixed", "scale": 2}, "1.10", Decimal("1.10")),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "0", False),
        ({"type": "date"}, "-1", dt.date(1969, 12, 31)),
        ({"type": "time"}, "3723.500000000", dt.time(1, 2, 3, 500_000)),
        ({"type": "timestamp_ntz"}, "-0.500000000", dt.datetime(1969, 12, 31, 23, 59, 59, 500_000)),
        (
            {"type": "timestamp_tz"},
            "1616173619.000001000 1500",
            dt.datetime(2021, 3, 19, 18, 6, 59, 1, dt.timezone(dt.timedelta(hours=1))),
        ),
        ({"type": "binary"}, "00FF", b"\x00\xff"),
        ({"type": "variant"}, '{"a":1}', '{"a":1}'),
    ],
)
def test_a_result_is_read_exactly(kind, text, value):
    ((read,),) = bindings.decoded([kind], [[text]])
    assert read == value
    assert type(read) is type(value)


def test_scalars_are_bound_by_their_place():
    assert bindings.bound(("it's ?", 10**37, True, None)) == {
        "1": {"type": "TEXT", "value": "it's ?"},
        "2": {"type": "FIXED", "value": str(10**37)},
        "3": {"type": "BOOLEAN", "value": "true"},
        "4": {"type": "TEXT", "value": None},
    }


@pytest.mark.parametrize(
    ("sql", "parameters", "written"),
    [
        ("SELECT ?, ?, ?, ?", ("it's a \\ ?", None, 3, False), "SELECT 'it''s a \\\\ ?', NULL, 3, FALSE"),
        ('SELECT "a?b""?", ?', (1,), 'SELECT "a?b""?", 1'),
        ("SELECT 'a?', 'it''s ?', 'x\\'?', ?", (1,), "SELECT 'a?', 'it''s ?', 'x\\'?', 1"),
        ("SELECT $$ '? $$, ?", (1,), "SELECT $$ '? $$, 1"),
        ("SELECT ? -- really?\n, ?", (1, 2), "SELECT 1 -- really?\n, 2"),
        ("SELECT /* ? '*/ ?", (1,), "SELECT /* ? '*/ 1"),
        ("SELECT '?'", (), "SELECT '?'"),
    ],
)
def test_parameters_become_literals_where_bindings_are_not_taken(sql, parameters, written):
    assert bindings.inlined(sql, parameters) == written


@pytest.mark.parametrize("parameters", [(1,), (1, 2, 3)])
def test_another_number_of_parameters_than_of_placeholders_is_a_mistake(parameters):
    with pytest.raises(ValueError, match="2 placeholders"):
        bindings.inlined("SELECT ?, '?', ?", parameters)


def test_quoted_names_are_found_outside_of_texts():
    sql = """SELECT "A", '"b"', "c""d" FROM "E"."f" -- "g"\n"""
    assert list(bindings.quoted_names(sql)) == ["A", 'c""d', "E", "f"]
