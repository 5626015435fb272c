"""Where rows go: RECORD messages, or the files of BATCH messages."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from singer_sdk.batch import Batcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.helpers._batch import BatchConfig

    from tap_sage300.rows import Record
    from tap_sage300.streams.base import Sage300Stream


class Outlets:
    """Writes the rows of the streams that share a read.

    Args:
        streams: The selected streams.
        batch_config: The SDK's `batch_config`; None for RECORD messages.
    """

    def __init__(self, streams: Sequence[Sage300Stream], batch_config: BatchConfig | None = None) -> None:
        self._counters = dict.fromkeys(streams, 0)
        self._batch_config = batch_config
        self._held: dict[Sage300Stream, list[Record]] = defaultdict(list)

    def write(self, stream: Sage300Stream, row: Record) -> None:
        """Write a row, or hold it for the next batch file.

        Args:
            stream: Whose row it is.
            row: The row as `row_maker` made it; changed in place.

        Raises:
            Sage300Error: What completes the row cannot be read.
        """
        stream.complete(row)
        if self._batch_config is None:
            stream.write_row(row)
            return
        self._held[stream].append(row)
        if len(self._held[stream]) >= self._batch_config.batch_size:
            self._write_batch(stream)

    def flush(self) -> None:
        """Write what is held."""
        for stream in list(self._held):
            self._write_batch(stream)

    def _write_batch(self, stream: Sage300Stream) -> None:
        rows = self._held.pop(stream, [])
        if self._batch_config is None or not rows:
            return
        batcher = Batcher(stream.tap_name, stream.name, self._batch_config)
        for manifest in batcher.get_batches(iter(rows)):
            stream.write_batch(self._batch_config, manifest)
