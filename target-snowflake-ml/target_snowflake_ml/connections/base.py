"""What the target needs of a connection, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Connection(Protocol):
    """One session with a Snowflake account."""

    statement_ids: list[str]
    """Query ids of the statements since the list was last cleared."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows.

        Raises:
            TransientLoadError: If the same statement may succeed later.
            LoadError: If it cannot.
        """

    def tag(self, what: str) -> None:
        """Say in QUERY_TAG what the statements that follow are for.

        Raises:
            LoadError: As for :meth:`execute`.
        """

    def close(self) -> None:
        """End the session; never raises."""
