"""One thread that does jobs in order: a batch is loaded while the next one is decoded."""

from __future__ import annotations

import threading
from queue import Queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker:
    """Does jobs one after the other, in a thread of its own.

    The first job that fails is the last one done: what comes after it in order must not happen without it.
    Its error is raised to whoever gives the next job, or waits.
    """

    def __init__(self, waiting: int = 1) -> None:
        """Make the worker; its thread starts with the first job.

        Args:
            waiting: How many jobs may wait while one is done; giving another one waits for its turn.
        """
        self._jobs: Queue[Callable[[], None]] = Queue(waiting)
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Give a job.

        Raises:
            BaseException: What an earlier job failed with.
        """
        self._check()
        if self._thread is None:
            # a daemon: when the process is told to die at once, it does
            self._thread = threading.Thread(target=self._work, name="loader", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def wait(self) -> None:
        """Wait until every job is done.

        Raises:
            BaseException: What one of them failed with.
        """
        self._jobs.join()
        self._check()

    def settle(self) -> None:
        """Wait until every job is done or dropped, whatever became of them."""
        self._jobs.join()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                if self._error is None:
                    job()
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that reads
                self._error = error
            finally:
                self._jobs.task_done()
