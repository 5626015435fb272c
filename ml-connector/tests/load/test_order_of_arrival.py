"""What is carried out late, after what came after it, does not take its place."""

from __future__ import annotations

import threading

import pytest
from singer_messages import Stream, state

S = Stream()


@pytest.fixture
def overtaken(warehouse):
    """Loads messages in a run that is held up until another one has loaded others."""

    def load(early, late):
        held, go_on = threading.Event(), threading.Event()
        outcomes = []
        run = threading.Thread(target=lambda: outcomes.append(warehouse.load(*early)))

        def before(sql):
            """The first run asks for the audit tables, then for its own, whose batch is made by then."""
            if sql.startswith("SELECT t.table_name"):
                warehouse.asked += 1
                if warehouse.asked == 2:
                    held.set()
                    go_on.wait(30)

        warehouse.asked = 0
        warehouse.before = before
        run.start()
        assert held.wait(30)
        assert warehouse.load(*late).code == 0
        go_on.set()
        run.join(60)
        assert outcomes[0].code == 0

    return load


@pytest.mark.parametrize("method", ["upsert", "scd2"])
def test_a_run_that_is_overtaken_changes_nothing_that_came_after(warehouse, overtaken, method):
    warehouse.settings |= {"load_method": method, "parallel_loads": 1}
    warehouse.load(S.schema(), S.bill(1, "before"), state(1))
    overtaken([S.schema(), S.bill(1, "early"), S.bill(2, "early")], [S.schema(), S.bill(1, "late")])
    assert warehouse.rows(columns=["ID", "VENDOR_NAME"]) == [(1, "late"), (2, "early")]
