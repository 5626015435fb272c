"""`tap-sageintacct --control-totals`: counts and sums as the gateway itself computes them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from tap_sageintacct.errors import ObjectUnavailable
from tap_sageintacct.reading import slices_of
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
        # from the top level every entity's records are seen; else each session sees its own
        entities = [""] if "" in stream.tap.entities else stream.tap.entities
        if len(entities) > 1 and not measured.tells_owners:
            stream.logger.warning(
                "%s has no totals: it does not say whose its records are, and several entities see the same.",
                stream.name,
            )
            continue
        periods[stream.name] = {"fiscal": [], "dates": [measured.period] if measured.period else []}
        for entity in entities:
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
        self._convert = converters(asked, stream.tap.zone)
        self._entity = _ENTITY if _ENTITY in stream.schema["properties"] else None
        self._seen: set[str] = set()
        self._counts: dict[tuple[str, str | None], int] = defaultdict(int)
        self._sums: dict[tuple[str, str | None], dict[str, Decimal]] = {}

    @property
    def tells_owners(self) -> bool:
        """Whether a record that several entities see can be counted once; transactions are one's alone."""
        resource = self._stream.resource
        return self._entity is not None or resource.parent is not None or resource.period is not None

    def add(self, client: Client) -> None:
        """Ask one session; the gateway groups by day, which are added up to months here.

        Records of the top level are seen by the session of every entity: they are counted for the first one.
        """
        by = [name for name in (self._entity, self.period) if name]
        name, owners = self._stream.resource.object, set()
        for condition in slices_of(self._stream.resource):
            for row in client.aggregates(name, by, _KEY, self._measures, condition):
                owner = (row.get(self._entity) or "") if self._entity else client.entity
                if owner not in self._seen:
                    owners.add(owner)
                    self._add(owner, row)
        self._seen |= owners

    def _add(self, owner: str, row: dict[str, str | None]) -> None:
        day = row.get(self.period or "")
        month = str(self._convert[self.period](day))[:_MONTH] if day and self.period else None
        place = owner, month
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
