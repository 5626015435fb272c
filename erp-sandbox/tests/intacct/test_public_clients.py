"""Clients that others wrote: Sage's SDK for JavaScript, and Fyle's for Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import sageintacctsdk.apis.api_base as fyle
from filelock import FileLock
from sageintacctsdk import SageIntacctSDK
from sageintacctsdk.exceptions import InvalidTokenError, WrongParamsError

SCRIPT = Path(__file__).parent / "intacct_sdk.js"
SDK = "@intacct/intacct-sdk@2.2.1"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def node_modules():
    """Sage's SDK, installed once for all runs."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node is not installed, in which Sage's SDK runs")
    folder = ROOT / ".venv" / "intacct-sdk"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "node_modules" / "@intacct").exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, SDK]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder / "node_modules"


def test_sage_s_own_sdk_signs_in_queries_pages_and_gets_its_errors(gateway, node_modules):
    port = str(urlsplit(gateway.url).port)
    done = subprocess.run(
        ["node", SCRIPT, port],
        capture_output=True,
        text=True,
        timeout=120,
        env={"NODE_PATH": str(node_modules), "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    vendors, bills = gateway.stored("VENDOR"), gateway.stored("APBILL")
    assert found["session"]
    assert sorted(found["vendors"]) == sorted(vendor["VENDORID"] for vendor in vendors.values())
    assert found["counted"] == [len(vendors), len(vendors), 0]
    assert sorted(map(int, found["bills"])) == sorted(bills)
    assert found["total"] == len(bills)
    assert found["read"] == ["1", "2"]
    assert found["missing"] == ["ResultException", ["Query Failed Object definition BADOBJECT not found"]]
    assert found["wrong"] == ["ResponseException", ["XL03000006 Sign-in information is incorrect"]]
    assert found["stale"] == ["ResponseException", ["XL03000006 Invalid session st...."]]


@pytest.fixture
def connected(gateway, monkeypatch):
    """Fyle's client, whose address is a constant, sent here instead."""

    class Redirected:
        def post(self, _url, *arguments, **more):
            return requests.post(gateway.url, *arguments, **more)

        def __getattr__(self, name):
            return getattr(requests, name)

    monkeypatch.setattr(fyle, "requests", Redirected())

    def connect(**changed):
        known = {
            "sender_id": "SENDER",
            "sender_password": "SENDERPASS",
            "user_id": "WEBUSER",
            "company_id": "SAMINC",
            "user_password": "WEBPASS",
        }
        return SageIntacctSDK(**{**known, **changed})

    return connect


def test_fyle_s_client_counts_reads_and_describes(gateway, connected):
    client = connected()
    vendors = gateway.stored("VENDOR")
    assert client.vendors.count() == len(vendors)
    assert {row["VENDORID"] for row in client.vendors.get_all()} == {
        row["VENDORID"] for row in vendors.values()
    }
    bills = gateway.stored("APBILL")
    assert {int(row["RECORDNO"]) for row in client.bills.get_all()} == set(bills)
    described = client.vendors.get_lookup()
    names = {field["ID"] for field in described["Type"]["Fields"]["Field"]}
    assert {"VENDORID", "REGION_CODE"} <= names


def test_fyle_s_client_meets_the_errors_it_knows(connected):
    with pytest.raises(InvalidTokenError, match="Sign-in information is incorrect"):
        connected(user_password="WRONG")
    with pytest.raises((InvalidTokenError, WrongParamsError), match="XL03000006"):
        connected(sender_password="WRONG")
