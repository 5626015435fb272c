"""The sandbox's gateway as a process, and the tap as another one."""

from __future__ import annotations

import importlib.util
import json
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from ml_connector.extract.writer import ExactWriter
from tap_server import TapServer

from tap_sageintacct.tap import TapSageIntacct


def merged(*runs):
    """What a warehouse holds after some runs: the last row of each key, without those that were deleted."""
    held, versions = defaultdict(dict), {}
    for run in runs:
        for message in run.messages:
            if message["type"] == "ACTIVATE_VERSION":
                stream, now = message["stream"], message["version"]
                held[stream] = {k: row for k, row in held[stream].items() if versions[stream, k] == now}
            if message["type"] == "RECORD":
                row = message["record"]
                key = str(row.get("RECORDNO") or (row["END_DATE"], row["glaccountno"], row["source_entity"]))
                if "_sdc_deleted_at" in row:
                    held[message["stream"]].pop(key, None)
                else:
                    held[message["stream"]][key] = {k: v for k, v in row.items()}
                    versions[message["stream"], key] = message.get("version")
    return dict(held)


class Company(TapServer):
    """A gateway over a business, with the settings that reach it."""

    erp, tap = "intacct", "tap-sageintacct"

    def config(self, **more):
        return {
            "sender_id": "SENDER",
            "sender_password": "SENDERPASS",
            "company_id": "SAMINC",
            "user_id": "WEBUSER",
            "user_password": "WEBPASS",
            "base_url": self.url,
            "lookback": "PT0S",
            "max_retries": 8,
            **self.settings,
            **more,
        }


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A gateway that all tests of a module share; they leave its books alone."""
    with Company(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture
def own_company(tmp_path):
    """A gateway of a test's own."""
    with Company(tmp_path) as company:
        yield company


@pytest.fixture(scope="session")
def warehouse():
    return merged


_spec = importlib.util.spec_from_file_location("little_gateway", Path(__file__).parent / "little_gateway.py")
little_gateway = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(little_gateway)


class Collector(ExactWriter):
    """Keeps what a target would read."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def _write(self, line, *, flush=False):
        self.messages += [msgspec.json.decode(each) for each in line.splitlines()]

    def of(self, kind, stream=None):
        self._write_rows()
        return [m for m in self.messages if m["type"] == kind and stream in (None, m.get("stream"))]

    def records(self, stream):
        return [m["record"] for m in self.of("RECORD", stream) if "_sdc_deleted_at" not in m["record"]]

    def deleted(self, stream):
        return [
            m["record"]["RECORDNO"] for m in self.of("RECORD", stream) if "_sdc_deleted_at" in m["record"]
        ]

    def numbers(self, stream):
        return [record["RECORDNO"] for record in self.records(stream)]

    @property
    def state(self):
        return json.loads(json.dumps(self.of("STATE")[-1]["value"]))


@pytest.fixture
def gateway():
    made = little_gateway.Gateway()
    made.put(
        "AUDITHISTORY",
        ID="TEXT",
        OBJECTTYPE="TEXT",
        OBJECTKEY="TEXT",
        ACCESSMODE="TEXT",
        ACCESSTIME="TIMESTAMP",
    )
    yield made
    made.close()


@pytest.fixture
def tap(gateway):
    """Make a tap with only these streams selected."""

    def make(*streams, state=None, writer=None, **settings):
        config = {
            "sender_id": "SENDER",
            "sender_password": "SENDERPASS",
            "company_id": "ACME",
            "user_id": "reader",
            "user_password": "secret",
            "base_url": gateway.url,
            "lookback": "PT0S",
            "max_retries": 0,
            "prefetch_pages": 0,
            "discover_custom_fields": False,
            **settings,
        }
        made = TapSageIntacct(config=config, state=state, message_writer=writer or Collector())
        for stream in made.streams.values():
            stream.selected = stream.name in streams
        return made

    make.collector = Collector
    return make


@pytest.fixture
def run(tap):
    """Run it to its end; what it wrote."""

    def go(*streams, state=None, **settings):
        writer = Collector()
        tap(*streams, state=state, writer=writer, **settings).sync_all()
        return writer

    return go
