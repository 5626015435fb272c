"""An X3 server over a few rows, written by hand."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jwt
import pytest
import requests
import uvicorn
from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.app import Behaviour, create_app
from erp_sandbox.sagex3.auth import Credentials
from erp_sandbox.fault_plan import FaultPlan
from erp_sandbox.sagex3.model import catalogue
from erp_sandbox.sagex3.store import SCHEMA
from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport
from requests.auth import HTTPBasicAuth

BASIC = ("ADMIN", "admin")
SECRET = Credentials().client_secret
STAMP = "2026-03-0{}T10:00:00Z"


class Rows:
    """Rows to write, by the tables' own keys."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.executescript(SCHEMA)

    def add(self, tbl, folder="SAMINC", visible=0.0, **doc):
        table = catalogue()[tbl]
        key = keys.stored(table, [doc.get(code, table.fields[code].empty) for code in table.key])
        sql = "INSERT OR REPLACE INTO sagex3_rows VALUES (?, ?, ?, ?, ?)"
        self.connection.execute(sql, (folder, tbl, key, visible, json.dumps(doc)))

    def custom(self, tbl, name, kind, description, folder="SAMINC"):
        sql = "INSERT INTO sagex3_custom VALUES (?, ?, ?, ?, ?)"
        self.connection.execute(sql, (folder, tbl, name, kind, description))


def stamps(nth=1):
    """The technical columns of a row, written on a day of March."""
    day = f"2026-03-0{nth}"
    return {"CREDAT": day, "UPDDAT": day, "CREDATTIM": STAMP.format(nth), "UPDDATTIM": STAMP.format(nth)} | {
        "CREUSR": "ADMIN",
        "UPDUSR": "ADMIN",
    }


def fill(rows):
    """A small folder: five suppliers, an entry of three lines, an order, an item, two open items."""
    rows.add("COMPANY", CPY="SAM", CPYNAM="Sample Company", LEG="USA", **stamps())
    rows.add("FACILITY", FCY="SAM01", FCYNAM="Main site", LEGCPY="SAM", FINFLG=2, **stamps())
    rows.add("TABCUR", CUR="USD", CURDES="US Dollar", CURSHO="Dollar", **stamps())
    rows.add("TABCUR", CUR="EUR", CURDES="Euro", CURSHO="Euro", **stamps())
    for nth, name in enumerate(["Acme", "Bolt & Co", "O'Neill", "Çelik", "acme south"], 1):
        number = f"V000{nth}"
        rows.add("BPARTNER", BPRNUM=number, BPRNAM=[name, "Inc"], BPSFLG=2, ENAFLG=2, CRY="US", **stamps(nth))
        rows.add(
            "BPSUPPLIER",
            BPSNUM=number,
            BPSNAM=name,
            CUR="EUR" if nth == 3 else "USD",
            ENAFLG=1 if nth == 5 else 2,
            ABCCLS=nth % 4 + 1,
            BPSTYP=1,
            ORDMINAMT=f"{nth * 100}.10",
            DIE=["CCT", "PRJ"],
            CCE=["100", ""],
            TSSCOD=["A", "B"],
            **stamps(nth),
        )
    fill_ledger(rows)
    fill_trade(rows)


def fill_ledger(rows):
    rows.add("GCOA", COA="USA", DESAXX="US chart", **stamps())
    for number, text in {"4010": "Payables", "6000": "Purchases", "6100": "Freight"}.items():
        rows.add("GACCOUNT", COA="USA", ACC=number, DES=text, DESSHO=text, ENAFLG=2, **stamps())
    rows.add("GTYPACCENT", TYP="FAC", LEG="", DES="Invoice", DESTRA="Invoice", **stamps())
    rows.add("GJOURNAL", JOU="ACH", LEG="", DES="Purchases", DESTRA="Purchases", **stamps())
    rows.add("GDIE", DIE="CCT", DES="Cost center", DESTRA="Cost Center", **stamps())
    rows.add("GDIE", DIE="PRJ", DES="Project", DESTRA="Project", **stamps())
    for code in ("100", "200"):
        rows.add(
            "CACCE", DIE="CCT", CCE=code, DES=f"Center {code}", DESTRA=f"Center {code}", ENAFLG=2, **stamps()
        )
    for entry in (1, 2):
        number = f"FAC0000{entry}"
        head = {"TYP": "FAC", "NUM": number, "ACCDAT": f"2026-02-1{entry}"}
        rows.add(
            "GACCENTRY",
            **head,
            CPY="SAM",
            FCY="SAM01",
            JOU="ACH",
            STA=entry,
            CAT=1,
            CUR="USD",
            **stamps(entry),
        )
        for line, (account, sign, amount) in enumerate(
            [("6000", 1, "100.123456789012"), ("6100", 1, "20.5"), ("4010", -1, "120.623456789012")], 1
        ):
            body = {
                "ACC": account,
                "SNS": sign,
                "AMTCUR": amount,
                "AMTLED": amount,
                "CUR": "USD",
                "COA": "USA",
            }
            place = {**head, "LIN": line, "LEDTYP": 1, "CPY": "SAM", "FCYLIN": "SAM01"}
            more = {"BPR": "V0001"} if account == "4010" else {}
            rows.add("GACCENTRYD", **place, **body, **more, DES=f"Line {line}", CURLED="USD", **stamps(entry))
            if account != "4010":
                split = {"DIE": ["CCT", "PRJ"], "CCE": ["100" if line == 1 else "200", ""]}
                rows.add("GACCENTRYA", **place, ANALIN=1, **body, **split, **stamps(entry))
    for nth in (1, 2):
        rows.add(
            "GACCDUDATE",
            NUMDUD=f"D{nth}",
            TYP="FAC",
            NUM=f"FAC0000{nth}",
            LIG=1,
            DUDLIG=1,
            BPR="V0001",
            BPRTYP=2,
            CPY="SAM",
            FCY="SAM01",
            CUR="USD",
            AMTCUR="120.63",
            AMTLOC="120.63",
            SNS=-1,
            TYPDUD=2,
            FLGPAZ=4,
            FLGFUP=1,
            **({"DUDDAT": "2026-03-15"} if nth == 1 else {}),
            **stamps(nth),
        )


def fill_trade(rows):
    rows.add(
        "ITMMASTER", ITMREF="BOLT", ITMDES1="Bolt M8", TCLCOD="GEN", ITMSTA=1, STU="UN", PUU="UN", **stamps()
    )
    rows.add("ITMCATEG", STOFCY="", TCLCOD="GEN", TCLDES="General", **stamps())
    rows.add("ITMFACILIT", ITMREF="BOLT", STOFCY="SAM01", SAFSTO="10", **stamps())
    rows.add("STOCK", STOFCY="SAM01", STOCOU="17", ITMREF="BOLT", QTYSTU="12.5", STA="A", **stamps())
    for order in (1, 2):
        number = f"PO00{order}"
        rows.add(
            "PORDER",
            POHNUM=number,
            CPY="SAM",
            POHFCY="SAM01",
            BPSNUM=f"V000{order}",
            CUR="USD",
            ORDDAT=f"2026-01-0{order}",
            CLEFLG=order,
            RCPFLG=order,
            TTVORD="150.00",
            **stamps(order),
        )
        for line in (1000, 2000):
            place = {"POHNUM": number, "POPLIN": line}
            price = {"GROPRI": "12.5", "NETPRI": "12.5", "ITMREF": "BOLT", "ITMDES": "Bolt M8"}
            rows.add("PORDERP", **place, POPSEQ=line // 1000, **price, **stamps(order))
            quantity = {"QTYPUU": "6", "QTYSTU": "6", "ITMREF": "BOLT", "PUU": "UN", "LINAMT": "75.00"}
            rows.add("PORDERQ", **place, POQSEQ=line // 1000, **quantity, **stamps(order))


@dataclass
class Server:
    """A running server."""

    url: str
    path: Path
    log: Path
    auth: object = BASIC
    headers: dict = field(default_factory=dict)

    def get(self, path, auth=BASIC, headers=None, **options):
        return requests.get(self.url + path, params=options, auth=auth, headers=headers, timeout=30)

    def rest(self, name, endpoint="SAMINC", representation=None, key=None, status=200, **options):
        """The body of a list, or of one record."""
        facet = "$query" if key is None else "$details"
        one = "" if key is None else f"('{key}')"
        options["representation"] = f"{representation or name}.{facet}"
        answer = self.get(f"/api1/x3/erp/{endpoint}/{name}{one}", **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def graphql(self, query, endpoint="SAMINC", auth=BASIC, headers=None, **variables):
        headers = {"x-xtrem-endpoint": endpoint, **(headers or {})}
        body = {"query": query, "variables": variables}
        return requests.post(f"{self.url}/xtrem/api", json=body, auth=auth, headers=headers, timeout=30)

    def nodes(self, package, node, selection, prefix="x3", **arguments):
        """The nodes of a query that has to work."""
        given = ", ".join(f"{name}: {json.dumps(value)}" for name, value in arguments.items())
        given = f"({given})" if given else ""
        text = f"{{ {prefix}{package} {{ {node} {{ query{given} {{ edges {{ node {{ {selection} }} }} }} }} }} }}"
        answer = self.graphql(text)
        assert answer.status_code == 200, answer.text
        assert "errors" not in answer.json(), answer.text
        edges = answer.json()["data"][f"{prefix}{package}"][node]["query"]["edges"]
        return [edge["node"] for edge in edges]


@contextmanager
def running(path, log=None, faults=(), credentials=None, **behaviour):
    """A server in a thread of its own."""
    known = credentials or Credentials()
    app = create_app(path, known, Behaviour(request_log=log, **behaviour), FaultPlan(faults, 0))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}", path, log)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="session")
def books(tmp_path_factory):
    path = tmp_path_factory.mktemp("x3") / "books.db"
    rows = Rows(path)
    fill(rows)
    rows.custom("BPSUPPLIER", "YRATING", "s", "Rating")
    rows.add("BPSUPPLIER", BPSNUM="V0006", BPSNAM="Rated", YRATING="AAA", CUR="USD", **stamps(6))
    rows.add("BPSUPPLIER", folder="SAMLTD", BPSNUM="X1", BPSNAM="Other folder", **stamps())
    return path


@pytest.fixture(scope="session")
def server(books, tmp_path_factory):
    with running(books, tmp_path_factory.mktemp("log") / "log.jsonl") as found:
        yield found


@pytest.fixture
def serve(books, tmp_path):
    """Servers of a test's own, over the same rows."""

    @contextmanager
    def start(path=books, **options):
        with running(path, tmp_path / "log.jsonl", **options) as found:
            yield found

    return start


@pytest.fixture
def sign():
    """Tokens as a connected application signs them."""

    def signed(secret=SECRET, **claims):
        now = int(time.time()) - 30
        given = {"iss": "CLIENT", "sub": "WEBUSER", "aud": "", "iat": now, "exp": now + 300, **claims}
        kept = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(kept, secret, "HS256")

    return signed


def client_of(server, endpoint="SAMINC"):
    transport = RequestsHTTPTransport(
        url=f"{server.url}/xtrem/api",
        auth=HTTPBasicAuth(*BASIC),
        headers={"x-xtrem-endpoint": endpoint},
        timeout=30,
    )
    return Client(transport=transport, fetch_schema_from_transport=True)


@pytest.fixture(scope="session")
def client(server):
    return client_of(server)


def run(client, text, **variables):
    query = gql(text)
    query.variable_values = variables
    return client.execute(query)
