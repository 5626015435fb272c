"""What commands print: a table for a person, JSON for a program."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_WIDEST = 60


def rendered(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], style: str) -> str:
    """Write rows.

    Args:
        rows: The rows, all with these columns.
        columns: The columns, in order.
        style: ``json`` (a list of objects, numbers exact) or ``table``.

    Returns:
        The text, without a line end.
    """
    chosen = [{name: row.get(name) for name in columns} for row in rows]
    if style == "json":
        return msgspec.json.format(_JSON.encode(chosen)).decode()
    if not rows:
        return "(nothing)"
    texts = [[_text(row[name]) for name in columns] for row in chosen]
    widths = [max(len(name), *(len(line[place]) for line in texts)) for place, name in enumerate(columns)]
    right = [all(isinstance(row[name], (int, Decimal, type(None))) for row in chosen) for name in columns]
    lines = [list(columns), ["-" * width for width in widths], *texts]
    return "\n".join(
        "  ".join(
            text.rjust(width) if numeric else text.ljust(width)
            for text, width, numeric in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        moment = value.astimezone(timezone.utc) if value.tzinfo else value
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    text = " ".join(str(value).split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
