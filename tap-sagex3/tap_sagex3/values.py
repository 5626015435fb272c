"""From what either API sends to the values of the streams: exact numbers, no dates that mean nothing.

X3's database knows no NULL (reference section 7): an empty text stays one, an empty date, 1599-12-31, is
null. What is not of its column's type stays as it came: the target keeps such a record with its reason, where
a null would lose it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

import msgspec
from ml_connector.extract.digits import decimal_of, decode_exactly
from ml_connector.extract.rows import each, memorised, numbers
from ml_connector.extract.source import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml_connector.extract.source import Converter

_DECIMAL: Final[dict[str, Any]] = {"type": "number", "multipleOf": 1e-13, "x-precision": 28, "x-scale": 13}
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "s": {"type": "string"},
    "i": {"type": "integer"},
    "m": {"type": "integer"},
    "n": _DECIMAL,
    "d": {"type": "string", "format": "date"},
    "t": {"type": "string", "format": "date-time"},
}
_TEXTS: Final = frozenset({str, msgspec.UnsetType, NoneType})

NO_DATES: Final = frozenset({"1599-12-31", "1753-01-01", "0000-00-00", "", "0001-01-01"})
"""Empty dates: of Oracle, of SQL Server, and of programs."""
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:T00:00:00(?:\.0+)?Z?)?$")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$")
_YES, _NO = 2, 1
_MOST_MEMORISED: Final = 50_000


def schema_of(kind: str, title: str | None) -> dict[str, Any]:
    """The schema of a field that only the server knows.

    Args:
        kind: `s` text, `i` integer, `m` local menu, `n` decimal, `d` date, `t` moment.
        title: What a person reads.
    """
    described = dict(_TYPES[kind])
    described["type"] = [described["type"], "null"]
    return {**described, "description": title} if title else described


def converter(described: Mapping[str, Any]) -> Converter:
    """How a column is converted.

    Args:
        described: Its JSON schema.
    """
    items = described.get("items")
    if items is not None:
        return _arrays(_converter(items))
    convert = _converter(described)
    if convert is _number:
        return numbers(_number)
    if convert is _integer:
        return numbers(_integer, whole=True)
    if convert in {_date, _moment}:
        return memorised(convert)
    if convert is _boolean:
        return each(convert)

    def texts(values: list[Any]) -> list[Any]:
        if isinstance(values, Texts) or set(map(type, values)) <= _TEXTS:
            return ["" if value is None else value for value in values] if None in values else values
        return [value if value is msgspec.UNSET else _text(value) for value in values]

    return texts


def _arrays(convert: Callable[[Any], Any]) -> Converter:
    """Arrays, which repeat: most fields with an index hold the same few values, or nothing."""
    memo: dict[bytes, list[Any]] = {}

    def one(value: Any) -> Any:
        if type(value) is msgspec.Raw:
            text = bytes(value)
            if (made := memo.get(text)) is None:
                if len(memo) > _MOST_MEMORISED:
                    memo.clear()
                made = memo[text] = _elements(decode_exactly(text), convert)
            return made
        if value is msgspec.UNSET:
            return value
        if convert is _text and type(value) is list and set(map(type, value)) <= {str}:
            end = len(value)
            while end and not value[end - 1]:
                end -= 1
            return value[:end]
        return _elements(value, convert)

    return lambda values: list(map(one, values))


def _elements(value: Any, convert: Callable[[Any], Any]) -> list[Any]:
    """The elements of a field with an index, without the empty ones at its end: the site has the number."""
    if not isinstance(value, list):
        value = [value]
    # the shape of such a field is not documented: bare values, or a row of its own for each
    elements = [convert(_only(element)) for element in value]
    while elements and not elements[-1]:
        elements.pop()
    return elements


def _only(element: Any) -> Any:
    """An element that is a row of its own holds its value under its field's name."""
    if not isinstance(element, dict) or "$key" in element or "value" in element:
        return element
    own = [
        value for name, value in element.items() if not name.startswith("$") and name != "denormalizedIndex"
    ]
    return own[0] if own else None


def _plain(value: Any) -> Any:
    """A reference that came as an object of its own is its key; a text stream its value."""
    if isinstance(value, dict):
        return value["$key"] if "$key" in value else value.get("value")
    return value


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
    if isinstance(value, dict):
        return _text(_plain(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        value = _plain(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, (Decimal, int)) or value is None:
        return value
    if isinstance(value, str):
        if not value.strip():
            return None
        return decimal_of(value)
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
    if isinstance(value, dict):
        value = _plain(value)
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
