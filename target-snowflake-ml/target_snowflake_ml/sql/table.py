"""One target table: its name, its columns, and the statements that make and grow it."""

from __future__ import annotations

from dataclasses import dataclass

from ml_connector.load.errors import LoadError
from ml_connector.load.schema import Column, Kind
from ml_connector.load.widen import widen

from target_snowflake_ml.sql.identifiers import quoted
from target_snowflake_ml.sql.types import column_of, type_of

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


@dataclass(frozen=True)
class Table:
    """A table as the stream's schema wants it.

    Attributes:
        stream: The stream it is for.
        schema: Snowflake schema.
        name: Table name.
        columns: The source's columns, under their Snowflake names, then the bookkeeping (and the history).
        keys: Key columns, Snowflake names; empty for a stream without a key.
        cluster_by: Columns to cluster by.
        transient: Whether the table is made TRANSIENT.
    """

    stream: str
    schema: str
    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    transient: bool = False

    @property
    def history(self) -> bool:
        """Whether it keeps every version of a record."""
        return HISTORY[0] in self.columns

    @property
    def path(self) -> str:
        """The qualified name, quoted."""
        return quoted(self.schema, self.name)

    def create(self) -> str:
        """The statement that makes it where it is missing."""
        parts = [
            f"{quoted(column.name)} {type_of(column)}{' NOT NULL' if column.name in self.keys else ''}"
            for column in self.columns
        ]
        if self.keys and not self.history:
            parts.append(f"PRIMARY KEY ({', '.join(map(quoted, self.keys))})")
        cluster = f" CLUSTER BY ({', '.join(map(quoted, self.cluster_by))})" if self.cluster_by else ""
        kind = "TRANSIENT TABLE" if self.transient else "TABLE"
        return f"CREATE {kind} IF NOT EXISTS {self.path} ({', '.join(parts)}){cluster}"

    def stream_of_changes(self) -> str:
        """The statement that makes a Snowflake STREAM of its changes where there is none."""
        stream = quoted(self.schema, f"{self.name}_STREAM")
        return f"CREATE STREAM IF NOT EXISTS {stream} ON TABLE {self.path}"

    def grow(self, existing: dict[str, str]) -> list[str]:
        """Statements that add and widen columns until the table holds what the stream sends.

        Args:
            existing: Columns the table has, with their declared types.

        Raises:
            LoadError: If a column can be neither kept nor widened without risk to a value.
        """
        statements = []
        if FROM in existing and not self.history:
            raise LoadError(
                f"{self.schema}.{self.name} holds the history of its records, loaded with load_method scd2."
                f" Load stream '{self.stream}' with scd2, or into another table (streams.<stream>.table).",
            )
        for column in self.columns:
            declared = existing.get(column.name)
            if spare := existing.get(_spare(column.name)):
                # a run was killed while it widened the column: _retype says where it had got to
                if declared is None:
                    statements.append(_rename(self.path, _spare(column.name), column.name))
                    declared = spare
                else:
                    statements.append(_drop(self.path, _spare(column.name)))
            if declared is None:
                statements.append(
                    f"ALTER TABLE {self.path} ADD COLUMN {quoted(column.name)} {type_of(column)}"
                )
                continue
            has = column_of(column.name, declared)
            met = None if has is None else widen(has, column)
            if met is None:
                raise LoadError(
                    f"Column {column.name} of {self.schema}.{self.name} is {declared}, stream '{self.stream}'"
                    f" now sends {type_of(column)}, and no type holds both. Rename the column, or load the"
                    " stream into another table (streams.<stream>.table).",
                )
            if has is not None and type_of(met) != type_of(has):
                statements += self._retype(has, met)
        return statements

    def _retype(self, has: Column, wanted: Column) -> list[str]:
        """Snowflake alters a type only within its family, so a copy takes the place of the old column."""
        path, name = self.path, quoted(has.name)
        if has.kind is Kind.DECIMAL and type_of(wanted).startswith("NUMBER") and has.scale == wanted.scale:
            return [f"ALTER TABLE {path} ALTER COLUMN {name} SET DATA TYPE {type_of(wanted)}"]
        if has.name in {*self.keys, *self.cluster_by}:
            raise LoadError(
                f"Column {has.name} of {self.schema}.{self.name} is {type_of(has)}, stream '{self.stream}'"
                f" now needs {type_of(wanted)}, and it is part of the table's key or clustering, which"
                " Snowflake does not let anyone rebuild in place. Load the stream into another table"
                " (streams.<stream>.table).",
            )
        spare = _spare(has.name)
        value = f"TO_VARIANT({name})" if wanted.kind is Kind.VARIANT else f"CAST({name} AS {type_of(wanted)})"
        return [
            f"ALTER TABLE {path} ADD COLUMN {quoted(spare)} {type_of(wanted)}",
            f"UPDATE {path} SET {quoted(spare)} = {value}",
            _drop(path, has.name),
            _rename(path, spare, has.name),
        ]

    def settled(self, existing: dict[str, str]) -> dict[str, Column]:
        """The columns as the table has them once it has grown."""
        found = {}
        for column in self.columns:
            has = column_of(column.name, existing[column.name]) if column.name in existing else None
            found[column.name] = (widen(has, column) if has else None) or column
        return found


def _spare(name: str) -> str:
    return f"{name}__ML_WIDER"


def _drop(path: str, name: str) -> str:
    return f"ALTER TABLE {path} DROP COLUMN {quoted(name)}"


def _rename(path: str, name: str, new: str) -> str:
    return f"ALTER TABLE {path} RENAME COLUMN {quoted(name)} TO {quoted(new)}"
