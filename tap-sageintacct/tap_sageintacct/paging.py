"""Where the pages of a query go on (reference section 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_sageintacct.errors import IntacctError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_sageintacct.query import Query
    from tap_sageintacct.xml import Result


def following_row(what: str, asked: Query, result: Result, after: Sequence[Any] | None) -> list[Any] | None:
    """Behind which row the next page begins; None if there is none.

    Args:
        what: What is asked, for a person.
        asked: The query.
        result: Its answer.
        after: Behind which row that page began.

    Raises:
        IntacctError: The gateway contradicts itself.
    """
    count, left, total = len(result.records), result.number("numremaining"), result.number("totalcount")
    more = left > 0 if left is not None else count >= asked.size
    if total is not None and total > count:
        more = True  # of rows behind the last page, the total is what is left and this page
    if not more:
        return None
    if not count:
        if left:
            raise IntacctError(f"{what}: {left} more records are said to come, and none comes.")
        return None
    values = last_values(what, asked, result)
    if after is not None and values == list(after):
        raise IntacctError(
            f"{what}: the page after {asked.order[-1]} {values[-1]} ends with it again:"
            " the gateway's order does not work."
        )
    return values


def last_values(what: str, asked: Query, result: Result) -> list[Any]:
    """Where a page ends: the values of its order.

    Args:
        what: What is asked, for a person.
        asked: The query.
        result: Its answer, which has rows.

    Raises:
        IntacctError: It does not tell.
    """
    last = result.records.last or {}
    values = [last.get(name) for name in asked.order]
    if None in values:
        raise IntacctError(f"{what}: a page without {' or '.join(asked.order)} came before the last.")
    return values
