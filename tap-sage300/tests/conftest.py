"""A fake Sage 300 for the tests of bookmarks, a real sandbox for the rest, and a way to run the tap."""

from __future__ import annotations

import gzip
import importlib.util
import json
import logging
import subprocess
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import msgspec
import pytest
import tap_server
from ml_connector.extract import run as run_module
from ml_connector.extract.http import Clock
from ml_connector.extract.resource import walk
from ml_connector.extract.writer import ExactWriter

from tap_sage300 import extra
from tap_sage300.accounts import CHART
from tap_sage300.session import Session
from tap_sage300.source import WebApi
from tap_sage300.streams import RESOURCES
from tap_sage300.tap import TapSage300

HERE = Path(__file__).parent


def _sibling(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fake_sage300 = _sibling("fake_sage300")
little_sage = _sibling("little_sage")


class Collector(ExactWriter):
    """Keeps what a target would read."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def _write(self, line, *, flush=False):
        self.messages += [msgspec.json.decode(one) | {"line": one.decode()} for one in line.splitlines()]

    def of(self, kind, stream=None):
        return [m for m in self.messages if m["type"] == kind and stream in (None, m.get("stream"))]

    def records(self, stream):
        return [m["record"] for m in self.of("RECORD", stream)]

    def filed(self, stream):
        """The rows in a stream's batch files."""
        files = [file for message in self.of("BATCH", stream) for file in message["manifest"]]
        contents = [gzip.decompress(Path(urlsplit(file).path).read_bytes()) for file in files]
        return [json.loads(line) for content in contents for line in content.splitlines()]

    def keys(self, stream):
        key = self.of("SCHEMA", stream)[0]["key_properties"]
        return [tuple(record[name] for name in key) for record in self.records(stream)]

    @property
    def state(self):
        return json.loads(json.dumps(self.of("STATE")[-1]["value"]))

    def partition(self, stream, company="SAMINC"):
        partitions = self.state["bookmarks"][stream]["partitions"]
        return next(p for p in partitions if p["context"] == {"source_company": company})


class Erp:
    """A fake Sage 300 and a tap pointed at it."""

    def __init__(self, fake, url):
        self.fake = fake
        self.url = url

    def config(self, **settings):
        return {
            "base_url": self.url,
            "companies": ["SAMINC"],
            "username": "reader",
            "password": "secret",
            "discover_custom_fields": False,
            "max_retries": 0,
            "prefetch_pages": 0,
            **settings,
        }

    def tap(self, *streams, state=None, catalog=None, writer=None, columns=None, **settings):
        """A tap with only these streams selected, and of some of them only these columns."""
        config = self.config(**settings)
        writer = writer or Collector()
        # The other sets have no say in this, and take a fifth of a second to set up.
        sets = [
            r
            for r in RESOURCES
            if r is CHART or {r.stream, *(li.stream for li, _ in walk(r.lines))} & {*streams}
        ]
        with mock.patch.object(extra, "RESOURCES", sets):
            tap = TapSage300(config=config, state=state, catalog=catalog, message_writer=writer)
        for stream in tap.streams.values():
            stream.selected = stream.name in streams
            for name in stream.schema["properties"] if stream.name in (columns or {}) else ():
                stream.metadata["properties", name].selected = name in columns[stream.name]
            stream.selected = stream.selected  # the SDK works the mask out anew
        return tap

    def run(self, *streams, state=None, **settings):
        """Run it to its end; what it wrote."""
        writer = Collector()
        self.tap(*streams, state=state, writer=writer, **settings).sync_all()
        return writer

    def failing_run(self, *streams, state=None, **settings):
        """Run it to its end, which is an exit of 1; what it wrote."""
        writer = Collector()
        with pytest.raises(SystemExit) as ended:
            self.tap(*streams, state=state, writer=writer, **settings).sync_all()
        assert ended.value.code == 1
        return writer

    def broken_run(self, *streams, state=None, after, **settings):
        """Run it until the server gives up after so many requests; what it wrote until then."""
        self.fake.fails_after = len(self.fake.requests) + after + 1  # the profile comes first
        with (
            mock.patch.object(run_module, "STATE_SECONDS", 0),
            mock.patch.object(run_module, "STATE_SHARE", 0),
        ):
            writer = self.failing_run(*streams, state=state, **settings)
        self.fake.fails_after = None
        return writer


@pytest.fixture
def erp():
    fake = fake_sage300.FakeSage300()
    with fake_sage300.serving(fake) as url:
        yield Erp(fake, url)


@pytest.fixture
def sage():
    server = little_sage.Sage()
    yield server
    server.close()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(sage, slept):
    """Make sessions with the little Sage 300 whose waiting takes no time."""
    made = []

    def make(**config) -> Session:
        settings = {"base_url": sage.base_url, "username": "webapi", "password": "s3cret"}
        # The clock jumps when somebody sleeps, and never by itself.
        clock = Clock(monotonic=lambda: sum(slept), sleep=slept.append, uniform=lambda _low, high: high)
        made.append(Session({**settings, **config}, "SAMLTD", logging.getLogger("tap-sage300"), clock=clock))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def source(client):
    """Make sources over the little Sage 300 whose waiting takes no time."""
    return lambda **config: WebApi(client(**config), lambda: (), logging.getLogger("tap-sage300"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """The sandbox's Sage 300 with its generated business; yields its address and file."""
    folder = tmp_path_factory.mktemp("sandbox")
    business = folder / "sage300.db"
    options = ("--path", business, "--scale", "0.05", "--page-size", "40")
    with tap_server.sandbox("sage300", *options, log=folder / "log") as url:
        yield url, business


@pytest.fixture
def sandbox_config(sandbox):
    return {
        "base_url": sandbox[0],
        "companies": ["SAMINC", "SAMLTD"],
        "username": "webapi",
        "password": "webapi",
    }


@pytest.fixture
def cli(tmp_path):
    """The tap as a shell runs it."""

    def run(*arguments, config=None):
        command = [str(tap_server.BIN / "tap-sage300"), *arguments]
        if config is not None:
            path = tmp_path / "config.json"
            path.write_text(json.dumps(config))
            command += ["--config", str(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)

    return run
