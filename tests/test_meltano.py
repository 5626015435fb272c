"""``meltano run`` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from books import schemas
from comparison import differences
from pipeline import BIN, ROOT
from filelock import FileLock

pytestmark = pytest.mark.xdist_group("end-to-end")


@pytest.fixture
def meltano(erp, warehouse, tmp_path):
    """Meltano in this project, with a system database of its own."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment["UV_COMPILE_BYTECODE"] = "1"
    environment["MELTANO_DATABASE_URI"] = f"sqlite:///{tmp_path / 'meltano.db'}"
    for prefix, settings in (("TAP_SAGE300", erp.config()), ("TARGET_SNOWFLAKE_ML", warehouse.config())):
        for name, value in settings.items():
            environment[f"{prefix}_{name.upper()}"] = value if isinstance(value, str) else json.dumps(value)

    def run(*arguments):
        result = subprocess.run(
            [BIN / "meltano", *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=550,
        )
        assert result.returncode == 0, result.stdout[-4000:]
        return result.stdout

    with FileLock(str(ROOT / ".meltano-install.lock")):
        run("install")
    return run


def test_second_meltano_run_moves_only_what_changed(meltano, erp, warehouse):
    meltano("run", "tap-sage300", "target-snowflake-ml")
    tables = {name for (name,) in warehouse.query("SELECT DISTINCT stream FROM ml_audit.batches")}
    assert {"vendors", "ap_invoice_lines", "gl_journal_lines", "gl_posted_transactions"} <= tables

    erp.advance(3)
    meltano("run", "tap-sage300", "target-snowflake-ml")
    for stream in sorted(tables):
        assert differences(erp, warehouse, stream, schemas()[stream]) == ([], []), stream
    runs = warehouse.query("SELECT status, records_loaded FROM ml_audit.runs ORDER BY started_at")
    assert [status for status, _ in runs] == ["succeeded", "succeeded"]
    assert 0 < runs[1][1] < runs[0][1]
