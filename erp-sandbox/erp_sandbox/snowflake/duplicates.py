"""``PARSE_JSON(x, 'd')``: of a key that comes twice in an object the last value stays.

https://docs.snowflake.com/en/sql-reference/functions/parse_json: the parameter ``d`` allows duplicate keys.
DuckDB's JSON keeps both, so texts with such keys are looked up beforehand and written anew, digit by digit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from erp_sandbox.snowflake.functions import duplicated

if TYPE_CHECKING:
    from collections.abc import Callable

    from erp_sandbox.snowflake.functions import Functions

_TABLE = "_without_duplicates"


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def settle(functions: Functions, tree: exp.Expr, execute: Callable[[str], Any]) -> list[str] | None:
    """Give a statement's JSON texts without their repeated keys.

    Args:
        functions: The session's conversions.
        tree: The statement in DuckDB's words, which is changed.
        execute: Runs a statement of DuckDB's with the values that belong to it.

    Returns:
        The queries that found no such text; None if there were some.
    """
    made = set(functions.macros)
    name = functions.json(duplicates=True)
    if name not in made:
        return []
    calls = [call for call in tree.find_all(exp.Anonymous) if str(call.this) == name]
    queries = [query for call in calls if (query := _query(call)) is not None]
    texts = {text for query in queries for text in repeating(query, execute)}
    if not texts:
        return queries
    execute(f"CREATE OR REPLACE TEMPORARY TABLE {_TABLE} (before VARCHAR, after VARCHAR)")
    for text in sorted(texts):
        written = _written(json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number))
        pair = ", ".join(exp.Literal.string(each).sql(dialect="duckdb") for each in (text, written))
        execute(f"INSERT INTO {_TABLE} VALUES ({pair})")
    once = functions.json_once(_TABLE)
    for call in calls:
        call.set("this", once)
    return None


def repeating(query: str, execute: Callable[[str], Any]) -> list[str]:
    """The texts that a query of :func:`settle` finds.

    Args:
        query: The query.
        execute: Runs a statement of DuckDB's with the values that belong to it.
    """
    try:
        return [row[0] for row in execute(query).fetchall()]
    except duckdb.BinderException as error:
        raise NotImplementedError("PARSE_JSON(x, 'd') of a correlated value") from error


def _query(call: exp.Anonymous) -> str | None:
    """A query of the texts with repeated keys that a call will meet."""
    select = call.find_ancestor(exp.Select)
    if select is None:
        return None
    query = exp.select(exp.alias_(call.expressions[0].copy(), "text"))
    for part in ("from_", "joins", "laterals"):
        if select.args.get(part):
            query.set(part, _copied(select.args[part]))
    inner = query.sql(dialect="duckdb")
    return f"SELECT DISTINCT text FROM ({inner}) WHERE json_valid(text) AND {duplicated('text')}"


def _copied(part: Any) -> Any:
    return [each.copy() for each in part] if isinstance(part, list) else part.copy()


def _written(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)
