"""First pages of several objects, asked for in one request: the gateway takes many functions at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tap_sageintacct import preferences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ml_connector.extract.source import ReadRequest

    from tap_sageintacct.query import Query
    from tap_sageintacct.session import Session
    from tap_sageintacct.xml import Result

_AT_ONCE = 19
"""Questions in one request, beside the one for the user's preferences."""


class FirstPages:
    """Keeps what will be asked, and what was answered before its turn.

    Args:
        session: Asks the gateway.
        what: Names an object for a person.
    """

    def __init__(self, session: Session, what: Callable[[str], str]) -> None:
        self._session = session
        self._what = what
        self._lock = threading.RLock()
        self._waiting: list[tuple[ReadRequest, Query]] = []
        self._answered: list[tuple[ReadRequest, Query, Result]] = []

    def expect(self, waiting: Sequence[tuple[ReadRequest, Query]]) -> None:
        """Say what will be asked."""
        self._waiting = list(waiting)

    def ask(self, judge: Callable[[Result], None] | None, user: str) -> None:
        """Ask the first of them, and with them how the user sees time stamps.

        Args:
            judge: Told the user's preferences; None if they are not asked for.
            user: Whose.
        """
        self._ask(0, judge, user)

    def take(self, request: ReadRequest) -> tuple[Query, Result] | None:
        """An answer that came early, once; None if it was not asked for together with others."""
        with self._lock:
            for place, (expected, _) in enumerate(self._waiting):
                if expected == request:
                    self._ask(place)
                    break
            for place, (expected, asked, result) in enumerate(self._answered):
                if expected == request:
                    del self._answered[place]
                    return asked, result
        return None

    def _ask(self, first: int, judge: Callable[[Result], None] | None = None, user: str = "") -> None:
        some = self._waiting[first : first + _AT_ONCE]
        self._waiting = [*self._waiting[:first], *self._waiting[first + len(some) :]]
        functions = [(self._what(asked.name), asked.element()) for _, asked in some]
        if judge is not None:
            functions.append((self._what(preferences.WHAT), preferences.asked(user)))
        results = self._session.several(functions)
        if judge is not None:
            judge(results.pop())
        self._answered += [(*each, result) for each, result in zip(some, results, strict=True)]
