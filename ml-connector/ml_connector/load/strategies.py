"""Load methods: each one object, from a table and the rows of a batch to the statements that load them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.load.sql import merge, scd2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml_connector.load.connection import Statement
    from ml_connector.load.sql.dialect import Dialect
    from ml_connector.load.sql.merge import Loading
    from ml_connector.load.sql.table import Table


class LoadMethod:
    """How the records of a stream become rows.

    Attributes:
        name: The value of the setting ``load_method``.
        needs_key: Whether a stream without key properties cannot be loaded so.
        without_key: Name of the method that takes its place for a stream without key properties, if one does.
        keeps_history: Whether the table has a row for each version of a record.
        replaces: Whether the rows of a run take the place of those that the table has.
        repeats: Whether a record that is loaded twice is two rows.
    """

    name = ""
    needs_key = False
    without_key = ""
    keeps_history = False
    replaces = False
    repeats = False

    def load(self, loading: Loading) -> list[Statement]:
        """Statements that put a batch's rows into the table."""
        raise NotImplementedError

    def lost_lines(self, loading: Loading) -> Statement:
        """The statement that marks lines which the batch's documents no longer have."""
        return merge.lost_lines(loading)

    def soft_delete_absent(
        self,
        table: Table,
        dialect: Dialect,
        version: int,
        partitions: Statement | None,
        *,
        moment: str,
        sequence: int,
    ) -> Statement:
        """The statement that marks what a complete read did not bring; see :func:`merge.absent_rows`."""
        return merge.absent_rows(table, dialect, version, partitions, moment=moment, sequence=sequence)

    def removes(self, *, hard_delete: bool) -> bool:
        """Whether what is marked as deleted is removed in the end."""
        return hard_delete and not self.keeps_history


class Upsert(LoadMethod):
    """One row a key, the last one wins."""

    name = "upsert"
    without_key = "append-only"

    def load(self, loading: Loading) -> list[Statement]:
        """See :class:`LoadMethod`."""
        return merge.merge(loading)


class AppendOnly(LoadMethod):
    """Every record is a row."""

    name = "append-only"
    repeats = True

    def load(self, loading: Loading) -> list[Statement]:
        """See :class:`LoadMethod`."""
        return merge.insert(loading)


class Overwrite(LoadMethod):
    """The table holds what the last complete read brought."""

    name = "overwrite"
    replaces = True

    def load(self, loading: Loading) -> list[Statement]:
        """See :class:`LoadMethod`; the rows of before have been removed in the same transaction."""
        return merge.merge(loading) if loading.table.keys else merge.insert(loading)


class Scd2(LoadMethod):
    """Every version of a record is a row."""

    name = "scd2"
    needs_key = True
    keeps_history = True

    def load(self, loading: Loading) -> list[Statement]:
        """See :class:`LoadMethod`."""
        return scd2.merge(loading)

    def lost_lines(self, loading: Loading) -> Statement:
        """See :class:`LoadMethod`."""
        return scd2.lost_lines(loading)

    def soft_delete_absent(
        self,
        table: Table,
        dialect: Dialect,
        version: int,
        partitions: Statement | None,
        *,
        moment: str,
        sequence: int,
    ) -> Statement:
        """See :class:`LoadMethod`."""
        del sequence
        return scd2.absent_rows(table, dialect, version, partitions, moment=moment)


METHODS: Mapping[str, LoadMethod] = {
    method.name: method for method in (Upsert(), AppendOnly(), Overwrite(), Scd2())
}
"""Every load method by its name."""
