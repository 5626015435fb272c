"""Which records the audit trail says were deleted (reference section 2.6)."""

from __future__ import annotations

import re
import threading
from datetime import datetime, timezone
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from ml_connector.extract import state as states
from ml_connector.extract.errors import ApiError, Denied, InvalidSetting, SignInRefused
from ml_connector.extract.source import Deleted

from tap_sageintacct import query
from tap_sageintacct.query import Query
from tap_sageintacct.values import converter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import tzinfo

    from tap_sageintacct.streams import Resource

_SAFE = re.compile(r"(\d+)--REC$", re.IGNORECASE | re.ASCII)
_DIGITS = re.compile(r"\d+$", re.ASCII)
_SELECT = ("ID", "OBJECTTYPE", "OBJECTKEY", "ACCESSTIME")
_MOMENT = {"type": ["string", "null"], "format": "date-time"}


class Entry(NamedTuple):
    """A delete as the trail tells it."""

    object: str
    key: str
    """RECORDNO, RECORDNO--REC or the business key."""
    at: str
    """ISO."""
    id: str
    """The trail's own."""


class AuditTrail:
    """Reads the trail once for all objects of an entity.

    Args:
        rows: Runs a query, and gives its rows page by page.
        zone: The setting `timezone`.
    """

    def __init__(self, rows: Callable[[Query], Iterator[list[dict[str, str | None]]]], zone: tzinfo) -> None:
        self._rows = rows
        self._zone = zone
        self._lock = threading.RLock()
        self._since: str | None = None
        self._asked: frozenset[str] = frozenset()
        self._entries: list[Entry] = []
        self._failed: Denied | None = None
        self._named: dict[Resource, dict[str, tuple[bool, bool]]] = {}

    def read(self, objects: Collection[str], since: str) -> None:
        """Ask for the deletes of objects, unless that was done.

        Args:
            objects: Such as `APBILL`.
            since: From when on.

        Raises:
            Denied: The trail cannot be read.
        """
        with self._lock:
            self._read_once(objects, since)

    def _read_once(self, objects: Collection[str], since: str) -> None:
        if self._failed is not None:
            raise self._failed
        if self._since is not None and self._since <= since and self._asked >= set(objects):
            return
        self._asked |= set(objects)
        self._since = min(since, self._since or since)
        self._named.clear()
        try:
            self._entries = sorted(self._read(), key=lambda entry: entry.at)
        except (SignInRefused, InvalidSetting):
            raise
        except ApiError as error:
            self._failed = Denied(
                f"{error} The audit trail needs View rights on custom reports (Platform Services); what it"
                " tells is read when it can be."
            )
            raise self._failed from error

    def _read(self) -> Iterator[Entry]:
        condition = query.all_of(
            [
                query.one_of("OBJECTTYPE", sorted(name.lower() for name in self._asked)),
                query.compared("equalto", "ACCESSMODE", "D"),
                query.compared(
                    "greaterthanorequalto",
                    "ACCESSTIME",
                    query.moment(query.read_moment(str(self._since)), self._zone),
                ),
            ]
        )
        read, now = converter(_MOMENT, self._zone), states.iso(datetime.now(timezone.utc))
        for page in self._rows(Query("AUDITHISTORY", _SELECT, condition, order=("ID",))):
            moments = read([row.get("ACCESSTIME") for row in page])
            for row, at in zip(page, moments, strict=True):
                name = str(row.get("OBJECTTYPE") or "").upper()
                yield Entry(name, str(row.get("OBJECTKEY") or ""), at or now, str(row.get("ID") or ""))

    def deleted(self, resource: Resource, since: str) -> Iterator[Deleted]:
        """Records that are gone and that the trail names by RECORDNO.

        Args:
            resource: Of which kind.
            since: From when on.

        Yields:
            Each; one that may be named by RECORDNO and is not there any more is among them.
        """
        for entry in self._of(resource, since):
            number, _ = self._named_by(resource, entry, self._readings(resource, since))
            if number is not None:
                yield Deleted((number,), entry.at)

    def unnamed(self, resource: Resource, since: str) -> list[Entry]:
        """Deletes that the trail names, or may name, by something else than RECORDNO.

        Args:
            resource: Of which kind.
            since: From when on.
        """
        readings = self._readings(resource, since)
        return [entry for entry in self._of(resource, since) if self._named_by(resource, entry, readings)[1]]

    def _of(self, resource: Resource, since: str) -> list[Entry]:
        return [entry for entry in self._entries if entry.object == resource.address and entry.at >= since]

    def _named_by(
        self, resource: Resource, entry: Entry, readings: dict[str, tuple[bool, bool]]
    ) -> tuple[str | None, bool]:
        """A deleted record's RECORDNO, if that is what names it, and whether something else may name it."""
        if match := _SAFE.match(entry.key):
            return match[1], False
        if not _DIGITS.match(entry.key):
            return None, True
        if resource.business_key is None:
            return entry.key, False
        number, other = readings[entry.key]
        return (entry.key if number else None), other

    def _readings(self, resource: Resource, since: str) -> dict[str, tuple[bool, bool]]:
        """Bare digits, each with whether it may be a RECORDNO and whether it may be a business key.

        What names a live record does not name a deleted one. What names none may be either, unless no
        business key of the company consists of digits.
        """
        if resource.business_key is None:
            return {}
        digits = {entry.key for entry in self._of(resource, since) if _DIGITS.match(entry.key)}
        known = self._named.setdefault(resource, {})
        asked = sorted(digits - known.keys())
        if asked:
            numbers, others, usual = self._alive(resource, resource.business_key, asked)
            for key in asked:
                known[key] = (key not in numbers, key not in others and (usual or key in numbers))
        return known

    def _alive(self, resource: Resource, field: str, keys: list[str]) -> tuple[set[str], set[str], bool]:
        """Which RECORDNOs and business keys there are, and whether digits are usual among the latter."""
        select = ("RECORDNO", field)
        numbers: set[str] = set()
        others: set[str] = set()
        for start in range(0, len(keys), query.MOST_IN):
            some = keys[start : start + query.MOST_IN]
            condition = query.any_of([query.one_of("RECORDNO", some), query.one_of(field, some)])
            for row in chain.from_iterable(self._rows(Query(resource.address, select, condition))):
                numbers.add(str(row["RECORDNO"]))
                others.add(str(row[field]))
        if not set(keys) - numbers - others:
            return numbers, others, True
        sample = next(iter(self._rows(Query(resource.address, select))), [])
        usual = not sample or any(_DIGITS.match(str(row[field] or "")) for row in sample)
        return numbers, others, usual
