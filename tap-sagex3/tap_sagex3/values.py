"""From what either API sends to the values of the streams: exact numbers, no dates that mean nothing.

X3's database knows no NULL (reference section 7): an empty text stays one, an empty date, 1599-12-31, is
null. What is not of its column's type stays as it came: the target keeps such a record with its reason, where
a null would lose it.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NO_DATES: Final = frozenset({"1599-12-31", "0000-00-00", "", "0001-01-01"})
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:T00:00:00(?:\.0+)?Z?)?$")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$")
_YES, _NO = 2, 1


class Shape:
    """How the records of one level become rows.

    Args:
        properties: The level's columns with their schemas; those of lines are arrays of objects.
    """

    def __init__(self, properties: Mapping[str, Mapping[str, Any]]) -> None:
        self._scalars: dict[str, Callable[[Any], Any]] = {}
        self._arrays: dict[str, Callable[[Any], Any]] = {}
        self.lines: dict[str, Shape] = {}
        for name, described in properties.items():
            items = described.get("items")
            if items is None:
                self._scalars[name] = _converter(described)
            elif "properties" in items:
                self.lines[name] = Shape(items["properties"])
            else:
                self._arrays[name] = _converter(items)

    def row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The columns that a record has, in the types of the schema.

        Args:
            record: Field codes to values as the API sent them.

        Returns:
            The row; rows inside it likewise.
        """
        scalars, arrays, lines = self._scalars, self._arrays, self.lines
        row: dict[str, Any] = {}
        for name, value in record.items():
            if (convert := scalars.get(name)) is not None:
                row[name] = convert(value)
            elif name in arrays:
                row[name] = _elements(value, name, arrays[name])
            elif name in lines:
                shape = lines[name]
                row[name] = [shape.row(each) for each in value or () if isinstance(each, dict)]
        for name in arrays.keys() - row.keys():
            if f"{name}_0" in record:
                row[name] = _elements(_numbered(record, name), name, arrays[name])
        return row


def _elements(value: Any, name: str, convert: Callable[[Any], Any]) -> list[Any]:
    """The elements of a field with an index, without the empty ones at its end: the site has the number."""
    if not isinstance(value, list):
        value = [value]
    # the shape of such a field is not documented: bare values, or a row of its own for each
    elements = [convert(each.get(name) if isinstance(each, dict) else each) for each in value]
    while elements and not elements[-1]:
        elements.pop()
    return elements


def _numbered(record: Mapping[str, Any], name: str) -> list[Any]:
    found: list[Any] = []
    while f"{name}_{len(found)}" in record:
        found.append(record[f"{name}_{len(found)}"])
    return found


def _converter(described: Mapping[str, Any]) -> Callable[[Any], Any]:
    types = described.get("type") or ()
    kinds = {types} if isinstance(types, str) else set(types)
    if "number" in kinds:
        return _number
    if "integer" in kinds:
        return _integer
    if "boolean" in kinds:
        return _boolean
    if described.get("format") == "date":
        return _date
    if described.get("format") == "date-time":
        return _moment
    return _text


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, dict):  # a text stream
        return _text(value.get("value"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, (Decimal, int)) or value is None:
        return value
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            found = Decimal(value.strip())
        except InvalidOperation:
            return value
        return found if found.is_finite() else value
    return value


def _integer(value: Any) -> Any:
    if isinstance(value, bool):
        return _YES if value else _NO  # the local menu of all yes and no
    if isinstance(value, int) or value is None:
        return value
    found = _number(value)
    if isinstance(found, Decimal) and found == found.to_integral_value():
        return int(found)
    return found


def _boolean(value: Any) -> Any:
    return {_YES: True, _NO: False}.get(value, value) if isinstance(value, int) else value


def _date(value: Any) -> Any:
    if value is None or value in NO_DATES:
        return None
    match = _DATE.match(value) if isinstance(value, str) else None
    if match is None:
        return value
    return None if match[1] in NO_DATES else match[1]


def _moment(value: Any) -> Any:
    """A moment in UTC, as X3 keeps them in GMT (reference section 4)."""
    if value is None or value in NO_DATES:
        return None
    if not isinstance(value, str):
        return value
    match = _MOMENT.match(value)
    if match is None:
        date = _DATE.match(value)
        return f"{date[1]}T00:00:00Z" if date else value
    if match[1] in NO_DATES:
        return None
    fraction = (match[3] or "").rstrip("0")
    zone = match[4] or "Z"
    zone = "Z" if zone.strip("+-0:") == "" else zone
    return f"{match[1]}T{match[2]}{f'.{fraction}' if fraction else ''}{zone}"
