"""Runs of readers against canned answers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ledgers
import peers
from measure import SubjectError, Usage, run
from questions import QUERY, login
from typing_extensions import Self

if TYPE_CHECKING:
    from types import TracebackType

    from tap_subjects import Subject

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
_RECORDED = 5_000
"""Records of a ledger that the sandbox itself has."""
_SANDBOXES = {
    "sage300": (ledgers.sage300, ("--page-size", "1000")),
    "sagex3": (ledgers.sagex3, ()),
    "intacct": (ledgers.intacct, ()),
}
_RECORD = r'^{"type": *"RECORD"'


class Runs:
    """Readers and what they read, in a folder that is gone afterwards.

    Args:
        folder: Where files go.
        taps: Where our taps are installed.
    """

    def __init__(self, folder: Path, taps: Path) -> None:
        self.folder, self.taps = folder, taps
        self._open = ExitStack()
        self._sandboxes: dict[str, str] = {}
        self._catalogs: dict[str, dict[str, Any]] = {}
        self._queries: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def measured(self, subject: Subject, rows: int, delay_ms: int = 0) -> dict[str, Any]:
        """Let it read once.

        Raises:
            SubjectError: It failed, or not every record came.
        """
        api = subject.ledger.partition("-")[0]
        sandbox = self.sandbox(api)
        canned = Served(
            [BIN / "python", HERE / "canned.py", subject.ledger, sandbox, str(rows), "--delay", str(delay_ms)]
        )
        try:
            command = self._command(subject, canned.url, rows)
            began = time.time()
            usage, came = self._counted(command, subject)
        finally:
            tally = canned.end()
        if came != rows:
            raise SubjectError(f"{came} of {rows} records came.")
        return {
            "subject": subject.name,
            "stream": subject.stream,
            "records": rows,
            "cpu_s": round(usage.cpu_s, 2),
            "wall_s": round(usage.wall_s, 2),
            "peak_mb": round(usage.peak_mb, 1),
            "delay_ms": delay_ms,
            "requests": tally["requests"],
            "server_s": round(tally["busy_s"], 2),
            "first_request_s": round(tally["first"] - began, 2),
        }

    def sandbox(self, api: str) -> str:
        """The address of an API's sandbox with a short ledger."""
        if api not in self._sandboxes:
            ledger, options = _SANDBOXES[api]
            path = self.folder / f"{api}.db"
            ledger(path, _RECORDED)
            served = Served([BIN / "erp-sandbox", "serve", api, "--path", path, *options])
            self._open.callback(served.end)
            self._sandboxes[api] = served.url
        return self._sandboxes[api]

    def catalog(self, subject: Subject) -> dict[str, Any]:
        """What our tap reads there: the stream alone."""
        key = json.dumps([subject.ours.tap, subject.ours.config])
        if key not in self._catalogs:
            config = self.folder / "discover.json"
            url = self.sandbox(subject.ledger.partition("-")[0])
            config.write_text(json.dumps(_settings(subject, url)))
            done = subprocess.run(
                [self.taps / subject.ours.tap, "--config", config, "--discover"],
                capture_output=True,
                check=False,
            )
            if done.returncode:
                raise SubjectError(done.stderr.decode(errors="replace")[-2_000:])
            catalog = json.loads(done.stdout)
            for each in catalog["streams"]:
                for entry in each["metadata"]:
                    if not entry["breadcrumb"]:
                        entry["metadata"]["selected"] = each["tap_stream_id"] == subject.stream
            self._catalogs[key] = catalog
        return self._catalogs[key]

    def _command(self, subject: Subject, url: str, rows: int) -> list[str | Path]:
        config = self.folder / "config.json"
        if subject.kind == "tap":
            catalog = self.folder / "catalog.json"
            catalog.write_text(json.dumps(self.catalog(subject)))
            config.write_text(json.dumps(_settings(subject, url)))
            return [self.taps / subject.ours.tap, "--config", config, "--catalog", catalog]
        config.write_text(json.dumps(self._plain_settings(subject, url, rows)))
        if subject.kind == "plain":
            return [BIN / "python", HERE / "plain_taps.py", subject.which, "--config", config]
        if subject.kind == "dlt":
            return [peers.installed("dlt"), HERE / "dlt_taps.py", subject.which, config]
        if subject.kind == "hotglue":
            return [peers.installed("xmltodict", "requests"), HERE / "hotglue_parse.py", config]
        return [BIN / "python", HERE / "tap_floors.py", subject.which, config]

    def _counted(self, command: list[str | Path], subject: Subject) -> tuple[Usage, int]:
        """Run it and count what it writes, as a target would take it and let it go."""
        log, counted = self.folder / "log", self.folder / "count"
        counted.unlink(missing_ok=True)
        if subject.kind == "dlt":
            with counted.open("wb") as file:
                usage = run(command, log, stdout=file)
            return usage, int(counted.read_text().split()[-1])
        line = " ".join(f"'{part}'" for part in command)
        expression = f'{_RECORD}, *"stream": *"{subject.stream}"'
        usage = run(["bash", "-c", f"exec {line} > >(grep -cE '{expression}' > {counted})"], log)
        for _ in range(100):
            if counted.exists() and counted.read_text().strip():
                break
            time.sleep(0.1)
        return usage, int(counted.read_text())

    def _plain_settings(self, subject: Subject, url: str, rows: int) -> dict[str, Any]:
        """What those who are no taps of ours are told: the schema, and how to ask."""
        (schema,) = (
            each["schema"]
            for each in self.catalog(subject)["streams"]
            if each["tap_stream_id"] == subject.stream
        )
        found = {
            "base_url": url,
            "stream": subject.stream,
            "schema": json.dumps(schema),
            "username": subject.ours.config.get("username", ""),
            "password": subject.ours.config.get("password", ""),
            "rows": rows,
            "folder": str(self.folder / "loaded"),
        }
        if subject.ledger == "sagex3-graphql":
            found["query"] = QUERY
        if subject.ledger == "intacct":
            found["login"] = login(url)
            found["fields"] = [name for name in schema["properties"] if name.isupper()]
        return found


class Served:
    """A server process.

    Args:
        command: Its command line; it says where it is.
    """

    def __init__(self, command: list[str | Path]) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        words = self._process.stdout.readline().split(maxsplit=1)
        if len(words) < 2:  # noqa: PLR2004
            raise SubjectError(f"{command[0]} did not start.")
        self.url = words[1].strip()

    def end(self) -> Any:
        """End it, and give what it says last."""
        self._process.send_signal(signal.SIGTERM)
        last, _ = self._process.communicate(timeout=30)
        return json.loads(last.strip().splitlines()[-1]) if last.strip().startswith("{") else {}


def _settings(subject: Subject, url: str) -> dict[str, Any]:
    return {**subject.ours.config, "base_url": url, "discover_custom_fields": False}
