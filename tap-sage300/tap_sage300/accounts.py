"""The chart of accounts, for lines that name an account and not its segments."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_sage300.errors import StreamUnavailable
from tap_sage300.reading import documents
from tap_sage300.schema_files import SEGMENTS
from tap_sage300.streams import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_sage300.client import Sage300Client

_LOG = logging.getLogger(__name__)
_CHART = next(resource for resource in RESOURCES if resource.entity_set == "GLAccounts")
_NUMBERS = ("UnformattedAccount", "AccountNumber")


class ChartOfAccounts:
    """One company's accounts, read once, when the first line asks.

    A chart of accounts is small beside its ledger (some thousands of accounts of eleven short texts each), so
    it is kept in memory. Segments are those the account has when the line is read: Sage 300 does not let an
    account change its segments, but it lets it change its group.

    Args:
        client: The company's client.
    """

    def __init__(self, client: Sage300Client) -> None:
        self._client = client
        self._unknown: set[str] = set()

    def of(self, number: str | None, columns: Iterable[str]) -> dict[str, Any]:
        """Look an account up.

        Args:
            number: The account as a line names it, with or without separators.
            columns: What to tell of it, out of `SEGMENTS`.

        Returns:
            The values; nulls for a line without an account, or with one that the chart does not have.

        Raises:
            Sage300Error: The user may not read GLAccounts, or the server fails.
        """
        account: Mapping[str, Any] = {}
        if number is not None:
            account = self._accounts.get(number, {})
            if not account and number not in self._unknown:
                self._unknown.add(number)
                _LOG.warning(
                    "Company %s: account %s has lines but is not in GLAccounts; its segments are null.",
                    self._client.company,
                    number,
                )
        return {name: account.get(name) for name in columns}

    @cached_property
    def _accounts(self) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        try:
            for account in documents(self._client, _CHART, [*_NUMBERS, *SEGMENTS]):
                for name in _NUMBERS:
                    if account.get(name):
                        found.setdefault(account[name], account)
        except StreamUnavailable as missing:
            _LOG.warning(
                "Company %s: the segments of its accounts are null. %s", self._client.company, missing
            )
        return found
