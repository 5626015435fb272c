"""What the tap emits is what the ERP holds: every stream, value by value, also after three days of business.

The expected rows are read from the sandbox's database, without the tap's code.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from ml_connector.extract.resource import walk
from tap_sage300.streams import RESOURCES

BIN = Path(sys.executable).parent
FOLDER = Path(__file__).parents[1] / "tap_sage300" / "schemas"
SCHEMAS = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}
PLACES = {each.stream: (each.entity_set, (), each.account) for each in RESOURCES} | {
    lines.stream: (each.entity_set, path, lines.account)
    for each in RESOURCES
    for lines, path in walk(each.lines)
}
SEGMENTS = [*(f"AccountSegmentCode{number}" for number in range(1, 11)), "AccountGroupCode"]


@pytest.fixture
def business(tmp_path):
    """A sandbox of its own, for its business moves on."""
    path = tmp_path / "sage300.db"
    command = [
        BIN / "erp-sandbox",
        "serve",
        "sage300",
        "--path",
        path,
        "--scale",
        "0.05",
        "--page-size",
        "30",
    ]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = process.stdout.readline()
            assert line.startswith("ready "), (tmp_path / "log").read_text()
            yield path, line.split(maxsplit=1)[1].strip()
        finally:
            process.terminate()
            process.wait(15)


def may_leave(value):
    if isinstance(value, dict):
        secret = {name for name in value if "password" in name.lower() or name == "UpdateOperation"}
        return {name: may_leave(item) for name, item in value.items() if name not in secret}
    return [may_leave(item) for item in value] if isinstance(value, list) else value


def spelled(value):
    """A value as text, digits and all."""
    if isinstance(value, (list, dict)):
        return json.dumps(may_leave(value), sort_keys=True, default=str)
    return value if value is None or isinstance(value, str) else repr(value)


def with_days(value, described):
    """A value of the ERP as its schema wants it: a day is the first ten characters of its midnight."""
    if isinstance(value, list):
        inner = (described.get("items") or {}).get("properties") or {}
        return [{name: with_days(item, inner.get(name, {})) for name, item in one.items()} for one in value]
    if value is not None and described.get("format") == "date":
        assert value.endswith("T00:00:00Z"), value
        return value[:10]
    return value


def held(path):
    """Every document of the ERP: entity set to (company, document)."""
    found = defaultdict(list)
    with closing(sqlite3.connect(path)) as database:
        for company, entity_set, text in database.execute("SELECT company, entity_set, doc FROM documents"):
            found[entity_set].append((company, json.loads(text, parse_float=Decimal)))
    return found


def expected_rows(documents, entity_set, path, looked_up):
    """Company and record of each row that a stream should have, with the segments of a line's account."""
    chart = {(company, a["UnformattedAccount"]): a for company, a in documents["GLAccounts"]}
    for company, document in documents[entity_set]:
        level = [document]
        for step in path:
            level = [item for record in level for item in record.get(step) or ()]
        for record in level:
            if looked_up:
                account = chart[company, record["AccountNumber"]]
                yield company, record | {name: account[name] for name in SEGMENTS}
            else:
                yield company, record


class Warehouse:
    """Upserts, deletions and versions, as any target does them."""

    def __init__(self):
        self.tables, self.keys, self.state, self.counts = {}, {}, {}, []

    def load(self, output):
        count = Counter()
        for line in output.splitlines():
            message = json.loads(line, parse_float=Decimal)
            stream = message.get("stream")
            table = self.tables.setdefault(stream, {})
            if message["type"] == "SCHEMA":
                self.keys[stream] = message["key_properties"]
            elif message["type"] == "STATE":
                self.state = message["value"]
            elif message["type"] == "ACTIVATE_VERSION":
                for key in [k for k, (_, version) in table.items() if version != message["version"]]:
                    del table[key]
            else:
                record = message["record"]
                key = tuple(record[name] for name in self.keys[stream])
                assert None not in key, (stream, record)
                table[key] = record, message.get("version")
                count[stream] += 1
                if "_sdc_deleted_at" in record:
                    del table[key]
        self.counts.append(count)

    def differing(self, path):
        wrong, documents = {}, held(path)
        for stream, schema in SCHEMAS.items():
            expected = list(expected_rows(documents, *PLACES[stream]))
            properties = schema["properties"]
            names = sorted(set().union(*(record for _, record in expected)) & set(properties))
            in_erp = Counter(
                (c, *(spelled(with_days(r.get(n), properties[n])) for n in names)) for c, r in expected
            )
            emitted = Counter(
                (r["source_company"], *(spelled(r.get(n)) for n in names))
                for r, _ in self.tables.get(stream, {}).values()
            )
            if in_erp != emitted:
                wrong[stream] = (in_erp - emitted).most_common(1), (emitted - in_erp).most_common(1)
        return wrong


def test_every_stream_equals_the_erp_and_stays_so(business, cli, tmp_path):
    path, url = business
    config = {
        "base_url": url,
        "companies": ["SAMINC", "SAMLTD"],
        "username": "webapi",
        "password": "webapi",
        "start_date": "2000-01-01T00:00:00Z",
    }
    catalog = json.loads(cli("--discover", config=config).stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    warehouse = Warehouse()

    def run():
        (tmp_path / "state.json").write_text(json.dumps(warehouse.state))
        files = ("--catalog", str(tmp_path / "catalog.json"), "--state", str(tmp_path / "state.json"))
        result = cli(*files, config=config)
        assert result.returncode == 0, result.stderr[-3000:]
        warehouse.load(result.stdout)
        return warehouse.differing(path)

    assert run() == {}
    for stream in ("gl_journal_lines", "gl_posted_transactions", "gl_posting_journal_details"):
        rows = [row for row, _ in warehouse.tables[stream].values()]
        assert {row["AccountSegmentCode2"] for row in rows} == {"100", "200", "300"}
        assert None not in {row["AccountGroupCode"] for row in rows}
    subprocess.run([BIN / "erp-sandbox", "advance", "--path", path, "--days", "3"], check=True)
    assert run() == {}
    first, second = warehouse.counts
    for stream in ("ap_posted_documents", "gl_posted_transactions", "ap_invoice_lines", "gl_journal_lines"):
        assert 0 < second[stream] < first[stream], f"{stream} was read whole again"
