"""Changes side by side: several sessions load different tables, one table's changes stay in order.

States go out in the order they came, each once all that came before it is committed.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ml_connector.load.changes import Change
    from ml_connector.load.loader import Loader

_MOST_TOGETHER = 200
_MOST_BYTES = 4_000_000
"""Changes, and bytes of their rows, that share one transaction at most."""
_WORTH_A_SESSION = 25
"""So many small changes are worth a login of their own."""


@dataclass(eq=False)
class _State:
    """A state that waits for what came before it."""

    value: dict[str, Any]


class Scheduler:
    """Gives changes to sessions, each a thread with a loader of its own.

    The first change that fails for good is the last one begun: what comes after it in order must not happen
    without it. Its error is raised to whoever gives the next change, or waits.

    Args:
        first: The loader whose session is open.
        open_loader: Makes another one.
        sessions: How many there may be.
        emit_states: Lets states out, in order, over a loader.
        loaded: Told of each change that is committed.
        waiting_bytes: How many bytes may wait before whoever gives more has to wait too.
    """

    def __init__(
        self,
        first: Loader,
        open_loader: Callable[[], Loader],
        *,
        sessions: int,
        emit_states: Callable[[Loader, list[dict[str, Any]]], None],
        loaded: Callable[[Change], None],
        waiting_bytes: int,
    ) -> None:
        self._open_loader = open_loader
        self._sessions = sessions
        self._emit_states = emit_states
        self._loaded = loaded
        self._waiting_bytes = waiting_bytes
        self._idle_loaders = [first]
        self._loaders = [first]
        self._threads = 0
        self._idle = 0
        self._queue: list[Change] = []
        self._order: deque[Change | _State] = deque()
        self._done: set[int] = set()
        self._busy: set[str] = set()
        self._emitting = False
        self._error: BaseException | None = None
        self._condition = threading.Condition()

    def submit(self, changes: Sequence[Change]) -> None:
        """Give changes that are due together.

        Raises:
            BaseException: What an earlier one failed with.
        """
        with self._condition:
            self._check()
            self._queue += changes
            self._order += changes
            self._wake()
            while self._error is None and self._is_full():
                self._condition.wait()
            self._check()

    def emit_state(self, state: dict[str, Any]) -> None:
        """Let a state out once all that was given before it is committed.

        Raises:
            BaseException: What an earlier change failed with.
        """
        with self._condition:
            self._check()
            self._order.append(_State(state))
            self._wake()

    def wait(self) -> None:
        """Wait until everything is done.

        Raises:
            BaseException: What something failed with.
        """
        self.settle()
        with self._condition:
            self._check()

    def settle(self) -> None:
        """Wait until everything is done or dropped, whatever became of it."""
        with self._condition:
            while self._busy or self._emitting or (self._error is None and self._order):
                self._condition.wait()

    def dropped(self) -> list[Change]:
        """What was given and not begun, because something before it failed."""
        with self._condition:
            return list(self._queue)

    def cancel(self) -> None:
        """Have the warehouse stop what it does for this process, as it is about to end."""
        for loader in self._loaders:
            loader.connection.cancel()

    def close(self) -> None:
        """End every session; to be called when nothing is being done any more."""
        for loader in self._loaders:
            loader.connection.close()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _is_full(self) -> bool:
        large = sum(change.size is None for change in self._queue)
        return large > self._sessions or sum(change.size or 0 for change in self._queue) > self._waiting_bytes

    def _wake(self) -> None:
        """Have a session do what can be done; a new one only where there is work beyond the others."""
        large = {change.table.path for change in self._queue if change.size is None} - self._busy
        small = sum(change.size is not None for change in self._queue)
        needed = len(large) + -(-small // _WORTH_A_SESSION) or int(not self._threads)
        while self._idle < needed and self._threads < self._sessions:
            # a daemon: when the process is told to die at once, it does
            threading.Thread(target=self._work, name=f"loader-{self._threads}", daemon=True).start()
            self._threads += 1
            self._idle += 1
        self._condition.notify_all()

    def _work(self) -> None:
        loader: Loader | None = None
        while True:
            with self._condition:
                task = self._next()
                while task is None:
                    self._condition.wait()
                    task = self._next()
                self._idle -= 1
            try:
                loader = loader or self._take_loader()
                self._do(loader, task)
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that reads
                with self._condition:
                    self._error = self._error or error
            finally:
                with self._condition:
                    self._finished(task)
                    self._idle += 1
                    self._condition.notify_all()

    def _take_loader(self) -> Loader:
        with self._condition:
            if self._idle_loaders:
                return self._idle_loaders.pop()
        loader = self._open_loader()
        with self._condition:
            self._loaders.append(loader)
        return loader

    def _do(self, loader: Loader, task: list[Change] | list[_State]) -> None:
        changes = [each for each in task if not isinstance(each, _State)]
        if changes:
            loader.load(changes)
            for change in changes:
                self._loaded(change)
        else:
            self._emit_states(loader, [each.value for each in task if isinstance(each, _State)])

    def _next(self) -> list[Change] | list[_State] | None:
        """What a session can do now: states whose turn it is, or changes of tables that nobody works on."""
        if self._error is not None:
            return None
        if not self._emitting and (states := self._due_states()):
            self._emitting = True
            return states
        picked = self._pick()
        for change in picked:
            self._queue.remove(change)
            self._busy.add(change.table.path)
        return picked or None

    def _due_states(self) -> list[_State]:
        while self._order and id(self._order[0]) in self._done:
            self._done.discard(id(self._order.popleft()))
        states = []
        for entry in self._order:
            if isinstance(entry, _State):
                states.append(entry)
            elif id(entry) not in self._done:
                break
        return states

    def _pick(self) -> list[Change]:
        taken = set(self._busy)
        small = sum(change.size is not None for change in self._queue)
        share = min(_MOST_TOGETHER, max(_WORTH_A_SESSION, -(-small // self._sessions)))
        picked: list[Change] = []
        size = 0
        for change in self._queue:
            if change.table.path in taken:
                continue
            if change.size is None:
                if not picked:
                    return [change]
                taken.add(change.table.path)  # what comes after it for this table has to wait
                continue
            if picked and (len(picked) >= share or size + change.size > self._most_bytes()):
                break
            picked.append(change)
            size += change.size
            if change.repeats:
                taken.add(change.table.path)
        return picked

    def _most_bytes(self) -> int:
        limits = [loader.connection.transaction_bytes for loader in self._loaders]
        return min([_MOST_BYTES, *(limit for limit in limits if limit is not None)])

    def _finished(self, task: list[Change] | list[_State]) -> None:
        for each in task:
            if isinstance(each, _State):
                self._emitting = False
                if self._error is None:
                    self._order.remove(each)
            else:
                self._busy.discard(each.table.path)
                self._done.add(id(each))
        if self._error is None:
            self._due_states()
