"""From decoded records to the rows of a batch: the columns' names, and where each row came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ml_connector.load.clock import now
from ml_connector.load.sql.scd2 import LAST_SEEN
from ml_connector.load.versions import versions

if TYPE_CHECKING:
    from ml_connector.load.location import StreamTable

MOMENT = pa.timestamp("us", tz="UTC")


def rows_of(
    table: pa.Table, place: StreamTable, *, batch_id: str, received: pa.Scalar | pa.Array, sequence: pa.Array
) -> pa.Table:
    """Put the bookkeeping beside the decoded columns.

    Args:
        table: What the decoder gave.
        place: The stream's place in the warehouse.
        batch_id: The batch.
        received: When the records came: one moment, or one each.
        sequence: Numbers that grow in the order the records came; of two rows of a key the greater wins.

    Returns:
        The rows, with the columns of the table in the warehouse.
    """
    count = table.num_rows
    data = table.select(list(place.names)).rename_columns(list(place.names.values()))
    more = {
        "_SDC_EXTRACTED_AT": table["_sdc_extracted_at"],
        "_SDC_RECEIVED_AT": pa.repeat(received, count) if isinstance(received, pa.Scalar) else received,
        "_SDC_BATCHED_AT": pa.repeat(pa.scalar(now(), MOMENT), count),
        "_SDC_DELETED_AT": table["_sdc_deleted_at"],
        "_SDC_SEQUENCE": sequence,
        "_SDC_TABLE_VERSION": table["_sdc_version"],
        "_ML_BATCH_ID": pa.repeat(pa.scalar(batch_id), count),
    }
    if place.table.history:
        kinds = {column.name: column.kind for column in place.table.columns}
        more |= versions(
            data, kinds, more["_SDC_DELETED_AT"], more["_SDC_EXTRACTED_AT"], more["_SDC_RECEIVED_AT"]
        )
        if LAST_SEEN in place.table.columns:
            more[LAST_SEEN.name] = sequence
    for name, column in more.items():
        data = data.append_column(name, column)
    return data


def counted(first: int, count: int) -> pa.Array:
    """Numbers that follow each other."""
    return pc.add(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), count)), first - 1)
