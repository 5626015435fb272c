"""Tables that grow: columns are added and widened, no digit is lost, and no cut leaves a table half changed."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from singer_messages import Stream, state
from warehouse import fail_always, fail_at

from ml_connector.load.errors import LoadError

S = Stream("t", {"id": {"type": "integer"}, "v": {"type": ["string", "null"]}})
ID = {"id": {"type": "integer"}}


def of(kind):
    return S.schema({**ID, "v": kind})


def number(precision, scale):
    return {
        "type": ["number", "null"],
        "multipleOf": 10**-scale,
        "x-precision": precision,
        "x-scale": scale,
    }


TEXT = {"type": ["string", "null"]}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
DATE = {"type": ["string", "null"], "format": "date"}
TIME = {"type": ["string", "null"], "format": "time"}
WHOLE = {"type": ["integer", "null"]}
FLOAT = {"type": ["number", "null"]}
FLAG = {"type": ["boolean", "null"]}
OBJECT = {"type": ["object", "null"]}


class Raw(str):
    """A number as it stands in the message."""


def record(key, value):
    if isinstance(value, Raw):
        return f'{{"type": "RECORD", "stream": "t", "record": {{"id": {key}, "v": {value}}}}}\n'.encode()
    return S.record(id=key, v=value)


WIDER = {
    "whole to decimal": (WHOLE, 9223372036854775807, number(38, 9), Raw("1.000000001"),
                         [Decimal("9223372036854775807.000000000"), Decimal("1.000000001")]),
    "decimal to wider": (number(19, 3), Raw("1234567890123456.789"), number(25, 5), Raw("1.23456"),
                         [Decimal("1234567890123456.78900"), Decimal("1.23456")]),
    "decimal to text": (number(38, 3), Raw("12345678901234567890123456789012345.678"), number(38, 20), Raw("0.5"),
                        ["12345678901234567890123456789012345.678", "0.50000000000000000000"]),
    "moment to text": (MOMENT, "2026-01-02T03:04:05.123456Z", TEXT, "x", ["2026-01-02T03:04:05.123456+00:00", "x"]),
    "float to text": (FLOAT, 0.1234567890123456, TEXT, "x", ["0.1234567890123456", "x"]),
    "time to text": (TIME, "03:04:05.123456", TEXT, "x", ["03:04:05.123456", "x"]),
    "date to text": (DATE, "2026-01-02", TEXT, "x", ["2026-01-02", "x"]),
    "flag to text": (FLAG, True, TEXT, "x", ["true", "x"]),
    "date to moment": (DATE, "2026-01-02", MOMENT, "2026-01-03T04:05:06Z", None),
    "whole to text": (WHOLE, 9007199254740993, TEXT, "x", ["9007199254740993", "x"]),
}  # fmt: skip


@pytest.mark.parametrize("together", [False, True], ids=["two runs", "one run"])
@pytest.mark.parametrize("case", WIDER)
def test_a_column_widens_and_every_digit_stays(warehouse, case, together):
    before, first, after, second, expected = WIDER[case]
    messages = [of(before), record(1, first)], [of(after), record(2, second), state(1)]
    if together:
        # both schemas' small batches may share one transaction
        outcome = warehouse.load(*messages[0], *messages[1], parallel_loads=1)
    else:
        warehouse.load(*messages[0])
        outcome = warehouse.load(*messages[1])
    assert outcome.code == 0, outcome.error
    found = [value for _, value in warehouse.rows("T")]
    if expected is None:
        found = [value.isoformat() for value in found]
        expected = ["2026-01-02T00:00:00+00:00", "2026-01-03T04:05:06+00:00"]
    if case == "decimal to text":
        found[1] = found[1].rstrip("0").ljust(22, "0")
    assert found == expected
    assert outcome.told("'t'", "column V from")
    assert any("column V from" in (text or "") for (text,) in warehouse.audit("SCHEMAS", "CHANGES"))
    # a narrower schema of later does not narrow it, and its values are written as the column has them
    assert warehouse.load(of(before), record(3, first)).code == 0
    assert warehouse.rows("T")[2][1] == warehouse.rows("T")[0][1]


def test_a_new_column_is_added_and_told_once(warehouse):
    warehouse.load(S.schema(), S.record(id=1, v="a"))
    wider = S.schema({**S.properties, "w": {"type": ["integer", "null"]}})
    outcome = warehouse.load(wider, S.record(id=2, v="b", w=5))
    assert outcome.told("new column W")
    assert warehouse.rows("T") == [(1, "a", None), (2, "b", 5)]
    outcome = warehouse.load(wider, S.record(id=3, v="b", w=6))
    assert not outcome.told("new column W")
    assert not any("ALTER" in sql or "CREATE" in sql for sql in outcome.statements if "ML_STAGED" not in sql)
    # a schema without the column leaves it as it is
    warehouse.load(S.schema(), S.record(id=2, v="c"))
    assert warehouse.rows("T")[1] == (2, "c", 5)


@pytest.mark.parametrize("between", [False, True], ids=["alone", "rows between"])
def test_a_change_that_is_cut_anywhere_is_finished_by_the_next_run(plain_warehouse, between):
    warehouse = plain_warehouse
    for cut in range(1, 60):
        warehouse.load(of(WHOLE), S.record(id=1, v=1), S.record(id=2, v=2))
        hook = warehouse.before = fail_at(cut, LoadError("cut"), only=lambda sql: '"BOOKS"."T"' in sql)
        warehouse.load(of(TEXT), S.record(id=3, v="three"))
        warehouse.before = None
        if between:
            # another pipeline still sends the old schema
            assert warehouse.load(of(WHOLE), S.record(id=4, v=4)).code == 0, hook.fired
        outcome = warehouse.load(of(TEXT), S.record(id=3, v="three"), state(1))
        assert outcome.code == 0, (hook.fired, outcome.error)
        expected = [(1, "1"), (2, "2"), (3, "three"), *([(4, "4")] if between else [])]
        assert warehouse.rows("T") == expected, hook.fired
        warehouse.database.execute('DROP TABLE "BOOKS"."T"')
        if not hook.fired:
            break
    assert 5 < cut < 59


@pytest.mark.parametrize("there", [False, True], ids=["made", "widened"])
def test_two_runs_at_once_change_the_same_table(warehouse, there):
    if there:
        warehouse.load(of(WHOLE), S.record(id=0, v=0))
    go, outcomes = threading.Barrier(2), []

    def run(key):
        go.wait(20)
        outcomes.append(warehouse.load(of(TEXT), S.record(id=key, v=f"v{key}"), state(1), max_retry_time=20))

    threads = [threading.Thread(target=run, args=(key,)) for key in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(outcome.code, str(outcome.error)) for outcome in outcomes] == [(0, "None")] * 2
    assert [(int(key), value) for key, value in warehouse.rows("T")] == [
        *([(0, "0")] if there else []),
        (1, "v1"),
        (2, "v2"),
    ]
    names = {
        row["column_name"]
        for row in warehouse.query(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = 'T' AND schema_name = 'BOOKS'"
        )
    }
    assert not [name for name in names if "__ML_" in name]


def test_a_key_that_changes_is_told_once_and_nobody_s_rows_are_refused(warehouse):
    props = {**S.properties, "company": {"type": ["string", "null"]}}
    warehouse.load(S.schema(props, key=("company", "id")), S.record(id=1, company="A", v="a"))
    changed = S.schema(props, key=("id",))
    outcome = warehouse.load(changed, S.record(id=2, v="b"), state(1))
    assert outcome.code == 0, outcome.error
    assert outcome.told("key from company, id to id")
    assert [(int(key), company) for key, _, company in warehouse.rows("T")] == [(1, "A"), (2, None)]
    assert any("key from" in (text or "") for (text,) in warehouse.audit("SCHEMAS", "CHANGES"))
    again = warehouse.load(changed, S.record(id=3, v="b"))
    assert not again.told("key from")


def test_an_old_key_column_that_the_schema_no_longer_has_takes_nulls(warehouse):
    warehouse.load(
        S.schema({**S.properties, "old": {"type": "integer"}}, key=("old",)), S.record(id=1, old=1, v="a")
    )
    outcome = warehouse.load(S.schema(key=("id",)), S.record(id=2, v="b"))
    assert outcome.code == 0, outcome.error
    assert len(warehouse.rows("T")) == 2


def test_a_moment_without_a_zone_stays_as_it_is(warehouse):
    """Other loaders keep moments in columns without a zone, those of their bookkeeping too."""
    warehouse.database.execute('CREATE SCHEMA "BOOKS"')
    warehouse.database.execute(
        'CREATE TABLE "BOOKS"."T" ("ID" DECIMAL(38,0), "V" TIMESTAMP, "_SDC_EXTRACTED_AT" TIMESTAMP,'
        ' "_SDC_DELETED_AT" TIMESTAMP, "_SDC_SEQUENCE" DECIMAL(38,0))'
    )
    outcome = warehouse.load(
        of(MOMENT),
        S.record(id=1, v="2026-01-02T03:04:05+02:00", at="2026-01-02T00:00:00Z"),
        S.record(id=2, v=None, _sdc_deleted_at="2026-01-02T00:00:00Z"),
    )
    assert outcome.code == 0, outcome.error
    assert not outcome.told("column V from")
    ((value,),) = warehouse.rows("T", columns=["V"])
    assert value.isoformat() == "2026-01-02T01:04:05"


def test_comments_are_kept_up_to_date_and_never_a_reason_to_fail(warehouse):
    def told(text, table="Things"):
        message = S.schema({**S.properties, "v": {"type": ["string", "null"], "description": text}})
        message["schema"]["description"] = table
        return message

    def comments():
        (row,) = warehouse.query(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'T' AND column_name = 'V'"
        )
        (own,) = warehouse.query("SELECT comment FROM duckdb_tables() WHERE table_name = 'T'")
        return own["comment"], row["comment"]

    warehouse.load(told("Vendor's value"), S.record(id=1, v="a"))
    assert comments() == ("Things", "Vendor's value")
    outcome = warehouse.load(told("Vendor's value"), S.record(id=1, v="a"))
    assert not [sql for sql in outcome.statements if "COMMENT" in sql]
    warehouse.before = fail_always(LoadError("may not"), "COMMENT ON")
    outcome = warehouse.load(told("Other", "Stuff"), S.record(id=2, v="a"), state(1))
    warehouse.before = None
    assert outcome.code == 0
    assert outcome.told("comments of BOOKS.T")
    assert len(outcome.states) == 1
    warehouse.load(told("Other", "Stuff"))
    assert comments() == ("Stuff", "Other")


def test_a_comment_that_is_refused_does_not_keep_a_table_from_being_made(warehouse):
    message = S.schema({**S.properties, "v": {"type": ["string", "null"], "description": "d"}})
    warehouse.before = fail_always(LoadError("may not"), "COMMENT ON")
    outcome = warehouse.load(message, S.record(id=1, v="a"))
    assert outcome.code == 0, outcome.error
    assert warehouse.rows("T") == [(1, "a")]
    wider = S.schema({**S.properties, "w": {"type": ["string", "null"], "description": "d"}})
    outcome = warehouse.load(wider, S.record(id=2, v="a", w="b"))
    assert outcome.code == 0, outcome.error


def test_types_that_no_type_holds_both_are_refused_with_a_sentence(plain_warehouse):
    plain_warehouse.load(
        of({"type": ["string", "null"], "contentEncoding": "base64"}), S.record(id=1, v="AAAA")
    )
    outcome = plain_warehouse.load(of(WHOLE), S.record(id=2, v=1))
    if outcome.code:
        assert "no type holds both" in str(outcome.error)
