"""``where`` of api1: the predicates of SData 2.0's query language as SQL (reference 1.2).

Precedence, from what binds most: member, unary, ``mul div mod``, ``+ -``, comparison, ``and``, ``or``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sagex3.where_functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from erp_sandbox.sagex3.source import Source

_TOKENS: Final = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | @(?P<date>[^@]*)@
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<name>\$?[A-Za-z_][A-Za-z0-9_]*(?:\.\$?[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<sign>[(),+\-*]|<=|>=|<>|!=|=|<|>)
    )""",
    re.VERBOSE,
)
_COMPARISONS: Final = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_PRODUCTS: Final = {"mul": "*", "div": "/", "mod": "%"}
_MOMENT_LENGTH: Final = 10


class PredicateError(ValueError):
    """A predicate that cannot be read; the message says where."""


@dataclass(frozen=True)
class Term:
    """A part of a predicate as SQL.

    Attributes:
        sql: With ``?``.
        values: Its parameters.
        kind: ``s`` text, ``n`` number, ``d`` date, ``t`` moment, ``b`` truth.
        of: The field, where it is one and no more.
        demanded: Values that fields must have for it to be true.
    """

    sql: str
    values: tuple[Any, ...]
    kind: str
    of: str = ""
    demanded: Mapping[str, Any] = field(default_factory=dict)


def predicate(text: str, source: Source) -> Term:
    """Read a predicate.

    Args:
        text: As it stands in ``where``.
        source: The rows it is about.

    Raises:
        PredicateError: If it cannot be read, or names a property that is not there.
    """
    parser = _Parser(_split(text), source)
    found = parser.either()
    if parser.left():
        raise PredicateError(f"Unexpected '{parser.left()}' in where")
    return _truth(found)


def field_term(name: str, source: Source) -> Term:
    """A property as SQL.

    Raises:
        PredicateError: If the facet has no such property, or it has an index.
    """
    found = source.fields.get(name)
    if found is None:
        raise PredicateError(f"Property '{name}' does not exist in the representation")
    if found.size:
        raise PredicateError(f"Property '{name}' is a collection")
    kind = {"i": "n", "m": "n", "y": "n", "u": "s"}.get(found.type, found.type)
    return Term(source.sql(name), (), kind, name)


def _split(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise PredicateError(f"Syntax error in where at position {at}: {text[at : at + 20]}")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        at = match.end()
    return found


class _Parser:
    """Recursive descent, one method for each level of precedence."""

    def __init__(self, tokens: Sequence[tuple[str, str]], source: Source) -> None:
        self._tokens = tokens
        self._at = 0
        self._source = source

    def left(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def either(self) -> Term:
        found = self._both()
        while self._word("or"):
            found = _joined("OR", _truth(found), _truth(self._both()))
        return found

    def _both(self) -> Term:
        found = self._negated()
        while self._word("and"):
            found = _joined("AND", _truth(found), _truth(self._negated()))
        return found

    def _negated(self) -> Term:
        if self._word("not"):
            inner = _truth(self._negated())
            return Term(f"(NOT {inner.sql})", inner.values, "b")
        return self._compared()

    def _compared(self) -> Term:
        found = self._sum()
        for word, sign in _COMPARISONS.items():
            if self._word(word) or self._sign(sign):
                return _comparison(sign, found, self._sum())
        if self._word("between"):
            low = self._sum()
            self._demand("and")
            above, below = _comparison(">=", found, low), _comparison("<=", found, self._sum())
            return _joined("AND", above, below)
        if self._word("in"):
            equal = [_comparison("=", found, one) for one in self._list()]
            sql = f"({' OR '.join(one.sql for one in equal)})"
            return Term(sql, tuple(value for one in equal for value in one.values), "b")
        if self._word("like"):
            pattern = self._sum()
            _demand_kind(found, "s", "like")
            return Term(f"({found.sql} LIKE {pattern.sql})", found.values + pattern.values, "b")
        return found

    def _sum(self) -> Term:
        found = self._product()
        while (sign := self._any_sign("+-")) is not None:
            found = _arithmetic(sign, found, self._product())
        return found

    def _product(self) -> Term:
        found = self._unary()
        while True:
            sign = next((sign for word, sign in _PRODUCTS.items() if self._word(word)), None)
            if sign is None and not self._sign("*"):
                return found
            found = _arithmetic(sign or "*", found, self._unary())

    def _unary(self) -> Term:
        if self._sign("-"):
            inner = self._unary()
            _demand_kind(inner, "n", "-")
            return Term(f"(-{inner.sql})", inner.values, "n")
        return self._primary()

    def _primary(self) -> Term:
        if self._sign("("):
            inner = self.either()
            self._demand(")")
            return Term(f"({inner.sql})", inner.values, inner.kind, demanded=inner.demanded)
        if self._at >= len(self._tokens):
            raise PredicateError("Unexpected end of where")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            quote = text[0]
            return Term("?", (text[1:-1].replace(quote * 2, quote),), "s")
        if kind == "number":
            return Term("?", (float(text) if "." in text else int(text),), "n")
        if kind == "date":
            return _moment(text)
        if kind == "name":
            return self._call(text) if self.left() == "(" else field_term(text, self._source)
        raise PredicateError(f"Unexpected '{text}' in where")

    def _call(self, name: str) -> Term:
        function = FUNCTIONS.get(name.lower())
        if function is None:
            raise PredicateError(f"Function '{name}' does not exist")
        given = self._list()
        if len(given) != len(function.takes):
            raise PredicateError(f"Function '{name}' takes {len(function.takes)} arguments")
        for argument, kind in zip(given, function.takes, strict=True):
            if kind != "d" or argument.kind not in "dt":
                _demand_kind(argument, kind, name)
        # an argument may stand twice in the SQL of a function, and so do its parameters
        order = [int(number) for number in re.findall(r"\{(\d)\}", function.sql)]
        values = tuple(value for number in order for value in given[number].values)
        return Term(function.sql.format(*(one.sql for one in given)), values, function.gives)

    def _list(self) -> list[Term]:
        self._demand("(")
        found: list[Term] = []
        while not self._sign(")"):
            if found:
                self._demand(",")
            found.append(self._sum())
        return found

    def _word(self, word: str) -> bool:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind == "name" and text.lower() == word:
                self._at += 1
                return True
        return False

    def _sign(self, sign: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign):
            self._at += 1
            return True
        return False

    def _any_sign(self, signs: str) -> str | None:
        return next((sign for sign in signs if self._sign(sign)), None)

    def _demand(self, text: str) -> None:
        if not (self._word(text) or self._sign(text)):
            raise PredicateError(f"'{text}' expected before '{self.left()}' in where")


def _moment(text: str) -> Term:
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError as error:
        raise PredicateError(f"'@{text}@' is no date") from error
    if len(text.strip()) == _MOMENT_LENGTH:
        return Term("?", (text.strip(),), "d")
    found = found.replace(tzinfo=found.tzinfo or timezone.utc).astimezone(timezone.utc)
    return Term("?", (found.strftime("%Y-%m-%dT%H:%M:%SZ"),), "t")


def _comparison(sign: str, left: Term, right: Term) -> Term:
    if {left.kind, right.kind} == {"d", "t"}:
        left, right = _as_moment(left), _as_moment(right)
    elif left.kind != right.kind:
        raise PredicateError(f"Values of different types compared in where: {left.kind} and {right.kind}")
    known: dict[str, Any] = {}
    if sign == "=" and left.of and right.sql == "?" and left.kind != "t":
        known[left.of] = right.values[0]
    return Term(f"({left.sql} {sign} {right.sql})", left.values + right.values, "b", demanded=known)


def _as_moment(term: Term) -> Term:
    """A date is the midnight it begins with."""
    return term if term.kind == "t" else Term(f"({term.sql} || 'T00:00:00Z')", term.values, "t")


def _arithmetic(sign: str, left: Term, right: Term) -> Term:
    for term in (left, right):
        _demand_kind(term, "n", sign)
    # SQLite divides integers without their rest
    divisor = f"CAST({right.sql} AS REAL)" if sign == "/" else right.sql
    return Term(f"({left.sql} {sign} {divisor})", left.values + right.values, "n")


def _joined(word: str, left: Term, right: Term) -> Term:
    known = {**left.demanded, **right.demanded} if word == "AND" else {}
    return Term(f"({left.sql} {word} {right.sql})", left.values + right.values, "b", demanded=known)


def _truth(term: Term) -> Term:
    _demand_kind(term, "b", "where")
    return term


def _demand_kind(term: Term, kind: str, what: str) -> None:
    if term.kind != kind:
        raise PredicateError(f"A value of the wrong type for '{what}'")
