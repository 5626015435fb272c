"""One line for each thing that a run needs."""

from __future__ import annotations

import json
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@pytest.fixture
def examine(warehouse):
    def examine(**settings):
        program, _, config = warehouse.command(**settings)
        command = [program, "doctor", "--config", config, "--format", "json"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert "Traceback" not in result.stderr, result.stderr
        assert "PRIVATE KEY" not in result.stdout + result.stderr
        found = {each["check"]: (each["result"], each["says"]) for each in json.loads(result.stdout)}
        return result.returncode, found

    return examine


def test_all_is_well(examine, warehouse):
    code, found = examine(warehouse="LOAD_WH", role="LOADER")
    assert {result for result, _ in found.values()} == {"ok"}, found
    assert code == 0
    assert list(found) == [
        "settings", "network", "spool folder", "login", "role", "warehouse", "database", "schema BOOKS",
        "schema ML_AUDIT",
    ]  # fmt: skip
    schemas = warehouse.query(
        "SELECT SCHEMA_NAME FROM INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME LIKE 'ML_DOCTOR%'"
    )
    assert schemas == []


def test_a_key_that_nobody_registered(examine):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    code, found = examine(private_key=key.decode())
    assert code == 1
    assert found["login"][0] == "fail"
    assert "RSA_PUBLIC_KEY" in found["login"][1]
    assert "schema BOOKS" not in found


def test_a_key_that_is_none(examine):
    code, found = examine(private_key="-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----")
    assert code == 1
    assert found["settings"][0] == "fail"


def test_a_database_that_does_not_exist(examine):
    code, found = examine(database="NOWHERE")
    assert code == 1
    assert found["database"][0] == "fail"
    assert "NOWHERE" in found["database"][1]


def test_a_server_that_does_not_listen(examine):
    code, found = examine(port=1)
    assert code == 1
    assert found["network"][0] == "fail"
    assert "does not answer" in found["network"][1]
    assert "login" not in found


def test_a_spool_folder_that_cannot_be_made(examine, tmp_path):
    (tmp_path / "file").write_text("")
    code, found = examine(spool_dir=str(tmp_path / "file" / "spool"))
    assert code == 1
    assert found["spool folder"][0] == "fail"
