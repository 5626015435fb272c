"""Our tap into other people's targets, and other people's tap into our target."""

from __future__ import annotations

import json
from contextlib import closing
from decimal import Decimal

import duckdb
import pytest
from books import documents
from pipeline import only

pytestmark = pytest.mark.xdist_group("end-to-end")


def test_tap_into_target_jsonl(erp, pipe, peer, tmp_path):
    catalog = only(pipe.discover(erp.config()), "vendors", "ap_invoice_lines")
    left, right = pipe.run(
        erp.config(),
        {"destination_path": str(tmp_path), "do_timestamp_file": False},
        catalog=catalog,
        target_bin=peer("target-jsonl==0.1.4", "target-jsonl"),
    )
    pipe.finish(left, right)
    rows = [json.loads(line) for line in (tmp_path / "vendors.jsonl").read_text().splitlines()]
    expected = {(company, vendor["VendorNumber"]) for company, vendor in documents(erp.business, "APVendors")}
    assert {(row["source_company"], row["VendorNumber"]) for row in rows} == expected
    assert len(rows) == len(expected)


def test_tap_into_target_duckdb(erp, pipe, peer, tmp_path):
    catalog = only(pipe.discover(erp.config()), "vendors", "customers")
    file = tmp_path / "books.duckdb"
    left, right = pipe.run(
        erp.config(),
        {"path": str(file), "filepath": str(file), "default_target_schema": "main"},
        catalog=catalog,
        target_bin=peer("target-duckdb==0.8.0", "target-duckdb"),
    )
    pipe.finish(left, right)
    with closing(duckdb.connect(str(file), read_only=True)) as database:
        (count,) = database.execute("SELECT count(*) FROM vendors").fetchone()
    assert count == len(documents(erp.business, "APVendors"))


def test_tap_jsonl_into_our_target(warehouse, pipe, peer, tmp_path):
    lines = [{"id": n, "name": f"Vendor {n} ✓", "amount": n / 4, "paid": n % 2 == 0} for n in range(1, 251)]
    (tmp_path / "bills.jsonl").write_text("\n".join(map(json.dumps, lines)))
    left, right = pipe.run(
        {"path": str(tmp_path / "bills.jsonl"), "stream_name": "bills", "primary_keys": ["id"]},
        warehouse.config(),
        tap_bin=peer("tap-jsonl==0.3.1", "tap-jsonl"),
    )
    pipe.finish(left, right)
    rows = {int(row["ID"]): row for row in warehouse.rows("BILLS")}
    assert sorted(rows) == [line["id"] for line in lines]
    for line in lines:
        row = rows[line["id"]]
        assert (row["NAME"], row["PAID"]) == (line["name"], line["paid"])
        assert Decimal(str(row["AMOUNT"])) == Decimal(str(line["amount"]))
