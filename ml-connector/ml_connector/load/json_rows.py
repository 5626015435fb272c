"""Rows as one JSON text: an array of arrays of texts and nulls, for a statement with a single parameter.

Every value is written as text and cast by the warehouse to its column's type, so that no number passes a
float on the way and no driver decides what a date looks like.

======================  ====================================================================================
Arrow type              text
======================  ====================================================================================
string                  itself (nested JSON is text already)
integers, decimals      plain digits, never an exponent
float64                 the shortest text that reads back as the same number: at most 17 digits
bool                    ``true``, ``false``
date32                  ``2026-01-31``
timestamp in a zone     ``2026-01-31T23:59:59.123456+00:00``, in UTC
timestamp               ``2026-01-31T23:59:59.123456``
time64                  ``23:59:59.123456``
binary                  hexadecimal digits in upper case
======================  ====================================================================================

Nanoseconds have nine digits after the point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ml_connector.load.moments import is_moment, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["json_rows", "pieces"]

_ENCODE = msgspec.json.Encoder().encode
_AT_ONCE = 4_096
"""Rows that are made to text at once: a piece needs no more memory than it has itself."""


def json_rows(table: pa.Table) -> str:
    """Write a table as one JSON text.

    Args:
        table: The rows; see the table at the top of this module for the types that are known.

    Returns:
        A JSON array with an array of texts and nulls for each row, in order.

    Raises:
        TypeError: If a column has a type that has no text, which is an error of the program.
    """
    return f"[{','.join(row.decode() for row in _rows(table))}]"


def pieces(table: pa.Table, most_bytes: int) -> Iterator[tuple[str, int]]:
    """Write a table as several JSON texts, in order.

    Args:
        table: The rows.
        most_bytes: Most bytes that a text may have in UTF-8. A row that is longer by itself is a piece of
            its own.

    Yields:
        Texts as :func:`json_rows` gives them, and how many rows each has; nothing for a table without rows.

    Raises:
        TypeError: As :func:`json_rows`.
    """
    gathered: list[bytes] = []
    size = 1  # each row has a comma or the closing bracket after it
    for row in _rows(table):
        if gathered and size + len(row) + 1 > most_bytes:
            yield _joined(gathered), len(gathered)
            gathered, size = [], 1
        gathered.append(row)
        size += len(row) + 1
    if gathered:
        yield _joined(gathered), len(gathered)


def _joined(rows: list[bytes]) -> str:
    return f"[{b','.join(rows).decode()}]"


def _rows(table: pa.Table) -> Iterator[bytes]:
    for batch in table.to_batches(_AT_ONCE):
        columns = [_texts(array, name) for name, array in zip(table.column_names, batch.columns, strict=True)]
        yield from map(_ENCODE, zip(*columns, strict=True))


def _texts(array: pa.Array, name: str) -> list[str | None]:
    """Write each value of a column as text."""
    kind = array.type
    texts: list[str | None]
    if pa.types.is_floating(kind):
        return [None if value is None else repr(value) for value in array.to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [None if value is None else value.hex().upper() for value in array.to_pylist()]
    if is_moment(kind):
        texts = texts_of(array).to_pylist()
    elif pa.types.is_decimal(kind):
        texts = _decimals(array)
    elif any(has(kind) for has in _CAST):
        texts = array.cast(pa.string()).to_pylist()
    else:
        raise TypeError(f"column {name!r} has the type {kind}, which has no text")
    return texts


_CAST = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_integer,
    pa.types.is_boolean,
    pa.types.is_date32,
    pa.types.is_null,
)
"""Types that Arrow itself writes as they are wanted."""


def _decimals(array: pa.Array) -> list[str | None]:
    texts = array.cast(pa.string())
    if not pc.any(pc.match_substring(texts, "E")).as_py():
        found: list[str | None] = texts.to_pylist()
        return found
    # Arrow writes what is smaller than a millionth with an exponent
    return [None if value is None else f"{value:f}" for value in array.to_pylist()]
