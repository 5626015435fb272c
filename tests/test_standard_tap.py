"""The sweep of the SDK's standard tests finds what is wrong with a tap, and says where."""

from __future__ import annotations

import warnings

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.testing import get_tap_test_class
from standard_tap import Sweep

GOOD = {
    "id": 1,
    "day": "2026-01-31",
    "at": "2026-01-31T10:00:00Z",
    "paid": True,
    "lines": 3,
    "total": 10.25,
    "address": {"city": "Leeds"},
    "note": "late",
}
TYPES = {
    "id": {"type": "integer"},
    "day": {"type": ["string", "null"], "format": "date"},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "paid": {"type": ["boolean", "null"]},
    "lines": {"type": ["integer", "null"]},
    "total": {"type": ["number", "null"], "multipleOf": 0.01},
    "address": {"type": ["object", "null"], "properties": {"city": {"type": "string"}}},
    "note": {"type": "string"},
}


def tap_of(*records, columns=TYPES):
    """A tap of one stream that is good at everything but these records."""

    class Bills(Stream):
        name = "bills"
        schema = {"type": "object", "properties": dict(columns), "additionalProperties": False}
        primary_keys = ("id",)
        # The SDK would else put values right before anybody sees them.
        TYPE_CONFORMANCE_LEVEL = 0

        def get_records(self, context):
            yield from (dict(record) for record in records)

        def _generate_record_messages(self, record):
            # as our taps do: a record goes out as it was made
            for message in super()._generate_record_messages(record):
                message.record = record
                yield message

    class TapBills(Tap):
        name = "tap-bills"
        config_jsonschema = {"properties": {}}

        def discover_streams(self):
            return [Bills(self)]

    return TapBills


def faults(*records, **more):
    sweep = Sweep(tap_of(*records, **more), {})
    sweep.runner.sync_all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sweep.faults("bills")


def test_nothing_is_wrong_with_a_good_stream():
    assert faults(GOOD, {**GOOD, "id": 2, "total": 0.07, "day": None}) == []


@pytest.mark.parametrize(
    ("attribute", "value", "check"),
    [
        ("day", "31/01/2026", "is_datetime"),
        ("at", "soon", "is_datetime"),
        ("paid", "perhaps", "is_boolean"),
        ("lines", "three", "is_integer"),
        ("total", "10.25", "is_numeric"),
        ("address", "Leeds", "is_object"),
        ("note", None, "not_null"),
    ],
)
def test_a_wrong_value_is_told_with_its_attribute_and_its_check(attribute, value, check):
    found = faults(GOOD, {**GOOD, "id": 2, attribute: value})
    assert [line for line in found if line.startswith(f"bills.{attribute}: {check}: ")], found


def test_a_value_that_its_schema_forbids_is_told_with_its_record_count():
    assert faults({**GOOD, "total": 0.125}) == [
        "bills: record_matches_stream_schema: total: 0.125 is not a multiple of 0.01 (1 records)"
    ]


def test_a_column_that_the_catalog_does_not_know_is_told():
    found = "\n".join(faults({**GOOD, "colour": "red"}))
    assert "record_schema_matches_transformed_catalog: " in found
    assert "record: Additional properties are not allowed ('colour' was unexpected)" in found


def test_a_key_of_two_records_is_told():
    assert faults(GOOD, GOOD) == ["bills: primary_keys: Keys of several records: {(1,): 2}"]


def test_a_record_without_its_key_is_told():
    keyless = {name: value for name, value in GOOD.items() if name != "id"}
    assert [line for line in faults(keyless) if line.startswith("bills: primary_keys: ")]


def test_a_stream_without_records_is_told():
    assert faults() == ["bills: returns_record: No records returned in stream 'bills'."]


def test_a_schema_that_is_none_is_told():
    found = faults(GOOD, columns={**TYPES, "note": {"type": "string", "maxLength": "many"}})
    assert [line for line in found if line.startswith("bills: schema_is_valid: ")], found


def test_several_faults_of_a_stream_are_told_at_once():
    found = faults({**GOOD, "day": "never", "paid": "no", "note": None})
    assert {line.split(": ")[0] for line in found} >= {"bills.day", "bills.paid", "bills.note"}


def test_columns_without_a_value_are_named_in_a_warning():
    sweep = Sweep(tap_of({**GOOD, "day": None, "total": None}), {})
    sweep.runner.sync_all()
    with pytest.warns(UserWarning, match="bills: nothing to check in day, total"):
        assert sweep.faults("bills") == []


def test_the_sweep_asks_every_check_that_the_sdk_asks(monkeypatch):
    from singer_sdk.testing import templates

    asked = []

    def note(self, *arguments):
        asked.append((self.name, *(getattr(one, "name", one) for one in arguments[3:])))

    tap = tap_of(GOOD)
    for template in (templates.StreamTestTemplate, templates.AttributeTestTemplate):
        monkeypatch.setattr(template, "run", note)
    assert faults(GOOD) == []
    standard = get_tap_test_class(tap, config={}, include_tap_tests=False)
    expected = {
        (name.removeprefix("test_tap_stream_attribute_").removeprefix("test_tap_stream_"), *one.id.split("."))
        for name, params in standard.params.items()
        for one in params
    }
    assert set(asked) == expected
