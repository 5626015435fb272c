"""The records of a page as columns of texts.

`query` gives each record the same elements in the order of the select. Such a page is taken apart by a
pattern made of its first record, three times as fast as through a tree of elements (measured with the 96
fields of GLDETAIL). Each byte has to be taken by it, one record after the other: then the page is
well-formed.
A page of any other shape is left to the XML library.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIELD = re.compile(r"<([A-Za-z_][\w.\-]*)(?:>[^<]*</\1>|/>)", re.ASCII)
_REFERENCE = re.compile(r"&(?:(?:(amp|lt|gt|quot|apos)|#0*(\d{1,7})|#x0*([\da-fA-F]{1,6}));)?", re.ASCII)
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class _OddError(Exception):
    """A reference that only the XML library should read."""


def columns(given: memoryview) -> dict[str, list[str | None]] | None:
    """Take records apart.

    Args:
        given: The records, one after the other, without what is around them, and without characters that XML
            forbids.

    Returns:
        Values by element; None where an element is empty. None if the records are of another shape.
    """
    # a character a byte: one that is none of ASCII would make all of the page twice or four times as large
    text = str(given, "latin-1")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    end = text.find(">")
    tag = text[1:end]
    names = _names(text[end + 1 : text.find(f"</{tag}>")])
    if not names or ("]" in text and "]]>" in text):
        return None
    rows, place, usual = [], 0, _pattern(tag, names)
    while place < len(text):
        match = usual.match(text, place) or _pattern(tag, names, short=True).match(text, place)
        if match is None:
            return None
        rows.append(match.groups())
        place = match.end()
    try:
        return {name: _texts(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    except (UnicodeDecodeError, _OddError):
        return None


def _texts(column: Sequence[str | None]) -> list[str | None]:
    """A column as it is meant, looked at as a whole first: most need nothing."""
    values, whole = list(column), "".join(filter(None, column))
    if not whole.isascii():
        values = [v.encode("latin-1").decode() if v and not v.isascii() else v for v in values]
    if "&" in whole:
        values = [_REFERENCE.sub(_referred, v) if v and "&" in v else v for v in values]
    return values


def _names(record: str) -> tuple[str, ...]:
    """The elements of a record; none if there is anything else in it."""
    names, place = [], 0
    for match in _FIELD.finditer(record):
        if match.start() != place:
            return ()
        names.append(match[1])
        place = match.end()
    return tuple(names) if place == len(record) and len(set(names)) == len(names) else ()


@lru_cache(maxsize=128)
def _pattern(tag: str, names: Sequence[str], *, short: bool = False) -> re.Pattern[str]:
    """Records with these elements, each of which may be empty; in its short form, too, which takes longer."""
    form = "<{0}(?:>(?:([^<]+)|)</{0}>|/>)" if short else "<{0}>(?:([^<]+)|)</{0}>"
    fields = "".join(map(form.format, map(re.escape, names)))
    return re.compile(f"<{re.escape(tag)}>{fields}</{re.escape(tag)}>")


def _referred(match: re.Match[str]) -> str:
    name, number, hexadecimal = match.groups()
    if name:
        return _NAMED[name]
    if number or hexadecimal:
        return chr(int(number) if number else int(hexadecimal, 16))
    raise _OddError
