"""The trial balance of each month, by the legacy function `get_trialbalance` (reference section 3.6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_sageintacct import filters
from tap_sageintacct.client import Query
from tap_sageintacct.errors import ObjectUnavailable
from tap_sageintacct.session import raise_for
from tap_sageintacct.streams.base import IntacctStream
from tap_sageintacct.streams.resource import Resource
from tap_sageintacct.values import converters
from tap_sageintacct.xml import element

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from singer_sdk.helpers import types

    from tap_sageintacct.client import Client, Record
    from tap_sageintacct.xml import Element

RESOURCE = Resource("trial_balances", "REPORTINGPERIOD", replication_key="END_DATE", audited=False)
AGAIN = timedelta(days=93)
"""Months that are read again: entries are posted to months that are over."""
_MONTH = "Month Ended%"
_PER_BALANCE = ("glaccountno", "reportingbook", "currency")
_DATES = {
    "START_DATE": {"type": "string", "format": "date"},
    "END_DATE": {"type": "string", "format": "date"},
}


class TrialBalanceStream(IntacctStream):
    """A row an account and month: balances, debits and credits."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # a company may keep several books and currencies: an account has a balance in each
        self.primary_keys = ("source_company", "source_entity", "END_DATE", *_PER_BALANCE)

    @override
    def get_records(self, context: types.Context | None) -> Iterable[Record]:
        yield from self._rows(self.tap.client(str((context or {})["source_entity"])), None)

    @override
    def _sync_records(
        self, context: types.Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        count = 0
        for entity in self.tap.entities:
            client = self.tap.client(entity)
            partition = self.partition(client)
            known = partition.get("replication_key_value")
            start_date = self.tap.config.get("start_date")
            since = filters.read_moment(str(known)).date() - AGAIN if known else None
            if since is None and start_date:
                since = filters.read_moment(str(start_date)).date()
            newest = known
            try:
                for row in self._rows(client, since):
                    self._check_max_record_limit(count)
                    count += 1
                    if write_messages:
                        self._outlets.write(self, row)
                    newest = row["END_DATE"]
            except ObjectUnavailable as missing:
                self.logger.warning("%s skipped for %s: %s", self.name, client.place, missing)
                continue
            if newest:
                partition |= {"replication_key": "END_DATE", "replication_key_value": newest}
        self.write_state()
        yield from ()

    def _rows(self, client: Client, since: date | None) -> Iterator[Record]:
        """The balances of each month that has begun, the oldest first."""
        convert = converters(self.asked, self.tap.zone)
        months = list(_months(client, since))
        functions = [(client.what(f"trial balance {month['NAME']}"), _asked(month)) for month in months]
        for (what, _), month, result in zip(functions, months, client.several(functions), strict=True):
            raise_for(result, what)
            for record in result.records:
                found = {**record, **month}
                found |= {name: found.get(name) or "" for name in _PER_BALANCE}
                yield {
                    "source_company": client.company,
                    "source_entity": client.entity,
                    **{
                        name: None if found[name] is None else convert[name](str(found[name]))
                        for name in convert
                        if name in found
                    },
                }


def _months(client: Client, since: date | None) -> Iterator[dict[str, Any]]:
    like = filters.compared("like", "NAME", _MONTH)
    read = converters(_DATES, timezone.utc)
    today = datetime.now(timezone.utc).date().isoformat()
    query = Query("REPORTINGPERIOD", ("RECORDNO", "NAME", "START_DATE", "END_DATE"), like)
    rows = [row for page in client.pages(query) for row in page if row["START_DATE"] and row["END_DATE"]]
    for row in sorted(rows, key=lambda row: str(read["END_DATE"](row["END_DATE"]))):
        start, end = read["START_DATE"](row["START_DATE"]), read["END_DATE"](row["END_DATE"])
        if start <= today and (since is None or end >= since.isoformat()):
            yield {"NAME": row["NAME"], "START_DATE": row["START_DATE"], "END_DATE": row["END_DATE"]}


def _asked(month: dict[str, Any]) -> Element:
    return element(
        "get_trialbalance",
        _day("startdate", month["START_DATE"]),
        _day("enddate", month["END_DATE"]),
        element("showzerobalances", text="false"),
    )


def _day(name: str, text: str) -> Element:
    month, day, year = text.split("/")
    return element(name, element("year", text=year), element("month", text=month), element("day", text=day))
