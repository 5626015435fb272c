"""Every value arrives as it was sent, by either way into the warehouse."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from singer_messages import Stream

V = Stream("v", {"id": {"type": "integer"}})


def load(warehouse, kind, *values, name="v"):
    schema = V.schema({"id": {"type": "integer"}, name: kind})
    records = []
    for number, value in enumerate(values):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        records.append(
            b'{"type": "RECORD", "stream": "v", "record": {"id": %d, %s: %s}}\n'
            % (number, json.dumps(name).encode(), text)
        )
    outcome = warehouse.load(schema, *records)
    assert outcome.code == 0, outcome.error
    assert warehouse.audit("DEAD_LETTERS", "RECORD") == []
    return [value for _, value in warehouse.rows("V")]


TEXTS = [
    "",
    " ",
    "a'b",
    'a"b',
    "back\\slash",
    "\\N",
    "NULL",
    "null",
    "?",
    "$1",
    ":1",
    "%s",
    "{}",
    "{0}",
    "a\nb\tc\r",
    "é漢🎉",
    "\u2028",
    "e\u0301",
    "-- comment",
    "'); DROP TABLE x; --",
    "[1,2]",
    "x" * 5_000,
]


def test_texts(warehouse):
    assert load(warehouse, {"type": ["string", "null"]}, *TEXTS, None) == [*TEXTS, None]


def test_decimals_of_38_digits(warehouse):
    kind = {"type": ["number", "null"], "multipleOf": 1e-9, "x-precision": 38, "x-scale": 9}
    sent = [
        "12345678901234567890123456789.123456789",
        "-99999999999999999999999999999.999999999",
        "0.000000001",
        "1e-9",
        "-0.0",
        "5",
    ]
    found = load(warehouse, kind, *[each.encode() for each in sent])
    assert found == [Decimal(each) for each in sent]


def test_whole_numbers(warehouse):
    sent = [0, -1, 2**63 - 1, -(2**63), 9007199254740993]
    assert load(warehouse, {"type": "integer"}, *sent) == sent


def test_floats(warehouse):
    sent = [0.1, -1e-300, 1.7976931348623157e308, 5e-324, 0.1 + 0.2, 1e22, 123456789.12345679]
    assert load(warehouse, {"type": "number"}, *sent) == sent


def test_moments_dates_times(warehouse):
    kind = {"type": ["string", "null"], "format": "date-time"}
    found = load(
        warehouse,
        kind,
        "2026-01-02T03:04:05.123456Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-06-01T12:00:00+05:30",
    )
    assert [value.isoformat() for value in found] == [
        "2026-01-02T03:04:05.123456+00:00",
        "0001-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59.999999+00:00",
        "2026-06-01T06:30:00+00:00",
    ]


def test_dates_and_times(warehouse):
    found = load(
        warehouse, {"type": ["string", "null"], "format": "date"}, "2024-02-29", "0001-01-01", "9999-12-31"
    )
    assert [value.isoformat() for value in found] == ["2024-02-29", "0001-01-01", "9999-12-31"]
    warehouse.database.execute('DROP TABLE "BOOKS"."V"')
    found = load(warehouse, {"type": ["string", "null"], "format": "time"}, "00:00:00", "23:59:59.999999")
    assert [value.isoformat() for value in found] == ["00:00:00", "23:59:59.999999"]


def test_flags(warehouse):
    assert load(warehouse, {"type": ["boolean", "null"]}, True, False, None) == [True, False, None]


def test_binary(warehouse):
    kind = {"type": ["string", "null"], "contentEncoding": "base64"}
    found = load(warehouse, kind, "AP8QIA==", "", None)
    assert found in ([b"\x00\xff\x10\x20", b"", None], ["AP8QIA==", "", None])


def test_nested_values(warehouse):
    kind = {"type": ["object", "array", "null"]}
    sent = [
        b'{"a": [1, {"b": null}], "c": "q\\"uote \\\\ back"}',
        b'{"n": 12345678901234567890.123456789}',
        b'{"\\ud83c\\udf89": "\\u6f22?"}',
        b"[]",
        b"{}",
        b'[[["deep"]]]',
        b'{"a": 1, "b": true}',
    ]
    found = load(warehouse, kind, *sent)
    for text, value in zip(sent, found, strict=True):
        assert json.loads(value, parse_float=Decimal) == json.loads(text, parse_float=Decimal)


@pytest.mark.parametrize(
    "name", ["a?b", "a b", 'q"uote', "back\\slash", "select", "é", "a.b", "{}", "%s", "$1"]
)
@pytest.mark.parametrize("case", ["preserve", "upper_snake"])
def test_names_of_properties(plain_warehouse, name, case):
    plain_warehouse.settings["identifier_case"] = case
    schema = V.schema({"id": {"type": "integer"}, name: {"type": ["string", "null"]}})
    for small in (256_000, 0):
        record = V.record(id=small, **{name: "v?"})
        outcome = plain_warehouse.load(
            schema, record, V.record(id="bad", **{name: "x"}), small_batch_bytes=small
        )
        assert outcome.code == 0, outcome.error
    table = "v" if case == "preserve" else "V"
    rows = plain_warehouse.query(f'SELECT * FROM "BOOKS"."{table}"')
    assert [list(row.values())[1] for row in rows] == ["v?", "v?"]


def test_a_text_with_a_null_character_is_kept_or_rejected_by_itself(warehouse):
    schema = V.schema({"id": {"type": "integer"}, "v": {"type": ["string", "null"]}})
    outcome = warehouse.load(
        schema, V.record(id=1, v="a"), V.record(id=2, v="b\u0000c"), V.record(id=3, v="d")
    )
    assert outcome.code == 0, outcome.error
    found = {int(key): value for key, value in warehouse.rows("V")}
    assert (found[1], found[3]) == ("a", "d")
    assert found.get(2, "b\u0000c") == "b\u0000c"
    assert (2 in found) or len(warehouse.audit("DEAD_LETTERS", "RECORD")) == 1
