"""``filter`` of a query as SQL: JSON5 objects with operators, nested references, quantified collections."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import json5

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.errors import ArgumentError
from erp_sandbox.sagex3.graphql_scalars import YES, read_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from erp_sandbox.sagex3.graphql_model import Model, NodeModel
    from erp_sandbox.sagex3.graphql_names import Property
    from erp_sandbox.sagex3.source import Source

#: A condition: SQL and its parameters.
Condition = tuple[str, tuple[Any, ...]]
ALWAYS: Final[Condition] = ("1", ())
_SIGNS: Final = {"_eq": "=", "_ne": "<>", "_gt": ">", "_gte": ">=", "_lt": "<", "_lte": "<="}
_LISTS: Final = {"_in": "IN", "_nin": "NOT IN"}
_LOGICAL: Final = ("_and", "_or", "_not")
_COMPARING: Final = {*_SIGNS, *_LISTS, "_regex", "_options"}
_QUANTIFIERS: Final = ("_atLeast", "_atMost", "_every", "_none")
_AND, _OR = " AND ", " OR "


class NotHereError(Exception):
    """A field that a scope does not have."""


class Scope:
    """Where the fields of a node are found in SQL.

    Attributes:
        alias: Alias of the row; empty where there is none.
    """

    alias = ""

    def sql(self, code: str, index: int = 0) -> str:
        """A field.

        Raises:
            NotHereError: If it is not to be had here.
        """
        raise NotImplementedError


class RowScope(Scope):
    """The fields of a row.

    Args:
        source: Its source.
        alias: Its alias.
    """

    def __init__(self, source: Source, alias: str) -> None:
        self._source = source
        self.alias = alias

    def sql(self, code: str, index: int = 0) -> str:
        """A field of the row."""
        if code not in self._source.fields:
            raise ArgumentError(f"'{code}' cannot be used in a nested condition")
        return self._source.sql(code, self.alias, index)


class KeyScope(Scope):
    """The key of what a row refers to, taken from the row itself, so that nothing has to be looked up.

    Args:
        parts: SQL of the key's fields, by code.
    """

    def __init__(self, parts: Mapping[str, str]) -> None:
        self._parts = parts

    def sql(self, code: str, index: int = 0) -> str:  # noqa: ARG002 - keys have no index
        """A field of the key."""
        if code not in self._parts:
            raise NotHereError(code)
        return self._parts[code]


@lru_cache(maxsize=512)
def parse(text: str) -> Any:
    """A filter or an order as a value; JSON where it is some, as that is read faster.

    Raises:
        ArgumentError: If it is neither JSON nor JSON5.
    """
    try:
        return json.loads(text)
    except ValueError:
        try:
            return json5.loads(text)
        except ValueError as error:
            raise ArgumentError(f"Cannot parse {text}: {error}") from error


class FilterCompiler:
    """Makes conditions of filters.

    Args:
        model: The folder's nodes.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._names = (f"x{nth}" for nth in count(1))

    def condition(self, node: NodeModel, scope: Scope, given: Any) -> Condition:
        """A filter on a node; an array means all of its members.

        Raises:
            ArgumentError: If it cannot be read.
            NotHereError: If the scope does not have what it needs.
        """
        if isinstance(given, list):
            return _joined(_AND, [self.condition(node, scope, each) for each in given])
        if not isinstance(given, dict):
            raise ArgumentError(f"A filter is an object, not {given!r}")
        parts = []
        for key, value in given.items():
            name = _modern(key)
            if name in _LOGICAL:
                parts.append(_logical(name, value, lambda each: self.condition(node, scope, each)))
            else:
                parts.append(self._property(node, scope, name, value))
        return _joined(_AND, parts)

    def _property(self, node: NodeModel, scope: Scope, name: str, value: Any) -> Condition:
        given = find(node, name)
        if given.kind == "reference":
            return self._reference(scope, given, value)
        if given.kind == "collection":
            return self._quantified(scope, given, value)
        if given.name == "_id" and scope.alias:
            # a key compares as it is stored, in the index
            table = node.source.table
            return _compared(
                f"{scope.alias}.key",
                "Id",
                value,
                lambda text: keys.read(table, text, keys.SHOWN_IN_GRAPHQL),
                self.leaf(node, scope, given),
            )
        return _compared(self.leaf(node, scope, given), given.type, value)

    def leaf(self, node: NodeModel, scope: Scope, given: Property) -> str:
        """SQL of a leaf.

        Raises:
            ArgumentError: If it is no leaf, or stands for no field.
        """
        if given.name == "_id":
            table = node.source.table
            columns = {code: scope.sql(code) for code in table.key}
            return f"({keys.expression(table, table.key, columns, keys.SHOWN_IN_GRAPHQL)})"
        if given.kind != "leaf" or not given.codes:
            raise ArgumentError(f"Property '{given.name}' can be neither filtered nor sorted by")
        sql = scope.sql(given.codes[0], given.index)
        if given.side:
            sign = "=" if given.side == "debit" else "<>"
            return f"(CASE WHEN {scope.sql('SNS')} {sign} 1 THEN {sql} ELSE 0 END)"
        # a menu has a third value where nothing was entered, which is no yes either
        return f"({sql} = {YES})" if given.type == "Boolean" else sql

    def parts(self, scope: Scope, given: Property) -> list[str]:
        """SQL of the parts of a reference's key.

        Raises:
            ArgumentError: If no field stands behind it.
        """
        if not given.codes:
            raise ArgumentError(f"Property '{given.name}' can be neither filtered nor sorted by")
        return [_quoted(code[1:]) if code.startswith("=") else scope.sql(code) for code in given.codes]

    def beyond(self, scope: Scope, given: Property, target: NodeModel) -> tuple[RowScope, str]:
        """The scope of what a reference refers to, and the end of a statement that looks it up."""
        alias = next(self._names)
        table = target.source.table
        columns = dict(zip(given.codes, self.parts(scope, given), strict=True))
        key = keys.expression(table, given.codes, columns, keys.STORED)
        exact = len(given.codes) == len(table.key)
        match = f"{alias}.key = {key}"
        if not exact:
            match = f"{alias}.key >= {key} || '~' AND {alias}.key < {key} || char(127)"
        rows = f"FROM sagex3_rows {alias} WHERE {alias}.folder = r.folder AND {alias}.tbl = '{table.name}'"
        return RowScope(target.flat, alias), f"{rows} AND {match}"

    def _reference(self, scope: Scope, given: Property, value: Any) -> Condition:
        parts = self.parts(scope, given)
        shown = f"({f' || {_quoted(keys.SHOWN_IN_GRAPHQL)} || '.join(parts)})"
        decisive = parts[given.codes.index(given.decisive)]
        if value is None:
            return f"({decisive} IN ('', 0))", ()

        def known(text: str) -> str:
            # the row may have the beginning of the key only, as a journal's without the legislation
            return keys.SHOWN_IN_GRAPHQL.join(text.split(keys.SHOWN_IN_GRAPHQL)[: len(parts)])

        if not isinstance(value, dict):
            whole, last = _compared(shown, "Id", value, known), _compared(decisive, "Id", value)
            return whole if len(parts) == 1 else _joined(_OR, [whole, last])
        if value and all(_modern(key) in _COMPARING for key in value):
            return _compared(shown, "Id", value, known)
        target = self._model.nodes.get(given.type)
        if target is None:
            return self._coded(given, shown, decisive, value)
        inner = dict(zip(target.source.table.key, parts, strict=False))
        try:
            return self.condition(target, KeyScope(inner), value)
        except NotHereError:
            beyond, rows = self.beyond(scope, given, target)
            sql, values = self.condition(target, beyond, value)
            return f"EXISTS (SELECT 1 {rows} AND {sql})", values

    def _coded(self, given: Property, shown: str, decisive: str, value: dict[str, Any]) -> Condition:
        columns = {"_id": shown, "code": decisive}
        unknown = value.keys() - columns.keys()
        if unknown:
            raise ArgumentError(f"Unknown property '{unknown.pop()}' of '{given.name}'")
        return _joined(_AND, [_compared(columns[name], "Id", wanted) for name, wanted in value.items()])

    def _quantified(self, scope: Scope, given: Property, value: Any) -> Condition:
        node = self._model.nodes[given.type]
        chosen = [key for key in _QUANTIFIERS if isinstance(value, dict) and key in value]
        if len(chosen) != 1 or not scope.alias:
            raise ArgumentError(f"Collection '{given.name}' needs one of {', '.join(_QUANTIFIERS)}")
        quantifier, alias = chosen[0], next(self._names)
        rest = {key: each for key, each in value.items() if key != quantifier}
        sql, values = self.condition(node, RowScope(node.flat, alias), rest)
        table = node.source.table.name
        rows = (
            f"FROM sagex3_rows {alias} WHERE {alias}.folder = r.folder AND {alias}.tbl = '{table}'"
            f" AND {alias}.key >= {scope.alias}.key || '~' AND {alias}.key < {scope.alias}.key || char(127)"
        )
        if quantifier in ("_every", "_none"):
            wanted = f"NOT {sql}" if quantifier == "_every" else sql
            negated = "NOT " if value[quantifier] else ""
            return f"({negated}EXISTS (SELECT 1 {rows} AND {wanted}))", values
        sign = ">=" if quantifier == "_atLeast" else "<="
        return f"((SELECT COUNT(*) {rows} AND {sql}) {sign} {int(value[quantifier])})", values


def find(node: NodeModel, name: str) -> Property:
    """A property by its name.

    Raises:
        ArgumentError: If there is none.
    """
    if name not in node.properties:
        raise ArgumentError(f"Unknown property '{name}' of {node.name}")
    return node.properties[name]


def _compared(
    sql: str,
    kind: str,
    value: Any,
    convert: Callable[[str], str] = str,
    shown: str = "",
) -> Condition:
    """A value compared: by an object of operators, or with what it shall be.

    Args:
        sql: The value.
        kind: Its type.
        value: What it is compared with.
        convert: Makes a key one that is stored, for values of the type Id.
        shown: The value as it is shown, for regular expressions, where that is not how it is stored.
    """

    def read(given: Any) -> Any:
        found = read_literal(kind, given)
        return convert(found) if kind == "Id" else found

    if not isinstance(value, dict):
        return f"({sql} = ?)", (read(value),)
    parts: list[Condition] = []
    for key, given in value.items():
        name = _modern(key)
        if name in _SIGNS:
            parts.append((f"({sql} {_SIGNS[name]} ?)", (read(given),)))
        elif name in _LISTS:
            if not isinstance(given, list):
                raise ArgumentError(f"{name} needs an array")
            marks = ", ".join("?" * len(given))
            parts.append((f"({sql} {_LISTS[name]} ({marks}))", tuple(read(each) for each in given)))
        elif name == "_regex":
            parts.append((f"({shown or sql} REGEXP ?)", (_pattern(given, value.get("_options", "")),)))
        elif name in _LOGICAL:
            parts.append(_logical(name, given, lambda each: _compared(sql, kind, each, convert, shown)))
        elif name != "_options":
            raise ArgumentError(f"Unknown operator '{key}'")
    return _joined(_AND, parts)


def _pattern(given: Any, options: Any) -> str:
    text = f"(?i){given}" if "i" in str(options) else str(given)
    try:
        re.compile(text)
    except re.error as error:
        raise ArgumentError(f"Invalid regular expression: {given}") from error
    return text


def _logical(name: str, value: Any, compile_one: Callable[[Any], Condition]) -> Condition:
    if name == "_not":
        sql, values = compile_one(value)
        return f"(NOT {sql})", values
    if not isinstance(value, list):
        raise ArgumentError(f"{name} needs an array")
    return _joined(_AND if name == "_and" else _OR, [compile_one(each) for each in value])


def _joined(word: str, parts: list[Condition]) -> Condition:
    if not parts:
        return ALWAYS
    sql = word.join(sql for sql, _ in parts)
    return f"({sql})", tuple(value for _, values in parts for value in values)


def _modern(key: str) -> str:
    """The oldest generation's ``$in`` as ``_in``."""
    return f"_{key[1:]}" if key.startswith("$") else key


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
