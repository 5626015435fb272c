"""The SDK's own target tests, with each generation of Snowflake's connector."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from singer_sdk.testing import get_target_test_class

from target_snowflake_ml.target import TargetSnowflakeML

HERE = Path(__file__).resolve()
SETTINGS = {}
"""Filled once the sandbox listens; the SDK wants the dictionary before that."""

Standard = get_target_test_class(TargetSnowflakeML, config=SETTINGS, parse_env_config=False)


class TestStandard(Standard):
    @pytest.fixture(autouse=True)
    def _sandbox(self, warehouse):
        # a record without its key is a dead letter; the SDK wants the run to stop, hence none is allowed
        SETTINGS.clear()
        SETTINGS.update(warehouse.config(max_dead_letters=0))


if version("snowflake-connector-python") < "5":

    def test_they_pass_with_connector_5_too(tmp_path):
        default = HERE.parents[2] / ".venv-connector5" / "bin" / "python"
        command = [os.environ.get("CONNECTOR5_PYTHON", default), "-m", "pytest", "-q", "-rA"]
        command += ["-p", "no:cacheprovider", "--import-mode=importlib", HERE]
        result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
        assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
        assert "test_target_schema_updates" in result.stdout
        assert "16 passed" in result.stdout
