"""One run of one entity set: every page is asked for once, and feeds every selected stream of the set."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ml_connector.extract import SharedRead, parse_lookback
from typing_extensions import override

from tap_sage300 import bookmarks, filters
from tap_sage300.bookmarks import Bookmark, plain, token, values_of
from tap_sage300.errors import BAD_REQUEST, Sage300Error, StreamUnavailable
from tap_sage300.position import Position
from tap_sage300.rows import key_of
from tap_sage300.schema_files import OWN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from singer_sdk.helpers._batch import BatchConfig

    from tap_sage300.client import Page, Sage300Client
    from tap_sage300.rows import Record
    from tap_sage300.streams.base import DocumentStream, Sage300Stream
    from tap_sage300.streams.resource import Resource

_LOG = logging.getLogger(__name__)

MOST_OPEN = 10_000
"""Documents whose keys a state may carry; beyond that the next run reads the set whole."""


class SetRun(SharedRead):
    """Reads an entity set of every company and writes the rows of its streams.

    Args:
        root: The stream of the whole documents, selected or not.
        streams: The selected streams of the set.
        batch_config: Write batch files instead of records, if given.
    """

    def __init__(
        self, root: DocumentStream, streams: Sequence[Sage300Stream], batch_config: BatchConfig | None = None
    ) -> None:
        super().__init__(root, streams, root.tap.companies, batch_config)
        self.root = root
        self.tap = root.tap
        self.streams = streams
        # A catalog may name another key than the shipped one.
        stamp = None if self.whole else next((s.replication_key for s in streams if s.replication_key), None)
        self.resource: Resource = replace(
            root.resource,
            replication_key=stamp,
            also_changed=root.resource.also_changed if stamp else (),
            grows_by=root.resource.grows_by if stamp else None,
            final=root.resource.final if stamp else None,
        )
        self.lookback = parse_lookback(self.tap.config.get("lookback"))
        self.today = datetime.now(timezone.utc).date().isoformat()

    @override
    def is_read(self, company: str) -> bool:
        try:
            self._read(company)
        except StreamUnavailable as missing:
            self.root.logger.warning(
                "%s skipped for company %s: module %s does not offer %s there. %s",
                ", ".join(stream.name for stream in self.streams),
                company,
                self.resource.module,
                self.resource.entity_set,
                missing,
            )
            return False
        return True

    def _read(self, company: str) -> None:
        partitions = [stream.partition(company) for stream in self.streams]
        for stream, partition in zip(self.streams, partitions, strict=True):
            bookmarks.keys_hold_days(partition, stream.key, stream.days, stream.name)
        start = self._start(partitions)
        fetcher = _Fetcher(self.tap.client(company), self.resource, self._selection())
        condition, fallback = self._conditions(start)
        position = Position.resumed(start.progress, condition, self.root.key, self._key_schema())
        seen = position.seen(start)
        if position.resumes:
            self.root.logger.info("%s of %s: going on after an interrupted read.", self.root.name, company)
        met: set[str] = set()
        fetched = fetcher.pages(position.filter_of(condition), position.filter_of(fallback), position.skip)
        with closing(fetched) as pages:
            for page in pages:
                self._write_page(company, page.records, seen, met)
                position.move(page)
                for partition in partitions:
                    partition["progress"] = position.as_state(seen)
                self.write_state_sometimes()
        for keys in self._still_open(start.open_keys - met):
            with closing(fetcher.pages(keys)) as pages:
                for page in pages:
                    self._write_page(company, page.records, seen, met)
        self._remove_vanished(company, start.open_keys - met)
        for stream, partition in zip(self.streams, partitions, strict=True):
            self._close(stream, partition, seen)
        if any(stream.looked_up for stream in self.streams):
            self.tap.accounts(company).tell_unknown()
        self.write_state_sometimes()

    def _start(self, partitions: Sequence[dict[str, Any]]) -> Bookmark:
        start = bookmarks.start_of(partitions, self.resource)
        return start if self.resource.replication_key else Bookmark(progress=start.progress)

    def _conditions(self, start: Bookmark) -> tuple[str, str]:
        """Say which records to ask for, and what to ask for if the server does not accept that."""
        if self.resource.replication_key is None:
            return "", ""
        if not start.first:
            condition = filters.later_read(self.resource, start.stamps, start.highest, self.lookback)
            return condition, condition
        start_date = self.tap.config.get("start_date") if self._stamped_by_day() else None
        return (
            filters.first_read(self.resource, start_date, with_blanks=True),
            filters.first_read(self.resource, start_date, with_blanks=False),
        )

    def _stamped_by_day(self) -> bool:
        described = self.root.schema["properties"].get(self.resource.replication_key, {})
        return str(described.get("format", "")).startswith("date")

    def _selection(self) -> list[str] | None:
        """Name the properties to ask for; None for all of them."""
        resource = self.resource
        needed = {*self.root.key, *(name for stream in self.streams for name in stream.needed)}
        needed.update(name for name in (resource.replication_key, resource.grows_by) if name)
        needed.update(resource.also_changed)
        if resource.final:
            needed.add(resource.final.field)
        everything = self.root.schema["properties"].keys() - {*OWN_COLUMNS, *self.root.elsewhere}
        if everything <= needed or sum(len(name) + 1 for name in needed) > filters.LONGEST:
            return None
        return sorted(needed)

    def _key_schema(self) -> list[dict[str, Any]]:
        properties = self.root.schema["properties"]
        return [properties.get(name, {}) for name in self.root.key]

    def _write_page(self, company: str, records: list[Record], seen: Bookmark, met: set[str]) -> None:
        for document in records:
            self.count_document()
            changing = self._may_change(document)
            name = token(key_of(document, self.root.key))
            met.add(name)
            for stream in self.streams:
                rows = list(stream.row_maker.rows(company, document))
                for row in rows:
                    self.write(stream, stream.complete(row))
                if self.resource.replication_key:
                    self._remember(stream, company, name, rows, changing=changing)
            seen.see(self.resource, document, self.today)

    def _may_change(self, document: Record) -> bool:
        """Tell whether a document can change without its stamp telling so."""
        final = self.resource.final
        if final is not None and final.field in document:
            return document[final.field] not in final.values
        stamp = self.resource.replication_key
        return stamp is not None and document.get(stamp) is None

    def _remember(
        self, stream: Sage300Stream, company: str, name: str, rows: list[Record], *, changing: bool
    ) -> None:
        """Keep the rows of a document that may change, and delete those that it has lost since."""
        open_keys: dict[str, list[list[Any]]] = stream.partition(company).setdefault("open_keys", {})
        now = [[plain(value) for value in key_of(row, stream.key)] for row in rows]
        for lost in open_keys.get(name, []):
            if lost not in now:
                self._delete(stream, company, lost)
        if changing:
            open_keys[name] = now
        else:
            open_keys.pop(name, None)

    def _delete(self, stream: Sage300Stream, company: str, key: Sequence[Any]) -> None:
        gone = {
            "source_company": company,
            "source_module": self.resource.module,
            **dict(zip(stream.key, key, strict=True)),
            "_sdc_deleted_at": datetime.now(timezone.utc).isoformat(),
        }
        self.write(stream, stream.complete(gone))

    def _still_open(self, names: set[str]) -> Iterator[str]:
        """Write the conditions for the documents to read again that the bookmark did not bring."""
        schemas = self._key_schema()
        keys = [
            [filters.typed(value, schema) for value, schema in zip(values_of(name), schemas, strict=True)]
            for name in sorted(names)
        ]
        return filters.by_key(self.root.key, keys)

    def _remove_vanished(self, company: str, names: set[str]) -> None:
        """Delete the rows of documents that were open and that the ERP has no more."""
        for name in sorted(names):
            for stream in self.streams:
                for lost in stream.partition(company).get("open_keys", {}).pop(name, []):
                    self._delete(stream, company, lost)
        if names:
            self.root.logger.info(
                "%s of %s: %d open documents are gone; their rows are marked as deleted.",
                self.root.name,
                company,
                len(names),
            )

    def _close(self, stream: Sage300Stream, partition: dict[str, Any], seen: Bookmark) -> None:
        if self.resource.replication_key is None:
            bookmarks.forget(partition)
            return
        if not partition.get("open_keys", True):
            del partition["open_keys"]
        if len(partition.get("open_keys", ())) > MOST_OPEN:
            self.root.logger.warning(
                "%s: more than %d documents are open or bear no %s; the next run reads all of them.",
                stream.name,
                MOST_OPEN,
                self.resource.replication_key,
            )
            bookmarks.forget(partition)
            return
        bookmarks.keep(partition, seen, self.resource.replication_key)


def documents(client: Sage300Client, resource: Resource, select: list[str] | None = None) -> Iterator[Record]:
    """Read an entity set whole.

    Args:
        client: The company's client.
        resource: The entity set.
        select: Only these properties, if the server knows how; None for all.

    Yields:
        Its documents.

    Raises:
        Sage300Error: As for `Sage300Client.pages`.
    """
    with closing(_Fetcher(client, resource, select).pages("")) as pages:
        for page in pages:
            yield from page.records


class _Fetcher:
    """Asks for pages, and asks differently when the server does not accept how."""

    def __init__(self, client: Sage300Client, resource: Resource, select: list[str] | None) -> None:
        self._client = client
        self._resource = resource
        self._select = select
        self._entity_set = resource.entity_set

    def pages(self, condition: str, plainer: str | None = None, skip: int = 0) -> Generator[Page, None, None]:
        """Read the records under a condition.

        Args:
            condition: The condition; empty for all records.
            plainer: The condition to use if the server answers 400 to the first one.
            skip: Start after that many records.

        Yields:
            The pages.

        Raises:
            Sage300Error: No way of asking was accepted.
        """
        ways = [(self._select, condition), (None, condition)]
        if plainer is not None:
            ways.append((None, plainer))
        ways = [way for number, way in enumerate(ways) if way not in ways[:number]]
        for number, (select, filter_) in enumerate(ways, 1):
            pages = self._pages(select, filter_, skip)
            try:
                first = next(pages, None)
            except Sage300Error as error:
                if error.status != BAD_REQUEST or number == len(ways):
                    raise
                _LOG.warning("%s Asking for it in a plainer way.", error)
                continue
            self._select = select
            if first is not None:
                yield first
                yield from pages
            return

    def _pages(self, select: list[str] | None, condition: str, skip: int) -> Iterator[Page]:
        try:
            yield from self._ask(select, condition, skip)
        except StreamUnavailable:
            if not self._resource.fallback or self._entity_set == self._resource.fallback:
                raise
            self._entity_set = self._resource.fallback
            yield from self._ask(select, condition, skip)

    def _ask(self, select: list[str] | None, condition: str, skip: int) -> Iterator[Page]:
        return self._client.pages(
            self._resource.module, self._entity_set, select=select, filter_=condition or None, skip=skip
        )
