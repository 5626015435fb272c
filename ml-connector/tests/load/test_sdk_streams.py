"""Every file of the Singer SDK's standard target tests decodes as those tests expect."""

from __future__ import annotations

import importlib.resources
import json
from collections import defaultdict
from decimal import Decimal

import pytest
from singer_sdk.testing import target_test_streams

from ml_connector.load.decode import StreamDecoder
from ml_connector.load.schema import SchemaError

FOLDER = importlib.resources.files(target_test_streams)
NAMES = sorted(entry.name for entry in FOLDER.iterdir() if entry.name.endswith(".singer"))
REJECTED = {
    "record_missing_key_property.singer": [("missing_key", "$.record.id")],
    "record_missing_required_property.singer": [("required", "$.record.id")],
}
REFUSED = {"invalid_schema.singer": SchemaError, "record_before_schema.singer": KeyError}


def load(name):
    """Decode a file; records of a stream under each of its schemas, and what was rejected."""
    decoders, rows, rejected, sent = {}, [], [], []
    for line in FOLDER.joinpath(name).read_bytes().splitlines():
        message = json.loads(line, parse_float=Decimal)
        stream = message.get("stream")
        if message["type"] == "SCHEMA":
            keys = message.get("key_properties") or []
            decoders[stream] = StreamDecoder(stream, message["schema"], keys)
        elif message["type"] == "RECORD":
            table, rejections = decoders[stream].decode([line])
            assert decoders[stream].unknown_fields == {}
            rows += [(stream, row) for row in table.to_pylist()]
            rejected += rejections
            sent.append((stream, message, decoders[stream].columns))
    return rows, rejected, sent


def test_the_files_are_there():
    assert len(NAMES) >= 20
    assert {*REJECTED, *REFUSED} <= set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED and name not in REJECTED])
def test_every_record_is_loaded_as_it_was_sent(name):
    rows, rejected, sent = load(name)
    assert rejected == []
    assert len(rows) == len(sent)
    for (_, row), (_, message, columns) in zip(rows, sent, strict=True):
        for column in columns:
            value = row[column.name]
            if column.kind.value == "variant" and value is not None:
                value = json.loads(value, parse_float=Decimal)
            expected = message["record"].get(column.name)
            if column.kind.value.startswith(("timestamp", "date")) and value is not None:
                value, expected = value.isoformat()[:19], expected[:19].replace(" ", "T")
            assert value == expected, column.name
        assert row["_sdc_version"] == message.get("version")


@pytest.mark.parametrize("name", REJECTED)
def test_a_record_that_lacks_what_it_must_have_is_rejected(name):
    rows, rejected, sent = load(name)
    assert (len(rows), len(sent)) == (0, 1)
    assert [(rejection.kind, rejection.path) for rejection in rejected] == REJECTED[name]
    assert json.loads(rejected[0].record) == sent[0][1]["record"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_target_can_load_stops_it(name):
    with pytest.raises(REFUSED[name]):
        load(name)


def test_streams_keep_their_order():
    rows, _, sent = load("user_location_upsert_data.singer")
    seen = defaultdict(list)
    for stream, row in rows:
        seen[stream].append(row["id"])
    assert seen["test_users"] == [
        message["record"]["id"] for stream, message, _ in sent if stream == "test_users"
    ]
