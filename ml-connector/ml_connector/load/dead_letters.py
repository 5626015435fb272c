"""Records that break their schema, as rows of the audit table DEAD_LETTERS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ml_connector.load.errors import LoadError

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


class DeadLetterLimit:
    """The setting ``max_dead_letters``.

    Attributes:
        setting: As it was written: a count, or a percentage such as ``1%``; None for no limit.
    """

    _ENOUGH = 1_000

    def __init__(self, setting: str | int | None) -> None:
        """Read the setting.

        Raises:
            LoadError: If it is neither a count nor a percentage.
        """
        self.setting = None if setting is None or not str(setting).strip() else str(setting).strip()
        self._percent = self.setting is not None and self.setting.endswith("%")
        try:
            self._limit = float((self.setting or "0").removesuffix("%"))
        except ValueError:
            raise LoadError(
                f"Setting max_dead_letters is {setting!r}; write a count such as 100, or a share such as 1%."
            ) from None

    def passed(self, rejected: int, read: int, *, at_end: bool) -> bool:
        """Tell whether too much was rejected.

        Args:
            rejected: Records rejected so far.
            read: Records read so far.
            at_end: Whether the input is at its end. A percentage of the first few records says nothing, so
                before the end it is looked at from 1,000 records on.
        """
        if self.setting is None or not rejected:
            return False
        if not self._percent:
            return rejected > self._limit
        return (at_end or read >= self._ENOUGH) and rejected * 100 > read * self._limit
