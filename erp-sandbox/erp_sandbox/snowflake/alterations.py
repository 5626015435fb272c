"""ALTER TABLE, within https://docs.snowflake.com/en/sql-reference/sql/alter-table-column's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from erp_sandbox.snowflake import catalog, names, parameters
from erp_sandbox.snowflake.kinds import declared, stored
from erp_sandbox.snowflake.refusals import Refusal, already_exists, compilation, not_found
from erp_sandbox.snowflake.reserved import check_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erp_sandbox.snowflake.names import Name


@dataclass
class Alteration:
    """Changes to one table.

    Attributes:
        cursor: fakesnow's cursor.
        name: The table.
    """

    cursor: Any
    name: Name

    @property
    def _connection(self) -> Any:
        return self.cursor._conn  # noqa: SLF001

    @property
    def _place(self) -> str:
        return names.place(self._connection, self.name)

    def _alter(self, what: str) -> None:
        self.cursor._duck_conn.execute(f"ALTER TABLE {self._place} {what}")  # noqa: SLF001

    def run(self, actions: Sequence[exp.Expr]) -> None:
        """Do them, one after the other."""
        for action in actions:
            self._do(action)

    def _do(self, action: Any) -> None:  # noqa: C901 - a table of actions
        match action:
            case exp.ColumnDef():
                self.add(action)
            case exp.Drop():
                for column in action.args["tables"]:
                    self.drop(names.plain(column.this), may_lack=bool(action.args.get("exists")))
            case exp.RenameColumn():
                self.rename_column(names.plain(action.this.this), names.plain(action.args["to"].this))
            case exp.AlterColumn():
                self.change(action)
            case exp.AddConstraint():
                self.add_constraint(action)
            case exp.AlterRename():
                self.rename(names.whole(self._connection, action.this))
            case exp.SwapTable():
                self.swap(names.whole(self._connection, action.this))
            case exp.AlterSet():
                self._set(action)
            case exp.Cluster() | exp.ClusterProperty():
                listed = ", ".join(each.sql(dialect="snowflake") for each in action.expressions)
                self._note(cluster=f"LINEAR({listed})")
            case exp.Command():
                self._command(action)
            case _:
                raise NotImplementedError(f"ALTER TABLE ... {action.sql(dialect='snowflake')}")

    def _set(self, action: exp.AlterSet) -> None:
        comment = action.find(exp.SchemaCommentProperty)
        if comment is not None:
            self._note(comment=comment.this.name)
        elif not str(action.sql(dialect="snowflake")).upper().startswith("SET DATA_RETENTION"):
            raise NotImplementedError(f"ALTER TABLE ... {action.sql(dialect='snowflake')}")

    def _command(self, action: exp.Command) -> None:
        words = f"{action.this} {action.expression}".upper().split()
        if words == ["DROP", "PRIMARY", "KEY"]:
            self.drop_key()
        elif words == ["DROP", "CLUSTERING", "KEY"]:
            self._note(cluster="")
        else:
            raise NotImplementedError(f"ALTER TABLE ... {action.sql(dialect='snowflake')}")

    def _note(self, **changed: Any) -> None:
        about = catalog.about(self._connection, self.name)
        for key, value in changed.items():
            setattr(about, key, value)
        catalog.note_table(self._connection, self.name, about)

    def _column(self, name: str) -> catalog.Column:
        for column in catalog.columns(self._connection, self.name):
            if column.name == name:
                return column
        raise compilation("000904", "42000", f"error line 1 at position 0\ninvalid identifier '{name}'")

    def add(self, definition: exp.ColumnDef) -> None:
        """ADD COLUMN."""
        # here and not above: tables.py begins alterations
        from erp_sandbox.snowflake.tables import column_of  # noqa: PLC0415

        column = column_of(self._connection, definition)
        known = {each.name for each in catalog.columns(self._connection, self.name)}
        if column.name in known:
            if definition.args.get("exists"):
                return
            raise compilation("001430", "42601", f"column '{column.name}' already exists")
        if any(column.name.lower() == each.lower() for each in known):
            raise NotImplementedError(f"Columns that differ by the case of {column.name} only")
        if not column.nullable and column.default is None and self._has_rows():
            # https://docs.snowflake.com/en/sql-reference/sql/alter-table-column (usage notes); code inferred
            raise compilation(
                "002028",
                "42601",
                f"Non-nullable column '{column.name}' cannot be added to non-empty table '{self.name.table}'"
                " unless it has a non-null default value.",
            )
        default = f" DEFAULT {column.default}" if column.default else ""
        self._alter(f"ADD COLUMN {names.quoted(column.name)} {column.stored}{default}")
        if not column.nullable:
            self._alter(f"ALTER COLUMN {names.quoted(column.name)} SET NOT NULL")
        catalog.note_column(self._connection, self.name, column.name, column.declared, column.comment)

    def _has_rows(self) -> bool:
        return self.cursor._duck_conn.execute(f"SELECT 1 FROM {self._place} LIMIT 1").fetchone() is not None  # noqa: SLF001

    def drop(self, name: str, *, may_lack: bool) -> None:
        """DROP COLUMN."""
        columns = [column.name for column in catalog.columns(self._connection, self.name)]
        if name not in columns and may_lack:
            return
        self._column(name)
        if len(columns) == 1:
            raise compilation("002030", "42601", "Cannot drop the only column of a table.")  # code inferred
        self._alter(f"DROP COLUMN {names.quoted(name)}")
        about = catalog.about(self._connection, self.name)
        if name in about.key:
            self._note(key=[])

    def rename_column(self, name: str, new: str) -> None:
        """RENAME COLUMN."""
        column = self._column(name)
        check_column(new)
        if new != name and new in {each.name for each in catalog.columns(self._connection, self.name)}:
            raise compilation("001430", "42601", f"column '{new}' already exists")
        self._alter(f"RENAME COLUMN {names.quoted(name)} TO {names.quoted(new)}")
        catalog.note_column(self._connection, self.name, new, column.declared, column.comment)
        about = catalog.about(self._connection, self.name)
        self._note(key=[new if part == name else part for part in about.key])

    def change(self, action: exp.AlterColumn) -> None:
        """ALTER COLUMN: its type, whether it may be NULL, its comment."""
        name = names.plain(action.this)
        column = self._column(name)
        if kind := action.args.get("dtype"):
            self.retype(column, declared(kind, parameters.parameters(self._connection)))
        elif action.args.get("allow_null") is not None:
            self._allow_null(column, allowed=bool(action.args.get("drop")))
        elif action.args.get("comment") is not None:
            self.comment(name, action.args["comment"].name)
        elif action.args.get("drop"):
            self._alter(f"ALTER COLUMN {names.quoted(name)} DROP DEFAULT")
        else:
            raise NotImplementedError(f"ALTER TABLE ... {action.sql(dialect='snowflake')}")

    def retype(self, column: catalog.Column, kind: str) -> None:
        """SET DATA TYPE: a longer text, a wider number of the same scale.

        Raises:
            Refusal: For any other change, 002108.
        """
        new = catalog.Column(column.name, stored(kind), kind, column.nullable)
        wider = new.kind == column.kind and (
            new.declared == column.declared
            or (new.kind in {"VARCHAR", "BINARY"} and new.size[0] >= column.size[0])
            or (new.kind == "NUMBER" and new.size[1] == column.size[1] and self._fits(column, new))
        )
        if not wider:
            raise compilation(
                "002108",
                "22000",
                f"cannot change column {column.name} from type {column.declared} to {kind}"
                + self._why(column, new),
            )
        if new.stored != column.stored:
            self._alter(f"ALTER COLUMN {names.quoted(column.name)} SET DATA TYPE {new.stored}")
        catalog.note_column(self._connection, self.name, column.name, kind, column.comment)

    @staticmethod
    def _why(column: catalog.Column, new: catalog.Column) -> str:
        if new.kind != column.kind:
            return " because they have incompatible types"
        if new.kind == "NUMBER":
            return " because changing the scale of a number, or losing digits, is not supported"
        return " because reducing the byte-length of a varchar is not supported"

    def _fits(self, column: catalog.Column, new: catalog.Column) -> bool:
        """A precision may shrink while every value fits."""
        if new.size[0] >= column.size[0]:
            return True
        row = self.cursor._duck_conn.execute(  # noqa: SLF001
            f"SELECT 1 FROM {self._place} WHERE {names.quoted(column.name)} IS NOT NULL"
            f" AND TRY_CAST({names.quoted(column.name)} AS {new.stored}) IS NULL LIMIT 1"
        ).fetchone()
        return row is None

    def _allow_null(self, column: catalog.Column, *, allowed: bool) -> None:
        # of a key too, as pipelinewise-target-snowflake does with each table (db_sync._refresh_table_pks)
        if allowed and not column.nullable:
            self._alter(f"ALTER COLUMN {names.quoted(column.name)} DROP NOT NULL")
        elif not allowed and column.nullable:
            empty = self.cursor._duck_conn.execute(  # noqa: SLF001
                f"SELECT 1 FROM {self._place} WHERE {names.quoted(column.name)} IS NULL LIMIT 1"
            ).fetchone()
            if empty:
                raise Refusal("100072", "22000", "NULL result in a non-nullable column")
            self._alter(f"ALTER COLUMN {names.quoted(column.name)} SET NOT NULL")
        catalog.note_column(self._connection, self.name, column.name, column.declared, column.comment)

    def comment(self, name: str, text: str) -> None:
        """COMMENT of a column."""
        column = self._column(name)
        catalog.note_column(self._connection, self.name, name, column.declared, text)

    def add_constraint(self, action: exp.AddConstraint) -> None:
        """ADD PRIMARY KEY; other constraints are notes that nobody asks for."""
        key = action.find(exp.PrimaryKey)
        if key is None:
            raise NotImplementedError(f"ALTER TABLE ... {action.sql(dialect='snowflake')}")
        if catalog.about(self._connection, self.name).key:
            # the text that users quote; the code is inferred
            raise compilation("002200", "42601", f"primary key already exists for table '{self.name.table}'")
        parts = [names.plain(part) for part in key.expressions]
        for part in parts:
            # https://docs.snowflake.com/en/sql-reference/constraints-overview: a key's columns are NOT NULL
            if self._column(part).nullable:
                self._allow_null(self._column(part), allowed=False)
        self._note(key=parts)

    def drop_key(self) -> None:
        """DROP PRIMARY KEY; a table without one is an error.

        https://docs.snowflake.com/en/sql-reference/sql/drop-constraint; the code is inferred.
        """
        if not catalog.about(self._connection, self.name).key:
            raise compilation("002029", "42601", f"Primary key does not exist in table '{self.name.table}'.")
        self._note(key=[])

    def rename(self, new: Name) -> None:
        """RENAME TO."""
        connection = self._connection
        if names.exists(connection, new):
            raise already_exists(new.shown)
        if self.name in names.temporary(connection):
            self._alter(f"RENAME TO {names.quoted('.'.join(new))}")
            names.temporary(connection).discard(self.name)
            names.temporary(connection).add(new)
            self.name = new
            self._note(of=list(new))
            return
        if new[:2] != self.name[:2]:
            raise NotImplementedError("RENAME TO another schema")
        self._alter(f"RENAME TO {names.quoted(new.table)}")
        self.name = new

    def swap(self, other: Name) -> None:
        """SWAP WITH: one step for everybody else."""
        connection = self._connection
        if not names.exists(connection, other):
            raise not_found("Table", other.shown)
        both = {self.name, other}
        if both & names.temporary(connection) or other[:2] != self.name[:2]:
            raise NotImplementedError("SWAP WITH of temporary tables or between schemas")
        duck = connection._duck_conn  # noqa: SLF001
        duck.begin()
        try:
            for name, new in ((self.name, "_SWAPPED"), (other, self.name.table)):
                duck.execute(f"ALTER TABLE {name.path} RENAME TO {names.quoted(new)}")
            between = names.Name(self.name.database, self.name.schema, "_SWAPPED")
            duck.execute(f"ALTER TABLE {between.path} RENAME TO {names.quoted(other.table)}")
        except Exception:
            duck.rollback()
            raise
        duck.commit()
