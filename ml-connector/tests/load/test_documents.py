"""Documents that come whole: after every run the live lines are those of the newest documents."""

from __future__ import annotations

import itertools
from datetime import datetime
from types import SimpleNamespace

import pyarrow as pa
import pytest
from conftest import SIZES
from documents import MOVING, NUMBERED, histories, messages_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_messages import state
from warehouse import Warehouse

from ml_connector.load import target
from ml_connector.load.documents import DocumentReads

S = NUMBERED
FEW = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


def of(doc, *lines, text="x", at=None, stream=S, **more):
    return [stream.record(doc=doc, line=line, text=text, at=at, **more) for line in lines]


def live(warehouse, table="INVOICE_LINES"):
    return warehouse.rows(table, columns=["DOC", "LINE", "TEXT"])


def keys(warehouse):
    return [(doc, int(line)) for doc, line, _ in live(warehouse)]


@pytest.mark.parametrize("stream", [NUMBERED, MOVING], ids=["numbered", "moving"])
@pytest.mark.parametrize("method", ["upsert", "scd2"])
@FEW
@given(data=st.data())
def test_the_table_holds_the_newest_documents(tmp_path_factory, database, method, stream, data):
    history = data.draw(histories(moving=stream is MOVING))
    folder = tmp_path_factory.mktemp("w")
    warehouse = Warehouse(
        folder, database, small_batch_bytes=data.draw(st.sampled_from(list(SIZES.values())))
    )
    mapped = data.draw(st.booleans())
    warehouse.settings |= {
        "load_method": method,
        "hard_delete": data.draw(st.booleans()),
        "stream_maps": {stream.name: {"extra": "'e'"}} if mapped else {},
        "parallel_loads": 1,
    }
    try:
        for readings, expected in history:
            size = data.draw(st.integers(1, 7))
            states = data.draw(st.sets(st.integers(0, max(len(readings) - 1, 0)), max_size=2))
            outcome = warehouse.load(*messages_of(readings, stream, states), batch_size_rows=size)
            assert outcome.code == 0, outcome.error
            assert live(warehouse) == expected
            if method == "scd2":
                versions_are_sound(warehouse, stream)
    finally:
        warehouse.empty()


class Lines:
    """What becomes of a batch's rows in a table of one row a key, without a warehouse."""

    def __init__(self, stream):
        self.key = [name.upper() for name in stream.key]
        self.reads = DocumentReads(["DOC"], self.key)
        self.rows, self.sequence = {}, 0

    def load(self, records, *, more_follows):
        rows = []
        for record in records:
            self.sequence += 1
            about = record["record"]
            rows.append(
                {
                    "DOC": about["doc"],
                    "LINE": about["line"],
                    "TEXT": about["text"],
                    "_SDC_SEQUENCE": self.sequence,
                    "_SDC_EXTRACTED_AT": datetime.fromisoformat(
                        record["time_extracted"].replace("Z", "+00:00")
                    ),
                    "_SDC_DELETED_AT": about.get("_sdc_deleted_at"),
                }
            )
        marked, whole = self.reads.mark(pa.Table.from_pylist(rows, ROWS), more_follows=more_follows)
        judged = {}
        for row in marked.to_pylist():
            self.rows[tuple(row[name] for name in self.key)] = row
            if row["_ML_DOCUMENT_READ"]:
                judged[row["DOC"]] = max(judged.get(row["DOC"], 0), row["_ML_DOCUMENT_READ"])
        for table in [
            judged,
            *[{row["DOC"]: row["_ML_DOCUMENT_READ"]} for row in (whole.to_pylist() if whole else ())],
        ]:
            for key, row in self.rows.items():
                if row["_SDC_SEQUENCE"] < table.get(row["DOC"], 0):
                    self.rows[key] = {**row, "_SDC_DELETED_AT": "lost"}

    def live(self):
        return sorted(
            (row["DOC"], row["LINE"], row["TEXT"]) for row in self.rows.values() if not row["_SDC_DELETED_AT"]
        )


ROWS = pa.schema(
    {
        "DOC": pa.string(),
        "LINE": pa.int64(),
        "TEXT": pa.string(),
        "_SDC_SEQUENCE": pa.int64(),
        "_SDC_EXTRACTED_AT": pa.timestamp("us", "UTC"),
        "_SDC_DELETED_AT": pa.string(),
    }
)


@pytest.mark.parametrize("stream", [NUMBERED, MOVING], ids=["numbered", "moving"])
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_beginnings_of_readings_tell_which_lines_are_gone(stream, data):
    lines = Lines(stream)
    for readings, expected in data.draw(histories(moving=stream is MOVING)):
        records = [record for reading in readings for record in reading.messages(stream)]
        borders = sorted(data.draw(st.sets(st.integers(0, len(records)), max_size=6)) | {0, len(records)})
        for begin, end in itertools.pairwise(borders):
            lines.load(records[begin:end], more_follows=end < len(records) or data.draw(st.booleans()))
        lines.load([], more_follows=False)
        assert lines.live() == expected


def versions_are_sound(warehouse, stream):
    """No version repeats the one before it, unless the line was gone between; none overlap."""
    key = "DOC, LINE" if stream is NUMBERED else "LINE"
    assert (
        warehouse.query(
            f"SELECT * FROM (SELECT *, LEAD(_ML_VALID_FROM) OVER w AS n, LEAD(_ML_HASH) OVER w AS h"
            f' FROM "BOOKS"."INVOICE_LINES" WINDOW w AS (PARTITION BY {key} ORDER BY _ML_VALID_FROM, _SDC_SEQUENCE))'
            " WHERE (n IS NOT NULL AND (_ML_VALID_TO IS NULL OR _ML_VALID_TO > n))"
            " OR (h = _ML_HASH AND _SDC_DELETED_AT IS NULL)"
            " OR (_ML_IS_CURRENT <> (_ML_VALID_TO IS NULL))"
        )
        == []
    )


METHODS = pytest.mark.parametrize("method", ["upsert", "scd2", "append-only"])


@METHODS
@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_a_line_that_its_document_lost_is_marked_and_counted(warehouse, method, hard):
    warehouse.settings |= {"load_method": method, "hard_delete": hard}
    warehouse.load(S.schema(), *of("A", 1, 2, 3), *of("B", 1))
    outcome = warehouse.load(S.schema(), *of("A", 1, 3), state(1))
    assert outcome.code == 0
    assert len(outcome.states) == 1
    assert keys(warehouse) == [("A", 1), ("A", 3), ("B", 1)]
    lost = 3 if method == "append-only" else 1
    assert warehouse.batches("RECORDS_DELETED")[-1] == (lost,)
    assert warehouse.last_run()["RECORDS_DELETED"] == lost


def test_a_schema_may_say_it_itself(warehouse):
    message = S.schema()
    message["schema"]["x-document-key"] = message.pop("x-document-key")
    warehouse.load(message, *of("A", 1, 2))
    warehouse.load(message, *of("A", 1))
    assert keys(warehouse) == [("A", 1)]


@METHODS
def test_a_document_is_judged_once_when_batches_split_it(warehouse, method):
    warehouse.settings |= {"load_method": method}
    warehouse.load(S.schema(), *of("A", 1, 2, 3, 4, 5))
    warehouse.load(S.schema(), *of("A", 1, 2, 4, 5), batch_size_rows=2)
    assert keys(warehouse) == [("A", 1), ("A", 2), ("A", 4), ("A", 5)]


@METHODS
def test_a_line_that_was_put_first_is_part_of_the_newer_reading(warehouse, method):
    """Read twice in a row, the second time with a line before the others: 2, 3, then 1, 2, 3."""
    warehouse.settings |= {"load_method": method}
    warehouse.load(S.schema(), *of("A", 2, 3), *of("A", 1, 2, 3), batch_size_rows=3)
    assert keys(warehouse) == [("A", 1), ("A", 2), ("A", 3)]


@METHODS
@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_moments_tell_two_readings_in_a_row_apart(warehouse, method, size):
    warehouse.settings |= {"load_method": method}
    first, second = of("A", 1, 2, 4, at="2026-01-01T00:00:00Z"), of("A", 2, at="2026-01-01T01:00:00Z")
    warehouse.load(S.schema(), *first, *second, *of("B", 1), batch_size_rows=size)
    assert keys(warehouse) == [("A", 2), ("B", 1)]


@pytest.mark.parametrize("method", ["upsert", "scd2"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_line_that_was_rejected_is_not_lost(warehouse, method, size):
    warehouse.settings |= {"load_method": method, "hard_delete": True}
    warehouse.load(S.schema(), *of("A", 1, 2, 3), *of("B", 1, 2, 3))
    for bad in (1, 2, 3):
        flawed = [
            S.record(doc=doc, line=line, text=7 if line == bad else "x") for doc in "AB" for line in (1, 2, 3)
        ]
        outcome = warehouse.load(S.schema(), *flawed, state(1), batch_size_rows=size)
        assert outcome.code == 0, outcome.error
        assert keys(warehouse) == [(doc, line) for doc in "AB" for line in (1, 2, 3)]


def test_a_document_that_waits_while_time_passes_is_not_judged_half(warehouse, monkeypatch):
    """``batch_max_age`` may be over in the middle of a document."""
    warehouse.load(S.schema(), *of("A", *range(1, 41)))
    ticks = itertools.count(step=10.0)
    monkeypatch.setattr(target, "time", SimpleNamespace(time=lambda: next(ticks)))
    warehouse.load(S.schema(), *of("A", *range(1, 36)), batch_max_age=1)
    assert keys(warehouse) == [("A", line) for line in range(1, 36)]
    versions = warehouse.query('SELECT DISTINCT RECORDS_DELETED AS n FROM "ML_AUDIT"."BATCHES" ORDER BY 1')
    assert [int(row["n"]) for row in versions] == [0, 5]


def test_a_state_goes_out_once_its_documents_are_judged(warehouse):
    warehouse.load(S.schema(), *of("A", 1, 2, 3))
    seen = []
    warehouse.on_state = lambda told: seen.append(keys(warehouse))
    outcome = warehouse.load(S.schema(), *of("A", 1, 2), state(1), *of("B", 1), state(2), batch_size_rows=1)
    assert outcome.code == 0
    assert seen[0][:2] == [("A", 1), ("A", 2)]
    assert outcome.states[-1] == state(2)["value"]


def test_a_stream_whose_document_key_is_mapped_away_says_so(warehouse):
    maps = {"invoice_lines": {"doc": "__NULL__", "__key_properties__": ["line"]}}
    outcome = warehouse.load(S.schema(), *of("A", 1, 2), stream_maps=maps)
    assert outcome.code == 0, outcome.error
    assert outcome.told("mapped away")


def test_a_stream_that_is_renamed_keeps_its_documents(warehouse):
    maps = {"invoice_lines": {"__alias__": "renamed"}}
    warehouse.load(S.schema(), *of("A", 1, 2), *of("B", 1), stream_maps=maps)
    warehouse.load(S.schema(), *of("A", 1), stream_maps=maps, batch_size_rows=1)
    assert [row[:2] for row in live(warehouse, "RENAMED")] == [("A", 1), ("B", 1)]


def test_a_document_whose_columns_are_null_is_not_judged(warehouse):
    loose = {**S.properties, "doc": {"type": ["string", "null"]}}
    schema = MOVING.schema(loose)
    warehouse.load(schema, *of(None, 1, 2, stream=MOVING))
    warehouse.load(schema, *of(None, 1, stream=MOVING))
    assert [line for _, line, _ in live(warehouse)] == [1, 2]


def test_a_line_that_comes_back_is_live_again(warehouse):
    for lines in ((1, 2), (1,), (1, 2)):
        warehouse.load(S.schema(), *of("A", *lines))
    assert keys(warehouse) == [("A", 1), ("A", 2)]


def test_a_document_read_again_unchanged_makes_no_version(warehouse):
    warehouse.settings |= {"load_method": "scd2"}
    for size in (100, 1, 2, 3):
        warehouse.load(S.schema(), *of("A", 1, 2, 3), *of("B", 1), *of("A", 1, 2, 3), batch_size_rows=size)
    assert len(warehouse.rows("INVOICE_LINES", live=False)) == 4
    assert keys(warehouse) == [("A", 1), ("A", 2), ("A", 3), ("B", 1)]
