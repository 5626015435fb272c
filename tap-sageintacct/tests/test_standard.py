"""The SDK's standard tap tests, on every stream, against the sandbox's gateway."""

from __future__ import annotations

import pytest
import standard_tap

from tap_sageintacct.tap import TapSageIntacct

# One process has one server and one sync for all of it.
pytestmark = pytest.mark.xdist_group("tap-sageintacct-standard")
PORT = standard_tap.free_port()
CONFIG = {
    "sender_id": "SENDER",
    "sender_password": "SENDERPASS",
    "company_id": "SAMINC",
    "user_id": "WEBUSER",
    "user_password": "WEBPASS",
    "base_url": f"http://127.0.0.1:{PORT}/ia/xml/xmlgw.phtml",
    "discover_custom_fields": False,
}


@pytest.fixture(scope="module", autouse=True)
def served(tmp_path_factory):
    with standard_tap.served("intacct", PORT, tmp_path_factory.mktemp("standard")):
        yield


MOST = 0.7
"""How many of the columns have a value at the least: a check of a column without one finds nothing."""


class TestTapSageIntacct(standard_tap.standard_tests(TapSageIntacct, CONFIG)):
    def test_most_columns_have_values(self, swept):
        columns = {m["stream"]: set(m["schema"]["properties"]) for m in swept.runner.schema_messages}
        empty = {
            stream: names
            - {name for row in swept.runner.records[stream] for name in row if row[name] is not None}
            for stream, names in columns.items()
        }
        assert columns.keys() == set(swept.streams)
        filled = 1 - sum(map(len, empty.values())) / sum(map(len, columns.values()))
        emptiest = sorted(empty, key=lambda stream: len(empty[stream]) / len(columns[stream]), reverse=True)
        assert filled >= MOST, (
            f"{filled:.0%} of the columns have values; the emptiest streams:\n"
            + "\n".join(
                f"{stream}: nothing in {len(empty[stream])} of {len(columns[stream])}: {', '.join(sorted(empty[stream]))}"
                for stream in emptiest[:5]
            )
        )
