"""What loading needs of a way to a warehouse, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ml_connector.load.schema import Column

Statement: TypeAlias = tuple[str, tuple[Any, ...]]
"""SQL with ``?`` where its parameters go, and the parameters: str, int, bool or None."""

Late: TypeAlias = Callable[[], Statement]
"""A statement that is made as late as can be: with the ids of those before it, where they are known."""


@dataclass(frozen=True)
class StagedFile:
    """A Parquet file on its way into the warehouse.

    Attributes:
        path: The file.
        columns: Its columns, with the kinds that the stream wants.
        texts: Names of the columns whose values are in the file as text, to be parsed on the way into the
            table: nested JSON, and moments with more digits than Arrow's timestamps hold.
        count: How many rows it has.
    """

    path: Path
    columns: Sequence[Column]
    texts: frozenset[str]
    count: int


class Connection(Protocol):
    """A way to a warehouse, over whatever transport; one thread uses it at a time."""

    statement_ids: list[str]
    """Query ids of the statements since the list was last cleared."""

    ids_follow: bool
    """Whether the ids of a transaction's statements are known only once it is committed."""

    transaction_bytes: int | None
    """How many bytes the texts and parameters of one transaction may have together; None for any number."""

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

    def stage(self, schema: str, name: str, file: StagedFile) -> None:
        """Bring a Parquet file to where the next transactions find it: as a table of that name.

        Raises:
            LoadError: As for :meth:`execute`, or if another number of rows arrived.
        """

    def unstage(self, schema: str, names: Sequence[str]) -> None:
        """Remove what :meth:`stage` made; what cannot be removed is left. Never raises."""

    def tag(self, what: str) -> None:
        """Say what the statements that follow are for, where the warehouse writes that down; "" for the run.

        Raises:
            LoadError: As for :meth:`execute`.
        """

    def cancel(self) -> None:
        """Stop the statement that runs, from another thread, as the process is about to end; never raises."""

    def close(self) -> None:
        """End the session; never raises."""
