"""The business behind a Sage 300, a Snowflake, and a pipe between them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from filelock import FileLock
from pipeline import Erp, Pipe, Warehouse
from tap_server import BIN, ROOT, sandbox


@pytest.fixture
def erp(tmp_path):
    """A small business behind a Sage 300 Web API."""
    business, requests = tmp_path / "sage300.db", tmp_path / "requests.jsonl"
    with sandbox(
        "sage300",
        "--path",
        business,
        "--scale",
        "0.1",
        "--page-size",
        "50",
        "--request-log",
        requests,
        log=tmp_path / "erp.log",
    ) as url:
        yield Erp(url, business, requests)


@pytest.fixture
def warehouse(tmp_path):
    """A Snowflake that lets LOADER in with the key made here, and nobody else."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private, public = tmp_path / "loader.p8", tmp_path / "loader.pub"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    with sandbox(
        "snowflake",
        "--path",
        tmp_path / "snowflake",
        "--user",
        "LOADER",
        "--public-key",
        public,
        log=tmp_path / "snowflake.log",
    ) as url:
        found = Warehouse(url, private, tmp_path / "spool")
        found.connect()
        yield found
        for connection in found.opened:
            connection.close()


@pytest.fixture
def pipe(tmp_path):
    folder = tmp_path / "pipe"
    folder.mkdir()
    return Pipe(folder)


@pytest.fixture(scope="session")
def peer():
    """Executables of plugins that we did not write, each in an environment of its own."""
    uv = shutil.which("uv", path=f"{BIN}:{ROOT / '.tools' / 'bin'}:{os.environ['PATH']}")

    def install(package, executable):
        home = ROOT / ".venv-peers" / package.replace("=", "")
        (ROOT / ".venv-peers").mkdir(exist_ok=True)
        with FileLock(f"{home}.lock"):
            if not (home / "bin" / executable).exists():
                subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, home], check=True)
                subprocess.run([uv, "pip", "install", "--quiet", "--python", home, package], check=True)
        return home / "bin" / executable

    return install
