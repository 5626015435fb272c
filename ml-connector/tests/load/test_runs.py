"""Notes of runs in the spool folder: what processes that were killed leave is cleared away."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta, timezone

import pytest

from ml_connector.load import clock
from ml_connector.load.runs import RunFile

LONG_AGO = time.time() - 7_200
DEAD, LIVING = "20260101T000000Z-00000000", "20260101T000000Z-00000001"


def test_a_process_that_was_killed_while_it_wrote_its_first_note_leaves_nothing_for_good(tmp_path):
    for name in (f"{DEAD}.run.lock", f"{DEAD}.run.arriving"):
        (tmp_path / name).write_bytes(b"{")
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    (tmp_path / f"{LIVING}.run.lock").touch()  # it is about to write one
    run = RunFile(tmp_path, "20260101T000000Z-00000002")
    assert run.open() == []
    run.close(forget=True)
    assert [path.name for path in tmp_path.iterdir()] == [f"{LIVING}.run.lock"]


def test_a_run_that_goes_on_for_hours_keeps_its_lock(tmp_path):
    living = RunFile(tmp_path, LIVING)
    living.open()
    for path in tmp_path.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    run = RunFile(tmp_path, "20260101T000000Z-00000002")
    assert run.open() == []
    run.close(forget=True)
    assert len(list(tmp_path.iterdir())) == 2
    living.close(forget=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("apart", [1_000_000, 1_000, 20])
def test_names_of_runs_sort_by_time_within_a_second(monkeypatch, apart):
    """What reads after what is told by the names: chance must not decide it."""
    moments = [
        datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=apart * n) for n in range(50)
    ]
    names = []
    for moment in moments:
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        names.append(clock.new_run_id())
    assert names == sorted(names)
