"""Partitions: the parts of a table, such as companies, that a complete read can be of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ml_connector.load.sql import audit
from ml_connector.load.sql.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.load.connection import Statement
    from ml_connector.load.sql.dialect import Dialect
    from ml_connector.load.sql.table import Table


NO_ROW: Statement = ("FALSE", ())
"""The condition that no row meets."""


def partition_condition(
    table: Table,
    names: Mapping[str, str],
    partitions: Sequence[Mapping[str, Any]],
    dialect: Dialect,
) -> Statement:
    """The condition that a row is of one of some partitions.

    Args:
        table: The table.
        names: Property to column.
        partitions: Each a property and its value, or several.
        dialect: The warehouse.
    """
    ways, parameters = [], []
    for partition in partitions:
        parts = []
        for name, value in partition.items():
            column = table.column(names[name])
            if value is None:
                parts.append(f"{quoted(column.name)} IS NULL")
                continue
            parts.append(f"{quoted(column.name)} = {dialect.from_text(column, '?')}")
            parameters.append(audit.exact_text(value))
        ways.append(f"({' AND '.join(parts)})" if parts else "TRUE")
    return f"({' OR '.join(ways) or 'FALSE'})", tuple(parameters)


def partitions_text(partitions: Sequence[Mapping[str, Any]] | None) -> str:
    """Partitions as the ledger has them: ``[{}]`` stands for all rows."""
    return msgspec.json.encode([{}] if partitions is None else list(partitions), order="sorted").decode()


def partition_mask(
    rows: pa.Table, names: Mapping[str, str], partitions: Sequence[Mapping[str, Any]]
) -> pa.Array:
    """Tell which rows are of one of some partitions; arguments as for :func:`partition_condition`."""
    nothing, everything = (pa.repeat(pa.scalar(value), rows.num_rows) for value in (False, True))
    chosen = nothing
    for partition in partitions:
        own = everything
        for name, value in partition.items():
            column = rows[names[name]]
            same = (
                pc.is_null(column)
                if value is None
                else pc.fill_null(pc.equal(column.cast(pa.string()), audit.exact_text(value)), False)
            )
            own = pc.and_(own, same)
        chosen = pc.or_(chosen, own)
    return chosen
