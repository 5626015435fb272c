"""The entity sets of the Web API, read once from ``model.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Endpoints that run something instead of holding records: POST with ``('$process')`` or ``('$template')``.
PROCESSES: Final[tuple[str, ...]] = (
    "APCreateGLBatch",
    "APCreateRecurringPayableBatch",
    "APCreateRetainageDocumentBatch",
    "APDeleteInactiveRecords",
    "APPostInvoices",
    "APPostPaymentsAndAdjustments",
    "ARCreateGLBatch",
    "ARCreateRecurringCharge",
    "ARCreateRetainageDocumentBatch",
    "ARPostInvoices",
    "ARPostReceiptsAndAdjustments",
    "ARPostRefunds",
    "GLPostJournal",
    "ICCreateGLBatch",
    "ICDayEndProcessing",
    "POCreateBatch",
    "PODayEndProcessing",
)

#: The module segments of the August 2022 endpoint reference.
MODULES: Final[tuple[str, ...]] = ("AP", "AR", "BK", "CS", "GL", "IC", "MT", "OE", "PO", "TX")

_TWO: Final = 2

INTEGER_TYPES: Final = frozenset({"Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64"})


@dataclass(frozen=True)
class Property:
    """One property of a record or of a detail.

    Attributes:
        name: The Web API's name.
        type: An ``Edm.`` type, ``Enum`` or ``Collection``.
        scale: Digits after the point of an ``Edm.Decimal``.
        members: Known member names of an ``Enum``; empty when the reference names none.
        model: The detail's model name, for a ``Collection``.
        properties: The detail's properties, for a ``Collection``.
    """

    name: str
    type: str
    scale: int = 3
    members: tuple[str, ...] = ()
    model: str = ""
    properties: tuple[Property, ...] = ()

    def number_of(self, member: str) -> int:
        """The number behind an enum member.

        The reference lists names, not numbers. Lists of two (No/Yes, Inactive/Active) and lists that begin
        with a blank count from 0, others from 1, as the numbers in public clients' filters suggest.
        """
        if set(self.members) == {"Yes", "No"}:
            return int(member == "Yes")
        from_zero = len(self.members) == _TWO or self.members[0] in {"None", "No", "Unspecified"}
        return self.members.index(member) + (not from_zero)


@dataclass(frozen=True)
class EntitySet:
    """One entity set: its place, keys, verbs and properties in metadata order."""

    name: str
    module: str
    model: str
    category: str
    verbs: frozenset[str]
    key: tuple[str, ...]
    properties: tuple[Property, ...] = field(repr=False)

    @cached_property
    def by_name(self) -> dict[str, Property]:
        """Properties by their case-sensitive name."""
        return {prop.name: prop for prop in self.properties}

    @cached_property
    def key_properties(self) -> tuple[Property, ...]:
        """The key's properties in metadata order."""
        return tuple(self.by_name[name] for name in self.key)


class Catalogue:
    """All entity sets, found without regard to case as ASP.NET routes are.

    Args:
        model: The decoded content of ``model.json``.
    """

    def __init__(self, model: Mapping[str, Any]) -> None:
        self.sets = {name: _entity_set(name, entry) for name, entry in model.items()}
        self._sets = {name.casefold(): entity_set for name, entity_set in self.sets.items()}
        self._processes = {name.casefold(): name for name in PROCESSES}

    def find(self, module: str, name: str) -> EntitySet | None:
        """The entity set of a module, or None."""
        found = self._sets.get(name.casefold())
        return found if found and found.module.casefold() == module.casefold() else None

    def process(self, module: str, name: str) -> str | None:
        """The process endpoint's proper name, or None."""
        found = self._processes.get(name.casefold())
        return found if found and found[:2].casefold() == module.casefold() else None

    def of_module(self, module: str) -> list[EntitySet]:
        """The entity sets of one module, by name."""
        return sorted(
            (entity_set for entity_set in self.sets.values() if entity_set.module == module),
            key=lambda entity_set: entity_set.name,
        )


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue of the packaged ``model.json``."""
    text = resources.files(__package__).joinpath("model.json").read_bytes()
    return Catalogue(msgspec.json.decode(text))


def _entity_set(name: str, entry: Mapping[str, Any]) -> EntitySet:
    return EntitySet(
        name=name,
        module=entry["module"],
        model=entry["model"],
        category=entry.get("category", ""),
        verbs=frozenset(entry["verbs"]),
        key=tuple(entry["key"]),
        properties=tuple(_property(prop) for prop in entry["properties"]),
    )


def _property(entry: Mapping[str, Any]) -> Property:
    return Property(
        name=entry["name"],
        type=entry["type"],
        scale=entry.get("scale", 3),
        members=tuple(entry.get("members", ())),
        model=entry.get("model", ""),
        properties=tuple(_property(prop) for prop in entry.get("properties", ())),
    )
