"""``meltano run tap-sagex3 target-snowflake-ml``, twice, through either of X3's APIs."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from decimal import Decimal

import pytest
from pipeline import meltano_runner
from tap_server import BIN, sandbox

pytestmark = pytest.mark.xdist_group("end-to-end-erps")

SCHEMA = "X3"
#: Tables of the warehouse, each with X3's, the key without the company, and an amount.
AMOUNTS = {
    "SUPPLIERS": ("BPSUPPLIER", ("BPSNUM",), "ORDMINAMT"),
    "AP_INVOICES": ("PINVOICE", ("NUM",), "AMTATI"),
    "AP_INVOICE_LINES": ("BPSINVLIG", ("NUM", "LIG"), "AMTNOTLIN"),
    "PURCHASE_ORDER_LINES": ("PORDERP", ("POHNUM", "POPLIN", "POPSEQ"), "GROPRI"),
    "GL_JOURNALS": ("GACCENTRY", ("TYP", "NUM"), None),
    "GL_JOURNAL_LINES": ("GACCENTRYD", ("TYP", "NUM", "LIN", "LEDTYP"), "AMTLED"),
    "GL_ANALYTICAL_LINES": ("GACCENTRYA", ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN"), "AMTLED"),
    "OPEN_ITEMS": ("GACCDUDATE", ("NUMDUD",), "AMTCUR"),
    "PAYMENTS": ("PAYMENTH", ("NUM",), "AMTCUR"),
    "STOCK": ("STOCK", ("STOFCY", "STOCOU"), "QTYSTU"),
}


@pytest.fixture
def books(tmp_path):
    return tmp_path / "x3.db"


@pytest.fixture(params=["graphql", "rest"])
def api(request):
    return request.param


@pytest.fixture
def server(tmp_path, books, api):
    with sandbox("sagex3", "--path", books, "--scale", "0.1", log=tmp_path / "server.log") as url:
        who = {"username": "ADMIN", "password": "admin"}
        if api == "graphql":
            secret = "client-secret-of-the-sandbox-0001"
            who = {"client_id": "CLIENT", "client_secret": secret, "user": "WEBUSER"}
        yield {"api": api, "base_url": url, "folders": ["SAMINC"], "lookback": "PT0S", **who}


@pytest.fixture
def meltano(server, warehouse, tmp_path):
    return meltano_runner("TAP_SAGEX3", server, warehouse, tmp_path, default_target_schema=SCHEMA)


def stored(books, name, key, amount):
    rows = sqlite3.connect(books).execute("SELECT doc FROM sagex3_rows WHERE tbl = ?", (name,))
    found = (json.loads(doc) for (doc,) in rows)
    return sorted((*(str(doc.get(n) or 0) for n in key), Decimal(doc.get(amount) or 0)) for doc in found)


def arrived(warehouse, table, key, amount):
    columns = ", ".join(f'"{name}"' for name in key)
    amounts = f'"{amount}"' if amount else "0"
    rows = warehouse.query(
        f'SELECT {columns}, {amounts} FROM "{SCHEMA}"."{table}" WHERE "_SDC_DELETED_AT" IS NULL'
    )
    return sorted((*map(str, row[:-1]), Decimal(row[-1] or 0)) for row in rows)


def same(books, warehouse):
    for table, (name, key, amount) in AMOUNTS.items():
        assert arrived(warehouse, table, key, amount) == stored(books, name, key, amount), table


def test_two_runs_bring_the_folder_and_then_what_changed(meltano, warehouse, books, tmp_path, api):
    meltano("run", "tap-sagex3", "target-snowflake-ml")
    same(books, warehouse)
    assert warehouse.query("SELECT COUNT(*) FROM ml_audit.dead_letters") == [(0,)]

    totals = tmp_path / "totals.json"
    totals.write_text(meltano("invoke", "tap-sagex3:control-totals"))
    meltano("invoke", "target-snowflake-ml:reconcile", str(totals))
    checked = warehouse.query(
        "SELECT status, COUNT(DISTINCT stream) FROM ml_audit.reconciliations GROUP BY 1"
    )
    assert [status for status, _ in checked] == ["agrees"]
    assert checked[0][1] > 30

    subprocess.run([BIN / "erp-sandbox", "advance", "--path", books, "--days", "3"], check=True)
    meltano("run", "tap-sagex3", "target-snowflake-ml")
    same(books, warehouse)
    runs = warehouse.query("SELECT status, records_loaded FROM ml_audit.runs ORDER BY started_at")
    assert [status for status, _ in runs] == ["succeeded", "succeeded"]
    assert 0 < runs[1][1] < runs[0][1] / 2
