"""Arguments of a query: how many rows, from where, which, in what order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.graphql_cursor import opened, sealed
from erp_sandbox.sagex3.graphql_filter import FilterCompiler, KeyScope, NotHereError, RowScope, find, parse

if TYPE_CHECKING:
    from erp_sandbox.sagex3.graphql_filter import Condition, Scope
    from erp_sandbox.sagex3.graphql_model import Model, NodeModel
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
            ValueError: If that is less than one.
        """
        size = DEFAULT_FIRST if self.first is None else self.first
        if size < 1:
            raise ValueError(f"Invalid value for first: {size}")
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
            ValueError: If it is not one of this order.
        """
        *given, key = opened(cursor, self._signature)
        if len(given) != len(self.sorts):
            raise ValueError(f"Invalid cursor: {cursor}")
        sql = f"r.key {'<' if self.backwards else '>'} ?"
        values: tuple[Any, ...] = (keys.read(self.node.source.table, str(key), keys.SHOWN_IN_GRAPHQL),)
        for sort, value in reversed(list(zip(self.sorts, given, strict=True))):
            sign = "<" if sort.descending else ">"
            sql = f"({sort.sql} {sign} ? OR ({sort.sql} = ? AND {sql}))"
            values = (value, value, *values)
        return sql, values

    @property
    def _signature(self) -> str:
        return ",".join(f"{sort.name}:{sort.descending}" for sort in self.sorts) + f"_id:{self.backwards}"


def narrowed(question: Question, node: NodeModel, model: Model, text: str | None) -> Question:
    """The question with a filter.

    Raises:
        ValueError: If the filter cannot be read.
    """
    if not text or not text.strip():
        return question
    condition = FilterCompiler(model).condition(node, RowScope(node.source, "r"), parse(text))
    return question.narrowed(*condition)


def ordered(node: NodeModel, model: Model, text: str | None) -> Order:
    """Read ``orderBy``.

    Raises:
        ValueError: If it cannot be read.
    """
    given = parse(text) if text and text.strip() else {}
    sorts = _sorts(FilterCompiler(model), model, node, RowScope(node.source, "r"), given, "")
    columns = [sort.sql for sort in sorts]
    ways = {sort.descending for sort in sorts}
    if not sorts or (columns in (["r.key"], _key_columns(node)) and len(ways) == 1):
        # the key itself, whole and in one direction, is the order of the index
        return Order(node, (), True in ways)
    return Order(node, tuple(sorts))


def _key_columns(node: NodeModel) -> list[str]:
    """The fields of the key, where they sort as the stored key does; numbers do not."""
    table = node.source.table
    if any(table.fields[code].type == "n" for code in table.key):
        return []
    return [node.source.sql(code) for code in table.key]


def _sorts(
    compiler: FilterCompiler, model: Model, node: NodeModel, scope: Scope, given: Any, path: str
) -> list[Sort]:
    if isinstance(given, list):
        return [sort for each in given for sort in _sorts(compiler, model, node, scope, each, path)]
    if not isinstance(given, dict):
        raise ValueError(f"Invalid orderBy: {given!r}")  # noqa: TRY004 - of the client's making
    found = []
    for name, way in given.items():
        prop = find(node, name)
        place = f"{path}{name}"
        if isinstance(way, dict):
            if prop.kind != "reference":
                raise ValueError(f"Property '{place}' has no properties to sort by")
            found += _nested(compiler, model, node, scope, prop, way, f"{place}.")
        elif way not in (1, -1) or isinstance(way, bool):
            raise ValueError(f"Invalid orderBy: {place} is sorted by 1 or -1")
        elif prop.kind == "reference":
            parts = compiler.parts(scope, prop)
            found += [Sort(place, sql, way == -1) for sql in parts if not sql.startswith("'")]
        elif prop.name == "_id" and scope.alias == "r":
            found.append(Sort("_id" if not path else place, "r.key", way == -1))
        else:
            found.append(Sort(place, compiler.leaf(node, scope, prop), way == -1))
    return found


def _nested(
    compiler: FilterCompiler, model: Model, node: NodeModel, scope: Scope, prop: Any, given: Any, path: str
) -> list[Sort]:
    """Properties of what a reference refers to: from the row's own fields, or looked up."""
    parts = compiler.parts(scope, prop)
    target = model.nodes.get(prop.type)
    if target is None:
        sql = parts[prop.codes.index(prop.decisive)]
        unknown = given.keys() - {"_id", "code"}
        if unknown:
            raise ValueError(f"Unknown property '{path}{unknown.pop()}'")
        return [Sort(f"{path}{name}", sql, way == -1) for name, way in given.items()]
    inner = KeyScope(dict(zip(target.source.table.key, parts, strict=False)))
    try:
        return _sorts(compiler, model, target, inner, given, path)
    except NotHereError:
        beyond, rows = compiler.beyond(scope, prop, target)
        found = _sorts(compiler, model, target, beyond, given, path)
        return [
            Sort(sort.name, f"coalesce((SELECT {sort.sql} {rows} LIMIT 1), '')", sort.descending) for sort in found
        ]
