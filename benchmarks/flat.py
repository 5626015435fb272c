"""Whether memory stays flat: the target's peak at 200,000 records and at 5,000,000, made while it reads them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

from measure import SubjectError, run
from shapes import SHAPES
from subjects import HERE, OURS, field_of

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse import Warehouse

SIZES = (200_000, 5_000_000)


def measure_flat(folder: Path, warehouse: Warehouse) -> list[dict[str, Any]]:
    """Load the invoices at both sizes through a pipe.

    Raises:
        SubjectError: If not every record arrived.
    """
    (subject,) = field_of([OURS]).subjects
    shape = SHAPES["invoices"]
    results = []
    for size in SIZES:
        schema = f"FLAT{size}"
        command, environment = subject.started(warehouse, schema, folder)
        maker = [sys.executable, HERE / "shapes.py", shape.name, str(size)]
        with subprocess.Popen(maker, stdout=subprocess.PIPE) as lines:
            assert lines.stdout is not None
            usage = run(command, folder / f"{schema}.log", stdin=lines.stdout, environment=environment)
        arrived = warehouse.settle(schema, shape.name.upper())
        if arrived != size:
            raise SubjectError(f"{arrived} of {size} records arrived.")
        result = {
            "subject": subject.name,
            "shape": shape.name,
            "records": size,
            "wall_s": round(usage.wall_s, 2),
            "cpu_s": round(usage.cpu_s, 2),
            "peak_mb": round(usage.peak_mb, 1),
            "version": subject.version,
        }
        results.append(result)
        print(f"{size:>12,} records{usage.wall_s:8.1f} s{usage.peak_mb:8.0f} MB at most", flush=True)
    return results
