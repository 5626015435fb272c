"""Which type a column takes when its schema changes: never one that could lose a value."""

from __future__ import annotations

from dataclasses import replace

from ml_connector.load.schema import MAX_PRECISION, Column, Kind

_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL})
_TIMESTAMPS = frozenset({Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ})
INT64_DIGITS = 19
"""Digits of a 64-bit integer: what an INTEGER column keeps when it turns DECIMAL."""


def widen(old: Column, new: Column) -> Column | None:
    """Give the column that holds the values of both.

    Integers widen to decimals, numbers, booleans, times and dates to text, dates to timestamps, and anything
    but binary to VARIANT. A decimal whose digits would not fit 38 becomes text. Timestamps with and without
    a zone have no common timestamp, and doubles no exact common number with decimals: both meet in text.

    Args:
        old: The column as the table has it.
        new: The column as the changed schema wants it.

    Returns:
        A column with the old one's name: equal to ``old`` where that already holds everything, and never
        narrower. None if no type holds both (binary beside anything else).
    """
    met = _meet(old, new)
    if met is None:
        return None
    kind, precision, scale = met
    return replace(
        old,
        kind=kind,
        precision=precision,
        scale=scale,
        nullable=old.nullable or new.nullable,
        required=old.required and new.required,
    )


def _meet(old: Column, new: Column) -> tuple[Kind, int | None, int | None] | None:
    kinds = {old.kind, new.kind}
    if kinds <= _NUMBERS and Kind.DECIMAL in kinds:
        return _meet_numbers(old, new)
    if len(kinds) == 1:
        return old.kind, old.precision, old.scale
    if Kind.BINARY in kinds:
        return None
    if Kind.VARIANT in kinds:
        return Kind.VARIANT, None, None
    stamps = kinds & _TIMESTAMPS
    if Kind.DATE in kinds and stamps:
        return stamps.pop(), None, None
    return Kind.STRING, None, None


def _meet_numbers(old: Column, new: Column) -> tuple[Kind, int | None, int | None]:
    scale = max(old.scale or 0, new.scale or 0)
    whole = max(_whole_digits(old), _whole_digits(new))
    if whole + scale > MAX_PRECISION:
        return Kind.STRING, None, None
    if Kind.INTEGER in {old.kind, new.kind}:
        return Kind.DECIMAL, MAX_PRECISION, scale
    return Kind.DECIMAL, whole + scale, scale


def _whole_digits(column: Column) -> int:
    if column.kind is Kind.INTEGER:
        return INT64_DIGITS
    return (column.precision or MAX_PRECISION) - (column.scale or 0)
