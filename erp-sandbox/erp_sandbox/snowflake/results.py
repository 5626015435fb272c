"""Results as the connectors read them, where fakesnow writes something else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import fakesnow.arrow as fakesnow_arrow
import fakesnow.server as fakesnow_server
import pyarrow as pa

_to_sf = fakesnow_arrow.to_sf
_ZONED = 3
"""Fields of a timestamp's struct, when one of them is its zone."""

_structs = fakesnow_arrow.timestamp_to_sf_struct


def _with_nulls(stamps: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A missing timestamp is a null struct: fakesnow's struct of nulls is read as 1970 by the connectors."""
    whole = stamps.combine_chunks() if isinstance(stamps, pa.ChunkedArray) else stamps
    if not whole.null_count:
        return _structs(whole)
    struct = _structs(whole.fill_null(0))
    return pa.StructArray.from_arrays(
        [struct.field(place) for place in range(struct.type.num_fields)],
        fields=list(struct.type),
        mask=whole.is_null(),
    )


def _small_integers(table: pa.Table, rowtype: list[Any]) -> pa.Table:
    """Snowflake sends whole numbers as machine integers where they all fit."""
    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type) and field.type.scale == 0:
            with suppress(pa.ArrowInvalid):
                table = table.set_column(place, field.name, table.column(place).cast(pa.int64()))
    found = _to_sf(table, rowtype)
    return found.cast(pa.schema([_with_length(field) for field in found.schema]))


def _with_length(field: pa.Field) -> pa.Field:
    """Say how many bytes a zoned timestamp has, as Snowflake does: connector 3.0 crashes without."""
    if pa.types.is_struct(field.type) and field.type.num_fields == _ZONED:
        return field.with_metadata({**(field.metadata or {}), "byteLength": "16"})
    return field


def correct_results() -> None:
    """Make fakesnow write null timestamps as nulls, and whole numbers as Snowflake does."""
    fakesnow_arrow.timestamp_to_sf_struct = _with_nulls
    fakesnow_server.to_sf = _small_integers
