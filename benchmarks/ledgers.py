"""Ledgers of any size in the sandbox's files, for the taps' benchmark."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = 5
"""Lines of an entry of Sage X3."""


def intacct(path: Path, rows: int) -> None:
    """A business whose GLDETAIL has so many rows, each like one that it had, twenty of them a batch."""
    _business(path, "intacct")
    with sqlite3.connect(path) as books:
        known = books.execute("SELECT entity, doc FROM intacct_records WHERE object = 'GLDETAIL'").fetchall()
        books.execute("DELETE FROM intacct_records WHERE object = 'GLDETAIL'")
        templates = [(entity, json.loads(doc)) for entity, doc in known]
        books.executemany(
            "INSERT INTO intacct_records (company, object, recordno, entity, doc)"
            " VALUES ('SAMINC', 'GLDETAIL', ?, ?, ?)",
            (_detail(templates, number) for number in range(1, rows + 1)),
        )


def sagex3(path: Path, rows: int) -> None:
    """A business whose GACCENTRYD has so many rows, each like one that it had, in entries of five lines."""
    _business(path, "sagex3")
    with sqlite3.connect(path) as books:
        heads, lines = (
            [
                json.loads(doc)
                for (doc,) in books.execute("SELECT doc FROM sagex3_rows WHERE tbl = ?", (table,))
            ]
            for table in ("GACCENTRY", "GACCENTRYD")
        )
        books.execute("DELETE FROM sagex3_rows WHERE tbl IN ('GACCENTRY', 'GACCENTRYD', 'GACCENTRYA')")
        books.executemany(
            "INSERT INTO sagex3_rows (folder, tbl, key, doc) VALUES ('SAMINC', ?, ?, ?)",
            _entries([{**head, "STA": 2} for head in heads], lines, rows // LINES),
        )


def sage300(path: Path, rows: int) -> None:
    """A business of two companies, as it is: its posted lines are few, and come again and again."""
    del rows
    _business(path, "sage300", ("SAMINC", "SAMLTD"))


def _business(path: Path, erp: str, companies: tuple[str, ...] = ("SAMINC",)) -> None:
    code = f"from erp_sandbox import business; business.create({str(path)!r}, {companies!r}, 0.1, erps=({erp!r},))"
    subprocess.run([sys.executable, "-c", code], check=True)


def _detail(templates: list[tuple[str, dict[str, Any]]], number: int) -> tuple[int, str, str]:
    entity, doc = templates[number % len(templates)]
    return number, entity, json.dumps({**doc, "RECORDNO": number, "BATCHKEY": str(number // 20 + 1)})


def _entries(
    heads: list[dict[str, Any]], lines: list[dict[str, Any]], entries: int
) -> Iterator[tuple[str, str, str]]:
    for number in range(entries):
        key = {"TYP": "STDCO", "NUM": f"STD{number:09d}"}
        name = "~".join(key.values())
        yield "GACCENTRY", name, json.dumps({**heads[number % len(heads)], **key})
        for line in range(1, LINES + 1):
            doc = {**lines[(number * LINES + line) % len(lines)], **key, "LIN": line, "LEDTYP": 1}
            yield "GACCENTRYD", f"{name}~{line:010d}~{1:010d}", json.dumps(doc)
