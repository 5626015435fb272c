"""The source's control totals beside the warehouse's."""

from __future__ import annotations

import json
import sys
from decimal import Decimal

import pytest

from .conftest import schema

PROPERTIES = {
    "source_company": {"type": "string"},
    "id": {"type": "integer"},
    "FiscalYear": {"type": ["string", "null"]},
    "FiscalPeriod": {"type": ["string", "null"]},
    "DocumentDate": {"type": ["string", "null"], "format": "date-time"},
    "Amount": {"type": ["number", "null"], "x-precision": 19, "x-scale": 3},
}
FIELDS = {"fiscal": [["FiscalYear", "FiscalPeriod"]], "dates": ["DocumentDate"]}
BILLS = schema(properties=PROPERTIES, keys=("source_company", "id"))


def bill(company, number, amount, **more):
    values = {"source_company": company, "id": number, "Amount": amount, **more}
    return {"type": "RECORD", "stream": "bills", "record": values}


def total(company, period, count, amount, stream="bills"):
    return {
        "stream": stream, "source_company": company, "period": period, "count": count,
        "measures": {"Amount": amount},
    }  # fmt: skip


def document(*totals, periods=FIELDS):
    return json.dumps({"source": "x", "periods": {"bills": periods}, "totals": totals})


EQUAL = (
    total("SAMINC", "2026P03", 2, "0.300"),
    total("SAMINC", "2026-04", 1, "5.000"),
    total("SAMLTD", None, 1, "0"),
)


@pytest.fixture
def loaded(warehouse):
    """Two companies' bills: by fiscal period, by month, by neither, and one deleted."""
    error = warehouse.load(
        BILLS,
        bill("SAMINC", 1, 0.1, FiscalYear="2026", FiscalPeriod="3"),
        bill("SAMINC", 2, 0.2, FiscalYear="2026", FiscalPeriod="03"),
        bill("SAMINC", 3, 5, DocumentDate="2026-04-30T00:00:00Z"),
        bill("SAMLTD", 1, None),
        bill("SAMLTD", 2, 77, FiscalYear="2026", FiscalPeriod="1", _sdc_deleted_at="2026-05-01T00:00:00Z"),
    )
    assert error is None
    return warehouse


def test_what_ties_out_is_said_so_and_written_down(loaded):
    nothing = {"default_target_schema": ""}  # as outside `meltano run`
    assert loaded.operate("reconcile", "-", stdin=document(*EQUAL), settings=nothing) == []
    assert "6 of 6 control totals agree" in loaded.errors
    kept = loaded.audit("RECONCILIATIONS", "SOURCE_COMPANY", "PERIOD", "MEASURE", "SOURCE_VALUE", "STATUS")
    assert kept == [
        ("SAMINC", "2026-04", "Amount", Decimal(5), "agrees"),
        ("SAMINC", "2026-04", "count", Decimal(1), "agrees"),
        ("SAMINC", "2026P03", "Amount", Decimal("0.3"), "agrees"),
        ("SAMINC", "2026P03", "count", Decimal(2), "agrees"),
        ("SAMLTD", "", "Amount", Decimal(0), "agrees"),
        ("SAMLTD", "", "count", Decimal(1), "agrees"),
    ]


def test_a_thousandth_is_a_difference(loaded, tmp_path):
    path = tmp_path / "totals.json"
    path.write_text(document(EQUAL[0] | {"measures": {"Amount": "0.301"}}, *EQUAL[1:]))
    (difference,) = loaded.operate("reconcile", path, code=1)
    assert difference == {
        "stream": "bills", "source_company": "SAMINC", "period": "2026P03", "measure": "Amount",
        "source_value": Decimal("0.301"), "warehouse_value": Decimal("0.300"), "difference": Decimal("-0.001"),
    }  # fmt: skip


def test_rows_that_only_one_side_has_differ(loaded):
    text = document(
        EQUAL[0], EQUAL[2], total("SAMINC", "2026P12", 4, "9.5"), total("A", None, 1, "1", "notes")
    )
    differences = loaded.operate("reconcile", "-", stdin=text, code=1)
    found = {(each["stream"], each["period"], each["measure"]): each["difference"] for each in differences}
    assert found == {
        ("bills", "2026-04", "count"): 1,
        ("bills", "2026-04", "Amount"): 5,
        ("bills", "2026P12", "count"): -4,
        ("bills", "2026P12", "Amount"): Decimal("-9.5"),
        ("notes", "", "count"): -1,
        ("notes", "", "Amount"): -1,
    }


def test_of_a_history_only_what_holds_now_is_compared(warehouse):
    for amount in (1, 2):
        assert warehouse.load(BILLS, bill("SAMLTD", 1, amount), load_method="scd2") is None
    assert warehouse.operate("reconcile", "-", stdin=document(total("SAMLTD", None, 1, "2"))) == []


def test_a_figure_of_an_unknown_field_is_explained(loaded):
    loaded.operate("reconcile", "-", stdin=document(EQUAL[0] | {"measures": {"Tax": "1"}}), code=1)
    assert "Tax, which BOOKS.BILLS does not have" in loaded.errors


def test_what_is_no_document_is_explained(loaded):
    loaded.operate("reconcile", "-", stdin="[]", code=1)
    assert "The input is no document of control totals" in loaded.errors
    loaded.operate("reconcile", "nowhere.json", code=1)
    assert "nowhere.json cannot be read" in loaded.errors
    loaded.operate("reconcile", code=2)


def tap(tmp_path, code):
    path = tmp_path / "tap.py"
    path.write_text(f"import json, sys\n{code}")
    return f"{sys.executable} {path} --config ENV"


def test_the_tap_is_asked_for_what_was_loaded_last(loaded, tmp_path):
    command = tap(
        tmp_path,
        "assert '--control-totals' in sys.argv\n"
        "catalog = json.load(open(sys.argv[sys.argv.index('--catalog') + 1]))\n"
        "(stream,) = catalog['streams']\n"
        "chosen = [m['breadcrumb'][-1] for m in stream['metadata'] if m['breadcrumb'] and m['metadata']['selected']]\n"
        f"assert stream['tap_stream_id'] == 'bills' and sorted(chosen) == {sorted(PROPERTIES)}, stream\n"
        f"print({document(*EQUAL)!r})",
    )
    assert loaded.operate("reconcile", "--tap", command) == []
    assert "6 of 6" in loaded.errors


def test_a_tap_that_fails_is_quoted(loaded, tmp_path):
    loaded.operate("reconcile", "--tap", tap(tmp_path, "sys.exit('The ERP is down.')"), code=1)
    assert "exit code 1: The ERP is down." in loaded.errors
    loaded.operate("reconcile", "--tap", "no-such-tap", code=1)
    assert "no-such-tap cannot be run" in loaded.errors


def test_one_stream_can_be_chosen(loaded):
    text = document(*EQUAL, total("A", None, 1, "1", "notes"))
    assert loaded.operate("reconcile", "-", "--stream", "bills", stdin=text) == []
    assert len(loaded.operate("reconcile", "-", "--stream", "bills", "--all", stdin=text)) == 6
