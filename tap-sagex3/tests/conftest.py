"""A Sage X3 of the sandbox's, with the settings that reach it through either API."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
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
    """What a run of the tap left behind."""

    code: int
    log: str
    messages: list

    def records(self, stream):
        return [m["record"] for m in self._of(stream) if "_sdc_deleted_at" not in m["record"]]

    def deleted(self, stream):
        return [m["record"] for m in self._of(stream) if "_sdc_deleted_at" in m["record"]]

    def count(self):
        return sum(message["type"] == "RECORD" for message in self.messages)

    def schema(self, stream):
        return next(m for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream)

    def versions(self):
        return [m["stream"] for m in self.messages if m["type"] == "ACTIVATE_VERSION"]

    @property
    def streams(self):
        return {m["stream"] for m in self.messages if m["type"] == "SCHEMA"}

    @property
    def state(self):
        return [m["value"] for m in self.messages if m["type"] == "STATE"][-1]

    def _of(self, stream):
        return [m for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]


def merged(*runs):
    """What a warehouse holds after some runs: the last row of each key, without those that were deleted."""
    held, keys = defaultdict(dict), {}
    for run in runs:
        for message in run.messages:
            if message["type"] == "SCHEMA":
                keys[message["stream"]] = message["key_properties"]
            if message["type"] == "RECORD":
                stream, row = message["stream"], message["record"]
                key = tuple(row[name] for name in keys[stream])
                if "_sdc_deleted_at" in row:
                    held[stream].pop(key, None)
                else:
                    held[stream][key] = row
    return dict(held)


@dataclass
class Server:
    """A sandbox server over a business of its own."""

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
        command = [BIN / "erp-sandbox", "serve", "sagex3", "--path", self.books, "--scale", self.scale]
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
        """The requests since this was last asked."""
        path = self.folder / "requests"
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    def config(self, api, **more):
        found = {
            "api": api,
            "base_url": self.url,
            "folders": ["SAMINC"],
            "username": "ADMIN",
            "password": "admin",
            "lookback": "PT0S",
            "max_retries": 8,
            **self.settings,
            **more,
        }
        return {name: value for name, value in found.items() if value is not None}

    def command(self, api, *arguments, **more):
        path = self.folder / f"config-{api}.json"
        path.write_text(json.dumps(self.config(api, **more)))
        return [BIN / "tap-sagex3", "--config", path, *arguments]

    def catalog(self, api, *only, **more):
        done = subprocess.run(self.command(api, "--discover", **more), capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)
        for stream in found["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = not only or stream["tap_stream_id"] in only
        path = self.folder / f"catalog-{api}-{len(list(self.folder.iterdir()))}.json"
        path.write_text(json.dumps(found))
        return path

    def run(self, api, catalog, state=None, **more):
        arguments = ["--catalog", catalog]
        if state is not None:
            path = self.folder / "state.json"
            path.write_text(json.dumps(state))
            arguments += ["--state", path]
        done = subprocess.run(
            self.command(api, *arguments, **more), capture_output=True, timeout=300, cwd=self.folder
        )
        return self.read(done.returncode, done.stderr, done.stdout)

    def read(self, code, log, written):
        lines = written.splitlines()
        return Run(code, log.decode(), [json.loads(line, parse_float=Decimal) for line in lines])

    def advance(self, days=1):
        for _ in range(days):
            command = [BIN / "erp-sandbox", "advance", "--path", self.books, "--days", "1"]
            subprocess.run(command, check=True, capture_output=True, timeout=120)

    def stored(self, *tables):
        """Rows of tables as they are kept, the sparse documents of a table by their place in its index."""
        connection = sqlite3.connect(self.books)
        return {
            table: {
                key: json.loads(doc, parse_float=Decimal)
                for key, doc in connection.execute(
                    "SELECT key, doc FROM sagex3_rows WHERE folder = 'SAMINC' AND tbl = ?", (table,)
                )
            }
            for table in tables
        }


@contextmanager
def served(folder, *options, **more):
    server = Server(folder, options, **more).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def x3(tmp_path_factory):
    """A server that all tests of a module share; they leave its books alone."""
    with served(tmp_path_factory.mktemp("x3")) as server:
        yield server


@pytest.fixture
def own_x3(tmp_path):
    """A server of a test's own."""
    with served(tmp_path) as server:
        yield server


@pytest.fixture
def serve(tmp_path_factory):
    """Start servers with options of a test's own."""
    running = []

    def start(*options, **more):
        server = Server(tmp_path_factory.mktemp("x3"), options, **more).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def warehouse():
    return merged


@pytest.fixture
def little():
    """A server that answers what the test tells it to."""
    spec = importlib.util.spec_from_file_location("little_x3", Path(__file__).parent / "little_x3.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.Little()
    yield server
    server.close()
