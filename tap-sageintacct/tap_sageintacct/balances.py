"""The trial balance of each month, by the legacy function `get_trialbalance` (reference section 3.6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ml_connector.extract.resource import Stamp
from ml_connector.extract.rows import levels_of
from ml_connector.extract.source import Page

from tap_sageintacct.query import Query
from tap_sageintacct.session import raise_for
from tap_sageintacct.streams.resource import Resource
from tap_sageintacct.values import converter
from tap_sageintacct.xml import element

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence

    from ml_connector.extract.source import Levels, ReadRequest

    from tap_sageintacct.session import Session
    from tap_sageintacct.xml import Element, Result

RESOURCE = Resource(
    stream="trial_balances",
    address="REPORTINGPERIOD",
    # a company may keep several books and currencies: an account has a balance in each
    key=("source_entity", "END_DATE", "glaccountno", "reportingbook", "currency"),
    stamps=(Stamp("END_DATE", "day"),),
    audited=False,
)
AGAIN = timedelta(days=93)
"""Months that are read again: entries are posted to months that are over."""
_SHORTEST, _LONGEST = 26, 36
"""Days of a month; those of a calendar of weeks have four or five weeks. What a period is called is the
company's affair."""
_SELECT = ("RECORDNO", "NAME", "START_DATE", "END_DATE")
_PER_BALANCE = ("glaccountno", "reportingbook", "currency")
_DAY = {"type": ["string", "null"], "format": "date"}
_TOGETHER = 20

_read_days = converter(_DAY, timezone.utc)


class TrialBalances:
    """Reads the balances of an entity.

    Args:
        session: Asks the gateway.
        rows: Runs a query, and gives its rows page by page.
        place: Company and entity, for a person.
        logger: Told if there are no months.
    """

    def __init__(
        self,
        session: Session,
        rows: Callable[[Query], Iterator[list[dict[str, Any]]]],
        place: str,
        logger: logging.Logger,
    ) -> None:
        self._session = session
        self._rows = rows
        self._place = place
        self._logger = logger

    def pages(self, request: ReadRequest) -> Iterator[Page]:
        """The balances of each month that has begun, the oldest first; a page a month."""
        since = date.fromisoformat(str(request.since[0].value)) if request.since else None
        behind = str(request.after or "")
        months = [month for month in self._months(since) if month["end"] > behind]
        for start in range(0, len(months), _TOGETHER):
            some = months[start : start + _TOGETHER]
            functions = [(f"trial balance {month['NAME']} of {self._place}", _asked(month)) for month in some]
            results = self._session.several(functions)
            for (what, _), month, result in zip(functions, some, results, strict=True):
                raise_for(result, what)
                after = None if month is months[-1] else month["end"]
                yield Page(_decoding(result, month, self._session.entity), after)

    def _months(self, since: date | None) -> list[dict[str, Any]]:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        periods = [row for page in self._rows(Query("REPORTINGPERIOD", _SELECT)) for row in page]
        for row in periods:
            start, end = _read_days([row.get("START_DATE"), row.get("END_DATE")])
            if _is_month(start, end):
                found.setdefault((end, start), {**row, "start": start, "end": end})
        if not found:
            self._logger.warning(
                "trial_balances of %s: none of %d reporting periods is a month with a first and a last day;"
                " there are no balances.",
                self._place,
                len(periods),
            )
        today = datetime.now(timezone.utc).date().isoformat()
        # a bookmark is the last day of a month, and its reader asks from a day earlier
        first = (since - AGAIN).isoformat() if since else ""
        return [found[key] for key in sorted(found) if key[1] <= today and key[0] >= first]


def _is_month(start: Any, end: Any) -> bool:
    try:
        days = (date.fromisoformat(str(end)) - date.fromisoformat(str(start))).days + 1
    except ValueError:
        return False
    return _SHORTEST <= days <= _LONGEST


def _decoding(result: Result, month: dict[str, Any], entity: str) -> Callable[[], Levels]:
    own = {name: month[name] for name in _SELECT if name != "RECORDNO"}

    def levels() -> Levels:
        rows: Sequence[dict[str, Any]] = [
            {
                **record,
                **own,
                "source_entity": entity,
                **{name: record.get(name) or "" for name in _PER_BALANCE},
            }
            for record in result.rows
        ]
        return levels_of(rows, {})

    return levels


def _asked(month: dict[str, Any]) -> Element:
    return element(
        "get_trialbalance",
        _day("startdate", month["start"]),
        _day("enddate", month["end"]),
        # an account whose balance has become zero is a row that says so, not one that stays as it was
        element("showzerobalances", text="true"),
    )


def _day(name: str, text: str) -> Element:
    year, month, day = text.split("-")
    return element(name, element("year", text=year), element("month", text=month), element("day", text=day))
