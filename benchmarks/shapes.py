"""The generated inputs: one stream a shape, the same bytes at every run.

``python benchmarks/shapes.py SHAPE COUNT`` writes one to standard output.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STATE_EVERY = 10_000
"""Records between two STATE messages, as the Singer SDK's taps send them."""
_EXTRACTED = '"time_extracted":"2026-11-20T10:00:00Z"'
_AMOUNT = {"type": ["number", "null"], "multipleOf": 0.001, "x-precision": 19, "x-scale": 3}
_DATE_TIME = {"type": ["string", "null"], "format": "date-time"}
_TEXT = {"type": ["string", "null"]}
_NUMBER = {"type": ["number", "null"]}
# the nested parts are declared down to their leaves: the SDK's own targets cannot take an object of nothing in an array
_VENDOR = {
    "type": ["object", "null"],
    "properties": {
        "number": _TEXT,
        "name": _TEXT,
        "address": {
            "type": ["object", "null"],
            "properties": {"city": _TEXT, "lines": {"type": ["array", "null"], "items": _TEXT}},
        },
    },
}
_TAX = {"type": "object", "properties": {"code": _TEXT, "rate": _NUMBER, "amount": _NUMBER}}
_LINE = {
    "type": "object",
    "properties": {
        "line": {"type": "integer"},
        "item": _TEXT,
        "quantity": _NUMBER,
        "price": _NUMBER,
        "taxes": {"type": "array", "items": _TAX},
        "text": _TEXT,
    },
}
_AMOUNTS, _DATES, _NAMES = 8, 4, 10
_LINES = 4


@dataclass(frozen=True)
class Shape:
    """A stream whose records can be made, any number of them.

    Attributes:
        name: Name of the shape and of its stream.
        about: What it stands for.
        properties: The properties of its JSON Schema; ``id`` is the key.
        record: Gives the n-th record as JSON text.
    """

    name: str
    about: str
    properties: dict[str, Any]
    record: Callable[[int], str]

    def messages(self, count: int) -> Iterator[str]:
        """SCHEMA, then ``count`` RECORD messages with STATE messages between them, a line each."""
        schema = {"type": "object", "properties": self.properties}
        message = {"type": "SCHEMA", "stream": self.name, "key_properties": ["id"], "schema": schema}
        yield json.dumps(message) + "\n"
        head = f'{{"type":"RECORD","stream":"{self.name}","record":'
        for n in range(count):
            yield f"{head}{self.record(n)},{_EXTRACTED}}}\n"
            if (n + 1) % STATE_EVERY == 0 or n + 1 == count:
                bookmark = {"replication_key": "id", "replication_key_value": n}
                yield json.dumps({"type": "STATE", "value": {"bookmarks": {self.name: bookmark}}}) + "\n"


def _invoice(n: int) -> str:
    amounts = ",".join([f'"amount_{i}":{n * (i + 1)}.{n % 1000:03d}' for i in range(_AMOUNTS)])
    dates = ",".join(
        [f'"date_{i}":"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}T00:00:00Z"' for i in range(_DATES)]
    )
    names = ",".join([f'"name_{i}":"Northern Supplies {n % 997} {i}"' for i in range(_NAMES)])
    return f'{{"id":{n},"posted":true,"details":{{"n":{n}}},{amounts},{dates},{names}}}'


def _rate(n: int) -> str:
    day = f"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}"
    return f'{{"id":{n},"currency":"C{n % 180:02d}","date":"{day}","rate":{n % 40}.{n % 100_000:05d}}}'


def _document(n: int) -> str:
    lines = ",".join(
        [
            f'{{"line":{i},"item":"ITEM-{(n + i) % 5003:05d}","quantity":{n % 90 + i}.5,'
            f'"price":{n % 700}.{i}25,"taxes":[{{"code":"VAT","rate":0.19,"amount":{n % 130}.{i}1}}],'
            f'"text":"Delivery {n} of item {i} \\"as ordered\\""}}'
            for i in range(_LINES)
        ],
    )
    return (
        f'{{"id":{n},"number":"INV{n:09d}","date":"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}",'
        f'"total":{n}.{n % 1000:03d},"vendor":{{"number":"V{n % 997}","name":"Northern Supplies {n % 997}",'
        f'"address":{{"city":"Malmö","lines":["Dock {n % 31}","Gate 4"]}}}},"lines":[{lines}]}}'
    )


SHAPES = {
    shape.name: shape
    for shape in (
        Shape(
            "invoices",
            "25 columns: 8 amounts, 4 date-times, 10 texts, an integer, a boolean, an object",
            {
                "id": {"type": "integer"},
                "posted": {"type": ["boolean", "null"]},
                "details": {"type": ["object", "null"]},
                **{f"amount_{n}": _AMOUNT for n in range(_AMOUNTS)},
                **{f"date_{n}": _DATE_TIME for n in range(_DATES)},
                **{f"name_{n}": _TEXT for n in range(_NAMES)},
            },
            _invoice,
        ),
        Shape(
            "narrow",
            "4 columns: an integer, a text, a date, a rate with 5 decimals",
            {
                "id": {"type": "integer"},
                "currency": _TEXT,
                "date": {"type": ["string", "null"], "format": "date"},
                "rate": {"type": ["number", "null"], "multipleOf": 0.00001, "x-precision": 19, "x-scale": 5},
            },
            _rate,
        ),
        Shape(
            "nested",
            f"6 columns: a document with an object and an array of {_LINES} lines, each with objects inside",
            {
                "id": {"type": "integer"},
                "number": _TEXT,
                "date": {"type": ["string", "null"], "format": "date"},
                "total": _AMOUNT,
                "vendor": _VENDOR,
                "lines": {"type": ["array", "null"], "items": _LINE},
            },
            _document,
        ),
    )
}


def main() -> None:
    """Write a shape to standard output."""
    shape, count = sys.argv[1:]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.writelines(SHAPES[shape].messages(int(count)))


if __name__ == "__main__":
    main()
