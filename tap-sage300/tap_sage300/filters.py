"""Which records to ask for: conditions as text."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from ml_connector.extract.state import moment_of

from tap_sage300 import odata

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from ml_connector.extract.source import Bound

_FIRST_REAL_DAY = "1900-01-01"
"""Empty dates that are no nulls lie before: 0001-01-01 of .NET, 1899-12-30 of OLE."""


def typed(value: Any, schema: Mapping[str, Any]) -> odata.Literal:
    """Turn a value from a record or a state into what `odata.literal` writes correctly.

    Args:
        value: A JSON value.
        schema: The property's JSON schema: a date is no quoted text in a condition, and a number that JSON
            has turned into text or a float is a decimal again.

    Returns:
        The value to put into a condition.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    types = schema.get("type", ())
    if "number" in types or "integer" in types:
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return str(value)
    if schema.get("format") in {"date-time", "date"}:
        return moment_of(str(value)) or str(value)
    return str(value)


def since(bounds: Sequence[Bound], known: Container[str] | None, *, blanks: bool) -> str | None:
    """Write the condition for what changed.

    Args:
        bounds: From where on, by stamp; joined by `or`.
        known: The fields that the server has; None if that is not known.
        blanks: Ask for records whose first stamp is blank, too.

    Returns:
        The condition; None if no stamp is there to ask by.
    """
    usable = [each for each in bounds if known is None or each.stamp.field in known]
    if not usable:
        return None
    conditions: list[str | None] = [_from(each, known) for each in usable]
    first = usable[0].stamp
    if blanks and first.kind != "counter":
        conditions += [
            odata.eq(first.field, None),
            odata.lt(first.field, moment_of(_FIRST_REAL_DAY)),
        ]
    return odata.or_(*conditions)


def _from(bound: Bound, known: Container[str] | None) -> str | None:
    stamp, value = bound.stamp, bound.value
    if stamp.kind != "counter":
        return odata.ge(stamp.field, moment_of(str(value)))
    if not bound.per:
        return odata.ge(stamp.field, value)
    if stamp.per is None or (known is not None and stamp.per not in known):
        return odata.ge(stamp.field, min(bound.per.values()))
    parts = [
        f"({odata.and_(odata.eq(stamp.per, name), odata.ge(stamp.field, least))})"
        for name, least in bound.per.items()
    ]
    others = odata.and_(*(odata.ne(stamp.per, name) for name in bound.per))
    if value is not None:
        others = odata.and_(others, odata.ge(stamp.field, value))
    return odata.or_(*parts, f"({others})")


def after(key: Sequence[str], last: Sequence[odata.Literal], *, inclusive: bool = False) -> str:
    """Write the condition for rows behind a position, in key order.

    Args:
        key: The names of the key, most significant first.
        last: The position's values.
        inclusive: The row with these values counts, too.

    Returns:
        `a gt x` for one column, `(a gt x or (a eq x and b gt y))` for more.
    """
    condition = (odata.ge if inclusive else odata.gt)(key[-1], last[-1])
    for name, value in reversed(list(zip(key[:-1], last[:-1], strict=True))):
        condition = f"({odata.gt(name, value)} or ({odata.and_(odata.eq(name, value), condition)}))"
    return condition


def by_key(
    key: Sequence[str], documents: Sequence[Sequence[odata.Literal]], longest: int
) -> Iterator[tuple[str, int]]:
    """Write the conditions that ask for single documents, as many at a time as an address can hold.

    Args:
        key: The names of the key.
        documents: The keys' values.
        longest: How long a condition may be, encoded.

    Yields:
        A condition, and for how many of the documents.
    """
    some: list[str] = []
    length = 0
    for values in documents:
        condition = _one(key, values)
        size = len(odata.query({"": condition})) + len("%20or%20")
        if some and length + size > longest:
            yield odata.or_(*some), len(some)
            some, length = [], 0
        some.append(condition)
        length += size
    if some:
        yield odata.or_(*some), len(some)


def _one(key: Sequence[str], values: Sequence[odata.Literal]) -> str:
    condition = odata.and_(*(odata.eq(name, value) for name, value in zip(key, values, strict=True)))
    return f"({condition})" if len(key) > 1 else condition
