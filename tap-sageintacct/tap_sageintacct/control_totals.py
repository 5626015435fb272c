"""`tap-sageintacct --control-totals`: counts and sums as the gateway itself computes them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from ml_connector.extract.errors import ApiError, SignInRefused

from tap_sageintacct.query import aggregate
from tap_sageintacct.slices import conditions

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Sequence

    from ml_connector.extract.streams import DocumentStream

    from tap_sageintacct.source import IntacctSource
    from tap_sageintacct.streams import Resource

_DIGITS = 60
_MONTH = 7
_ENTITY = "MEGAENTITYID"


def control_totals(
    counted: Iterable[tuple[Resource, DocumentStream]],
    sources: Sequence[IntacctSource],
    logger: logging.Logger,
) -> dict[str, Any]:
    """Count and sum every selected stream.

    Args:
        counted: The objects with their streams.
        sources: The entities.
        logger: Told what cannot be counted.

    Returns:
        `{"source", "generated_at", "periods", "totals", "by_entity"}`: `totals` by stream, company and month,
        as the targets' `reconcile` reads them; `by_entity` the same, told apart by the entity that a record
        belongs to, where the object says so. Objects that the company does not have are missing.
    """
    totals: list[dict[str, Any]] = []
    by_entity: list[dict[str, Any]] = []
    periods: dict[str, Any] = {}
    # from the top level every entity's records are seen; else each session sees its own
    top = [source for source in sources if not source.session.entity]
    for resource, stream in counted:
        if resource.legacy:
            logger.warning("%s has no totals: the gateway's query does not serve it.", stream.name)
            continue
        measured = _Measured(resource, stream)
        if len(top or sources) > 1 and not measured.tells_owners:
            logger.warning(
                "%s has no totals: it does not say whose its records are, and several entities see the same.",
                stream.name,
            )
            continue
        periods[stream.name] = {"fiscal": [], "dates": [measured.period] if measured.period else []}
        for source in top or sources:
            try:
                measured.add(source)
            except SignInRefused:  # noqa: PERF203 - an attempt is a request
                raise
            except ApiError as missing:
                logger.warning("%s has no totals: %s", stream.name, missing)
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

    def __init__(self, resource: Resource, stream: DocumentStream) -> None:
        self._resource, self._name = resource, stream.name
        self._company = str(stream.tap.partitions[0]["source_company"])
        columns = stream.columns
        self.period = resource.period if resource.period in columns else None
        self._measures = [name for name in resource.measures if name in columns]
        self._day = stream.schema["properties"][self.period] if self.period else {}
        self._entity = _ENTITY if _ENTITY in stream.schema["properties"] else None
        self._seen: set[str] = set()
        self._counts: dict[tuple[str, str | None], int] = defaultdict(int)
        self._sums: dict[tuple[str, str | None], dict[str, Decimal]] = {}

    @property
    def tells_owners(self) -> bool:
        """Whether a record that several entities see can be counted once; transactions are one's alone."""
        resource = self._resource
        return self._entity is not None or resource.parent is not None or resource.period is not None

    def add(self, source: IntacctSource) -> None:
        """Ask one session; the gateway groups by day, which are added up to months here.

        Records of the top level are seen by the session of every entity: they are counted for the first one.
        """
        by = [name for name in (self._entity, self.period) if name]
        owners = set()
        for condition in conditions(self._resource):
            for row in self._rows(source, by, condition):
                owner = (row.get(self._entity) or "") if self._entity else source.session.entity
                if owner not in self._seen:
                    owners.add(owner)
                    self._add(source, owner, row)
        self._seen |= owners

    def _rows(self, source: IntacctSource, by: Sequence[str], condition: Any) -> Iterator[dict[str, Any]]:
        name, offset, (key,) = self._resource.address, 0, self._resource.key
        while True:
            ask = aggregate(name, by, key, summed=self._measures, condition=condition, offset=offset)
            result = source.session.one(source.what(name), ask)
            yield from result.rows
            offset += len(result.records)
            if not result.records or not result.number("numremaining"):
                return

    def _add(self, source: IntacctSource, owner: str, row: dict[str, str | None]) -> None:
        day = row.get(self.period or "")
        month = str(source.converter(self._day)([day])[0])[:_MONTH] if day and self.period else None
        place, (key,) = (owner, month), self._resource.key
        self._counts[place] += int(row.get(f"COUNT.{key}") or row.get(key) or 0)
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
                "stream": self._name,
                "source_company": self._company,
                **({"source_entity": entity} if with_entity else {}),
                "period": month,
                "count": sum(self._counts[part] for part in parts),
                "measures": {name: format(value, "f") for name, value in sums.items()},
            }
