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


TestTapSageIntacct = standard_tap.standard_tests(TapSageIntacct, CONFIG)
