"""The `query` function as XML: filters, orders, moments in its notation (reference sections 2.1 and 2.4)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ml_connector.extract.errors import ApiError
from ml_connector.extract.state import moment_of

from tap_sageintacct.xml import element

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from tap_sageintacct.xml import Element

MOST_IN = 1_000
"""Values that `in` takes."""
MOST_A_PAGE = 2_000
"""Rows that `query` gives at once. Each call is billed, so pages are as large as they may be."""
MOST_A_LEGACY_PAGE = 1_000
AT = "at"
"""Behind the values of a row: the next page begins with it, not behind it."""
_TIME = "%m/%d/%Y %H:%M:%S"


@dataclass(frozen=True)
class Query:
    """What is asked of one object.

    Attributes:
        name: The object.
        select: Fields; `query` knows no word for all of them.
        filter: Its filter, or None.
        order: The fields by which rows come: each page begins after the last row of the one before.
        size: Rows a page.
        definition: The transaction definition whose own fields are asked for, too.
    """

    name: str
    select: tuple[str, ...]
    filter: Element | None = None
    order: tuple[str, ...] = ("RECORDNO",)
    size: int = MOST_A_PAGE
    definition: str | None = None

    def element(self, after: Sequence[object] | None = None, offset: int = 0) -> Element:
        """The function.

        Args:
            after: Only rows that come after one with these values of `order`; with one value more, `AT`, that
                one, too.
            offset: How many of those are passed over.
        """
        # an element can be in one document only, and the filter is used for each page
        condition = all_of([_behind(self.order, after) if after else None, deepcopy(self.filter)])
        orders = [element("order", element("field", text=name), element("ascending")) for name in self.order]
        return element(
            "query",
            element("object", text=self.name),
            element("select", *(element("field", text=name) for name in self.select)),
            element("filter", condition) if condition is not None else None,
            element("orderby", *orders),
            element("options", element("showprivate", text="true")),
            element("pagesize", text=self.size),
            element("offset", text=offset) if offset else None,
            element("docparid", text=self.definition) if self.definition else None,
        )

    def of_no_row(self) -> Query:
        """The same question about rows that there are not: it fails only if it is itself at fault."""
        return replace(self, filter=all_of([compared("equalto", self.order[0], 0), self.filter]), size=1)


def aggregate(
    name: str,
    by: Sequence[str],
    counted: str,
    *,
    summed: Sequence[str] = (),
    condition: Element | None = None,
    offset: int = 0,
) -> Element:
    """Count and sum an object's rows by some fields, computed by the gateway.

    Args:
        name: The object.
        by: The fields of a group.
        counted: The field that is counted; its element in the answer is `COUNT.<field>`.
        summed: The fields that are summed.
        condition: Which rows; None for all.
        offset: Groups that came before.
    """
    columns = [element("field", text=field) for field in by]
    columns += [element("count", text=counted), *(element("sum", text=field) for field in summed)]
    orders = [element("order", element("field", text=field), element("ascending")) for field in by]
    return element(
        "query",
        element("object", text=name),
        element("select", *columns),
        element("filter", deepcopy(condition)) if condition is not None else None,
        element("orderby", *orders) if orders else None,
        element("options", element("showprivate", text="true")),
        element("pagesize", text=MOST_A_PAGE),
        element("offset", text=offset),
    )


def lookup(name: str, definition: str | None = None) -> Element:
    """The function that describes an object.

    Args:
        name: The object.
        definition: The transaction definition whose own fields are to be among them.
    """
    docparid = element("docparid", text=definition) if definition else None
    return element("lookup", element("object", text=name), docparid)


def compared(operator: str, field: str, value: object) -> Element:
    """A comparison: `equalto`, `greaterthan`, `greaterthanorequalto` ..."""
    return element(operator, element("field", text=field), element("value", text=value))


def one_of(field: str, values: Iterable[object], *, negated: bool = False) -> Element:
    """`in`, or `notin`; at most `MOST_IN` values."""
    listed = [element("value", text=value) for value in values]
    return element("notin" if negated else "in", element("field", text=field), *listed)


def is_null(field: str) -> Element:
    """`isnull`."""
    return element("isnull", element("field", text=field))


def all_of(conditions: Sequence[Element | None]) -> Element | None:
    """Conditions that all hold; a filter has exactly one operator at its top."""
    return _joined("and", conditions)


def any_of(conditions: Sequence[Element | None]) -> Element | None:
    """Conditions of which one holds."""
    return _joined("or", conditions)


def moment(at: datetime, zone: tzinfo) -> str:
    """A moment as a filter takes it: 24 hours, in the user's zone.

    Args:
        at: An aware date-time.
        zone: The setting `timezone`.
    """
    return at.astimezone(zone).strftime(_TIME)


def read_moment(text: str) -> datetime:
    """A bookmark's text as an aware date-time.

    Raises:
        ApiError: It is none.
    """
    found = moment_of(text)
    if found is None:
        raise ApiError(
            f"The state has '{text}' where a moment should be: correct it, or begin without a state."
        )
    return found


def _behind(order: Sequence[str], after: Sequence[object]) -> Element | None:
    """Rows that come after one, or at it: a greater first field, or the same and a greater second one."""
    first, value = order[0], after[0]
    if len(order) == 1:
        return compared("greaterthan" if len(after) == 1 else "greaterthanorequalto", first, value)
    later = compared("greaterthan", first, value)
    same = all_of([compared("equalto", first, value), _behind(order[1:], after[1:])])
    return any_of([later, same])


def _joined(name: str, conditions: Sequence[Element | None]) -> Element | None:
    given = [condition for condition in conditions if condition is not None]
    if len(given) < 2:  # noqa: PLR2004 - one condition needs no operator over it
        return given[0] if given else None
    return element(name, *given)
