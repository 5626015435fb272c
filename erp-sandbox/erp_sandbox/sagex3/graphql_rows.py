"""Rows on their way through a GraphQL query: what they refer to is read for a whole page at once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.errors import ArgumentError
from erp_sandbox.sagex3.graphql_cursor import sealed
from erp_sandbox.sagex3.graphql_model import TECHNICAL
from erp_sandbox.sagex3.graphql_order import Arguments, narrowed, ordered
from erp_sandbox.sagex3.model import EMPTY
from erp_sandbox.sagex3.odd_server import OddServer
from erp_sandbox.sagex3.store import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from erp_sandbox.sagex3.graphql_model import Model, NodeModel
    from erp_sandbox.sagex3.graphql_names import Property
    from erp_sandbox.sagex3.graphql_order import Order
    from erp_sandbox.sagex3.store import Store


@dataclass
class Reading:
    """One request's reading.

    Attributes:
        store: The rows.
        folder: The folder.
        model: The folder's nodes.
        cap: The most rows of a page.
        forbidden: Nodes that the user may not read.
        inactive: Nodes that are not activated.
        lag: Seconds after which a change can be seen.
        odd: What the server does beside the rules.
    """

    store: Store
    folder: str
    model: Model
    cap: int | None = None
    forbidden: Collection[str] = ()
    inactive: Collection[str] = ()
    lag: float = 0.0
    odd: OddServer = field(default_factory=OddServer)
    until: float | None = field(init=False)

    def __post_init__(self) -> None:
        self.until = time.time() - self.lag if self.lag else None

    def question(self, node: NodeModel) -> Question:
        """All rows of a node.

        Raises:
            PermissionError: If they may not be read.
        """
        self.check(node.name)
        return Question(self.folder, node.source, until=self.until)

    def check(self, name: str) -> None:
        """Refuse a node that may not be read.

        Raises:
            PermissionError: With what X3 says.
        """
        shown = name[:1].upper() + name[1:]
        if name in self.forbidden:
            raise PermissionError(f"You are not allowed to read {shown}.")
        if name in self.inactive:
            raise PermissionError(f"{shown}.read not activated")


class Row:
    """A row of a node.

    Attributes:
        key: Stored key; empty for a row that is not stored.
        doc: Its document.
        batch: Those that were read with it.
    """

    __slots__ = ("batch", "doc", "key")

    def __init__(self, key: str, doc: dict[str, Any], batch: Batch) -> None:
        self.key = key
        self.doc = doc
        self.batch = batch


class Batch:
    """Rows of one node that were read together, and what was read for all of them.

    Args:
        reading: The request's reading.
        node: Their node.
    """

    def __init__(self, reading: Reading, node: NodeModel) -> None:
        self.reading = reading
        self.node = node
        self.rows: list[Row] = []
        self._references: dict[str, dict[str, Row]] = {}
        self._children: dict[Any, dict[str, Page]] = {}
        self._elements: dict[str, dict[str, list[Row]]] = {}

    def row(self, key: str, doc: dict[str, Any]) -> Row:
        """Add a row."""
        found = Row(key, doc, self)
        self.rows.append(found)
        return found

    def reference(self, row: Row, given: Property) -> Row | None:
        """The row that one of the rows refers to; None where it refers to nothing."""
        if self.reading.odd.oddities:
            first = bool(self.rows) and row is self.rows[0]
            shown = self.node.shown_key(row.doc)
            self.reading.odd.check_reference(self.node.name, given.name, shown, first=first)
        values = self.node.key_values(given, row.doc)
        if values is None:
            return None
        target = self.reading.model.nodes.get(given.type)
        if target is None:
            return self._coded(given, values)
        found = self._references.get(given.name)
        if found is None:
            found = self._references[given.name] = self._referenced(given, target)
        return found[keys.stored(target.source.table, values)]

    def _coded(self, given: Property, values: list[Any]) -> Row:
        """A row of a node that has no table here: its key is all there is."""
        batch = Batch(self.reading, self.node)
        shown = keys.SHOWN_IN_GRAPHQL.join(str(value) for value in values)
        code = values[given.codes.index(given.decisive)]
        return batch.row("", {"_id": shown, "code": str(code)})

    def _referenced(self, given: Property, target: NodeModel) -> dict[str, Row]:
        table = target.source.table
        wanted: dict[str, list[Any]] = {}
        for row in self.rows:
            values = self.node.key_values(given, row.doc)
            if values is not None:
                wanted[keys.stored(table, values)] = values
        question = self.reading.question(target)
        batch = Batch(self.reading, target)
        if len(given.codes) < len(table.key):
            # part of a key, as a journal without its legislation: the first that begins so
            groups = self.reading.store.children(question, list(wanted))
            found = {key: rows[0] for key, rows in groups.items() if rows}
        else:
            found = self.reading.store.lookup(question, list(wanted))
        # X3 does not demand that what is referred to exists: then its key is all that is known of it
        empty = {
            key: (key, dict(zip(table.key, values, strict=False)))
            for key, values in wanted.items()
            if key not in found
        }
        return {key: batch.row(*pair) for key, pair in {**found, **empty}.items()}

    def elements(self, row: Row, given: Property) -> list[Row]:
        """The elements of a row's indexed fields that hold something, each as a row of its own."""
        found = self._elements.get(given.name)
        if found is None:
            found = self._elements[given.name] = {}
            # one batch for those of all rows, so that what they refer to is read at once
            batch = Batch(self.reading, self.node)
            for one in self.rows:
                docs = _element_docs(self.node, given, one.doc)
                found[one.key] = [batch.row(f"{one.key}~{doc['#']}", doc) for doc in docs]
        return found[row.key]

    def children(self, row: Row, node: NodeModel, arguments: Arguments) -> Page:
        """The rows of a collection of one of the rows."""
        asked = (node.name, arguments)
        found = self._children.get(asked)
        if found is None:
            found = self._children[asked] = self._all_children(node, arguments)
        return found[row.key]

    def _all_children(self, node: NodeModel, arguments: Arguments) -> dict[str, Page]:
        question = narrowed(self.reading.question(node), node, self.reading.model, arguments.filter)
        order = ordered(node, self.reading.model, arguments.order)
        question = order.applied(question)
        groups = self.reading.store.children(question, [row.key for row in self.rows])
        batch = Batch(self.reading, node)
        self.reading.odd.check_size(arguments.first)
        size = arguments.size(self.reading.odd.nested or self.reading.cap)
        return {
            parent: nested_page([batch.row(*pair) for pair in rows], size, arguments.after)
            for parent, rows in groups.items()
        }


def _element_docs(node: NodeModel, given: Property, doc: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Documents of the elements: their fields, their number from 1 and the key of the whole."""
    columns = []
    for code in given.codes:
        value = node.value(code, doc)
        columns.append(value if isinstance(value, list) else [value])
    stamps = {code: doc[code] for code in TECHNICAL if code in doc}
    nothing = [EMPTY[node.source.fields[code].type] for code in given.codes]
    for nth, values in enumerate(zip_longest(*columns), 1):
        held = [empty if value is None else value for value, empty in zip(values, nothing, strict=True)]
        if held != nothing:
            shown = node.shown_key(doc)
            place = {"#": nth, "id": shown, "_id": f"{shown}|{nth}"}
            yield {**stamps, **dict(zip(given.codes, held, strict=True)), **place}


@dataclass
class Page:
    """A page of a connection.

    Attributes:
        rows: Its rows.
        cursors: Their cursors.
        total: Counts all rows, when asked.
        has_next: Whether more follow.
        has_previous: Whether some come before.
    """

    rows: list[Row]
    cursors: list[str]
    total: Callable[[], int]
    has_next: bool
    has_previous: bool


def first_page(reading: Reading, node: NodeModel, arguments: Arguments) -> Page:
    """The rows that a node's ``query`` asks for.

    Raises:
        ArgumentError: If an argument cannot be read.
        PermissionError: If the node may not be read.
    """
    everything = narrowed(reading.question(node), node, reading.model, arguments.filter)
    order = ordered(node, reading.model, arguments.order)
    question = order.applied(everything)
    if arguments.after is not None:
        behind, values = order.behind(arguments.after)
        question = replace(question, behind=behind, behind_values=values)
    reading.odd.check_size(arguments.first)
    size = arguments.size(reading.cap)
    found = reading.store.page_with(question, order.columns, size + 1)
    batch = Batch(reading, node)
    rows = [batch.row(key, doc) for key, doc, _ in found[:size]]
    cursors = [_cursor(order, node, doc, values) for _, doc, values in found[:size]]
    return Page(
        rows, cursors, lambda: reading.store.count(everything), len(found) > size, arguments.after is not None
    )


def nested_page(rows: list[Row], size: int, after: str | None) -> Page:
    """A page of a collection whose rows are all there."""
    start = 0
    if after is not None:
        places = [nth for nth, row in enumerate(rows) if plain_cursor(row) == after]
        if not places:
            raise ArgumentError(f"Invalid cursor: {after}")
        start = places[0] + 1
    chosen = rows[start : start + size]
    total = len(rows)
    cursors = [plain_cursor(row) for row in chosen]
    return Page(chosen, cursors, lambda: total, start + size < total, start > 0)


def plain_cursor(row: Row) -> str:
    """The cursor of a row inside a collection: its key, whatever the order."""
    return sealed([row.doc.get("_id") or row.batch.node.shown_key(row.doc)], "nested")


def _cursor(order: Order, node: NodeModel, doc: dict[str, Any], values: tuple[Any, ...]) -> str:
    return order.cursor(node.shown_key(doc), values)
