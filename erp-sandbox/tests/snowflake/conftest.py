"""One Snowflake account as a process of its own, and sessions of the genuine connector."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

BIN = Path(sys.executable).parent
CONNECTOR5 = Path(
    os.environ.get(
        "CONNECTOR5_PYTHON", Path(__file__).resolve().parents[3] / ".venv-connector5" / "bin" / "python"
    )
)
TOKEN = "a-programmatic-access-token"


@dataclass
class Key:
    """A key pair on disk."""

    private: Path
    public: Path

    @classmethod
    def made(cls, folder, name):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private, public = folder / f"{name}.p8", folder / f"{name}.pub"
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
        return cls(private, public)


@dataclass
class Server:
    """A sandbox that can be stopped and started again over the same folder."""

    folder: Path
    key: Key
    url: str = ""
    process: subprocess.Popen | None = None
    opened: list = field(default_factory=list)

    @property
    def log(self):
        return self.folder / "requests.jsonl"

    def start(self, *more):
        errors = (self.folder / "server.log").open("a")
        command = [BIN / "erp-sandbox", "serve", "snowflake", "--path", self.folder / "data"]
        command += ["--public-key", self.key.public, "--token", TOKEN, "--request-log", self.log, *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready "), (self.folder / "server.log").read_text()
        self.url = line.split(maxsplit=1)[1].strip()
        return self

    def stop(self, *, kill=False):
        for connection in self.opened:
            connection.close()
        self.opened.clear()
        self.process.kill() if kill else self.process.terminate()
        self.process.wait(15)

    def address(self):
        where = urlsplit(self.url)
        return {"host": where.hostname, "port": where.port, "protocol": where.scheme, "account": "SANDBOX"}

    def connect(self, **how):
        how = how or {"authenticator": "SNOWFLAKE_JWT", "private_key_file": str(self.key.private)}
        connection = snowflake.connector.connect(
            user=how.pop("user", "LOADER"), login_timeout=5, **self.address(), **how
        )
        self.opened.append(connection)
        return connection

    def session(self, database="BOOKS", schema="SAGE300"):
        """A session in a schema that is made on the way."""
        session = Session(self.connect())
        session.run(f"CREATE DATABASE IF NOT EXISTS {database}")
        session.run(f"USE DATABASE {database}")
        session.run(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        session.run(f'USE SCHEMA "{schema}"')
        return session


@dataclass
class Session:
    """A connection, and rows as plain lists."""

    connection: snowflake.connector.SnowflakeConnection

    def run(self, sql, *values):
        return self.connection.cursor().execute(sql, values or None).fetchall()

    def cursor(self, sql, *values):
        return self.connection.cursor().execute(sql, values or None)

    def stage(self, folder, name, **columns):
        """Put a Parquet file on the stage of the current schema."""
        path = folder / name
        pq.write_table(pa.table(columns), path)
        self.run("CREATE STAGE IF NOT EXISTS LOADING")
        self.run(
            f"PUT 'file://{path}' @LOADING AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE OVERWRITE = TRUE"
        )
        return path

    def copy(self, table, name):
        return self.run(
            f"COPY INTO {table} FROM @LOADING/{name}"
            " FILE_FORMAT = (TYPE = PARQUET USE_VECTORIZED_SCANNER = TRUE)"
            " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE ON_ERROR = ABORT_STATEMENT"
        )


class Api:
    """Requests to one server, as its documentation describes them."""

    def __init__(self, server, token):
        self.server, self.token = server, token
        self.sent = {}

    def ask(self, method, path, body=None, **headers):
        sent = {
            "Authorization": f"Bearer {self.token}",
            "X-Snowflake-Authorization-Token-Type": "PROGRAMMATIC_ACCESS_TOKEN",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "test/1.0",
            **headers,
        }
        sent = {name: value for name, value in sent.items() if value is not None}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.server.url}{path}", data, sent, method=method)
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            self.sent = answer.headers
            raw = answer.read()
        if self.sent.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        return answer.status, json.loads(raw)

    def run(self, statement, query="", **body):
        return self.ask(
            "POST", f"/api/v2/statements{query}", {"statement": statement, "database": "BOOKS", **body}
        )

    def several(self, *statements, query="", **body):
        count = {"MULTI_STATEMENT_COUNT": str(len(statements))}
        return self.run("; ".join(statements), query, parameters=count, **body)


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    return Key.made(tmp_path_factory.mktemp("keys"), "loader")


@pytest.fixture
def another_key(tmp_path):
    """Makes key pairs that nobody registered."""
    return lambda name: Key.made(tmp_path, name)


@pytest.fixture
def access_token():
    """A programmatic access token that is registered."""
    return TOKEN


_CLIENT = """
import json, sys, time
import snowflake.connector
how, program = json.loads(sys.argv[1]), sys.argv[2]
connection = snowflake.connector.connect(**how)
def run(sql):
    return connection.cursor().execute(sql).fetchall()
def refused(sql):
    try:
        run(sql)
    except snowflake.connector.errors.Error as error:
        return [error.errno, str(error)]
    return None
exec(program)
"""


@pytest.fixture(params=["connector 4", "connector 5"])
def client(request):
    """Runs a program with each generation of the connector: it has ``run``, ``refused`` and prints JSON."""
    python = sys.executable if request.param == "connector 4" else CONNECTOR5

    def client(server, program, env=None, **how):
        how = how or {"authenticator": "SNOWFLAKE_JWT", "private_key_file": str(server.key.private)}
        how = {"user": "LOADER", "login_timeout": 10, **server.address(), **how}
        result = subprocess.run(
            [python, "-c", _CLIENT, json.dumps(how), program],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **(env or {})},
        )
        assert result.returncode == 0, result.stderr[-3000:]
        return json.loads(result.stdout.splitlines()[-1])

    return client


@contextmanager
def running(folder, key, *options):
    server = Server(folder, key).start(*options)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, key, request):
    """A server for a module, with the module's ``OPTIONS``."""
    options = getattr(request.module, "OPTIONS", ())
    with running(tmp_path_factory.mktemp("snowflake"), key, *options) as server:
        yield server


@pytest.fixture(scope="module")
def server_for(tmp_path_factory, key):
    """Runs a server with options, for a module that prepares it."""
    return lambda *options: running(tmp_path_factory.mktemp("snowflake"), key, *options)


@pytest.fixture
def own_server(tmp_path, key):
    """A server that a test may stop."""
    with running(tmp_path, key) as server:
        yield server


@pytest.fixture
def server_with(tmp_path, key):
    """Starts a server with options."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(running(tmp_path, key, *options))


@pytest.fixture
def session(server, request):
    """A session in a schema of its own."""
    schema = re.sub(r"\W+", "_", request.node.name.upper())[:80]
    return server.session(schema=schema)


@pytest.fixture
def api_of(access_token):
    """The SQL API of a server."""
    return lambda server: Api(server, access_token)


@pytest.fixture
def api(server, api_of):
    """The SQL API, and a schema to work in."""
    server.session()
    return api_of(server)
