"""The SDK's standard tap tests, on every stream and through both APIs, against the sandbox's server."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from socket import socket

import pytest
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from singer_sdk.testing import SuiteConfig, get_tap_test_class, tap_tests

from tap_sagex3.tap import TapSageX3

# One process has one server and one sync for all of it.
pytestmark = pytest.mark.xdist_group("tap-sagex3-standard")

with closing(socket()) as probe:
    # The suite wants its settings when it is collected, before any server runs.
    probe.bind(("127.0.0.1", 0))
    PORT = probe.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("standard")
    command = [Path(sys.executable).parent / "erp-sandbox", "serve", "sagex3", "--port", str(PORT)]
    command += ["--path", folder / "books.db", "--scale", "0.05"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout.readline().startswith("ready "), (folder / "log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(15)


def exactly_multiple_of(validator, step, instance, schema):
    # jsonschema divides binary floats, in which 100.01 is no multiple of 0.001.
    if isinstance(instance, (int, float)) and Decimal(str(instance)) % Decimal(str(step)):
        yield ValidationError(f"{instance} is not a multiple of {step}")


tap_tests.DEFAULT_JSONSCHEMA_VALIDATOR = extend(
    tap_tests.DEFAULT_JSONSCHEMA_VALIDATOR, {"multipleOf": exactly_multiple_of}
)
CONFIG = {
    "base_url": f"http://127.0.0.1:{PORT}",
    "folders": ["SAMINC"],
    "username": "ADMIN",
    "password": "admin",
    "discover_custom_fields": False,
}


def everything_selected(config, most=None):
    catalog = TapSageX3(config=config, setup_mapper=False).catalog_dict
    for stream in catalog["streams"]:
        properties = stream["schema"]["properties"]
        stream["schema"]["properties"] = dict(list(properties.items())[:most])
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    return catalog


REST = {**CONFIG, "api": "rest"}
GRAPHQL = {**CONFIG, "api": "graphql"}

TestRest = get_tap_test_class(
    TapSageX3,
    config=REST,
    catalog=everything_selected(REST),
    suite_config=SuiteConfig(max_records_limit=60),
)
TestGraphql = get_tap_test_class(
    TapSageX3,
    config=GRAPHQL,
    # the schemas are the same as over REST: a few columns of each are enough, and many do not come this way
    catalog=everything_selected(GRAPHQL, most=12),
    suite_config=SuiteConfig(max_records_limit=60),
)
