"""Date-times and times of day in columns: in microseconds where these suffice, else exact to the nanosecond.

Arrow counts nanoseconds since 1970 in 64 bits, which reach from 1677 to 2262. Where a column has both digits
beyond microseconds and moments beyond those years, it is text in ISO 8601:
``2026-01-31T23:59:59.123456789+00:00``, or the same without ``+00:00`` for a column without a zone.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ml_connector.load.schema import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NANO_DIGITS = 9
SECOND = 1_000_000_000
"""In nanoseconds."""
_MICRO = 1_000
_INT64 = 2**63
_DAY = 86_400 * SECOND
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is written apart
_UTC = "+00:00"
_MOMENTS = frozenset({Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ})
_TO_MICROSECONDS = len("2026-01-31T23:59:59.123456")


def is_moment(kind: pa.DataType) -> bool:
    """Whether a type is that of date-times or times of day."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_time64(kind))


def _finer(kind: pa.DataType) -> pa.DataType:
    """The type in nanoseconds."""
    return pa.timestamp("ns", tz=kind.tz) if pa.types.is_timestamp(kind) else pa.time64("ns")


def from_nanoseconds(values: Sequence[int | None], kind: pa.DataType) -> pa.Array:
    """Make a column of moments.

    Args:
        values: Nanoseconds since 1970, or since midnight; any number of them.
        kind: The column's type in microseconds.

    Returns:
        An array of that type, of the same in nanoseconds, or of texts: the first that holds all values.
    """
    known = [value for value in values if value is not None]
    if not any(value % _MICRO for value in known):
        micros = [None if value is None else value // _MICRO for value in values]
        return pa.array(micros, pa.int64()).cast(kind)
    if all(-_INT64 <= value < _INT64 for value in known):
        return pa.array(values, pa.int64()).cast(_finer(kind))
    zone = "" if kind.tz is None else _UTC
    return pa.array([None if value is None else _iso(value) + zone for value in values], pa.string())


def _iso(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, SECOND)
    return f"{(_EPOCH + dt.timedelta(seconds=seconds)).isoformat()}.{fraction:09d}"


def read_nanoseconds(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Let Arrow read date-times that microseconds do not hold.

    Args:
        texts: The texts.
        kind: The column's type in microseconds.

    Returns:
        An array of that type if the further digits are zeros, else of the same in nanoseconds.

    Raises:
        pyarrow.ArrowInvalid: If Arrow cannot read one, or it lies at the edge of the span or beyond, where
            an offset might have taken it round to the other end.
    """
    found = texts.cast(_finer(kind))
    bounds = pc.min_max(found.cast(pa.int64())).as_py()
    if bounds["min"] is not None and (bounds["min"] < _DAY - _INT64 or bounds["max"] >= _INT64 - _DAY):
        raise pa.ArrowInvalid("a date-time lies at the edge of what 64 bits hold")
    return narrowed(found)


def narrowed(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Give moments in microseconds if that loses nothing, else in nanoseconds; those in a zone in UTC.

    Args:
        array: Timestamps or times of any unit.

    Raises:
        pyarrow.ArrowInvalid: If they are beyond what microseconds hold in 64 bits.
    """
    kind = array.type
    zone = None if not pa.types.is_timestamp(kind) or kind.tz is None else "UTC"
    wanted = pa.timestamp("us", tz=zone) if pa.types.is_timestamp(kind) else pa.time64("us")
    try:
        return array.cast(wanted)
    except pa.ArrowInvalid:
        if kind.unit == "ns":
            return array.cast(_finer(wanted))
        raise


def in_microseconds(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Give moments in microseconds, without the digits beyond them.

    Args:
        array: What :func:`from_nanoseconds` or :func:`read_nanoseconds` gave.
        kind: The type wanted.
    """
    if array.type == kind:
        return array
    if pa.types.is_string(array.type):
        naive = pc.utf8_slice_codeunits(array, 0, _TO_MICROSECONDS).cast(pa.timestamp("us"))
        return naive.cast(pa.int64()).cast(kind)
    return pc.floor_temporal(array, unit="microsecond").cast(kind)


def common_type(kinds: Iterable[pa.DataType]) -> pa.DataType:
    """The type that holds the moments of several: text if one is text, else the finest unit."""
    found = list(kinds)
    return next((kind for kind in found if pa.types.is_string(kind)), None) or _finer(found[0])


def converted(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Give moments another type: nanoseconds, or text with nine digits after the point.

    Raises:
        pyarrow.ArrowInvalid: If they lie beyond the years that nanoseconds hold.
    """
    if not pa.types.is_string(kind):
        return column.cast(kind)
    texts = texts_of(column)
    if not is_moment(column.type) or column.type.unit == "ns":
        return texts
    return pc.binary_replace_slice(texts, _TO_MICROSECONDS, _TO_MICROSECONDS, "000")


def texts_of(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Write moments in ISO 8601, those in a zone in UTC; six or nine digits after the point by their unit.

    Args:
        array: Timestamps, times of day, or moments that are text already.
    """
    kind = array.type
    if not pa.types.is_timestamp(kind):
        return array.cast(pa.string())
    # Arrow keeps moments in UTC, whatever the zone's name
    naive = array if kind.tz is None else array.cast(pa.int64()).cast(pa.timestamp(kind.unit))
    texts = pc.binary_replace_slice(naive.cast(pa.string()), 10, 11, "T")
    return texts if kind.tz is None else pc.binary_join_element_wise(texts, _UTC, "")


def plain_values(array: pa.Array | pa.ChunkedArray, kind: Kind | None = None) -> list[Any]:
    """Give a column's values to Python, which knows no nanoseconds.

    Args:
        array: Any column.
        kind: What the column holds; needed only to tell moments that are text from other text.

    Returns:
        Its values. Moments that microseconds hold are ``datetime`` or ``time``, the others text with all
        their digits: a value's form does not hang on those around it.
    """
    if pa.types.is_string(array.type) and kind in _MOMENTS:
        return [_plain(text) for text in array.to_pylist()]
    if not is_moment(array.type) or array.type.unit != "ns":
        values: list[Any] = array.to_pylist()
        return values
    if pa.types.is_timestamp(array.type):
        return [_plain(text) for text in texts_of(array).to_pylist()]
    return [
        text if text is None or not text.endswith("000") else dt.time.fromisoformat(text[:-3])
        for text in texts_of(array).to_pylist()
    ]


def extremes(array: pa.Array | pa.ChunkedArray, kind: Kind | None = None) -> tuple[Any, Any]:
    """The least and the greatest value of a column, as :func:`plain_values` gives them, or None twice."""
    bounds = pc.min_max(array)
    least, greatest = plain_values(pa.array([bounds["min"], bounds["max"]], array.type), kind)
    return least, greatest


def _plain(text: str | None) -> dt.datetime | str | None:
    if text is None or text[_TO_MICROSECONDS : _TO_MICROSECONDS + 3] != "000":
        return text
    return dt.datetime.fromisoformat(text[:_TO_MICROSECONDS] + text[_TO_MICROSECONDS + 3 :])
