"""How fast lines become Parquet, beside the floors: ``make bench``.

Every subject reads the same generated file in a process of its own, in one run, at two sizes; the difference of the
two leaves start-up out. Figures are of this machine and this run: read them as ratios.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "decode.json"
SIZES = (50_000, 200_000)
AMOUNTS, DATES, NAMES = 8, 4, 10
BATCH_ROWS = 100_000


def schema() -> dict[str, object]:
    """The invoices shape: 25 columns."""
    decimal = {"type": ["number", "null"], "multipleOf": 0.001, "x-precision": 19, "x-scale": 3}
    return {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "posted": {"type": ["boolean", "null"]},
            "details": {"type": ["object", "null"]},
            **{f"amount_{n}": decimal for n in range(AMOUNTS)},
            **{f"date_{n}": {"type": ["string", "null"], "format": "date-time"} for n in range(DATES)},
            **{f"name_{n}": {"type": ["string", "null"]} for n in range(NAMES)},
        },
    }


def write(path: Path, count: int) -> None:
    """Write ``count`` RECORD lines."""
    with path.open("w") as file:
        for n in range(count):
            amounts = ",".join(f'"amount_{i}":{n * (i + 1)}.{n % 1000:03d}' for i in range(AMOUNTS))
            dates = ",".join(
                f'"date_{i}":"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}T00:00:00Z"' for i in range(DATES)
            )
            names = ",".join(f'"name_{i}":"Northern Supplies {n % 997} {i}"' for i in range(NAMES))
            file.write(
                f'{{"type":"RECORD","stream":"invoices","record":{{"id":{n},"posted":true,"details":{{"n":{n}}},'
                f'{amounts},{dates},{names}}},"time_extracted":"2026-11-20T10:00:00Z"}}\n',
            )


def floor_json(path: Path) -> None:
    """What the standard library needs to parse the lines and do nothing with them."""
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def floor_msgspec(path: Path) -> None:
    """What msgspec needs to parse the lines untyped."""
    import msgspec  # noqa: PLC0415 - the import is part of the subject

    decode = msgspec.json.Decoder().decode
    with path.open("rb") as file:
        for line in file:
            decode(line)


def ours(path: Path) -> None:
    """Typed decode, Arrow and Parquet, as the targets do it."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - the import is part of the subject
    from ml_connector.load.decode import StreamDecoder  # noqa: PLC0415

    decoder = StreamDecoder("invoices", schema(), ["id"])
    with path.open("rb") as file, tempfile.TemporaryDirectory() as folder:
        number = 0
        while lines := [line for _, line in zip(range(BATCH_ROWS), file, strict=False)]:
            table, rejected = decoder.decode(lines)
            if rejected:
                sys.exit(f"{len(rejected)} lines were rejected: {rejected[0].message}")
            pq.write_table(table, Path(folder) / f"{number}.parquet", compression="zstd")
            number += 1


SUBJECTS = {
    "floor-json-loads": floor_json,
    "floor-msgspec": floor_msgspec,
    "ml-connector-decode-parquet": ours,
}


def measure(subject: str, path: Path) -> dict[str, float]:
    """Run one subject in a process of its own; wall and CPU seconds, peak memory in MB."""
    output = subprocess.run([sys.executable, __file__, subject, path], check=True, capture_output=True).stdout
    return dict(json.loads(output))


def child(subject: str, path: str) -> None:
    """The measured process."""
    started = time.perf_counter()
    SUBJECTS[subject](Path(path))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "wall_s": time.perf_counter() - started,
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "peak_mb": usage.ru_maxrss / 1024,
            },
        ),
    )


def main() -> None:
    """Measure every subject at both sizes and write the differences."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        files = {size: Path(folder) / f"{size}.jsonl" for size in SIZES}
        for size, path in files.items():
            write(path, size)
        for subject in SUBJECTS:
            small, large = (measure(subject, files[size]) for size in SIZES)
            records = SIZES[1] - SIZES[0]
            result = {
                "subject": subject,
                "shape": "invoices",
                "records": records,
                "wall_s": round(large["wall_s"] - small["wall_s"], 3),
                "cpu_s": round(large["cpu_s"] - small["cpu_s"], 3),
                "peak_mb": round(large["peak_mb"]),
            }
            results.append(result)
            print(
                f"{subject:<32}{records / result['cpu_s']:>12,.0f} records per CPU second{large['peak_mb']:>8,.0f} MB"
            )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    child(*sys.argv[1:]) if len(sys.argv) > 1 else main()
