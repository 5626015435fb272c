"""How one record of the Web API is written: every property in order, typed defaults, values laid over."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from erp_sandbox.sage300.keys import DIGITS, SEPARATOR
from erp_sandbox.sage300.model import INTEGER_TYPES, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from erp_sandbox.business.books import Books
    from erp_sandbox.sage300.model import EntitySet, Property

#: The key under which a dict of values carries its offers: values for those properties that the model happens
#: to have. Everything else in the dict must be a property of the model.
OFFERS: Final = ""
_QUIET_MEMBERS: Final = ("No", "None", "Unspecified", "NothingToProcess", "Active")
_TIME_ONLY: Final = '"1899-12-30T00:00:00Z"'


class ProjectionError(Exception):
    """A mapping names a property that the model lacks."""


class Shape:
    """The writer of one model's records.

    Args:
        name: Entity set or detail, for error messages.
        properties: Its properties in metadata order.
    """

    def __init__(self, name: str, properties: tuple[Property, ...]) -> None:
        self._name = name
        self._index = {prop.name: position for position, prop in enumerate(properties)}
        self._labels = [f"{json.dumps(prop.name)}:" for prop in properties]
        self._blank = [label + _blank(prop) for label, prop in zip(self._labels, properties, strict=True)]
        self._encoders = [_encoder(name, prop) for prop in properties]

    @property
    def names(self) -> AbstractSet[str]:
        """The property names."""
        return self._index.keys()

    def render(self, values: Mapping[str, Any]) -> str:
        """The JSON text of a record.

        Args:
            values: Property to value; under ``OFFERS`` a further mapping of which only known names are used.

        Raises:
            ProjectionError: For a value whose property, or an enum's member that the model lacks.
        """
        parts = self._blank.copy()
        for name, value in values.get(OFFERS, {}).items():
            position = self._index.get(name)
            if position is not None:
                parts[position] = self._labels[position] + self._encoders[position](value)
        for name, value in values.items():
            if name == OFFERS:
                continue
            position = self._index.get(name)
            if position is None:
                raise ProjectionError(
                    f"{self._name} has no property {name}; correct the mapping or model.json"
                )
            parts[position] = self._labels[position] + self._encoders[position](value)
        return "{" + ",".join(parts) + "}"


@cache
def shape_of(entity_set: str) -> Shape:
    """The writer of an entity set's records."""
    return Shape(entity_set, catalogue().sets[entity_set].properties)


def _blank(prop: Property) -> str:  # noqa: PLR0911 - one answer per type
    if prop.type == "Edm.String":
        return '""'
    if prop.type == "Edm.Decimal":
        return f"{Decimal(0):.{prop.scale}f}"
    if prop.type in INTEGER_TYPES:
        return "0"
    if prop.type == "Edm.Boolean":
        return "false"
    if prop.type == "Edm.DateTimeOffset":
        return _TIME_ONLY if prop.name.endswith("TimeValue") else "null"
    if prop.type == "Collection":
        return "[]"
    quiet = next((member for member in _QUIET_MEMBERS if member in prop.members), None)
    return json.dumps(quiet or (prop.members[0] if prop.members else "None"))


def _encoder(owner: str, prop: Property) -> Callable[[Any], str]:  # noqa: PLR0911 - one answer per type
    if prop.type == "Edm.Decimal":
        unit = Decimal(1).scaleb(-prop.scale)
        return lambda value: _decimal(value, unit)
    if prop.type in INTEGER_TYPES:
        return lambda value: str(int(value))
    if prop.type == "Edm.Boolean":
        return lambda value: "true" if value else "false"
    if prop.type == "Edm.DateTimeOffset":
        return _date
    if prop.type == "Collection":
        inner = Shape(f"{owner}.{prop.name}", prop.properties)
        return lambda records: "[" + ",".join(map(inner.render, records)) + "]"
    if prop.type == "Enum" and prop.members:
        return lambda value: _member(owner, prop, value)
    return _text


def _member(owner: str, prop: Property, value: str | bool) -> str:
    if isinstance(value, bool):
        # Some views have Yes and No where others have booleans.
        value = "Yes" if value else "No"
    # A value that the model does not name is answered as its number, as the real server does.
    if value not in prop.members and not value.isdigit():
        raise ProjectionError(f"{owner}.{prop.name} has no member {value}; it has {', '.join(prop.members)}")
    return _text(value)


def _decimal(value: Any, unit: Decimal) -> str:
    return f"{Decimal(value).quantize(unit, rounding=ROUND_HALF_EVEN):f}"


def _date(value: str | None) -> str:
    return f'"{value}T00:00:00Z"' if value else "null"


def _text(value: Any) -> str:
    return msgspec.json.encode(value if isinstance(value, str) else str(value)).decode()


def sort_key(entity_set: EntitySet, values: Mapping[str, Any]) -> str:
    """A record's order key: key parts as text, numbers zero-padded, dates as they are answered."""
    parts = []
    offers = values.get(OFFERS, {})
    for prop in entity_set.key_properties:
        value = values[prop.name] if prop.name in values else offers.get(prop.name, "")
        if prop.type in INTEGER_TYPES or prop.type == "Edm.Decimal":
            parts.append(f"{int(value or 0):0{DIGITS}d}")
        elif prop.type == "Edm.DateTimeOffset":
            parts.append(f"{value}T00:00:00Z")
        else:
            parts.append(str(value))
    return SEPARATOR.join(parts)


class Writer:
    """Writes one company's documents.

    Args:
        books: Whose documents.
    """

    def __init__(self, books: Books) -> None:
        self.books = books

    def put(
        self, entity_set: str, values: Mapping[str, Any], offers: Mapping[str, Any] | None = None
    ) -> None:
        """Write a record, replacing the one of the same key.

        Args:
            entity_set: The set's name.
            values: Property to value; each must be in the model.
            offers: Further values, used where the model has the property.
        """
        record = {**values, OFFERS: offers} if offers else values
        key = sort_key(catalogue().sets[entity_set], record)
        self.books.connection.execute(
            "INSERT INTO documents (company, entity_set, sort_key, doc) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (company, entity_set, sort_key) DO UPDATE SET doc = excluded.doc",
            (self.books.company, entity_set, key, shape_of(entity_set).render(record)),
        )

    def remove(self, entity_set: str, key: Mapping[str, Any]) -> None:
        """Delete the record of a key."""
        self.books.connection.execute(
            "DELETE FROM documents WHERE company = ? AND entity_set = ? AND sort_key = ?",
            (self.books.company, entity_set, sort_key(catalogue().sets[entity_set], key)),
        )
