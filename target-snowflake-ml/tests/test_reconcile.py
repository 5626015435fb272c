"""The source's control totals beside the warehouse's."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal

import pytest

PROPERTIES = {
    "source_company": {"type": "string"},
    "id": {"type": "integer"},
    "FiscalYear": {"type": ["string", "null"]},
    "FiscalPeriod": {"type": ["string", "null"]},
    "DocumentDate": {"type": ["string", "null"], "format": "date-time"},
    "Amount": {"type": ["number", "null"], "x-precision": 19, "x-scale": 3},
}
FIELDS = {"fiscal": [["FiscalYear", "FiscalPeriod"]], "dates": ["DocumentDate"]}


def total(company, period, count, amount):
    return {
        "stream": "bills", "source_company": company, "period": period, "count": count,
        "measures": {"Amount": amount},
    }  # fmt: skip


@pytest.fixture
def loaded(warehouse, messages):
    """Two companies' bills: by fiscal period, by month, by neither, and one deleted."""

    def bill(company, number, amount, **more):
        return messages.record("bills", {"source_company": company, "id": number, "Amount": amount, **more})

    run = warehouse.load(
        messages.schema("bills", PROPERTIES, keys=("source_company", "id")),
        bill("SAMINC", 1, 0.1, FiscalYear="2026", FiscalPeriod="3"),
        bill("SAMINC", 2, 0.2, FiscalYear="2026", FiscalPeriod="03"),
        bill("SAMINC", 3, 5, DocumentDate="2026-04-30T00:00:00Z"),
        bill("SAMLTD", 1, None),
        bill("SAMLTD", 2, 77, FiscalYear="2026", FiscalPeriod="1", _sdc_deleted_at="2026-05-01T00:00:00Z"),
    )
    assert run.code == 0, run.log
    return warehouse


@pytest.fixture
def reconcile(loaded, tmp_path):
    def reconcile(*totals, periods=FIELDS, more=()):
        path = tmp_path / "totals.json"
        path.write_text(json.dumps({"source": "x", "periods": {"bills": periods}, "totals": totals}))
        program, _, config = loaded.command()
        command = [program, "reconcile", path, "--config", config, "--format", "json", *more]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert "Traceback" not in result.stderr, result.stderr
        return result.returncode, json.loads(result.stdout or "null", parse_float=Decimal), result.stderr

    return reconcile


EQUAL = (
    total("SAMINC", "2026P03", 2, "0.300"),
    total("SAMINC", "2026-04", 1, "5.000"),
    total("SAMLTD", None, 1, "0"),
)


def test_what_ties_out_is_said_so_and_written_down(reconcile, loaded):
    code, differences, log = reconcile(*EQUAL)
    assert (code, differences) == (0, []), log
    assert "6 of 6 control totals agree" in log
    kept = loaded.audit("RECONCILIATIONS", "SOURCE_COMPANY", "PERIOD", "MEASURE", "SOURCE_VALUE", "STATUS")
    assert sorted(kept) == [
        ("SAMINC", "2026-04", "Amount", Decimal(5), "agrees"),
        ("SAMINC", "2026-04", "count", Decimal(1), "agrees"),
        ("SAMINC", "2026P03", "Amount", Decimal("0.3"), "agrees"),
        ("SAMINC", "2026P03", "count", Decimal(2), "agrees"),
        ("SAMLTD", "", "Amount", Decimal(0), "agrees"),
        ("SAMLTD", "", "count", Decimal(1), "agrees"),
    ]


def test_a_thousandth_is_a_difference(reconcile):
    code, (difference,), _ = reconcile(EQUAL[0] | {"measures": {"Amount": "0.301"}}, *EQUAL[1:])
    assert code == 1
    assert difference == {
        "stream": "bills", "source_company": "SAMINC", "period": "2026P03", "measure": "Amount",
        "source_value": Decimal("0.301"), "warehouse_value": Decimal("0.300"), "difference": Decimal("-0.001"),
    }  # fmt: skip


def test_rows_that_only_one_side_has_differ(reconcile):
    code, differences, _ = reconcile(EQUAL[0], EQUAL[2], total("SAMINC", "2026P12", 4, "9.5"))
    assert code == 1
    found = {(each["period"], each["measure"]): each["difference"] for each in differences}
    assert found == {
        ("2026-04", "count"): 1,
        ("2026-04", "Amount"): 5,
        ("2026P12", "count"): -4,
        ("2026P12", "Amount"): Decimal("-9.5"),
    }


def test_without_periods_companies_are_compared_whole(reconcile):
    code, differences, log = reconcile(*EQUAL, periods={"fiscal": [], "dates": []})
    assert (code, differences) == (0, []), log


def test_a_stream_that_was_never_loaded_differs(reconcile):
    code, differences, _ = reconcile(*EQUAL, total("SAMINC", None, 1, "1") | {"stream": "notes"})
    assert code == 1
    assert {each["stream"] for each in differences} == {"notes"}


def test_a_figure_of_an_unknown_field_is_explained(reconcile):
    code, _, log = reconcile(EQUAL[0] | {"measures": {"Tax": "1"}})
    assert code == 1
    assert "Tax" in log
