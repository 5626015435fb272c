"""OData 4 as the Sage 300 Web API speaks it: literals, conditions, keys, addresses.

Everything here is text in, text out. The service knows `eq ne gt ge lt le and or` and the options `$filter`,
`$select`, `$top`, `$skip`, `$count`; enum values are quoted member names, dates are `DateTimeOffset`.
"""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

Literal = str | int | Decimal | bool | date | datetime | Enum | None


def literal(value: Literal) -> str:  # noqa: PLR0911 - one line a type
    """Write a value as an OData v4 literal.

    Args:
        value: Text and enum members are quoted; a date means its midnight UTC, as the ERP stamps days; a
            moment without a zone is UTC; decimals keep their digits.

    Returns:
        The literal, not yet percent-encoded.

    Raises:
        TypeError: The value has no exact literal (a float, a list, ...).
        ValueError: The decimal is not a number.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return literal(value.value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} cannot be compared with in a filter.")
        return format(value, "f")
    if isinstance(value, datetime):
        in_utc = value if value.tzinfo is None else value.astimezone(timezone.utc)
        return in_utc.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00Z"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise TypeError(f"A {type(value).__name__} has no exact OData literal.")


def eq(name: str, value: Literal) -> str:
    """Write `name eq value`."""
    return f"{name} eq {literal(value)}"


def ne(name: str, value: Literal) -> str:
    """Write `name ne value`."""
    return f"{name} ne {literal(value)}"


def gt(name: str, value: Literal) -> str:
    """Write `name gt value`."""
    return f"{name} gt {literal(value)}"


def ge(name: str, value: Literal) -> str:
    """Write `name ge value`."""
    return f"{name} ge {literal(value)}"


def lt(name: str, value: Literal) -> str:
    """Write `name lt value`."""
    return f"{name} lt {literal(value)}"


def and_(*conditions: str | None) -> str:
    """Require all conditions; empty and None ones are left out.

    A part may itself be an `or_`, which comes in parentheses.
    """
    return " and ".join(condition for condition in conditions if condition)


def or_(*conditions: str | None) -> str:
    """Require one of the conditions; empty and None ones are left out, several come in parentheses."""
    given = [condition for condition in conditions if condition]
    return f"({' or '.join(given)})" if len(given) > 1 else "".join(given)


def query(options: Mapping[str, str]) -> str:
    """Encode query options with `%20` for blanks and a bare `$`, as OData parsers like best."""
    return urlencode(options, quote_via=quote, safe="$,:()'")


def resource_url(base_url: str, *segments: str) -> str:
    """Join an address from the configured base and path segments.

    Args:
        base_url: Up to and including `/v1.0/-`; a trailing slash makes no difference.
        segments: Company, module, entity set, each percent-encoded here.

    Returns:
        The address without query.
    """
    return "/".join([base_url.rstrip("/"), *(quote(segment, safe="$()=,'") for segment in segments)])
