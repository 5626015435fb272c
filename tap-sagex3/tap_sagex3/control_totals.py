"""`tap-sagex3 --control-totals`: counts and sums by stream, company, ledger and month.

Neither API documents sums, so they are made of the records themselves, read with their keys, dates and
amounts only where the API can choose; GraphQL's own `totalCount` is compared with what was read.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from tap_sagex3.api import Question
from tap_sagex3.errors import StreamUnavailable
from tap_sagex3.reading import shape_of, wanted_only

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_sagex3.api import Record
    from tap_sagex3.streams.base import DocumentStream, SageX3Stream

_DIGITS = 60
_MONTH = 7
_APART = ("CPY", "LEDTYP")
"""Company of the folder, and ledger: whose rows repeat the same entry."""


def control_totals(
    roots: Iterable[tuple[DocumentStream, Sequence[SageX3Stream]]], folders: Sequence[str]
) -> Any:
    """Count and sum every selected stream.

    Args:
        roots: Streams of documents, each with the selected streams that it feeds.
        folders: The folders.

    Returns:
        `{"source", "generated_at", "periods", "totals", "by_ledger"}`: `totals` by stream, folder and month,
        as the targets' `reconcile` reads them; `by_ledger` the same by company and ledger, too. What a folder
        does not have is missing.
    """
    totals: list[dict[str, Any]] = []
    by_ledger: list[dict[str, Any]] = []
    periods: dict[str, Any] = {}
    for root, streams in roots:
        measured = [_Measured(stream) for stream in streams]
        for each in measured:
            periods[each.stream.name] = {"fiscal": [], "dates": [each.period] if each.period else []}
        for folder in folders:
            try:
                _read(root, measured, folder)
            except StreamUnavailable as missing:  # noqa: PERF203 - an attempt is many requests
                root.logger.warning("%s has no totals for folder %s: %s", root.name, folder, missing)
        for each in measured:
            totals += each.totals(apart=False)
            by_ledger += each.totals(apart=True)
    return {
        "source": "sagex3",
        "generated_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "periods": periods,
        "totals": totals,
        "by_ledger": by_ledger,
    }


def _read(root: DocumentStream, measured: Sequence[_Measured], folder: str) -> None:
    api, streams = root.tap.api(folder), [each.stream for each in measured]
    wanted = wanted_only(root, {each.stream: each.needed for each in measured})
    shape, read = shape_of(root, streams), 0
    for page in api.pages(root.resource, Question(wanted)):
        for record in page.records:
            document = shape.row(record)
            read += 1
            for each in measured:
                for row in each.stream.row_maker.rows(folder, document, []):
                    each.add(folder, row)
    counted = api.count(root.resource)
    if counted is not None and counted != read:
        root.logger.warning(
            "%s of %s: the server counts %d, and sent %d: documents came or went, or rights differ.",
            root.name,
            folder,
            counted,
            read,
        )


class _Measured:
    """Figures of one stream."""

    def __init__(self, stream: SageX3Stream) -> None:
        self.stream = stream
        known, about = stream.columns, stream.lines or stream.resource
        self.period = about.period if about.period in known else None
        self._measures = [name for name in about.measures if name in known]
        self._apart = [name for name in _APART if name in known]
        self.needed = {*stream.key, *self._measures, *self._apart, *([self.period] if self.period else [])}
        self._counts: dict[tuple[Any, ...], int] = defaultdict(int)
        self._sums: dict[tuple[Any, ...], dict[str, Decimal]] = {}

    def add(self, folder: str, row: Record) -> None:
        """Count a row."""
        day = row.get(self.period) if self.period else None
        place = (folder, str(day)[:_MONTH] if day else None, *(row.get(name) for name in self._apart))
        self._counts[place] += 1
        sums = self._sums.setdefault(place, dict.fromkeys(self._measures, Decimal(0)))
        with localcontext() as context:
            # the default of 28 digits would round the sum of many amounts
            context.prec = _DIGITS
            for name in self._measures:
                if (value := row.get(name)) is not None:
                    sums[name] += Decimal(value)

    def totals(self, *, apart: bool) -> Iterator[dict[str, Any]]:
        """The figures of each folder and month, or of each company and ledger in them."""
        size = 2 + (len(self._apart) if apart else 0)
        if apart and not self._apart:
            return
        counts: dict[tuple[Any, ...], int] = defaultdict(int)
        sums: dict[tuple[Any, ...], dict[str, Decimal]] = {}
        for place, count in self._counts.items():
            counts[place[:size]] += count
            into = sums.setdefault(place[:size], dict.fromkeys(self._measures, Decimal(0)))
            with localcontext() as context:
                context.prec = _DIGITS
                for name, value in self._sums[place].items():
                    into[name] += value
        for place in sorted(counts, key=str):
            yield {
                "stream": self.stream.name,
                "source_company": place[0],
                "period": place[1],
                **_named(self._apart, place[2:]),
                "count": counts[place],
                "measures": {name: format(value, "f") for name, value in sums[place].items()},
            }


def _named(names: Sequence[str], values: Sequence[Any]) -> Mapping[str, Any]:
    return dict(zip(names, values, strict=False))
