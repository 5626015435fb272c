"""The nodes of one folder in one generation: their rows' sources, and all of their properties."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.graphql_names import CURRENT, Property, complement, has_dimensions, leaf_type, nodes
from erp_sandbox.sagex3.source import Source, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from erp_sandbox.sagex3.graphql_names import Node
    from erp_sandbox.sagex3.model import Field
    from erp_sandbox.sagex3.odd_server import OddServer

#: Properties that every node has. ``_access`` and ``_etag`` stand for no field.
ID: Final = Property("_id", "leaf", "Id")
STAMPS: Final = {"_createStamp": "CREDATTIM", "_updateStamp": "UPDDATTIM"}
USERS: Final = {"_createUser": "CREUSR", "_updateUser": "UPDUSR"}
TECHNICAL: Final = (*STAMPS.values(), *USERS.values())
#: The collection of pairs of a dimension type and a dimension.
DIMENSIONS: Final = Property("dimensions", "array", "", ("DIE", "CCE"))
_EMPTY: Final = ("", 0)


@dataclass(frozen=True)
class NodeModel:
    """A node of a folder.

    Attributes:
        node: What is known of it.
        source: Where its rows come from.
        properties: All, by name.
    """

    node: Node
    source: Source
    properties: dict[str, Property]

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    @cached_property
    def flat(self) -> Source:
        """Its table without what stands beside it, for conditions on what is referred to."""
        return Source(self.source.table, None, self.source.custom, {}, self.source.shape)

    def shown_key(self, doc: Mapping[str, Any]) -> str:
        """The ``_id`` of a row."""
        return keys.shown(self.source.table, doc, keys.SHOWN_IN_GRAPHQL)

    def value(self, code: str, doc: Mapping[str, Any]) -> Any:
        """What a row holds in a field."""
        return doc.get(code, self.source.empties[code])

    def key_values(self, given: Property, doc: Mapping[str, Any]) -> list[Any] | None:
        """The parts of the key that a row refers to; None where it refers to nothing."""
        if not given.codes or self.value(given.decisive, doc) in _EMPTY:
            return None
        return [code[1:] if code.startswith("=") else self.value(code, doc) for code in given.codes]


@dataclass(frozen=True)
class Model:
    """The nodes of a folder.

    Attributes:
        generation: The schema's generation.
        nodes: By name.
    """

    generation: str
    nodes: dict[str, NodeModel]


def model_of(generation: str, custom: Mapping[str, Mapping[str, tuple[Field, str]]], odd: OddServer) -> Model:
    """The nodes of a folder.

    Args:
        generation: The schema's generation.
        custom: The folder's own fields, by table.
        odd: What the server does beside the rules.
    """
    found = {}
    for name, node in nodes(generation).items():
        source = source_of(node.table, custom, shape=odd.shape(node.table))
        properties = _properties(node, source, generation)
        shown = {key: odd.shown_property(node.table, each) for key, each in properties.items()}
        found[name] = NodeModel(node, source, shown)
    return Model(generation, found)


def _properties(node: Node, source: Source, generation: str) -> dict[str, Property]:
    found = {ID.name: ID}
    for name, given in node.properties.items():
        if source.shape.hidden & {code.partition("[")[0] for code in given.codes}:
            continue
        found[name] = given if given.kind != "leaf" else _typed(given, source)
    for given in complement(node, source):
        found.setdefault(given.name, given)
    if has_dimensions(source, node):
        found[DIMENSIONS.name] = DIMENSIONS
    return found | {each.name: each for each in technical(source, generation)}


def technical(source: Source, generation: str) -> list[Property]:
    """The properties of every node that stand for technical columns.

    Args:
        source: Where the node's rows come from.
        generation: The schema's generation.
    """
    found = [Property(name, "leaf", "Datetime", _there(code, source)) for name, code in STAMPS.items()]
    if generation == CURRENT:
        for name, code in USERS.items():
            codes = _there(code, source)
            found.append(Property(name, "reference", "sysUser", codes, code if codes else ""))
    return found


def _typed(given: Property, source: Source) -> Property:
    if not given.codes:
        return given
    kind = leaf_type(given, source.fields[given.codes[0]])
    return Property(
        given.name, "leaf", kind, given.codes, given.decisive, given.index, given.side, given.label
    )


def _there(code: str, source: Source) -> tuple[str, ...]:
    """A technical field as codes; none where the table does not have it."""
    return (code,) if code in source.fields else ()
