"""The outline of a line that no strict parser takes: where its top-level values lie, and how deep they are.

Only brackets and texts are looked at, without recursion: depth, NaN and bytes that are not UTF-8 do no harm.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]', re.DOTALL)
_STEPS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


def member(line: bytes, name: bytes) -> bytes | None:
    """Cut one member's value out of an object.

    Args:
        line: The text of one JSON object, or of what would be one but for some of its values.
        name: The text of the member's name, with its quotes.

    Returns:
        The text of its last value; None if there is none, or the object is not closed, or more follows it.
    """
    found: bytes | None = None
    start: int | None = None
    depth, before = 0, b""
    for token in _TOKEN.finditer(line):
        mark = token[0]
        if depth == 1 and mark == b":":
            start = token.end() if before == name else None
        elif depth == 1 and mark in {b",", b"}"} and start is not None:
            found, start = line[start : token.start()].strip(), None
        before = mark
        depth += _STEPS.get(mark, 0)
        if not depth:
            return None if line[token.end() :].strip() else found
    return None


def shallow(line: bytes, most: int) -> bytes:
    """Put ``null`` in the place of each array and object that lies deeper than so many levels."""
    pieces: list[bytes] = []
    depth, kept_to = 0, 0
    for token in _TOKEN.finditer(line):
        step = _STEPS.get(token[0], 0)
        depth += step
        if step == 1 and depth == most + 1:
            pieces += [line[kept_to : token.start()], b"null"]
        elif step == -1 and depth == most:
            kept_to = token.end()
    if depth > most:  # the text ends within
        return b"".join(pieces)
    return b"".join([*pieces, line[kept_to:]])
