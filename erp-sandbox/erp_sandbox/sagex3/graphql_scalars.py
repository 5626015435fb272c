"""GraphQL's scalars of X3, and values between their stored form and that of the API."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLInt,
    GraphQLScalarType,
    GraphQLString,
)

from erp_sandbox.sagex3.errors import ArgumentError
from erp_sandbox.sagex3.graphql_names import enums
from erp_sandbox.sagex3.model import NO_DATE
from erp_sandbox.sagex3.rest_rows import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLNamedOutputType

_NO_MOMENT: Final = f"{NO_DATE}T00:00:00Z"
YES: Final = 2
_NO_YES: Final = ("no", "yes")


def _scalar(name: str, description: str) -> GraphQLScalarType:
    return GraphQLScalarType(name, description=description)


#: The types of leaves that are the same in every schema.
SCALARS: Final[dict[str, GraphQLNamedOutputType]] = {
    "String": GraphQLString,
    "Int": GraphQLInt,
    "Boolean": GraphQLBoolean,
    "Id": _scalar("Id", "Key of a node."),
    "Decimal": _scalar("Decimal", "Exact number, in JSON a number with all of its digits."),
    "Date": _scalar("Date", "Date as YYYY-MM-DD."),
    "Datetime": _scalar("Datetime", "Moment in UTC as YYYY-MM-DDThh:mm:ssZ."),
}


def labels(name: str) -> tuple[str, ...]:
    """The labels of an enum, in the order of its menu; none for what is no enum."""
    return _NO_YES if name == "NoYes" else tuple(enums().get(name, ()))


def enum_type(name: str, values: tuple[str, ...]) -> GraphQLEnumType:
    """An enum as a GraphQL type."""
    return GraphQLEnumType(name, {label: GraphQLEnumValue(label) for label in values})


def shower(kind: str) -> Callable[[Any], Any]:
    """What makes a stored value one of the API.

    Args:
        kind: Type of the leaf.
    """
    if kind == "Decimal":
        return number
    if kind == "Date":
        return lambda value: None if value == NO_DATE else value
    if kind == "Datetime":
        return lambda value: None if value == _NO_MOMENT else value
    if kind == "Boolean":
        return lambda value: value == YES
    known = labels(kind)
    if known:
        return lambda value: known[value - 1] if 0 < value <= len(known) else None
    return lambda value: value


def read_literal(kind: str, value: Any) -> Any:
    """A value of a filter in its stored form, to compare with SQL.

    Args:
        kind: Type of the leaf.
        value: What the filter has; None for an empty value.

    Raises:
        ArgumentError: If it is no value of the type.
    """
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(value)
    known = labels(kind)
    if value is None:
        return 0
    if value not in known:
        raise ArgumentError(f"'{value}' is not a value of {kind}: {', '.join(known)}")
    return known.index(value) + 1


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | dict | list):
        raise ArgumentError(f"'{value}' is not a string")
    return str(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | None):
        raise ArgumentError(f"'{value}' is not an integer")
    return value or 0


def _number(value: Any) -> float:
    if isinstance(value, bool | dict | list):
        raise ArgumentError(f"'{value}' is not a number")
    return float(value or 0)


def _truth(value: Any) -> int:
    if not isinstance(value, bool | None):
        raise ArgumentError(f"'{value}' is not a Boolean")
    return int(bool(value))


def _date(value: Any) -> str:
    return NO_DATE if value is None else date.fromisoformat(str(value)).isoformat()


def _moment(value: Any) -> str:
    if value is None:
        return _NO_MOMENT
    found = datetime.fromisoformat(str(value))
    found = found.replace(tzinfo=found.tzinfo or timezone.utc).astimezone(timezone.utc)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "String": _text,
    "Id": _text,
    "Int": _integer,
    "Decimal": _number,
    "Boolean": _truth,
    "Date": _date,
    "Datetime": _moment,
}
