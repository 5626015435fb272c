"""What the ERP holds, read straight from the sandbox's database, in the warehouse's terms.

Nothing here passes through the tap's or the target's code: the documents are the JSON that the simulator
serves, and where a stream's rows lie in them is what the streams' declarations say.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from ml_connector.extract.resource import walk
from tap_sage300.streams import RESOURCES

#: Entity set, collections to go down, and the field whose account is looked up, by stream.
PLACES = {each.stream: (each.entity_set, (), each.account) for each in RESOURCES} | {
    lines.stream: (each.entity_set, path, lines.account)
    for each in RESOURCES
    for lines, path in walk(each.lines)
}
SCHEMAS = Path(__file__).resolve().parent.parent / "tap-sage300" / "tap_sage300" / "schemas"
SECRET = re.compile("password", re.IGNORECASE)


def schemas():
    """Stream name to its published schema; `x-place` says where its rows lie."""
    return {
        path.stem: json.loads(path.read_text()) | {"x-place": PLACES[path.stem]}
        for path in sorted(SCHEMAS.glob("*.json"))
    }


def documents(business, entity_set):
    """Company and record of every document of a set, decimals exact."""
    with closing(sqlite3.connect(business)) as database:
        rows = database.execute(
            "SELECT company, doc FROM documents WHERE entity_set = ? ORDER BY company, sort_key", [entity_set]
        ).fetchall()
    return [(company, json.loads(text, parse_float=Decimal)) for company, text in rows]


def expected_rows(business, schema):
    """Company and innermost record, one for each row that the stream should have.

    What a ledger line does not say of its account is taken from the chart of accounts.
    """
    chart = {}
    entity_set, path, looked_up = schema["x-place"]
    if looked_up:
        accounts = documents(business, "GLAccounts")
        chart = {(company, account["UnformattedAccount"]): account for company, account in accounts}
    segments = [
        name for name in schema["properties"] if re.match("AccountSegmentCode|AccountGroupCode", name)
    ]
    for company, document in documents(business, entity_set):
        level = [document]
        for step in path:
            level = [child for record in level for child in record.get(step) or []]
        for record in level:
            account = chart.get((company, record.get("AccountNumber")))
            yield company, {**record, **{name: account.get(name) for name in segments}} if account else record


def without_secrets(value):
    """The value as it may leave the ERP."""
    if isinstance(value, dict):
        return {
            name: without_secrets(item)
            for name, item in value.items()
            if not SECRET.search(name) and name != "UpdateOperation"
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value
