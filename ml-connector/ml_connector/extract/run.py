"""What a run reads side by side: kinds of documents and companies, the messages of each stream in order."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ml_connector.extract.errors import ApiError, SignInRefused, StreamUnavailable
from ml_connector.extract.read import CompanyRead
from ml_connector.extract.record_writer import RecordWriter
from ml_connector.extract.report import Progress, closing_lines, counted
from ml_connector.extract.selection import selection_of, shape_of
from ml_connector.extract.shared import Feed, Run
from ml_connector.extract.source import BundlingSource

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from ml_connector.extract.shared import Outcome, ReadSettings
    from ml_connector.extract.streams import DocumentStream, ResourceStream
    from ml_connector.extract.writer import ExactWriter

STATE_SECONDS = 5.0
STATE_SHARE = 20
"""A state is written when at least that many times its length was written since the last one."""


class TapRun:
    """One run: its reads, what came of them, and its state on the way.

    Args:
        settings: How it reads.
        writer: Where messages go.
        state: All bookmarks.
        logger: For a person.
    """

    def __init__(
        self, settings: ReadSettings, writer: ExactWriter, state: Mapping[str, Any], logger: logging.Logger
    ) -> None:
        self._writer, self._state, self._logger = writer, state, logger
        self._outcomes: list[Outcome] = []
        self._progress = Progress()
        self._shared = Run(settings, logger, self._is_due, self.checkpoint)
        self._begun = self._state_written = time.monotonic()
        self._bytes_then = self._state_length = 0

    def announce(self, roots: Sequence[DocumentStream]) -> None:
        """Tell sources that answer several questions at once what they will be asked first."""
        for partition in roots[0].tap.partitions if roots else ():
            source = roots[0].tap.source(partition)
            if isinstance(source, BundlingSource):
                source.expect([company_read(root, partition, self.of(root)).opening() for root in roots])

    def read(self, roots: Sequence[DocumentStream], workers: int) -> None:
        """Read kinds of documents in all companies.

        Args:
            roots: The streams of the documents, selected or not.
            workers: How many reads there are at once.
        """
        # lines that are asked for by themselves follow their documents
        for follows in (False, True):
            kinds = [KindRead(root, self) for root in roots if bool(root.resource.parent) is follows]
            reads = [partial(kind.read, partition) for kind in kinds for partition in kind.partitions]
            try:
                if workers > 1 and len(reads) > 1:
                    _at_once(reads, workers, roots[0].tap.close)
                else:
                    for read in reads:
                        read()
            finally:
                # a dry run that has seen enough ends in the middle
                self._writer.flush()

    def of(self, root: DocumentStream) -> Run:
        """What a read of some documents shares with others."""
        written, first = 0, root.outputs[0].name

        def count(name: str, rows: int) -> None:
            nonlocal written
            if name == first and root.ABORT_AT_RECORD_COUNT is not None:
                # of whole pages, so that the lines of their documents are among it
                root._check_max_record_limit(written)  # noqa: SLF001 - the SDK's dry run has no other way
            written += rows
            with self._shared.lock:
                self._progress.count(name, rows, self._logger)

        return replace(self._shared, count=count)

    def note(self, outcome: Outcome) -> None:
        """Keep what came of a read, and say it in one line."""
        with self._shared.lock:
            self._outcomes.append(outcome)
        if not outcome.skipped and not outcome.failed:
            self._logger.info(
                "%s of %s: %s in %s%s.",
                outcome.stream,
                outcome.company,
                counted(outcome.records, "record"),
                counted(outcome.pages, "page"),
                f", up to {outcome.watermark}" if outcome.watermark else "",
            )

    def checkpoint(self, *, force: bool = True) -> None:
        """Write the state, after all that it counts."""
        with self._shared.lock:
            if force or self._is_due():
                self._state_length = self._writer.write_state(self._state)
                self._state_written, self._bytes_then = time.monotonic(), self._writer.bytes_written

    def tell(self) -> bool:
        """Say what came of all reads; whether the run is a good one."""
        lines, failed = closing_lines(self._outcomes, time.monotonic() - self._begun)
        for line in lines:
            (self._logger.error if failed else self._logger.info)("%s", line)
        return not failed

    def _is_due(self) -> bool:
        """Whether time and bytes since the last state are enough for another: it holds all bookmarks."""
        if time.monotonic() - self._state_written < STATE_SECONDS:
            return False
        return self._writer.bytes_written - self._bytes_then >= STATE_SHARE * self._state_length


def _at_once(reads: Sequence[Callable[[], None]], workers: int, give_up: Callable[[], None]) -> None:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="read")
    try:
        for each in [pool.submit(read) for read in reads]:
            each.result()
    except BaseException:
        # told to end, or refused: what waits is not begun, and requests on their way are given up
        pool.shutdown(wait=False, cancel_futures=True)
        give_up()
        raise
    finally:
        pool.shutdown()


class KindRead:
    """Reads one kind of document: its streams open before the first company, and end after the last one.

    Companies may be read at once; what fails in one does not keep the others from being read.

    Args:
        root: The stream of the documents, selected or not.
        run: The run.
    """

    def __init__(self, root: DocumentStream, run: TapRun) -> None:
        self._root, self._run, self._outputs = root, run, root.outputs
        self.partitions = root.tap.partitions
        """The companies."""
        batch_config = root.get_batch_config(root.config)
        self._batches = RecordWriter(batch_config) if batch_config else None
        self._versions: dict[ResourceStream, int] = {}
        self._reads: list[tuple[Mapping[str, Any], CompanyRead]] = []
        self._whole = True
        self._left = len(self.partitions)
        self._lock = threading.Lock()

    def read(self, partition: Mapping[str, Any]) -> None:
        """Read a company.

        Raises:
            SignInRefused: The credentials do not work.
        """
        with self._lock:
            if not self._reads:
                self._open()
        read = next(read for each, read in self._reads if each == partition)
        complete = self._try(read)
        with self._lock:
            self._whole = self._whole and complete
            self._left -= 1
            if not self._left:
                self._close()
        self._run.note(read.outcome)

    def _open(self) -> None:
        tap, refresh = self._root.tap, self._root.is_refreshed
        for stream in self._outputs:
            if stream.whole or refresh:
                # one that was interrupted goes on under its own number
                self._versions[stream] = stream.stream_state.setdefault("version", tap.initialized_at)
            stream.open(self._versions.get(stream), self._batches)
        run = self._run.of(self._root)
        if self._batches is not None:
            run = replace(run, write_state=partial(_after_files, self._batches, run.write_state))
        self._reads = [(each, company_read(self._root, each, run)) for each in self.partitions]

    def _try(self, read: CompanyRead) -> bool:
        """Read a company, or say why it cannot be read; whether nothing is lacking."""
        outcome, logger = read.outcome, self._root.logger
        try:
            read.run()
        except StreamUnavailable as missing:
            outcome.skipped = str(missing)
            names = ", ".join(stream.name for stream in self._outputs)
            logger.warning("%s skipped for %s: %s", names, outcome.company, missing)
        except SignInRefused:
            raise
        except ApiError as error:
            outcome.failed.append(str(error))
            logger.error("%s of %s failed: %s", self._root.name, outcome.company, error)  # noqa: TRY400 - a sentence
        return not outcome.skipped and not outcome.failed

    def _close(self) -> None:
        """Tell of what was read whole, and write the state."""
        tap = self._root.tap
        if self._batches is not None:
            self._batches.flush()
        for stream, version in self._versions.items():
            # other people's targets do not know partitions: a version would disown the rows of those not read
            if self._whole and tap.emits_versions:
                stream.activate(version, tap.read_whole(self.partitions))
            if not any("progress" in stream.partition(each) for each in self.partitions):
                stream.stream_state.pop("version", None)
            stream.open_version(None)
        self._run.checkpoint()


def company_read(root: DocumentStream, partition: Mapping[str, Any], run: Run) -> CompanyRead:
    """The read of a company.

    Args:
        root: The stream of the documents.
        partition: Which company.
        run: What it shares with others.
    """
    outputs = root.outputs
    selection = selection_of(root.resource, [stream.plan for stream in outputs])
    shape = shape_of(
        root.resource,
        {(): root.schema["properties"], **{each.path: each.schema["properties"] for each in outputs}},
    )
    feeds = [Feed(each.plan, each.partition(partition), each.write, each.whole) for each in outputs]
    source = root.tap.source(partition)
    return CompanyRead(source, root.resource, feeds, selection, shape, run, refresh=root.is_refreshed)


def _after_files(batches: RecordWriter, write_state: Callable[[], None]) -> None:
    """A state follows the rows that it counts, also those that wait for their file."""
    batches.flush()
    write_state()
