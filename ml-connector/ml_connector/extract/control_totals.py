"""`--control-totals`: counts and sums by stream, company and month, made of the records themselves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from ml_connector.extract.asking import read_pages
from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.errors import StreamUnavailable
from ml_connector.extract.rows import PageColumns, RowPlan
from ml_connector.extract.selection import selection_of
from ml_connector.extract.source import ReadRequest
from ml_connector.periods import period_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ml_connector.extract.resource import Resource
    from ml_connector.extract.rows import Path
    from ml_connector.extract.source import Source

_DIGITS = 60


@dataclass
class Measured:
    """Figures of one stream.

    Attributes:
        plan: Its rows.
        dates: Dates, the first of which that a row has tells its month.
        measures: What is summed.
        apart: Columns by which they are told apart further, in `by_ledger`.
        fiscal: Pairs of fields, year and period, the first of which that a row has tells its fiscal period.
    """

    plan: RowPlan
    dates: Sequence[str]
    measures: Sequence[str]
    apart: Sequence[str] = ()
    fiscal: Sequence[tuple[str, str]] = ()
    counts: dict[tuple[Any, ...], int] = field(default_factory=lambda: defaultdict(int))
    sums: dict[tuple[Any, ...], dict[str, Decimal]] = field(default_factory=dict)

    @property
    def narrow(self) -> RowPlan:
        """The plan with what is counted by only."""
        names = [*self.plan.key, *self.measures, *self.apart, *self.dates, *chain.from_iterable(self.fiscal)]
        columns = tuple(dict.fromkeys(name for name in names if name in self.plan.properties))
        return replace(self.plan, columns=columns, derive=None, made=frozenset(), sources=frozenset())

    def add(self, company: str, page: PageColumns) -> None:
        """Count a page."""
        path = self.plan.path
        count = page.count(path)
        fiscal = [(self._column(page, year), self._column(page, period)) for year, period in self.fiscal]
        dates = [self._column(page, name) for name in self.dates]
        others = [self._column(page, name) for name in self.apart]
        amounts = [self._column(page, name) for name in self.measures]
        with localcontext() as context:
            # the default of 28 digits would round the sum of many amounts
            context.prec = _DIGITS
            for place in range(count):
                period = period_of(
                    ((years[place], periods[place]) for years, periods in fiscal),
                    (days[place] for days in dates),
                )
                at = (company, period, *(column[place] for column in others))
                self.counts[at] += 1
                sums = self.sums.setdefault(at, dict.fromkeys(self.measures, Decimal(0)))
                for name, column in zip(self.measures, amounts, strict=True):
                    if (value := _decimal(column[place])) is not None:
                        sums[name] += value

    def totals(self, *, apart: bool) -> Iterator[dict[str, Any]]:
        """The figures of each company and month, or of each part of them."""
        size = 2 + (len(self.apart) if apart else 0)
        if apart and not self.apart:
            return
        counts: dict[tuple[Any, ...], int] = defaultdict(int)
        sums: dict[tuple[Any, ...], dict[str, Decimal]] = {}
        with localcontext() as context:
            context.prec = _DIGITS
            for place, count in self.counts.items():
                counts[place[:size]] += count
                into = sums.setdefault(place[:size], dict.fromkeys(self.measures, Decimal(0)))
                for name, value in self.sums[place].items():
                    into[name] += value
        for place in sorted(counts, key=str):
            yield {
                "stream": self.plan.stream,
                "source_company": place[0],
                "period": place[1],
                **dict(zip(self.apart, place[2:], strict=False)),
                "count": counts[place],
                "measures": {name: format(value, "f") for name, value in sums[place].items()},
            }

    def _column(self, page: PageColumns, name: str) -> list[Any]:
        carried = next((each for each in self.plan.carried if each.column == name), None)
        if carried is not None:
            found = page.lifted(self.plan.path, carried.level, carried.field)
        else:
            found = page.column(self.plan.path, name)
        values = found or [None] * page.count(self.plan.path)
        return [
            None
            if value is msgspec.UNSET
            else decode_exactly(value)
            if isinstance(value, msgspec.Raw)
            else value
            for value in values
        ]


def control_totals(
    name: str,
    reads: Iterable[tuple[Resource, Sequence[Measured], Mapping[Path, Mapping[str, Any]]]],
    sources: Sequence[Source],
    logger: logging.Logger,
) -> dict[str, Any]:
    """Count and sum every selected stream.

    Args:
        name: The ERP, such as `sagex3`.
        reads: Kinds of documents, each with the figures of its streams and its shape.
        sources: The companies.
        logger: Told what cannot be counted.

    Returns:
        `{"source", "generated_at", "periods", "totals", "by_ledger"}`: `totals` by stream, company and month,
        as the targets' `reconcile` reads them; `by_ledger` the same by further columns. What a company does
        not have is missing.
    """
    totals: list[dict[str, Any]] = []
    by_ledger: list[dict[str, Any]] = []
    periods: dict[str, Any] = {}
    for resource, measured, shape in reads:
        for each in measured:
            periods[each.plan.stream] = {
                "fiscal": [list(pair) for pair in each.fiscal],
                "dates": list(each.dates),
            }
        for source in sources:
            try:
                _count(resource, measured, shape, source, logger)
            except StreamUnavailable as missing:  # noqa: PERF203 - an attempt is many requests
                logger.warning("%s has no totals: %s", resource.stream, missing)
        for each in measured:
            totals += each.totals(apart=False)
            by_ledger += each.totals(apart=True)
    return {
        "source": name,
        "generated_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "periods": periods,
        "totals": totals,
        "by_ledger": by_ledger,
    }


def _count(
    resource: Resource,
    measured: Sequence[Measured],
    shape: Mapping[Path, Mapping[str, Any]],
    source: Source,
    logger: logging.Logger,
) -> None:
    company = str(next(iter(source.partition.values())))
    converters = {
        path: {name: source.converter(described) for name, described in properties.items()}
        for path, properties in shape.items()
    }
    request = ReadRequest(resource, selection_of(resource, [each.narrow for each in measured]), shape=shape)
    read = 0
    for page in read_pages(source, request, 0):
        columns = PageColumns(page.levels(), converters)
        read += columns.count(())
        for each in measured:
            each.add(company, columns)
    counted = source.totals(resource)
    if counted is not None and counted != read:
        logger.warning(
            "%s of %s: the server counts %d, and sent %d: documents came or went, or rights differ.",
            resource.stream,
            company,
            counted,
            read,
        )


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    return value if isinstance(value, Decimal) else Decimal(value)
