"""What is not a Singer message stops the reading and names its line; what is one record's fault does not."""

from __future__ import annotations

import pytest
from lines import line

from ml_connector.load.batch import Batch
from ml_connector.load.decode import BLOCK, StreamDecoder
from ml_connector.load.errors import BadInputError
from ml_connector.load.reader import ColumnarReader

SCHEMA = b'{"type": "SCHEMA", "stream": "s", "schema": {"properties": {"id": {"type": "integer"}}}, "key_properties": ["id"]}\n'
DEEP = b"[" * 100_000 + b"]" * 100_000


class Run:
    """A target that keeps what it is handed."""

    def __init__(self, most_rows=10**6):
        schema = {"properties": {"id": {"type": "integer"}, "x": {"type": ["string", "null"]}, "y": {}}}
        self.batch = Batch(StreamDecoder("s", schema, ["id"]), most_rows, 10**9)
        self.messages = []
        self.failure = None
        self.reader = ColumnarReader()
        self.reader.failed = lambda why: setattr(self, "failure", why)

    def record(self, message):
        _, text, number = message
        self.batch.add(text, number)
        return self.batch.add

    def read(self, *lines):
        others = dict.fromkeys(("SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH"), self.messages.append)
        return self.reader.process_lines(iter(lines), {"RECORD": self.record, **others})

    def decoded(self):
        return self.batch.decoded()


def good(number):
    return line({"id": number})


BAD_LINES = [
    (b"rubbish\n", "not JSON"),
    (good(1)[:-3] + b"\n", "not JSON"),
    (b'{"type": "RECORD", "stream": "s", "record": {"id": 1, "x": tru}}\n', "not JSON"),
    (b'{"type": "RECORD", "stream": "s", "record": {"id": "one", "x": tru}}\n', "not JSON"),
    (good(1)[:-1] + good(2), "more follows after the end of its JSON"),
    (good(1)[:-1] + b" " + b'{"type": "STATE", "value": {"secret": 1}}\n', "more follows"),
    (b'{"type": "RECORD", "stream": "s", "record": {"id": "one"}} {}\n', "more follows"),
    (b'{"type": "RECORD", "stream": "s"}\n', "no `record`"),
    (b'{"type": "RECORD", "record": {}}\n', "no `stream`"),
    (b'{"type": "WHAT"}\n', "unknown message type 'WHAT'"),
    (b'{"type": 5}\n', "Expected `str`, got `int`"),
    (b"[1]\n", "Expected `object`, got `array`"),
    (b'{"a": ' + DEEP + b"}\n", "nested deeper than can be read"),
]


@pytest.mark.parametrize(("bad", "why"), BAD_LINES)
@pytest.mark.parametrize("before", [0, 3, BLOCK + 5])
def test_a_line_that_is_no_message_stops_the_reading_and_is_named(bad, why, before):
    run = Run()
    lines = [good(n) for n in range(before)]
    with pytest.raises(BadInputError, match=f"Line {before + 2} of the input") as caught:  # noqa: PT012
        run.read(SCHEMA, *lines, bad, *[good(n) for n in range(5)])
        run.decoded()
    assert why in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_number_is_right_in_the_middle_of_a_batch_that_other_messages_divide():
    run = Run()
    state = b'{"type": "STATE", "value": {}}\n'
    half = good(7)[:-2] + b"\n"
    run.read(SCHEMA, good(1), state, b"\n", *[good(n) for n in range(BLOCK)], state, good(2), half, good(3))
    with pytest.raises(
        BadInputError, match=f"Line {BLOCK + 7} of the input is not a RECORD message of stream 's'"
    ):
        run.decoded()
    with pytest.raises(BadInputError):  # asked again, it has not forgotten
        run.decoded()


def test_a_full_batch_is_loaded_before_a_line_that_comes_later_is_met():
    run = Run(most_rows=10)
    run.read(SCHEMA, *[good(n) for n in range(10)])
    table, rejections = run.decoded()
    assert (table.num_rows, rejections) == (10, [])


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (b'{"id": NaN}', "decimal"),
        (b'{"id": 2, "x": "\\ud800"}', "encoding"),
        (b'{"id": 2, "x": "\xff"}', "encoding"),
        (b'{"id": 2, "x": "tab\there"}', "encoding"),
        (b'{"id": 2, "y": ' + DEEP + b"}", "too_deep"),
        (b'{"id": "two"}', "type"),
        (b"5", "type"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_record_with_a_flaw_is_a_dead_letter_wherever_it_comes(record, kind, first):
    run = Run()
    flawed = b'{"type": "RECORD", "stream": "s", "record": ' + record + b"}\n"
    counts = run.read(SCHEMA, *([flawed, good(1)] if first else [good(1), flawed]), good(3))
    table, (rejection,) = run.decoded()
    assert counts["RECORD"] == 3
    assert table["id"].to_pylist() == [1, 3]
    assert (rejection.kind, run.batch.numbers[rejection.line_number]) == (kind, 2 if first else 3)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b'{"type": "STATE"}', "it has no `value`"),
        (b'{"type": "STATE", "value": [1]}', "its `value` is not an object"),
        (b'{"type": "STATE", "value": "x"}', "its `value` is not an object"),
        (b'{"type": "STATE", "value": null}', "its `value` is not an object"),
        (b'{"type": "STATE", "value": {"a": ' + DEEP + b"}}", "nested deeper than can be read"),
        (b'{"type": "SCHEMA", "schema": {"properties": {}}}', "it has no `stream`"),
        (b'{"type": "SCHEMA", "stream": "s", "schema": []}', "its `schema` is not an object"),
        (b'{"type": "SCHEMA", "stream": "s", "schema": {}, "key_properties": "id"}', "its `key_properties`"),
        (b'{"type": "ACTIVATE_VERSION", "stream": "s", "version": "1"}', "its `version` is not an integer"),
        (
            b'{"type": "BATCH", "stream": "s", "encoding": {}, "manifest": "a"}',
            "its `manifest` is not a list",
        ),
        (
            b'{"type": "BATCH", "stream": "s", "encoding": null, "manifest": []}',
            "its `encoding` is not an object",
        ),
    ],
)
def test_a_message_with_an_odd_part_is_an_error_that_names_the_line(message, why):
    run = Run()
    with pytest.raises(BadInputError, match="Line 2 of the input") as caught:
        run.read(SCHEMA, message)
    assert why in str(caught.value)
    assert run.failure == str(caught.value)
    assert run.messages[1:] == []


def test_messages_as_they_should_be_are_handed_on():
    run = Run()
    run.read(
        SCHEMA,
        b'{"type": "STATE", "value": {"bookmarks": [1.50]}}',
        b'{"type": "ACTIVATE_VERSION", "stream": "s", "version": 1}',
        b'{"type": "BATCH", "stream": "s", "encoding": {"format": "jsonl"}, "manifest": ["a"]}',
        b'{"type": "SCHEMA", "stream": "t", "schema": {"properties": {}}, "key_properties": null}',
    )
    assert [message["type"] for message in run.messages] == [
        "SCHEMA",
        "STATE",
        "ACTIVATE_VERSION",
        "BATCH",
        "SCHEMA",
    ]


def test_a_line_of_a_batch_file_that_is_no_record_is_said_to_be_one():
    run = Run()
    run.batch.add(b'{"type": "RECORD", "stream": "s", "record": {"id": 1}', 0)
    with pytest.raises(BadInputError, match="A line of a BATCH file is not a RECORD message"):
        run.decoded()
