"""A Web API over a handful of known documents, served through real HTTP."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn

from erp_sandbox.sage300 import records
from erp_sandbox.sage300.app import create_app
from erp_sandbox.sage300.faults import FaultPlan, parse_fault
from erp_sandbox.sage300.keys import sort_key
from erp_sandbox.sage300.model import catalogue

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (id INTEGER PRIMARY KEY, company TEXT NOT NULL, entity_set TEXT NOT NULL,
    sort_key TEXT NOT NULL, doc TEXT NOT NULL, UNIQUE(company, entity_set, sort_key));
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
"""

CUSTOMERS = 250


class Books:
    """A business file that tests write into."""

    def __init__(self, path: Path, companies: Sequence[str] = ("SAMINC", "SAMLTD")) -> None:
        self.path = path
        with self.connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)
            connection.execute("INSERT INTO meta VALUES ('companies', ?)", (json.dumps(list(companies)),))

    @contextlib.contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path)
        with connection:
            yield connection
        connection.close()

    def write(self, name: str, *payloads: Mapping[str, Any], company: str = "SAMINC") -> None:
        """Store whole documents made out of what matters to a test."""
        entity_set = catalogue().sets[name]
        rows = []
        for payload in payloads:
            record = records.complete(entity_set, payload)
            records.number_details(entity_set, record)
            key = sort_key(entity_set, tuple(record[part] for part in entity_set.key))
            rows.append((company, name, key, records.write_document(entity_set.properties, record)))
        with self.connected() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO documents (company, entity_set, sort_key, doc) VALUES (?, ?, ?, ?)",
                rows,
            )

    def delete(self, name: str, key: str, company: str = "SAMINC") -> None:
        with self.connected() as connection:
            connection.execute(
                "DELETE FROM documents WHERE company = ? AND entity_set = ? AND sort_key = ?",
                (company, name, key),
            )


def customer(number: int, **more: Any) -> dict[str, Any]:
    return {
        "CustomerNumber": f"C{number:04d}",
        "CustomerName": f"Customer {number}",
        "City": ["Boston", "San Francisco", "O'Fallon"][number % 3],
        "CreditLimitCustomerCurrency": number * 100,
        "DateLastMaintained": f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "Status": "Inactive" if number % 10 == 0 else "Active",
        **more,
    }


class Client:
    """A session that speaks as the Web API wants it."""

    def __init__(self, origin: str, user: str | None = "WEBAPI", password: str = "WEBAPI") -> None:
        self.origin = origin
        self.base = f"{origin}/Sage300WebApi/v1.0/-"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Content-Type"] = "application/json"
        if user is not None:
            self.session.auth = (user, password)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, *, body: Any = None, **options: Any) -> requests.Response:
        query = "&".join(f"${name}={requests.utils.quote(str(value))}" for name, value in options.items())
        url = f"{self.base}/{path}" + (f"?{query}" if query else "")
        data = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        return self.session.request(method, url, data=data, timeout=30)

    def values(self, path: str, **options: Any) -> list[dict[str, Any]]:
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def refusal(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """Status and code of a request that must be refused with a JSON error."""
        answer = self.request(method, path, **more)
        error = answer.json()["error"]
        assert error["message"]["lang"] == "en-US"
        assert error["message"]["value"]
        return answer.status_code, error["code"]

    def walk(self, path: str, **options: Any) -> list[dict[str, Any]]:
        """Follow every next link."""
        answer = self.get(path, **options).json()
        rows = answer["value"]
        while link := answer.get("@odata.nextLink"):
            answer = self.session.get(link, timeout=30).json()
            rows += answer["value"]
        return rows


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """Run an application in a thread; yields its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    # asyncio sets this only on sockets whose protocol is spelled out; without it small answers wait 40 ms.
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
def serving() -> Callable[[Any], contextlib.AbstractContextManager[Client]]:
    """Serve any application for a while; gives a client of it."""

    @contextlib.contextmanager
    def serving(app: Any) -> Iterator[Client]:
        with served(app) as origin:
            yield Client(origin)

    return serving


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Two companies; 250 customers in the first, a few documents of other kinds."""
    books = Books(tmp_path / "books.db")
    books.write("ARCustomers", *(customer(number) for number in range(1, CUSTOMERS + 1)))
    books.write("ARCustomers", customer(1, CustomerName="The only one"), company="SAMLTD")
    books.write(
        "ARInvoiceBatches",
        *(
            {
                "BatchNumber": number,
                "BatchDate": "2024-05-01",
                "BatchStatus": status,
                "Description": f"Batch {number}",
                "Invoices": [
                    {
                        "CustomerNumber": "C0001",
                        "InvoiceDetails": [{"Description": "first"}, {"Description": "second"}],
                    }
                ],
            }
            for number, status in ((9, "Posted"), (65, "Open"), (66, "ReadyToPost"), (100, "Open"))
        ),
    )
    books.write(
        "ARReceiptAndAdjustmentBatches", {"BatchRecordType": "CA", "BatchNumber": 65, "Description": "Cash"}
    )
    books.write(
        "ARShipToLocations",
        {"CustomerNumber": "C0001", "ShipToLocationKey": "WARE, O'1", "Description": "Dock"},
    )
    books.write("APVendors", {"VendorNumber": "A/B 1", "VendorName": "Slash & Co"})
    return books


@pytest.fixture
def start(books: Books) -> Iterator[Callable[..., Client]]:
    """Serve the books with the options a test wants; returns a client of it."""
    with contextlib.ExitStack() as stack:

        def start(
            *,
            user: str | None = "WEBAPI",
            password: str = "WEBAPI",
            faults: Sequence[str] = (),
            seed: int = 0,
            **more: Any,
        ) -> Client:
            plan = FaultPlan([parse_fault(fault) for fault in faults], seed)
            origin = stack.enter_context(served(create_app(books.path, plan=plan, **more)))
            return Client(origin, user, password)

        yield start


@pytest.fixture
def api(start: Callable[..., Client]) -> Client:
    """The books served without any option."""
    return start()
