"""Arguments of a query: how many rows, from where, which, in what order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.errors import ArgumentError
from erp_sandbox.sagex3.graphql_cursor import opened, sealed
from erp_sandbox.sagex3.graphql_filter import FilterCompiler, KeyScope, NotHereError, RowScope, find, parse
from erp_sandbox.sagex3.graphql_prefix import demanded

if TYPE_CHECKING:
    from erp_sandbox.sagex3.graphql_filter import Condition, Scope
    from erp_sandbox.sagex3.graphql_model import Model, NodeModel
    from erp_sandbox.sagex3.graphql_names import Property
    from erp_sandbox.sagex3.store import Question

DEFAULT_FIRST: Final = 20


@dataclass(frozen=True)
class Arguments:
    """The arguments of a ``query``.

    Attributes:
        first: How many rows; None for 20.
        after: Cursor of the row before the first.
        filter: Which rows.
        order: In what order.
    """

    first: int | None = None
    after: str | None = None
    filter: str | None = None
    order: str | None = None

    def size(self, cap: int | None) -> int:
        """Rows of a page.

        Raises:
            ArgumentError: If that is less than one.
        """
        size = DEFAULT_FIRST if self.first is None else self.first
        if size < 1:
            raise ArgumentError(f"Invalid value for first: {size}")
        return min(size, cap or size)


@dataclass(frozen=True)
class Sort:
    """One property to sort by.

    Attributes:
        name: Its path, for the cursor's digits.
        sql: Its value.
        descending: From the greatest.
    """

    name: str
    sql: str
    descending: bool


@dataclass(frozen=True)
class Order:
    """An order; the key comes last in each.

    Attributes:
        node: The node.
        sorts: What is sorted by before the key.
        backwards: Whether the key descends; only where nothing comes before it.
    """

    node: NodeModel
    sorts: tuple[Sort, ...]
    backwards: bool = False

    @property
    def columns(self) -> list[str]:
        """What a row's cursor needs."""
        return [sort.sql for sort in self.sorts]

    def applied(self, question: Question) -> Question:
        """The question in this order."""
        order = [f"{sort.sql}{' DESC' if sort.descending else ''}" for sort in self.sorts]
        order.append(f"r.key{' DESC' if self.backwards else ''}")
        return replace(question, order=", ".join(order))

    def cursor(self, key: str, values: tuple[Any, ...]) -> str:
        """A row's cursor.

        Args:
            key: Its ``_id``.
            values: Its columns.
        """
        return sealed([*values, key], self._signature)

    def behind(self, cursor: str) -> Condition:
        """What comes after a cursor.

        Raises:
            ArgumentError: If it is not one of this order.
        """
        *given, key = opened(cursor, self._signature)
        if len(given) != len(self.sorts):
            raise ArgumentError(f"Invalid cursor: {cursor}")
        sql = f"r.key {'<' if self.backwards else '>'} ?"
        values: tuple[Any, ...] = (keys.read(self.node.source.table, str(key), keys.SHOWN_IN_GRAPHQL),)
        for sort, value in reversed(list(zip(self.sorts, given, strict=True))):
            sign = "<" if sort.descending else ">"
            # the first bound says nothing new, but an index can be entered by it
            sql = f"{sort.sql} {sign}= ? AND ({sort.sql} {sign} ? OR ({sort.sql} = ? AND {sql}))"
            values = (value, value, value, *values)
        return sql, values

    @property
    def _signature(self) -> str:
        return ",".join(f"{sort.name}:{sort.descending}" for sort in self.sorts) + f"_id:{self.backwards}"


def narrowed(question: Question, node: NodeModel, model: Model, text: str | None) -> Question:
    """The question with a filter.

    Raises:
        ArgumentError: If the filter cannot be read.
    """
    if not text or not text.strip():
        return question
    given = parse(text)
    condition = FilterCompiler(model).condition(node, RowScope(node.source, "r"), given)
    bounds = keys.bounds(node.source.table, demanded(node, given))
    return question.narrowed(*condition).narrowed(*bounds)


def ordered(node: NodeModel, model: Model, text: str | None) -> Order:
    """Read ``orderBy``.

    Raises:
        ArgumentError: If it cannot be read.
    """
    given = parse(text) if text and text.strip() else {}
    sorts = _Reader(FilterCompiler(model), model).sorts(node, RowScope(node.source, "r"), given)
    columns = [sort.sql for sort in sorts]
    key = [node.source.sql(code) for code in node.source.table.key]
    ways = {sort.descending for sort in sorts}
    if not sorts or (columns in (["r.key"], key) and len(ways) == 1):
        # the key itself, whole and in one direction, is the order of the index
        return Order(node, (), True in ways)
    return Order(node, tuple(sorts))


@dataclass(frozen=True)
class _Reader:
    """Reads what to sort by."""

    compiler: FilterCompiler
    model: Model

    def sorts(self, node: NodeModel, scope: Scope, given: Any, path: str = "") -> list[Sort]:
        """The properties of a node to sort by, those of what it refers to among them."""
        if isinstance(given, list):
            return [sort for each in given for sort in self.sorts(node, scope, each, path)]
        if not isinstance(given, dict):
            raise ArgumentError(f"Invalid orderBy: {given!r}")
        found = []
        for name, way in given.items():
            prop, place = find(node, name), f"{path}{name}"
            if isinstance(way, dict) and prop.kind == "reference":
                found += self._nested(scope, prop, way, f"{place}.")
            else:
                found += self._plain(node, scope, prop, place, way)
        return found

    def _plain(self, node: NodeModel, scope: Scope, prop: Property, place: str, way: Any) -> list[Sort]:
        descending = _descends(place, way)
        if prop.kind == "reference":
            parts = self.compiler.parts(scope, prop)
            return [Sort(place, sql, descending) for sql in parts if not sql.startswith("'")]
        if prop.name == "_id" and scope.alias == "r":
            return [Sort(place, "r.key", descending)]
        return [Sort(place, self.compiler.leaf(node, scope, prop), descending)]

    def _nested(self, scope: Scope, prop: Property, given: dict[str, Any], path: str) -> list[Sort]:
        """Properties of what a reference refers to: from the row's own fields, or looked up."""
        parts = self.compiler.parts(scope, prop)
        target = self.model.nodes.get(prop.type)
        if target is None:
            unknown = given.keys() - {"_id", "code"}
            if unknown:
                raise ArgumentError(f"Unknown property '{path}{unknown.pop()}'")
            sql = parts[prop.codes.index(prop.decisive)]
            return [Sort(f"{path}{name}", sql, _descends(path, way)) for name, way in given.items()]
        inner = KeyScope(dict(zip(target.source.table.key, parts, strict=False)))
        try:
            return self.sorts(target, inner, given, path)
        except NotHereError:
            beyond, rows = self.compiler.beyond(scope, prop, target)
            found = self.sorts(target, beyond, given, path)
            return [
                Sort(sort.name, f"coalesce((SELECT {sort.sql} {rows} LIMIT 1), '')", sort.descending)
                for sort in found
            ]


def _descends(place: str, way: Any) -> bool:
    if isinstance(way, bool) or way not in (1, -1):
        raise ArgumentError(f"Invalid orderBy: {place} is sorted by 1 or -1")
    return bool(way == -1)
