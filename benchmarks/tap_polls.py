"""A run that finds nothing new, of all streams of two companies, one after the other and four at a time."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import ledgers
from measure import SubjectError, run
from tap_runs import BIN, Served
from tap_subjects import SAGE300

if TYPE_CHECKING:
    from tap_runs import Runs

LATENCY = 100
"""Milliseconds a request."""
_CONCURRENCIES = (1, 4)


def measure_empty(runs: Runs) -> list[dict[str, Any]]:
    """Read both companies once, then twice again with nothing new.

    Raises:
        SubjectError: A run failed.
    """
    books, log = runs.folder / "empty.db", runs.folder / "log"
    ledgers.sage300(books, 0)
    config, state = runs.folder / "empty.json", runs.folder / "state.json"
    settings = {**SAGE300, "companies": ["SAMINC", "SAMLTD"], "discover_custom_fields": False}
    serve = [BIN / "erp-sandbox", "serve", "sage300", "--path", books, "--page-size", "1000"]
    command = [runs.taps / "tap-sage300", "--config", config]
    served = Served(serve)
    try:
        config.write_text(json.dumps({**settings, "base_url": served.url, "concurrency": 4}))
        done = subprocess.run(command, capture_output=True, check=False)
    finally:
        served.end()
    lines = [line for line in done.stdout.splitlines() if line.startswith(b'{"type":"STATE"')]
    if done.returncode or not lines:
        raise SubjectError(done.stderr.decode(errors="replace")[-2_000:])
    state.write_text(json.dumps(json.loads(lines[-1])["value"]))
    found = []
    for concurrency in _CONCURRENCIES:
        requests = runs.folder / "requests"
        requests.unlink(missing_ok=True)
        served = Served([*serve, "--latency", str(LATENCY), "--request-log", requests])
        try:
            config.write_text(json.dumps({**settings, "base_url": served.url, "concurrency": concurrency}))
            with (runs.folder / "out").open("wb") as out:
                usage = run([*command, "--state", state], log, stdout=out)
        finally:
            served.end()
        with (runs.folder / "out").open("rb") as out:
            records = sum(line.startswith(b'{"type":"RECORD"') for line in out)
        found.append(
            {
                "subject": f"tap-sage300, nothing new, concurrency {concurrency}",
                "stream": "all, of 2 companies",
                "records": records,
                "cpu_s": round(usage.cpu_s, 2),
                "wall_s": round(usage.wall_s, 2),
                "peak_mb": round(usage.peak_mb, 1),
                "delay_ms": LATENCY,
                "requests": sum(1 for _ in requests.open()),
            }
        )
        last = found[-1]
        print(f"{last['subject']:<50}{last['wall_s']:>9.1f} s{last['requests']:>6} requests", flush=True)
    return found
