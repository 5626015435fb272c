"""Results as files, as text on a terminal, and as the table and the plot of the README."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import plot
from shapes import SHAPES
from subjects import BASELINE, FLOOR, MELTANOLABS, OURS, TUNED

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
README = HERE / "README.md"
TARGET_README = HERE.parent / OURS / "README.md"
LIBRARIES = ("msgspec", "pyarrow", "singer-sdk", "snowflake-connector-python")


@dataclass(frozen=True)
class Result:
    """One subject on one shape.

    Attributes:
        subject: Who.
        shape: On what.
        records: The difference of the two sizes; ``wall_s`` and ``cpu_s`` are theirs.
        wall_s: Seconds, for a target with those of the sandbox's Snowflake.
        cpu_s: CPU seconds of the process itself.
        peak_mb: The most memory it had resident at the larger size, in MiB.
        sizes: Both sizes.
        rounds: How often each size was run.
        version: Version of the subject.
        cpu_us_per_record: CPU microseconds a record.
        records_per_cpu_s: Records a CPU second.
        records_per_s: Records a second.
    """

    subject: str
    shape: str
    records: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    sizes: list[int]
    rounds: int
    version: str
    cpu_us_per_record: float
    records_per_cpu_s: int
    records_per_s: int


@dataclass(frozen=True)
class About:
    """When, where and of what a run was.

    Attributes:
        date: Day of the run.
        command: What was typed.
        machine: Cores and system.
        versions: Python's and the libraries'.
        load_average: Of the machine, before.
        start_up_s: Seconds of ``target-snowflake-ml --version``.
        absent: Who did not run, and why.
    """

    date: str
    command: str
    machine: str
    versions: str
    load_average: float
    start_up_s: float
    absent: dict[str, str]

    @classmethod
    def of_this_run(cls, command: str, load: float, start_up: float, absent: dict[str, str]) -> About:
        """Describe this run."""
        versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
        return cls(
            date=today(),
            command=command,
            machine=machine(),
            versions=f"Python {platform.python_version()}, {versions}",
            load_average=round(load, 2),
            start_up_s=round(start_up, 3),
            absent=absent,
        )


def write(results: list[Result], about: About) -> None:
    """Write the results, and the README's table and plot from them."""
    RESULTS.mkdir(exist_ok=True)
    dump("target.json", [asdict(result) for result in results])
    dump("run.json", asdict(about))
    (RESULTS / "target.svg").write_text(plot.drawn(results, SHAPES))
    between(README, "results", as_markdown(results, about))
    between(TARGET_README, "bench", as_summary(results, about))


def write_flat(results: list[dict[str, Any]], command: str) -> None:
    """Write what was found of the memory."""
    RESULTS.mkdir(exist_ok=True)
    dump("flat.json", results)
    rows = [
        f"| {result['records']:,} | {result['peak_mb']:,.0f} | {result['wall_s']:,.0f} | {result['cpu_s']:,.1f} |"
        for result in results
    ]
    lines = [
        f"{today()}, `{command}`, {machine()}, {OURS} {results[0]['version']}.",
        "",
        "| `invoices` | peak MB | wall s | CPU s |",
        "|---:|---:|---:|---:|",
        *rows,
    ]
    between(README, "flat", "\n".join(lines))


def write_polls(results: list[dict[str, Any]], command: str, absent: dict[str, str]) -> None:
    """Write what a poll took, into the results and both READMEs."""
    RESULTS.mkdir(exist_ok=True)
    dump("poll.json", results)
    head = f"{today()}, `{command}`, {machine()}."
    missing = [f"- {name} did not run: {first_line(reason)}" for name, reason in absent.items()]
    sentences = [f"- {sentence}" for sentence in poll_ratios(results)]
    between(README, "bench-poll", "\n".join([head, "", *_poll_table(results), "", *sentences, *missing]))
    short = [head, "", *_poll_summary(results), "", *sentences]
    between(TARGET_README, "bench-poll", "\n".join(short))


def poll_ratios(results: list[dict[str, Any]]) -> list[str]:
    """What is to be read of a poll: statements a stream, and the time beside the others'."""
    found = {(each["subject"], each["latency_ms"], each["kind"]): each for each in results}
    said = []
    for latency in dict.fromkeys(each["latency_ms"] for each in results):
        ours = found.get((OURS, latency, "poll"))
        if ours is None:
            continue
        others = [other for name in (MELTANOLABS, BASELINE) if (other := found.get((name, latency, "poll")))]
        parts = [
            f"{OURS} takes {ours['statements_per_stream']:.2f} statements a stream",
            *(
                f"{other['subject']} {other['statements_per_stream']:.1f}, and"
                f" {other['wall_s'] / ours['wall_s']:.1f} times as long"
                for other in others
            ),
        ]
        if empty := found.get((OURS, latency, "empty")):
            parts.append(f"a poll that finds nothing takes {empty['statements']} statements in all")
        said.append(f"{latency} ms a statement: {'; '.join(parts)}")
    return said


def _poll_table(results: list[dict[str, Any]]) -> list[str]:
    return [
        "| subject | version | ms a statement | records | statements | a stream | requests | wall s | CPU s | sandbox's CPU s | peak MB |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {'**' + each['subject'] + '**' if each['subject'] == OURS else each['subject']} | {each['version']} |"
            f" {each['latency_ms']} | {each['rows']:,} | {each['statements']:,} | {each['statements_per_stream']:.2f} |"
            f" {each['requests']:,} | {each['wall_s']:,.1f} | {each['cpu_s']:.1f} | {each['sandbox_cpu_s']:.1f} |"
            f" {each['peak_mb']:,.0f} |"
            for each in results
        ),
    ]


def _poll_summary(results: list[dict[str, Any]]) -> list[str]:
    """A row a subject, for the target's README."""
    found = {(each["subject"], each["latency_ms"]): each for each in results if each["kind"] == "poll"}
    latencies = sorted({latency for _, latency in found})
    rows = []
    for subject in dict.fromkeys(name for name, _ in found):
        each = [found.get((subject, latency)) for latency in latencies]
        walls = " | ".join(f"{one['wall_s']:,.1f}" if one else "" for one in each)
        statements = max(one["statements_per_stream"] for one in each if one)
        name = f"**{subject}**" if subject == OURS else subject
        rows.append(f"| {name} | {statements:.2f} | {walls} |")
    streams, records = results[0]["streams"], max(each["rows"] for each in results)
    heads = " | ".join(f"wall s, {latency} ms a statement" for latency in latencies)
    return [
        f"| {streams} streams, {records:,} records | statements a stream | {heads} |",
        f"|---|---:|{'---:|' * len(latencies)}",
        *rows,
    ]


def ratios(results: list[Result]) -> dict[str, tuple[float | None, dict[str, float]]]:
    """By shape: our CPU as a multiple of the floor's, and each peer's a record as a multiple of ours."""
    cost = {(result.subject, result.shape): result.cpu_us_per_record for result in results}
    found = {}
    for shape in SHAPES:
        ours, floor = (cost.get((name, shape)) for name in (OURS, FLOOR))
        if ours:
            peers = {name: peer / ours for name in (MELTANOLABS, TUNED) if (peer := cost.get((name, shape)))}
            found[shape] = (ours / floor if floor else None, peers)
    return found


def as_text(results: list[Result], about: About) -> str:
    """The table for a terminal."""
    lines = []
    for shape in SHAPES:
        some = [result for result in results if result.shape == shape]
        if some:
            lines += [
                "",
                f"{shape:<36}{'records/CPU s':>14}{'us CPU/record':>15}{'records/s':>12}{'peak MB':>9}",
            ]
        for each in some:
            lines.append(
                f"{each.subject:<36}{each.records_per_cpu_s:>14,}{each.cpu_us_per_record:>15.2f}"
                f"{each.records_per_s:>12,}{each.peak_mb:>9,.0f}"
            )
    lines += ["", *(_sentence(shape, *pair) for shape, pair in ratios(results).items())]
    lines += [f"{OURS} --version answers in {about.start_up_s:.2f} s"]
    lines += [f"{name}: {first_line(reason)}" for name, reason in about.absent.items()]
    return "\n".join(lines).lstrip("\n")


def as_markdown(results: list[Result], about: About) -> str:
    """The table for the README."""
    lines = [
        f"{about.date}, `{about.command}`, {about.machine}; {about.versions}. Load average before: {about.load_average}.",
        "",
        "![Records a CPU second](results/target.svg)",
    ]
    for shape in SHAPES:
        lines += [
            "",
            f"**`{shape}`**: {SHAPES[shape].about}.",
            "",
            "| subject | version | records a CPU second | CPU µs a record | records a second | peak MB | sizes |",
            "|---|---|---:|---:|---:|---:|---|",
        ]
        lines += [
            f"| {'**' + each.subject + '**' if each.subject == OURS else each.subject} | {each.version} |"
            f" {each.records_per_cpu_s:,} | {each.cpu_us_per_record:.2f} | {each.records_per_s:,} |"
            f" {each.peak_mb:,.0f} | {each.sizes[0]:,} / {each.sizes[1]:,} |"
            for each in results
            if each.shape == shape
        ]
    lines += ["", *(f"- {_sentence(shape, *pair)}" for shape, pair in ratios(results).items())]
    lines += [f"- `{OURS} --version` answers in {about.start_up_s:.2f} s"]
    lines += [f"- {name} did not run: {first_line(reason)}" for name, reason in about.absent.items()]
    return "\n".join(lines)


def as_summary(results: list[Result], about: About) -> str:
    """Records a CPU second by subject and shape, for the target's README."""
    found = {(each.subject, each.shape): each for each in results}
    subjects = list(dict.fromkeys(each.subject for each in results))
    lines = [
        f"Records a CPU second of the process itself, start-up left out; {about.date}, `{about.command}`, {about.machine}.",
        "Ratios are what to read; [benchmarks](../benchmarks/README.md) says how it is measured.",
        "",
        f"| subject | {' | '.join(f'`{shape}`' for shape in SHAPES)} | peak MB, `invoices` |",
        f"|---|{'---:|' * (len(SHAPES) + 1)}",
    ]
    for subject in subjects:
        figures = [found.get((subject, shape)) for shape in SHAPES]
        cells = [f"{each.records_per_cpu_s:,}" if each else "" for each in figures]
        peak = f"{figures[0].peak_mb:,.0f}" if figures[0] else ""
        name = f"**{subject}**" if subject == OURS else subject
        lines.append(f"| {name} | {' | '.join(cells)} | {peak} |")
    lines += ["", *(f"- {_sentence(shape, *pair)}" for shape, pair in ratios(results).items())]
    return "\n".join(lines)


def _sentence(shape: str, floor: float | None, peers: dict[str, float]) -> str:
    parts = [f"{OURS} takes {floor:.2f} times the CPU of {FLOOR}"] if floor else []
    if peers:
        times = " and ".join(f"{name} {peer:.0f}" for name, peer in peers.items())
        parts.append(f"{times} times that of {OURS}")
    return f"{shape}: {'; '.join(parts) or 'nothing to compare'}"


def first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return f"{lines[0]} {lines[-1]}" if len(lines) > 1 else "".join(lines)


def dump(name: str, found: Any) -> None:
    (RESULTS / name).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def between(readme: Path, name: str, text: str) -> None:
    """Put a text between a README's two marks of a name."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = readme.read_text().split(start)
    after = rest.split(end)[1]
    readme.write_text(f"{before}{start}\n{text}\n{end}{after}")


def today() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d}"


def machine() -> str:
    model = ""
    if sys.platform == "linux":
        names = [
            line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
        ]
        model = f" ({names[0].partition(':')[2].strip()})" if names else ""
    return f"{os.cpu_count()} cores{model}, {platform.system()} {platform.machine()}"
