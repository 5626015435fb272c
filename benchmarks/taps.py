"""``make bench-taps``: how fast taps read ledgers, beside the floors and other ways to read the same answers.

Answers come ready-made from another process (`canned.py`), so that what is measured is the reader: CPU seconds are of
its whole process, with its start. Each is a process of its own, at two sizes; a run that loses a record is no result.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import report_taps
from measure import SubjectError
from peers import UnavailableError
from tap_polls import measure_empty
from tap_runs import Runs
from tap_subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_subjects import Subject

DELAY = 50
"""Milliseconds a page, where seconds by the clock are compared with the server's own."""


def main() -> None:
    """Measure, print, and, if nothing was left out, write the results and the README's table."""
    given = _arguments()
    chosen = [each for each in SUBJECTS if not given.subject or any(n in each.name for n in given.subject)]
    whole = not given.subject and not given.quick and not given.skip_empty
    load = os.getloadavg()[0]
    # what is imported is compiled once, as wherever it is installed: discovery comes before the first run
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Runs(Path(folder), given.bin) as runs:
        results, absent = measured(runs, chosen, quick=given.quick)
        empty = [] if given.skip_empty else measure_empty(runs)
    if whole:
        report_taps.write(results, empty, absent, "make bench-taps", load)


def measured(
    runs: Runs, chosen: Iterable[Subject], *, quick: bool
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Every subject at both sizes, and once with a server that takes its time."""
    results: list[dict[str, Any]] = []
    absent: dict[str, str] = {}
    for subject in chosen:
        sizes = [max(size // 20, subject.page) for size in subject.sizes] if quick else subject.sizes
        try:
            for rows in sizes:
                results.append(runs.measured(subject, rows))
                print(report_taps.line(results[-1]), flush=True)
            if subject.waits:
                rows = subject.page * (40 if quick else 400)
                results.append(runs.measured(subject, rows, delay_ms=DELAY))
                print(report_taps.line(results[-1]), flush=True)
        except (SubjectError, UnavailableError) as error:
            absent[subject.name] = str(error)
            print(f"{subject.name} {error}", flush=True)
    return results, absent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--subject",
        action="append",
        default=[],
        help="only subjects whose name has this in it, such as tap-sagex3 or Intacct; writes no results",
    )
    parser.add_argument("--quick", action="store_true", help="a twentieth of the records; writes no results")
    parser.add_argument(
        "--skip-empty", action="store_true", help="without the run that finds nothing; writes no results"
    )
    parser.add_argument(
        "--bin",
        type=Path,
        default=Path(sys.executable).parent,
        help="where the taps are installed (default: beside this Python)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
