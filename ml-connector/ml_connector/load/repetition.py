"""Batches of append-only streams that a killed run has loaded already.

A run that was killed between a commit and the state that promises it is followed by one that reads the same
records again. Without a key nothing tells a row from its repetition, but the ledger has the digest of each
batch: the new run's batches are the old one's, in the same order, for as long as their digests agree.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ml_connector.load.sql.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml_connector.load.loader import Loader
    from ml_connector.load.runs import RunNote

logger = logging.getLogger(__name__)


@dataclass
class _Digests:
    """What was loaded of one stream and never promised.

    Attributes:
        digests: Of the batches, in their order.
        begin: Those before it are promised by now.
        next: The one that is to come next.
        end: Those from it on are not expected any more.
    """

    digests: list[str]
    begin: int = 0
    next: int = 0
    end: int = 0


class Repetitions:
    """What was loaded and never promised, by stream.

    Args:
        unpromised: Digests of the batches, in their order.
        write_down: Told what is still unpromised when less of it is expected, for the run after this one.
    """

    def __init__(
        self,
        unpromised: Mapping[str, Sequence[str]],
        write_down: Callable[[dict[str, list[str]]], None] = lambda _: None,
    ) -> None:
        self._streams = {
            stream: _Digests(list(digests), end=len(digests)) for stream, digests in unpromised.items()
        }
        self._write_down = write_down
        self._lock = threading.Lock()

    @classmethod
    def of_dead_runs(
        cls, loader: Loader, dead: Sequence[RunNote], write_down: Callable[[dict[str, list[str]]], None]
    ) -> Repetitions:
        """Ask the ledger what dead runs loaded after the last state that they let out, replays too."""
        path = quoted(loader.ledger.schema, "BATCHES")
        sql = (
            f'SELECT "STREAM", "SHA256" FROM {path} WHERE "SEQUENCE" > ?'
            ' AND ("RUN_ID" = ? AND "STATUS" = \'loaded\' OR "REPLAYS" LIKE ? AND "STATUS" = \'replayed\')'
            ' AND "LOAD_METHOD" = \'append-only\' AND "RECORDS_READ" > 0 ORDER BY "SEQUENCE"'
        )
        unpromised: dict[str, list[str]] = {}
        for note in dead:
            ask = partial(loader.connection.execute, sql, (note.promised, note.run_id, f"{note.run_id}-%"))
            # a dead run may itself have followed one, and first met what that one had loaded
            own = {stream: list(digests) for stream, digests in note.unpromised.items()}
            for stream, digest in loader.retrying("The ledger", ask):
                own.setdefault(str(stream), []).append(str(digest))
            unpromised |= {stream: digests for stream, digests in own.items() if digests}
        return cls(unpromised, write_down)

    def is_next(self, stream: str, digest: str) -> bool:
        """Whether a stream's next batch is the one that was loaded next; the first that is not ends it."""
        found = self._streams.get(stream)
        if found is None or found.next >= found.end:
            return False
        with self._lock:
            same = found.digests[found.next] == digest
            if same:
                found.next += 1
            else:
                found.end = found.next
            unpromised = self._unpromised()
        if not same:
            self._write_down(unpromised)
            return False
        logger.warning(
            "Stream '%s': a batch is not loaded again, as a run that was killed has loaded it already.",
            stream,
        )
        return True

    def positions(self) -> dict[str, int]:
        """How much of it has come again by now."""
        return {stream: found.next for stream, found in self._streams.items()}

    def promise(self, positions: Mapping[str, int]) -> dict[str, list[str]]:
        """Forget what a state promises, and give what is left.

        Args:
            positions: What :meth:`positions` gave when the state came.
        """
        with self._lock:
            for stream, position in positions.items():
                self._streams[stream].begin = position
            return self._unpromised()

    @property
    def unpromised(self) -> dict[str, list[str]]:
        """What no state has promised yet."""
        with self._lock:
            return self._unpromised()

    def _unpromised(self) -> dict[str, list[str]]:
        left = {stream: found.digests[found.begin : found.end] for stream, found in self._streams.items()}
        return {stream: digests for stream, digests in left.items() if digests}
