"""Snowflake's SQL as a tree whose conversions keep the arguments that were written.

sqlglot reads ``TO_DATE(x, 'YYYY-MM-DD')`` into a node of its own with another format language; what a format
takes and refuses can only be told from Snowflake's.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokenizer_core import TokenType

from erp_sandbox.snowflake.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

CONVERSIONS = frozenset(
    {
        "TO_NUMBER",
        "TO_DECIMAL",
        "TO_NUMERIC",
        "TO_DOUBLE",
        "TO_BOOLEAN",
        "TO_DATE",
        "TO_TIME",
        "TO_TIMESTAMP",
        "TO_TIMESTAMP_TZ",
        "TO_TIMESTAMP_LTZ",
        "TO_TIMESTAMP_NTZ",
        "TO_BINARY",
        "TO_VARCHAR",
        "TO_CHAR",
    }
)


_OURS = "ML_AS_WRITTEN_"
"""What a conversion begins with while it is read, so that sqlglot takes it for a function it does not know.

A parser of our own would be plainer, but nothing may inherit from sqlglot's compiled one.
"""
SHORT = 8_000
"""Characters of a statement that is worth remembering: clients send some of them again and again."""
REMEMBERED = 1_000


def parse(sql: str) -> exp.Expr:
    """Read one statement.

    Raises:
        ParseError: If it is none.
    """
    return _remembered(sql).copy() if len(sql) <= SHORT else _parse(sql)


@lru_cache(REMEMBERED)
def _remembered(sql: str) -> exp.Expr:
    return _parse(sql)


def _parse(sql: str) -> exp.Expr:
    logger = logging.getLogger("sqlglot")
    level = logger.level
    logger.setLevel(logging.ERROR)  # "contains unsupported syntax": what to do with it is decided later
    dialect = Snowflake()
    try:
        tokens = dialect.tokenize(sql)
        has_conversions = _hide(tokens)
        found = [each for each in dialect.parser().parse(tokens, sql) if each is not None]
    finally:
        logger.setLevel(level)
    if has_conversions:
        for statement in found:
            _show(statement)
    if len(found) != 1 or isinstance(found[0], exp.Semicolon):
        found = [each for each in found if not isinstance(each, exp.Semicolon)]
    if len(found) != 1:
        raise Refusal(
            "000008",
            "0A000",
            f"Actual statement count {len(found)} did not match the desired statement count 1.",
        )
    return found[0]


def _hide(tokens: Sequence[Token]) -> bool:
    """Rename conversions, and say whether there are any."""
    found = False
    for token, following in pairwise(tokens):
        called = following.token_type is TokenType.L_PAREN and token.token_type is not TokenType.IDENTIFIER
        if called and token.text.upper() in CONVERSIONS:
            token.text = _OURS + token.text
            found = True
    return found


def _show(statement: exp.Expr) -> None:
    for call in statement.find_all(exp.Anonymous):
        if isinstance(call.this, str) and call.this.startswith(_OURS):
            call.set("this", call.this.removeprefix(_OURS))


def bound(statement: exp.Expr, values: Sequence[Any] | None) -> dict[str, Any]:
    """Name the placeholders, as a tree that is turned round does not keep their order.

    Args:
        statement: The statement, which is changed.
        values: One value a placeholder.

    Returns:
        The values by their names.
    """
    marks = [mark for mark in statement.find_all(exp.Placeholder, bfs=False) if not mark.this]
    named = {}
    for place, (mark, value) in enumerate(zip(marks, values or (), strict=False), 1):
        mark.set("this", f"bound_{place}")
        named[f"bound_{place}"] = value
    return named


def used(sql: str, named: dict[str, Any]) -> dict[str, Any] | None:
    """The values that a text of DuckDB's mentions: it refuses others."""
    found = {name: value for name, value in named.items() if f"${name}" in sql}
    return found or None
