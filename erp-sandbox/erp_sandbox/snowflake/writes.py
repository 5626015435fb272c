"""INSERT, UPDATE, DELETE and MERGE: every value fits its column or the statement fails, as in Snowflake.

The results' columns: https://docs.snowflake.com/en/sql-reference/sql/insert, .../update, .../delete and
.../merge ("number of rows inserted", "updated", "deleted", of what the statement can do).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.compute as pc
from sqlglot import exp

from erp_sandbox.snowflake import catalog, duplicates, names, staged
from erp_sandbox.snowflake.fitting import fitted
from erp_sandbox.snowflake.grammar import used
from erp_sandbox.snowflake.plain import is_plain
from erp_sandbox.snowflake.plans import Plan
from erp_sandbox.snowflake.refusals import Refusal, compilation, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from erp_sandbox.snowflake.functions import Functions

WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)
_SOURCE = "temp.main._merged"


@dataclass
class Write:
    """One statement that changes rows.

    Attributes:
        cursor: fakesnow's cursor.
        statement: The statement, which is changed.
        named: The values of its placeholders.
        functions: The session's conversions.
        plan: What can be done again when the same text comes, once a MERGE has run.
    """

    cursor: Any
    statement: Any
    named: dict[str, Any]
    functions: Functions
    plan: Plan | None = None
    _repeating: list[str] | None = None

    def run(self) -> str:
        """Do it.

        Returns:
            A query of DuckDB's whose row is Snowflake's result.
        """
        target = self._target()
        name = names.whole(self._connection, target)
        if not names.exists(self._connection, name):
            raise not_found("Object", name.shown)
        columns = catalog.columns(self._connection, name)
        if isinstance(self.statement.args.get("expression"), exp.Values):
            _check_values(self.statement.args["expression"])
        staged.resolve(self._connection, self.statement)
        names.resolve(self._connection, self.statement)
        self.functions.replace(self.statement)
        if not is_plain(self.statement):
            self.statement = self.cursor._transform(self.statement, None)  # noqa: SLF001
        self.functions.create(self._duck)
        self._repeating = duplicates.settle(self.functions, self.statement, self._execute)
        self.functions.create(self._duck)
        kind = type(self.statement)
        return {exp.Insert: self._insert, exp.Update: self._update, exp.Merge: self._merge}.get(
            kind, self._delete
        )(columns)

    @property
    def _connection(self) -> Any:
        return self.cursor._conn  # noqa: SLF001

    @property
    def _duck(self) -> Any:
        return self.cursor._duck_conn  # noqa: SLF001 - there is no public way to the session's database

    def _target(self) -> exp.Table:
        target = self.statement.this
        table = target.this if isinstance(target, exp.Schema) else target
        if not isinstance(table, exp.Table):
            raise NotImplementedError(self.statement.sql(dialect="snowflake")[:300])
        return table

    def _execute(self, sql: str) -> Any:
        return self._duck.execute(sql, used(sql, self.named))

    def _count(self, sql: str) -> int:
        return int((self._execute(sql).fetchone() or (0,))[0])

    def _insert(self, columns: Sequence[catalog.Column]) -> str:
        statement = self.statement
        schema = statement.this if isinstance(statement.this, exp.Schema) else None
        listed = (
            [names.plain(each) for each in schema.expressions] if schema else [each.name for each in columns]
        )
        chosen = _chosen(columns, listed)
        query = statement.args.get("expression")
        if statement.args.get("with_"):
            query.set("with_", statement.args["with_"].pop())
        given = f"({_sql(query)})"
        types = [row[1] for row in self._execute(f"DESCRIBE SELECT * FROM {given} AS given").fetchall()]
        if len(types) != len(chosen):
            raise compilation(
                "002020",
                "21S01",
                f"Insert value list does not match column list expecting {len(chosen)} but got {len(types)}",
            )
        inputs = [f'given."in{place}"' for place in range(len(chosen))]
        values = [
            fitted(self.functions, kind, column, value)
            for kind, column, value in zip(types, chosen, inputs, strict=True)
        ]
        self.functions.create(self._duck)
        target = self._place()
        if statement.args.get("overwrite"):
            self._execute(f"DELETE FROM {target}")
        count = self._count(
            f"INSERT INTO {target} ({', '.join(names.quoted(column.name) for column in chosen)})"
            f" SELECT {', '.join(values)} FROM {given}"
            f" AS given({', '.join(each.partition('.')[2] for each in inputs)})"
        )
        return f'SELECT {count} AS "number of rows inserted"'

    def _place(self) -> str:
        table = self._target().copy()
        table.set("alias", None)
        return _sql(table)

    def _update(self, columns: Sequence[catalog.Column]) -> str:
        statement = self.statement
        sources = [statement.args["from_"].this] if statement.args.get("from_") else []
        around = ", ".join(_sql(each) for each in [statement.this, *sources])
        self._fit_assignments([statement], columns, around)
        count = self._count(_sql(statement))
        return f'SELECT {count} AS "number of rows updated", 0 AS "number of multi-joined rows updated"'

    def _delete(self, _columns: Sequence[catalog.Column]) -> str:
        return f'SELECT {self._count(_sql(self.statement))} AS "number of rows deleted"'

    def _fit_assignments(
        self, updates: Sequence[exp.Expr], columns: Sequence[catalog.Column], around: str
    ) -> None:
        """Fit the values of SET and of MERGE's INSERT to their columns."""
        pairs: list[tuple[catalog.Column, exp.Expr, Callable[[exp.Expr], Any]]] = []
        for update in updates:
            if isinstance(update, exp.Update):
                for each in update.expressions:
                    (column,) = _chosen(columns, [names.plain(each.this.this)])
                    each.this.set("table", None)  # DuckDB wants the bare column there
                    pairs.append((column, each.expression, each.expression.replace))
            elif isinstance(update, exp.Insert):
                named = [names.plain(each.this) for each in update.this.expressions] if update.this else None
                chosen = _chosen(columns, named or [column.name for column in columns])
                values = list(update.expression.expressions)
                if len(values) != len(chosen):
                    raise compilation("002020", "21S01", "Insert value list does not match column list")
                pairs += [
                    (column, value, value.replace) for column, value in zip(chosen, values, strict=True)
                ]
        if not pairs:
            return
        texts = [_sql(value) for _, value, _ in pairs]
        listed = ", ".join(f"{text} AS v{place}" for place, text in enumerate(texts))
        types = [row[1] for row in self._execute(f"DESCRIBE SELECT {listed} FROM {around}").fetchall()]
        for kind, text, (column, _, put) in zip(types, texts, pairs, strict=True):
            # written as it is: reading hundreds of columns anew would take longer than the statement
            put(exp.Var(this=fitted(self.functions, kind, column, text)))
        self.functions.create(self._duck)

    def _merge(self, columns: Sequence[catalog.Column]) -> str:
        statement = self.statement
        source = statement.args["using"]
        whens = statement.args["whens"].expressions
        prepare = None
        if not isinstance(source, exp.Table):
            # read once: the check below and the merge itself both need it
            prepare = f"CREATE OR REPLACE TEMPORARY TABLE {_SOURCE} AS SELECT * FROM {_sql(source)}"
            self._execute(prepare)
            made = exp.to_table(_SOURCE)
            made.set("alias", source.args.get("alias"))
            statement.set("using", made)
        try:
            around = f"{_sql(statement.this)}, {_sql(statement.args['using'])}"
            self._fit_assignments([when.args["then"] for when in whens], columns, around)
            check = self._nondeterministic(whens)
            sql = f"{_sql(statement)} RETURNING merge_action"
            plan = Plan(
                macros=dict(self.functions.macros),
                repeating=self._repeating or (),
                prepare=prepare,
                check=check,
                sql=sql,
                actions=frozenset(map(_action, whens)),
            )
            if self._repeating is not None:
                self.plan = plan
            return self._merged(plan)
        finally:
            self._drop_source()

    def again(self, plan: Plan) -> str | None:
        """Do what was read before.

        Args:
            plan: The statement in DuckDB's words.

        Returns:
            A query of DuckDB's whose row is Snowflake's result; None if it has to be read anew.
        """
        self.functions.macros.update(plan.macros)
        self.functions.create(self._duck)
        if any(duplicates.repeating(query, self._execute) for query in plan.repeating):
            return None
        try:
            if plan.prepare:
                self._execute(plan.prepare)
            return self._merged(plan)
        finally:
            self._drop_source()

    def _merged(self, plan: Plan) -> str:
        if plan.check:
            self._check_deterministic(plan.check)
        table = self._execute(plan.sql).to_arrow_table()
        counts = {each["values"]: each["counts"] for each in pc.value_counts(table.column(0)).to_pylist()}
        return "SELECT " + ", ".join(
            f'{counts.get(action, 0)} AS "number of rows {word}"'
            for action, word in (("INSERT", "inserted"), ("UPDATE", "updated"), ("DELETE", "deleted"))
            if action in plan.actions
        )

    def _drop_source(self) -> None:
        with suppress(duckdb.Error):
            self._duck.execute(f"DROP TABLE IF EXISTS {_SOURCE}")

    def _nondeterministic(self, whens: Sequence[exp.Expr]) -> str | None:
        """A query for a row that several rows would update, or that one updates and one deletes.

        https://docs.snowflake.com/en/sql-reference/sql/merge#nondeterministic-results-for-update-and-delete
        (ERROR_ON_NONDETERMINISTIC_MERGE is on by default).
        """
        matched = [when for when in whens if when.args.get("matched")]
        if not matched:
            return None
        statement = self.statement
        cases = " ".join(
            f"WHEN {_sql(when.args['condition']) if when.args.get('condition') else 'TRUE'}"
            f" THEN '{_action(when)}'"
            for when in matched
        )
        target = names.quoted(statement.this.alias_or_name)
        return (
            "SELECT t.* FROM"
            f" (SELECT hit FROM (SELECT {target}.rowid AS hit, CASE {cases} END AS action"
            f" FROM {_sql(statement.this)} JOIN {_sql(statement.args['using'])}"
            f" ON {_sql(statement.args['on'])}) WHERE action IS NOT NULL"
            " GROUP BY hit HAVING count(*) > 1 AND count(*) FILTER (action = 'UPDATE') > 0 LIMIT 1) h"
            f" JOIN {self._place()} t ON t.rowid = h.hit"
        )

    def _check_deterministic(self, check: str) -> None:
        """Refuse a row that several rows of the source would change."""
        if row := self._execute(check).fetchone():
            shown = ", ".join(repr(value) if isinstance(value, str) else str(value) for value in row)
            raise Refusal(
                "100090", "42P18", f"Duplicate row detected during DML action\nRow Values: [{shown}]"
            )


def _sql(tree: exp.Expr) -> str:
    # without a copy, which takes twice as long as the writing: the tree is this statement's own
    return str(tree.sql(dialect="duckdb", copy=False))


def _action(when: exp.Expr) -> str:
    then = when.args["then"]
    if isinstance(then, exp.Update):
        return "UPDATE"
    return "INSERT" if isinstance(then, exp.Insert) else "DELETE"


def _chosen(columns: Sequence[catalog.Column], listed: Sequence[str]) -> list[catalog.Column]:
    """The columns of the names; names differ by their case too."""
    known = {column.name: column for column in columns}
    for name in listed:
        if name not in known:
            raise compilation("000904", "42000", f"error line 1 at position 0\ninvalid identifier '{name}'")
    return [known[name] for name in listed]


def _check_values(values: exp.Values) -> None:
    """VALUES takes constants and simple expressions, and no semi-structured functions.

    https://docs.snowflake.com/en/user-guide/semistructured-considerations and the error that users quote.
    """
    for name, node in (("PARSE_JSON", exp.ParseJSON),):
        if found := values.find(node):
            shown = found.this.sql(dialect="snowflake")
            raise compilation("002014", "22000", f"Invalid expression [{name}({shown})] in VALUES clause")
