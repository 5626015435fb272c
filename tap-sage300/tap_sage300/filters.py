"""Which records to ask for: the conditions of a first, a later and a resumed read. Pure text."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_sage300 import odata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sage300.streams.resource import Resource

_DAY = 10
LONGEST = 900
"""Characters of a condition or selection made of many names; IIS refuses queries beyond 2,048, encoded."""


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
        return Decimal(str(value))
    if schema.get("format") in {"date-time", "date"}:
        return moment(str(value))
    return str(value)


def moment(text: str) -> datetime:
    """Read an ERP date or a setting: `2019-06-13T00:00:00Z`, `2019-06-13`.

    Args:
        text: ISO 8601.

    Returns:
        The moment; without a zone when the text has none.
    """
    # Python 3.10 does not know the Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def since(day: str, lookback: timedelta) -> datetime:
    """Go back from a bookmark, to the midnight that day-precision stamps carry.

    Args:
        day: The greatest stamp seen.
        lookback: How far to overlap.

    Returns:
        The first day to read again.
    """
    start = moment(day[:_DAY]) - lookback
    return start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def first_read(resource: Resource, start_date: str | None, *, with_blanks: bool) -> str:
    """Write the condition of a first read that begins at `start_date`.

    Args:
        resource: The entity set.
        start_date: The setting; None for everything.
        with_blanks: Ask for records without a stamp too, which otherwise would only appear once they change.

    Returns:
        The condition; empty for everything.
    """
    if start_date is None or resource.replication_key is None:
        return ""
    day = since(start_date, timedelta(0))
    names = (resource.replication_key, *resource.also_changed)
    blank = odata.eq(resource.replication_key, None) if with_blanks else None
    return odata.or_(*(odata.ge(name, day) for name in names), blank)


def later_read(
    resource: Resource,
    stamps: Mapping[str, Any],
    highest: odata.Literal,
    lookback: timedelta,
) -> str:
    """Write the condition of a read that begins at a bookmark.

    Args:
        resource: The entity set.
        stamps: The greatest value seen, by property; text for dates, numbers for posting sequences.
        highest: The greatest `grows_by` number seen; None if there is none.
        lookback: The overlap for dates. Numbers need none.

    Returns:
        The condition: changed since, or new since.
    """
    conditions = [
        odata.ge(name, since(value, lookback) if _is_date(value) else value) for name, value in stamps.items()
    ]
    if resource.grows_by and highest is not None:
        conditions.append(odata.gt(resource.grows_by, highest))
    return odata.or_(*conditions)


def after(key: Sequence[str], last: Sequence[odata.Literal]) -> str:
    """Write the condition for rows behind a position, in key order.

    Args:
        key: The names of the key, most significant first.
        last: The position's values.

    Returns:
        `a gt x` for one column, `(a gt x or (a eq x and b gt y))` for more.
    """
    condition = odata.gt(key[-1], last[-1])
    for name, value in reversed(list(zip(key[:-1], last[:-1], strict=True))):
        condition = f"({odata.gt(name, value)} or ({odata.and_(odata.eq(name, value), condition)}))"
    return condition


def by_key(key: Sequence[str], documents: Sequence[Sequence[odata.Literal]]) -> Iterator[str]:
    """Write the conditions that ask for single documents, as many at a time as an address can hold.

    Args:
        key: The names of the key.
        documents: The keys' values.

    Yields:
        A condition for some of the documents.
    """
    some: list[str] = []
    for condition in (_one(key, values) for values in documents):
        if some and sum(map(len, some)) + len(condition) > LONGEST:
            yield odata.or_(*some)
            some = []
        some.append(condition)
    if some:
        yield odata.or_(*some)


def _one(key: Sequence[str], values: Sequence[odata.Literal]) -> str:
    condition = odata.and_(*(odata.eq(name, value) for name, value in zip(key, values, strict=True)))
    return f"({condition})" if len(key) > 1 else condition


def _is_date(value: Any) -> bool:
    return isinstance(value, str)
