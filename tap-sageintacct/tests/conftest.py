"""The sandbox's gateway as a process, and the tap as another one."""

from __future__ import annotations

from collections import defaultdict

import pytest
from tap_server import TapServer


def merged(*runs):
    """What a warehouse holds after some runs: the last row of each key, without those that were deleted."""
    held, versions = defaultdict(dict), {}
    for run in runs:
        for message in run.messages:
            if message["type"] == "ACTIVATE_VERSION":
                stream, now = message["stream"], message["version"]
                held[stream] = {k: row for k, row in held[stream].items() if versions[stream, k] == now}
            if message["type"] == "RECORD":
                row = message["record"]
                key = str(row.get("RECORDNO") or (row["END_DATE"], row["glaccountno"], row["source_entity"]))
                if "_sdc_deleted_at" in row:
                    held[message["stream"]].pop(key, None)
                else:
                    held[message["stream"]][key] = {k: v for k, v in row.items()}
                    versions[message["stream"], key] = message.get("version")
    return dict(held)


class Company(TapServer):
    """A gateway over a business, with the settings that reach it."""

    erp, tap = "intacct", "tap-sageintacct"

    def config(self, **more):
        return {
            "sender_id": "SENDER",
            "sender_password": "SENDERPASS",
            "company_id": "SAMINC",
            "user_id": "WEBUSER",
            "user_password": "WEBPASS",
            "base_url": self.url,
            "lookback": "PT0S",
            "max_retries": 8,
            **self.settings,
            **more,
        }


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A gateway that all tests of a module share; they leave its books alone."""
    with Company(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture
def own_company(tmp_path):
    """A gateway of a test's own."""
    with Company(tmp_path) as company:
        yield company


@pytest.fixture(scope="session")
def warehouse():
    return merged
