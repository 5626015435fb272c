"""Rows of a batch into a table that has one row a key, or one a record: pure functions to statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_connector.load.schema import Column, Kind
from ml_connector.load.sql.identifiers import listed, quoted
from ml_connector.load.sql.staged import DOCUMENT_READ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.load.connection import Statement
    from ml_connector.load.sql.dialect import Dialect
    from ml_connector.load.sql.staged import StagedRows
    from ml_connector.load.sql.table import Table

MOMENT = Column("_SDC_DELETED_AT", Kind.TIMESTAMP_TZ)
_READ = quoted(DOCUMENT_READ.name)


@dataclass(frozen=True)
class Loading:
    """What a statement needs to know of the batch and of its table.

    Attributes:
        dialect: The warehouse.
        table: The table as the stream wants it.
        actual: Its columns as the warehouse has them.
        rows: Where the batch's rows are.
        hard_delete: Whether deleted rows are removed.
        moment: When the batch was made, as exact text; what it deletes bears it.
        restriction: A condition on the rows (by their columns' names) with its parameters; rows that do not
            meet it are left out.
        late: Whether this is a replay: what came since is newer.
    """

    dialect: Dialect
    table: Table
    actual: Mapping[str, Column]
    rows: StagedRows
    hard_delete: bool = False
    moment: str = ""
    restriction: Statement | None = None
    late: bool = False

    def select(self, names: Sequence[str] | None = None) -> Statement:
        """The batch's rows with the table's types."""
        wanted = [column.name for column in self.table.columns] if names is None else names
        if self.restriction is None:
            return self.rows.select(self.dialect, self.actual, wanted), self.rows.parameters
        # the condition may be on columns that are not asked for
        query = self.rows.select(self.dialect, self.actual, self.rows.columns)
        condition, parameters = self.restriction
        return (
            f"SELECT {listed(wanted)} FROM ({query}) r WHERE {condition}",
            (*self.rows.parameters, *parameters),
        )

    def count(self) -> Statement:
        """Count the batch's rows, as a scalar subquery."""
        query, parameters = self.select(self.table.keys or ["_ML_BATCH_ID"])
        return f"(SELECT COUNT(*) FROM ({query}) c)", parameters


def insert(loading: Loading) -> list[Statement]:
    """Append every row."""
    query, parameters = loading.select()
    names = listed(column.name for column in loading.table.columns)
    return [(f"INSERT INTO {loading.table.path} ({names}) {query}", parameters)]


def merge(loading: Loading) -> list[Statement]:
    """One row a key, the last one wins; a row that came later stays as it is.

    That is so in a replay; and a transaction may be carried out when its process is gone, after those of the
    next run.
    """
    table = loading.table
    columns = [column.name for column in table.columns]
    query, parameters = loading.select()
    last = (
        f"SELECT {listed(columns)} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {listed(table.keys)}"
        f' ORDER BY "_SDC_SEQUENCE" DESC) AS "ML_LAST" FROM ({query}) a) b WHERE "ML_LAST" = 1'
    )
    newer = ' AND (t."_SDC_SEQUENCE" IS NULL OR t."_SDC_SEQUENCE" < s."_SDC_SEQUENCE")'
    when = f"WHEN MATCHED{newer}"
    gone = 's."_SDC_DELETED_AT" IS NOT NULL'
    updates = ", ".join(f"{quoted(name)} = s.{quoted(name)}" for name in columns if name not in table.keys)
    statement = (
        f"MERGE INTO {table.path} t USING ({last}) s ON {same(table.keys, 't', 's')}"
        + (f" {when} AND {gone} THEN DELETE" if loading.hard_delete else "")
        + f" {when} THEN UPDATE SET {updates}"
        + f" WHEN NOT MATCHED{' AND s.' + _LIVE if loading.hard_delete else ''} THEN"
        + f" INSERT ({listed(columns)}) VALUES ({listed(columns, 's.')})"
    )
    return [(statement, parameters)]


_LIVE = '"_SDC_DELETED_AT" IS NULL'


def lost_lines(loading: Loading) -> Statement:
    """Mark the lines that the batch's documents no longer have: those last seen in an older read."""
    table = loading.table
    documents, parameters = documents_of(loading)
    deleted = loading.dialect.from_text(MOMENT, "?")
    live = "" if loading.hard_delete else ' AND t."_SDC_DELETED_AT" IS NULL'
    statement = (
        f'UPDATE {table.path} AS t SET "_SDC_DELETED_AT" = {deleted}, "_SDC_SEQUENCE" = d.{_READ}'
        f" FROM ({documents}) d WHERE {same(table.document_key, 't', 'd')}"
        f' AND (t."_SDC_SEQUENCE" IS NULL OR t."_SDC_SEQUENCE" < d.{_READ}){live}'
    )
    return statement, (loading.moment, *parameters)


def documents_of(loading: Loading) -> Statement:
    """The batch's documents, each with the sequence at which its last reading began."""
    keys = listed(loading.table.document_key)
    query, parameters = loading.select([*loading.table.document_key, DOCUMENT_READ.name])
    return (
        f"SELECT {keys}, MAX({_READ}) AS {_READ} FROM ({query}) a WHERE {_READ} IS NOT NULL GROUP BY {keys}",
        parameters,
    )


def absent_rows(
    table: Table, dialect: Dialect, version: int, partitions: Statement | None, *, moment: str, sequence: int
) -> Statement:
    """Mark what a complete read did not bring.

    Args:
        table: The table.
        dialect: The warehouse.
        version: The read's version; rows of an older one, or of none, are gone.
        partitions: A condition on the rows that the read was of; None for all of them.
        moment: When, as exact text.
        sequence: What the marked rows' sequence becomes: no older record brings them back.
    """
    deleted = dialect.from_text(MOMENT, "?")
    statement = (
        f'UPDATE {table.path} SET "_SDC_DELETED_AT" = {deleted}, "_SDC_SEQUENCE" = {int(sequence)}'
        f' WHERE ("_SDC_TABLE_VERSION" IS NULL OR "_SDC_TABLE_VERSION" < {int(version)}) AND {_LIVE}'
    )
    if partitions is None:
        return statement, (moment,)
    return f"{statement} AND {partitions[0]}", (moment, *partitions[1])


def deleted_count(table: Table, dialect: Dialect, moment: str) -> Statement:
    """Count what was marked at a moment, as a scalar subquery."""
    marked = dialect.from_text(MOMENT, "?")
    return f'(SELECT COUNT(*) FROM {table.path} WHERE "_SDC_DELETED_AT" = {marked})', (moment,)


def remove_marked(table: Table, dialect: Dialect, moment: str) -> Statement:
    """Remove what was marked at a moment."""
    return f'DELETE FROM {table.path} WHERE "_SDC_DELETED_AT" = {dialect.from_text(MOMENT, "?")}', (moment,)


def clear(table: Table, partitions: Statement | None) -> Statement:
    """Remove every row of some partitions, or of all."""
    if partitions is None:
        return f"DELETE FROM {table.path}", ()
    return f"DELETE FROM {table.path} WHERE {partitions[0]}", partitions[1]


def same(names: Sequence[str], left: str, right: str) -> str:
    """The condition that two rows share some columns."""
    return " AND ".join(f"{left}.{quoted(name)} = {right}.{quoted(name)}" for name in names)


def key_text(names: Sequence[str], prefix: str = "") -> str:
    """A key as one text: its values in order, with marks between them that no value can hold unseen."""
    parts = [
        f"REPLACE(REPLACE(CAST({prefix}{quoted(name)} AS VARCHAR), '~', '~0'), '|', '~1')" for name in names
    ]
    return " || '|' || ".join(parts)
