"""A server's GraphQL schema, and where the fields of X3 are in it (reference sections 2.1 and 2.2).

Names of packages and properties move from build to build; the code of the field stays, and stands in the
property's description: `Company name 1 (BPRNAM)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUERY: Final = (
    "{ __schema { queryType { name } types { kind name enumValues { name }"
    " fields { name description args { name } type { ...T } } } } }"
    " fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }"
)
GENERATIONS: Final = ("x3", "xtremX3", "sage")
"""Of the schema, the newest first: 2023 R2 on, 2021 R2 to 2022 R4, the demonstrations before."""
_CODE: Final = re.compile(r"\(([A-Z][A-Z0-9]*(?:_\d+)?)\)\s*\.?\s*$")
#: What every node has beside its own properties; the stamps are fields under other names (reference 2.2).
COMMON: Final = {
    "_createStamp": "CREDATTIM",
    "_updateStamp": "UPDDATTIM",
    "_createUser": "CREUSR",
    "_updateUser": "UPDUSR",
}
STAMP_PROPERTY: Final = "_updateStamp"


@dataclass(frozen=True)
class Property:
    """A property of a node.

    Attributes:
        name: Its name.
        code: The X3 field that its description names.
        kind: `scalar`, `enum`, `reference`, `text` (a stream with its value inside) or `collection`.
        type: Name of its type; of a collection, that of its nodes.
        values: Values of an enum, in the order of the local menu.
        title: Its description.
        nested: Whether a collection is asked through a level named `query`, as all are but the oldest.
    """

    name: str
    code: str | None
    kind: str
    type: str
    values: tuple[str, ...] = ()
    title: str = ""
    nested: bool = True


@dataclass(frozen=True)
class Entry:
    """Where a node can be asked for.

    Attributes:
        path: Fields from the root to the node: `("x3Purchasing", "purchaseOrder")`.
        type: The node's type.
        nested: Whether there is a level named `query` below.
        counts: Whether the connection has `totalCount`.
    """

    path: tuple[str, ...]
    type: str
    nested: bool
    counts: bool


class Schema:
    """What introspection told.

    Args:
        document: The value of `__schema`.
        generation: One of `GENERATIONS`, or `auto` for the newest that there is.
    """

    def __init__(self, document: Mapping[str, Any], generation: str) -> None:
        self._types: dict[str, Any] = {each["name"]: each for each in document["types"]}
        self._root = str(document["queryType"]["name"])
        self._wanted = generation
        self._properties: dict[str, list[Property]] = {}

    @cached_property
    def generation(self) -> str:
        """The generation that is used; empty if the schema is none of X3's."""
        known = GENERATIONS if self._wanted == "auto" else (self._wanted,)
        return next((each for each in known if any(True for _ in self._packages(each))), "")

    def entry(self, package: str, node: str) -> Entry | None:
        """Where a node can be asked for: in its package, or in whichever has it in this build.

        Args:
            package: The package's name in the current generation.
            node: The node's name.

        Returns:
            The place; None if the server does not know the node.
        """
        packages = dict(self._packages(self.generation))
        named = next((path for path in packages if path[-1] == self._renamed(package)), None)
        places = [named] if named else []
        places += [path for path in packages if path != named]
        for path in places:
            field = self._field(packages[path], node)
            if field is not None and (found := self._entry((*path, node), _named(field["type"]))) is not None:
                return found
        return None

    def properties(self, type_name: str) -> list[Property]:
        """The properties of a node's type, without what every node has for the platform's own use."""
        if type_name not in self._properties:
            fields = self._fields(type_name)
            found = (self._property(field) for field in fields)
            self._properties[type_name] = [each for each in found if each is not None]
        return self._properties[type_name]

    def is_array(self, type_name: str) -> bool:
        """Whether a collection's nodes are the elements of fields with an index."""
        return self._field(type_name, "denormalizedIndex") is not None

    def _packages(self, generation: str) -> Iterator[tuple[tuple[str, ...], str]]:
        for field in self._fields(self._root):
            name, kind = field["name"], _named(field["type"])
            if generation == "sage":
                if name == "sage":
                    for each in self._fields(kind):
                        yield (name, each["name"]), _named(each["type"])
            elif re.match(rf"{generation}[A-Z]", name):
                yield (name,), kind

    def _renamed(self, package: str) -> str:
        return package if self.generation != "xtremX3" else f"xtremX3{package.removeprefix('x3')}"

    def _entry(self, path: tuple[str, ...], type_name: str) -> Entry | None:
        nested = self._field(type_name, "query")
        connection = _named(nested["type"]) if nested else type_name
        node = self._node_of(connection)
        if node is None:
            return None
        return Entry(path, node, nested is not None, self._field(connection, "totalCount") is not None)

    def _node_of(self, connection: str) -> str | None:
        """The type of a connection's nodes."""
        edges = self._field(connection, "edges")
        node = self._field(_named(edges["type"]), "node") if edges else None
        return _named(node["type"]) if node else None

    def _property(self, field: Mapping[str, Any]) -> Property | None:  # noqa: PLR0911 - one a kind
        name, type_name = str(field["name"]), _named(field["type"])
        title = str(field.get("description") or "")
        code = match[1] if (match := _CODE.search(title)) else COMMON.get(name)
        if name.startswith("_") and name not in COMMON:
            return None
        found = self._types.get(type_name) or {}
        kind = found.get("kind")
        if kind == "ENUM":
            values = tuple(each["name"] for each in found["enumValues"])
            return Property(name, code, "enum", type_name, values, title)
        if kind != "OBJECT":
            return Property(name, code, "scalar", type_name, (), title)
        entry = self._entry((name,), type_name)
        if entry is not None:
            return Property(name, code, "collection", entry.type, (), title, entry.nested)
        if self._field(type_name, "_id") is not None:
            return Property(name, code, "reference", type_name, (), title)
        if self._field(type_name, "value") is not None:
            return Property(name, code, "text", type_name, (), title)
        return None

    def _fields(self, type_name: str) -> list[dict[str, Any]]:
        return (self._types.get(type_name) or {}).get("fields") or []

    def _field(self, type_name: str, name: str) -> dict[str, Any] | None:
        return next((field for field in self._fields(type_name) if field["name"] == name), None)


def _named(reference: Mapping[str, Any]) -> str:
    """The type inside lists and non-nulls."""
    while reference.get("ofType"):
        reference = reference["ofType"]
    return str(reference.get("name") or "")
