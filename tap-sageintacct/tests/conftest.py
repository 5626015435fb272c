"""The sandbox's gateway as a process, and the tap as another one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


@dataclass
class Run:
    """What a run of the tap wrote."""

    code: int
    log: str
    messages: list

    @property
    def state(self):
        return [m["value"] for m in self.messages if m["type"] == "STATE"][-1]

    def records(self, stream):
        return [
            m["record"]
            for m in self.messages
            if m["type"] == "RECORD" and m["stream"] == stream and "_sdc_deleted_at" not in m["record"]
        ]

    def deleted(self, stream):
        return [
            m["record"]
            for m in self.messages
            if m["type"] == "RECORD" and m["stream"] == stream and "_sdc_deleted_at" in m["record"]
        ]

    def versions(self):
        return [m["stream"] for m in self.messages if m["type"] == "ACTIVATE_VERSION"]

    def schema(self, stream):
        return next(m for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream)


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


@dataclass
class Company:
    """A gateway over a business, with the settings that reach it."""

    folder: Path
    options: tuple = ()
    scale: str = "0.1"
    process: subprocess.Popen | None = None
    url: str = ""
    settings: dict = field(default_factory=dict)

    @property
    def books(self):
        return self.folder / "books.db"

    def start(self, *options):
        command = [BIN / "erp-sandbox", "serve", "intacct", "--path", self.books, "--scale", self.scale]
        command += ["--request-log", self.folder / "requests", *self.options, *options]
        errors = (self.folder / "server.log").open("a")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready "), (self.folder / "server.log").read_text()
        self.url = line.split(maxsplit=1)[1].strip()
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(15)

    def restart(self, *options):
        self.stop()
        return self.start(*options)

    def requests(self):
        """The functions of each request since this was last asked."""
        path = self.folder / "requests"
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        path.unlink(missing_ok=True)
        return found

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

    def command(self, *arguments, **more):
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.config(**more)))
        return [BIN / "tap-sageintacct", "--config", path, *arguments]

    def catalog(self, *only, **more):
        done = subprocess.run(self.command("--discover", **more), capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)
        for stream in found["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = not only or stream["tap_stream_id"] in only
        path = self.folder / "catalog.json"
        path.write_text(json.dumps(found))
        return path

    def run(self, catalog, state=None, **more):
        arguments = ["--catalog", catalog]
        if state is not None:
            path = self.folder / "state.json"
            path.write_text(json.dumps(state))
            arguments += ["--state", path]
        done = subprocess.run(self.command(*arguments, **more), capture_output=True, timeout=300)
        lines = done.stdout.splitlines()
        return Run(
            done.returncode, done.stderr.decode(), [json.loads(line, parse_float=Decimal) for line in lines]
        )

    def advance(self, days=1):
        for _ in range(days):
            command = [BIN / "erp-sandbox", "advance", "--path", self.books, "--days", "1"]
            subprocess.run(command, check=True, capture_output=True, timeout=120)


@contextmanager
def served(folder, *options, **more):
    company = Company(folder, options, **more).start()
    try:
        yield company
    finally:
        company.stop()


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A gateway that all tests of a module share; they leave its books alone."""
    with served(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture
def own_company(tmp_path):
    """A gateway of a test's own."""
    with served(tmp_path) as company:
        yield company


@pytest.fixture(scope="session")
def warehouse():
    return merged
