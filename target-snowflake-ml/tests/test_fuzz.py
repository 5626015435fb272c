"""Streams of any shape: each record is in the warehouse as it was sent, or in DEAD_LETTERS with its reason."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

UTC = dt.timezone.utc
KINDS = {
    "text": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "money": {"type": ["number", "null"], "x-precision": 19, "x-scale": 3},
    "exact": {"type": ["number", "null"], "x-precision": 38, "x-scale": 9},
    "double": {"type": ["number", "null"]},
    "flag": {"type": ["boolean", "null"]},
    "day": {"type": ["string", "null"], "format": "date"},
    "moment": {"type": ["string", "null"], "format": "date-time"},
    "time": {"type": ["string", "null"], "format": "time"},
    "nested": {"type": ["object", "array", "null"]},
    "mixed": {"type": ["string", "integer", "null"]},
    "any": {},
}
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS, max_size=12) | st.sampled_from(
    ["\x00", "\x1f\n\r\t", "'; --", "\\N", "NULL", '"', "🚀é"]
)
NUMBERS = (
    st.integers(-(10**39), 10**39)
    | st.decimals(-(10**30), 10**30, places=9)
    | st.decimals(-(10**16), 10**16, places=3)
    | st.sampled_from(
        [10**38 - 1, 10**38, -(10**38) + 1, Decimal("0.0005"), Decimal("1E+20"), 2**63, -(2**63)]
    )
)
STAMPS = (
    st.dates(dt.date(1600, 1, 1), dt.date(9999, 12, 31)).map(str)
    | st.datetimes(
        dt.datetime(1600, 1, 1),
        dt.datetime(9999, 12, 30),
        timezones=st.sampled_from([None, UTC, dt.timezone(dt.timedelta(hours=-9, minutes=-30))]),
    ).map(str)
    | st.times().map(str)
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT | STAMPS
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.datetimes(
    dt.datetime(1600, 1, 1),
    dt.datetime(9999, 12, 30),
    timezones=st.sampled_from([None, UTC, dt.timezone(dt.timedelta(hours=-9, minutes=-30))]),
)
FOLLOWING = {
    "text": TEXT,
    "integer": st.integers(1 - 10**38, 10**38 - 1),
    "money": st.decimals(-(10**16) + 1, 10**16 - 1, places=3),
    "exact": st.decimals(1 - 10**29, 10**29 - 1, places=9),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "flag": st.booleans(),
    "day": st.dates(dt.date(1600, 1, 1)).map(str),
    "moment": MOMENTS.map(str),
    "time": st.times().map(str),
    "nested": st.lists(NESTED, max_size=3) | st.dictionaries(TEXT, NESTED, max_size=3),
    "mixed": TEXT | st.integers(1 - 10**38, 10**38 - 1),
    "any": NESTED,
}
"""Values that follow the schema; nine of ten records are made of them."""


def written(value):
    """JSON text of a value, its decimals to the last digit."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{written(item)}" for name, item in value.items()) + "}"
    return json.dumps(value)  # NaN and Infinity are written as no JSON has them


def read(text):
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def same(kind, sent, found):
    if sent is None or found is None:
        return sent is None and found is None
    if kind in {"nested", "mixed", "any"}:
        return read(found) == read(written(sent))
    if kind == "double":
        return found == float(sent)
    if kind == "day":
        return found == dt.date.fromisoformat(sent)
    if kind == "time":
        return found == dt.time.fromisoformat(sent)
    if kind == "moment":
        moment = dt.datetime.fromisoformat(sent)
        return found == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if isinstance(sent, bool) or isinstance(found, bool):
        return sent is found
    return found == sent and isinstance(sent, str) == isinstance(found, str)


def record_of():
    following = st.fixed_dictionaries(
        {}, optional={name: value | st.none() for name, value in FOLLOWING.items()}
    )
    wild = {
        name: value | SCALARS | st.sampled_from([float("nan"), float("inf")])
        for name, value in FOLLOWING.items()
    }
    return st.integers(0, 9).flatmap(
        lambda n: st.fixed_dictionaries({}, optional=wild) if n == 0 else following
    )


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(st.lists(record_of(), min_size=60, max_size=120))
def test_every_record_is_loaded_as_it_was_sent_or_kept_with_its_reason(warehouse, transport, records):
    warehouse.settings = {"transport": transport}
    stream = f"s{uuid.uuid4().hex[:8]}"
    schema = {"type": "object", "properties": {"key": {"type": "integer"}, **KINDS}}
    lines = [
        json.dumps({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["key"]}).encode()
    ]
    for key, record in enumerate(records):
        text = written({"key": key, **record})
        lines.append(f'{{"type":"RECORD","stream":"{stream}","record":{text}}}'.encode())
    # duplicate keys of one object: the last value counts, as in every JSON reader
    lines.append(
        f'{{"type":"RECORD","stream":"{stream}","record":{{"key":-1,"text":"a","text":"b"}}}}'.encode()
    )
    run = warehouse.load(*lines)
    assert run.code == 0, run.log
    names = list(KINDS)
    found = {
        row[0]: row[1:] for row in warehouse.rows(stream.upper(), "KEY", *(name.upper() for name in names))
    }
    assert found.pop(-1)[names.index("text")] == "b"
    letters = warehouse.rows(
        "DEAD_LETTERS",
        "RECORD",
        "ERROR_KIND",
        "ERROR_PATH",
        "ERROR_MESSAGE",
        schema="ML_AUDIT",
        where=f"\"STREAM\" = '{stream}'",
    )
    kept = {}
    for text, kind, path, message in letters:
        key = next(
            number for number, record in enumerate(records) if text == written({"key": number, **record})
        )
        assert kind
        assert path.startswith("$")
        assert message
        kept[key] = kind
    assert found.keys() | kept.keys() == set(range(len(records)))
    assert not found.keys() & kept.keys()
    for key, row in found.items():
        for name, value in zip(names, row, strict=True):
            assert same(name, records[key].get(name), value), (name, records[key].get(name), value)
    assert len(found) > len(records) // 2
