"""The lines of a poll: many streams of a group's companies, each with a few records that changed.

``python benchmarks/polls.py REVISION`` writes a poll to standard output: the same keys at every revision, with
other values. ``python benchmarks/polls.py REVISION empty`` writes a poll that finds nothing newer: schemas and state.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPANIES = 24
ROWS = 20
"""Records a stream."""
REVISION = "revision"
"""The property that says of which revision a record is, as an ERP counts the changes of a row."""
_TEXT = {"type": ["string", "null"]}
_DATE = {"type": ["string", "null"], "format": "date"}
_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_AMOUNT = {"type": ["number", "null"], "multipleOf": 0.001, "x-precision": 19, "x-scale": 3}
_QUANTITY = {"type": ["number", "null"], "multipleOf": 0.0001, "x-precision": 19, "x-scale": 4}
_RATE = {"type": ["number", "null"], "multipleOf": 0.0000001, "x-precision": 15, "x-scale": 7}
_FLAG = {"type": ["boolean", "null"]}
_WHOLE = {"type": ["integer", "null"]}
_ADDRESS = {
    "type": ["object", "null"],
    "properties": {"city": _TEXT, "lines": {"type": ["array", "null"], "items": _TEXT}},
}
_TERMS = {"type": ["object", "null"], "properties": {"code": _TEXT, "days": _WHOLE, "discount": _AMOUNT}}


@dataclass(frozen=True)
class Kind:
    """A sort of stream that every company has.

    Attributes:
        name: Its streams' name, but for the company.
        keys: Its key properties.
        properties: The properties of its JSON Schema.
        record: Gives the n-th record of a revision, as JSON text without its braces.
    """

    name: str
    keys: tuple[str, ...]
    properties: dict[str, Any]
    record: Callable[[int, int], str]


def _vendor(n: int, revision: int) -> str:
    return (
        f'"vendor_number":"V{n:05d}","name":"Northern Supplies {n}","address":{{"city":"Malmö",'
        f'"lines":["Dock {n}","Gate {revision}"]}},"on_hold":{"true" if n % 2 else "false"},'
        f'"credit_limit":{n * 1000 + revision}.500,"since":"2019-{n % 12 + 1:02d}-03","open_documents":{n}'
    )


def _invoice(n: int, revision: int) -> str:
    return (
        f'"invoice_key":{n},"number":"INV{n:09d}","vendor_number":"V{n:05d}","date":"2026-11-{n % 28 + 1:02d}",'
        f'"due":"2026-12-{n % 28 + 1:02d}","gross":{n * 119}.{revision:03d},"net":{n * 100}.000,'
        f'"tax":{n * 19}.{revision:03d},"currency":"SEK","rate":0.{n:07d},"terms":{{"code":"N30","days":30,'
        f'"discount":{n}.250}},"text":"Delivery {n}, as ordered","posted":true'
    )


def _ledger_line(n: int, revision: int) -> str:
    return (
        f'"batch":{n // 4},"entry":{n // 2},"line":{n},"account":"4{n:03d}-10","period":{n % 12 + 1},'
        f'"posted_on":"2026-11-{n % 28 + 1:02d}","debit":{n * 7}.{revision:03d},"credit":0.000,'
        f'"reference":"Revision {revision}","description":"Freight, dock {n}"'
    )


def _item(n: int, revision: int) -> str:
    return (
        f'"item_number":"ITEM-{n:05d}","description":"Bolt M{n} \\"zinc\\"","on_hand":{n * 12}.{revision:04d},'
        f'"on_order":{n}.0000,"unit_cost":{n}.{revision:03d},"unit":"EA","inactive":false,"category":{n % 9}'
    )


def _rate(n: int, revision: int) -> str:
    return f'"currency":"C{n:02d}","date":"2026-11-20","rate":{n + 1}.{revision:07d},"source":"ECB"'


def _payment(n: int, revision: int) -> str:
    return (
        f'"payment_key":{n},"bank":"SEB","paid_on":"2026-11-{n % 28 + 1:02d}","amount":{n * 55}.{revision:03d},'
        f'"currency":"SEK","cleared":{"true" if revision % 2 else "false"},"cheque_number":{70000 + n},'
        f'"payee":{{"city":"Lund","lines":["Payee {n}"]}},"memo":"Run {revision}"'
    )


KINDS = (
    Kind(
        "ap_vendors",
        ("vendor_number",),
        {
            "vendor_number": {"type": "string"},
            "name": _TEXT,
            "address": _ADDRESS,
            "on_hold": _FLAG,
            "credit_limit": _AMOUNT,
            "since": _DATE,
            "open_documents": _WHOLE,
        },
        _vendor,
    ),
    Kind(
        "ap_invoices",
        ("invoice_key",),
        {
            "invoice_key": {"type": "integer"},
            "number": _TEXT,
            "vendor_number": _TEXT,
            "date": _DATE,
            "due": _DATE,
            "gross": _AMOUNT,
            "net": _AMOUNT,
            "tax": _AMOUNT,
            "currency": _TEXT,
            "rate": _RATE,
            "terms": _TERMS,
            "text": _TEXT,
            "posted": _FLAG,
        },
        _invoice,
    ),
    Kind(
        "gl_lines",
        ("batch", "entry", "line"),
        {
            "batch": {"type": "integer"},
            "entry": {"type": "integer"},
            "line": {"type": "integer"},
            "account": _TEXT,
            "period": _WHOLE,
            "posted_on": _DATE,
            "debit": _AMOUNT,
            "credit": _AMOUNT,
            "reference": _TEXT,
            "description": _TEXT,
        },
        _ledger_line,
    ),
    Kind(
        "ic_items",
        ("item_number",),
        {
            "item_number": {"type": "string"},
            "description": _TEXT,
            "on_hand": _QUANTITY,
            "on_order": _QUANTITY,
            "unit_cost": _AMOUNT,
            "unit": _TEXT,
            "inactive": _FLAG,
            "category": _WHOLE,
        },
        _item,
    ),
    Kind(
        "cs_rates",
        ("currency", "date"),
        {
            "currency": {"type": "string"},
            "date": {"type": "string", "format": "date"},
            "rate": _RATE,
            "source": _TEXT,
        },
        _rate,
    ),
    Kind(
        "bk_payments",
        ("payment_key",),
        {
            "payment_key": {"type": "integer"},
            "bank": _TEXT,
            "paid_on": _DATE,
            "amount": _AMOUNT,
            "currency": _TEXT,
            "cleared": _FLAG,
            "cheque_number": _WHOLE,
            "payee": _ADDRESS,
            "memo": _TEXT,
        },
        _payment,
    ),
)
STREAMS = tuple((f"{kind.name}_{company:02d}", kind) for company in range(1, COMPANIES + 1) for kind in KINDS)


def messages(revision: int, *, rows: int = ROWS) -> Iterator[str]:
    """Each stream's SCHEMA and records, and one STATE at the end, a line each.

    Args:
        revision: Of which revision the records are, and up to which the state says that all was read.
        rows: Records a stream.
    """
    for stream, kind in STREAMS:
        changed = {REVISION: {"type": "integer"}, "changed_at": _MOMENT}
        schema = {"type": "object", "properties": {**kind.properties, **changed}}
        about = {"type": "SCHEMA", "stream": stream, "key_properties": kind.keys, "schema": schema}
        yield json.dumps({**about, "bookmark_properties": ["changed_at"]}) + "\n"
        for n in range(rows):
            record = (
                f'{kind.record(n, revision)},"{REVISION}":{revision},"changed_at":"{_moment(revision, n)}"'
            )
            yield (
                f'{{"type":"RECORD","stream":"{stream}","record":{{{record}}},'
                f'"time_extracted":"2026-11-20T10:00:00Z"}}\n'
            )
    bookmark = {"replication_key": "changed_at", "replication_key_value": _moment(revision, ROWS - 1)}
    state = {"bookmarks": {stream: bookmark for stream, _ in STREAMS}}
    yield json.dumps({"type": "STATE", "value": state}) + "\n"


def _moment(revision: int, n: int) -> str:
    return f"2026-11-20T{revision % 24:02d}:{n:02d}:00Z"


def main() -> None:
    """Write a poll to standard output."""
    revision, *empty = sys.argv[1:]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.writelines(messages(int(revision), rows=0 if empty else ROWS))


if __name__ == "__main__":
    main()
