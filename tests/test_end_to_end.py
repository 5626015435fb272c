"""tap-sage300 into target-snowflake-ml, real processes over real HTTP."""

from __future__ import annotations

import random
import time

import pytest
from books import schemas
from comparison import differences
from pipeline import everything, only

pytestmark = pytest.mark.xdist_group("end-to-end")


def assert_same_books(erp, warehouse, streams):
    wrong = {}
    for stream in streams:
        missing, surplus = differences(erp, warehouse, stream, schemas()[stream])
        if missing or surplus:
            wrong[stream] = {"only in the ERP": missing, "only in the warehouse": surplus}
    assert not wrong


def test_every_stream_arrives_value_by_value_and_stays_equal_after_three_days(erp, warehouse, pipe):
    catalog = everything(pipe.discover(erp.config()))
    names = [stream["tap_stream_id"] for stream in catalog["streams"]]
    assert set(names) >= set(schemas())

    pipe.finish(*pipe.run(erp.config(), warehouse.config(), catalog=catalog))
    assert_same_books(erp, warehouse, schemas())
    assert warehouse.query("SELECT COUNT(*) FROM ml_audit.dead_letters") == [(0,)]

    first = dict(warehouse.query("SELECT stream, SUM(records_loaded) FROM ml_audit.batches GROUP BY 1"))
    erp.advance(3)
    pipe.finish(*pipe.run(erp.config(), warehouse.config(), catalog=catalog))
    assert_same_books(erp, warehouse, schemas())
    both = dict(warehouse.query("SELECT stream, SUM(records_loaded) FROM ml_audit.batches GROUP BY 1"))
    for stream in ("vendors", "ap_posted_documents", "gl_posted_transactions", "ap_invoice_lines"):
        assert 0 < both[stream] - first[stream] < first[stream], f"{stream} was read whole again"


def test_two_runs_on_one_day_lose_nothing_and_duplicate_nothing(erp, warehouse, pipe):
    wanted = ("vendors", "customers", "ap_invoice_batches", "ap_invoice_lines", "gl_journal_lines")
    catalog = only(pipe.discover(erp.config()), *wanted)
    for _ in range(2):
        pipe.finish(*pipe.run(erp.config(), warehouse.config(), catalog=catalog))
        assert_same_books(erp, warehouse, wanted)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_killed_at_a_random_page_is_resumed(erp, warehouse, pipe, seed):
    wanted = ("vendors", "items", "gl_accounts", "orders", "order_lines", "gl_posted_transactions")
    catalog = only(pipe.discover(erp.config()), *wanted)
    target = warehouse.config(batch_size_rows=40)
    start = erp.request_count()
    last = start + random.Random(seed).randint(5, 25)
    left, right = pipe.run(erp.config(), target, catalog=catalog)
    while erp.request_count() < last and left.poll() is None:
        time.sleep(0.01)
    left.kill()
    pipe.finish(left, right, killed=True)
    pipe.finish(*pipe.run(erp.config(), target, catalog=catalog))
    assert_same_books(erp, warehouse, wanted)


def test_columns_selected_later_are_added_to_the_table(erp, warehouse, pipe):
    catalog = only(pipe.discover(erp.config()), "vendors")
    few = {"source_company", "source_module", "VendorNumber", "VendorName", "DateLastMaintained"}
    for entry in next(s for s in catalog["streams"] if s["tap_stream_id"] == "vendors")["metadata"]:
        if entry["breadcrumb"]:
            entry["metadata"]["selected"] = entry["breadcrumb"][-1] in few
    pipe.finish(*pipe.run(erp.config(), warehouse.config(), catalog=catalog))
    missing, surplus = differences(erp, warehouse, "vendors", schemas()["vendors"], columns=few)
    assert (missing, surplus) == ([], [])
    assert len(warehouse.rows("VENDORS")[0]) < 20

    pipe.state = {}
    pipe.finish(
        *pipe.run(erp.config(), warehouse.config(), catalog=only(pipe.discover(erp.config()), "vendors"))
    )
    assert_same_books(erp, warehouse, ["vendors"])


def test_a_wrong_password_is_one_sentence_and_loads_nothing(erp, warehouse, pipe):
    left, right = pipe.run(erp.config(password="Wr0ng-Secret"), warehouse.config())
    right.communicate(timeout=60)
    assert left.wait(60) == 1
    log = (pipe.folder / "tap.log").read_text()
    assert "password" in log.lower()
    assert "Traceback" not in log
    assert "WR0NG-SECRET" not in log.upper()
