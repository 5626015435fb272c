"""Records of any shape: each comes back equal to what was sent, or is rejected with its reason. None is missing."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from lines import line

from ml_connector.load.decode import StreamDecoder
from ml_connector.load.moments import plain_values
from ml_connector.load.schema import Kind
from ml_connector.load.values import BadValue, fit

UTC = dt.timezone.utc
KINDS = {"type", "missing_key", "required", "decimal", "format", "encoding", "syntax"}

PROPERTIES = st.sampled_from(
    [
        {"type": "string"},
        {"type": ["string", "null"]},
        {"type": "integer"},
        {"type": ["integer", "null"]},
        {"type": ["number", "null"], "x-precision": 19, "x-scale": 3},
        {"type": "number", "multipleOf": 1e-9},
        {"type": ["number", "null"]},
        {"type": ["boolean", "null"]},
        {"type": "string", "format": "date"},
        {"type": ["string", "null"], "format": "date-time"},
        {"type": ["string", "null"], "format": "time"},
        {"type": ["object", "null"]},
        {"type": "array"},
        {"type": ["string", "integer", "null"]},
        {},
    ],
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.integers() | st.integers(-(10**45), 10**45) | st.decimals(allow_nan=False, allow_infinity=False)
TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.dates().map(str)
    | st.datetimes(
        timezones=st.sampled_from([None, UTC, dt.timezone(dt.timedelta(hours=-9, minutes=-30))])
    ).map(str)
    | st.times().map(str)
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def written(value):
    """JSON text of a value, its decimals to the last digit."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{written(item)}" for name, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=len(str(value)) % 2 == 0)


def read(text):
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def same(kind, sent, loaded):
    """Whether a loaded value is the value sent."""
    if sent is None or loaded is None:
        return sent is None and loaded is None
    if kind is Kind.VARIANT:
        return read(loaded) == read(written(sent))
    if kind is Kind.DOUBLE:
        return loaded == float(sent)
    if kind is Kind.DATE:
        return loaded == dt.date.fromisoformat(sent[:10]) and set(sent[11:19]) <= set("0:")
    if kind is Kind.TIME:
        return loaded == dt.time.fromisoformat(sent)
    if kind is Kind.TIMESTAMP_TZ:
        moment = dt.datetime.fromisoformat(sent)
        return loaded == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return (
        type(sent) is type(loaded) and loaded == sent or (not isinstance(sent, bool | str) and loaded == sent)
    )


def acceptable(column, property_, sent):
    """Whether a value follows its schema and fits its column: then it must not be rejected."""
    types = property_.get("type", ["null", "string", "number", "integer", "boolean", "object", "array"])
    types = [types] if isinstance(types, str) else types
    if sent is None:
        return "null" in types
    if column.kind is Kind.VARIANT:
        return True
    if isinstance(sent, bool):
        return "boolean" in types
    if isinstance(sent, str):
        return "string" in types and (column.kind is Kind.STRING or None)
    if isinstance(sent, dict | list):
        return False
    if column.kind is Kind.DOUBLE:
        return abs(sent) < 10**300 or None
    if column.kind not in {Kind.INTEGER, Kind.DECIMAL}:
        return False
    try:
        return fit(Decimal(sent), column.precision, column.scale) == sent
    except BadValue:
        return False


@st.composite
def streams(draw):
    properties = draw(st.dictionaries(NAMES, PROPERTIES, min_size=1, max_size=4))
    likely = st.fixed_dictionaries({}, optional=dict.fromkeys(properties, SCALARS | VALUES))
    records = draw(st.lists(likely, min_size=1, max_size=6))
    return properties, records


@settings(max_examples=150, deadline=None)
@given(streams())
def test_every_record_is_loaded_equal_or_rejected_with_its_reason(stream):
    properties, records = stream
    decoder = StreamDecoder("s", {"properties": properties}, [])
    lines = [line(written(record)) for record in records]
    table, rejections = decoder.decode(lines)
    refused = {rejection.line_number: rejection for rejection in rejections}
    assert table.num_rows + len(refused) == len(records)
    rows = iter(table.to_pylist())
    columns = {column.name: column for column in decoder.columns}
    for place, record in enumerate(records):
        verdicts = [acceptable(columns[name], properties[name], value) for name, value in record.items()]
        if place in refused:
            rejection = refused[place]
            assert rejection.kind in KINDS
            assert rejection.message
            assert rejection.path.startswith("$")
            assert read(rejection.record) == read(written(record))
            assert not all(verdicts)
            continue
        row = next(rows)
        assert False not in verdicts
        for name, column in columns.items():
            assert same(column.kind, record.get(name), row[name]), (name, record.get(name), row[name])


STAMPS = st.from_regex(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]([T tX][0-2][0-9](:?[0-6][0-9](:?[0-6][0-9]([.,][0-9]{0,10})?)?)?)?"
    r" ?(Z|z|[+-][0-2][0-9]:?([0-6][0-9])?)?",
    fullmatch=True,
)
DIGITS = st.from_regex(r" ?[+-]{0,2}[0-9]{0,4}[._,]?[0-9]{0,4}([eE][+-]?[0-9]{0,2})?", fullmatch=True)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(
        [
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date-time", "x-timezone-naive": True},
            {"type": "string", "format": "date"},
        ],
    ),
    STAMPS,
)
def test_both_ways_agree_on_dates(property_, text):
    _agree(property_, text)


@settings(max_examples=400, deadline=None)
@given(st.just({"type": "string", "format": "singer.decimal", "x-precision": 9, "x-scale": 3}), DIGITS)
def test_both_ways_agree_on_decimals(property_, text):
    _agree(property_, text)


def _agree(property_, text):
    """A value's fate must not hang on its neighbours: alone it goes the fast way, beside a bad one the careful way."""
    decoder = StreamDecoder("s", {"properties": {"x": property_}}, [])
    alone, refused = decoder.decode([line({"x": text})])
    beside, both = decoder.decode([line({"x": text}), line({"x": "?"})])
    assert plain_values(alone["x"]) == plain_values(beside["x"])
    assert [r.message for r in refused] == [r.message for r in both[:-1]]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.just(line({"a": 1})[:-1]), max_size=6))
def test_lines_of_any_bytes_are_rows_or_rejections(lines):
    decoder = StreamDecoder("s", {"properties": {"a": {"type": "integer"}}}, ["a"])
    table, rejections = decoder.decode(lines)
    good = [text for text in lines if text == line({"a": 1})[:-1]]
    assert table["a"].to_pylist() == [1] * len(good)
    assert [rejection.line for rejection in rejections] == [text for text in lines if text not in good]
