"""A Sage X3 of the sandbox's, with the settings that reach it through either API."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from tap_server import TapServer


def merged(*runs):
    """What a warehouse holds after some runs: the last row of each key, without those that were deleted."""
    held, keys = defaultdict(dict), {}
    for run in runs:
        for message in run.messages:
            if message["type"] == "SCHEMA":
                keys[message["stream"]] = message["key_properties"]
            if message["type"] == "RECORD":
                stream, row = message["stream"], message["record"]
                key = tuple(row[name] for name in keys[stream])
                if "_sdc_deleted_at" in row:
                    held[stream].pop(key, None)
                else:
                    held[stream][key] = row
    return dict(held)


class Server(TapServer):
    """A Sage X3 over a business of its own; what a run needs to know first is the API."""

    erp, tap = "sagex3", "tap-sagex3"

    def config(self, api, **more):
        found = {
            "api": api,
            "base_url": self.url,
            "folders": ["SAMINC"],
            "username": "ADMIN",
            "password": "admin",
            "lookback": "PT0S",
            "token_file": str(self.folder / "token.json"),
            "max_retries": 8,
            **self.settings,
            **more,
        }
        return {name: value for name, value in found.items() if value is not None}

    def command(self, api, *arguments, **more):
        return self._command(*arguments, api=api, **more)

    def catalog(self, api, *only, **more):
        return super().catalog(*only, api=api, **more)

    def run(self, api, catalog, state=None, **more):
        return super().run(catalog, state, api=api, **more)

    def stored(self, *tables):
        """Rows of tables as they are kept, the sparse documents of a table by their place in its index."""
        connection = sqlite3.connect(self.books)
        return {
            table: {
                key: json.loads(doc, parse_float=Decimal)
                for key, doc in connection.execute(
                    "SELECT key, doc FROM sagex3_rows WHERE folder = 'SAMINC' AND tbl = ?", (table,)
                )
            }
            for table in tables
        }


@pytest.fixture(scope="module")
def x3(tmp_path_factory):
    """A server that all tests of a module share; they leave its books alone."""
    with Server(tmp_path_factory.mktemp("x3")) as server:
        yield server


@pytest.fixture
def own_x3(tmp_path):
    """A server of a test's own."""
    with Server(tmp_path) as server:
        yield server


@pytest.fixture
def serve(tmp_path_factory):
    """Start servers with options of a test's own."""
    running = []

    def start(*options, **more):
        server = Server(tmp_path_factory.mktemp("x3"), options, **more).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def warehouse():
    return merged


@pytest.fixture
def little():
    """A server that answers what the test tells it to."""
    spec = importlib.util.spec_from_file_location("little_x3", Path(__file__).parent / "little_x3.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.Little()
    yield server
    server.close()
