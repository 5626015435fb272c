"""Lines in, rows and rejections out."""

from __future__ import annotations

import datetime as dt

import pytest
from lines import decode, line

from ml_connector.load.decode import StreamDecoder
from ml_connector.load.explain import raw_record, stream_of_flawed_record

UTC = dt.timezone.utc
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}}


@pytest.fixture
def decoder():
    return StreamDecoder("s", SCHEMA, ["id"])


def test_no_lines_give_an_empty_table_with_all_columns(decoder):
    table, rejections = decoder.decode([])
    assert (table.num_rows, rejections) == (0, [])
    assert table.column_names == ["id", "name", "_sdc_extracted_at", "_sdc_deleted_at", "_sdc_version"]


def test_the_envelope_gives_the_metadata(decoder):
    record = {"id": 1, "_sdc_deleted_at": "2026-01-02T03:04:05+02:00"}
    table, _ = decoder.decode(
        [line(record, time_extracted="2026-01-01T00:00:00.123456Z", version=7), line({"id": 2})]
    )
    assert table.select(["_sdc_extracted_at", "_sdc_deleted_at", "_sdc_version"]).to_pylist() == [
        {
            "_sdc_extracted_at": dt.datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC),
            "_sdc_deleted_at": dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC),
            "_sdc_version": 7,
        },
        {"_sdc_extracted_at": None, "_sdc_deleted_at": None, "_sdc_version": None},
    ]
    assert decoder.unknown_fields == {}


def test_one_bad_record_among_many_costs_only_itself(decoder):
    lines = [line({"id": n, "name": "x"}) for n in range(10_000)]
    lines[7_777] = line({"id": "seven", "name": "x"})
    lines[9_000] = line({"id": 9_000, "name": 5})
    lines[100] = b'{"type": "RECORD", "record": {"id": 1'
    table, rejections = decoder.decode(lines, first_line_number=50)
    assert table["id"].to_pylist() == [n for n in range(10_000) if n not in {100, 7_777, 9_000}]
    assert [(r.line_number, r.kind, r.path) for r in rejections] == [
        (150, "syntax", "$"),
        (7_827, "type", "$.record.id"),
        (9_050, "type", "$.record.name"),
    ]
    assert rejections[1].message == "Expected `int`, got `str`"
    assert rejections[2].record == b'{"id": 9000, "name": 5}'
    assert rejections[2].line == lines[9_000]


def test_a_record_with_two_faults_is_rejected_once():
    properties = {"a": {"type": "integer"}, "b": {"type": "string", "format": "date"}}
    rows, (rejection,) = decode(properties, {"a": "x", "b": "y"}, {"a": 1, "b": "2026-01-01"})
    assert rows == [{"a": 1, "b": dt.date(2026, 1, 1)}]
    assert rejection.path == "$.record.a"


def test_keys_are_there_and_not_null():
    properties = {"id": {"type": ["integer", "null"]}, "code": {"type": ["string", "null"]}}
    rows, rejections = decode(
        properties,
        {"id": 1, "code": "a"},
        {"code": "a"},
        {"id": None, "code": "a"},
        {"id": 1, "code": None},
        key=("id", "code"),
    )
    assert rows == [{"id": 1, "code": "a"}]
    assert [(r.kind, r.path) for r in rejections] == [
        ("missing_key", "$.record.id"),
        ("missing_key", "$.record.id"),
        ("missing_key", "$.record.code"),
    ]


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean", "object"])
def test_required_optional_and_null(kind):
    value = {"string": "a", "integer": 1, "number": 1.5, "boolean": True, "object": {"a": 1}}[kind]
    properties = {"needed": {"type": kind}, "optional": {"type": kind}, "nullable": {"type": [kind, "null"]}}
    full = {"needed": value, "optional": value, "nullable": value}
    rows, rejections = decode(
        properties,
        full,
        {"needed": value},
        {**full, "nullable": None},
        {"optional": value},
        {**full, "needed": None},
        {**full, "optional": None},
        required=["needed"],
    )
    assert len(rows) == 3
    assert [(rows[1]["optional"], rows[1]["nullable"]), rows[2]["nullable"]] == [(None, None), None]
    assert [(r.kind, r.path) for r in rejections] == [
        ("required", "$.record.needed"),
        ("type", "$.record.needed"),
        ("type", "$.record.optional"),
    ]


@pytest.mark.parametrize(
    ("written", "loaded"),
    [
        ("2019-06-13T00:00:00Z", (2019, 6, 13)),
        ("2019-06-13 01:02:03", (2019, 6, 13, 1, 2, 3)),
        ("2019-06-13", (2019, 6, 13)),
        ("2019-06-13t00:00:00z", (2019, 6, 13)),
        ("2019-06-13T02:00:00+02:00", (2019, 6, 13)),
        ("2019-06-13T00:00:00.1234560Z", (2019, 6, 13, 0, 0, 0, 123456)),
        ("0001-01-01T00:00:00Z", (1, 1, 1)),
        ("9999-12-31T23:59:59.999999Z", (9999, 12, 31, 23, 59, 59, 999999)),
    ],
)
def test_a_date_time_is_an_instant(written, loaded):
    schema = {"at": {"type": "string", "format": "date-time"}}
    for neighbour in ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00"):
        rows, rejections = decode(schema, {"at": written}, {"at": neighbour})
        assert rejections == []
        assert rows[0]["at"] == dt.datetime(*loaded, tzinfo=UTC)
        assert rows[1]["at"] == dt.datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "", "yesterday", "2019-02-30T00:00:00Z", "2019-06-13T24:00:00Z", "2019-06-13T00:00:60Z", "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00", "2019-06-13T00:00:00.1234567891Z",
        "2019-06-13T00:00:00+25:00", "2019-06-13X00:00:00", "13/06/2019",
    ],
)  # fmt: skip
def test_a_date_time_that_is_none_is_rejected(written):
    schema = {"at": {"type": "string", "format": "date-time"}}
    rows, (rejection,) = decode(schema, {"at": "2020-01-01T00:00:00Z"}, {"at": written})
    assert len(rows) == 1
    assert (rejection.kind, rejection.path) == ("format", "$.record.at")


def test_a_naive_column_takes_no_offset():
    schema = {"at": {"type": "string", "format": "date-time", "x-timezone-naive": True}}
    rows, (rejection,) = decode(schema, {"at": "2020-01-01 01:02:03.5"}, {"at": "2020-01-01T00:00:00Z"})
    assert rows == [{"at": dt.datetime(2020, 1, 1, 1, 2, 3, 500000)}]
    assert rejection.kind == "format"


def test_dates_and_times():
    properties = {"d": {"type": "string", "format": "date"}, "t": {"type": "string", "format": "time"}}
    good = [("0001-01-01", "00:00"), ("9999-12-31", "23:59:59.999999"), ("2024-02-29", "10:00:00Z")]
    bad = [("2023-02-29", "00:00"), ("2024-2-9", "00:00"), ("0000-01-01", "00:00"), ("2024-01-01", "24:00:00"),
           ("2024-01-01", "10:00:00+02:00"), ("2024-01-01", "10:00:00.1234567891")]  # fmt: skip
    rows, rejections = decode(properties, *[{"d": d, "t": t} for d, t in good + bad])
    assert rows == [
        {"d": dt.date(1, 1, 1), "t": dt.time(0, 0)},
        {"d": dt.date(9999, 12, 31), "t": dt.time(23, 59, 59, 999999)},
        {"d": dt.date(2024, 2, 29), "t": dt.time(10, 0)},
    ]
    assert [(r.kind, r.path[-1]) for r in rejections] == [("format", "d")] * 3 + [("format", "t")] * 3


def test_nested_json_is_kept_byte_for_byte():
    nested = '{"b": 12345678901234567.123456789,  "a": [1.50, null, "\\u00e9é"]}'
    rows, _ = decode({"x": {"type": ["object", "null"]}}, f'{{"x": {nested}}}', '{"x": null}', "{}")
    assert [row["x"] for row in rows] == [nested, None, None]


def test_a_variant_without_a_type_takes_null_too():
    rows, rejections = decode(
        {"x": {}}, '{"x": {}}', '{"x": 5}', '{"x": "a"}', '{"x": []}', '{"x": null}', '{"x": true}'
    )
    assert [row["x"] for row in rows] == ["{}", "5", '"a"', "[]", None, "true"]
    assert rejections == []


def test_text_is_kept_exactly():
    texts = ["", "null", " a ", "\x00\x01\x1f\t\n", "é\u2028𝄞", '"\\/', "naïve 简单"]
    rows, _ = decode({"x": {"type": "string"}}, *[{"x": text} for text in texts])
    assert [row["x"] for row in rows] == texts


@pytest.mark.parametrize("kind", ["string", "object"])
@pytest.mark.parametrize("half", [r"\ud800", r"\udc00", r"\ud800\u0041", r"\ud800\ud800"])
def test_half_a_surrogate_pair_is_rejected(kind, half):
    value = f'"{half}"' if kind == "string" else f'{{"a": "{half}"}}'
    _, (rejection,) = decode({"x": {"type": kind}}, f'{{"x": {value}}}')
    assert rejection.kind == "encoding"


@pytest.mark.parametrize("kind", ["string", "object", "unknown"])
def test_bytes_that_are_not_utf8_are_rejected(kind):
    decoder = StreamDecoder(
        "s", {"properties": {"x": {"type": ["string", "object"]}, "y": {"type": "string"}}}, []
    )
    value = {"string": b'{"y": "\xff"}', "object": b'{"x": {"a": "\xff"}}', "unknown": b'{"z": "\xff"}'}[kind]
    table, rejections = decoder.decode([b'{"type": "RECORD", "record": ' + value + b"}", line({"y": "a"})])
    if kind != "unknown":
        assert [rejection.kind for rejection in rejections] == ["encoding"]
        assert rejections[0].record == value
    assert table["y"].to_pylist()[-1] == "a"


def test_binary_is_base64():
    rows, (rejection,) = decode(
        {"x": {"type": ["string", "null"], "contentEncoding": "base64"}},
        {"x": "AAEC/w=="},
        {"x": None},
        {"x": "?"},
    )
    assert [row["x"] for row in rows] == [b"\x00\x01\x02\xff", None]
    assert rejection.kind == "format"


@pytest.mark.parametrize("value", [1, "true", 0])
def test_a_boolean_is_true_or_false(value):
    rows, (rejection,) = decode({"x": {"type": "boolean"}}, {"x": True}, {"x": value})
    assert rows == [{"x": True}]
    assert rejection.kind == "type"


def test_a_double_out_of_range_is_rejected():
    rows, (rejection,) = decode({"x": {"type": "number"}}, '{"x": 1e308}', '{"x": 1e999}')
    assert rows == [{"x": 1e308}]
    assert (rejection.kind, rejection.path) == ("decimal", "$.record.x")


def test_the_last_of_two_equal_names_counts(decoder):
    table, _ = decoder.decode([line('{"id": 1, "id": 2, "name": "a", "name": "b"}')])
    assert table.select(["id", "name"]).to_pylist() == [{"id": 2, "name": "b"}]


def test_fields_the_schema_does_not_name_are_counted_and_told(decoder):
    lines = [
        line({"id": n, "extra": n} if n % 2 else {"id": n, 'odd"name': 1, "_sdc_sequence": 5})
        for n in range(10)
    ]
    lines[3] = line({"id": "bad", "extra": 1})
    table, rejections = decoder.decode(lines)
    assert (table.num_rows, len(rejections)) == (9, 1)
    assert decoder.unknown_fields == {"extra": 5, 'odd"name': 5}
    decoder.decode(lines[:2])
    assert decoder.unknown_fields == {"extra": 6, 'odd"name': 6}


def test_a_source_with_data_for_names_still_loads(decoder):
    table, rejections = decoder.decode([line({"id": n, f"name {n}": 1}) for n in range(300)])
    assert (table.num_rows, rejections) == (300, [])
    assert len(decoder.unknown_fields) == 200


NAMES = [
    "class",
    "with space",
    "dotted.name",
    "Ünïcode €",
    "",
    'quo"te',
    "back\\slash",
    "new\nline",
    "c0",
    "deleted",
    "record",
]


def test_any_name_can_be_a_column():
    properties = {name: {"type": "integer"} for name in NAMES}
    record = {name: place for place, name in enumerate(NAMES)}
    rows, rejections = decode(
        properties, record, {**record, 'quo"te': "x"}, {**record, "class": "x"}, required=NAMES
    )
    assert rows == [record]
    assert [r.path for r in rejections] == ['$.record.quo"te', "$.record.class"]
    _, rejections = decode({'quo"te': {"type": "string"}}, {'quo"te': 1}, {}, key=('quo"te',))
    assert [(r.kind, r.path) for r in rejections] == [
        ("type", '$.record.quo"te'),
        ("missing_key", '$.record.quo"te'),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"", "syntax"),
        (b"{}", "message"),
        (b"[]", "message"),
        (b'{"record": {"id": "one"}} {"record": {"id": 2}}', "syntax"),
        (b'{"record": {"id": "one"', "syntax"),
        (b'{"record": {"id": "one", "x": NaN}, "y": [}', "syntax"),
        (b'{"recor": {"id": NaN}}', "message"),
        (b'{"record": 5}', "type"),
        (b'{"record": {"id": 1}} {"record": {"id": 2}}', "syntax"),
        (b'{"record": {"id": 1}, "version": "one"}', "type"),
        (b'{"record": {"id": 1}, "version": 99999999999999999999}', "type"),
        (b'{"record": {"id": 1}, "time_extracted": "now"}', "format"),
        (b'{"record": {"id": 1, "_sdc_deleted_at": "now"}}', "format"),
        (b'{"record": {"id": 1, "name": "a\x01b"}}', "encoding"),
        (b'{"record": {"id": 1, "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "too_deep"),
        (b'{"record": {"id": "one", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "too_deep"),
        (b'{"record": {"id": 1, "deep": ' + b"[" * 100_000 + b"}}", "syntax"),
        (b'{"record": {"id": 1, "deep": ' + b'{"a":' * 100_000 + b"}", "syntax"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["name", 'na"me'])
def test_a_line_that_is_no_record_is_rejected(text, kind, name):
    decoder = StreamDecoder(
        "s", {"properties": {"id": {"type": "integer"}, name: {"type": "string"}}}, ["id"]
    )
    table, (rejection,) = decoder.decode([line({"id": 1}), text, line({"id": 2})])
    assert table["id"].to_pylist() == [1, 2]
    assert (rejection.kind, rejection.line_number) == (kind, 1)
    assert rejection.message


def test_an_integer_beyond_64_bits_in_one_block_of_many(decoder):
    lines = [line({"id": n}) for n in range(5_000)]
    lines[4_500] = line({"id": 2**70})
    table, rejections = decoder.decode(lines)
    assert rejections == []
    assert table["id"].to_pylist() == [2**70 if n == 4_500 else n for n in range(5_000)]


def test_nan_deep_inside_names_its_path():
    _, (rejection,) = decode({"x": {"type": "object"}}, '{"x": {"a": [1, NaN]}}')
    assert (rejection.kind, rejection.path) == ("decimal", "$.record.x.a[1]")
    assert rejection.record == b'{"x": {"a": [1, NaN]}}'


@pytest.mark.parametrize("name", ['quo"te', "back\\slash", "new\nline", "\x00", "a - at `$.b`"])
@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"id": 1, "NAME": float("nan")}, "decimal"),
        ({"id": 1, "NAME": "\ud800"}, "encoding"),
        ({"id": "x", "NAME": "a"}, "type"),
        ({"id": 1, "NAME": [1]}, "type"),
        ({"id": 1, "NAME": "a", "more": float("inf")}, "decimal"),
    ],
)
def test_a_bad_record_beside_a_name_of_any_kind_is_one_rejection(name, record, kind):
    decoder = StreamDecoder(
        "s", {"properties": {"id": {"type": "integer"}, name: {"type": "string"}}}, ["id"]
    )
    record = {name if key == "NAME" else key: value for key, value in record.items()}
    table, (rejection,) = decoder.decode([line({"id": 1, name: "a"}), line(record), line({"id": 2})])
    assert table["id"].to_pylist() == [1, 2]
    assert rejection.kind == kind


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "RECORD", "record": {"a": NaN, "b": "}\\"{"} , "record": {"a": [NaN, {"record": 1}]}}\r\n',
        b'{"record": {"a": [NaN, {"record": 1}]}, "x": {"record": 2}}',
    ],
)
def test_the_record_is_cut_out_of_a_line_that_no_parser_takes(line):
    assert raw_record(line) == b'{"a": [NaN, {"record": 1}]}'


def test_what_has_no_whole_record_is_kept_whole():
    for text in (b'{"record": {"a": NaN}', b'{"record": {"a": NaN}} {"record": 1}', b'{"a": NaN}', b"?"):
        assert raw_record(text + b"\n") == text


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        (b'{"type": "RECORD", "stream": "s", "record": {"x": NaN}}', "s"),
        (b'{"type": "RECORD", "stream": "s", "record": {"x": "\\ud800"}}', "s"),
        (b'{"type": "RECORD", "stream": "s", "record": {"x": "\xff"}}', "s"),
        (b'{"type": "RECORD", "stream": "s", "record": {"x": "a\tb"}}', "s"),
        (b'{"type": "RECORD", "stream": "s", "record": {"x": ' + b"[" * 10**5 + b"]" * 10**5 + b"}}", "s"),
        (b'{"type": "RECORD", "stream": "s", "record": {"x": ' + b"[" * 10**5 + b"}}", None),
        (b'{"type": "RECORD", "stream": "s", "recor": {"x": NaN}}', None),
        (b'{"type": "RECORD", "stream": 5, "record": {"x": NaN}}', None),
        (b'{"type": "STATE", "value": NaN}', None),
        (b'{"type": "RECORD", "stream": "s", "record": {"x": 1', None),
        (b"[NaN]", None),
    ],
)
def test_a_record_with_one_bad_value_is_still_a_record(text, stream):
    assert stream_of_flawed_record(text) == stream
