"""``make bench-taps``: how fast a tap reads a ledger, and whether its memory stays flat.

The sandbox serves the same ledger at two sizes; tap and server are processes of their own, and the server's CPU
is in nobody's seconds.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import report
from measure import SubjectError, run

BIN = Path(sys.executable).parent
SIZES = (100_000, 1_000_000)
TAP = "tap-sageintacct"
LOGIN = {
    "sender_id": "SENDER",
    "sender_password": "SENDERPASS",
    "company_id": "SAMINC",
    "user_id": "WEBUSER",
    "user_password": "WEBPASS",
}


def ledger(path: Path, rows: int) -> None:
    """A business whose GLDETAIL has so many rows, each like one that it had, twenty of them a batch."""
    code = f"from erp_sandbox import business; business.create({str(path)!r}, ('SAMINC',), 0.1, erps=('intacct',))"
    subprocess.run([sys.executable, "-c", code], check=True)
    with sqlite3.connect(path) as books:
        known = books.execute("SELECT entity, doc FROM intacct_records WHERE object = 'GLDETAIL'").fetchall()
        books.execute("DELETE FROM intacct_records WHERE object = 'GLDETAIL'")
        templates = [(entity, json.loads(doc)) for entity, doc in known]
        books.executemany(
            "INSERT INTO intacct_records (company, object, recordno, entity, doc) VALUES ('SAMINC', 'GLDETAIL', ?, ?, ?)",
            (_row(templates, number) for number in range(1, rows + 1)),
        )


def _row(templates: list[tuple[str, dict[str, Any]]], number: int) -> tuple[int, str, str]:
    entity, doc = templates[number % len(templates)]
    return number, entity, json.dumps({**doc, "RECORDNO": number, "BATCHKEY": str(number // 20 + 1)})


def measured(folder: Path, rows: int) -> dict[str, Any]:
    """Read the ledger once.

    Raises:
        SubjectError: If not every row came.
    """
    path = folder / f"{rows}.db"
    ledger(path, rows)
    with subprocess.Popen(
        [BIN / "erp-sandbox", "serve", "intacct", "--path", path], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split(maxsplit=1)[1].strip()
        config = folder / "config.json"
        config.write_text(json.dumps({**LOGIN, "base_url": url, "discover_custom_fields": False}))
        catalog = folder / "catalog.json"
        catalog.write_text(json.dumps(_only(config, "gl_detail")))
        out, counted = folder / "out", folder / "count"
        # what it writes is counted and let go, as a target would let it go
        count = f'exec {BIN / TAP} --config {config} --catalog {catalog} > >(grep -c \'^."type":"RECORD"\' > {counted})'
        usage = run(["bash", "-c", count], out)
        server.terminate()
    for _ in range(100):
        if counted.exists() and counted.read_text().strip():
            break
        time.sleep(0.1)
    came = int(counted.read_text())
    if came != rows:
        raise SubjectError(f"{came} of {rows} rows came.")
    path.unlink()
    print(f"{rows:>12,} rows{usage.wall_s:8.1f} s{usage.cpu_s:8.1f} s CPU{usage.peak_mb:8.0f} MB", flush=True)
    return {
        "subject": TAP,
        "stream": "gl_detail",
        "records": rows,
        "wall_s": round(usage.wall_s, 2),
        "cpu_s": round(usage.cpu_s, 2),
        "peak_mb": round(usage.peak_mb, 1),
        "version": version(TAP),
    }


def _only(config: Path, stream: str) -> dict[str, Any]:
    done = subprocess.run([BIN / TAP, "--config", config, "--discover"], check=True, capture_output=True)
    catalog: dict[str, Any] = json.loads(done.stdout)
    for each in catalog["streams"]:
        for entry in each["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = each["tap_stream_id"] == stream
    return catalog


def main() -> None:
    """Measure both sizes and write them down."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        os.environ["PYTHONPYCACHEPREFIX"] = f"{name}/bytecode"
        report.write_taps([measured(Path(name), rows) for rows in SIZES], "make bench-taps")


if __name__ == "__main__":
    main()
