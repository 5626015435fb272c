"""A server of the sandbox's with a business of its own, and a tap that reads it, each as a process."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@contextmanager
def sandbox(*arguments, log):
    """One server of the sandbox, from its first answer to its end."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            [BIN / "erp-sandbox", "serve", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            line = process.stdout.readline()
            assert line.startswith("ready "), log.read_text()
            yield line.split(maxsplit=1)[1].strip()
        finally:
            process.terminate()
            process.wait(15)


@dataclass
class Run:
    """What a run of a tap left behind."""

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


@dataclass
class TapServer:
    """A server with the settings that reach it; a tap's tests say which it is."""

    folder: Path
    options: tuple = ()
    scale: str = "0.1"
    settings: dict = field(default_factory=dict)
    url: str = ""

    erp: ClassVar[str]
    tap: ClassVar[str]

    def __post_init__(self):
        self._running, self._files = ExitStack(), count()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_failure):
        self.stop()

    @property
    def books(self):
        return self.folder / "books.db"

    def start(self, *options):
        arguments = ("--path", self.books, "--scale", self.scale, "--request-log", self.folder / "requests")
        log = self._file("server", "log")
        self.url = self._running.enter_context(
            sandbox(self.erp, *arguments, *self.options, *options, log=log)
        )
        return self

    def stop(self):
        self._running.close()

    def restart(self, *options):
        self.stop()
        return self.start(*options)

    def requests(self):
        """The requests since this was last asked."""
        path = self.folder / "requests"
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    def advance(self, days=1):
        for _ in range(days):
            command = [BIN / "erp-sandbox", "advance", "--path", self.books, "--days", "1"]
            subprocess.run(command, check=True, capture_output=True, timeout=120)

    def config(self, **more):
        """The tap's settings; one that is None is not set."""
        raise NotImplementedError

    def command(self, *arguments, **more):
        return self._command(*arguments, **more)

    def _command(self, *arguments, **more):
        return [BIN / self.tap, "--config", self._json("config", self.config(**more)), *arguments]

    def catalog(self, *only, **more):
        """A file with all streams selected, or only some."""
        done = subprocess.run(self._command("--discover", **more), capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)
        for stream in found["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = not only or stream["tap_stream_id"] in only
        return self._json("catalog", found)

    def run(self, catalog, state=None, **more):
        """Run the tap to its end."""
        arguments = ["--catalog", catalog]
        if state is not None:
            arguments += ["--state", self._json("state", state)]
        command = self._command(*arguments, **more)
        done = subprocess.run(command, capture_output=True, timeout=300, cwd=self.folder)
        return self.read(done.returncode, done.stderr, done.stdout)

    def read(self, code, log, written):
        """What a tap wrote, its numbers exact."""
        messages = [json.loads(line, parse_float=Decimal) for line in written.splitlines()]
        return Run(code, log.decode(), messages)

    def _json(self, name, content):
        path = self._file(name, "json")
        path.write_text(json.dumps(content))
        return path

    def _file(self, name, kind):
        """A file that nobody has written: what a run was told stays beside what another was."""
        return self.folder / f"{name}-{next(self._files)}.{kind}"
