"""What a warehouse's SQL is like: one base that knows no warehouse, and what each of them overrides.

The base writes what Snowflake, DuckDB and PostgreSQL (15 and later) all understand. A warehouse says its
types, how a text becomes a value of one without losing a digit and back, how rows travel as one text, and
how its catalog is asked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_connector.load.limits import UNLIMITED
from ml_connector.load.schema import Column, Kind
from ml_connector.load.sql.identifiers import LONGEST, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml_connector.load.connection import Statement


class Declared(NamedTuple):
    """A column as the warehouse has it.

    Attributes:
        type: The type's name, without its size.
        precision: Digits in all, or None.
        scale: Digits after the point, or None.
        length: Most characters or bytes, or None.
        nullable: Whether it takes a null.
        comment: Its comment, or None.
    """

    type: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    nullable: bool = True
    comment: str | None = None


@dataclass
class Existing:
    """A table as the warehouse has it.

    Attributes:
        columns: Its columns by name.
        comment: Its comment, or None.
    """

    columns: dict[str, Declared] = field(default_factory=dict)
    comment: str | None = None


class Dialect(ABC):
    """How one warehouse spells what loading asks of it."""

    name: str
    """The warehouse's name, for messages."""
    default_schema = "PUBLIC"
    """The schema of streams for which nothing names one."""
    longest_identifier = LONGEST
    longest_comment: int | None = None
    """Characters of the longest comment; None where the warehouse has no limit worth knowing."""
    reserved_columns: frozenset[str] = frozenset()
    """Names that are refused as columns even when they are quoted, in upper case."""
    longest_text: int | None = None
    """Characters of the longest text that a column can hold; None for any."""
    limits = UNLIMITED
    """The most that a column can hold; what is more becomes a dead letter."""
    declares_keys = True
    """Whether a table declares its key; a warehouse that would check it row by row is better left without."""

    @property
    @abstractmethod
    def types(self) -> Mapping[Kind, str]:
        """The type of each kind but numbers that are exact."""

    @property
    @abstractmethod
    def kinds(self) -> Mapping[str, Kind]:
        """The kind of each type's name, as the catalog says it."""

    @abstractmethod
    def from_text(self, column: Column, text: str) -> str:
        """An expression that reads a column's value from its exact text.

        Texts are: numbers plain or with an exponent; ``true`` and ``false``; ISO dates, times and moments
        with up to nine digits of fraction, a moment with a zone with its offset; binary as hexadecimal
        digits; nested values as JSON.
        """

    @abstractmethod
    def to_text(self, column: Column, expression: str) -> str:
        """An expression that writes a value of a column as text, with every digit it has."""

    @abstractmethod
    def text_rows(self) -> tuple[str, str]:
        """How one ``?``, a JSON array of arrays of texts, becomes rows.

        Returns:
            What follows FROM, and an expression for one text of a row in which ``{}`` is its place from 0.
        """

    @abstractmethod
    def catalog(self, schema: str, table: str | None = None) -> Statement:
        """Ask for every column of every table of a schema, or of one.

        The rows: table, its comment, column, type, precision, scale, length, digits of a moment's fraction,
        YES or NO for nullable, the column's comment. A schema without tables gives one row of nulls; one that
        is not there gives none.
        """

    def literal(self, text: str) -> str:
        """Write a text literal."""
        return "'" + text.replace("'", "''") + "'"

    def type_of(self, column: Column) -> str:
        """The warehouse's type of a column."""
        if column.kind is Kind.INTEGER:
            return "NUMERIC(38,0)"
        if column.kind is Kind.DECIMAL:
            return f"NUMERIC({column.precision},{column.scale})"
        return self.types[column.kind]

    def column_of(self, name: str, declared: Declared) -> Column | None:
        """The column that a table has; None for a type that is none of ours."""
        kind = self.kinds.get(declared.type.upper())
        if kind is not Kind.DECIMAL:
            return None if kind is None else Column(name, kind)
        precision = 38 if declared.precision is None else int(declared.precision)
        scale = int(declared.scale or 0)
        return Column(name, Kind.INTEGER if (precision, scale) == (38, 0) else kind, precision, scale)

    def declared(self, column: Column, *, nullable: bool, comment: str | None) -> Declared:
        """A column of ours as the catalog would tell of it."""
        kind = self.type_of(column).partition("(")[0]
        exact = column.kind in {Kind.INTEGER, Kind.DECIMAL}
        precision, scale = (column.precision, column.scale) if exact else (None, None)
        return Declared(kind, precision, scale, None, nullable, comment)

    def convert(self, expression: str, has: Column, wanted: Column) -> str:
        """An expression of one column's type as another's, without losing a digit."""
        if self.type_of(has) == self.type_of(wanted):
            return expression
        if wanted.kind is Kind.VARIANT:
            return self.to_variant(expression)
        if wanted.kind is Kind.STRING:
            return self.to_text(has, expression)
        if {has.kind, wanted.kind} == {Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ}:
            return self.other_zone(expression, wanted)
        return f"CAST({expression} AS {self.type_of(wanted)})"

    def to_variant(self, expression: str) -> str:
        """An expression of any type as the warehouse's type for nested values."""
        return f"CAST({expression} AS {self.types[Kind.VARIANT]})"

    def other_zone(self, expression: str, wanted: Column) -> str:
        """A moment with a zone as one without, which is then of UTC; or the other way round."""
        del wanted
        return f"({expression} AT TIME ZONE 'UTC')"

    def just_after(self, expression: str) -> str:
        """A moment one microsecond later."""
        return f"({expression} + INTERVAL '1 microsecond')"

    def may_widen_in_place(self, has: Column, wanted: Column) -> bool:
        """Whether the warehouse alters one type to the other without a copy of the column."""
        return (
            has.kind is Kind.DECIMAL
            and wanted.kind in {Kind.DECIMAL, Kind.INTEGER}
            and has.scale == wanted.scale
        )

    def is_short(self, declared: Declared) -> bool:
        """Whether a text or binary column was declared shorter than what it could be."""
        return (
            declared.length is not None
            and self.longest_text is not None
            and self.kinds.get(declared.type.upper()) is Kind.STRING
            and int(declared.length) < self.longest_text
        )

    def create_schema(self, schema: str) -> str:
        """Make a schema that is missing; another process may have made it meanwhile."""
        return f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}"

    def create_table(
        self,
        path: str,
        columns: Iterable[tuple[Column, bool, str | None]],
        keys: Sequence[str],
        *,
        comment: str | None,
        cluster_by: Sequence[str],
        transient: bool,
    ) -> list[str]:
        """Statements that make a table that is missing.

        Args:
            path: Its qualified name, quoted.
            columns: Column, whether it takes a null, and its comment.
            keys: The columns of its key, to be declared.
            comment: The table's comment.
            cluster_by: Columns to cluster by, where the warehouse can.
            transient: Whether it needs no fail-safe storage, where the warehouse has such.
        """
        del cluster_by, transient
        columns = list(columns)
        parts = [
            f"{quoted(column.name)} {self.type_of(column)}{'' if nullable else ' NOT NULL'}"
            for column, nullable, _ in columns
        ]
        if keys and self.declares_keys:
            parts.append(f"PRIMARY KEY ({', '.join(map(quoted, keys))})")
        comments = {column.name: text for column, _, text in columns if text}
        return [
            f"CREATE TABLE IF NOT EXISTS {path} ({', '.join(parts)})",
            *self.comments(path, comments, comment),
        ]

    def comments(self, path: str, columns: Mapping[str, str], table: str | None) -> list[str]:
        """Statements that write comments of columns and of the table."""
        statements = [
            f"COMMENT ON COLUMN {path}.{quoted(name)} IS {self.literal(text)}"
            for name, text in columns.items()
        ]
        if table is not None:
            statements.append(f"COMMENT ON TABLE {path} IS {self.literal(table)}")
        return statements

    def add_column(self, path: str, column: Column, comment: str | None) -> list[str]:
        """Statements that add a column."""
        added = f"ALTER TABLE {path} ADD COLUMN {quoted(column.name)} {self.type_of(column)}"
        return [added, *self.comments(path, {column.name: comment} if comment else {}, None)]

    def set_type(self, path: str, column: Column) -> str:
        """Alter a column's type, where :meth:`may_widen_in_place` says that it can be."""
        return f"ALTER TABLE {path} ALTER COLUMN {quoted(column.name)} SET DATA TYPE {self.type_of(column)}"

    def drop_not_null(self, path: str, name: str) -> str:
        """Let a column take nulls."""
        return f"ALTER TABLE {path} ALTER COLUMN {quoted(name)} DROP NOT NULL"

    def primary_key(self, path: str) -> Statement | None:
        """Ask whether a table declares a key: any row says that it does; None where none ever does."""
        del path
        return None

    def drop_primary_key(self, path: str) -> str:
        """Forget the declared key of a table that has one."""
        return f"ALTER TABLE {path} DROP PRIMARY KEY"

    def stream_of_changes(self, schema: str, table: str) -> list[str]:
        """Statements that make the warehouse follow a table's changes, where it has such a thing."""
        del schema, table
        return []


def existing_tables(rows: Iterable[Sequence[Any]]) -> dict[str, Existing] | None:
    """The tables that :meth:`Dialect.catalog` tells of; None if there is no such schema."""
    tables: dict[str, Existing] = {}
    found = False
    for table, comment, column, kind, precision, scale, length, _, nullable, note in rows:
        found = True
        if table is None:
            continue
        own = tables.setdefault(str(table), Existing(comment=comment or None))
        if column is not None:
            own.columns[str(column)] = Declared(
                str(kind),
                None if precision is None else int(precision),
                None if scale is None else int(scale),
                None if length is None else int(length),
                str(nullable).upper() != "NO",
                note or None,
            )
    return tables if found else None
