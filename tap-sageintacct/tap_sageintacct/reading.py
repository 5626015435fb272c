"""One run of one stream in one entity: what changed, what was never stamped, what is gone."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

from ml_connector.extract import prefetch

from tap_sageintacct import bookmarks, filters
from tap_sageintacct.bookmarks import Lines, Progress, iso, number
from tap_sageintacct.client import MOST_A_PAGE, Query
from tap_sageintacct.values import converters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from tap_sageintacct.client import Client, Record
    from tap_sageintacct.streams.base import IntacctStream
    from tap_sageintacct.streams.resource import Resource
    from tap_sageintacct.xml import Element

STATE_SECONDS = 5.0
_PARENTS_AT_ONCE = 200
"""Documents whose lines are asked for in one query: their filter stays short, their lines a page or two."""


class Reading:
    """Reads one stream of one entity and writes its rows.

    Args:
        stream: The stream.
        client: The entity's client.
        write: Takes each row.
        whole: Read all of it, whatever the bookmark.
    """

    def __init__(
        self, stream: IntacctStream, client: Client, write: Callable[[Record], None], *, whole: bool = False
    ) -> None:
        self._whole = whole
        self._stream = stream
        self._client = client
        self._write_row = write
        self._resource = stream.resource
        self._tap = stream.tap
        self._zone = stream.tap.zone
        self._partition = stream.partition(client)
        self._stamp = stream.replication_key
        self._parent_key = self._resource.parent_key if self._resource.parent else None
        # a stream without a key that grows has no changes to follow: it is read whole
        self._lines = Lines(self._partition.get("lines") or {}) if self._parent_key and self._stamp else None
        self._written: set[str] = set()
        self._convert = converters(stream.asked, stream.tap.zone)
        self._state_written = time.monotonic()

    def run(self) -> None:
        """Read what is to be read.

        Raises:
            IntacctError: The gateway refuses.
        """
        now = self._client.session.now()
        lookback = self._tap.lookback
        start_date = self._tap.config.get("start_date") if self._stamp else None
        mark = {} if self._whole else self._partition
        since = bookmarks.since(mark, start_date, lookback) if self._stamp else None
        later = bool(self._stamp and mark.get("replication_key_value"))
        progress = Progress.of(self._partition, since, now, whole=self._whole)
        if self._whole and self._lines is not None and not progress.resumes:
            self._lines = Lines()
        if progress.since is not None and later and not progress.resumes:
            since = filters.read_moment(progress.since)
            self._tap.begin_changes(self._stream.name, self._client, since)
        for place, condition in enumerate(self._slices(progress, later=later)):
            if place >= progress.slice:
                self._read(progress, condition)
                progress.slice, progress.after = place + 1, None
                self._partition["progress"] = asdict(progress)
        if self._lines is not None and later:
            self._read_lines_of_changed_parents(progress, lookback)
        if later and self._resource.audited:
            self._mark_deleted(lookback)
        self._close(progress)

    def _slices(self, progress: Progress, *, later: bool) -> list[Element | None]:
        """The filters to read by, one after the other."""
        changed = self._changed(progress.since)
        if later or not self._resource.slices:
            return [changed]
        return [filters.all_of([each, self._changed(progress.since)]) for each in slices_of(self._resource)]

    def _changed(self, since: str | None) -> Element | None:
        """Records that changed since, and those made since that never changed: they bear no stamp."""
        if since is None or self._stamp is None:
            return None
        moment = filters.moment(filters.read_moment(since), self._zone)
        changed = filters.compared("greaterthanorequalto", self._stamp, moment)
        created = self._resource.created if self._resource.created in self._stream.asked else None
        never = filters.is_null(self._stamp)
        if created:
            made = filters.compared("greaterthanorequalto", created, moment)
            never_changed = filters.all_of([never, made])
        else:
            never_changed = never
        return filters.any_of([changed, never_changed])

    def _read(self, progress: Progress, condition: Element | None) -> None:
        if self._resource.legacy:
            for page in self._client.legacy_pages(query_of(self._stream)):
                for record in page:
                    self.write(record)
            return
        query = self._query(condition)
        first = None
        if progress.since is None and progress.after is None and self._resource.small:
            first = self._tap.first_page(self._stream, self._client)
        pages = prefetch(self._client.pages(query, progress.after, first), self._tap.prefetch_pages)
        with closing(pages):
            for page in pages:
                for record in page:
                    row = self.write(record)
                    progress.see(row.get(self._stamp) if self._stamp else None)
                    if self._lines is not None and (parent := record.get(str(self._parent_key))):
                        self._lines.add(str(parent), number(record["RECORDNO"]))
                        if progress.since is not None:
                            self._written.add(str(record["RECORDNO"]))
                progress.after = str(page[-1]["RECORDNO"])
                self._partition["progress"] = asdict(progress)
                self._stream.note_changed(self._client, page, first_read=progress.since is None)
                self._write_state_sometimes()

    def _read_lines_of_changed_parents(self, progress: Progress, lookback: timedelta) -> None:
        """Read the lines of documents that changed, whether or not the lines' own stamps moved."""
        until = self._partition.get("parents_until")
        since = filters.read_moment(until) - lookback if until else filters.read_moment(progress.begun)
        if not until and progress.since:
            since = filters.read_moment(progress.since)
        changed = self._tap.changed_parents(str(self._resource.parent), self._client, since)
        for start in range(0, len(changed), _PARENTS_AT_ONCE):
            some = changed[start : start + _PARENTS_AT_ONCE]
            found: dict[str, list[int | str]] = defaultdict(list)
            condition = filters.one_of(str(self._parent_key), some)
            for page in self._client.pages(self._query(condition)):
                for record in page:
                    if str(record["RECORDNO"]) not in self._written:
                        self.write(record)
                    found[str(record[str(self._parent_key)])].append(number(record["RECORDNO"]))
            for parent in some:
                self._forget_lost(parent, found.get(parent, []))
            self._write_state_sometimes()

    def _mark_deleted(self, lookback: timedelta) -> None:
        """Write the deletes of the audit trail, and of the lines that went with a document."""
        for gone in self._tap.deleted(self._client, lookback):
            if gone.object == self._resource.object and gone.recordno is not None:
                self._delete(gone.recordno, gone.at)
                self._stream.note_deleted(self._client, gone.recordno)

    def _forget_lost(self, parent: str, numbers: Sequence[int | str]) -> None:
        if self._lines is None:
            return
        for lost in sorted(self._lines.remember(parent, numbers), key=str):
            self._delete(str(lost), iso(self._client.session.now()))

    def _delete(self, recordno: str, at: str) -> None:
        convert = self._convert.get("RECORDNO", int)
        self._write_row(
            {**self._own(), "RECORDNO": convert(recordno), "_sdc_deleted_at": at},
        )

    def write(self, record: Record) -> Record:
        """Write a record that came, with its values in the schema's types."""
        convert = self._convert
        row = self._own()
        for name, text in record.items():
            if name in convert:
                row[name] = None if text is None else convert[name](text)
        self._write_row(row)
        return row

    def _own(self) -> Record:
        return {"source_company": self._client.company, "source_entity": self._client.entity}

    def _query(self, condition: Element | None) -> Query:
        return query_of(self._stream, condition)

    def _close(self, progress: Progress) -> None:
        self._partition.pop("progress", None)
        if self._stamp:
            known = self._partition.get("replication_key_value")
            newest = max(filter(None, [progress.newest, known, progress.since]), default=progress.begun)
            # a stamp from the future, by a clock that is ahead, would hide what comes until then
            self._partition["replication_key"] = self._stamp
            self._partition["replication_key_value"] = min(newest, progress.begun)
            swept = [gone.id for gone in self._tap.unnamed(self._stream, self._client)]
            self._partition["deletes_since"] = progress.begun
            self._partition["swept"] = swept
            if not swept:
                del self._partition["swept"]
        if self._lines is not None:
            self._partition["lines"] = self._lines.by_parent
            # what the documents' own stream has told up to its bookmark, these lines have followed
            known = self._tap.bookmark(str(self._resource.parent), self._client)
            self._partition["parents_until"] = min(filter(None, [known, progress.begun]))
        self._stream.write_state()

    def _write_state_sometimes(self) -> None:
        if time.monotonic() - self._state_written >= STATE_SECONDS:
            if self._lines is not None:
                self._partition["lines"] = self._lines.by_parent
            self._stream.write_state()
            self._state_written = time.monotonic()


def slices_of(resource: Resource) -> list[Element | None]:
    """The filters by which a large view is asked for, lest it time out; the last one asks for the rest."""
    if not resource.slices:
        return [None]
    field, values = resource.slices
    each: list[Element | None] = [filters.compared("equalto", field, value) for value in values]
    others = filters.any_of([filters.one_of(field, values, negated=True), filters.is_null(field)])
    return [*each, others]


def query_of(stream: IntacctStream, condition: Element | None = None) -> Query:
    """What a stream asks for: the selected fields, and those that the read itself needs."""
    needed = ["RECORDNO", stream.replication_key, stream.resource.parent_key]
    select = dict.fromkeys([name for name in needed if name] + sorted(stream.asked))
    size = min(int(stream.tap.config.get("page_size") or MOST_A_PAGE), MOST_A_PAGE)
    return Query(stream.resource.object, list(select), condition, size=size)


def rows(stream: IntacctStream, client: Client) -> Iterator[Record]:
    """A stream's rows of one entity, read whole, without regard to bookmarks."""
    held: list[Record] = []
    reading = Reading(stream, client, held.append)
    for page in client.pages(query_of(stream)):
        for record in page:
            reading.write(record)
        yield from held
        held.clear()
