"""The options of a list: ``count``, ``key``, ``where``, ``orderBy``; and the links that lead on from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.errors import refused
from erp_sandbox.sagex3.where import PredicateError, field_term, predicate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from erp_sandbox.sagex3.source import Source
    from erp_sandbox.sagex3.store import Question, Stored

DEFAULT_COUNT: Final = 20
#: Of the options, those that stay in a link, in the order that Sage's samples have.
_KEPT: Final = ("representation", "where", "orderBy")


@dataclass(frozen=True)
class Sort:
    """One property to sort by."""

    code: str
    descending: bool


@dataclass(frozen=True)
class Listing:
    """What a list was asked for.

    Attributes:
        asked: The ``count`` of the request.
        size: Rows of a page.
        sorts: Properties to sort by, before the key.
        position: Where the page begins, as it stands behind ``gt.`` or ``lt.``; None for the start.
        backwards: Whether the page ends there instead.
    """

    asked: int
    size: int
    sorts: tuple[Sort, ...]
    position: str | None
    backwards: bool

    def question(self, base: Question) -> Question:
        """The rows of the page, from its beginning; more than the page's may be read of it."""
        found = base
        if self.position is not None:
            condition, values = _behind(base.source, self.sorts, self.position, backwards=self.backwards)
            found = replace(base, behind=condition, behind_values=tuple(values))
        order = [
            f"{base.source.sql(sort.code)}{_way(sort.descending != self.backwards)}" for sort in self.sorts
        ]
        order.append(f"r.key{_way(self.backwards)}")
        return replace(found, order=", ".join(order))

    def place(self, source: Source, row: Stored) -> str:
        """A row's position, as it stands behind ``gt.``."""
        _, doc = row
        values = [str(doc.get(sort.code, source.fields[sort.code].empty)) for sort in self.sorts]
        return keys.STORED.join([*values, keys.shown(source.table, doc)])


def read_listing(options: Mapping[str, str], source: Source, cap: int | None) -> Listing:
    """Read the options.

    Args:
        options: The query string.
        source: The rows.
        cap: The most rows of a page.

    Raises:
        Refused: If one of them makes no sense.
    """
    text = options.get("count", str(DEFAULT_COUNT))
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise refused(400, f"Invalid count: {text}")
    asked = int(text)
    way, _, position = options.get("key", "").partition(".")
    if "key" in options and way not in ("gt", "lt"):
        raise refused(400, f"Invalid key: {options['key']}")
    sorts = _sorts(options.get("orderBy", ""), source)
    given = position if "key" in options else None
    return Listing(asked, min(asked, cap or asked), sorts, given, way == "lt")


def filtered(question: Question, text: str) -> Question:
    """The question with ``where``.

    Raises:
        Refused: If it cannot be read.
    """
    if not text.strip():
        return question
    try:
        term = predicate(text, question.source)
    except PredicateError as error:
        raise refused(400, str(error)) from error
    bounds = keys.bounds(question.source.table, term.demanded)
    return question.narrowed(term.sql, term.values).narrowed(*bounds)


def link(address: str, options: Mapping[str, str], **more: str) -> dict[str, str]:
    """A link to a page.

    Args:
        address: Address of the class.
        options: Options of the request; those that page are left out.
        **more: Those of the link.
    """
    given = [(name, options[name]) for name in _KEPT if name in options] + list(more.items())
    # a dollar, a dot and a tilde stand in X3's links as they are
    query = "&".join(f"{name}={quote(value, safe='$.~')}" for name, value in given)
    return {"$url": f"{address}?{query}", "$type": "application/json"}


def _sorts(text: str, source: Source) -> tuple[Sort, ...]:
    found = []
    for given in re.split("[,;]", text):
        words = given.split()
        if not words:
            continue
        way = words[1].lower() if len(words) > 1 else "asc"
        if way not in ("asc", "desc") or len(words) > 2:  # noqa: PLR2004 - a property and its direction
            raise refused(400, f"Invalid orderBy: {given.strip()}")
        try:
            field_term(words[0], source)
        except PredicateError as error:
            raise refused(400, str(error)) from error
        found.append(Sort(words[0], way == "desc"))
    by_key = tuple(sort.code for sort in found) == source.table.key and not any(s.descending for s in found)
    return () if by_key else tuple(found)


def _behind(
    source: Source, sorts: tuple[Sort, ...], position: str, *, backwards: bool
) -> tuple[str, list[Any]]:
    """SQL of what lies behind a position: the next value of the first property, or the same and so on."""
    parts = position.split(keys.STORED, len(sorts))
    if len(parts) <= len(sorts):
        raise refused(400, f"Invalid key: {position}")
    condition = f"r.key {'<' if backwards else '>'} ?"
    values: list[Any] = [keys.read(source.table, parts[-1])]
    for sort, part in reversed(list(zip(sorts, parts, strict=False))):
        sql, sign = source.sql(sort.code), "<" if sort.descending != backwards else ">"
        value = _number(source.fields[sort.code].type, part)
        # the first bound says nothing new, but an index can be entered by it
        condition = f"{sql} {sign}= ? AND ({sql} {sign} ? OR ({sql} = ? AND {condition}))"
        values = [value, value, value, *values]
    return condition, values


def _number(kind: str, text: str) -> Any:
    try:
        return float(text) if kind == "n" else int(text) if kind in "imy" else text
    except ValueError as error:
        raise refused(400, f"Invalid key: {text}") from error


def _way(descending: bool) -> str:
    return " DESC" if descending else ""
