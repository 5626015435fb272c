"""What a module's `$metadata` (EDMX, OData 4) says about its entity sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

_COLLECTION = "Collection("


@dataclass(frozen=True)
class Property:
    """One property of a record, or of a detail inside it."""

    name: str
    edm_type: str
    """`Edm.String`, `Edm.Decimal`, ...; for an enum or a detail the full name of its type."""
    nullable: bool = True
    collection: bool = False
    """The property holds a list of `edm_type`."""
    properties: dict[str, Property] | None = None
    """The properties of a detail (complex type); None for a plain value."""
    scale: int | None = None
    precision: int | None = None
    members: tuple[str, ...] = ()
    """The member names, when the type is an enum."""


@dataclass(frozen=True)
class EntitySet:
    """One readable resource of the module."""

    name: str
    key: tuple[str, ...]
    properties: dict[str, Property]


@dataclass(frozen=True)
class ModuleMetadata:
    """The entity sets of one module, by name, in the server's order."""

    entity_sets: dict[str, EntitySet] = field(default_factory=dict)


class MetadataError(ValueError):
    """The document is not an EDMX one."""


def parse_metadata(document: bytes) -> ModuleMetadata:
    """Read an EDMX document.

    Args:
        document: The bytes of `$metadata`; entities and external references in it are not followed.

    Returns:
        All entity sets whose entity type the document describes.

    Raises:
        MetadataError: The document is no XML, or has no `Schema` element.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise MetadataError(f"$metadata is not XML: {error}") from error
    schemas = list(root.iter("{*}Schema"))
    if not schemas:
        raise MetadataError("$metadata holds no Schema element: this is not an OData service's description.")
    types = _Types(schemas)
    sets: dict[str, EntitySet] = {}
    for element in root.iter("{*}EntitySet"):
        name, type_name = element.get("Name"), types.full_name(element.get("EntityType") or "")
        if name and type_name in types.structured:
            sets[name] = EntitySet(name, types.key_of(type_name), types.properties_of(type_name, ()))
    return ModuleMetadata(sets)


class _Types:
    """The document's types by full name; aliases are replaced by their namespace."""

    def __init__(self, schemas: list[Any]) -> None:
        self.structured: dict[str, Any] = {}
        self.enums: dict[str, tuple[str, ...]] = {}
        self._aliases = {s.get("Alias"): s.get("Namespace") or "" for s in schemas if s.get("Alias")}
        for schema in schemas:
            namespace = schema.get("Namespace") or ""
            for tag in ("EntityType", "ComplexType"):
                for element in schema.iterchildren(f"{{*}}{tag}"):
                    self.structured[f"{namespace}.{element.get('Name')}"] = element
            for element in schema.iterchildren("{*}EnumType"):
                members = (member.get("Name") for member in element.iterchildren("{*}Member"))
                self.enums[f"{namespace}.{element.get('Name')}"] = tuple(name for name in members if name)

    def full_name(self, name: str) -> str:
        """Replace the alias in a type's name."""
        prefix, dot, rest = name.rpartition(".")
        return f"{self._aliases.get(prefix, prefix)}{dot}{rest}"

    def key_of(self, type_name: str) -> tuple[str, ...]:
        """List the key properties, inherited ones included."""
        element = self.structured[type_name]
        names = tuple(ref.get("Name") for ref in element.iterfind("{*}Key/{*}PropertyRef"))
        base = self.full_name(element.get("BaseType") or "")
        return names or (self.key_of(base) if base in self.structured else ())

    def properties_of(self, type_name: str, within: tuple[str, ...]) -> dict[str, Property]:
        """Describe a structured type; `within` holds the types around it, which it does not open again."""
        element = self.structured[type_name]
        base = self.full_name(element.get("BaseType") or "")
        inherits = base in self.structured and base not in within
        found = self.properties_of(base, (*within, type_name)) if inherits else {}
        for child in element.iterchildren("{*}Property"):
            described = self._property(child, (*within, type_name))
            found[described.name] = described
        return found

    def _property(self, element: Any, within: tuple[str, ...]) -> Property:
        declared = element.get("Type") or "Edm.String"
        collection = declared.startswith(_COLLECTION)
        type_name = self.full_name(declared[len(_COLLECTION) : -1] if collection else declared)
        opened = type_name in self.structured and type_name not in within
        return Property(
            name=element.get("Name") or "",
            edm_type=type_name,
            nullable=element.get("Nullable", "true").lower() != "false",
            collection=collection,
            properties=self.properties_of(type_name, within) if opened else None,
            scale=_number(element.get("Scale")),
            precision=_number(element.get("Precision")),
            members=self.enums.get(type_name, ()),
        )


def _number(text: str | None) -> int | None:
    """Read a facet; `variable`, `floating` and `Max` set no bound."""
    return int(text) if text is not None and text.isdigit() else None
