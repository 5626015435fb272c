"""Large sets: the same answers, from an index."""

from __future__ import annotations

import pytest

from erp_sandbox.sage300 import store as store_module
from erp_sandbox.sage300.model import catalogue
from erp_sandbox.sage300.odata import parse_filter
from erp_sandbox.sage300.store import Store


@pytest.fixture
def large(books, monkeypatch):
    """A store that finds 250 customers many."""
    monkeypatch.setattr(store_module, "_LARGE", 100)
    store = Store(books.path)
    yield store
    store.close()


def plan(books, store, condition):
    source = store._source("SAMINC", "ARCustomers", condition)
    with books.connected() as connection:
        sql = f"EXPLAIN QUERY PLAN SELECT doc FROM {source} WHERE company = 'SAMINC' AND entity_set = 'ARCustomers'"
        return connection.execute(
            f"{sql} AND {condition.sql} ORDER BY sort_key", condition.parameters
        ).fetchall()


@pytest.mark.parametrize(
    "text",
    [
        "City eq 'Boston'",
        "DateLastMaintained ge 2024-06-01T00:00:00Z and not (Status eq 'Inactive')",
        "CreditLimitCustomerCurrency gt 1000.00 or startswith(City,'B')",
        "InactiveDate eq null",
    ],
)
def test_a_large_set_is_filtered_from_an_index_with_the_same_result(books, large, text):
    condition = parse_filter(catalogue().sets["ARCustomers"], text)
    small = Store(books.path)
    expected = small.page("SAMINC", "ARCustomers", condition, skip=0, limit=1000)
    small.close()
    pages, skip, more = [], 0, True
    while more:
        rows = large.page("SAMINC", "ARCustomers", condition, skip=skip, limit=7)
        pages, skip, more = pages + rows.docs, skip + 7, rows.more
    assert pages == expected.docs
    assert large.count("SAMINC", "ARCustomers", condition) == len(pages)
    (step,) = plan(books, large, condition)
    assert "USING INDEX filter_" in step[3]


def test_the_index_follows_changes(books, large):
    condition = parse_filter(catalogue().sets["ARCustomers"], "City eq 'Oslo'")
    assert large.page("SAMINC", "ARCustomers", condition, skip=0, limit=10).docs == []
    books.write("ARCustomers", {"CustomerNumber": "C0100", "City": "Oslo"})
    (doc,) = large.page("SAMINC", "ARCustomers", condition, skip=0, limit=10).docs
    assert "C0100" in doc


def test_a_small_set_needs_no_index(books):
    store = Store(books.path)
    condition = parse_filter(catalogue().sets["APVendors"], "VendorName ne ''")
    assert len(store.page("SAMINC", "APVendors", condition, skip=0, limit=10).docs) == 1
    with books.connected() as connection:
        assert connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE name LIKE 'filter_%'"
        ).fetchone() == (0,)
    store.close()
