"""Makes the helpers beside these tests importable, and gives them a warehouse."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import duckdb
import pytest
from warehouse import Warehouse

from ml_connector.load import retry

SIZES = {"small": 256_000, "large": 0}
"""``small_batch_bytes``: every batch travels with its statement, or every batch is staged as a file."""


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)


@pytest.fixture(params=SIZES)
def batches(request):
    """Whether batches are small or large."""
    return request.param


@pytest.fixture(scope="session")
def database():
    """One database for all tests, as its audit tables are costly to make."""
    with duckdb.connect(config={"threads": 1}) as found:
        yield found


@pytest.fixture
def warehouse(tmp_path, batches, database):
    """A warehouse that takes batches of either kind."""
    found = Warehouse(tmp_path, database, small_batch_bytes=SIZES[batches])
    yield found
    found.empty()


@pytest.fixture
def plain_warehouse(tmp_path, database):
    """A warehouse with the default settings, where the size of a batch is of no consequence."""
    found = Warehouse(tmp_path, database)
    yield found
    found.empty()


@pytest.fixture
def bare_warehouse(tmp_path):
    """A warehouse in which nothing is, not even audit tables."""
    found = Warehouse(tmp_path)
    yield found
    found.database.close()


@pytest.fixture(autouse=True)
def _thawed():
    """A run takes what is imported out of the collector's sight; that of a hundred runs would add up."""
    yield
    gc.unfreeze()
