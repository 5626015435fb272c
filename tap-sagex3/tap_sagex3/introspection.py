"""A server's GraphQL schema, and where the fields of X3 are in it (reference sections 2.1 and 2.2).

Names of packages and properties move from build to build; the code of the field stays, and stands in the
property's description: `Company name 1 (BPRNAM)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_sagex3.properties import PropertyCodes

Load: TypeAlias = "Callable[[Sequence[str]], Mapping[str, Any]]"

_BODY: Final = "kind name enumValues { name } fields { name description args { name } type { ...T } }"
_FRAGMENT: Final = (
    "fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }"
)
ROOT: Final = "{ __schema { queryType { name } } }"
QUERY: Final = f"{{ __schema {{ queryType {{ name }} types {{ {_BODY} }} }} }} {_FRAGMENT}"
"""The whole schema: some 22 MB on X3 Cloud, so that only discovery, which looks at all of it, asks for it."""
TYPES_AT_ONCE: Final = 40
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
        owner: The node that it is a property of, in lower case.
    """

    name: str
    code: str | None
    kind: str
    type: str
    values: tuple[str, ...] = ()
    title: str = ""
    nested: bool = True
    owner: str = ""


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
        codes: Which fields some properties are, where descriptions do not tell.
        load: Asks for types that the document lacks, by name; None if it has all that there are.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        generation: str,
        codes: PropertyCodes | None = None,
        load: Load | None = None,
    ) -> None:
        self.types: dict[str, Any] = {each["name"]: each for each in document.get("types") or ()}
        self.root = str(document["queryType"]["name"])
        self._wanted = generation
        self._codes = codes
        self._load = load
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
        if (own := self._field(self.root, package)) is not None:
            packages[package,] = named_type(own["type"])  # of a custom package: its name is the site's
        named = next((path for path in packages if path[-1] in {package, self._renamed(package)}), None)
        places = [named] if named else []
        places += [path for path in packages if path != named]
        for number, path in enumerate(places):
            if number == 1:
                self._fetch(packages.values())
            field = self._field(packages[path], node)
            if (
                field is not None
                and (found := self._entry((*path, node), named_type(field["type"]))) is not None
            ):
                return found
        return None

    def properties(self, type_name: str) -> list[Property]:
        """The properties of a node's type, without what every node has for the platform's own use."""
        if type_name not in self._properties:
            fields = self._fields(type_name)
            self._fetch_below(fields)
            owner = node_name(type_name).lower()
            found = (self._property(field, owner) for field in fields)
            self._properties[type_name] = [each for each in found if each is not None]
        return self._properties[type_name]

    def _fetch_below(self, fields: Sequence[Mapping[str, Any]]) -> None:
        """Ask for the types of fields, and of collections among them down to their nodes, a level at once."""
        names = [named_type(each["type"]) for each in fields]
        self._fetch(names)
        for step in ("query", "edges", "node"):
            below = [self._field(name, step) for name in names]
            names = [named_type(each["type"]) for each in below if each] + [
                name for name, each in zip(names, below, strict=True) if step == "query" and each is None
            ]
            self._fetch(names)

    def _fetch(self, names: Iterable[str]) -> None:
        if self._load is None:
            return
        missing = [name for name in dict.fromkeys(names) if name and name not in self.types]
        for start in range(0, len(missing), TYPES_AT_ONCE):
            some = missing[start : start + TYPES_AT_ONCE]
            found = self._load(some)
            self.types.update({name: found.get(name) or {} for name in some})

    def scalar(self, type_name: str, code: str) -> str | None:
        """The name of the scalar property that shows a field, without a look at all the others."""
        owner = node_name(type_name).lower()
        for each in self._fields(type_name):
            if self._code(each, owner) == code:
                found = self._property(each, owner)
                if found is not None and found.kind == "scalar":
                    return found.name
        return None

    def is_array(self, type_name: str) -> bool:
        """Whether a collection's nodes are the elements of fields with an index."""
        return self._field(type_name, "denormalizedIndex") is not None

    def _packages(self, generation: str) -> Iterator[tuple[tuple[str, ...], str]]:
        for field in self._fields(self.root):
            name, kind = field["name"], named_type(field["type"])
            if generation == "sage":
                if name == "sage":
                    for each in self._fields(kind):
                        yield (name, each["name"]), named_type(each["type"])
            elif re.match(rf"{generation}[A-Z]", name):
                yield (name,), kind

    def _renamed(self, package: str) -> str:
        return package if self.generation != "xtremX3" else f"xtremX3{package.removeprefix('x3')}"

    def _entry(self, path: tuple[str, ...], type_name: str) -> Entry | None:
        nested = self._field(type_name, "query")
        connection = named_type(nested["type"]) if nested else type_name
        node = self._node_of(connection)
        if node is None:
            return None
        return Entry(path, node, nested is not None, self._field(connection, "totalCount") is not None)

    def _node_of(self, connection: str) -> str | None:
        """The type of a connection's nodes."""
        edges = self._field(connection, "edges")
        node = self._field(named_type(edges["type"]), "node") if edges else None
        return named_type(node["type"]) if node else None

    def _property(self, field: Mapping[str, Any], owner: str) -> Property | None:
        name, type_name = str(field["name"]), named_type(field["type"])
        if name.startswith("_") and name not in COMMON:
            return None
        title, code = str(field.get("description") or ""), self._code(field, owner)
        made = Property(name, code, "scalar", type_name, (), title, owner=owner)
        self._fetch([type_name])
        found = self.types.get(type_name) or {}
        kind = found.get("kind")
        if kind == "ENUM":
            return replace(made, kind="enum", values=tuple(each["name"] for each in found["enumValues"]))
        if kind != "OBJECT":
            return made
        entry = self._entry((name,), type_name)
        if entry is not None:
            return replace(made, kind="collection", type=entry.type, nested=entry.nested)
        if self._field(type_name, "_id") is not None:
            return replace(made, kind="reference")
        return replace(made, kind="text") if self._field(type_name, "value") is not None else None

    def _code(self, field: Mapping[str, Any], owner: str) -> str | None:
        """The X3 field that a property is."""
        name = str(field["name"])
        match = _CODE.search(str(field.get("description") or ""))
        told = match[1].partition("_")[0] if match else COMMON.get(name)
        return self._codes.code(owner, name, told) if self._codes else told

    def _fields(self, type_name: str) -> list[dict[str, Any]]:
        self._fetch([type_name])
        return (self.types.get(type_name) or {}).get("fields") or []

    def _field(self, type_name: str, name: str) -> dict[str, Any] | None:
        return next((field for field in self._fields(type_name) if field["name"] == name), None)


def types_query(names: Sequence[str]) -> str:
    """Ask for some types by their names."""
    asked = " ".join(f't{place}: __type(name: "{name}") {{ {_BODY} }}' for place, name in enumerate(names))
    return f"{{ {asked} }} {_FRAGMENT}"


def node_name(type_name: str) -> str:
    """The node that a type is of: `PurchaseOrderLine_node`, or without the ending in older builds."""
    return type_name.rpartition("_")[0] if type_name.lower().endswith("_node") else type_name


def named_type(reference: Mapping[str, Any]) -> str:
    """The type inside lists and non-nulls."""
    while reference.get("ofType"):
        reference = reference["ofType"]
    return str(reference.get("name") or "")
