"""What commands print: a table for a person, JSON for a program."""

from __future__ import annotations

import shutil
import sys
import textwrap
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_GAP = "  "
_NARROWEST = 20
"""A last column that would be narrower than this is hard to read: each row is then a block of its own."""


def rendered(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], style: str, width: int | None = None
) -> str:
    """Write rows.

    A table is as wide as the terminal: the last column is wrapped between words, nothing is ever cut. Where
    even that does not fit, each row is a block of lines, one a column. Where there is no terminal, each row
    is one line, however long.

    Args:
        rows: The rows, all with these columns.
        columns: The columns, in order.
        style: ``json`` (a list of objects, numbers exact) or ``table``.
        width: Characters of a line; 0 for any number of them. By default those of the terminal.

    Returns:
        The text, without a line end.
    """
    chosen = [{name: row.get(name) for name in columns} for row in rows]
    if style == "json":
        return msgspec.json.format(_JSON.encode(chosen)).decode()
    if not rows:
        return "(nothing)"
    texts = [[_text(row[name]) for name in columns] for row in chosen]
    right = [all(isinstance(row[name], (int, Decimal, type(None))) for row in chosen) for name in columns]
    most = _terminal_width() if width is None else width
    last = most - sum(longest + len(_GAP) for longest in _longest([columns, *texts])[:-1])
    if not most or _longest([columns, *texts])[-1] <= last:
        last = 0
    elif last < _NARROWEST:
        return "\n\n".join("\n".join(_block(columns, line, most)) for line in texts)
    return "\n".join(_table([list(columns), *texts], right, last))


def _terminal_width() -> int:
    """Characters of a line of the terminal; 0 if this is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _longest(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _table(lines: list[list[str]], right: Sequence[bool], last: int) -> Iterator[str]:
    """Lay out lines below their heads; the last column takes so many characters, or what it needs."""
    wrapped = [[*line[:-1], piece] for line in lines for piece in _wrapped(line[-1], last)]
    widths = _longest(wrapped)
    for number, line in enumerate(lines):
        for place, piece in enumerate(_wrapped(line[-1], last)):
            cells = [*(line[:-1] if not place else [""] * (len(line) - 1)), piece]
            yield _joined(cells, widths, right)
        if not number:
            rules = [*widths[:-1], min(widths[-1], last or widths[-1])]  # an id may be longer than the line
            yield _joined(["-" * width for width in rules], widths, [False] * len(widths))


def _joined(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    aligned = (
        text.rjust(width) if numeric else text.ljust(width)
        for text, width, numeric in zip(cells, widths, right, strict=True)
    )
    return _GAP.join(aligned).rstrip()


def _block(columns: Sequence[str], line: Sequence[str], most: int) -> Iterator[str]:
    """Lay out one row, a column a line."""
    indent = max(map(len, columns)) + len(_GAP)
    for name, text in zip(columns, line, strict=True):
        for place, piece in enumerate(_wrapped(text, max(most - indent, _NARROWEST))):
            yield f"{'' if place else name:{indent}}{piece}".rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    """Break a text between words; an id or a hash that is longer than a line stays whole."""
    if not width or len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        moment = value.astimezone(timezone.utc) if value.tzinfo else value
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    return " ".join(str(value).split())
