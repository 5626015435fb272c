"""``make demo``: a company's books from a Sage 300 Web API into Snowflake tables, twice.

Both ends run on this machine: the Sage 300 of ``erp-sandbox`` and its Snowflake. Everything between them
is what a customer runs: ``meltano run tap-sage300 target-snowflake-ml``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import report
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from processes import BIN, serving, stop_like_ctrl_c
from warehouse import connected

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / ".demo"
COMPANIES = ["SAMINC", "SAMLTD"]
SCHEMA = "SAGE300"
SCALE = "0.1"


def make_key_pair() -> tuple[Path, Path]:
    """The key that the loader logs on with; the public half is registered with the sandbox."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private, public = HERE / "loader.p8", HERE / "loader.pub"
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        ),
    )
    return private, public


def settings(base_url: str, snowflake_url: str, private_key: Path) -> dict[str, str]:
    """The environment that Meltano hands to the two plugins."""
    where = urlsplit(snowflake_url)
    return {
        "MELTANO_DATABASE_URI": f"sqlite:///{HERE / 'meltano.db'}",
        "UV_COMPILE_BYTECODE": "1",
        "TAP_SAGE300_BASE_URL": base_url,
        "TAP_SAGE300_COMPANIES": json.dumps(COMPANIES),
        "TAP_SAGE300_USERNAME": "WEBAPI",
        "TAP_SAGE300_PASSWORD": "WEBAPI",
        "TAP_SAGE300_START_DATE": "2000-01-01T00:00:00Z",
        "TARGET_SNOWFLAKE_ML_ACCOUNT": "SANDBOX",
        "TARGET_SNOWFLAKE_ML_USER": "LOADER",
        "TARGET_SNOWFLAKE_ML_PRIVATE_KEY_PATH": str(private_key),
        "TARGET_SNOWFLAKE_ML_HOST": str(where.hostname),
        "TARGET_SNOWFLAKE_ML_PORT": str(where.port),
        "TARGET_SNOWFLAKE_ML_PROTOCOL": where.scheme,
        "TARGET_SNOWFLAKE_ML_DATABASE": "BOOKS",
        "TARGET_SNOWFLAKE_ML_WAREHOUSE": "DEMO_WH",
        "TARGET_SNOWFLAKE_ML_ROLE": "LOADER",
        "TARGET_SNOWFLAKE_ML_DEFAULT_TARGET_SCHEMA": SCHEMA,
        "TARGET_SNOWFLAKE_ML_SPOOL_DIR": str(HERE / "spool"),
    }


def step(words: str, command: list[str | Path], environment: dict[str, str], log: Path) -> None:
    """Run one command, say how long it took, and show its last lines when it fails."""
    print(f"\n$ {words}", flush=True)
    started = time.monotonic()
    with log.open("w") as output:
        result = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode:
        print("\n".join(log.read_text().splitlines()[-25:]))
        sys.exit(f"{words} failed (exit {result.returncode}); the whole log is {log}")
    print(f"  done in {time.monotonic() - started:.0f} s  (log: {log.relative_to(ROOT)})", flush=True)


def connector_settings(environment: dict[str, str]) -> dict[str, object]:
    """The same settings as the connector spells them."""
    read = {
        key.removeprefix("TARGET_SNOWFLAKE_ML_").lower(): value
        for key, value in environment.items()
        if key.startswith("TARGET_SNOWFLAKE_ML_")
    }
    return {name: read[name] for name in ("account", "user", "host", "protocol", "database", "warehouse")} | {
        "port": int(read["port"]),
        "private_key_file": read["private_key_path"],
        "authenticator": "SNOWFLAKE_JWT",
    }


def source_totals(environment: dict[str, str]) -> dict[str, object]:
    """Control totals as the tap reads them from the ERP."""
    config = HERE / "tap.json"
    config.write_text(
        json.dumps(
            {
                "base_url": environment["TAP_SAGE300_BASE_URL"],
                "companies": COMPANIES,
                "username": environment["TAP_SAGE300_USERNAME"],
                "password": environment["TAP_SAGE300_PASSWORD"],
            },
        ),
    )
    command = [BIN / "tap-sage300", "--config", config, "--control-totals"]
    with (HERE / "control-totals.log").open("w") as log:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, text=True, check=True)
    return dict(json.loads(result.stdout))


def main() -> None:
    """Serve both ends, run twice, and show what arrived."""
    stop_like_ctrl_c()
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    private, public = make_key_pair()
    business, tables = HERE / "sage300.db", HERE / "snowflake"
    erp = ["sage300", "--path", str(business), "--scale", SCALE, "--page-size", "1000"]
    cloud = ["snowflake", "--path", str(tables), "--user", "LOADER", "--public-key", str(public)]
    with (
        serving(*erp, log=HERE / "sage300.log") as base_url,
        serving(*cloud, log=HERE / "snowflake.log") as snowflake_url,
    ):
        print(f"Sage 300 Web API  {base_url}\nSnowflake         {snowflake_url}")
        environment = settings(base_url, snowflake_url, private)
        env_file = HERE / "env"
        env_file.write_text("".join(f"export {key}='{value}'\n" for key, value in environment.items()))
        pipeline = ["run", "tap-sage300", "target-snowflake-ml"]
        with connected(connector_settings(environment), schema=SCHEMA) as warehouse:
            step("meltano install", [BIN / "meltano", "install"], environment, HERE / "install.log")
            first = " ".join(["meltano", *pipeline])
            step(first, [BIN / "meltano", *pipeline], environment, HERE / "run-1.log")
            before = warehouse.snapshot()
            advance = ["advance", "--path", str(business), "--days", "3"]
            step("erp-sandbox advance --days 3", [BIN / "erp-sandbox", *advance], {}, HERE / "advance.log")
            step(first, [BIN / "meltano", *pipeline], environment, HERE / "run-2.log")
            after = warehouse.snapshot()
            report.movements(before, after, warehouse.rejected())
            agreed = report.control_totals(source_totals(environment), warehouse)
            report.whereabouts(env_file, tables)
    if not agreed:
        sys.exit("Source and warehouse differ: see the lines marked above.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; both servers are stopped.")
