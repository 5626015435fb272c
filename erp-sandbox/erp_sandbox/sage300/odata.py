"""OData: system query options, and ``$filter`` turned into parameterised SQL.

The text is lexed and parsed by the ``odata-query`` library; here its tree becomes a WHERE condition over
``json_extract(doc, '$.Property')``. What the Web API does not document (arithmetic, lambdas, ``in``, date
functions) is refused with ``InvalidParameters``, never half answered.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from odata_query import ast, exceptions, grammar, visitor

from erp_sandbox.sage300.errors import ApiError
from erp_sandbox.sage300.model import INTEGER_TYPES

if TYPE_CHECKING:
    from erp_sandbox.sage300.model import EntitySet, Property

OPTIONS: Final = ("$filter", "$select", "$top", "$skip", "$count")

# ``substringof`` is OData v3, still documented by Sage; the library knows the functions of v4 only.
grammar.ODATA_FUNCTIONS.setdefault("substringof", 2)


class Lexer(grammar.ODataLexer):  # type: ignore[misc]  # the library's grammar is untyped
    """The library's lexer, with keywords ending at a word boundary.

    Without it ``AllowPartialShipments`` reads as the keyword ``all`` followed by ``owPartialShipments``.
    """

    tokens = grammar.ODataLexer.tokens

    # The library's functions still make the values of these tokens.
    ANY = r"any\b"
    ALL = r"all\b"
    NULL = r"null\b"
    BOOLEAN = r"(?:true|false)\b"


@dataclass(frozen=True)
class Condition:
    """A WHERE condition with its parameters.

    Attributes:
        sql: The condition over ``doc``.
        parameters: What is bound to its question marks.
        columns: The expressions it reads, without repetition and in alphabetical order, for an index.
    """

    sql: str
    parameters: tuple[Any, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """The system query options of one request, checked against the entity set.

    Attributes:
        select: The chosen properties in metadata order, or None for all.
        selected_text: The chosen names in the request's order, as ``@odata.context`` repeats them.
    """

    condition: Condition | None = None
    select: tuple[Property, ...] | None = None
    selected_text: str = ""
    top: int | None = None
    skip: int = 0
    count: bool = False


def parse_query(entity_set: EntitySet, query_string: str, *, lenient: bool = False) -> Query:
    """Read the query string of a collection request.

    Args:
        entity_set: The set that is asked.
        query_string: The raw query string.
        lenient: Ignore system options the Web API does not offer instead of refusing them.

    Returns:
        The checked options.

    Raises:
        ApiError: ``InvalidParameters`` for whatever is unknown or malformed.
    """
    options: dict[str, str] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        if not name.startswith("$"):
            continue
        if name not in OPTIONS:
            if lenient:
                continue
            raise _refused(f"The query option '{name}' is not supported")
        if name in options:
            raise _refused(f"The query option '{name}' is given more than once")
        options[name] = value
    select, selected_text = _select(entity_set, options.get("$select"))
    if options.get("$count", "false") not in {"true", "false"}:
        raise _refused("The value of $count must be true or false")
    return Query(
        condition=parse_filter(entity_set, options["$filter"]) if "$filter" in options else None,
        select=select,
        selected_text=selected_text,
        top=_number("$top", options.get("$top")),
        skip=_number("$skip", options.get("$skip")) or 0,
        count=options.get("$count") == "true",
    )


def parse_filter(entity_set: EntitySet, text: str) -> Condition:
    """Turn a ``$filter`` into SQL.

    Args:
        entity_set: The set whose properties the filter may name.
        text: The decoded filter.

    Returns:
        The condition over ``doc``.

    Raises:
        ApiError: ``InvalidParameters`` for unknown properties, operators, functions or mismatched types.
    """
    if not text.strip():
        raise _refused("The value of $filter is empty")
    try:
        tree = grammar.ODataParser().parse(Lexer().tokenize(text.strip()))
        compiler = _Compiler(entity_set)
        condition = compiler.condition(tree)
    except (exceptions.ODataException, ValueError) as error:
        raise _refused(f"The $filter is malformed: {error}") from error
    return replace(condition, columns=tuple(sorted(compiler.columns)))


def _select(entity_set: EntitySet, text: str | None) -> tuple[tuple[Property, ...] | None, str]:
    if text is None or text.strip() == "*":
        return None, ""
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in entity_set.by_name:
            raise _refused(f"$select names '{name}', which is not a property of {entity_set.name}")
    chosen = set(names)
    return tuple(prop for prop in entity_set.properties if prop.name in chosen), ",".join(names)


def _number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise _refused(f"The value of {name} must be a positive integer, not '{text}'")
    return int(text)


def _refused(message: str) -> ApiError:
    return ApiError("InvalidParameters", message)


@dataclass(frozen=True)
class _Operand:
    """One side of a comparison: SQL, parameters, and what kind of value it is.

    ``literal`` is the decoded literal, so that the other side's type can decide how to bind it.
    """

    kind: str
    sql: str = "?"
    parameters: tuple[Any, ...] = ()
    prop: Property | None = None
    literal: Any = None


_COMPARATORS: Final = {
    ast.Eq: "=",
    ast.NotEq: "IS NOT",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
}
_MIRRORED: Final = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
#: Records carry whole seconds, so a literal with a fraction lies between two of them.
_BETWEEN_SECONDS: Final = {">=": ">", "<": "<="}


class _Compiler(visitor.NodeVisitor):  # type: ignore[misc]  # the library is untyped
    """Walks the tree; every node it has no method for is refused."""

    def __init__(self, entity_set: EntitySet) -> None:
        self._set = entity_set
        self.columns: set[str] = set()

    def condition(self, node: Any) -> Condition:
        """Compile a node that must be true or false."""
        result = self.visit(node)
        if isinstance(result, Condition):
            return result
        if result.kind == "boolean" and result.prop is not None:
            return Condition(f"{result.sql} = 1")
        if result.kind == "boolean":
            return Condition("1" if result.literal else "0")
        raise _refused("The $filter is not a condition")

    def generic_visit(self, node: Any) -> Any:
        raise _refused(f"The $filter uses '{type(node).__name__}', which is not supported")

    def visit_BoolOp(self, node: ast.BoolOp) -> Condition:  # noqa: N802
        left, right = self.condition(node.left), self.condition(node.right)
        word = "AND" if isinstance(node.op, ast.And) else "OR"
        return Condition(f"({left.sql} {word} {right.sql})", left.parameters + right.parameters)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Condition | _Operand:  # noqa: N802
        if isinstance(node.op, ast.Not):
            inner = self.condition(node.operand)
            # In OData a comparison with null is false; in SQL it is unknown, which NOT leaves unknown.
            return Condition(f"NOT COALESCE({inner.sql}, 0)", inner.parameters)
        operand = self.visit(node.operand)
        if not isinstance(operand, _Operand) or operand.kind != "number" or operand.literal is None:
            raise _refused("A minus sign stands before something that is not a number")
        return _Operand("number", literal=-operand.literal)

    def visit_Compare(self, node: ast.Compare) -> Condition:  # noqa: N802
        operator = _COMPARATORS.get(type(node.comparator))
        if operator is None:
            raise _refused("The operator 'in' is not supported")
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(left, Condition) or isinstance(right, Condition):
            raise _refused("A condition cannot be compared with a value")
        if left.prop is None and right.prop is not None:
            left, right = right, left
            operator = _MIRRORED.get(operator, operator)
        return _compare(left, operator, right)

    def visit_Call(self, node: ast.Call) -> Condition | _Operand:  # noqa: N802
        name = node.func.full_name()
        if name == "length":
            text = self._text(node.args[0], name)
            return _Operand("number", f"length({text.sql})", text.parameters, prop=text.prop)
        if name not in {"startswith", "endswith", "contains", "substringof"}:
            raise _refused(f"The function '{name}' is not supported")
        left, right = (self._text(argument, name) for argument in node.args)
        whole, part = (right, left) if name == "substringof" else (left, right)
        if name in {"contains", "substringof"}:
            return Condition(f"instr({whole.sql}, {part.sql}) > 0", whole.parameters + part.parameters)
        if name == "startswith":
            sql = f"substr({whole.sql}, 1, length({part.sql})) = {part.sql}"
            return Condition(sql, whole.parameters + part.parameters * 2)
        sql = f"({part.sql} = '' OR substr({whole.sql}, -length({part.sql})) = {part.sql})"
        return Condition(sql, part.parameters + whole.parameters + part.parameters * 2)

    def visit_Identifier(self, node: ast.Identifier) -> _Operand:  # noqa: N802
        prop = self._set.by_name.get(node.full_name())
        if prop is None:
            raise _refused(f"'{node.full_name()}' is not a property of {self._set.name}")
        if prop.type == "Collection":
            raise _refused(f"Filtering on the details '{prop.name}' is not supported")
        self.columns.add(column(prop))
        return _Operand(_kind(prop), column(prop), prop=prop)

    def visit_String(self, node: ast.String) -> _Operand:  # noqa: N802
        return _Operand("string", literal=node.py_val)

    def visit_Integer(self, node: ast.Integer) -> _Operand:  # noqa: N802
        return _Operand("number", literal=node.py_val)

    def visit_Float(self, node: ast.Float) -> _Operand:  # noqa: N802
        # SQLite reads the document's decimals as doubles too, so equal texts compare equal.
        return _Operand("number", literal=node.py_val)

    def visit_Boolean(self, node: ast.Boolean) -> _Operand:  # noqa: N802
        return _Operand("boolean", literal=node.py_val)

    def visit_Null(self, _node: ast.Null) -> _Operand:  # noqa: N802
        return _Operand("null")

    def visit_DateTime(self, node: ast.DateTime) -> _Operand:  # noqa: N802
        moment = node.py_val
        if moment.tzinfo is None:
            raise _refused(f"The date-time {node.val} lacks its offset, for example a final Z")
        return _Operand("date", literal=moment.astimezone(dt.timezone.utc))

    def visit_Date(self, node: ast.Date) -> _Operand:  # noqa: N802
        midnight = dt.datetime.combine(node.py_val, dt.time(), tzinfo=dt.timezone.utc)
        return _Operand("date", literal=midnight)

    def _text(self, node: Any, function: str) -> _Operand:
        operand = self.visit(node)
        if not isinstance(operand, _Operand) or operand.kind != "string":
            raise _refused(f"The function '{function}' takes strings")
        if operand.prop is None:
            return _Operand("string", parameters=(operand.literal,))
        return operand


def column(prop: Property) -> str:
    """The SQL expression of a property; its name comes from the model, never from the request."""
    return f"json_extract(doc, '$.{prop.name}')"


def _kind(prop: Property) -> str:
    if prop.type in INTEGER_TYPES or prop.type == "Edm.Decimal":
        return "number"
    return {"Edm.Boolean": "boolean", "Edm.DateTimeOffset": "date", "Enum": "enum"}.get(prop.type, "string")


def _compare(left: _Operand, operator: str, right: _Operand) -> Condition:
    if right.kind == "null":
        return _compare_null(left, operator)
    if left.kind == "null" or not (left.kind == right.kind or (left.kind, right.kind) == ("enum", "string")):
        raise _refused(f"A {left.kind} cannot be compared with a {right.kind}")
    if right.literal is None and right.sql != "?":  # two properties or functions
        return Condition(f"{left.sql} {operator} {right.sql}", left.parameters + right.parameters)
    if left.prop is None:
        raise _refused("Two literals are compared with each other")
    value: Any = right.literal
    if right.kind == "date":
        if value.microsecond:
            if operator in {"=", "IS NOT"}:
                return Condition("0" if operator == "=" else "1")
            operator = _BETWEEN_SECONDS.get(operator, operator)
        value = value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if left.kind == "enum":
        value = _member(left.prop, value)
    return Condition(f"{left.sql} {operator} ?", (*left.parameters, value))


def _compare_null(left: _Operand, operator: str) -> Condition:
    if operator == "=":
        return Condition(f"{left.sql} IS NULL" if left.prop else "0", left.parameters)
    if operator == "IS NOT":
        return Condition(f"{left.sql} IS NOT NULL" if left.prop else "1", left.parameters)
    return Condition("0")


def _member(prop: Property, text: str) -> str:
    """The member a quoted number stands for; names pass as they are.

    Names outside the known members pass too and match nothing: the reference's lists are incomplete.
    """
    if text.lstrip("-").isdigit():
        return next((member for member in prop.members if prop.number_of(member) == int(text)), text)
    return text
