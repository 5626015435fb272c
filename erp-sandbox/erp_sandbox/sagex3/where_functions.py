"""The functions of SData 2.0's query language, as SQL of SQLite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Function:
    """A function.

    Attributes:
        takes: The kinds of its arguments, a letter each: ``s`` text, ``n`` number, ``d`` date or moment.
        gives: The kind of its value; ``b`` for truth.
        sql: SQL with its arguments by number.
    """

    takes: str
    gives: str
    sql: str


FUNCTIONS: Final[dict[str, Function]] = {
    "left": Function("sn", "s", "substr({0}, 1, {1})"),
    "right": Function("sn", "s", "substr({0}, -{1})"),
    "substring": Function("snn", "s", "substr({0}, {1}, {2})"),
    "lower": Function("s", "s", "lower({0})"),
    "upper": Function("s", "s", "upper({0})"),
    "trim": Function("s", "s", "trim({0})"),
    "ltrim": Function("s", "s", "ltrim({0})"),
    "rtrim": Function("s", "s", "rtrim({0})"),
    "length": Function("s", "n", "length({0})"),
    "concat": Function("ss", "s", "({0} || {1})"),
    "replace": Function("sss", "s", "replace({0}, {1}, {2})"),
    "locate": Function("ss", "n", "instr({1}, {0})"),
    "contains": Function("ss", "b", "(instr({0}, {1}) > 0)"),
    "startswith": Function("ss", "b", "(substr({0}, 1, length({1})) = {1})"),
    "endswith": Function("ss", "b", "(substr({0}, -length({1})) = {1})"),
    "abs": Function("n", "n", "abs({0})"),
    "sign": Function("n", "n", "sign({0})"),
    "round": Function("nn", "n", "round({0}, {1})"),
    "trunc": Function("n", "n", "CAST({0} AS INTEGER)"),
    "year": Function("d", "n", "CAST(substr({0}, 1, 4) AS INTEGER)"),
    "month": Function("d", "n", "CAST(substr({0}, 6, 2) AS INTEGER)"),
    "day": Function("d", "n", "CAST(substr({0}, 9, 2) AS INTEGER)"),
}
