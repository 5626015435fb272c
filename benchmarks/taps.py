"""``make bench-taps``: how fast a tap reads a ledger, and whether its memory stays flat.

The sandbox serves the same ledger at two sizes; tap and server are processes of their own, and the server's CPU
is in nobody's seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ledgers
import report
from measure import SubjectError, run

if TYPE_CHECKING:
    from collections.abc import Callable

BIN = Path(sys.executable).parent
_X3 = {"folders": ["SAMINC"], "username": "ADMIN", "password": "admin"}
_FLAT = {"gl_journal_lines": {"class": "GACCENTRYD", "representation": "ZGACCENTRYD"}}


@dataclass(frozen=True)
class Subject:
    """A tap, and a way of reading a ledger with it."""

    name: str
    tap: str
    stream: str
    serve: str
    """What the sandbox serves."""
    ledger: Callable[[Path, int], None]
    sizes: tuple[int, int]
    config: dict[str, Any] = field(default_factory=dict)


SUBJECTS = (
    Subject(
        "tap-sageintacct",
        "tap-sageintacct",
        "gl_detail",
        "intacct",
        ledgers.intacct,
        (100_000, 1_000_000),
        {
            "sender_id": "SENDER",
            "sender_password": "SENDERPASS",
            "company_id": "SAMINC",
            "user_id": "WEBUSER",
            "user_password": "WEBPASS",
        },
    ),
    Subject(
        "tap-sagex3, GraphQL",
        "tap-sagex3",
        "gl_journal_lines",
        "sagex3",
        ledgers.sagex3,
        (50_000, 500_000),
        {**_X3, "api": "graphql"},
    ),
    Subject(
        "tap-sagex3, REST, a list of lines",
        "tap-sagex3",
        "gl_journal_lines",
        "sagex3",
        ledgers.sagex3,
        (50_000, 500_000),
        {**_X3, "api": "rest", "representations": _FLAT},
    ),
    Subject(
        "tap-sagex3, REST, document by document",
        "tap-sagex3",
        "gl_journal_lines",
        "sagex3",
        ledgers.sagex3,
        (5_000, 25_000),
        {**_X3, "api": "rest"},
    ),
)


def measured(subject: Subject, folder: Path, rows: int) -> dict[str, Any]:
    """Read the ledger once.

    Raises:
        SubjectError: If not every row came.
    """
    path = folder / f"{rows}.db"
    subject.ledger(path, rows)
    with subprocess.Popen(
        [BIN / "erp-sandbox", "serve", subject.serve, "--path", path], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split(maxsplit=1)[1].strip()
        config, catalog = folder / "config.json", folder / "catalog.json"
        config.write_text(json.dumps({**subject.config, "base_url": url, "discover_custom_fields": False}))
        catalog.write_text(json.dumps(_only(subject, config)))
        out, counted = folder / "out", folder / "count"
        counted.unlink(missing_ok=True)
        # what it writes is counted and let go, as a target would let it go
        command = f"{BIN / subject.tap} --config {config} --catalog {catalog}"
        usage = run(["bash", "-c", f'exec {command} > >(grep -c \'^."type":"RECORD"\' > {counted})'], out)
        server.terminate()
    for _ in range(100):
        if counted.exists() and counted.read_text().strip():
            break
        time.sleep(0.1)
    came = int(counted.read_text())
    if came != rows:
        raise SubjectError(f"{came} of {rows} rows came.")
    path.unlink()
    print(
        f"{subject.name:<40}{rows:>12,} rows{usage.wall_s:8.1f} s{usage.cpu_s:8.1f} s CPU{usage.peak_mb:8.0f} MB",
        flush=True,
    )
    return {
        "subject": subject.name,
        "stream": subject.stream,
        "records": rows,
        "wall_s": round(usage.wall_s, 2),
        "cpu_s": round(usage.cpu_s, 2),
        "peak_mb": round(usage.peak_mb, 1),
        "version": version(subject.tap),
    }


def _only(subject: Subject, config: Path) -> dict[str, Any]:
    command = [BIN / subject.tap, "--config", config, "--discover"]
    done = subprocess.run(command, check=True, capture_output=True)
    catalog: dict[str, Any] = json.loads(done.stdout)
    for each in catalog["streams"]:
        for entry in each["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = each["tap_stream_id"] == subject.stream
    return catalog


def main() -> None:
    """Measure both sizes of every subject and write them down."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        os.environ["PYTHONPYCACHEPREFIX"] = f"{name}/bytecode"
        folder = Path(name)
        results = [measured(subject, folder, rows) for subject in SUBJECTS for rows in subject.sizes]
        report.write_taps(results, "make bench-taps")


if __name__ == "__main__":
    main()
