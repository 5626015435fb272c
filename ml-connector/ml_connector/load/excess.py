"""Values that follow their schema, yet are more than the warehouse holds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ml_connector.load.limits import FIRST_YEAR, LAST_YEAR
from ml_connector.load.schema import Kind
from ml_connector.load.values import BadValue

if TYPE_CHECKING:
    from ml_connector.load.limits import Limits

_TO_BE_PAIRED = bytes.maketrans(b"{}", b"[]")
_NEITHER_BRACKET_NOR_QUOTE = bytes(set(range(256)) - set(b'[]{}"'))
_DATED = frozenset({Kind.DATE, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ})
_YEAR_LENGTH = 4


def excess(kind: Kind, array: pa.Array, limits: Limits) -> dict[int, BadValue]:
    """Find what the warehouse cannot hold.

    Args:
        kind: What the column holds.
        array: Its values, as :func:`ml_connector.load.arrow.build` makes them.
        limits: What the warehouse can hold.

    Returns:
        The reason by row, for the rows that it cannot.
    """
    if kind in _DATED:
        return _out_of_years(array, limits)
    longest = {
        Kind.STRING: limits.text_bytes,
        Kind.BINARY: limits.binary_bytes,
        Kind.VARIANT: limits.variant_bytes,
    }.get(kind)
    found = {} if longest is None else _too_long(array, longest)
    if kind is Kind.VARIANT and limits.depth is not None:
        found = _too_deep(array, limits.depth) | found
    return found


def _too_long(array: pa.Array, most: int) -> dict[int, BadValue]:
    if array.nbytes <= most:  # all of them together are short enough, as nearly always
        return {}
    lengths = pc.binary_length(array)
    rows = pc.indices_nonzero(pc.fill_null(pc.greater(lengths, most), fill_value=False)).to_pylist()
    return {
        row: BadValue("too_long", f"The value has {lengths[row].as_py():,} bytes; the column holds {most:,}")
        for row in rows
    }


def _too_deep(array: pa.Array, most: int) -> dict[int, BadValue]:
    if sys.version_info < (3, 12) and most >= sys.getrecursionlimit():
        return {}  # the decoder itself counts against Python's limit, and reads nothing as deep as this
    # each level takes two characters, so that what is shorter needs no look
    long = pc.fill_null(pc.greater(pc.binary_length(array), 2 * most), fill_value=False)
    if not pc.any(long).as_py():
        return {}
    return {
        row: BadValue("too_deep", f"The value is nested more than {most:,} levels deep")
        for row in pc.indices_nonzero(long).to_pylist()
        if is_deeper(array[row].as_buffer().to_pybytes(), most)
    }


def is_deeper(text: bytes, most: int) -> bool:
    """Whether arrays and objects lie more than so many levels within each other in a JSON text.

    Brackets are paired off from the innermost outwards, a level of all of them at once: no level costs more
    than a search through the brackets that are left.
    """
    if text.count(b"[") + text.count(b"{") <= most:
        return False
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = text.translate(_TO_BE_PAIRED, _NEITHER_BRACKET_NOR_QUOTE)
    left = b"".join(marks.split(b'"')[::2])  # every second piece lies within a text
    for _ in range(most):
        if not left:
            return False
        left = left.replace(b"[]", b"")
    return bool(left)


def _out_of_years(array: pa.Array, limits: Limits) -> dict[int, BadValue]:
    first, last = limits.first_year, limits.last_year
    if first <= FIRST_YEAR and last >= LAST_YEAR:
        return {}
    years = years_of(array)
    wrong = pc.or_(pc.less(years, first), pc.greater(years, last))
    if not pc.any(wrong).as_py():
        return {}
    reason = f"the warehouse holds the years {first:04d} to {last:04d}"
    return {
        row: BadValue("format", f"The year {years[row].as_py():04d} is out of range: {reason}")
        for row in pc.indices_nonzero(pc.fill_null(wrong, fill_value=False)).to_pylist()
    }


def years_of(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The years of dates or date-times, those in a zone in UTC."""
    if pa.types.is_string(array.type):  # date-times that no number of nanoseconds holds
        return pc.utf8_slice_codeunits(array, 0, _YEAR_LENGTH).cast(pa.int64())
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        array = array.cast(pa.int64()).cast(pa.timestamp(array.type.unit))
    return pc.year(array)
