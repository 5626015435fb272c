"""Schema evolution: what a column becomes, and that nothing in it is lost."""

from __future__ import annotations

import itertools

import pytest

from ml_connector.load.schema import Column, Kind
from ml_connector.load.widen import widen


def column(kind, precision=None, scale=None, **rest):
    return Column("c", kind, precision, scale, **rest)


INTEGER = column(Kind.INTEGER, 38, 0)
STRING, DATE, TIME = column(Kind.STRING), column(Kind.DATE), column(Kind.TIME)
TZ, NTZ = column(Kind.TIMESTAMP_TZ), column(Kind.TIMESTAMP_NTZ)
VARIANT, BINARY, BOOLEAN, DOUBLE = (
    column(kind) for kind in (Kind.VARIANT, Kind.BINARY, Kind.BOOLEAN, Kind.DOUBLE)
)


def decimal(precision, scale):
    return column(Kind.DECIMAL, precision, scale)


@pytest.mark.parametrize(
    ("old", "new", "met"),
    [
        (INTEGER, INTEGER, INTEGER),
        (INTEGER, decimal(19, 3), decimal(38, 3)),
        (INTEGER, decimal(38, 19), decimal(38, 19)),
        (INTEGER, decimal(38, 20), STRING),
        (decimal(19, 3), INTEGER, decimal(38, 3)),
        (decimal(10, 2), decimal(12, 2), decimal(12, 2)),
        (decimal(12, 2), decimal(10, 2), decimal(12, 2)),
        (decimal(10, 2), decimal(10, 4), decimal(12, 4)),
        (decimal(38, 2), decimal(38, 9), STRING),
        (decimal(10, 2), STRING, STRING),
        (STRING, decimal(10, 2), STRING),
        (INTEGER, STRING, STRING),
        (INTEGER, DOUBLE, STRING),
        (DOUBLE, decimal(10, 2), STRING),
        (BOOLEAN, INTEGER, STRING),
        (DATE, TZ, TZ),
        (DATE, NTZ, NTZ),
        (TZ, DATE, TZ),
        (TZ, NTZ, STRING),
        (DATE, STRING, STRING),
        (TIME, TZ, STRING),
        (STRING, VARIANT, VARIANT),
        (VARIANT, INTEGER, VARIANT),
        (BINARY, STRING, None),
        (VARIANT, BINARY, None),
        (BINARY, BINARY, BINARY),
    ],
)
def test_two_types_meet_where_no_value_is_lost(old, new, met):
    assert widen(old, new) == met


def test_what_it_gives_already_holds_both():
    kinds = [
        INTEGER,
        decimal(10, 2),
        decimal(20, 5),
        STRING,
        DATE,
        TIME,
        TZ,
        NTZ,
        VARIANT,
        BOOLEAN,
        DOUBLE,
        BINARY,
    ]
    for old, new in itertools.product(kinds, kinds):
        met = widen(old, new)
        if met is not None:
            assert widen(met, new) == met
            assert widen(met, old) == met


def test_a_column_never_turns_not_null_and_keeps_its_name():
    old = Column("old", Kind.STRING, nullable=True, required=False)
    new = Column("new", Kind.STRING, nullable=False, required=True)
    assert widen(old, new) == old
    assert widen(new, old) == Column("new", Kind.STRING, nullable=True, required=False)
