"""Each package by itself: installed alone into an empty environment, it starts, and a target loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / ".tools" / "bin" / "uv"
TAPS = ("tap-sage300", "tap-sageintacct", "tap-sagex3")
TARGETS = ("target-snowflake-ml",)
MESSAGES = [
    {
        "type": "SCHEMA",
        "stream": "bills",
        "schema": {"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}},
        "key_properties": ["id"],
    },
    {"type": "RECORD", "stream": "bills", "record": {"id": 1, "name": "Ace"}},
    {"type": "STATE", "value": {"bookmarks": {"bills": {"version": 1}}}},
]
pytestmark = pytest.mark.xdist_group("packages")


def run(*command, **more):
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))
    }
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=plain, **more)


def installed(folder, package):
    """An environment that has one package and what it declares; its programs' folder."""
    made = run(UV, "venv", "--quiet", "--python", sys.executable, folder)
    assert made.returncode == 0, made.stderr
    extra = "[load]" if package in TARGETS else ""
    sources = [f"ml-connector{extra} @ {(ROOT / 'ml-connector').as_uri()}"]
    if package != "ml-connector":
        sources.append(f"{package} @ {(ROOT / package).as_uri()}")
    done = run(UV, "pip", "install", "--quiet", "--python", folder, "--no-sources", *sources)
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.mark.parametrize("package", [*TAPS, *TARGETS])
def test_a_package_alone_says_what_it_is(package, tmp_path):
    programs = installed(tmp_path / "env", package)
    version = run(programs / package, "--version")
    assert (version.returncode, version.stderr) == (0, "")
    about = run(programs / package, "--about", "--format=json")
    assert json.loads(about.stdout)["name"] == package
    modules = run(programs / "python", "-c", "import importlib.util as u; print(u.find_spec('pyarrow'))")
    assert (modules.stdout.strip() == "None") == (package in TAPS)
    if package in TARGETS:
        loads(programs, tmp_path)


def test_the_runtime_alone_encrypts_secrets(tmp_path):
    programs = installed(tmp_path / "env", "ml-connector")
    key = run(programs / "ml-connector", "secrets", "generate-key")
    assert key.returncode == 0, key.stderr


def loads(programs, folder):
    """One load over each transport."""
    (folder / "data").mkdir()
    serve = [ROOT / ".venv" / "bin" / "erp-sandbox", "serve", "snowflake", "--path", folder / "data"]
    server = subprocess.Popen([*serve, "--token", "a-token-for-tests"], stdout=subprocess.PIPE, text=True)
    try:
        host, _, port = server.stdout.readline().split("//")[1].strip().partition(":")
        make_database(host, port)
        for transport in ("connector", "sql_api"):
            config = {
                "account": "SANDBOX",
                "user": "LOADER",
                "token": "a-token-for-tests",
                "host": host,
                "port": int(port),
                "protocol": "http",
                "database": "BOOKS",
                "default_target_schema": transport,
                "transport": transport,
                "spool_dir": str(folder / "spool"),
                "max_retry_time": 20,
            }
            path = folder / f"{transport}.json"
            path.write_text(json.dumps(config))
            lines = "\n".join(map(json.dumps, MESSAGES)) + "\n"
            done = run(programs / "target-snowflake-ml", "--config", path, input=lines)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout) == MESSAGES[-1]["value"]
    finally:
        server.terminate()
        server.wait(15)


def make_database(host, port):
    import snowflake.connector

    for _ in range(20):
        try:
            with snowflake.connector.connect(
                account="SANDBOX",
                user="LOADER",
                host=host,
                port=int(port),
                protocol="http",
                authenticator="PROGRAMMATIC_ACCESS_TOKEN",
                token="a-token-for-tests",
            ) as session:
                session.cursor().execute("CREATE DATABASE BOOKS")
                return
        except OSError:
            time.sleep(0.2)


def test_no_two_helpers_of_tests_share_a_name():
    """Every folder of tests may be on the path of imports: of two modules of a name, one would hide the other."""
    found = defaultdict(list)
    for path in [*ROOT.glob("tests/**/*.py"), *ROOT.glob("*/tests/**/*.py")]:
        if path.name != "conftest.py" and not path.name.startswith("test_"):
            found[path.name].append(str(path.relative_to(ROOT)))
    assert len(found) > 5, "the helpers are elsewhere"
    assert [paths for paths in found.values() if len(paths) > 1] == []
