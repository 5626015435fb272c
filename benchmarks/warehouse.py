"""The sandbox's Snowflake, and what the bench asks of it.

The questions are asked by a process of their own (``python benchmarks/warehouse.py …``), so that the one that starts
the subjects stays small.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polls

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "BENCH"
USER = "LOADER"
FILE_FORMAT = f"{DATABASE}.PUBLIC.CSV"
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Warehouse:
    """A running sandbox.

    Attributes:
        host: Where it listens.
        port: And on which port.
        private_key: The loader's key file.
        pid: The server's process.
    """

    host: str
    port: int
    private_key: Path
    pid: int

    @property
    def address(self) -> dict[str, Any]:
        """Where it is, as the connector's arguments."""
        return {"account": "SANDBOX", "user": USER, "host": self.host, "port": self.port, "protocol": "http"}

    @property
    def opened(self) -> str:
        """The address and the key, as the questions' processes take them."""
        return json.dumps({**self.address, "private_key_file": str(self.private_key)})

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the server up to now, where the system tells."""
        stat = Path(f"/proc/{self.pid}/stat")
        if not stat.exists():
            return 0.0
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def settle(self, schema: str, table: str) -> int:
        """Give the number of rows that arrived, and forget the schema."""
        return int(_asked("settle", self.opened, schema, table))

    def polled(self, schema: str, revision: int) -> int:
        """Give the number of rows of a schema's tables that are of a revision."""
        return int(_asked("polled", self.opened, schema, str(revision)))


@contextmanager
def serving(
    folder: Path, name: str = "snowflake", *, latency_ms: int = 0, request_log: Path | None = None
) -> Iterator[Warehouse]:
    """Run the sandbox's Snowflake.

    Args:
        folder: Where its files lie, and its loader's key.
        name: Folder in that folder; it has what an earlier server of that name left.
        latency_ms: Milliseconds each statement is held back.
        request_log: File for one line a request.

    Raises:
        RuntimeError: If it does not start.
    """
    private = folder / "loader.p8"
    if not private.exists():
        _asked("keys", str(private))
    log = folder / f"{name}.log"
    command = [
        _BIN / "erp-sandbox",
        "serve",
        "snowflake",
        "--path",
        folder / name,
        "--latency",
        str(latency_ms),
    ]
    if request_log:
        command += ["--request-log", request_log]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--user", USER, "--public-key", private.with_suffix(".pub")],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("ready "):
            raise RuntimeError(f"The sandbox did not start:\n{log.read_text()}")
        where = urlsplit(line.split(maxsplit=1)[1].strip())
        warehouse = Warehouse(str(where.hostname), int(where.port or 0), private, process.pid)
        _asked("create", warehouse.opened)
        yield warehouse
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _asked(*arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def keys(path: str) -> None:
    """Make the loader's key pair."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - not for every question
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    pem, key = serialization.Encoding.PEM, rsa.generate_private_key(public_exponent=65537, key_size=2048)
    Path(path).write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    Path(path).with_suffix(".pub").write_bytes(public)


def create(address: str) -> None:
    """Make the database, and the file format that pipelinewise's README asks for."""
    _execute(address, f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    csv = "TYPE = 'CSV' ESCAPE = '\\\\' FIELD_OPTIONALLY_ENCLOSED_BY = '\"'"
    _execute(address, f"CREATE FILE FORMAT IF NOT EXISTS {FILE_FORMAT} {csv}")


def settle(address: str, schema: str, table: str) -> None:
    """Print how many rows a table has, and drop its schema."""
    _execute(address, f"USE DATABASE {DATABASE}")
    ((count,),) = _execute(address, f'SELECT COUNT(*) FROM {DATABASE}."{schema}"."{table}"')
    _execute(address, f'DROP SCHEMA {DATABASE}."{schema}" CASCADE')
    print(count)


def polled(address: str, schema: str, revision: str) -> None:
    """Print how many rows of a poll's tables are of a revision."""
    _execute(address, f"USE DATABASE {DATABASE}")
    tables = [f'{DATABASE}."{schema}"."{stream.upper()}"' for stream, _ in polls.STREAMS]
    counts = [
        f'SELECT COUNT(*) AS N FROM {table} WHERE "{polls.REVISION.upper()}" = {revision}' for table in tables
    ]
    ((count,),) = _execute(address, f"SELECT SUM(N) FROM ({' UNION ALL '.join(counts)})")
    print(count)


def _execute(address: str, sql: str) -> list[Any]:
    import snowflake.connector  # noqa: PLC0415 - not for every question

    where = {**json.loads(address), "authenticator": "SNOWFLAKE_JWT"}
    with closing(snowflake.connector.connect(**where)) as connection, connection.cursor() as cursor:
        return list(cursor.execute(sql).fetchall())


if __name__ == "__main__":
    {"keys": keys, "create": create, "settle": settle, "polled": polled}[sys.argv[1]](*sys.argv[2:])
