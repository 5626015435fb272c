"""Where a stream lives in the warehouse: its table, its columns' names, its load method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ml_connector.load.errors import LoadError
from ml_connector.load.options import options_of
from ml_connector.load.sql.identifiers import column_names, given, identifier
from ml_connector.load.sql.scd2 import LAST_SEEN
from ml_connector.load.sql.staged import DOCUMENT_READ
from ml_connector.load.sql.table import BOOKKEEPING, HISTORY, Table
from ml_connector.load.strategies import METHODS, LoadMethod

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.load.options import Name
    from ml_connector.load.schema import Column
    from ml_connector.load.sql.dialect import Dialect

TAKEN = frozenset(column.name for column in (*BOOKKEEPING, *HISTORY, LAST_SEEN, DOCUMENT_READ))
"""Columns that the target fills itself."""


@dataclass(frozen=True)
class StreamTable:
    """A stream's place in the warehouse.

    Attributes:
        table: Its table.
        names: Property to column name.
        method: How it is loaded.
        replace_at_end: Whether the end of the input is proof enough of a complete read (``overwrite``).
    """

    table: Table
    names: dict[str, str]
    method: LoadMethod
    replace_at_end: bool = False


def stream_table(
    stream: str,
    columns: Sequence[Column],
    key_properties: Sequence[str],
    config: Mapping[str, Any],
    dialect: Dialect,
    *,
    descriptions: Mapping[str, str] | None = None,
    description: str | None = None,
    document_key: Sequence[str] = (),
    split: tuple[str | None, str | None] = (None, None),
) -> StreamTable:
    """Find a stream's place.

    Args:
        stream: Its name.
        columns: Its columns, under the names of its properties.
        key_properties: Its key.
        config: The target's settings.
        dialect: The warehouse.
        descriptions: What the schema says of its properties.
        description: What the schema says of the stream.
        document_key: Properties that name a line's document, if the stream brings documents whole.
        split: Schema and table, where the tap says them.

    Raises:
        LoadError: If a name cannot be one in the warehouse, or two columns would share one.
    """
    case = config["identifier_case"]
    longest = dialect.longest_identifier
    options = options_of(
        stream, config, has_key=bool(key_properties), fallback_schema=dialect.default_schema, split=split
    )
    names = column_names(
        stream,
        [column.name for column in columns],
        case,
        options.columns,
        reserved=dialect.reserved_columns,
        longest=longest,
    )
    if taken := TAKEN & set(names.values()):
        raise LoadError(
            f"Stream '{stream}' has a property that would become {min(taken)}, a column the"
            " target fills itself. Name it otherwise in streams.<stream>.columns.",
        )
    method = METHODS[options.load_method]
    history = (*HISTORY, *((LAST_SEEN,) if document_key else ())) if method.keeps_history else ()
    table = Table(
        stream=stream,
        schema=_spelled(options.schema, case, longest),
        name=_spelled(options.table, case, longest),
        columns=(*(replace(column, name=names[column.name]) for column in columns), *BOOKKEEPING, *history),
        keys=tuple(names[key] for key in key_properties),
        cluster_by=tuple(names.get(name, name) for name in options.cluster_by),
        transient=bool(config.get("transient_tables")),
        comment=description,
        comments={names[name]: text for name, text in (descriptions or {}).items() if name in names},
        document_key=tuple(names[name] for name in document_key),
    )
    return StreamTable(table, names, method, options.replace_at_end)


def _spelled(name: Name, case: str, longest: int) -> str:
    return (given if name.given else identifier)(name.text, case, longest)
