"""Documents whose lines are streams of their own: read once, written to every selected stream."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from ml_connector.extract.erp_stream import ErpStream
from ml_connector.extract.outlets import Outlets

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig

    from ml_connector.extract.erp_tap import ErpTap

Record = dict[str, Any]
STATE_SECONDS = 5.0


class DocumentStream(ErpStream):
    """Whole documents; the streams of their lines, its children, are fed from the same read."""

    @property
    def outlets(self) -> Sequence[ErpStream]:
        """The selected ones of this stream and its line streams."""
        streams = (self, *(child for child in self.child_streams if isinstance(child, ErpStream)))
        return [stream for stream in streams if stream.selected]

    @abstractmethod
    def shared_read(self, batch_config: BatchConfig | None = None) -> SharedRead:
        """One read for all outlets.

        Args:
            batch_config: Write batch files instead of records, if given.
        """

    @override
    def _sync_records(
        self, context: types.Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        """Read once and write the rows of every selected stream."""
        self.shared_read().run()
        yield from ()

    @override
    def _sync_batches(self, batch_config: BatchConfig, context: types.Context | None = None) -> None:
        self.shared_read(batch_config).run()

    def check_limit(self, documents_read: int) -> None:
        """End a dry run that has seen enough.

        Args:
            documents_read: How many documents came before this one.

        Raises:
            AbortedSyncFailedException: The limit of a dry run is reached.
        """
        self._check_max_record_limit(documents_read)


class LineStream(ErpStream):
    """Rows made of the lines inside documents; read by their document stream."""

    @override
    def _sync_records(
        self, context: types.Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        """Nothing to do: the document stream has written the rows."""
        yield from ()


class SharedRead(ABC):
    """One run of one kind of document: every page is asked for once, and feeds every selected stream.

    Args:
        root: The stream of the whole documents, selected or not.
        streams: The selected streams.
        companies: Each is read by itself.
        batch_config: Write batch files instead of records, if given.
    """

    def __init__(
        self,
        root: DocumentStream,
        streams: Sequence[ErpStream],
        companies: Sequence[str],
        batch_config: BatchConfig | None = None,
    ) -> None:
        self._root = root
        self._tap = cast("ErpTap", root._tap)  # noqa: SLF001 - the SDK has no other way to it
        self._streams = streams
        self._companies = companies
        self.outlets = Outlets(batch_config)
        # One stream that wants everything makes the shared read a full one.
        self.whole = [s for s in streams if s.replication_method == REPLICATION_FULL_TABLE]
        self._documents_read = 0
        self._rows_since_state = 0
        self._state_written = time.monotonic()

    @abstractmethod
    def is_read(self, company: str) -> bool:
        """Read a company; False if it does not have these documents."""

    def run(self) -> None:
        """Read all companies, then say which full read counts."""
        for stream in self._streams:
            # The SDK announces the schema of the stream it runs, which is not that of its lines.
            if stream is not self._root:
                stream.write_schema()
        versions = self._begin_versions()
        try:
            read = [self.is_read(company) for company in self._companies]
        except SystemExit:
            # told to end, between two rows: what was read so far counts
            self.write_state()
            raise
        self.outlets.flush()
        for stream, version in versions.items():
            stream.set_version(None)
            stream.stream_state.pop("version", None)
            # A version also disowns the rows of a company that could not be read: then there is none.
            if all(read) and self._tap.emits_versions:
                stream.write_version(version)
        self.write_state()

    def _begin_versions(self) -> dict[ErpStream, int]:
        """Number the full reads; one that was interrupted goes on under its own number."""
        versions: dict[ErpStream, int] = {}
        for stream in self.whole:
            versions[stream] = stream.stream_state.setdefault("version", self._tap.initialized_at)
            stream.set_version(versions[stream])
        return versions

    def count_document(self) -> None:
        """Count a document; a dry run has a limit."""
        self._root.check_limit(self._documents_read)
        self._documents_read += 1

    def write(self, stream: ErpStream, row: Record) -> None:
        """Write a row."""
        self.outlets.write(stream, row)
        self._rows_since_state += 1

    def write_state_sometimes(self) -> None:
        """Emit the state between pages, not after each of them: it holds every stream's bookmarks."""
        enough = self._rows_since_state >= self._root.STATE_MSG_FREQUENCY
        if enough or time.monotonic() - self._state_written >= STATE_SECONDS:
            self.write_state()

    def write_state(self) -> None:
        """Emit the state, after all that it counts."""
        # Rows still held back for a batch file would be lost behind a state that counts them.
        self.outlets.flush()
        self._tap.state_writer.write_state(self._tap.state)
        self._rows_since_state, self._state_written = 0, time.monotonic()
