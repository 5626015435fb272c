"""From decoded records to the rows of a batch: the columns' names, and where each row came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from target_snowflake_ml.ledger import now
from target_snowflake_ml.versions import versions

if TYPE_CHECKING:
    from target_snowflake_ml.home import Home

MOMENT = pa.timestamp("us", tz="UTC")


def rows_of(
    table: pa.Table, home: Home, *, batch_id: str, received: pa.Scalar | pa.Array, sequence: pa.Array
) -> pa.Table:
    """Put the bookkeeping beside the decoded columns.

    Args:
        table: What the decoder gave.
        home: The stream's place in the warehouse.
        batch_id: The batch.
        received: When the records came: one moment, or one each.
        sequence: Numbers that grow in the order the records came; of two rows of a key the greater wins.

    Returns:
        The rows, with the columns of the table in the warehouse.
    """
    count = table.num_rows
    data = table.select(list(home.names)).rename_columns(list(home.names.values()))
    more = {
        "_SDC_EXTRACTED_AT": table["_sdc_extracted_at"],
        "_SDC_RECEIVED_AT": pa.repeat(received, count) if isinstance(received, pa.Scalar) else received,
        "_SDC_BATCHED_AT": pa.repeat(pa.scalar(now(), MOMENT), count),
        "_SDC_DELETED_AT": table["_sdc_deleted_at"],
        "_SDC_SEQUENCE": sequence,
        "_SDC_TABLE_VERSION": table["_sdc_version"],
        "_ML_BATCH_ID": pa.repeat(pa.scalar(batch_id), count),
    }
    if home.table.history:
        more |= versions(data, more["_SDC_DELETED_AT"], more["_SDC_EXTRACTED_AT"], more["_SDC_RECEIVED_AT"])
    for name, column in more.items():
        data = data.append_column(name, column)
    return data
