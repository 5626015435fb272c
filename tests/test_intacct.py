"""``meltano run tap-sageintacct target-snowflake-ml``, twice, and what the gateway itself counts."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from decimal import Decimal

import pytest
from pipeline import meltano_runner
from tap_server import BIN, sandbox

pytestmark = pytest.mark.xdist_group("end-to-end-erps")

SCHEMA = "INTACCT"
AMOUNTS = {
    "AP_BILLS": ("APBILL", "TOTALENTERED"),
    "AP_BILL_LINES": ("APBILLITEM", "AMOUNT"),
    "AR_INVOICES": ("ARINVOICE", "TOTALDUE"),
    "AR_PAYMENT_DETAILS": ("ARPYMTDETAIL", "PAYMENTAMOUNT"),
    "GL_BATCHES": ("GLBATCH", None),
    "GL_ENTRIES": ("GLENTRY", "TRX_AMOUNT"),
    "GL_DETAIL": ("GLDETAIL", "DEBITAMOUNT"),
    "VENDORS": ("VENDOR", "TOTALDUE"),
    "CONTACTS": ("CONTACT", None),
    "PROJECTS": ("PROJECT", None),
    "PURCHASE_DOCUMENT_LINES": ("PODOCUMENTENTRY", "TOTAL"),
}


@pytest.fixture
def books(tmp_path):
    return tmp_path / "intacct.db"


@pytest.fixture
def gateway(tmp_path, books):
    with sandbox("intacct", "--path", books, "--scale", "0.1", log=tmp_path / "gateway.log") as url:
        yield {
            "sender_id": "SENDER",
            "sender_password": "SENDERPASS",
            "company_id": "SAMINC",
            "user_id": "WEBUSER",
            "user_password": "WEBPASS",
            "base_url": url,
            "lookback": "PT0S",
        }


@pytest.fixture
def meltano(gateway, warehouse, tmp_path):
    return meltano_runner("TAP_SAGEINTACCT", gateway, warehouse, tmp_path, default_target_schema=SCHEMA)


def stored(books, name, amount):
    rows = sqlite3.connect(books).execute(
        "SELECT recordno, doc FROM intacct_records WHERE object = ? ORDER BY 1", (name,)
    )
    return [(str(number), _exact(json.loads(doc).get(amount))) for number, doc in rows]


def _exact(value):
    return None if value is None else Decimal(value)


def arrived(warehouse, table, amount):
    column = f'"{amount}"' if amount else "NULL"
    rows = warehouse.query(
        f'SELECT "RECORDNO", {column} FROM "{SCHEMA}"."{table}" WHERE "_SDC_DELETED_AT" IS NULL'
    )
    return sorted(((str(number), _exact(value)) for number, value in rows), key=lambda row: int(row[0]))


def same(books, warehouse):
    for table, (name, amount) in AMOUNTS.items():
        assert arrived(warehouse, table, amount) == stored(books, name, amount), table


def test_two_runs_bring_the_company_and_then_what_changed_and_went(meltano, warehouse, books, tmp_path):
    meltano("run", "tap-sageintacct", "target-snowflake-ml")
    same(books, warehouse)
    assert warehouse.query("SELECT COUNT(*) FROM ml_audit.dead_letters") == [(0,)]

    totals = tmp_path / "totals.json"
    totals.write_text(meltano("invoke", "tap-sageintacct:control-totals"))
    meltano("invoke", "target-snowflake-ml:reconcile", str(totals))
    checked = warehouse.query("SELECT stream, COUNT(*) FROM ml_audit.reconciliations GROUP BY 1")
    assert len(checked) > 30
    assert "ok" in meltano("invoke", "target-snowflake-ml:doctor")

    for _ in range(12):
        subprocess.run([BIN / "erp-sandbox", "advance", "--path", books, "--days", "1"], check=True)
        gone = sqlite3.connect(books).execute(
            "SELECT COUNT(*) FROM intacct_records WHERE object = 'AUDITHISTORY'"
        )
        if gone.fetchone()[0]:
            break
    meltano("run", "tap-sageintacct", "target-snowflake-ml")
    same(books, warehouse)
    marked = sum(
        warehouse.query(f'SELECT COUNT(*) FROM "{SCHEMA}"."{table}" WHERE "_SDC_DELETED_AT" IS NOT NULL')[0][
            0
        ]
        for table in AMOUNTS
    )
    assert marked > 0
    runs = warehouse.query("SELECT status, records_loaded FROM ml_audit.runs ORDER BY started_at")
    assert [status for status, _ in runs] == ["succeeded", "succeeded"]
    assert 0 < runs[1][1] < runs[0][1]
