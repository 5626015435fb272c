"""``make bench``: how fast lines become rows, side by side.

Every subject reads the same generated lines in a process of its own, in one run, at two sizes; the difference of the
two leaves start-up out. Figures are of one machine and one run: read them as ratios.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from itertools import product
from pathlib import Path

import polls
import report
from flat import measure_flat
from measure import SubjectError, Usage, run
from poll import as_objects, field_of_polls, measure_polls
from shapes import SHAPES, Shape
from subjects import BIN, HERE, OURS, Field, Subject, field_of
from warehouse import Warehouse, serving

STARTS = 7


class Bench:
    """One run of all of it, in a folder that is gone afterwards."""

    def __init__(self, folder: Path, warehouse: Warehouse, rounds: int) -> None:
        self._folder = folder
        self._warehouse = warehouse
        self._rounds = rounds
        self._runs = 0

    def shape(self, shape: Shape, field: Field) -> list[report.Result]:
        """Measure every subject on one shape, in turns, so that a slow minute is everybody's.

        Of each size the least of all rounds counts: what else the machine does only adds.
        """
        files = {size: self._written(shape, size) for subject in field.subjects for size in subject.sizes}
        taken: dict[tuple[str, int], list[Usage]] = defaultdict(list)
        subjects = list(field.subjects)
        for turn, subject in product(range(self._rounds), field.subjects):
            if subject not in subjects:
                continue
            try:
                for size in subject.sizes:
                    taken[subject.name, size].append(self._run(subject, shape, files[size], size))
            except SubjectError as error:
                subjects.remove(subject)
                field.absent[subject.name] = f"fails on `{shape.name}`: {error}"
                print(f"  {subject.name} {field.absent[subject.name]}", flush=True)
                continue
            last = taken[subject.name, subject.sizes[1]][-1]
            print(f"  {turn + 1}  {subject.name:<36}{last.wall_s:8.2f} s{last.cpu_s:8.2f} s CPU", flush=True)
        for file in files.values():
            file.unlink()
        return [self._result(subject, shape, taken) for subject in subjects]

    def start_up(self) -> float:
        """Seconds until ``target-snowflake-ml --version`` has answered."""
        log = self._folder / "version.log"
        return min(run([BIN / OURS, "--version"], log).wall_s for _ in range(STARTS))

    def _written(self, shape: Shape, size: int) -> Path:
        path = self._folder / f"{shape.name}-{size}.jsonl"
        with path.open("wb") as file:
            command = [sys.executable, HERE / "shapes.py", shape.name, str(size)]
            subprocess.run(command, check=True, stdout=file)
        return path

    def _run(self, subject: Subject, shape: Shape, lines: Path, size: int) -> Usage:
        self._runs += 1
        schema = f"R{self._runs:03d}"
        command, environment = subject.started(self._warehouse, schema, self._folder)
        with lines.open("rb") as stdin:
            usage = run(command, self._folder / f"{schema}.log", stdin=stdin, environment=environment)
        if subject.settings is not None:
            arrived = self._warehouse.settle(schema, shape.name.upper())
            if arrived != size:
                raise SubjectError(f"{arrived} of {size} records arrived.")
        return usage

    def _result(
        self, subject: Subject, shape: Shape, taken: dict[tuple[str, int], list[Usage]]
    ) -> report.Result:
        small, large = (taken[subject.name, size] for size in subject.sizes)
        records = subject.sizes[1] - subject.sizes[0]
        cpu = min(usage.cpu_s for usage in large) - min(usage.cpu_s for usage in small)
        wall = min(usage.wall_s for usage in large) - min(usage.wall_s for usage in small)
        return report.Result(
            subject=subject.name,
            shape=shape.name,
            records=records,
            wall_s=round(wall, 4),
            cpu_s=round(cpu, 4),
            peak_mb=round(max(usage.peak_mb for usage in large), 1),
            sizes=list(subject.sizes),
            rounds=len(large),
            version=subject.version,
            cpu_us_per_record=round(cpu / records * 1e6, 3),
            records_per_cpu_s=round(records / cpu),
            records_per_s=round(records / wall),
        )


def main() -> None:
    """Measure, print, and, if nothing was left out, write the results and the README's table."""
    arguments = _arguments()
    whole = not arguments.shape and not arguments.subject
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        _keep_bytecode(folder)
        free = shutil.disk_usage(folder).free >> 30
        print(f"Working in {folder}, {free} GiB free; load average {load:.1f}", flush=True)
        if arguments.poll:
            _poll(folder, arguments)
            return
        with serving(folder) as warehouse:
            if arguments.flat:
                report.write_flat(measure_flat(folder, warehouse), arguments.command)
                return
            field = field_of(arguments.subject, arguments.baseline)
            bench = Bench(folder, warehouse, arguments.rounds)
            results = []
            for shape in [SHAPES[name] for name in arguments.shape or SHAPES]:
                print(f"{shape.name}: {shape.about}", flush=True)
                results += bench.shape(shape, field)
            about = report.About.of_this_run(arguments.command, load, bench.start_up(), field.absent)
        print("\n" + report.as_text(results, about) + "\n", flush=True)
        if whole:
            report.write(results, about)
            _poll(folder, arguments)


def _poll(folder: Path, arguments: argparse.Namespace) -> None:
    """Measure a poll, and write its results."""
    print(f"poll: {len(polls.STREAMS)} streams of {polls.ROWS} records into tables that exist", flush=True)
    field = field_of_polls(arguments.baseline)
    found = as_objects(measure_polls(folder, field))
    report.write_polls(found, arguments.command, field.absent)
    print("\n" + "\n".join(report.poll_ratios(found)))


def _keep_bytecode(folder: Path) -> None:
    """Compile what is imported once, as wherever it is installed, whatever this environment says."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", action="append", choices=SHAPES, help="only this shape; writes no results")
    parser.add_argument("--subject", action="append", default=[], help="only this subject; writes no results")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (default: 3)")
    parser.add_argument(
        "--flat", action="store_true", help="only the peak memory, at 200,000 and at 5,000,000 records"
    )
    parser.add_argument("--poll", action="store_true", help="only the poll; writes its results")
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="PYTHON",
        help="Python of another environment: its target-snowflake-ml runs too, as target-snowflake-ml-baseline",
    )
    found = parser.parse_args()
    given = ["PYTHON" if word == str(found.baseline) else word for word in sys.argv[1:]]
    found.command = " ".join(["python benchmarks/run.py" if given else "make bench", *given])
    if found.baseline:
        found.baseline = found.baseline.absolute()
    return found


if __name__ == "__main__":
    main()
