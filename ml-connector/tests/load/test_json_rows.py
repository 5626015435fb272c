"""What goes as text comes back as the same value, whatever its type."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.load.json_rows import json_rows, pieces

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SPAN = st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**28), max_value=10**28)
MICROS = st.datetimes().map(lambda moment: (moment - EPOCH) // dt.timedelta(microseconds=1))
SECOND = 10**9


def nanos_of(text):
    """Nanoseconds since 1970 of a text such as 2026-01-31T23:59:59.123456789, without a float."""
    seconds, fraction = text.split(".")
    assert len(fraction) in {6, 9}
    return (dt.datetime.fromisoformat(seconds) - EPOCH) // dt.timedelta(seconds=1) * SECOND + int(
        fraction.ljust(9, "0")
    )


def in_utc(text):
    assert text.endswith("+00:00")
    return nanos_of(text.removesuffix("+00:00"))


def plain(text):
    assert "e" not in text.lower()
    return Decimal(text)


def nanos_of_day(text):
    return nanos_of(f"1970-01-01T{text}")


KINDS = {
    "string": (TEXTS, pa.string(), str),
    "large": (TEXTS, pa.large_string(), str),
    "integer": (SPAN, pa.int64(), int),
    "wide": (st.integers(-(10**38) + 1, 10**38 - 1), pa.decimal128(38, 0), int),
    "decimal": (DECIMALS, pa.decimal128(38, 9), plain),
    "double": (st.floats(allow_nan=False, allow_infinity=False), pa.float64(), float),
    "boolean": (st.booleans(), pa.bool_(), lambda text: {"true": True, "false": False}[text]),
    "date": (st.dates(), pa.date32(), dt.date.fromisoformat),
    "tz": (MICROS, pa.timestamp("us", tz="UTC"), lambda text: in_utc(text) // 1000),
    "elsewhere": (MICROS, pa.timestamp("us", tz="+02:00"), lambda text: in_utc(text) // 1000),
    "ntz": (MICROS, pa.timestamp("us"), lambda text: nanos_of(text) // 1000),
    "tz_ns": (SPAN, pa.timestamp("ns", tz="UTC"), in_utc),
    "ntz_ns": (SPAN, pa.timestamp("ns"), nanos_of),
    "time": (st.integers(0, 86_400 * 10**6 - 1), pa.time64("us"), lambda text: nanos_of_day(text) // 1000),
    "time_ns": (st.integers(0, 86_400 * SECOND - 1), pa.time64("ns"), nanos_of_day),
    "binary": (st.binary(), pa.binary(), bytes.fromhex),
    "nothing": (st.none(), pa.null(), None),
}
INSTANTS = {"tz", "elsewhere", "ntz", "tz_ns", "ntz_ns", "time", "time_ns"}


def array_of(name, values):
    kind = KINDS[name][1]
    if name not in INSTANTS:
        return pa.array(values, kind)
    return pa.array(values, pa.int64()).cast(kind)


ROWS = st.lists(
    st.tuples(*(st.none() | strategy for strategy, _, _ in KINDS.values())),
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(ROWS, st.integers(1, 2_000))
def test_every_value_reads_back_as_it_was(rows, most_bytes):
    columns = list(zip(*rows, strict=True)) or [()] * len(KINDS)
    table = pa.table(
        [array_of(name, list(values)) for name, values in zip(KINDS, columns, strict=True)], list(KINDS)
    )
    text = json_rows(table)
    found = json.loads(text)
    assert len(found) == len(rows)
    for row, texts in zip(rows, found, strict=True):
        for (name, (_, _, read)), value, written in zip(KINDS.items(), row, texts, strict=True):
            assert written is None if value is None else read(written) == value, (name, value, written)
    parts = list(pieces(table, most_bytes))
    assert [row for part, _ in parts for row in json.loads(part)] == found
    assert [count for _, count in parts] == [len(json.loads(part)) for part, _ in parts]
    assert all(count == 1 or len(part.encode()) <= most_bytes for part, count in parts)


def test_the_texts_are_those_that_a_warehouse_casts():
    table = pa.table(
        {
            "small": pa.array([Decimal("0.000000001"), Decimal("-1.50")], pa.decimal128(38, 9)),
            "double": [0.1, 1e-7],
            "flag": [True, None],
            "tz": pa.array([0, 1], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "ntz": pa.array([0, 1], pa.int64()).cast(pa.timestamp("ns")),
            "first": pa.array([dt.datetime(1, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("us", tz="UTC")),
            "time": pa.array([1, None], pa.int64()).cast(pa.time64("ns")),
            "bytes": [b"\x00\xff", b""],
            "json": ['{"a": "é"}', "\x00"],
        }
    )
    assert json.loads(json_rows(table)) == [
        [
            "0.000000001", "0.1", "true", "1970-01-01T00:00:00.000000+00:00", "1970-01-01T00:00:00.000000000",
            "0001-01-01T00:00:00.000000+00:00", "00:00:00.000000001", "00FF", '{"a": "é"}',
        ],
        [
            "-1.500000000", "1e-07", None, "1970-01-01T00:00:00.000001+00:00", "1970-01-01T00:00:00.000000001",
            "0001-01-01T00:00:00.000000+00:00", None, "", "\x00",
        ],
    ]  # fmt: skip


def test_no_rows_are_an_empty_array_and_no_piece():
    table = pa.table({"a": pa.array([], pa.int64())})
    assert json_rows(table) == "[]"
    assert list(pieces(table, 10)) == []


def test_pieces_are_as_large_as_they_may_be():
    table = pa.table({"a": pa.chunked_array([["a" * 8] * 5_000, ["é" * 4] * 5_000])})
    row = len('["aaaaaaaa"],')
    found = list(pieces(table, 1 + 100 * row))
    assert [count for _, count in found] == [100] * 100
    assert {len(text.encode()) for text, _ in found} == {1 + 100 * row}
    assert json.loads(found[-1][0])[-1] == ["éééé"]


def test_a_type_without_text_is_an_error_that_names_the_column():
    with pytest.raises(TypeError, match="'a' has the type list<"):
        json_rows(pa.table({"a": [[1]]}))
