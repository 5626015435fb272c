"""A Snowflake for the tests, the target as a process of its own, and a look at what arrived."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

sys.path.insert(0, str(Path(__file__).parent))

from trials import WAYS, Trial

ROOT = Path(__file__).resolve().parents[2]
# the sandbox lives in the workspace's environment, whichever interpreter runs these tests
SANDBOX = Path(os.environ.get("ERP_SANDBOX", ROOT / ".venv" / "bin" / "erp-sandbox"))
CONNECTOR5 = Path(os.environ.get("CONNECTOR5_PYTHON", ROOT / ".venv-connector5" / "bin" / "python"))
TOKEN = "a-programmatic-access-token"
OAUTH_TOKEN = "an-oauth-access-token"
OAUTH_CLIENT = ("the-client", "the-client-secret")


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem_of(key):
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@dataclass(frozen=True)
class Account:
    """A running Snowflake that lets LOADER in with one key or one token."""

    url: str
    private_key: str

    def connection_settings(self):
        where = urlsplit(self.url)
        return {
            "account": "SANDBOX",
            "user": "LOADER",
            "host": where.hostname,
            "port": where.port,
            "protocol": where.scheme,
        }


@dataclass
class Run:
    """What one run of the target left behind."""

    code: int
    states: list
    log: str


@dataclass
class Warehouse:
    """One database of the account, and the target that loads it."""

    account: Account
    folder: Path
    python: Path = Path(sys.executable)
    database: str = field(default_factory=lambda: f"T{uuid.uuid4().hex[:10].upper()}")
    schema: str = "BOOKS"
    settings: dict = field(default_factory=dict)
    connection: object = None

    def connect(self):
        """A session of the tests' own in this database, once it is made."""
        return snowflake.connector.connect(
            **self.account.connection_settings(),
            authenticator="PROGRAMMATIC_ACCESS_TOKEN",
            token=TOKEN,
            database=self.database,
        )

    def open(self):
        self.connection = self.connect()
        self.query(f"CREATE DATABASE {self.database}")
        self.query(f"USE DATABASE {self.database}")
        return self

    def config(self, **more):
        return {
            **self.account.connection_settings(),
            "private_key": self.account.private_key,
            "database": self.database,
            "default_target_schema": self.schema,
            "spool_dir": str(self.folder / "spool"),
            "max_retry_time": 5,
            **self.settings,
            **more,
        }

    def command(self, **settings):
        path = self.folder / f"config-{uuid.uuid4().hex[:6]}.json"
        path.write_text(json.dumps(self.config(**settings)))
        return [self.python.parent / "target-snowflake-ml", "--config", path]

    def load(self, *messages, **settings):
        """Run the target over some messages (dicts, or lines as they are)."""
        lines = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
        result = subprocess.run(
            self.command(**settings), input=b"\n".join(lines) + b"\n", capture_output=True, timeout=120
        )
        states = [json.loads(line) for line in result.stdout.splitlines() if line.strip()]
        return Run(result.returncode, states, result.stderr.decode())

    def query(self, sql):
        cursor = self.connection.cursor()
        try:
            return [tuple(row) for row in cursor.execute(sql).fetchall()]
        finally:
            cursor.close()

    def rows(self, table, *columns, where="TRUE", schema=None):
        """Chosen columns of a table, in order of the first."""
        wanted = ", ".join(f'"{column}"' for column in columns)
        return self.query(
            f'SELECT {wanted} FROM "{schema or self.schema}"."{table}" WHERE {where} ORDER BY 1'
        )

    def types(self, table):
        return {row[0]: row[1] for row in self.query(f'DESCRIBE TABLE "{self.schema}"."{table}"')}

    def audit(self, table, *columns):
        return self.rows(table, *columns, schema="ML_AUDIT")

    def spooled(self):
        return sorted(path.name for path in (self.folder / "spool").glob("*"))


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    """The sandbox's Snowflake, one for all tests of a process."""
    folder = tmp_path_factory.mktemp("snowflake")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = folder / "loader.pub"
    public.write_text(public_pem_of(key))
    log = (folder / "log").open("w")
    command = [SANDBOX, "serve", "snowflake", "--path", folder / "data", "--user", "LOADER"]
    command += ["--public-key", public, "--token", TOKEN]
    command += ["--oauth-token", OAUTH_TOKEN, "--oauth-client", ":".join(OAUTH_CLIENT)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        line = process.stdout.readline()
        assert line.startswith("ready "), (folder / "log").read_text()
        yield Account(line.split(maxsplit=1)[1].strip(), pem_of(key))
    finally:
        process.terminate()
        process.wait(15)
        log.close()


@pytest.fixture
def warehouse(account, tmp_path):
    """An empty database, loaded by the target of this environment."""
    opened = Warehouse(account, tmp_path).open()
    yield opened
    opened.connection.close()


def take_way(warehouse, way):
    """Have the warehouse loaded in one of these ways."""
    if way == "connector 5":
        warehouse.python = CONNECTOR5
    if way == "SQL API":
        warehouse.settings = {"transport": "sql_api"}
    return warehouse


@pytest.fixture(params=WAYS)
def any_warehouse(request, warehouse):
    """The same, loaded with each generation of Snowflake's connector and over the SQL API in turn."""
    return take_way(warehouse, request.param)


@pytest.fixture
def network(warehouse):
    """The warehouse behind a proxy that can make trouble."""
    spec = importlib.util.spec_from_file_location("proxy", Path(__file__).parent / "proxy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.proxied(warehouse.account.url) as proxy:
        warehouse.account = replace(warehouse.account, url=proxy.url)
        yield proxy


@pytest.fixture(scope="session")
def launchers():
    """What starts targets, by interpreter."""
    opened = {}
    yield opened
    for launcher in opened.values():
        launcher.close()


@pytest.fixture
def trial(request, warehouse, network, launchers):
    """The warehouse behind a proxy, and targets that start at once; a test's parameter ``way`` is taken."""
    callspec = getattr(request.node, "callspec", None)
    take_way(warehouse, callspec.params.get("way") if callspec else None)
    return Trial(warehouse, network, launchers)


def schema_of(stream, properties, keys=("id",), **more):
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": properties},
        "key_properties": list(keys),
        **more,
    }


def record_of(stream, record, **more):
    return {"type": "RECORD", "stream": stream, "record": record, **more}


def state_of(value):
    return {"type": "STATE", "value": value}


BILL = {
    "id": {"type": "integer"},
    "VendorName": {"type": ["string", "null"]},
    "Amount": {"type": ["number", "null"], "multipleOf": 0.001, "x-precision": 19, "x-scale": 3},
}


@pytest.fixture
def bills():
    """Messages of a stream of bills: its schema, and a function that makes a record."""

    class Bills:
        schema = schema_of("bills", BILL)

        @staticmethod
        def record(number, name=None, amount=None, **more):
            return record_of("bills", {"id": number, "VendorName": name, "Amount": amount}, **more)

        @staticmethod
        def state(value):
            return state_of({"bookmarks": {"bills": value}})

    return Bills


@pytest.fixture
def messages():
    """Functions that make Singer messages."""

    class Messages:
        schema = staticmethod(schema_of)
        record = staticmethod(record_of)
        state = staticmethod(state_of)

    return Messages
