"""Which records the audit trail says were deleted (reference section 2.6)."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from tap_sageintacct import filters
from tap_sageintacct.client import Query
from tap_sageintacct.errors import ObjectUnavailable
from tap_sageintacct.values import converters

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Iterator
    from datetime import tzinfo

    from tap_sageintacct.client import Client

_KEY = re.compile(r"(\d+)(?:--REC)?$", re.IGNORECASE)
_SELECT = ("ID", "OBJECTTYPE", "OBJECTKEY", "ACCESSTIME")
_TYPES = {"ACCESSTIME": {"type": "string", "format": "date-time"}}


class Deleted(NamedTuple):
    """A record that is gone."""

    object: str
    recordno: str | None
    """None if the trail names it by something else, such as a vendor's id or a document's."""
    at: str
    id: str
    """The trail's own."""
    key: str
    """What the trail names it by."""


def deleted(
    client: Client, objects: Collection[str], since: datetime, zone: tzinfo, logger: logging.Logger
) -> Iterator[Deleted]:
    """Read the audit trail once for several objects.

    Args:
        client: The entity's client.
        objects: The objects, such as `APBILL`.
        since: From when on.
        zone: The setting `timezone`.
        logger: Told what cannot be used.

    Yields:
        Each deleted record, the oldest first.
    """
    condition = filters.all_of(
        [
            filters.one_of("OBJECTTYPE", sorted(name.lower() for name in objects)),
            filters.compared("equalto", "ACCESSMODE", "D"),
            filters.compared("greaterthanorequalto", "ACCESSTIME", filters.moment(since, zone)),
        ]
    )
    read = converters(_TYPES, zone)["ACCESSTIME"]
    found: list[Deleted] = []
    try:
        for page in client.pages(Query("AUDITHISTORY", _SELECT, condition, key="ID")):
            for row in page:
                name, key = str(row.get("OBJECTTYPE") or "").upper(), str(row.get("OBJECTKEY") or "")
                match = _KEY.match(key)
                at = read(row["ACCESSTIME"]) if row.get("ACCESSTIME") else _now()
                number = match[1] if match else None
                found.append(Deleted(name, number, at, str(row.get("ID") or ""), key))
    except ObjectUnavailable as error:
        logger.warning(
            "Deletes in %s are not seen: %s The audit trail needs View rights on custom reports (Platform"
            " Services).",
            client.place,
            error,
        )
    yield from sorted(found, key=lambda each: each.at)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
