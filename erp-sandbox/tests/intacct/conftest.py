"""A gateway over a small business, and requests as the documentation writes them."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from erp_sandbox import business
from erp_sandbox.fault_plan import FaultPlan
from erp_sandbox.intacct.app import PATH, Behaviour, create_app
from erp_sandbox.intacct.sessions import Credentials
from lxml import etree

PROGRAM = Path(sys.executable).parent / "erp-sandbox"
LOGIN = "<login><userid>WEBUSER</userid><companyid>SAMINC</companyid><password>WEBPASS</password></login>"
CONTROL = {
    "senderid": "SENDER",
    "password": "SENDERPASS",
    "controlid": "c1",
    "uniqueid": "false",
    "dtdversion": "3.0",
}


@dataclass
class Gateway:
    """A running gateway."""

    url: str
    path: Path
    log: Path

    def post(self, body):
        """The status and body of an answer."""
        request = urllib.request.Request(
            self.url, body.encode() if isinstance(body, str) else body, {"Content-Type": "application/xml"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def ask(self, *functions, login=LOGIN, transaction="false", **control):
        """The answer to some functions, parsed."""
        return etree.fromstring(self.raw(*functions, login=login, transaction=transaction, **control)[1])

    def raw(self, *functions, login=LOGIN, transaction="false", **control):
        head = "".join(f"<{name}>{value}</{name}>" for name, value in {**CONTROL, **control}.items())
        each = "".join(
            f'<function controlid="f{number}">{function}</function>'
            for number, function in enumerate(functions)
        )
        return self.post(
            f"<request><control>{head}</control><operation transaction='{transaction}'>"
            f"<authentication>{login}</authentication><content>{each}</content></operation></request>"
        )

    def query(self, name, select, filter_="", **more):
        """The `data` of a query, or its first error."""
        columns = "".join(f"<field>{field}</field>" for field in select.split())
        rest = "".join(f"<{key}>{value}</{key}>" for key, value in more.items())
        asked = f"<query><object>{name}</object><select>{columns}</select>{filter_}{rest}</query>"
        result = self.ask(asked).find("operation/result")
        return result.find("data") if result.findtext("status") == "success" else error_of(result)

    def stored(self, name):
        """Documents as they are stored, by RECORDNO."""
        rows = sqlite3.connect(self.path).execute(
            "SELECT recordno, doc FROM intacct_records WHERE object = ?", (name,)
        )
        return {number: json.loads(doc) for number, doc in rows}


def error_of(element):
    """errorno and description2 of the first error below an element."""
    error = element.find(".//error")
    return error.findtext("errorno"), error.findtext("description2")


@contextmanager
def running(folder, *more):
    path, log = folder / "books.db", folder / "log.jsonl"
    command = [PROGRAM, "serve", "intacct", "--path", path, "--scale", "0.2", "--request-log", log, *more]
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            line = process.stdout.readline()
            assert line.startswith("ready "), (folder / "errors").read_text()
            yield Gateway(line.split(maxsplit=1)[1].strip(), path, log)
        finally:
            process.terminate()
            process.wait(15)


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    with running(tmp_path_factory.mktemp("intacct")) as gateway:
        yield gateway


@pytest.fixture
def own_gateway(tmp_path):
    """Starts a gateway with options of its own."""
    open_ones = []

    def start(*more):
        manager = running(tmp_path, *more)
        open_ones.append(manager)
        return manager.__enter__()

    yield start
    for manager in open_ones:
        manager.__exit__(None, None, None)


@contextmanager
def served(app):
    """Run an application in a thread; yields its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="session")
def small_business(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "books.db"
    business.create(path, companies=("SAMINC",), scale=0.05, erps=("intacct",))
    return path


@pytest.fixture
def odd(small_business, tmp_path):
    """Serves the small business with oddities."""
    with ExitStack() as stack:

        def odd(*oddities):
            behaviour = Behaviour(ZoneInfo("UTC"), oddities=oddities)
            who = Credentials("SENDER", "SENDERPASS", "WEBUSER", "WEBPASS")
            app = create_app(small_business, who, behaviour, FaultPlan())
            return Gateway(stack.enter_context(served(app)) + PATH, small_business, tmp_path / "log")

        yield odd


@pytest.fixture(scope="session")
def first_error():
    return error_of
