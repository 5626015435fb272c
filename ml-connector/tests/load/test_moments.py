"""Date-times and times keep every digit that a warehouse can: nine after the point."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lines import line

from ml_connector.load.batch import Batch
from ml_connector.load.decode import BLOCK, StreamDecoder
from ml_connector.load.files import conform, records_of
from ml_connector.load.json_rows import json_rows
from ml_connector.load.moments import extremes, plain_values
from ml_connector.load.schema import Kind

UTC = dt.timezone.utc
TZ = {"type": ["string", "null"], "format": "date-time"}
NTZ = {**TZ, "x-timezone-naive": True}
TIME = {"type": ["string", "null"], "format": "time"}
DAY = {"type": ["string", "null"], "format": "date"}


def decoder_of(property_):
    return StreamDecoder("s", {"properties": {"x": property_}}, [])


def column_of(property_, *texts):
    """The column that a batch has, as texts, and its Arrow type; none of its records may be rejected."""
    batch = Batch(decoder_of(property_), 10**6, 10**9)
    for text in texts:
        batch.add(line({"x": text}), 1)
    table, rejections = batch.decoded()
    assert rejections == []
    return [row[0] for row in json.loads(json_rows(table.select(["x"])))], table["x"].type


@pytest.mark.parametrize(
    ("property_", "written", "kept"),
    [
        (TZ, "2026-01-31T23:59:59.1234567Z", "2026-01-31T23:59:59.123456700+00:00"),
        (TZ, "2026-01-31T23:59:59.123456789+02:00", "2026-01-31T21:59:59.123456789+00:00"),
        (TZ, "1969-12-31 23:59:59.999999999", "1969-12-31T23:59:59.999999999+00:00"),
        (TZ, "2026-01-31T23:59:59.123456789000Z", "2026-01-31T23:59:59.123456789+00:00"),
        (NTZ, "2026-01-31T23:59:59.12345678", "2026-01-31T23:59:59.123456780"),
        (TIME, "23:59:59.1234567", "23:59:59.123456700"),
        (TIME, "23:59:59.000000001Z", "23:59:59.000000001"),
    ],
)
def test_digits_beyond_microseconds_are_kept(property_, written, kept):
    assert column_of(property_, written, None) == ([kept, None], pa_nanoseconds(property_))
    # the same in a block that goes the careful way, as another date-time there has no offset
    plain = "12:00" if property_ is TIME else "2020-01-01" if property_ is NTZ else "2020-01-01T00:00:00"
    texts, kind = column_of(property_, written, plain)
    assert (texts[0], kind) == (kept, pa_nanoseconds(property_))


def pa_nanoseconds(property_):
    return pa.time64("ns") if property_ is TIME else pa.timestamp("ns", tz="UTC" if property_ is TZ else None)


@pytest.mark.parametrize("property_", [TZ, NTZ])
def test_years_and_digits_that_no_number_holds_together_make_the_column_text(property_):
    zone = "Z" if property_ is TZ else ""
    offset = "+00:00" if property_ is TZ else ""
    latest = f"9999-12-31T23:59:59.9999999{zone}"  # .NET's DateTime.MaxValue
    assert column_of(property_, latest, None, f"2026-01-31T00:00:00{zone}") == (
        [f"9999-12-31T23:59:59.999999900{offset}", None, f"2026-01-31T00:00:00.000000000{offset}"],
        pa.string(),
    )


@pytest.mark.parametrize("first", ["2026-01-01T00:00:00.000001Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("second", ["2026-01-01T00:00:00.000000001Z", "9999-12-31T23:59:59.000000001Z"])
@pytest.mark.parametrize("turned", [False, True])
def test_blocks_of_a_batch_agree_on_one_type(first, second, turned):
    """The second block needs more than the first one, or the other way round."""
    texts = [first] * BLOCK + [second] * 3
    found, kind = column_of(TZ, *(texts[::-1] if turned else texts))
    assert kind == (pa.timestamp("ns", tz="UTC") if first[0] + second[0] == "22" else pa.string())
    padded = [
        text.replace("Z", ".Z" if "." not in text else "Z")[:-1].ljust(29, "0") + "+00:00" for text in texts
    ]
    assert sorted(found) == sorted(padded)


def test_microseconds_stay_what_most_batches_are():
    for text in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.1234560Z", "9999-12-31T00:00:00.123456000Z"):
        assert column_of(TZ, text)[1] == pa.timestamp("us", tz="UTC")
    assert column_of(TIME, "10:00:00.1234560")[1] == pa.time64("us")


@pytest.mark.parametrize(
    ("property_", "text"),
    [
        (TZ, "2026-01-01T00:00:00.1234567891Z"),
        (NTZ, "2026-01-01T00:00:00.0000000001"),
        (TIME, "10:00:00.1234567891"),
    ],
)
def test_more_digits_than_nanoseconds_are_a_dead_letter(property_, text):
    _, (rejection,) = decoder_of(property_).decode([line({"x": text})])
    assert (rejection.kind, rejection.path) == ("format", "$.record.x")
    assert "nine decimals" in rejection.message or "exact to the nanosecond" in rejection.message


@pytest.mark.parametrize(
    "written",
    ["2024-05-06T00:00:00Z", "2024-05-06T00:00:00.000Z", "2024-05-06 00:00:00", "2024-05-06T00:00:00+02:00",
     "2024-05-06t00:00z", "2024-05-06T00:00:00.000000000 -0530"],
)  # fmt: skip
@pytest.mark.parametrize("neighbour", ["2020-02-29", "2020-02-29T00:00:00Z", None])
def test_a_date_with_a_time_at_midnight_is_that_date(written, neighbour):
    for more in ((), ("rubbish",)):
        table, rejections = decoder_of(DAY).decode(
            [line({"x": text}) for text in (written, neighbour, *more)]
        )
        assert table["x"].to_pylist() == [dt.date(2024, 5, 6), dt.date(2020, 2, 29) if neighbour else None]
        assert len(rejections) == len(more)


@pytest.mark.parametrize(
    "written",
    ["2024-05-06T00:00:01Z", "2024-05-06T12:00:00", "2024-05-06T00:00:00.0000000001Z", "2024-05-06T", "2024-05-06 ",
     "2024-05-06X00:00:00Z", "2024-05-06T00:00:00+25:00", "2024-02-30T00:00:00Z", "2024-05-06T00:00:00Zulu"],
)  # fmt: skip
def test_a_date_with_any_other_time_is_a_dead_letter(written):
    _, (rejection,) = decoder_of(DAY).decode([line({"x": written})])
    assert (rejection.kind, rejection.path) == ("format", "$.record.x")


@pytest.mark.parametrize("value", ["[1, 2]", '"text"', "1.50", "true", '{"a": 1}'])
@pytest.mark.parametrize("kind", ["object", "array", ["object", "integer"]])
def test_nested_json_takes_any_json_but_null_where_that_is_not_allowed(kind, value):
    texts = StreamDecoder("s", {"properties": {"x": {"type": kind}}}, []).decode(
        [line(f'{{"x": {value}}}'), line('{"x": {}}'), line('{"x": null}')]
    )
    assert texts[0]["x"].to_pylist() == [value, "{}"]
    assert [r.message.rpartition(", ")[2] for r in texts[1]] == ["got `null`"]


def test_moments_of_extraction_are_in_microseconds_however_they_are_written():
    decoder = decoder_of({"type": "integer"})
    record = {"x": 1, "_sdc_deleted_at": "9999-12-31T23:59:59.9999999Z"}
    lines = [
        line(record, time_extracted="2026-01-01T00:00:00.123456789Z"),
        line({"x": 2}, time_extracted="0001-01-01"),
    ]
    for some in (lines[:1], lines):
        table, rejections = decoder.decode(some)
        assert rejections == []
        assert table["_sdc_extracted_at"][0].as_py() == dt.datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
        assert table["_sdc_deleted_at"][0].as_py() == dt.datetime(
            9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC
        )


def test_parquet_files_keep_their_nanoseconds():
    columns = StreamDecoder("s", {"properties": {"at": TZ, "t": TIME, "n": NTZ}}, []).columns
    number = pa.array([1, None], pa.int64())
    for unit in ("us", "ns"):
        file = pa.table(
            {
                "at": number.cast(pa.timestamp(unit, tz="Europe/Berlin")),
                "t": number.cast(pa.time64(unit)),
                "n": number.cast(pa.timestamp(unit)),
                "_sdc_extracted_at": number.cast(pa.timestamp("ns", tz="UTC")),
            }
        )
        found = conform(file, columns)
        assert [found[name].type for name in ("at", "t", "n")] == [
            pa.timestamp(unit, tz="UTC"), pa.time64(unit), pa.timestamp(unit)
        ]  # fmt: skip
        assert found["_sdc_extracted_at"].to_pylist() == [dt.datetime(1970, 1, 1, tzinfo=UTC), None]
        assert found["n"].cast(pa.int64()).to_pylist() == [1, None]


def test_what_python_cannot_hold_goes_from_a_parquet_file_as_text():
    file = pa.table(
        {
            "n": pa.array([1], pa.int64()).cast(pa.timestamp("ns")),
            "d": pa.array([10**7], pa.int32()).cast(pa.date32()),
            "b": [b"a"],
        }
    )
    columns = StreamDecoder("s", {"properties": {"d": DAY}}, []).columns
    assert conform(file, columns) is None
    (record,) = records_of(file)
    assert json.loads(record)["n"] == "1970-01-01T00:00:00.000000001"


MOMENTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**52), 2**52).map(lambda n: n * 1000)


@settings(deadline=None)
@given(st.lists(st.none() | MOMENTS, min_size=1), st.booleans())
def test_a_value_has_one_form_in_python_whatever_is_around_it(values, zoned):
    array = pa.array(values, pa.int64()).cast(pa.timestamp("ns", tz="UTC" if zoned else None))
    kind = Kind.TIMESTAMP_TZ if zoned else Kind.TIMESTAMP_NTZ
    found = plain_values(array, kind)
    texts = pa.array([row[0] for row in json.loads(json_rows(pa.table({"x": array})))], pa.string())
    assert plain_values(texts, kind) == found
    for value, each in zip(values, found, strict=True):
        exact = value is None or value % 1000 == 0
        assert isinstance(each, dt.datetime) == (exact and value is not None)
        if exact:
            micros = pa.array([value and value // 1000], pa.int64())
            assert each == micros.cast(pa.timestamp("us", tz="UTC" if zoned else None))[0].as_py()


def test_other_columns_are_what_they_are():
    assert plain_values(pa.array(["2026-01-01T00:00:00.000000000"])) == ["2026-01-01T00:00:00.000000000"]
    assert plain_values(pa.array([1, None], pa.int64()).cast(pa.time64("ns"))) == ["00:00:00.000000001", None]
    assert plain_values(pa.array([1000], pa.int64()).cast(pa.time64("ns"))) == [dt.time(0, 0, 0, 1)]


def test_the_extremes_of_a_column_are_known_whatever_its_unit():
    moments = pa.chunked_array([pa.array([1, None, 2_000], pa.int64()).cast(pa.timestamp("ns"))])
    assert extremes(moments) == ("1970-01-01T00:00:00.000000001", dt.datetime(1970, 1, 1, 0, 0, 0, 2))
    texts = pa.array(["2026-01-01T00:00:00.000000000+00:00", "9999-12-31T23:59:59.999999900+00:00"])
    assert extremes(texts, Kind.TIMESTAMP_TZ) == (dt.datetime(2026, 1, 1, tzinfo=UTC), texts[1].as_py())
    assert extremes(pa.array([], pa.timestamp("ns"))) == (None, None)
    assert extremes(pa.array([3, 1])) == (1, 3)
