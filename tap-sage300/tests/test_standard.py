"""The SDK's standard tap tests, against the sandbox's Sage 300."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from socket import socket

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_sage300.tap import TapSage300

with closing(socket()) as probe:
    # The suite wants its settings when it is collected, before any server runs.
    probe.bind(("127.0.0.1", 0))
    PORT = probe.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("standard")
    command = [Path(sys.executable).parent / "erp-sandbox", "serve", "sage300", "--port", str(PORT)]
    command += ["--path", folder / "sage300.db", "--scale", "0.05", "--page-size", "40"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout.readline().startswith("ready "), (folder / "log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(15)


TestTapSage300 = get_tap_test_class(
    TapSage300,
    config={
        "base_url": f"http://127.0.0.1:{PORT}/Sage300WebApi/v1.0/-",
        "companies": ["SAMINC"],
        "username": "webapi",
        "password": "webapi",
        "discover_custom_fields": False,
    },
    suite_config=SuiteConfig(max_records_limit=60),
    include_stream_attribute_tests=False,
)
