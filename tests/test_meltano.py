"""``meltano run`` as a user types it."""

from __future__ import annotations

import pytest
from books import schemas
from comparison import differences
from pipeline import meltano_runner

pytestmark = pytest.mark.xdist_group("end-to-end")


@pytest.fixture
def meltano(erp, warehouse, tmp_path):
    """Meltano in this project, with a system database of its own."""
    return meltano_runner("TAP_SAGE300", erp.config(), warehouse, tmp_path)


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
