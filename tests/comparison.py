"""Compare a warehouse table with the ERP's records, value by value."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timezone
from decimal import Decimal

from books import expected_rows, without_secrets


def comparable(value):
    """One hashable form for the ERP's and the warehouse's way to write a value; exact numbers stay exact."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, Decimal)):
        return Decimal(value).normalize()
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, dict)):
        return json.dumps(_plain(without_secrets(value)), sort_keys=True)
    assert not isinstance(value, float), f"a float reached the warehouse: {value!r}"
    return value


def with_days(value, described):
    """The ERP's value in the warehouse's terms: where the schema says date, its midnight is a day."""
    if isinstance(value, list):
        inner = (described.get("items") or {}).get("properties") or {}
        return [{name: with_days(item, inner.get(name, {})) for name, item in one.items()} for one in value]
    if value is not None and described.get("format") == "date":
        day, _, midnight = value.partition("T")
        assert midnight in {"", "00:00:00Z"}, value
        return day
    return value


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(Decimal(value).normalize())
    return value


def differences(erp, warehouse, stream, schema, *, columns=None):
    """What one side has and the other has not: two short lists, both empty when they agree."""
    expected_records = list(expected_rows(erp.business, schema))
    rows = [row for row in warehouse.rows(stream.upper()) if row["_SDC_DELETED_AT"] is None]
    own = set().union(*(record for _, record in expected_records)) if expected_records else set()
    names = [name for name in schema["properties"] if name in own and (columns is None or name in columns)]
    if rows:
        spelled = {column.replace("_", ""): column for column in rows[0]}
        missing = [name for name in names if name.replace("_", "").upper() not in spelled]
        assert not missing, f"{stream} lacks the columns of {missing}"
    arrays = {name for name in names if "array" in schema["properties"][name].get("type", [])}

    def loaded(row, name):
        value = row[spelled[name.replace("_", "").upper()]]
        return json.loads(value, parse_float=Decimal) if name in arrays and value is not None else value

    properties = schema["properties"]
    expected = Counter(
        (company, *(comparable(with_days(record.get(name), properties[name])) for name in names))
        for company, record in expected_records
    )
    found = Counter(
        (row["SOURCE_COMPANY"], *(comparable(loaded(row, name)) for name in names)) for row in rows
    )
    return list((expected - found).elements())[:2], list((found - expected).elements())[:2]
