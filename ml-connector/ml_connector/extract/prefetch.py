"""Fetch the next pages while the previous ones are being written."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

T = TypeVar("T")


@dataclass(frozen=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True)
class _Failure:
    error: BaseException


_END = object()


def prefetch(pages: Iterable[T], ahead: int) -> Generator[T, None, None]:
    """Yield what `pages` yields, with up to `ahead` items fetched in the background.

    One thread does the fetching, so that the source sees one request at a time, in order. An exception of
    the source surfaces after the items that came before it. Closing the generator (or dropping it) stops the
    thread before it asks for another item.

    Args:
        pages: The source; it is advanced by the background thread only.
        ahead: How many items may be waiting or being fetched; 0 fetches each item when it is asked for.

    Yields:
        The items in their order.

    Raises:
        ValueError: `ahead` is negative.
    """
    if ahead < 0:
        raise ValueError(f"The setting prefetch_pages is {ahead}: give 0 (no prefetching) or more.")
    if ahead == 0:
        yield from pages
        return
    results: queue.SimpleQueue[object] = queue.SimpleQueue()
    room = threading.Semaphore(ahead)
    stopped = threading.Event()
    thread = threading.Thread(
        target=_fetch, args=(iter(pages), results, room, stopped), name="prefetch", daemon=True
    )
    thread.start()
    try:
        while (result := results.get()) is not _END:
            if isinstance(result, _Failure):
                raise result.error
            # The item leaves the queue: the next one is fetched while the caller works on this one.
            room.release()
            yield result.value  # type: ignore[attr-defined]
    finally:
        stopped.set()
        room.release()
        # A thread in the middle of a request ends with that request; it is a daemon, nobody waits for it.
        thread.join(timeout=1)


def _fetch(
    pages: Iterator[T],
    results: queue.SimpleQueue[object],
    room: threading.Semaphore,
    stopped: threading.Event,
) -> None:
    try:
        while room.acquire() and not stopped.is_set():
            try:
                value = next(pages)
            except StopIteration:
                break
            results.put(_Item(value))
        results.put(_END)
    except BaseException as error:  # noqa: BLE001 - every failure belongs to the consumer, who re-raises it
        results.put(_Failure(error))
    finally:
        # The generator is closed by the thread that ran it: another thread could meet it in mid step.
        close = getattr(pages, "close", None)
        if close is not None:
            with suppress(Exception):
                close()
