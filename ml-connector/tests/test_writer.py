from __future__ import annotations

import datetime
import io
import json
import signal
import subprocess
import sys
import time
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib.messages import RecordMessage, StateMessage

from ml_connector.extract.writer import ExactWriter


def line_of(record: dict) -> bytes:
    return ExactWriter().serialize_message(RecordMessage(stream="gl_journal_lines", record=record))


@pytest.mark.parametrize(
    "digits", ["12345678901234567.123456789", "0.10", "100.000", "-0.001", "99999999999999999999"]
)
def test_amounts_keep_every_digit_and_their_scale(digits):
    assert f'"Amount":{digits}}}'.encode() in line_of({"Amount": Decimal(digits)})


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal_reads_back_exactly(amount):
    record = json.loads(line_of({"Amount": amount}), parse_float=Decimal, parse_int=Decimal)["record"]
    assert record["Amount"] == amount


def test_what_the_erp_sent_is_what_the_target_gets():
    sent = b'{"Rate":1.2000000,"Amount":12345678901234567.123456789,"Entry":9007199254740993}'
    record = msgspec.json.Decoder(float_hook=Decimal).decode(sent)
    assert b'"record":' + sent in line_of(record)


def test_dates_and_nested_details():
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    message = RecordMessage(
        stream="s", record={"Lines": [{"A": Decimal("1.50"), "N": None}]}, time_extracted=moment, version=3
    )
    line = ExactWriter().serialize_message(message)
    assert line.endswith(b"}\n")
    assert json.loads(line) == {
        "type": "RECORD",
        "stream": "s",
        "record": {"Lines": [{"A": 1.5, "N": None}]},
        "version": 3,
        "time_extracted": "2026-01-02T03:04:05Z",
    }


def test_state_leaves_at_once_with_every_record_before_it(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8"))
    writer = ExactWriter()
    writer.write_message(RecordMessage(stream="s", record={"A": 1}))
    assert raw.getvalue() == b""
    writer.write_message(StateMessage(value={"bookmarks": {}}))
    assert [json.loads(line)["type"] for line in raw.getvalue().splitlines()] == ["RECORD", "STATE"]


ENDLESS = """
import signal
from ml_connector.extract.writer import ExactWriter
from singer_sdk.singerlib.messages import RecordMessage

writer = ExactWriter()
signal.signal(signal.SIGTERM, lambda signum, frame: writer.end(128 + signum))
while True:
    writer.write_message(RecordMessage("things", {"text": "x" * 50_000}))
"""


def test_a_signal_ends_the_run_between_two_lines():
    """The pipe is full, so the signal comes in the middle of a line."""
    process = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE)
    first = process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    written = first + process.stdout.read()
    assert process.wait(30) == 128 + signal.SIGTERM
    assert written.endswith(b"\n")
    lines = [json.loads(line) for line in written.splitlines()]
    assert len(lines) > 1
    assert {len(line["record"]["text"]) for line in lines} == {50_000}
