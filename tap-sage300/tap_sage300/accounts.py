"""The chart of accounts, for lines that name an account and not its segments."""

from __future__ import annotations

import logging
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_sage300.errors import NotAllowed, StreamUnavailable
from tap_sage300.reading import documents
from tap_sage300.streams import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_sage300.client import Sage300Client

_LOG = logging.getLogger(__name__)
CHART = next(resource for resource in RESOURCES if resource.entity_set == "GLAccounts")
"""The entity set that has the segments."""
_NUMBERS = ("UnformattedAccount", "AccountNumber")


class ChartOfAccounts:
    """One company's accounts, read once, when the first line asks.

    They are kept in memory: 330 bytes an account if all columns are wanted, 33 MB for 100,000 accounts.
    A line gets what its account has when the line is read: Sage 300 does not let an account change its
    segments, but it lets it change its group.

    Args:
        client: The company's client.
        columns: What lines want to know of their accounts, out of `SEGMENTS`; nothing else is asked for.
    """

    def __init__(self, client: Sage300Client, columns: Iterable[str]) -> None:
        self._client = client
        self._place = {name: place for place, name in enumerate(sorted(columns))}
        self._unknown: dict[str, None] = {}
        self._told: set[str] = set()
        self._readable = True

    def of(self, number: str | None, columns: Iterable[str]) -> dict[str, Any]:
        """Look an account up.

        Args:
            number: The account as a line names it, with or without separators.
            columns: What to tell of it, out of the chart's columns.

        Returns:
            The values; nulls for a line without an account, or with one that the chart does not have.

        Raises:
            NotAllowed: The user may not read GLAccounts.
            Sage300Error: The server fails.
        """
        account = self._accounts.get(number) if number else None
        if account is not None:
            return {name: account[self._place[name]] if name in self._place else None for name in columns}
        if number and self._readable:
            self._unknown[number] = None
        return dict.fromkeys(columns)

    def tell_unknown(self) -> None:
        """Warn once about the accounts that lines named and the chart did not have; then forget them."""
        unknown = [number for number in self._unknown if number not in self._told]
        self._told.update(unknown)
        self._unknown.clear()
        if unknown:
            _LOG.warning(
                "Company %s: %d accounts have lines but are not in GLAccounts, the first of them %s; the"
                " segments and group of these lines are null.",
                self._client.company,
                len(unknown),
                unknown[0],
            )

    @cached_property
    def _accounts(self) -> dict[str, Sequence[Any]]:
        found: dict[str, Sequence[Any]] = {}
        try:
            for account in documents(self._client, CHART, [*_NUMBERS, *self._place]):
                values = tuple(_shared(account.get(name)) for name in self._place)
                for name in _NUMBERS:
                    if account.get(name):
                        found.setdefault(account[name], values)
        except StreamUnavailable as missing:
            self._readable = False
            _LOG.warning(
                "Company %s: the segments and groups of its ledger lines are null. %s",
                self._client.company,
                missing,
            )
        except NotAllowed as refused:
            raise NotAllowed(
                f"{refused} Ledger lines take {', '.join(self._place)} of their accounts from there: to do"
                " without, deselect these columns.",
                status=refused.status,
                code=refused.code,
            ) from refused
        return found


def _shared(value: Any) -> Any:
    """Keep one copy of a text: segments and groups repeat from account to account."""
    return sys.intern(value) if isinstance(value, str) else value
