"""Where fakesnow reads a statement otherwise than Snowflake does, corrected for the whole process."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import fakesnow.server as fakesnow_server
from fakesnow import transforms
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp

from erp_sandbox.snowflake.cursor import correct_execution
from erp_sandbox.snowflake.grammar import REMEMBERED, SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

_INTEGERS = (exp.DataType.Type.INT, exp.DataType.Type.SMALLINT, exp.DataType.Type.TINYINT)
_WHOLE = ["38", "0"]
_TEXT_LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)


def _integers(expression: exp.Expr) -> exp.Expr:
    """Snowflake's integers have 38 digits; fakesnow's have 64 bits."""
    if isinstance(expression, exp.DataType) and (
        expression.this in _INTEGERS
        or (expression.this == exp.DataType.Type.DECIMAL and not expression.expressions)
    ):
        return exp.DataType.build(f"DECIMAL({', '.join(_WHOLE)})")
    return expression


def _sums(original: Callable[[exp.Expr], exp.Expr]) -> Callable[[exp.Expr], exp.Expr]:
    """SUM of numbers is a number; fakesnow sums doubles, for the sake of texts that hold numbers."""

    def read(expression: exp.Expr) -> exp.Expr:
        if not isinstance(expression, exp.Sum):
            return original(expression)
        if isinstance(expression.parent, exp.Select):
            name = f"SUM({expression.this.sql(dialect='snowflake').upper()})"
            return exp.alias_(expression, name, quoted=True)
        return expression

    return read


def _schemas(original: Callable[[exp.Expr, str | None], exp.Expr]) -> Callable[..., exp.Expr]:
    """SHOW SCHEMAS LIKE gives those of the pattern; fakesnow gives all."""

    def read(expression: exp.Expr, database: str | None) -> exp.Expr:
        like = expression.args.get("like") if isinstance(expression, exp.Show) else None
        found = original(expression, database)
        if found is expression or not isinstance(found, exp.Select) or like is None:
            return found
        return found.where(exp.ILike(this=exp.column("name"), expression=like.copy()))

    return read


_CHANGES = {"MERGE": exp.Merge, "INSERT": exp.Insert, "UPDATE": exp.Update, "DELETE": exp.Delete}


def _kind_of(read: Callable[[str], exp.Expr]) -> Callable[[str], exp.Expr]:
    """The server of fakesnow only asks what kind of statement it is, before that is read to be run."""
    remembered = lru_cache(REMEMBERED)(read)

    def kind_of(sql: str) -> exp.Expr:
        change = _CHANGES.get(sql[:16].split(maxsplit=1)[0].upper() if sql.strip() else "")
        if change is not None:
            return change()
        return remembered(sql) if len(sql) <= SHORT else read(sql)

    return kind_of


def correct_dialect() -> None:
    """Correct fakesnow's transformations; to be called once."""
    fakesnow_server.parse_one = _kind_of(fakesnow_server.parse_one)
    correct_execution()
    transforms.integer_precision = _integers
    transforms.numeric_agg_implicit_cast = _sums(transforms.numeric_agg_implicit_cast)
    transforms.show_schemas = _schemas(transforms.show_schemas)
    inline = FakeSnowflakeCursor._inline_variables  # noqa: SLF001 - there is no public way in

    def variables(cursor: Any, sql: str) -> str:
        """A dollar inside a text names no variable: JSON schemas have a ``$schema``."""
        if "$" not in _TEXT_LITERAL.sub("''", sql):
            return sql
        found: str = inline(cursor, sql)
        return found

    FakeSnowflakeCursor._inline_variables = variables  # noqa: SLF001
