r"""The language of ``readByQuery``: SQL-like conditions over stored codes (reference section 2.2).

Operators ``< > >= <= = <>``, ``like``, ``not like``, ``in``, ``not in``, ``is null``, ``is not null``,
``and``, ``or``, ``not``; texts in single quotes, a quote inside as ``\'``; no ORDER BY.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.errors import generic
from erp_sandbox.intacct.query import field_of
from erp_sandbox.intacct.store import expression

if TYPE_CHECKING:
    from erp_sandbox.intacct.model import Field, ObjectType
    from erp_sandbox.intacct.values import Notation

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<mark><=|>=|<>|!=|[<>=(),])|(?P<word>[\w.\-/:]+))", re.DOTALL
)
_COMPARED: Final = ("<=", ">=", "<>", "!=", "<", ">", "=")


def condition(kind: ObjectType, text: str, notation: Notation) -> tuple[str, list[Any]]:
    """A query string as SQL with its parameters; an empty one asks for all.

    Raises:
        GatewayError: If it cannot be read.
    """
    if not text.strip():
        return "", []
    reader = _Reader(kind, text, notation)
    found = reader.either()
    if not reader.at_end:
        raise generic(f"Unexpected '{reader.next}' in the query")
    return found, reader.values


class _Reader:
    """Reads one query string from left to right."""

    def __init__(self, kind: ObjectType, text: str, notation: Notation) -> None:
        self._kind = kind
        self._notation = notation
        self._tokens = list(_tokens(text))
        self._place = 0
        self.values: list[Any] = []

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._place >= len(self._tokens)

    @property
    def next(self) -> str:
        """The token that comes."""
        return "" if self.at_end else self._tokens[self._place]

    def either(self) -> str:
        """Conditions with ``or`` between them."""
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return " OR ".join(f"({part})" for part in parts)

    def _both(self) -> str:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return " AND ".join(f"({part})" for part in parts)

    def _one(self) -> str:
        if self._takes("not"):
            return f"NOT ({self._one()})"
        if self._takes("("):
            inside = self.either()
            self._must(")")
            return inside
        field = field_of(self._kind, self._word())
        path = expression(field)
        negated = "NOT " if self._takes("not") else ""
        if self._takes("like"):
            pattern = self._word().replace("*", "[*]").replace("?", "[?]").replace("%", "*").replace("_", "?")
            self.values.append(pattern)
            return f"{path} {negated}GLOB ?"
        if self._takes("in"):
            return f"{path} {negated}IN ({self._list(field)})"
        if self._takes("is"):
            negated = "NOT " if self._takes("not") else ""
            self._must("null")
            return f"{path} IS {negated}NULL"
        mark = next((mark for mark in _COMPARED if self._takes(mark)), None)
        if mark is None:
            raise generic(f"Unexpected '{self.next}' in the query")
        self.values.append(self._value(field))
        return f"{path} {'<>' if mark == '!=' else mark} ?"

    def _list(self, field: Field) -> str:
        self._must("(")
        count = 1
        self.values.append(self._value(field))
        while self._takes(","):
            self.values.append(self._value(field))
            count += 1
        self._must(")")
        return ", ".join("?" * count)

    def _value(self, field: Field) -> Any:
        return self._notation.read(field, self._word(), codes=True)

    def _word(self) -> str:
        token = self.next
        if not token or token in ("(", ")", ",", *_COMPARED):
            raise generic(f"Unexpected '{token}' in the query")
        self._place += 1
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        return token

    def _takes(self, token: str) -> bool:
        if self.next.lower() == token:
            self._place += 1
            return True
        return False

    def _must(self, token: str) -> None:
        if not self._takes(token):
            raise generic(f"'{token}' is missing in the query")


def _tokens(text: str) -> list[str]:
    found = []
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise generic(f"Unexpected '{text[place:].strip()[:20]}' in the query")
        found.append(match[0].strip())
        place = match.end()
    return found
