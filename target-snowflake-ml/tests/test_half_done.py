"""Killed at any statement of making or changing a table: the next run finds what was begun and finishes it."""

from __future__ import annotations

from dataclasses import dataclass

from methods_tap import check_history, moment, record, schema
from trials import STRESS, chance, in_turn

INTEGER, TEXT = {"type": "integer"}, {"type": ["string", "null"]}
KEY = {"id": INTEGER, "company": {"type": "string"}}
AMOUNT = {"type": ["number", "null"], "multipleOf": 0.01, "x-precision": 10, "x-scale": 2}
LONGER = {"type": ["number", "null"], "multipleOf": 0.01, "x-precision": 19, "x-scale": 2}
EXACT = {"type": ["number", "null"], "multipleOf": 0.00001, "x-precision": 30, "x-scale": 5}
INSTANT = {"type": ["string", "null"], "format": "date-time"}
DAY = {"type": ["string", "null"], "format": "date"}
ANYTHING = {"type": ["object", "null"]}


@dataclass
class Change:
    """A stream before and after something about it changed.

    Attributes:
        before: Schema of its property ``value``; None if there is no such property.
        after: After the change.
        old: A value before.
        new: A value after.
        kept: What the warehouse makes of the old one, as text.
        arrives: What it makes of the new one.
        statements: About so many statements name the table.
        keys: Key properties before and after.
        method: Load method after the change.
        is_new: Whether there is no table before.
    """

    before: dict | None
    after: dict
    old: object
    new: object
    kept: str | None
    arrives: str | None
    statements: int
    keys: tuple = (["id"], ["id"])
    method: str = "upsert"
    is_new: bool = False

    def earlier(self, stream):
        """What an earlier run brought."""
        value = {} if self.before is None else {"value": self.before}
        yield schema(stream, KEY | value, self.keys[0])
        for number in (1, 2):
            values = {"value": self.old} if value else {}
            yield record(stream, {"id": number, "company": "A", **values}, time_extracted=moment(number))

    def later(self, stream):
        """What the run brings that is killed, and the next one."""
        yield schema(stream, KEY | {"value": self.after}, self.keys[1])
        for number in (2, 3):
            yield record(
                stream, {"id": number, "company": "A", "value": self.new}, time_extracted=moment(10 + number)
            )


CHANGES = {
    "made": Change(None, TEXT, None, "x", None, "x", 3, is_new=True),
    "a column more": Change(None, TEXT, None, "x", None, "x", 3),
    "more digits": Change(AMOUNT, LONGER, 1.5, 3.25, "1.50", "3.25", 3),
    "other digits": Change(AMOUNT, EXACT, 1.5, 0.12345, "1.50000", "0.12345", 7),
    "number to text": Change(AMOUNT, TEXT, 1.5, "x", "1.50", "x", 7),
    "instant to text": Change(
        INSTANT, TEXT, "2026-05-06T07:08:09.123456+02:00", "x", "2026-05-06T05:08:09.123456000+00:00", "x", 7
    ),
    "day to instant": Change(
        DAY, INSTANT, "2026-05-06", "2026-05-06T07:08:09Z", "2026-05-06 00:00:00.000 +0000", "2026-05-06 07:08:09.000 +0000", 7
    ),
    "text to anything": Change(TEXT, ANYTHING, "x", {}, "x", "{}", 7),
    "another key": Change(None, TEXT, None, "x", None, "x", 5, keys=(["id", "company"], ["id"])),
    "a history": Change(TEXT, TEXT, "x", "y", "x", "y", 9, method="scd2"),
}  # fmt: skip


@in_turn("change", *CHANGES)
def test_a_change_that_is_cut_in_half_is_finished(trial, change, way):
    wanted = CHANGES[change]
    places = range(wanted.statements)
    if not STRESS:
        places = chance(change).sample(places, 3)
    names = [f"bills_{place}" for place in places]
    settings = {"streams": {"bills_*": {"load_method": wanted.method}}, "parallel_loads": 1}
    if not wanted.is_new:
        trial.load([each for name in [*names, "bills_whole"] for each in wanted.earlier(name)])
    killed = [
        name
        for place, name in zip(places, names, strict=True)
        if trial.killed(wanted.later(name), place, f'"{name.upper()}"', **settings)
    ]
    assert len(killed) >= len(names) - 1, trial.network.statements[-20:]
    trial.load([each for name in [*names, "bills_whole"] for each in wanted.later(name)], **settings)
    check(trial, "BILLS_WHOLE", wanted)
    for name in names:
        table = name.upper()
        assert trial.warehouse.types(table) == trial.warehouse.types("BILLS_WHOLE"), name
        check(trial, table, wanted)


def check(trial, table, wanted):
    """See that old rows kept their values, and that new ones arrived."""
    if wanted.method == "scd2":
        check_history(trial.warehouse, {1: "x", 2: "y", 3: "y"}, table, "VALUE")
        return
    found = dict(trial.warehouse.query(f'SELECT "ID", TO_VARCHAR("VALUE") FROM "BOOKS"."{table}"'))
    new = {2: wanted.arrives, 3: wanted.arrives}
    assert found == (new if wanted.is_new else {1: wanted.kept, **new}), table
