"""What the target needs of a connection, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ml_connector.load.schema import Column

Statement: TypeAlias = tuple[str, tuple[Any, ...]]
"""SQL with %s where its parameters go, and the parameters."""

Late: TypeAlias = Callable[[], Statement]
"""A statement that is made as late as can be: with the ids of those before it, where they are known."""


class Connection(Protocol):
    """A way to a Snowflake account, over one transport or the other."""

    statement_ids: list[str]
    """Query ids of the statements since the list was last cleared."""

    ids_follow: bool
    """Whether the ids of a transaction's statements are known only once it is committed."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows.

        Raises:
            TransientLoadError: If the same statement may succeed later.
            LoadError: If it cannot.
        """

    def transaction(self, statements: Sequence[Statement | Late]) -> None:
        """Run statements of which either all or none take effect; none of them may be DDL.

        Raises:
            LoadError: As for :meth:`execute`.
        """

    def use(self, schema: str) -> None:
        """Take unqualified names to be of a schema, from now on.

        Raises:
            LoadError: As for :meth:`execute`.
        """

    def stage(self, name: str, columns: Sequence[Column], path: Path, count: int) -> None:
        """Bring a Parquet file to where the next transactions find it: as a table of the current schema.

        Args:
            name: Name of that table.
            columns: Its columns; nested values are there as their JSON text.
            path: The file.
            count: How many rows it has.

        Raises:
            LoadError: As for :meth:`execute`, or if another number of rows arrived.
        """

    def unstage(self, names: Sequence[str]) -> None:
        """Remove what :meth:`stage` made; what cannot be removed is left."""

    def tag(self, what: str) -> None:
        """Say in QUERY_TAG what the statements that follow are for.

        Raises:
            LoadError: As for :meth:`execute`.
        """

    def cancel(self) -> None:
        """Stop the statement that runs, from another thread, as the process is about to end; never raises."""

    def close(self) -> None:
        """End the session; never raises."""
