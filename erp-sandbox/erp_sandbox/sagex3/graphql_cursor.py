"""Cursors: the position of a row in an order, as ``["KEY"]#NN``.

What the two digits of real cursors mean is not known; here they tell a cursor of another order.
"""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

from erp_sandbox.sagex3.errors import ArgumentError


def sealed(values: list[Any], order: str) -> str:
    """A cursor.

    Args:
        values: What the row has in the properties that are sorted by.
        order: These properties.
    """
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return f"{text}#{_digits(text, order)}"


def opened(cursor: str, order: str) -> list[Any]:
    """The values of a cursor.

    Raises:
        ArgumentError: If it is none, or one of another order.
    """
    text, _, digits = cursor.rpartition("#")
    if not text or digits != _digits(text, order):
        raise ArgumentError(f"Invalid cursor: {cursor}")
    values = json.loads(text)
    if not isinstance(values, list):
        raise ArgumentError(f"Invalid cursor: {cursor}")
    return values


def _digits(text: str, order: str) -> str:
    return f"{crc32(f'{order}{text}'.encode()) % 100:02d}"
