"""Records that break their schema, as rows of the audit table DEAD_LETTERS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ml_connector.load.decode import Rejection

_MOMENT = pa.timestamp("us", tz="UTC")
COLUMNS = pa.schema(
    {
        "DEAD_LETTER_ID": pa.string(),
        "RUN_ID": pa.string(),
        "BATCH_ID": pa.string(),
        "STREAM": pa.string(),
        "RECORD": pa.string(),
        "ERROR_KIND": pa.string(),
        "ERROR_PATH": pa.string(),
        "ERROR_MESSAGE": pa.string(),
        "RECEIVED_AT": _MOMENT,
        "STATUS": pa.string(),
        "ATTEMPTS": pa.int64(),
        "RESOLVED_AT": _MOMENT,
    }
)
"""Columns of DEAD_LETTERS. A record is text as it came: what was rejected may not even be JSON."""


def dead_letters(
    rejections: Sequence[Rejection],
    *,
    run_id: str,
    batch_id: str,
    stream: str,
    numbers: Sequence[int],
    received_at: datetime,
) -> pa.Table:
    """Turn a batch's rejections into rows.

    Args:
        rejections: What the decoder rejected; their line numbers count from 0 within the batch.
        run_id: The run.
        batch_id: The batch they came with.
        stream: Their stream.
        numbers: Line numbers in the input of all the batch's lines.
        received_at: When they came.
    """
    rows = []
    for rejection in rejections:
        number = numbers[rejection.line_number]
        rows.append(
            {
                "DEAD_LETTER_ID": f"{batch_id}-{rejection.line_number}",
                "RUN_ID": run_id,
                "BATCH_ID": batch_id,
                "STREAM": stream,
                "RECORD": rejection.record.decode("utf-8", "backslashreplace"),
                "ERROR_KIND": rejection.kind,
                "ERROR_PATH": rejection.path,
                "ERROR_MESSAGE": f"Line {number}: {rejection.message}" if number else rejection.message,
                "RECEIVED_AT": received_at,
                "STATUS": "open",
                "ATTEMPTS": 1,
            }
        )
    return pa.Table.from_pylist(rows, COLUMNS)
