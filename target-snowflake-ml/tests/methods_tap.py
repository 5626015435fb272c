"""A tap with a stream for each load method, and what the warehouse has to hold once it was read to its end."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict

import snowflake.connector

INTEGER, TEXT = {"type": "integer"}, {"type": ["string", "null"]}
ACCOUNTS = 30
METHODS = {
    "log": {"load_method": "append-only"},
    "prices": {"load_method": "scd2"},
    "accounts": {"load_method": "overwrite"},
}
"""The setting ``streams``; bills and invoice_lines are upserted, the latter with the documents they are of."""


def schema(stream, properties, keys, **more):
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": properties},
        "key_properties": list(keys),
        **more,
    }


SCHEMAS = (
    schema("accounts", {"id": INTEGER, "read": INTEGER}, ["id"]),
    schema("bills", {"id": INTEGER, "name": TEXT}, ["id"]),
    schema("log", {"id": INTEGER}, []),
    schema("prices", {"id": INTEGER, "price": INTEGER}, ["id"]),
    schema("invoice_lines", {"doc": INTEGER, "line": INTEGER, "reading": INTEGER}, ["doc", "line"])
    | {"x-document-key": ["doc"]},
)


def record(stream, values, **more):
    return {"type": "RECORD", "stream": stream, "record": values, **more}


def state(number):
    bookmark = {"replication_key": "id", "replication_key_value": number}
    return {"type": "STATE", "value": {"bookmarks": {"log": bookmark}}}


def next_of(state):
    return state["bookmarks"]["log"]["replication_key_value"]


def moment(number):
    return f"2026-03-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z"


class Books:
    """What a tap reads: ``size`` changes. Every second one changes what the one before brought."""

    def __init__(self, size):
        self.size = size
        self.reads = 0

    def messages(self, since=0):
        """Everything from a bookmark on; the accounts are always read whole."""
        self.reads += 1
        yield from SCHEMAS
        for number in range(ACCOUNTS):
            yield record("accounts", {"id": number, "read": self.reads}, version=self.reads)
        yield {"type": "ACTIVATE_VERSION", "stream": "accounts", "version": self.reads}
        for number in range(since, self.size):
            thing, time_ = number // 2, number % 2
            yield record("bills", {"id": thing, "name": f"version {time_}"})
            yield record("log", {"id": number})
            yield record("prices", {"id": thing, "price": time_}, time_extracted=moment(number))
            for line in (1, 3) if time_ else (1, 2, 3):
                yield record("invoice_lines", {"doc": thing, "line": line, "reading": time_})
            if number % 10 == 9:
                yield state(number + 1)
        yield state(self.size)

    def check(self, warehouse, *, kills, most_repeated, audit="ML_AUDIT"):
        """See that nothing is lost, doubled or half done, and that the ledger says what is there."""
        things = range(self.size // 2)
        assert warehouse.rows("BILLS", "ID", "NAME") == [(number, "version 1") for number in things]
        assert warehouse.rows("ACCOUNTS", "ID", "READ") == [(n, self.reads) for n in range(ACCOUNTS)]
        came = Counter(number for (number,) in warehouse.rows("LOG", "ID"))
        assert sorted(came) == list(range(self.size))
        assert sum(came.values()) - self.size <= most_repeated, came.most_common(50)
        lines = warehouse.rows("INVOICE_LINES", "DOC", "LINE", "READING", where='"_SDC_DELETED_AT" IS NULL')
        assert sorted(lines) == [(doc, line, 1) for doc in things for line in (1, 3)]
        lost = warehouse.rows("INVOICE_LINES", "DOC", "LINE", where='"_SDC_DELETED_AT" IS NOT NULL')
        assert sorted(lost) == [(doc, 2) for doc in things]
        check_history(warehouse, {number: 1 for number in things})
        check_ledger(warehouse, kills=kills, audit=audit)


def check_history(warehouse, expected, table="PRICES", value="PRICE"):
    """See that each key has one current version, the expected one, and that no two versions overlap."""
    versions = defaultdict(list)
    for row in warehouse.rows(table, "ID", value, "_ML_VALID_FROM", "_ML_VALID_TO", "_ML_IS_CURRENT"):
        versions[row[0]].append(row[1:])
    assert sorted(versions) == sorted(expected)
    for key, found in versions.items():
        found.sort(key=lambda row: row[1])
        assert [current for *_, current in found] == [False] * (len(found) - 1) + [True], (key, found)
        assert found[-1][0] == expected[key] and found[-1][2] is None, (key, found)
        for (_, since, to, _), (_, after, *_) in zip(found, found[1:], strict=False):
            assert since < to <= after, (key, found)


def check_ledger(warehouse, *, kills=0, audit="ML_AUDIT"):
    """See that RUNS and BATCHES agree with each other and with the rows, and that nothing is left behind."""
    batches = warehouse.rows(
        "BATCHES", "BATCH_ID", "STREAM", "STATUS", "RECORDS_LOADED", "RUN_ID", schema=audit
    )
    assert [name for name, count in Counter(row[0] for row in batches).items() if count > 1] == []
    assert {row[2] for row in batches} <= {"loaded"}
    found = dict(
        warehouse.query(f'SELECT "_ML_BATCH_ID", COUNT(*) FROM "{warehouse.schema}"."LOG" GROUP BY 1')
    )
    assert found == {row[0]: row[3] for row in batches if row[1] == "log" and row[3]}
    runs = warehouse.rows("RUNS", "STARTED_AT", "RUN_ID", "STATUS", "RECORDS_LOADED", schema=audit)
    ends = Counter(row[2] for row in runs)
    assert set(ends) <= {"killed", "succeeded"}, ends
    assert ends["killed"] <= kills  # one that was killed before it could sign on is not known
    assert runs[-1][2] == "succeeded"
    own = sum(row[3] for row in batches if row[4] == runs[-1][1])
    assert runs[-1][3] == own
    assert warehouse.spooled() == []


class Reader:
    """A second session that looks at a table that is replaced, again and again."""

    def __init__(self, warehouse, pause):
        self.warehouse, self.pause = warehouse, pause
        self.seen, self.stopping = Counter(), threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(60)

    def look(self):
        with self.warehouse.connect() as connection:
            while not self.stopping.wait(self.pause):
                try:
                    sql = (
                        f'SELECT COUNT(*), MIN("READ"), MAX("READ") FROM "{self.warehouse.schema}"."ACCOUNTS"'
                    )
                    self.seen[connection.cursor().execute(sql).fetchone()] += 1
                except snowflake.connector.errors.ProgrammingError:
                    time.sleep(self.pause)  # it is not made yet

    def check(self):
        """It never saw anything but whole reads, or the empty table of the beginning."""
        assert all(
            row == (0, None, None) or (row[0] == ACCOUNTS and row[1] == row[2]) for row in self.seen
        ), self.seen
