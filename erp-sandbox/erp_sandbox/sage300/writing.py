"""Answers to writes: records created, changed, replaced and deleted, and processes run.

The sandbox keeps one business consistent through ``erp-sandbox advance``; what is written here changes the
addressed record only. Of Sage's business rules it checks keys, duplicates, details' numbers and whether the
customers and vendors named exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sage300 import records
from erp_sandbox.sage300.errors import ApiError
from erp_sandbox.sage300.keys import DIGITS, SEPARATOR, parse_key, sort_key
from erp_sandbox.sage300.model import INTEGER_TYPES
from erp_sandbox.sage300.reading import with_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from erp_sandbox.sage300.model import Catalogue, EntitySet
    from erp_sandbox.sage300.reading import Place, Reader
    from erp_sandbox.sage300.store import Store

#: Properties whose value must be the key of a master record.
_MASTERS: Final = {"CustomerNumber": "ARCustomers", "VendorNumber": "APVendors"}
_NEW: Final = "*** NEW ***"
#: Set with the batches a posting process posts, and the property of their state.
_POSTS: Final = {
    "APPostInvoices": ("APInvoiceBatches", "BatchStatus"),
    "APPostPaymentsAndAdjustments": ("APPaymentAndAdjustmentBatches", "BatchStatus"),
    "ARPostInvoices": ("ARInvoiceBatches", "BatchStatus"),
    "ARPostReceiptsAndAdjustments": ("ARReceiptAndAdjustmentBatches", "BatchStatus"),
    "ARPostRefunds": ("ARRefundBatches", "BatchStatus"),
}
_RANGE: Final = {"ProcessAllBatches": "DonotProcessallbatches", "FromBatch": 0, "ToBatch": 0}


@dataclass(frozen=True)
class Writer:
    """Answers writes.

    Attributes:
        store: The documents.
        reader: Finds records by key.
        catalogue: The entity sets.
    """

    store: Store
    reader: Reader
    catalogue: Catalogue

    def create(self, place: Place, body: bytes) -> str:
        """POST to a set.

        Returns:
            The whole new record, with its context.

        Raises:
            ApiError: ``InvalidPayload``, ``FieldInvalid``, ``RecordInvalid`` or ``RecordDuplicate``.
        """
        entity_set = place.entity_set
        record = records.complete(entity_set, records.read_payload(body))
        self._assign_key(place.company, entity_set, record)
        records.number_details(entity_set, record)
        _stamp(entity_set, record)
        self._check_masters(place.company, entity_set, record)
        order = sort_key(entity_set, tuple(record[name] for name in entity_set.key))
        doc = records.write_document(entity_set.properties, record)
        if not self.store.put(place.company, stored_name(entity_set), order, doc, new=True):
            raise ApiError("RecordDuplicate", "A record with this key already exists")
        return with_context(f"{place.service}/$metadata#{entity_set.name}/$entity", doc)

    def change(self, place: Place, key: str, body: bytes, *, replace: bool) -> None:
        """PATCH, or PUT with ``replace``: then details that are not sent are purged."""
        entity_set = place.entity_set
        order, doc = self.reader.document(place, parse_key(entity_set, key))
        base = records.read_document(doc)
        payload = records.read_payload(body)
        if replace:
            kept = {prop.name: base[prop.name] for prop in entity_set.properties if prop.type != "Collection"}
            record = records.complete(entity_set, payload, kept)
        else:
            record = records.merge(entity_set, payload, base)
        for name in entity_set.key:
            if name in payload and str(record[name]) != str(base[name]):
                raise ApiError("RecordInvalid", f"The key {name} of a record cannot be changed")
        records.number_details(entity_set, record)
        _stamp(entity_set, record)
        self._check_masters(place.company, entity_set, record)
        text = records.write_document(entity_set.properties, record)
        self.store.put(place.company, stored_name(entity_set), order, text, new=False)

    def delete(self, place: Place, key: str) -> None:
        """DELETE one record."""
        order, _ = self.reader.document(place, parse_key(place.entity_set, key))
        self.store.delete(place.company, place.entity_set.name, order)

    def template(self, entity_set: EntitySet) -> str:
        """A sample payload of a set: every property with its default."""
        return records.write_document(entity_set.properties, records.complete(entity_set, {}))

    def process_template(self) -> Mapping[str, Any]:
        """A sample payload of a process."""
        return _RANGE

    def process(self, company: str, name: str, body: bytes) -> None:
        """Run a process.

        Posting turns batches that are ready to post into posted ones; it writes no ledger entries of its own,
        which only ``erp-sandbox advance`` does. Other processes accept their payload and find nothing to do.
        """
        payload = records.read_payload(body) if body.strip() else {}
        if name not in _POSTS:
            return
        set_name, status = _POSTS[name]
        entity_set = self.catalogue.sets[set_name]
        first, last = payload.get("FromBatch") or 0, payload.get("ToBatch") or 10**DIGITS
        if not (isinstance(first, int) and isinstance(last, int)):
            raise ApiError("InvalidPayload", "FromBatch and ToBatch must be integers")
        for order, doc in self.store.every(company, set_name):
            record = records.read_document(doc)
            if record.get(status) == "ReadyToPost" and first <= int(record["BatchNumber"]) <= last:
                record[status] = "Posted"
                _stamp(entity_set, record)
                text = records.write_document(entity_set.properties, record)
                self.store.put(company, set_name, order, text, new=False)

    def _assign_key(self, company: str, entity_set: EntitySet, record: records.Record) -> None:
        """The last key part is numbered by the server when the client leaves it out."""
        *leading, last = entity_set.key_properties
        for prop in leading:
            if record[prop.name] in {"", None}:
                raise ApiError("RecordInvalid", f"{prop.name} cannot be blank")
        value = record[last.name]
        numeric = last.type in INTEGER_TYPES or last.type == "Edm.Decimal"
        batch = entity_set.category == "transaction" and last.name == "BatchNumber"
        if (numeric and not value) or (batch and not str(value).strip("0 ")) or value == _NEW:
            prefix = sort_key_prefix(entity_set, record)
            highest = self.store.last_key(company, stored_name(entity_set), prefix)
            tail = highest.rpartition(SEPARATOR)[2] if highest else "0"
            number = int(tail) + 1 if tail.isdigit() else 1
            record[last.name] = number if numeric else f"{number:0{len(tail) if len(tail) > 1 else 6}d}"
        elif value in {"", None}:
            raise ApiError("RecordInvalid", f"{last.name} cannot be blank")

    def _check_masters(self, company: str, entity_set: EntitySet, record: records.Record) -> None:
        for name, value in _mentions(record):
            master = self.catalogue.sets[_MASTERS[name]]
            if master.name == entity_set.name or not value:
                continue
            if self.store.get(company, master.name, sort_key(master, (value,))) is None:
                raise ApiError("RecordInvalid", f"{name} {value} does not exist")


def stored_name(entity_set: EntitySet) -> str:
    """Where a set's records lie: receipts are posted to one set and read from another."""
    return "POGetReceipts" if entity_set.name == "POReceipts" else entity_set.name


def sort_key_prefix(entity_set: EntitySet, record: Mapping[str, Any]) -> str:
    """The order key of the key parts before the last."""
    *leading, _ = entity_set.key_properties
    if not leading:
        return ""
    full = sort_key(entity_set, (*(record[prop.name] for prop in leading), "0"))
    return full.rpartition(SEPARATOR)[0] + SEPARATOR


def _stamp(entity_set: EntitySet, record: records.Record) -> None:
    for name in ("DateLastMaintained", "DateLastEdited", "LastMaintained"):
        if name in entity_set.by_name:
            record[name] = records.today()


def _mentions(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if name in _MASTERS:
            yield name, value
        elif isinstance(value, list):
            for detail in value:
                yield from _mentions(detail)
