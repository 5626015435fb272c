"""What the ``streams`` setting says about one stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_connector.load.errors import LoadError
from ml_connector.load.settings import LOAD_METHODS
from ml_connector.load.strategies import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Name(NamedTuple):
    """A schema's or table's name before it is spelled in the warehouse's way.

    Attributes:
        text: The name.
        given: Whether the settings say it, so that it is not to be turned into another.
    """

    text: str
    given: bool


@dataclass(frozen=True)
class StreamOptions:
    """How one stream is loaded.

    Attributes:
        schema: Its schema.
        table: Its table.
        load_method: ``upsert``, ``append-only``, ``overwrite`` or ``scd2``.
        columns: Property to column name.
        cluster_by: Properties to cluster by.
        replace_at_end: Whether, with ``overwrite``, the end of the input is proof enough of a complete read.
    """

    schema: Name
    table: Name
    load_method: str
    columns: dict[str, str] = field(default_factory=dict)
    cluster_by: tuple[str, ...] = ()
    replace_at_end: bool = False


def options_of(
    stream: str,
    config: Mapping[str, Any],
    *,
    has_key: bool,
    fallback_schema: str,
    split: tuple[str | None, str | None] = (None, None),
) -> StreamOptions:
    """Find the options of a stream.

    Args:
        stream: Its name, which is one name whatever dashes it has.
        config: The target's settings.
        has_key: Whether the stream has key properties; without any, upsert becomes append-only.
        fallback_schema: Schema where neither the tap nor the settings give one.
        split: Schema and table, where the tap says them (``x-schema`` and ``x-table`` of its schema).

    Raises:
        LoadError: If the settings name an unknown load method, or scd2 for a stream without a key.
    """
    own = own_options(stream, config)
    method = own.get("load_method") or config.get("load_method") or "upsert"
    if method not in LOAD_METHODS:
        raise LoadError(
            f"Stream '{stream}' asks for load_method '{method}'; it can be {', '.join(LOAD_METHODS)}.",
        )
    if METHODS[method].needs_key and not has_key:
        raise LoadError(
            f"Stream '{stream}' is to be loaded with {method} but has no key properties, without which there"
            " are no versions of a record. Choose append-only or overwrite for it"
            " (streams.<stream>.load_method).",
        )
    schema = own.get("schema") or split[0] or config.get("default_target_schema")
    table = own.get("table") or split[1]
    return StreamOptions(
        schema=Name(schema or fallback_schema, given=bool(schema)),
        table=Name(table or stream, given=bool(own.get("table"))),
        load_method=method if has_key else METHODS[method].without_key or method,
        columns=dict(own.get("columns") or {}),
        cluster_by=tuple(own.get("cluster_by") or ()),
        replace_at_end=bool(own.get("replace_at_end_of_input")),
    )


def own_options(stream: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the settings say of a stream by itself: under the first pattern that fits its name."""
    for pattern, candidate in (config.get("streams") or {}).items():
        if fnmatchcase(stream, pattern):
            return candidate or {}
    return {}
