"""``$metadata``: the EDMX document (OData v4) of one module."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erp_sandbox.sage300.model import EntitySet, Property

EDMX: Final = "http://docs.oasis-open.org/odata/ns/edmx"
EDM: Final = "http://docs.oasis-open.org/odata/ns/edm"
#: Sage's business views hold at most 19 digits (10-byte BCD), and 15 of an exchange rate (8-byte BCD).
PRECISION: Final = 19
RATE_SCALE: Final = 7
RATE_PRECISION: Final = 15


def namespace(module: str) -> str:
    """The CSDL namespace of a module's models."""
    return f"Sage.CA.SBS.ERP.Sage300.{module}.WebApi.Models"


@lru_cache(maxsize=64)
def document(module: str, sets: tuple[EntitySet, ...]) -> str:
    """Write the document.

    Args:
        module: Two-letter module.
        sets: Its entity sets.

    Returns:
        The XML text: entity types with keys, details as complex types (never navigation properties), enum
        types named ``<Property>Enum``, and ``Default.Container``.
    """
    writer = _Schema(namespace(module))
    for entity_set in sets:
        writer.claim(entity_set)
    for entity_set in sets:
        writer.entity(entity_set)
    body = "".join(writer.elements)
    container = "".join(
        f"<EntitySet Name={quoteattr(entity_set.name)} EntityType={quoteattr(name)}/>"
        for entity_set, name in zip(sets, map(writer.name_of, sets), strict=True)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<edmx:Edmx Version="4.0" xmlns:edmx="{EDMX}"><edmx:DataServices>'
        f'<Schema Namespace={quoteattr(namespace(module))} xmlns="{EDM}">{body}</Schema>'
        f'<Schema Namespace="Default" xmlns="{EDM}">'
        f'<EntityContainer Name="Container">{container}</EntityContainer></Schema>'
        "</edmx:DataServices></edmx:Edmx>"
    )


class _Schema:
    """Collects types; two different types that want one name get the owner's name in front."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._types: dict[str, object] = {}
        self.elements: list[str] = []
        self._names: dict[str, str] = {}

    def name_of(self, entity_set: EntitySet) -> str:
        """The qualified name of a set's entity type."""
        return f"{self._space}.{self._names[entity_set.name]}"

    def claim(self, entity_set: EntitySet) -> None:
        """Keep an entity type's name free of its module's detail types."""
        name, _ = self._shared((entity_set.model, entity_set.name), ("entity", entity_set.name))
        self._names[entity_set.name] = name

    def entity(self, entity_set: EntitySet) -> None:
        """Write an entity type after the types it uses."""
        name = self._names[entity_set.name]
        keys = "".join(f"<PropertyRef Name={quoteattr(key)}/>" for key in entity_set.key)
        body = self._properties(name, entity_set.properties, entity_set.key)
        self.elements.append(f"<EntityType Name={quoteattr(name)}><Key>{keys}</Key>{body}</EntityType>")

    def _properties(self, owner: str, properties: Sequence[Property], key: Sequence[str] = ()) -> str:
        return "".join(self._property(owner, prop, required=prop.name in key) for prop in properties)

    def _property(self, owner: str, prop: Property, *, required: bool) -> str:
        kind = self._type(owner, prop)
        facets = ""
        if prop.type == "Edm.Decimal":
            precision = RATE_PRECISION if prop.scale == RATE_SCALE else PRECISION
            facets = f' Precision="{precision}" Scale="{prop.scale}"'
        # Value types are never null in Sage's models; dates are, and so are strings outside the key.
        nullable = prop.type in {"Edm.String", "Edm.DateTimeOffset"} or kind == "Edm.String"
        if required or not (nullable or prop.type == "Collection"):
            facets += ' Nullable="false"'
        return f"<Property Name={quoteattr(prop.name)} Type={quoteattr(kind)}{facets}/>"

    def _type(self, owner: str, prop: Property) -> str:
        if prop.type == "Enum":
            return self._enum(owner, prop) if prop.members else "Edm.String"
        if prop.type == "Collection":
            return f"Collection({self._complex(owner, prop)})"
        return prop.type

    def _enum(self, owner: str, prop: Property) -> str:
        name, new = self._shared((f"{prop.name}Enum", f"{owner}{prop.name}Enum"), ("enum", prop.members))
        if new:
            members = "".join(
                f'<Member Name={quoteattr(member)} Value="{prop.number_of(member)}"/>'
                for member in prop.members
            )
            self.elements.append(f"<EnumType Name={quoteattr(name)}>{members}</EnumType>")
        return f"{self._space}.{name}"

    def _complex(self, owner: str, prop: Property) -> str:
        model = prop.model or prop.name
        name, new = self._shared((model, f"{owner}{model}"), ("complex", prop.properties))
        if new:
            body = self._properties(name, prop.properties)
            self.elements.append(f"<ComplexType Name={quoteattr(name)}>{body}</ComplexType>")
        return f"{self._space}.{name}"

    def _shared(self, candidates: Sequence[str], content: object) -> tuple[str, bool]:
        """The first candidate that is free or already holds the same content, and whether it is new."""
        numbered = [f"{candidates[-1]}{number}" for number in range(2, 100)]
        for name in (*candidates, *numbered):
            if name not in self._types:
                self._types[name] = content
                return name, True
            if self._types[name] == content:
                return name, False
        raise ValueError(f"No free name for {candidates[0]}")
