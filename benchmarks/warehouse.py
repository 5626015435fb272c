"""The sandbox's Snowflake, and what the bench asks of it.

The questions are asked by a process of their own (``python benchmarks/warehouse.py …``), so that the one that starts
the subjects stays small.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

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

    def settle(self, schema: str, table: str) -> int:
        """Give the number of rows that arrived, and forget the schema."""
        address = json.dumps({**self.address, "private_key_file": str(self.private_key)})
        return int(_asked("settle", address, schema, table))


@contextmanager
def serving(folder: Path) -> Iterator[Warehouse]:
    """Run the sandbox's Snowflake over an empty folder.

    Raises:
        RuntimeError: If it does not start.
    """
    private = folder / "loader.p8"
    _asked("keys", str(private))
    log = folder / "snowflake.log"
    command = [_BIN / "erp-sandbox", "serve", "snowflake", "--path", folder / "snowflake"]
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
        _asked("create", json.dumps({**warehouse.address, "private_key_file": str(private)}))
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


def _execute(address: str, sql: str) -> list[Any]:
    import snowflake.connector  # noqa: PLC0415 - not for every question

    where = {**json.loads(address), "authenticator": "SNOWFLAKE_JWT"}
    with closing(snowflake.connector.connect(**where)) as connection, connection.cursor() as cursor:
        return list(cursor.execute(sql).fetchall())


if __name__ == "__main__":
    {"keys": keys, "create": create, "settle": settle}[sys.argv[1]](*sys.argv[2:])
