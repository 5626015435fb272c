"""A poll that brings little to many tables: what it takes where each statement takes its time.

Every subject loads into tables that exist: a first load, unmeasured, makes them, and each measured one brings the
same keys with other values. One package's subjects share their tables.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import peers
import polls
from measure import SubjectError, Usage, run
from subjects import (
    BASELINE,
    BIN,
    HERE,
    MELTANOLABS,
    ONE_SESSION,
    OURS,
    OVER_SQL_API,
    TUNED,
    Field,
    Subject,
    meltanolabs_settings,
    our_settings,
    tuned_settings,
)
from warehouse import serving

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse import Warehouse

LATENCIES = (0, 100)
FOLDER = "polled"


@dataclass(frozen=True)
class Polled:
    """One subject's poll at one latency.

    Attributes:
        subject: Who.
        latency_ms: Milliseconds each statement is held back.
        streams: How many streams the poll has.
        statements: What the server was asked, statement by statement, the login's aside.
        wall_s: Seconds from the process's start to its end.
        cpu_s: CPU seconds of the process itself.
        kind: ``poll``, or ``empty`` for one that finds nothing newer.
        rows: Records of the poll.
        requests: In how many requests the statements went.
        statements_per_stream: Statements a stream.
        peak_mb: The most memory the process had resident, in MiB.
        sandbox_cpu_s: CPU seconds of the sandbox's Snowflake meanwhile, of which a real one would have spared ``wall_s``.
        version: Version of the subject.
    """

    subject: str
    latency_ms: int
    streams: int
    statements: int
    wall_s: float
    cpu_s: float
    kind: str
    rows: int
    requests: int
    statements_per_stream: float
    peak_mb: float
    sandbox_cpu_s: float
    version: str


@dataclass(frozen=True)
class _Taken:
    """One run, and what the server was asked meanwhile."""

    usage: Usage
    sandbox_cpu_s: float
    statements: int
    requests: int


def field_of_polls(baseline: Path | None = None) -> Field:
    """Those who poll.

    Args:
        baseline: Python of an environment with another version of the target, which polls too.
    """
    own = partial(Subject, command=(BIN / OURS,), version=version(OURS))
    found = Field()
    found.subjects = [
        own(OURS, settings=_with()),
        own(ONE_SESSION, settings=_with(parallel_loads=1)),
        own(OVER_SQL_API, settings=_with(transport="sql_api")),
    ]
    if baseline:
        told = peers.version_of(baseline, OURS)
        found.subjects.append(Subject(BASELINE, (baseline.parent / OURS,), version=told, settings=_with()))
    try:
        python = peers.installed(MELTANOLABS)
    except peers.UnavailableError as error:
        found.absent[MELTANOLABS] = f"cannot be installed here: {error}"
        return found
    command, told = (python, HERE / "peer.py"), peers.version_of(python, MELTANOLABS)
    for name, settings in ((MELTANOLABS, meltanolabs_settings), (TUNED, tuned_settings)):
        found.subjects.append(Subject(name, command, version=told, settings=settings, is_peer=True))
    return found


def _with(**settings: Any) -> Any:
    """The target's settings with some more, and a ledger of each subject's own."""

    def made(warehouse: Warehouse, schema: str, folder: Path) -> dict[str, Any]:
        return {**our_settings(warehouse, schema, folder), "audit_schema": f"{schema}_AUDIT", **settings}

    return made


def measure_polls(folder: Path, field: Field) -> list[Polled]:
    """Poll at each latency."""
    bench = _Polling(folder, field)
    results: list[Polled] = []
    for latency in LATENCIES:
        log = folder / f"requests-{latency}.jsonl"
        # the same files under another server: what was loaded stays
        with serving(folder, FOLDER, latency_ms=latency, request_log=log) as warehouse:
            if latency == LATENCIES[0]:
                bench.first(warehouse, log)
            results += bench.measured(warehouse, log, latency)
    return results


class _Polling:
    """All polls, in a folder that is gone afterwards."""

    def __init__(self, folder: Path, field: Field) -> None:
        self._folder = folder
        self._field = field
        commands = list(dict.fromkeys(subject.command for subject in field.subjects))
        self._schemas = {subject.name: f"P{commands.index(subject.command)}" for subject in field.subjects}
        self._revision = 0

    def first(self, warehouse: Warehouse, log: Path) -> None:
        """Make the tables, by the first subject of each package that can."""
        made: set[str] = set()
        for subject in [*self._field.subjects]:
            schema = self._schemas[subject.name]
            if schema not in made and self._tried(subject, warehouse, log, self._written()):
                made.add(schema)

    def measured(self, warehouse: Warehouse, log: Path, latency: int) -> list[Polled]:
        """Poll with other values, and then, for our target, with none."""
        results = []
        for subject in [*self._field.subjects]:
            self._revision += 1
            for kind, lines in (("poll", self._written()), ("empty", self._written("empty"))):
                if kind == "empty" and subject.is_peer:
                    continue
                taken = self._tried(subject, warehouse, log, lines)
                if taken is None:
                    break
                print(
                    f"  {latency:>3} ms  {subject.name:<36}{kind:<6}{taken.usage.wall_s:8.2f} s"
                    f"{taken.usage.cpu_s:8.2f} s CPU{taken.statements:7,} statements",
                    flush=True,
                )
                results.append(self._result(subject, latency, kind, taken))
        return results

    def _written(self, *empty: str) -> Path:
        path = self._folder / f"poll-{self._revision}{''.join(empty)}.jsonl"
        with path.open("wb") as file:
            command = [sys.executable, HERE / "polls.py", str(self._revision), *empty]
            subprocess.run(command, check=True, stdout=file)
        return path

    def _tried(self, subject: Subject, warehouse: Warehouse, log: Path, lines: Path) -> _Taken | None:
        try:
            return self._run(subject, warehouse, log, lines)
        except SubjectError as error:
            self._field.subjects.remove(subject)
            self._field.absent[subject.name] = f"fails on `poll`: {error}"
            print(f"  {subject.name} {self._field.absent[subject.name]}", flush=True)
            return None

    def _run(self, subject: Subject, warehouse: Warehouse, log: Path, lines: Path) -> _Taken:
        schema = self._schemas[subject.name]
        command, environment = subject.started(warehouse, schema, self._folder)
        states = self._folder / f"{schema}.states"
        before, cpu = _size(log), warehouse.cpu_s
        with lines.open("rb") as stdin, states.open("wb") as stdout:
            words = self._folder / f"{schema}.log"
            usage = run(command, words, stdin=stdin, stdout=stdout, environment=environment)
        cpu = warehouse.cpu_s - cpu
        with log.open("rb") as file:
            file.seek(before)
            requests = [json.loads(line) for line in file]
        if not states.read_bytes().strip():
            raise SubjectError("The state did not come out.")
        arrived = warehouse.polled(schema, self._revision)
        if arrived != len(polls.STREAMS) * polls.ROWS:
            raise SubjectError(
                f"{arrived} rows of {len(polls.STREAMS) * polls.ROWS} are as they were polled."
            )
        return _Taken(usage, cpu, sum(request["statements"] for request in requests), len(requests))

    def _result(self, subject: Subject, latency: int, kind: str, taken: _Taken) -> Polled:
        streams = len(polls.STREAMS)
        return Polled(
            subject=subject.name,
            latency_ms=latency,
            streams=streams,
            statements=taken.statements,
            wall_s=round(taken.usage.wall_s, 3),
            cpu_s=round(taken.usage.cpu_s, 3),
            kind=kind,
            rows=streams * polls.ROWS if kind == "poll" else 0,
            requests=taken.requests,
            statements_per_stream=round(taken.statements / streams, 2),
            peak_mb=round(taken.usage.peak_mb, 1),
            sandbox_cpu_s=round(taken.sandbox_cpu_s, 3),
            version=subject.version,
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def as_objects(results: list[Polled]) -> list[dict[str, Any]]:
    """The results as JSON has them."""
    return [asdict(each) for each in results]
