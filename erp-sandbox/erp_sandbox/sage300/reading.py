"""Answers to reads: pages of an entity set, one entry, the documents that describe them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import msgspec

from erp_sandbox.sage300.errors import ApiError
from erp_sandbox.sage300.keys import parse_key, sort_key
from erp_sandbox.sage300.odata import parse_query
from erp_sandbox.sage300.odd_reading import OddReading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erp_sandbox.sage300.model import EntitySet, Property
    from erp_sandbox.sage300.odata import Query
    from erp_sandbox.sage300.store import Store


@dataclass(frozen=True)
class Place:
    """Where a request points.

    Attributes:
        service: Absolute address of the company's module, without a final slash.
        address: Absolute address of the request itself, without its query.
        company: The company database, in its own spelling.
        entity_set: The set.
        query: The raw query string.
    """

    service: str
    address: str
    company: str
    entity_set: EntitySet
    query: str


@dataclass(frozen=True)
class Reader:
    """Answers reads.

    Attributes:
        store: The documents.
        page_size: Records a page at most; clients cannot raise it.
        lenient: Ignore what a strict server refuses.
        odd: What this server does beside the rules.
    """

    store: Store
    page_size: int
    lenient: bool
    odd: OddReading = field(default_factory=OddReading)

    def collection(self, place: Place) -> tuple[str, int]:
        """One page of a set.

        Returns:
            The JSON text and its number of records.
        """
        query = self._query(place)
        limit = self.page_size if query.top is None else min(query.top, self.page_size)
        name = place.entity_set.name
        if self.odd.deletes(place.entity_set, query.skip):
            self.store.delete_first(place.company, name, query.condition)
        rows = self.store.page(place.company, name, query.condition, skip=query.skip, limit=limit)
        whole = self.odd.documents(place.entity_set, rows.docs)
        docs = whole if query.select is None else prune(whole, query.select)
        parts = [f'{{"@odata.context":{_text(_context(place, query.selected_text))}']
        if query.count:
            count = self.odd.count(self.store.count(place.company, name, query.condition), len(docs))
            parts += [] if count is None else [f',"@odata.count":{count}']
        parts += [',"value":[', ",".join(docs), "]"]
        if rows.more and (query.top is None or query.top > limit):
            right = next_link(
                place, skip=query.skip + limit, top=None if query.top is None else query.top - limit
            )
            link = self.odd.link(right, place.address, query.skip)
            parts += [] if link is None else [f',"@odata.nextLink":{_text(link)}']
        parts.append("}")
        return "".join(parts), len(docs)

    def entry(self, place: Place, key: str) -> str:
        """One record, bare, with its context first.

        Raises:
            ApiError: ``InvalidEntityKey`` or ``RecordNotFound``.
        """
        query = self._query(place)
        found = self.document(place, parse_key(place.entity_set, key))[1]
        (doc,) = self.odd.documents(place.entity_set, [found])
        if query.select is not None:
            (doc,) = prune([doc], query.select)
        return with_context(f"{_context(place, query.selected_text)}/$entity", doc)

    def _query(self, place: Place) -> Query:
        text = self.odd.query(place.entity_set, place.query)
        return parse_query(place.entity_set, text, lenient=self.lenient)

    def document(self, place: Place, key: tuple[str, ...]) -> tuple[str, str]:
        """A stored document by its key.

        Returns:
            Its order key and its text.

        Raises:
            ApiError: ``RecordNotFound``.
        """
        order = sort_key(place.entity_set, key)
        doc = self.store.get(place.company, place.entity_set.name, order)
        if doc is None:
            raise ApiError("RecordNotFound", "A Record cannot be found for the specified entity key")
        return order, doc


def service_document(service: str, sets: Sequence[EntitySet]) -> str:
    """The list of a module's entity sets."""
    value = [{"name": each.name, "kind": "EntitySet", "url": each.name} for each in sets]
    return msgspec.json.encode({"@odata.context": f"{service}/$metadata", "value": value}).decode()


def next_link(place: Place, *, skip: int, top: int | None) -> str:
    """The next page's address: the original options, ``$top`` less what was sent, ``$skip`` at the end."""
    pairs = [
        (name, value) for name, value in parse_qsl(place.query, keep_blank_values=True) if name != "$skip"
    ]
    if top is not None:
        pairs = [(name, str(top) if name == "$top" else value) for name, value in pairs]
    query = "&".join(
        f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in (*pairs, ("$skip", str(skip)))
    )
    return f"{place.address}?{query}"


def prune(docs: Sequence[str], select: tuple[Property, ...]) -> list[str]:
    """Keep the selected properties; their text, decimals included, stays as it was written."""
    shape = _shape(tuple(prop.name for prop in select))
    decoder = msgspec.json.Decoder(shape)
    encoder = msgspec.json.Encoder()
    return [encoder.encode(decoder.decode(doc)).decode() for doc in docs]


def with_context(context: str, doc: str) -> str:
    """A document with ``@odata.context`` as its first member."""
    return f'{{"@odata.context":{_text(context)},{doc[1:]}'


def _context(place: Place, selected: str) -> str:
    suffix = f"({selected})" if selected else ""
    return f"{place.service}/$metadata#{place.entity_set.name}{suffix}"


@lru_cache(maxsize=512)
def _shape(names: tuple[str, ...]) -> Any:
    # Raw keeps each value's text; what the Struct does not name is skipped without being built.
    fields = [(name, msgspec.Raw, msgspec.field(default=msgspec.Raw(b"null"))) for name in names]
    return msgspec.defstruct("Selected", fields)


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()
