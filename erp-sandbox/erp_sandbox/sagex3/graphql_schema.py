"""A folder's GraphQL schema, with resolvers that read whole pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.graphql_leaves import getter, value_getter
from erp_sandbox.sagex3.graphql_model import DIMENSIONS, technical
from erp_sandbox.sagex3.graphql_names import CURRENT, OLDEST, Property, pascal
from erp_sandbox.sagex3.graphql_order import Arguments
from erp_sandbox.sagex3.graphql_rows import Batch, first_page, nested_page
from erp_sandbox.sagex3.graphql_scalars import SCALARS, enum_type, labels
from erp_sandbox.sagex3.odd_server import FILLER, padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLNamedOutputType, GraphQLResolveInfo

    from erp_sandbox.sagex3.graphql_model import Model, NodeModel
    from erp_sandbox.sagex3.graphql_rows import Page, Reading, Row
    from erp_sandbox.sagex3.odd_server import OddServer

#: What reads a leaf of a value without more ado, by the names of the type and the field.
Getters = dict[str, dict[str, "Callable[[Any], Any]"]]
_PREFIXES: Final = {CURRENT: "x3", "older": "xtremX3", OLDEST: "x3"}
_INDEX: Final = "denormalizedIndex"


@dataclass
class Built:
    """A schema.

    Attributes:
        schema: For graphql-core.
        getters: How its leaves are read.
    """

    schema: GraphQLSchema
    getters: Getters


def build(model: Model, odd: OddServer) -> Built:
    """Build the schema of a folder."""
    builder = _Builder(model, odd)
    types = [*builder.nodes.values(), *builder.padding()]
    return Built(GraphQLSchema(builder.root(), types=types), builder.getters)


@dataclass
class _Builder:
    model: Model
    odd: OddServer
    getters: Getters = field(default_factory=dict)
    nodes: dict[str, GraphQLObjectType] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._current = self.model.generation == CURRENT
        self._oldest = self.model.generation == OLDEST
        self._enums: dict[str, GraphQLNamedOutputType] = {}
        self._connections: dict[str, GraphQLObjectType] = {}
        self._page_info = self._object("PageInfo", {
            "startCursor": (GraphQLString, lambda page: page.cursors[0] if page.cursors else None),
            "endCursor": (GraphQLString, lambda page: page.cursors[-1] if page.cursors else None),
            "hasNextPage": (GraphQLNonNull(GraphQLBoolean), lambda page: page.has_next),
            "hasPreviousPage": (GraphQLNonNull(GraphQLBoolean), lambda page: page.has_previous),
        })  # fmt: skip
        self._access = self._object("_OutputAccessBinding", {
            "name": (GraphQLString, lambda _: None), "status": (GraphQLString, lambda _: None),
        })  # fmt: skip
        for name, node in self.model.nodes.items():
            self.nodes[name] = self._node_type(name, node)

    def padding(self) -> list[GraphQLEnumType]:
        """Types that nothing refers to, as a large system has many."""
        return [
            GraphQLEnumType(
                f"Filler{nth}",
                {name: GraphQLEnumValue(name, description=FILLER) for name in padding(nth)},
            )
            for nth in range(self.odd.padding)
        ]

    def root(self) -> GraphQLObjectType:
        """The query type."""
        prefix = _PREFIXES[self.model.generation]
        packages: dict[str, dict[str, GraphQLField]] = {}
        for name, node in self.model.nodes.items():
            if not node.node.inside and self.odd.offers(name):
                for package in filter(None, (f"{prefix}{node.node.package}", node.node.oldest)):
                    packages.setdefault(package, {})[name] = self._entry(name, node)
        fields = {
            package: GraphQLField(GraphQLObjectType(f"{pascal(package)}_Package", inside), resolve=_itself)
            for package, inside in packages.items()
        }
        if self._oldest:
            fields = {"sage": GraphQLField(GraphQLObjectType("Sage", fields), resolve=_itself)}
        return GraphQLObjectType("RootQueryType", fields)

    def _entry(self, name: str, node: NodeModel) -> GraphQLField:
        """The field of a node in its package."""

        def query(_: Any, info: GraphQLResolveInfo, **given: Any) -> Page:
            return first_page(info.context, node, _arguments(given))

        connection = self._connection(name, self.nodes[name])
        listed = GraphQLField(connection, _query_arguments(), query)
        if self._oldest:
            return listed

        def read(_: Any, info: GraphQLResolveInfo, **given: Any) -> Row | None:
            return _one(info.context, node, str(given["_id"]))

        wanted = {"_id": GraphQLArgument(GraphQLNonNull(SCALARS["Id"]))}
        operations = GraphQLObjectType(
            f"{pascal(name)}_Operations",
            {"query": listed, "read": GraphQLField(self.nodes[name], wanted, read)},
        )
        return GraphQLField(operations, resolve=_itself)

    def _node_type(self, name: str, node: NodeModel) -> GraphQLObjectType:
        shown = self._shown(name)
        getters = self.getters.setdefault(shown, {})
        for each in node.properties.values():
            if each.kind == "leaf":
                getters[each.name] = self._renaming(each.type, getter(node, each))

        def fields() -> dict[str, GraphQLField]:
            found = {each.name: self._field(name, node, each) for each in node.properties.values()}
            return found | self._common(shown, node)

        return GraphQLObjectType(shown, fields, description=node.source.table.description)

    def _renaming(self, kind: str, get: Callable[[Row], Any]) -> Callable[[Row], Any]:
        """What reads a leaf whose enum may have other names."""
        renamed = self.odd.renamed(kind)

        def read(row: Row) -> Any:
            value = get(row)
            return renamed.get(value, value)

        return read if renamed else get

    def _common(self, shown: str, node: NodeModel) -> dict[str, GraphQLField]:
        """What every node has and no field stands for."""
        found = {"_access": GraphQLField(GraphQLList(self._access), resolve=lambda _, __: [])}
        if self._current:
            self.getters[shown]["_etag"] = value_getter(node, "UPDDATTIM")
            found["_etag"] = GraphQLField(GraphQLString)
        return found

    def _field(self, name: str, node: NodeModel, given: Property) -> GraphQLField:
        described = self.odd.description(given.description)
        if given.kind == "leaf":
            return GraphQLField(self._leaf(given.type), description=described)
        if given.kind == "reference":
            return GraphQLField(self._target(given.type), resolve=_reference(given), description=described)
        if given.kind == "collection":
            target = self.model.nodes[given.type]

            def children(row: Row, arguments: Arguments) -> Page:
                return row.batch.children(row, target, arguments)

            return self._collection(given.type, self.nodes[given.type], children)
        return self._array(name, node, given)

    def _array(self, name: str, node: NodeModel, given: Property) -> GraphQLField:
        """The elements of an indexed field, as nodes with their number."""
        inner = f"{name}{pascal(given.name)}"
        if inner not in self.nodes:
            self.nodes[inner] = self._element_type(inner, node, given)

        def elements(row: Row, arguments: Arguments) -> Page:
            size = arguments.size(row.batch.reading.odd.nested)
            return nested_page(row.batch.elements(row, given), size, arguments.after)

        return self._collection(inner, self.nodes[inner], elements)

    def _element_type(self, inner: str, node: NodeModel, given: Property) -> GraphQLObjectType:
        fields: dict[str, tuple[Any, Callable[[Any], Any]]] = {
            "_id": (SCALARS["Id"], lambda row: row.doc["_id"]),
            "_sortValue": (GraphQLInt, lambda row: row.doc["#"]),
            _INDEX: (GraphQLInt, lambda row: row.doc["#"]),
            "id": (GraphQLString, lambda row: row.doc["id"]),
        }
        found = self._object(self._shown(inner), fields)
        found.fields["id"].description = self.odd.element_key(node.source.table.key[0])
        for each in technical(node.source, self.model.generation):
            if each.kind == "leaf":
                self.getters[found.name][each.name] = getter(node, each)
            found.fields[each.name] = self._field(inner, node, each)
        found.fields.update(self._common(found.name, node))
        if given is DIMENSIONS:
            pairs = (
                Property("dimensionType", "reference", "dimensionType", ("DIE",), "DIE"),
                Property("dimension", "reference", "dimension", ("DIE", "CCE"), "CCE"),
            )
            for each in pairs:
                found.fields[each.name] = self._field(inner, node, each)
        else:
            value = Property("value", "leaf", given.type, given.codes, given.decisive, label=given.label)
            self.getters[found.name]["value"] = value_getter(node, given.codes[0], given.type)
            found.fields["value"] = self._field(inner, node, value)
        return found

    def _collection(
        self, name: str, node: GraphQLObjectType, read: Callable[[Row, Arguments], Page]
    ) -> GraphQLField:
        connection = self._connection(name, node)
        if self._oldest:
            return GraphQLField(
                connection, _query_arguments(), lambda row, _, **given: read(row, _arguments(given))
            )
        shown = f"{pascal(name)}_Collection"
        found = self._connections.get(shown)
        if found is None:
            # one type for all collections of a node; what is read comes with the value
            listed = GraphQLField(
                connection,
                _query_arguments(),
                lambda source, _, **given: source[1](source[0], _arguments(given)),
            )
            found = self._connections[shown] = GraphQLObjectType(shown, {"query": listed})
        return GraphQLField(found, resolve=lambda row, _: (row, read))

    def _connection(self, name: str, node: GraphQLObjectType) -> GraphQLObjectType:
        shown = f"{pascal(name)}_Connection"
        found = self._connections.get(shown)
        if found is None:
            edge = self._object(f"{pascal(name)}_Edge", {"cursor": (GraphQLString, lambda edge: edge[0])})
            edge.fields["node"] = GraphQLField(node, resolve=lambda pair, _: pair[1])
            found = self._object(shown, {"totalCount": (GraphQLInt, lambda page: page.total())})
            edges = GraphQLList(edge)
            found.fields["edges"] = GraphQLField(
                edges, resolve=lambda page, _: list(zip(page.cursors, page.rows, strict=True))
            )
            found.fields["pageInfo"] = GraphQLField(GraphQLNonNull(self._page_info), resolve=_itself)
            self._connections[shown] = found
        return found

    def _object(self, name: str, fields: dict[str, tuple[Any, Callable[[Any], Any]]]) -> GraphQLObjectType:
        """An object type of leaves."""
        self.getters[name] = {each: get for each, (_, get) in fields.items()}
        return GraphQLObjectType(name, {each: GraphQLField(kind) for each, (kind, _) in fields.items()})

    def _leaf(self, kind: str) -> Any:
        if kind in SCALARS:
            return SCALARS[kind]
        if not labels(kind):
            raise KeyError(kind)
        if kind not in self._enums:
            self._enums[kind] = enum_type(kind, self.odd.labels(kind, labels(kind)))
        return self._enums[kind]

    def _target(self, name: str) -> GraphQLObjectType:
        """The type of what is referred to; a node without a table here has its key alone."""
        if name not in self.nodes:
            coded = {
                "_id": (SCALARS["Id"], lambda row: row.doc["_id"]),
                "code": (GraphQLString, lambda row: row.doc["code"]),
            }
            self.nodes[name] = self._object(self._shown(name), coded)
        return self.nodes[name]

    def _shown(self, name: str) -> str:
        return f"{pascal(name)}_node" if self._current else pascal(name)


def _edges(page: Page, _: GraphQLResolveInfo) -> list[tuple[str, Row]]:
    return list(zip(page.cursors, page.rows, strict=True))


def _itself(value: Any, _: GraphQLResolveInfo) -> Any:
    return value or ()


def _reference(given: Property) -> Callable[[Row, GraphQLResolveInfo], Row | None]:
    return lambda row, _: row.batch.reference(row, given)


def _query_arguments() -> dict[str, GraphQLArgument]:
    return {
        "first": GraphQLArgument(GraphQLInt),
        "after": GraphQLArgument(GraphQLString),
        "filter": GraphQLArgument(GraphQLString),
        "orderBy": GraphQLArgument(GraphQLString),
    }


def _arguments(given: dict[str, Any]) -> Arguments:
    return Arguments(given.get("first"), given.get("after"), given.get("filter"), given.get("orderBy"))


def _one(reading: Reading, node: NodeModel, shown: str) -> Row | None:
    key = keys.read(node.source.table, shown, keys.SHOWN_IN_GRAPHQL)
    found = reading.store.lookup(reading.question(node), [key])
    return Batch(reading, node).row(*found[key]) if key in found else None
