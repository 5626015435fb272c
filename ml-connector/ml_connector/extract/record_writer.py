"""Where rows go: RECORD messages, or the files of BATCH messages."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol

from singer_sdk.batch import Batcher

if TYPE_CHECKING:
    from singer_sdk.helpers._batch import BatchConfig


class Outlet(Protocol):
    """A stream that can write its rows either way."""

    name: str
    tap_name: str

    def write_row(self, row: dict[str, Any]) -> None:
        """Emit a row."""

    def write_batch(self, batch_config: BatchConfig, manifest: list[str]) -> None:
        """Emit BATCH."""


class RecordWriter:
    """Writes the rows of the streams that share a read.

    Args:
        batch_config: The SDK's `batch_config`; None for RECORD messages.
    """

    def __init__(self, batch_config: BatchConfig | None = None) -> None:
        self._batch_config = batch_config
        self._held: dict[Any, list[dict[str, Any]]] = defaultdict(list)

    def write(self, stream: Outlet, row: dict[str, Any]) -> None:
        """Write a row, or hold it for the next batch file.

        Args:
            stream: Whose row it is.
            row: The row, whole.
        """
        if self._batch_config is None:
            stream.write_row(row)
            return
        self._held[stream].append(row)
        if len(self._held[stream]) >= self._batch_config.batch_size:
            self._write_batch(stream)

    def flush(self) -> None:
        """Write what is held; a state that counts it must not be written before."""
        for stream in list(self._held):
            self._write_batch(stream)

    def _write_batch(self, stream: Outlet) -> None:
        rows = self._held.pop(stream, [])
        if self._batch_config is None or not rows:
            return
        batcher = Batcher(stream.tap_name, stream.name, self._batch_config)
        for manifest in batcher.get_batches(iter(rows)):
            stream.write_batch(self._batch_config, manifest)
