"""Two runs at once on one table: it ends as if one had followed the other, or one stops with a sentence."""

from __future__ import annotations

import threading

import pytest
from methods_tap import METHODS, check_history, record, schema
from trials import STRESS, WAYS

INTEGER, TEXT = {"type": "integer"}, {"type": ["string", "null"]}
KEYS = 20
TIMES = 6 if STRESS else 1


def messages(who, *, more=False):
    """One tap of two: both bring the same keys; under ``more`` their schemas have grown."""
    number = {"type": "number", "multipleOf": 0.01, "x-precision": 10, "x-scale": 2}
    value = TEXT if more else number
    extra = {"note": TEXT} if more else {}
    told = {"note": who} if more else {}
    amount = str(1.5) if more else 1.5
    for stream, keys in (("bills", ["id"]), ("log", []), ("prices", ["id"]), ("accounts", ["id"])):
        yield schema(stream, {"id": INTEGER, "who": TEXT, "value": value, **extra}, keys)
    for stream in ("bills", "log", "prices", "accounts"):
        for key in range(KEYS):
            yield record(stream, {"id": key, "who": who, "value": amount, **told}, version=1)
    yield {"type": "ACTIVATE_VERSION", "stream": "accounts", "version": 1}
    yield {"type": "STATE", "value": {"bookmarks": {}}}


def meeting(*words):
    """The first two runs that come to a kind of statement wait for each other, and go on at once."""
    barriers = {word: threading.Barrier(2) for word in words}

    def wait(barrier):
        try:
            barrier.wait(5)
        except threading.BrokenBarrierError:
            pass  # nobody else came: it goes on alone

    def trouble(path, statement):
        for word, barrier in barriers.items():
            if word in statement and not barrier.broken:
                return lambda: wait(barrier)
        return None

    return trouble


MEETINGS = {
    "nowhere": (),
    "making": ('CREATE TABLE IF NOT EXISTS "BOOKS"',),
    "widening": ('__ML_WIDER" VARCHAR', 'ADD COLUMN "NOTE"'),
    "loading": ('MERGE INTO "BOOKS"',),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "size", [0, 256_000] if STRESS else [256_000], ids=lambda size: "small" if size else "large"
)
@pytest.mark.parametrize("time", range(TIMES))
def test_two_runs_at_once_end_as_if_one_had_followed_the_other(trial, way, size, time):
    settings = {"small_batch_bytes": size, "streams": METHODS, "max_retry_time": 60, "batch_size_rows": 7}
    trial.network.trouble = meeting(*MEETINGS["making"], *MEETINGS["loading"])
    check(trial, trial.together(list(messages("A")), list(messages("B")), **settings), ["A", "B"], [])
    trial.network.trouble = meeting(*MEETINGS["widening"], *MEETINGS["loading"])
    runs = trial.together(list(messages("C", more=True)), list(messages("D", more=True)), **settings)
    check(trial, runs, ["C", "D"], ["A", "B"], more=True)


def check(trial, runs, names, before, *, more=False):
    warehouse = trial.warehouse
    codes = [run.wait() for run in runs]
    for run, code in zip(runs, codes, strict=True):
        assert code in {0, 1}, run.log
        assert "Traceback" not in run.log, run.log
    assert 0 in codes, [run.log for run in runs]
    through = [name for name, code in zip(names, codes, strict=True) if code == 0]
    print(codes, [run.log.splitlines()[-1][:300] for run, code in zip(runs, codes, strict=True) if code])
    bills = warehouse.rows("BILLS", "ID", "WHO", "VALUE")
    assert [row[0] for row in bills] == list(range(KEYS))
    log = warehouse.rows("LOG", "WHO", "ID")
    for name in [*before, *through]:
        assert sorted(key for who, key in log if who == name) == list(range(KEYS)), name
    accounts = warehouse.rows("ACCOUNTS", "ID", "WHO")
    assert [key for key, _ in accounts] == list(range(KEYS))
    assert len({who for _, who in accounts}) == 1
    prices = dict(warehouse.rows("PRICES", "ID", "WHO", where='"_ML_IS_CURRENT"'))
    check_history(warehouse, prices, value="WHO")
    if len(through) == len(names):
        assert {who for _, who, _ in bills} <= set(names)
        assert {who for _, who in accounts} <= set(names)
    if more:
        assert {str(row[2]) for row in bills} == {"1.5"}
        assert "VALUE__ML_OLD" not in warehouse.types("BILLS")
        assert set(warehouse.rows("LOG", "WHO", "VALUE", where="\"WHO\" = 'A'")) == {("A", "1.50")}
    batches = warehouse.audit("BATCHES", "BATCH_ID", "STATUS")
    assert len({name for name, _ in batches}) == len(batches)
    loaded = {name for name, status in batches if status == "loaded"}
    assert {name for (name,) in warehouse.rows("LOG", "_ML_BATCH_ID")} <= loaded
