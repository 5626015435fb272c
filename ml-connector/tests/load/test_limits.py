"""What a warehouse cannot hold is found before it is sent, and costs only its own record."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lines import line

from ml_connector.load.decode import StreamDecoder
from ml_connector.load.excess import is_deeper
from ml_connector.load.files import conform
from ml_connector.load.limits import Limits

LIMITS = Limits(text_bytes=100, binary_bytes=6, variant_bytes=60, depth=3)
PROPERTIES = {
    "id": {"type": "integer"},
    "text": {"type": ["string", "null"]},
    "bytes": {"type": ["string", "null"], "contentEncoding": "base64"},
    "json": {"type": ["object", "null"]},
    "day": {"type": ["string", "null"], "format": "date"},
    "at": {"type": ["string", "null"], "format": "date-time"},
}


def decoded(*records, limits=LIMITS):
    decoder = StreamDecoder("s", {"properties": PROPERTIES}, ["id"], limits=limits)
    table, rejections = decoder.decode([line({"id": n, **record}) for n, record in enumerate(records)])
    return table, rejections


@pytest.mark.parametrize(
    ("good", "bad", "kind", "message"),
    [
        ({"text": "é" * 50}, {"text": "é" * 50 + "a"}, "too_long", "has 101 bytes; the column holds 100"),
        ({"bytes": "AAECAwQF"}, {"bytes": "AAECAwQFBg=="}, "too_long", "has 7 bytes; the column holds 6"),
        ({"json": {"a": "b" * 40}}, {"json": {"a": "b" * 60}}, "too_long", "the column holds 60"),
        ({"json": {"a": [[1], "[[{\\\"[["]}}, {"json": {"a": [[[1]], 2]}}, "too_deep", "more than 3 levels"),
    ],
)  # fmt: skip
def test_a_value_beyond_a_limit_is_a_rejection(good, bad, kind, message):
    table, (rejection,) = decoded(good, bad, good, {})
    assert table["id"].to_pylist() == [0, 2, 3]
    assert (rejection.kind, rejection.line_number) == (kind, 1)
    assert rejection.path == f"$.record.{next(iter(bad))}"
    assert message in rejection.message
    assert decoded(good, bad, limits=Limits())[1] == []


def test_years_may_have_narrower_bounds():
    limits = Limits(first_year=1582, last_year=2999)
    odd = {"at": "2999-12-31T00:00:00.1234567Z"}  # beyond what nanoseconds hold, so the column is text
    rows = [
        {"day": "1582-01-01", "at": "2999-12-31T23:59:59Z"},
        {"day": "1581-12-31"},
        {"at": "3000-01-01"},
        odd,
    ]
    for some, wrong in ((rows, [1, 2]), (rows[:3], [1, 2]), (rows[:2], [1])):
        table, rejections = decoded(*some, limits=limits)
        assert [(r.line_number, r.kind) for r in rejections] == [(place, "format") for place in wrong]
        assert table.num_rows == len(some) - len(wrong)
    assert "years 1582 to 2999" in rejections[0].message


def test_two_faults_of_one_record_are_one_rejection():
    _, (rejection,) = decoded({"text": "a" * 101, "json": {"a": [[[1]]]}})
    assert rejection.path == "$.record.text"


def test_a_dead_letter_is_no_longer_than_a_text_may_be():
    _, (long,) = decoded({"text": "é" * 200})
    assert len(long.record) <= 100
    assert long.record.decode().startswith('{"id": 0, "text": ')
    assert "bytes the first" in long.message
    # a byte that is not UTF-8 is written with four characters
    decoder = StreamDecoder("s", {"properties": PROPERTIES}, ["id"], limits=LIMITS)
    _, (flawed,) = decoder.decode(
        [b'{"type": "RECORD", "record": {"id": 1, "text": "' + b"\xff" * 50 + b'"}}']
    )
    assert flawed.kind == "encoding"
    assert len(flawed.record.decode("utf-8", "backslashreplace")) <= 100


def test_limits_hold_for_parquet_files_too():
    decoder = StreamDecoder("s", {"properties": PROPERTIES}, ["id"])
    columns = decoder.columns
    assert conform(pa.table({"id": [1], "text": ["a" * 100]}), columns, LIMITS) is not None
    assert conform(pa.table({"id": [1], "text": ["a" * 101]}), columns, LIMITS) is None
    assert conform(pa.table({"id": [1], "text": ["a" * 101]}), columns) is not None


DOCUMENTS = st.recursive(
    st.none() | st.text(st.sampled_from('[]{}"\\a')) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('[{"\\')), inner, max_size=3)
    ),
    max_leaves=20,
)


def depth_of(value):
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(DOCUMENTS, st.booleans())
def test_depth_is_counted_as_a_parser_would(document, spaced):
    text = json.dumps(document, separators=None if spaced else (",", ":")).encode()
    depth = depth_of(document)
    assert [is_deeper(text, most) for most in range(depth + 2)] == [most < depth for most in range(depth + 2)]


def test_a_wide_document_is_no_deep_one():
    wide = {"json": {"a": [[n] for n in range(5_000)]}}
    table, rejections = decoded(wide, limits=Limits(depth=3))
    assert (table.num_rows, rejections) == (1, [])
