"""The SDK's standard tap tests, against the sandbox's Sage 300."""

from __future__ import annotations

import pytest
import standard_tap

from tap_sage300.tap import TapSage300

# One process has one server and one sync for all of it.
pytestmark = pytest.mark.xdist_group("tap-sage300-standard")
PORT = standard_tap.free_port()
CONFIG = {
    "base_url": f"http://127.0.0.1:{PORT}/Sage300WebApi/v1.0/-",
    "companies": ["SAMINC"],
    "username": "webapi",
    "password": "webapi",
    "discover_custom_fields": False,
}


@pytest.fixture(scope="module", autouse=True)
def served(tmp_path_factory):
    with standard_tap.served("sage300", PORT, tmp_path_factory.mktemp("standard"), "--page-size", "40"):
        yield


TestTapSage300 = standard_tap.standard_tests(TapSage300, CONFIG)
