"""Where the rows of a batch are while its transaction runs, as something to select from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_connector.load.schema import Column, Kind
from ml_connector.load.sql.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml_connector.load.sql.dialect import Dialect

DOCUMENT_READ = Column("_ML_DOCUMENT_READ", Kind.INTEGER, 38, 0)
"""A column of staged rows only: the sequence at which the reading of the row's document began."""


@dataclass(frozen=True)
class StagedRows:
    """Rows to be put into a table by one statement or several.

    Attributes:
        source: What follows FROM.
        columns: The columns they have, with the kinds that the stream sends.
        expressions: An expression of each column's kind.
        parameters: Parameters of one mention of ``source``.
    """

    source: str
    columns: Mapping[str, Column]
    expressions: Mapping[str, str]
    parameters: tuple[str, ...] = ()

    def select(self, dialect: Dialect, wanted: Mapping[str, Column], names: Iterable[str]) -> str:
        """A query of some columns, with the types that the table has.

        Args:
            dialect: The warehouse.
            wanted: The table's columns; one it does not have is given as the stream sends it.
            names: The columns.
        """
        chosen = []
        for name in names:
            has = self.columns[name]
            value = dialect.convert(self.expressions[name], has, wanted.get(name, has))
            chosen.append(f"{value} AS {quoted(name)}")
        return f"SELECT {', '.join(chosen)} FROM {self.source}"


def rows_in_table(
    dialect: Dialect, path: str, columns: Sequence[Column], texts: frozenset[str]
) -> StagedRows:
    """Rows of a staged table.

    Args:
        dialect: The warehouse.
        path: The table's qualified name, quoted.
        columns: Its columns, with the kinds that the stream sends.
        texts: Those whose values are there as text.
    """
    expressions = {
        column.name: dialect.from_text(column, quoted(column.name))
        if column.name in texts
        else quoted(column.name)
        for column in columns
    }
    return StagedRows(path, {column.name: column for column in columns}, expressions)


def rows_in_text(dialect: Dialect, columns: Sequence[Column], text: str) -> StagedRows:
    """Rows that travel with the statement, as one parameter; see :mod:`ml_connector.load.json_rows`.

    Args:
        dialect: The warehouse.
        columns: Their columns, in the order of the values.
        text: The JSON text.
    """
    source, value = dialect.text_rows()
    expressions = {
        column.name: dialect.from_text(column, value.format(place)) for place, column in enumerate(columns)
    }
    return StagedRows(source, {column.name: column for column in columns}, expressions, (text,))
