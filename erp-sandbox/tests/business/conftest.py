"""One small business for every test, copied for those that let days pass in it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from erp_sandbox import business


@pytest.fixture(scope="session")
def founded(tmp_path_factory):
    path = tmp_path_factory.mktemp("business") / "founded.db"
    business.create(path, scale=0.15, seed=7)
    return path


@pytest.fixture
def living(founded, tmp_path):
    """A business of its own, free to move on."""
    path = tmp_path / "living.db"
    shutil.copy(founded, path)
    return path


@pytest.fixture
def read():
    """Runs a query and returns its rows as dicts."""

    def query(path, sql, *parameters):
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, parameters)]

    return query


@pytest.fixture
def docs(read):
    """The documents of a set by (company, key), exact decimals."""

    def of(path, entity_set):
        rows = read(
            path, "SELECT * FROM documents WHERE entity_set = ? ORDER BY company, sort_key", entity_set
        )
        return {
            (row["company"], row["sort_key"]): json.loads(row["doc"], parse_float=Decimal, parse_int=Decimal)
            for row in rows
        }

    return of
