"""The SDK's standard tap tests, on every stream and through both APIs, against the sandbox's server."""

from __future__ import annotations

import pytest
import standard_tap

from tap_sagex3.tap import TapSageX3

# One process has one server and one sync for all of it.
pytestmark = pytest.mark.xdist_group("tap-sagex3-standard")
PORT = standard_tap.free_port()
CONFIG = {
    "base_url": f"http://127.0.0.1:{PORT}",
    "folders": ["SAMINC"],
    "username": "ADMIN",
    "password": "admin",
    "discover_custom_fields": False,
}


@pytest.fixture(scope="module", autouse=True)
def served(tmp_path_factory):
    with standard_tap.served("sagex3", PORT, tmp_path_factory.mktemp("standard")):
        yield


TestRest = standard_tap.standard_tests(TapSageX3, {**CONFIG, "api": "rest"})
# The schemas are the same as over REST: the keys are enough, and many columns do not come this way.
TestGraphql = standard_tap.standard_tests(TapSageX3, {**CONFIG, "api": "graphql"}, most=8)
