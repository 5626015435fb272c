"""Statements that DuckDB reads as Snowflake does: fakesnow's sixty passes over them would change nothing."""

from __future__ import annotations

from sqlglot import exp

_SAME = {
    exp.Alias, exp.And, exp.Boolean, exp.CTE, exp.Case, exp.Coalesce, exp.Column, exp.Count, exp.Delete,
    exp.Distinct, exp.EQ, exp.Except, exp.Exists, exp.FirstValue, exp.From, exp.GT, exp.GTE, exp.Group,
    exp.Having, exp.Identifier, exp.If, exp.In, exp.Insert, exp.Is, exp.Join, exp.LT, exp.LTE, exp.Lag,
    exp.LastValue, exp.Lead, exp.Limit, exp.Literal, exp.Max, exp.Merge, exp.Min, exp.NEQ, exp.Not,
    exp.Null, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Or, exp.Order, exp.Ordered, exp.Paren, exp.Placeholder,
    exp.Qualify, exp.RowNumber, exp.Schema, exp.Select, exp.Star, exp.Subquery, exp.Table, exp.TableAlias,
    exp.Tuple, exp.Union, exp.Update, exp.Var, exp.When, exp.Whens, exp.Where, exp.Window, exp.WindowSpec,
    exp.With,
}  # fmt: skip
_OURS = ("sf_", "list_extract", "json_unquoted", "unnest")


def is_plain(statement: exp.Expr) -> bool:
    """Whether a statement, its conversions replaced, needs no translation."""
    for node in statement.walk():
        if isinstance(node, exp.Anonymous):
            if not str(node.this).startswith(_OURS):
                return False
        elif type(node) not in _SAME:
            return False
    return True
