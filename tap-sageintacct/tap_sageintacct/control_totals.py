"""`tap-sageintacct --control-totals`: counts and sums as the gateway itself computes them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from tap_sageintacct.errors import ObjectUnavailable
from tap_sageintacct.values import converters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_sageintacct.client import Client
    from tap_sageintacct.streams.base import IntacctStream

_DIGITS = 60
_MONTH = 7
_KEY = "RECORDNO"
_ENTITY = "MEGAENTITYID"


def control_totals(streams: Iterable[IntacctStream]) -> dict[str, Any]:
    """Count and sum every selected stream.

    Args:
        streams: The streams.

    Returns:
        `{"source", "generated_at", "periods", "totals", "by_entity"}`: `totals` by stream, company and month,
        as the targets' `reconcile` reads them; `by_entity` the same, told apart by the entity that a record
        belongs to, where the object says so. Objects that the company does not have are missing.
    """
    totals: list[dict[str, Any]] = []
    by_entity: list[dict[str, Any]] = []
    periods: dict[str, Any] = {}
    for stream in streams:
        measured = _Measured(stream)
        periods[stream.name] = {"fiscal": [], "dates": [measured.period] if measured.period else []}
        # from the top level every entity's records are seen; else each session sees its own
        for entity in [""] if "" in stream.tap.entities else stream.tap.entities:
            try:
                measured.add(stream.tap.client(entity))
            except ObjectUnavailable as missing:  # noqa: PERF203 - an attempt is a request
                stream.logger.warning("%s has no totals: %s", stream.name, missing)
        totals += measured.totals(with_entity=False)
        by_entity += measured.totals(with_entity=True)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {
        "source": "sageintacct",
        "generated_at": now,
        "periods": periods,
        "totals": totals,
        "by_entity": by_entity,
    }


class _Measured:
    """Count and sums of one stream by entity and month."""

    def __init__(self, stream: IntacctStream) -> None:
        self._stream = stream
        asked = stream.asked
        self.period = stream.resource.period if stream.resource.period in asked else None
        self._measures = [name for name in stream.resource.measures if name in asked]
        self._entity = _ENTITY if _ENTITY in asked else None
        self._counts: dict[tuple[str, str | None], int] = defaultdict(int)
        self._sums: dict[tuple[str, str | None], dict[str, Decimal]] = {}

    def add(self, client: Client) -> None:
        """Ask one session; the gateway groups by day, which are added up to months here."""
        by = [name for name in (self._entity, self.period) if name]
        convert = converters(self._stream.asked, self._stream.tap.zone)
        for row in client.aggregates(self._stream.resource.object, by, _KEY, self._measures):
            day = row.get(self.period or "")
            month = str(convert[self.period](day))[:_MONTH] if day and self.period else None
            place = ((row.get(self._entity or "") or client.entity), month)
            self._counts[place] += int(row.get(f"COUNT.{_KEY}") or row.get(_KEY) or 0)
            sums = self._sums.setdefault(place, dict.fromkeys(self._measures, Decimal(0)))
            with localcontext() as context:
                context.prec = _DIGITS
                for name in self._measures:
                    sums[name] += Decimal(row.get(name) or row.get(f"SUM.{name}") or 0)

    def totals(self, *, with_entity: bool) -> Iterator[dict[str, Any]]:
        """The figures, of the company or of each of its entities."""
        places: dict[tuple[str, str | None], list[tuple[str, str | None]]] = defaultdict(list)
        for entity, month in self._counts:
            places[entity if with_entity else "", month].append((entity, month))
        for (entity, month), parts in sorted(places.items(), key=str):
            with localcontext() as context:
                context.prec = _DIGITS
                sums = {
                    name: sum((self._sums[part][name] for part in parts), Decimal(0))
                    for name in self._measures
                }
            yield {
                "stream": self._stream.name,
                "source_company": self._stream.tap.company,
                **({"source_entity": entity} if with_entity else {}),
                "period": month,
                "count": sum(self._counts[part] for part in parts),
                "measures": {name: format(value, "f") for name, value in sums.items()},
            }
