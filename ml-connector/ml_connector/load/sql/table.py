"""One target table: its name, its columns, and the statements that make it and let it grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ml_connector.load.errors import LoadError
from ml_connector.load.schema import Column, Kind
from ml_connector.load.sql.identifiers import quoted
from ml_connector.load.widen import widen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml_connector.load.sql.dialect import Declared, Dialect, Existing

BOOKKEEPING = (
    Column("_SDC_EXTRACTED_AT", Kind.TIMESTAMP_TZ),
    Column("_SDC_RECEIVED_AT", Kind.TIMESTAMP_TZ),
    Column("_SDC_BATCHED_AT", Kind.TIMESTAMP_TZ),
    Column("_SDC_DELETED_AT", Kind.TIMESTAMP_TZ),
    Column("_SDC_SEQUENCE", Kind.INTEGER, 38, 0),
    Column("_SDC_TABLE_VERSION", Kind.INTEGER, 38, 0),
    Column("_ML_BATCH_ID", Kind.STRING),
)
"""Columns of every table beside the source's own: where each row came from, and when."""

FROM, TO, CURRENT, HASH = "_ML_VALID_FROM", "_ML_VALID_TO", "_ML_IS_CURRENT", "_ML_HASH"
HISTORY = (
    Column(FROM, Kind.TIMESTAMP_TZ),
    Column(TO, Kind.TIMESTAMP_TZ),
    Column(CURRENT, Kind.BOOLEAN),
    Column(HASH, Kind.STRING),
)
"""More columns of a table that keeps every version of a record (``scd2``)."""

_MOMENTS = frozenset({Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ})


@dataclass(frozen=True)
class Table:
    """A table as the stream's schema wants it.

    Attributes:
        stream: The stream it is for.
        schema: The warehouse's schema.
        name: Table name.
        columns: The source's columns, under their names in the warehouse, then the bookkeeping (and the
            history).
        keys: Key columns; empty for a stream without a key.
        cluster_by: Columns to cluster by.
        transient: Whether the table needs no fail-safe storage.
        comment: What the schema says of the stream, if anything.
        comments: What it says of the columns.
        former_keys: Key columns under an earlier key of the stream.
        document_key: Columns that name the document of a line, where the stream always brings documents
            whole.
    """

    stream: str
    schema: str
    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    transient: bool = False
    comment: str | None = None
    comments: Mapping[str, str] = field(default_factory=dict, hash=False)
    former_keys: tuple[str, ...] = ()
    document_key: tuple[str, ...] = ()

    @property
    def history(self) -> bool:
        """Whether it keeps every version of a record."""
        return HISTORY[0] in self.columns

    @property
    def path(self) -> str:
        """The qualified name, quoted."""
        return quoted(self.schema, self.name)

    @property
    def spoken(self) -> str:
        """The qualified name, for messages."""
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column:
        """One of its columns."""
        return next(column for column in self.columns if column.name == name)


@dataclass
class Growth:
    """What has to happen to a table until it holds what its stream sends.

    Attributes:
        statements: DDL and the copying of columns, in order; each can be repeated.
        comments: Statements that bring comments up to date; whether they succeed is of no consequence.
        changes: What changes, for the log and the ledger.
        drops_key: Whether a declared key has to be given up first.
    """

    statements: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    drops_key: bool = False


def create(table: Table, dialect: Dialect) -> list[str]:
    """Statements that make a table that is missing."""
    columns = [
        (column, column.name not in table.keys, _comment(dialect, table.comments.get(column.name)))
        for column in table.columns
    ]
    return dialect.create_table(
        table.path,
        columns,
        () if table.history else table.keys,
        comment=_comment(dialect, table.comment),
        cluster_by=table.cluster_by,
        transient=table.transient,
    )


def grow(table: Table, existing: Existing, dialect: Dialect) -> Growth:
    """Find what a table lacks to hold what the stream sends.

    Args:
        table: The table as it is wanted.
        existing: As it is.
        dialect: The warehouse.

    Raises:
        LoadError: If a column can be neither kept nor widened without risk to a value.
    """
    growth = Growth()
    if FROM in existing.columns and not table.history:
        raise LoadError(
            f"{table.spoken} holds the history of its records, loaded with load_method scd2."
            f" Load stream '{table.stream}' with scd2, or into another table (streams.<stream>.table).",
        )
    if table.history and FROM not in existing.columns:
        growth.drops_key = True
    for column in table.columns:
        _grow_column(table, column, existing, dialect, growth)
    _relax_former_keys(table, existing, dialect, growth)
    noted = {name: declared.comment for name, declared in existing.columns.items()}
    stale = {
        name: text
        for name, wanted in table.comments.items()
        if name in noted and (text := _comment(dialect, wanted)) and text != noted[name]
    }
    comment = _comment(dialect, table.comment)
    if stale or (comment and comment != existing.comment):
        about = comment if comment != existing.comment else None
        growth.comments = dialect.comments(table.path, stale, about)
    return growth


def actual_columns(table: Table, existing: Existing, dialect: Dialect) -> dict[str, Column]:
    """The columns as the table has them once it has grown."""
    columns = {}
    for column in table.columns:
        declared = existing.columns.get(column.name)
        has = dialect.column_of(column.name, declared) if declared else None
        columns[column.name] = (has and _common(has, column)) or column
    return columns


def backfill_history(table: Table) -> str:
    """Make one version of each row that was loaded otherwise before, with one row a key; may be repeated."""
    seen = 'COALESCE("_SDC_EXTRACTED_AT", "_SDC_RECEIVED_AT", "_SDC_BATCHED_AT", CURRENT_TIMESTAMP)'
    return (
        f'UPDATE {table.path} SET "{FROM}" = {seen}, "{TO}" = "_SDC_DELETED_AT",'
        f' "{CURRENT}" = "_SDC_DELETED_AT" IS NULL, "{HASH}" = \'unknown\' WHERE "{FROM}" IS NULL'
    )


def _grow_column(table: Table, column: Column, existing: Existing, dialect: Dialect, growth: Growth) -> None:
    path = table.path
    declared = _resume(table, column.name, existing, dialect, growth)
    if declared is None:
        growth.statements += dialect.add_column(
            path, column, _comment(dialect, table.comments.get(column.name))
        )
        growth.changes.append(f"new column {column.name} {dialect.type_of(column)}")
        return
    has = dialect.column_of(column.name, declared)
    wanted = None if has is None else _common(has, column)
    if has is None or wanted is None:
        raise LoadError(
            f"Column {column.name} of {table.spoken} is {_spoken(declared)}, stream '{table.stream}'"
            f" now sends {dialect.type_of(column)}, and no type holds both. Rename the column, or load the"
            " stream into another table (streams.<stream>.table).",
        )
    if dialect.type_of(wanted) != dialect.type_of(has):
        growth.changes.append(
            f"column {column.name} from {dialect.type_of(has)} to {dialect.type_of(wanted)}"
        )
        growth.statements += _retype(table, has, wanted, dialect)
    elif dialect.is_short(declared):
        growth.changes.append(f"column {column.name} from {_spoken(declared)} to {dialect.type_of(has)}")
        growth.statements.append(dialect.set_type(path, has))


def _common(has: Column, wanted: Column) -> Column | None:
    """The type that holds both; an instant can be kept in a column of either kind of moment, as UTC."""
    return has if {has.kind, wanted.kind} == _MOMENTS else widen(has, wanted)


def _retype(table: Table, has: Column, wanted: Column, dialect: Dialect) -> list[str]:
    """A copy takes the old column's place where its type cannot be altered.

    Rows may come in while this goes on. Until the last step the old values are still there, and those that
    the copy missed are fetched before they go.
    """
    if dialect.may_widen_in_place(has, wanted):
        return [dialect.set_type(table.path, wanted)]
    if has.name in {*table.keys, *table.cluster_by}:
        raise LoadError(
            f"Column {has.name} of {table.spoken} is {dialect.type_of(has)}, stream '{table.stream}'"
            f" now needs {dialect.type_of(wanted)}, and it is part of the table's key or clustering, which"
            " cannot be rebuilt in place. Load the stream into another table (streams.<stream>.table).",
        )
    path, name, wider, old = table.path, has.name, _wider(has.name), _old(has.name)
    spare = Column(wider, wanted.kind, wanted.precision, wanted.scale)
    return [
        *dialect.add_column(path, spare, None),
        f"UPDATE {path} SET {quoted(wider)} = {dialect.convert(quoted(name), has, wanted)}",
        _rename(path, name, old),
        _rename(path, wider, name),
        *_finish(table, has, wanted, dialect),
    ]


def _finish(table: Table, has: Column, wanted: Column, dialect: Dialect) -> list[str]:
    name, old = quoted(has.name), quoted(_old(has.name))
    missed = f"{name} IS NULL AND {old} IS NOT NULL"
    fetched = dialect.convert(old, has, wanted)
    return [
        f"UPDATE {table.path} SET {name} = {fetched} WHERE {missed}",
        f"ALTER TABLE {table.path} DROP COLUMN {old}",
    ]


def _resume(table: Table, name: str, existing: Existing, dialect: Dialect, growth: Growth) -> Declared | None:
    """Go on with a change of type that was cut off; gives the column as it is after that, if there is one.

    What is there tells how far :func:`_retype` had come.
    """
    path, columns = table.path, existing.columns
    has, wider, old = columns.get(name), columns.get(_wider(name)), columns.get(_old(name))
    if has is None and old is not None and wider is None:
        growth.statements.append(_rename(path, _old(name), name))
        return old
    if has is None and wider is not None:
        growth.statements.append(_rename(path, _wider(name), name))
        has = wider
    elif has is not None and wider is not None:
        growth.statements.append(f"ALTER TABLE {path} DROP COLUMN {quoted(_wider(name))}")
    if has is not None and old is not None:
        before, after = dialect.column_of(name, old), dialect.column_of(name, has)
        if before is not None and after is not None:
            growth.statements += _finish(table, before, after, dialect)
    return has


def _relax_former_keys(table: Table, existing: Existing, dialect: Dialect, growth: Growth) -> None:
    """Columns that are no longer part of the key may be null from now on."""
    own = {column.name for column in table.columns} | set(table.former_keys)
    for name, declared in existing.columns.items():
        if not declared.nullable and name in own and name not in table.keys:
            growth.drops_key = True
            growth.statements.append(dialect.drop_not_null(table.path, name))
            growth.changes.append(f"column {name} is no longer part of the key")


def _comment(dialect: Dialect, text: str | None) -> str | None:
    plain = " ".join(text.split()) if text else ""
    return plain[: dialect.longest_comment] or None


def _spoken(declared: Declared) -> str:
    size = declared.length if declared.precision is None else f"{declared.precision},{declared.scale or 0}"
    return declared.type if size is None else f"{declared.type}({size})"


def _wider(name: str) -> str:
    return f"{name}__ML_WIDER"


def _old(name: str) -> str:
    return f"{name}__ML_OLD"


def _rename(path: str, name: str, new: str) -> str:
    return f"ALTER TABLE {path} RENAME COLUMN {quoted(name)} TO {quoted(new)}"
