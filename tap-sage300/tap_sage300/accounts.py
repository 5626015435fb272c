"""The chart of accounts, for lines that name an account and not its segments."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import msgspec
from ml_connector.extract.asking import read_pages
from ml_connector.extract.errors import Denied, StreamUnavailable
from ml_connector.extract.rows import PageColumns
from ml_connector.extract.source import ReadRequest, Selection, Texts

from tap_sage300.streams import RESOURCES

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from ml_connector.extract.source import Source

CHART = next(resource for resource in RESOURCES if resource.entity_set == "GLAccounts")
"""The entity set that has the segments."""
_NUMBERS = ("UnformattedAccount", "AccountNumber")


class ChartOfAccounts:
    """One company's accounts, read once, when the first line asks.

    They are kept in memory: 330 bytes an account if all columns are wanted, 33 MB for 100,000 accounts.
    A line gets what its account has when the line is read: Sage 300 does not let an account change its
    segments, but it lets it change its group.

    Args:
        source: The company.
        columns: What lines want to know of their accounts, out of `SEGMENTS`; nothing else is asked for.
        logger: Is told of accounts that are not there.
    """

    def __init__(
        self, source: Source, columns: Callable[[], Collection[str]], logger: logging.Logger
    ) -> None:
        self._source, self._columns, self._logger = source, columns, logger
        self._place: dict[str, int] = {}
        self._accounts: Mapping[str, Sequence[Any]] | None = None
        self._unknown: dict[str, None] = {}
        self._readable = True
        self._lock = threading.Lock()

    def columns(self, numbers: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
        """Look accounts up.

        Args:
            numbers: The accounts as lines name them, with or without separators.
            names: What to tell of them, out of the chart's columns.

        Returns:
            A column for each name; nulls for a line without an account, or with one that is not in the chart.

        Raises:
            Denied: The user may not read GLAccounts.
            ApiError: The server fails.
        """
        with self._lock:
            if self._accounts is None:
                self._accounts = _Known(self._read(names), self._note)
        accounts = self._accounts
        nothing = (None,) * len(self._place)
        rows = [accounts[number] or nothing for number in numbers]
        columns = dict(zip(self._place, map(Texts, zip(*rows, strict=True)), strict=False))
        return {name: columns.get(name) or Texts([None] * len(rows)) for name in names}

    def tell_unknown(self) -> None:
        """Warn once about the accounts that lines named and the chart did not have; then forget them."""
        unknown = list(self._unknown)
        self._unknown.clear()
        if unknown:
            self._logger.warning(
                "Company %s: %d accounts have lines but are not in GLAccounts, the first of them %s; the"
                " segments and group of these lines are null.",
                *self._source.partition.values(),
                len(unknown),
                unknown[0],
            )

    def _note(self, number: Any) -> None:
        if number and number is not msgspec.UNSET and self._readable:
            self._unknown[str(number)] = None

    def _read(self, names: Sequence[str]) -> dict[Any, Sequence[Any]]:
        wanted = sorted({*names, *self._columns()})
        self._place = {name: place for place, name in enumerate(wanted)}
        found: dict[Any, Sequence[Any]] = {}
        try:
            for page in self._pages(frozenset({*_NUMBERS, *wanted})):
                count = page.count(())
                columns = [page.column((), name) or [None] * count for name in wanted]
                rows = [tuple(map(_shared, row)) for row in zip(*columns, strict=True)] or [()] * count
                for name in _NUMBERS:
                    for number, row in zip(page.column((), name) or (), rows, strict=False):
                        if number and number is not msgspec.UNSET:
                            found.setdefault(number, row)
        except StreamUnavailable as missing:
            self._readable = False
            self._logger.warning(
                "Company %s: the segments and groups of its ledger lines are null. %s",
                *self._source.partition.values(),
                missing,
            )
        except Denied as refused:
            raise Denied(
                f"{refused} Ledger lines take {', '.join(wanted)} of their accounts from there: to do"
                " without, deselect these columns."
            ) from refused
        return found

    def _pages(self, fields: frozenset[str]) -> Iterator[PageColumns]:
        texts: dict[str, Mapping[str, Any]] = {name: {"type": ["string", "null"]} for name in fields}
        # a shape without the other fields would make this selection look like all of them
        every = {**texts, "Description": {"type": ["string", "null"]}}
        shape: dict[tuple[str, ...], Mapping[str, Mapping[str, Any]]] = {(): every}
        request = ReadRequest(CHART, Selection(fields), shape=shape)
        converters = {name: self._source.converter(described) for name, described in texts.items()}
        for page in read_pages(self._source, request, 0):
            yield PageColumns(page.levels(), {(): converters})


class _Known(dict[Any, Any]):
    """Accounts by number; those that are not there are noted once."""

    def __init__(self, found: Mapping[Any, Any], note: Callable[[Any], None]) -> None:
        super().__init__(found)
        self._note = note

    def __missing__(self, number: Any) -> None:
        self._note(number)
        self[number] = None


def _shared(value: Any) -> Any:
    """Keep one copy of a text: segments and groups repeat from account to account."""
    if value is msgspec.UNSET:
        return None
    return sys.intern(value) if isinstance(value, str) else value
