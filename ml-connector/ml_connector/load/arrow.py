"""Columns of decoded values become Arrow arrays.

Each kind has a vectorised builder that works on the whole column and refuses, by an exception, what it is
not sure of; then the column is built again value by value (:mod:`ml_connector.load.values`), which names
each bad value. Numbers stay text until Arrow reads them as decimals: no float comes near them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ml_connector.load.excess import excess
from ml_connector.load.limits import UNLIMITED, Limits
from ml_connector.load.moments import from_nanoseconds, read_nanoseconds
from ml_connector.load.schema import MAX_PRECISION, Column, Field, Kind
from ml_connector.load.values import BadValue, exact, is_midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_YEAR_ONE = -62_135_596_800_000_000
_YEAR_TEN_THOUSAND = 253_402_300_800_000_000
_DAY = 86_400_000_000
_INT64 = 2**63
_DATE_LENGTH = len("2026-01-31")
_MOST_RESTS = 20
"""A column of dates that are written with a time has one way to write midnight, or a few."""
_TYPES: dict[Kind, pa.DataType] = {
    Kind.STRING: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.DOUBLE: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP_TZ: pa.timestamp("us", tz="UTC"),
    Kind.TIMESTAMP_NTZ: pa.timestamp("us"),
    Kind.TIME: pa.time64("us"),
    Kind.VARIANT: pa.string(),
    Kind.BINARY: pa.binary(),
}
_RAW_KINDS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.VARIANT})


class _NotSureError(ValueError):
    """The vectorised way leaves this column to the careful way."""


def arrow_type(column: Column) -> pa.DataType:
    """Give the Arrow type of a column.

    This is the type of most batches. An ``INTEGER`` column is int64, and in a batch with an integer beyond
    64 bits decimal128(38, 0). A column of date-times or times is in microseconds, and in a batch that needs
    more digits in nanoseconds, or text (:mod:`ml_connector.load.moments`).
    """
    if column.kind is Kind.DECIMAL:
        return pa.decimal128(column.precision or MAX_PRECISION, column.scale or 0)
    return _TYPES[column.kind]


def build(
    field: Field, values: Sequence[Any], limits: Limits = UNLIMITED
) -> tuple[pa.Array, dict[int, BadValue]]:
    """Build one column.

    Args:
        field: The column.
        values: One decoded value per row, None where the property is missing; ``msgspec.Raw`` for INTEGER,
            DECIMAL and VARIANT.
        limits: What the warehouse can hold.

    Returns:
        The array, and the bad values by row; their rows are null in the array.
    """
    kind = field.column.kind
    raw = kind in _RAW_KINDS
    bad: dict[int, BadValue] = {}
    try:
        builder = _BUILDERS.get(kind, _as_they_are)
        array = builder(field, _texts(values) if raw else values)
    except (pa.ArrowException, UnicodeError, _NotSureError, OverflowError, BadValue):
        array, bad = _value_by_value(field, _plain(values) if raw else values)
    if limits is not UNLIMITED and (beyond := excess(kind, array, limits)):
        bad |= beyond
        array = pc.if_else([row in beyond for row in range(len(array))], pa.scalar(None, array.type), array)
    return array, bad


def _texts(values: Sequence[Any]) -> pa.Array:
    """Raw JSON as an array of texts, which is not yet known to be UTF-8.

    Joined and split by Arrow: a Python object for each of them would take four times as long.
    """
    try:
        data = b"\n".join(values)
    except TypeError:  # a missing property is None
        return pa.array(_plain(values), pa.string())
    offsets = pa.array([0, len(data)], pa.int32()).buffers()[1]
    whole = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data))
    texts = pc.split_pattern(whole, "\n").values
    if len(texts) != len(values):  # JSON that came over several lines
        raise _NotSureError
    return texts


def _plain(values: Sequence[Any]) -> list[bytes | None]:
    try:
        return list(map(bytes, values))
    except TypeError:  # a missing property is None
        return [None if value is None else bytes(value) for value in values]


def _value_by_value(field: Field, values: Sequence[Any]) -> tuple[pa.Array, dict[int, BadValue]]:
    """Build a column carefully; equal values are converted once."""
    known: dict[Any, Any] = {}
    bad: dict[int, BadValue] = {}
    built: list[Any] = []
    for row, value in enumerate(values):
        key = (type(value), value)
        if key not in known:
            try:
                known[key] = exact(field, value)
            except BadValue as problem:
                known[key] = problem
        converted = known[key]
        if isinstance(converted, BadValue):
            bad[row] = converted
            converted = None
        built.append(converted)
    return _array(field.column, built), bad


def _array(column: Column, values: list[Any]) -> pa.Array:
    target = arrow_type(column)
    if column.kind is Kind.INTEGER and any(
        value is not None and not -_INT64 <= value < _INT64 for value in values
    ):
        decimals = [None if value is None else Decimal(value) for value in values]
        return pa.array(decimals, pa.decimal128(MAX_PRECISION, 0))
    if column.kind in {Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ, Kind.TIME}:
        return from_nanoseconds(values, target)
    return pa.array(values, target)


def _as_they_are(field: Field, values: Any) -> pa.Array:
    return pa.array(values, arrow_type(field.column))


def _with_nulls(field: Field, text: pa.Array) -> pa.Array:
    """Put nulls where the JSON is ``null``."""
    null = pc.equal(text, "null")
    if not pc.any(null).as_py():
        return text
    if not field.null_allowed:
        raise _NotSureError
    return pc.if_else(null, pa.scalar(None, pa.string()), text)


def _integers(field: Field, raw: pa.Array) -> pa.Array:
    text = _with_nulls(field, raw)
    try:
        return text.cast(pa.int64())
    except pa.ArrowInvalid:
        wide = _read_decimals(text, pa.decimal128(MAX_PRECISION, 0))  # reads 1.0 too, exactly
    try:
        return wide.cast(pa.int64())
    except pa.ArrowInvalid:
        return wide


def _decimals(field: Field, raw: pa.Array) -> pa.Array:
    text = _with_nulls(field, raw)
    if "string" in field.json_types:
        text.validate(full=True)
        text = pc.utf8_trim(text, characters='"')
    return _read_decimals(text, arrow_type(field.column))


def _read_decimals(text: pa.Array, target: pa.DataType) -> pa.Array:
    """Let Arrow read decimals where it is exact.

    Arrow's parser and rescaling wrap around silently beyond 128 bits (340282366920938463463374607431768211457
    is read as 1), so it gets only numbers whose whole digits and scale together stay within 38, without
    exponent. The rest is read by :class:`decimal.Decimal`, value by value.
    """
    longest = pc.max(pc.binary_length(text)).as_py()
    if longest is None:
        return text.cast(target)
    characters = text.buffers()[2].to_pybytes()
    if longest + target.scale > MAX_PRECISION or b"e" in characters or b"E" in characters:
        raise _NotSureError
    return text.cast(target)


def _variants(field: Field, raw: pa.Array) -> pa.Array:
    raw.validate(full=True)  # numbers are read anyway; of these the text is kept
    return _with_nulls(field, raw)


def _dates(_: Field, values: Sequence[str | None]) -> pa.Array:
    texts = pa.array(values, pa.string())
    try:
        dates = texts.cast(pa.date32())
    except pa.ArrowInvalid:
        rests = pc.unique(pc.utf8_slice_codeunits(texts, _DATE_LENGTH)).to_pylist()
        if len(rests) > _MOST_RESTS or not all(
            rest is None or rest == "" or is_midnight(rest) for rest in rests
        ):
            raise
        dates = pc.utf8_slice_codeunits(texts, 0, _DATE_LENGTH).cast(pa.date32())
    _within(dates.cast(pa.int32()), _YEAR_ONE // _DAY, _YEAR_TEN_THOUSAND // _DAY)
    return dates


def _timestamps(field: Field, values: Sequence[str | None]) -> pa.Array:
    texts, kind = pa.array(values, pa.string()), arrow_type(field.column)
    try:
        stamps = texts.cast(kind)
    except pa.ArrowInvalid:
        return read_nanoseconds(texts, kind)
    _within(stamps.cast(pa.int64()), _YEAR_ONE, _YEAR_TEN_THOUSAND)
    return stamps


def _within(numbers: pa.Array, least: int, beyond: int) -> None:
    """Leave to the careful way what lies outside the years 0001 to 9999, which warehouses do not know."""
    bounds = pc.min_max(numbers).as_py()
    if bounds["min"] is not None and (bounds["min"] < least or bounds["max"] >= beyond):
        raise _NotSureError


def _carefully(_: Field, __: Sequence[Any]) -> pa.Array:
    raise _NotSureError


_BUILDERS: dict[Kind, Callable[[Field, Any], pa.Array]] = {
    Kind.INTEGER: _integers,
    Kind.DECIMAL: _decimals,
    Kind.VARIANT: _variants,
    Kind.DATE: _dates,
    Kind.TIMESTAMP_TZ: _timestamps,
    Kind.TIMESTAMP_NTZ: _timestamps,
    Kind.TIME: _carefully,
    Kind.BINARY: _carefully,
}
