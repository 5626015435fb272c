"""One run of one kind of document in one company: every page is asked for once, for all its streams."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ml_connector.extract import state as states
from ml_connector.extract.asking import Asker
from ml_connector.extract.deletes import key_of, token
from ml_connector.extract.documents import Documents, as_text
from ml_connector.extract.errors import Denied, Refused, StreamUnavailable, Transient
from ml_connector.extract.shared import Met, Outcome
from ml_connector.extract.source import ReadRequest, Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ml_connector.extract.resource import Resource
    from ml_connector.extract.rows import PageColumns, Path
    from ml_connector.extract.shared import Feed, Run
    from ml_connector.extract.source import Bound, Key, Page, Source
    from ml_connector.extract.state import Progress, Watermarks

MOST_OPEN = 10_000
"""Documents that may change whose keys a state carries; beyond that the next run reads all of them."""
MOST_FAILED = 1_000
"""Records that could not be read whose keys a state carries."""
_PARENTS_AT_ONCE = 200
"""Documents whose lines are asked for in one question: it stays short, its answer a page or two."""


class CompanyRead:
    """Reads the documents of one company and writes the rows of their streams.

    Args:
        source: The company.
        resource: The kind of document.
        feeds: The streams.
        selection: What they want of a document.
        shape: Schemas by path and field, for the conversion of values.
        run: What is shared.
        refresh: Read all of it this time, and go on from there.
    """

    def __init__(  # noqa: PLR0917 - what a read is of
        self,
        source: Source,
        resource: Resource,
        feeds: Sequence[Feed],
        selection: Selection,
        shape: Mapping[Path, Mapping[str, Mapping[str, Any]]],
        run: Run,
        *,
        refresh: bool = False,
    ) -> None:
        self._source, self._resource, self._feeds = source, resource, feeds
        self._selection, self._run, self._log = selection, run, run.logger
        self._stamps = resource.stamps
        self._whole = any(feed.whole for feed in feeds) or not self._stamps
        self._refresh = refresh
        self._company = "/".join(str(value) for value in source.partition.values() if value not in {None, ""})
        self.outcome = Outcome(resource.stream, self._company)
        self._documents = Documents(
            source, resource, feeds, shape, run, self.outcome, tracks=not self._whole, afresh=refresh
        )
        question = ReadRequest(resource, selection, shape=shape)
        self._asker = Asker(source, question, run, self.outcome, self._documents.keys)
        self._deletes: str | None = None

    def run(self) -> Outcome:
        """Read what changed, what may have changed without a stamp, and what its lines say changed.

        Raises:
            ApiError: Nothing of it can be read.
        """
        begun = states.iso(datetime.fromtimestamp(int(self._source.now()), timezone.utc))
        known, progress = self._start(begun)
        resumed = progress.after is not None
        if resumed:
            self._log.info(
                "%s of %s: going on after an interrupted read.", self._resource.stream, self._company
            )
        opened = self._documents.open
        again = set[str]().union(*(feed.state.get("failed") or () for feed in self._feeds))
        # what is read on later is not met twice; a first read meets everything, which nobody needs to know
        self._documents.notes_met = progress.since is not None or bool(opened or again)
        request = self._request(progress)
        if self._by_document(progress):
            self._read_lines_of(self._changed_lines(request, progress), progress)
        else:
            self._read(request, progress)
        self._read_again(sorted((opened | again) - self._documents.met), progress, gone=True)
        if known is not None and self._selection.lines and not self._resource.parent:
            self._read_changed_alone(progress, opened)
        if known is not None:
            self._mark_deleted(progress)
        self._close(progress, known, resumed=resumed)
        return self.outcome

    def opening(self) -> ReadRequest:
        """What `run` asks first; for a source that can answer several questions at once."""
        return self._request(self._start("")[1])

    def _start(self, begun: str) -> tuple[Watermarks | None, Progress]:
        """How far all was read, and the read that follows."""
        partitions = [feed.state for feed in self._feeds]
        known = None if self._whole or self._refresh else states.bookmarks(partitions, self._stamps)
        since = self._since(known)
        progress = states.resumed(partitions, self._stamps, since, begun)
        if (progress.since is None) is not (since is None):
            # a read of all is not the rest of a read of what changed, nor the other way round
            progress = states.Progress(states.described(since), begun)
        if self._by_document(progress):
            progress.after = None
        return known, progress

    def _by_document(self, progress: Progress) -> bool:
        """Whether lines that are asked for by themselves are read document by document.

        The lines that changed say only which documents to read: a line stream brings its documents whole,
        with their lines one after the other.
        """
        return bool(self._resource.parent) and progress.since is not None

    def _since(self, known: Watermarks | None) -> tuple[Bound, ...] | None:
        settings = self._run.settings
        if self._whole or self._refresh:
            return None
        if known is None:
            return states.first_bounds(self._stamps, settings.start_date)
        return states.bounds(known, self._stamps, settings.lookback)

    def _request(self, progress: Progress) -> ReadRequest:
        """The question with its bounds, as plain and as small as earlier runs found necessary."""
        partitions = [feed.state for feed in self._feeds]
        without = frozenset(name for each in partitions for name in each.get("without") or ())
        sizes = [each["size"] for each in partitions if each.get("size")]
        wanted = self._run.settings.page_size
        bounds = states.bounds_of(progress.since, self._stamps)
        size = min([*sizes, *([wanted] if wanted else [])], default=None)
        request = self._asker.narrowed(without, since=bounds, after=progress.after, size=size)
        if self._by_document(progress):
            named = {*self._resource.key, *self._resource.parent_key, *self._stamp_fields()}
            fields = request.selection.fields & named
            request = replace(request, selection=Selection(fields), size=wanted)
        return request

    def _stamp_fields(self) -> set[str]:
        return {name for each in states.all_of(self._stamps) for name in (each.field, each.per) if name}

    def _read(self, request: ReadRequest, progress: Progress) -> None:
        """Write page after page, and remember where the next one begins."""
        for page, after in self._asker.pages(request):
            if page is not None:
                self._write(page, progress)
            progress.after = after
            with self._run.lock:
                for feed in self._feeds:
                    # only what was answered is worth remembering: a server may refuse everything for a while
                    feed.state.update(self._asker.refused)
                    feed.state["progress"] = progress.as_state()
            self._checkpoint()

    def _write(self, page: Page, progress: Progress) -> None:
        columns = self._documents.columns(page)
        self._see(columns, progress)
        self._documents.write(columns, datetime.now(timezone.utc).isoformat())

    def _see(self, columns: PageColumns, progress: Progress) -> None:
        """Remember the greatest stamps."""
        for stamp in states.all_of(self._stamps):
            for path in columns.levels:
                values = columns.column(path, stamp.field)
                if values is not None:
                    progress.newest.see(stamp, values, columns.column(path, stamp.per) if stamp.per else None)

    def _read_again(self, names: Sequence[str], progress: Progress, *, gone: bool) -> None:
        """Read documents by their keys; those that are gone take their lines with them."""
        names = [name for name in names if name not in self._asker.failed]
        if not names:
            return
        self._documents.notes_met = True
        met, asked = self._documents.met, [key_of(name) for name in names]
        try:
            self._read_records(asked, progress)
        except Transient as error:
            if not error.answered:
                raise
            for key in asked:
                if token(key) not in met:
                    try:
                        self._read_records([key], progress)
                    except Transient as broken:
                        if not broken.answered:
                            raise
                        self._asker.fail(token(key), broken)
        missing = [name for name in names if name not in met and name not in self._asker.failed]
        for name in missing if gone else ():
            self._documents.delete(name)
        if missing and gone:
            self._log.info(
                "%s of %s: %d documents that could still change are gone; their rows are marked as deleted.",
                self._resource.stream,
                self._company,
                len(missing),
            )
        self._checkpoint()

    def _read_records(self, keys: Sequence[Key], progress: Progress) -> None:
        for page in self._asker.records(keys):
            self._write(page, progress)

    def _read_changed_alone(self, progress: Progress, opened: set[str]) -> None:
        """Read documents whose lines changed without them."""
        self._documents.notes_met = True
        changed = self._source.changed_documents(self._resource, self._asked_since(progress))
        names = {token(self._documents.typed(key)) for key in changed}
        self._read_again(sorted(names - self._documents.met - opened), progress, gone=False)

    def _asked_since(self, progress: Progress) -> str:
        moment = states.moment_of(_earliest(progress, self._stamps) or progress.begun)
        return states.iso(moment) if moment else progress.begun

    def _changed_lines(self, request: ReadRequest, progress: Progress) -> set[str]:
        """Documents that changed, or of which a line did."""
        changed = set[str]()
        for page, _ in self._asker.pages(request):
            if page is not None:
                columns = self._documents.columns(page)
                self._see(columns, progress)
                changed.update(name for name in self._documents.parents(columns) if name)
        return changed | self._changed_parents(progress)

    def _changed_parents(self, progress: Progress) -> set[str]:
        """Documents that changed or went since these lines followed them; a run may have ended in between."""
        until = [states.moment_of(str(feed.state.get("parents_until") or "")) for feed in self._feeds]
        moments = [moment for moment in until if moment is not None]
        since = self._asked_since(progress)
        if len(moments) == len(until):
            since = states.iso(min(moments) - self._run.settings.lookback)
        met = self._run.met.get((str(self._resource.parent), self._company))
        if met is not None and met.since is not None and met.since <= since and self._follows(met):
            return {as_text(key_of(name)) for name in met.keys}
        return {as_text(key) for key in self._source.changed_documents(self._resource, since)}

    def _follows(self, met: Met) -> bool:
        """Whether all deletes that these lines have not followed are among what was met."""
        if met.deletes is None:
            return True
        kept = [states.moment_of(str(feed.state.get("deletes_since") or "")) for feed in self._feeds]
        moments = [moment for moment in kept if moment is not None]
        if len(moments) < len(kept):
            return False
        return met.deletes <= states.iso(min(moments) - self._run.settings.lookback)

    def _read_lines_of(self, parents: set[str], progress: Progress) -> None:
        """Read the lines of documents that changed, whether or not the lines' own stamps moved."""
        ordered = sorted(parents)
        for start in range(0, len(ordered), _PARENTS_AT_ONCE):
            self._write_lines_of(ordered[start : start + _PARENTS_AT_ONCE], progress)
            self._checkpoint()

    def _write_lines_of(self, names: Sequence[str], progress: Progress) -> None:
        """Write the lines of some documents, by halves until one that cannot be read is alone."""
        pages = self._asker.records([key_of(name) for name in names], self._resource.parent_key)
        try:
            self._documents.write_lines_of(names, self._seen(pages, progress))
        except Transient as error:
            if not error.answered:
                raise
            if len(names) == 1:
                self._asker.miss(f"lines of document {names[0]} cannot be read: {error}")
                return
            half = len(names) // 2
            self._write_lines_of(names[:half], progress)
            self._write_lines_of(names[half:], progress)

    def _seen(self, pages: Iterable[Page], progress: Progress) -> Iterator[PageColumns]:
        for page in pages:
            columns = self._documents.columns(page)
            self._see(columns, progress)
            yield columns

    def _mark_deleted(self, progress: Progress) -> None:
        """Write the deletes that the API tells of; where the user may not see them, say so and go on."""
        if not self._resource.audited:
            return
        known = [feed.state.get("deletes_since") for feed in self._feeds]
        since = min(
            (str(each) for each in known if each), default=_earliest(progress, self._stamps) or progress.begun
        )
        moment = states.moment_of(since)
        asked = states.iso(moment - self._run.settings.lookback) if moment else since
        try:
            gone = list(self._source.deleted(self._resource, asked))
        except (Denied, Refused, StreamUnavailable) as error:
            if str(error) not in self._run.told:
                self._run.told.add(str(error))
                self._log.warning(
                    "%s of %s: deletes are not seen. %s", self._resource.stream, self._company, error
                )
            return
        self._deletes = asked
        for each in gone:
            self._documents.mark_deleted(self._documents.typed(each.key), each.at)
        for feed in self._feeds:
            feed.state["deletes_since"] = progress.begun

    def _close(self, progress: Progress, known: Watermarks | None, *, resumed: bool) -> None:
        """Keep how far all was read; what is open beyond measure makes the next run read all."""
        marks = self._reached(progress, known)
        for place, feed in enumerate(self._feeds):
            feed.state.pop("progress", None)
            feed.state.pop("failed", None)
            feed.state.update(self._asker.refused)
            if progress.since is None and not self._asker.failed:
                feed.state["full_read"] = progress.begun
            if self._asker.failed:
                feed.state["failed"] = self._asker.failed[:MOST_FAILED]
            if self._whole:
                states.forget(feed.state)
                continue
            if self._documents.open_of(place) > MOST_OPEN:
                self._log.warning(
                    "%s: more than %d documents of %s can still change; the next run reads all of them.",
                    feed.plan.stream,
                    MOST_OPEN,
                    self._company,
                )
                states.forget(feed.state)
                continue
            if not self._asker.unknown:
                states.keep_bookmark(feed.state, self._resource, marks)
                self._keep_followed(feed, progress, first=known is None)
        if self._stamps:
            self.outcome.watermark = str(marks.values.get(self._stamps[0].field) or "")
        since = self._asked_since(progress) if progress.since is not None and not resumed else None
        until = marks.values.get(self._stamps[0].field) if self._stamps and not self._whole else None
        self._run.met[self._resource.stream, self._company] = Met(
            self._documents.met, since, self._deletes, until
        )
        self._checkpoint(force=True)

    def _reached(self, progress: Progress, known: Watermarks | None) -> Watermarks:
        """How far all is read now: never back, and not beyond the moment when the read began."""
        marks = progress.newest.capped(self._stamps, progress.begun)
        if known is not None:
            newer = {
                name: value for name, value in marks.values.items() if value >= known.values.get(name, value)
            }
            marks.values = {**known.values, **newer}
            for name, counters in known.counters.items():
                marks.counters[name] = {**counters, **marks.counters.get(name, {})}
        self._stand_in(marks)
        return marks

    def _keep_followed(self, feed: Feed, progress: Progress, *, first: bool) -> None:
        """Keep up to when deletes, and the documents of lines, have been followed."""
        if self._resource.audited and (first or "deletes_since" not in feed.state):
            feed.state["deletes_since"] = progress.begun
        if self._resource.parent:
            met = self._run.met.get((self._resource.parent, self._company))
            feed.state["parents_until"] = min((met and met.until) or progress.begun, progress.begun)
            if first or met is None or met.deletes is not None:
                feed.state["deletes_since"] = progress.begun

    def _stand_in(self, marks: Watermarks) -> None:
        """A stamp that the server does not show is told by the one that stands in for it."""
        for stamp in self._stamps:
            each = stamp
            while marks.values.get(stamp.field) is None and each.instead is not None:
                each = each.instead
                value = marks.values.get(each.field)
                moment = states.moment_of(str(value)) if value is not None else None
                if moment is not None:
                    marks.values[stamp.field] = states.iso(moment)

    def _checkpoint(self, *, force: bool = False) -> None:
        """Bring what is remembered into the state when it is about to be written, or at the end."""
        if not force and not self._run.is_due():
            return
        with self._run.lock:
            self._documents.keep()
            if self._run.is_due():
                self._run.write_state()


def _earliest(progress: Progress, stamps: Sequence[Any]) -> str | None:
    """The earliest moment that a read asks from."""
    kinds = {each.field: each.kind for each in states.all_of(stamps)}
    values = [str(value) for name, value, _ in progress.since or () if kinds.get(name) in {"moment", "day"}]
    return min(values, default=None)
