"""Where a stream lives in the warehouse: its table, its columns' names, its load method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ml_connector.load.errors import LoadError
from ml_connector.load.options import options_of

from target_snowflake_ml.sql.identifiers import column_names, given, identifier
from target_snowflake_ml.sql.table import BOOKKEEPING, HISTORY, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.load.options import Name
    from ml_connector.load.schema import Column


@dataclass(frozen=True)
class Home:
    """A stream's place in the warehouse.

    Attributes:
        table: Its table.
        names: Property to column name.
        load_method: How it is loaded.
    """

    table: Table
    names: dict[str, str]
    load_method: str


def home_of(
    stream: str, columns: Sequence[Column], key_properties: Sequence[str], config: Mapping[str, Any]
) -> Home:
    """Find a stream's place.

    Args:
        stream: Its name.
        columns: Its columns, under the names of its properties.
        key_properties: Its key.
        config: The target's settings.

    Raises:
        LoadError: If a name cannot be one in Snowflake, or two columns would share one.
    """
    case = config["identifier_case"]
    options = options_of(stream, config, has_key=bool(key_properties), fallback_schema="PUBLIC")
    names = column_names(stream, [column.name for column in columns], case, options.columns)
    if taken := {column.name for column in (*BOOKKEEPING, *HISTORY)} & set(names.values()):
        raise LoadError(
            f"Stream '{stream}' has a property that would become {taken.pop()}, a column the"
            " target fills itself. Name it otherwise in streams.<stream>.columns.",
        )
    history = HISTORY if options.load_method == "scd2" else ()
    table = Table(
        stream=stream,
        schema=_spelled(options.schema, case),
        name=_spelled(options.table, case),
        columns=(*(replace(column, name=names[column.name]) for column in columns), *BOOKKEEPING, *history),
        keys=tuple(names[key] for key in key_properties),
        cluster_by=tuple(names.get(name, name) for name in options.cluster_by),
        transient=bool(config["transient_tables"]),
    )
    return Home(table, names, options.load_method)


def _spelled(name: Name, case: str) -> str:
    return (given if name.given else identifier)(name.text, case)
