"""How leaves are read from rows, as fast as may be: these run once for every value of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from erp_sandbox.sagex3.graphql_scalars import shower
from erp_sandbox.sagex3.model import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from erp_sandbox.sagex3.graphql_model import NodeModel
    from erp_sandbox.sagex3.graphql_names import Property
    from erp_sandbox.sagex3.graphql_rows import Row

_DEBIT = 1
_AS_STORED = ("String", "Int", "Id")


def getter(node: NodeModel, given: Property) -> Callable[[Row], Any]:
    """What reads a leaf of a node's rows."""
    if given.name == "_id":
        return lambda row: node.shown_key(row.doc)
    if not given.codes:
        return lambda _: None
    if given.index:
        return _element(node, given)
    if given.side:
        return _side(node, given)
    return value_getter(node, given.codes[0], given.type)


def value_getter(node: NodeModel, code: str, kind: str = "String") -> Callable[[Row], Any]:
    """What reads a field.

    Args:
        node: The node.
        code: The field; of one with an index, a row holds one element.
        kind: Type of the leaf.
    """
    empty = EMPTY[node.source.fields[code].type] if code in node.source.fields else None
    if kind in _AS_STORED:
        return lambda row: row.doc.get(code, empty)
    show = shower(kind)
    nothing = show(empty)
    return lambda row: show(row.doc[code]) if code in row.doc else nothing


def _element(node: NodeModel, given: Property) -> Callable[[Row], Any]:
    code, place = given.codes[0], given.index - 1
    empty, show = EMPTY[node.source.fields[code].type], shower(given.type)

    def read(row: Row) -> Any:
        values = row.doc.get(code, ())
        if not isinstance(values, list):
            values = [values] if values != () else ()  # kept without an index
        return show(values[place] if place < len(values) else empty)

    return read


def _side(node: NodeModel, given: Property) -> Callable[[Row], Any]:
    show, debit = shower(given.type), given.side == "debit"
    zero = EMPTY["n"]

    def read(row: Row) -> Any:
        is_debit = node.value("SNS", row.doc) == _DEBIT
        return show(node.value(given.codes[0], row.doc) if is_debit == debit else zero)

    return read
