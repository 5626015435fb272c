"""What a warehouse has to bring stays small: a dialect and a connection."""

from __future__ import annotations

import inspect

import duckdb_warehouse


def test_a_dialect_and_a_connection_are_150_lines():
    parts = [duckdb_warehouse.DuckDBDialect, duckdb_warehouse.DuckDBConnection]
    lines = [line for part in parts for line in inspect.getsource(part).splitlines() if line.strip()]
    assert len(lines) + len(duckdb_warehouse.TYPES) + len(duckdb_warehouse.KINDS) <= 150
