"""Results as the connectors read them, where fakesnow writes something else."""

from __future__ import annotations

import fakesnow.arrow as fakesnow_arrow
import pyarrow as pa

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


def correct_results() -> None:
    """Make fakesnow write null timestamps as nulls."""
    fakesnow_arrow.timestamp_to_sf_struct = _with_nulls
