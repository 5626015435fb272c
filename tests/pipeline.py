"""The two ends of every pipeline as separate processes, and what joins them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import snowflake.connector
from filelock import FileLock
from tap_server import BIN, ROOT

COMPANIES = ("SAMINC", "SAMLTD")


@dataclass
class Erp:
    """A running Sage 300 and the file its business lives in."""

    url: str
    business: Path
    requests: Path

    def advance(self, days):
        subprocess.run(
            [BIN / "erp-sandbox", "advance", "--path", self.business, "--days", str(days)], check=True
        )

    def request_count(self):
        return len(self.requests.read_text().splitlines()) if self.requests.exists() else 0

    def config(self, **more):
        return {
            "base_url": self.url,
            "companies": list(COMPANIES),
            "username": "webapi",
            "password": "webapi",
            "start_date": "2000-01-01T00:00:00Z",
            **more,
        }


@dataclass
class Warehouse:
    """A running Snowflake with one registered loader, and a schema for one test."""

    url: str
    private_key: Path
    spool: Path
    database: str = "BOOKS"
    schema: str = "SAGE300"
    opened: list = field(default_factory=list)

    def config(self, **more):
        where = urlsplit(self.url)
        return {
            "account": "SANDBOX",
            "user": "LOADER",
            "private_key_path": str(self.private_key),
            "host": where.hostname,
            "port": where.port,
            "protocol": where.scheme,
            "database": self.database,
            "warehouse": "TEST_WH",
            "default_target_schema": self.schema,
            "spool_dir": str(self.spool),
            **more,
        }

    def connect(self):
        if not self.opened:
            where = urlsplit(self.url)
            connection = snowflake.connector.connect(
                account="SANDBOX",
                user="LOADER",
                private_key_file=str(self.private_key),
                authenticator="SNOWFLAKE_JWT",
                host=where.hostname,
                port=where.port,
                protocol=where.scheme,
            )
            connection.cursor().execute(f"CREATE DATABASE IF NOT EXISTS {self.database}")
            connection.cursor().execute(f"USE DATABASE {self.database}")
            self.opened.append(connection)
        return self.opened[0]

    def query(self, sql):
        return self.connect().cursor().execute(sql).fetchall()

    def rows(self, table):
        cursor = self.connect().cursor(snowflake.connector.DictCursor)
        return cursor.execute(f'SELECT * FROM "{self.schema}"."{table}"').fetchall()


@dataclass
class Pipe:
    """A tap piped into a target, as a shell would do it; the state is kept between runs."""

    folder: Path
    state: dict = field(default_factory=dict)

    def _file(self, name, content):
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    def discover(self, config, executable=BIN / "tap-sage300"):
        output = subprocess.run(
            [executable, "--config", self._file("tap", config), "--discover"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        return json.loads(output)

    def run(
        self,
        tap,
        target,
        *,
        catalog=None,
        tap_bin=BIN / "tap-sage300",
        target_bin=BIN / "target-snowflake-ml",
    ):
        """Start both ends; returns the two processes, the target's stdout being its state lines."""
        command = [tap_bin, "--config", self._file("tap", tap)]
        if catalog:
            command += ["--catalog", self._file("catalog", catalog)]
        if self.state:
            command += ["--state", self._file("state", self.state)]
        tap_log, target_log = (self.folder / "tap.log").open("w"), (self.folder / "target.log").open("w")
        left = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=tap_log)
        right = subprocess.Popen(
            [target_bin, "--config", self._file("target", target)],
            stdin=left.stdout,
            stdout=subprocess.PIPE,
            stderr=target_log,
            text=True,
        )
        left.stdout.close()
        return left, right

    def finish(self, left, right, *, killed=False):
        """Wait for both, keep the last state that the target let out."""
        output, _ = right.communicate(timeout=500)
        code = left.wait(60)
        if not killed:
            assert code == 0, (self.folder / "tap.log").read_text()[-3000:]
            assert right.returncode == 0, (self.folder / "target.log").read_text()[-3000:]
        states = [json.loads(line) for line in output.splitlines() if line.strip()]
        if states:
            self.state = states[-1].get("value", states[-1])
        return states


def everything(catalog):
    """The catalog with every stream and field selected."""
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    return catalog


def only(catalog, *names):
    """The catalog with these streams selected, whole."""
    for stream in everything(catalog)["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in names
    return catalog


def meltano_runner(plugin, settings, warehouse, folder, **target):
    """A way to run Meltano's commands with one tap and target-snowflake-ml, installed.

    Args:
        plugin: Prefix of the tap's settings in the environment: `TAP_SAGEX3`.
        settings: The tap's settings.
        warehouse: The Snowflake.
        folder: For Meltano's own state.
        target: Settings of the target besides those that reach the warehouse.
    """
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "UV_COMPILE_BYTECODE": "1"}
    environment["MELTANO_DATABASE_URI"] = f"sqlite:///{folder / 'meltano.db'}"
    for prefix, known in ((plugin, settings), ("TARGET_SNOWFLAKE_ML", {**warehouse.config(), **target})):
        for name, value in known.items():
            environment[f"{prefix}_{name.upper()}"] = value if isinstance(value, str) else json.dumps(value)

    def run(*arguments, code=0):
        result = subprocess.run(
            [BIN / "meltano", *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
            timeout=550,
        )
        assert result.returncode == code, (result.stdout + result.stderr)[-4000:]
        return result.stdout

    with FileLock(str(ROOT / ".meltano-install.lock")):
        run("install")
    return run
