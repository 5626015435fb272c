"""The documents of a read: their rows, and what is remembered of their lines to tell which they have lost."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ml_connector.extract.deletes import LineTracker, key_of, plain, token
from ml_connector.extract.rows import PageColumns, RowMaker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ml_connector.extract.resource import Resource
    from ml_connector.extract.rows import Path
    from ml_connector.extract.shared import Feed, Outcome, Run
    from ml_connector.extract.source import Converter, Key, Page, Source


class Documents:
    """Writes documents as rows of their streams, and the deletes of what they have lost.

    Args:
        source: The company.
        resource: The kind of document.
        feeds: The streams.
        shape: Schemas by path and field, for the conversion of values.
        run: What is shared.
        outcome: Counts what is written.
        tracks: Whether what earlier runs remembered is read, and what this one sees is kept.
        afresh: Forget what earlier runs remembered.
    """

    def __init__(  # noqa: PLR0917 - what documents are of
        self,
        source: Source,
        resource: Resource,
        feeds: Sequence[Feed],
        shape: Mapping[Path, Mapping[str, Mapping[str, Any]]],
        run: Run,
        outcome: Outcome,
        *,
        tracks: bool,
        afresh: bool,
    ) -> None:
        self._source, self._resource, self._feeds, self._run = source, resource, feeds, run
        self._outcome, self._tracks = outcome, tracks
        self._makers = [RowMaker(feed.plan, source.partition) for feed in feeds]
        self._converters: dict[Path, dict[str, Converter]] = {
            path: {name: source.converter(described) for name, described in properties.items()}
            for path, properties in shape.items()
        }
        self._trackers = [
            LineTracker()
            if not tracks or (afresh and not feed.state.get("progress"))
            else LineTracker(feed.state)
            for feed in feeds
        ]
        self._remembers = (
            resource.final is not None
            or resource.parent is not None
            or any(feed.plan.path for feed in feeds)
            or any(tracker.open for tracker in self._trackers)
        )
        """Whether documents are remembered, for their lines or because they may change."""
        self.notes_met = False
        """Whether the documents that are read are to be known afterwards."""
        self.met: set[str] = set()
        self._found: dict[str, list[Any]] | None = None

    @property
    def open(self) -> set[str]:
        """The tokens of documents that may still change."""
        return set[str]().union(*(tracker.open for tracker in self._trackers))

    def columns(self, page: Page) -> PageColumns:
        """A page's values by column."""
        return PageColumns(page.levels(), self._converters, self._source.partition)

    def keys(self, page: Page) -> list[Key]:
        """The keys of a page's records."""
        columns = self.columns(page)
        return list(zip(*(columns.column((), name) or () for name in self._resource.key), strict=True))

    def typed(self, key: Key) -> Key:
        """A key in the schema's types."""
        converters = self._converters.get((), {})
        return tuple(
            converters[name]([value])[0] if name in converters else value
            for name, value in zip(self._resource.key, key, strict=True)
        )

    def write(self, columns: PageColumns, extracted: str) -> None:
        """Write the rows of a page, and deletes of the lines that its documents have lost."""
        names = self._names(columns)
        if self.notes_met and names is not None:
            self.met.update(names)
        changing = self._may_change(columns)
        self._outcome.pages += 1
        for feed, maker, tracker in zip(self._feeds, self._makers, self._trackers, strict=True):
            rows = maker.rows(columns)
            feed.write(rows, extracted)
            self._outcome.records += len(rows)
            self._run.count(feed.plan.stream, len(rows))
            if self._tracks and self._resource.parent:
                self._track_by_parent(maker, tracker, columns)
            elif self._tracks and names is not None:
                self._track(feed, maker, tracker, columns, names, changing, extracted)

    def delete(self, name: str) -> None:
        """Write the deletes of a document that is gone, and of its lines."""
        at, key = _now(), key_of(name)
        for feed, maker, tracker in zip(self._feeds, self._makers, self._trackers, strict=True):
            lines = tracker.forget(name)
            own = [each for each in feed.plan.key if each not in self._resource.key]
            if not feed.plan.path:
                lines = [()]
            self._delete(feed, maker, (self._named(feed, own, key, line) for line in lines), at)

    def mark_deleted(self, key: Key, at: str) -> None:
        """Write the delete of a document of which the API tells; its lines have deletes of their own."""
        self.met.add(token(key))
        for feed, maker in zip(self._feeds, self._makers, strict=True):
            if not feed.plan.path:
                self._delete(feed, maker, [dict(zip(feed.plan.key, key, strict=True))], at)

    def parents(self, columns: PageColumns) -> Iterator[str]:
        """The token of each line's document; empty if a line names none."""
        fields = [columns.inherited((), name) for name in self._resource.parent_key]
        memo: dict[tuple[Any, ...], str] = {}
        for key in zip(*fields, strict=True):
            name = memo.get(key)
            if name is None:
                name = memo[key] = as_text(key)
            yield name

    def write_lines_of(self, names: Sequence[str], pages: Iterable[PageColumns]) -> None:
        """Write all lines of some documents, read by themselves, and delete those that are lost."""
        extracted, self._found = _now(), {}
        for columns in pages:
            self.write(columns, extracted)
        found, self._found = self._found, None
        for feed, maker, tracker in zip(self._feeds, self._makers, self._trackers, strict=True):
            for name in names:
                lost = tracker.remember(name, found.get(name, []), may_change=False)
                keys = (dict(zip(feed.plan.key, key, strict=True)) for key in lost)
                self._delete(feed, maker, keys, extracted)

    def keep(self) -> None:
        """Bring what is remembered into the state."""
        for feed, tracker in zip(self._feeds, self._trackers, strict=True):
            if self._tracks:
                feed.state.pop("lines", None)
                feed.state.pop("open", None)
                feed.state.update(tracker.as_state())

    def open_of(self, place: int) -> int:
        """How many documents of a stream may still change."""
        return len(self._trackers[place].open)

    def _names(self, columns: PageColumns) -> list[str] | None:
        """The tokens of a page's documents, where they are needed."""
        followed = self._remembers and self._tracks and not self._resource.parent
        if not self.notes_met and not followed:
            return None
        keys = [columns.key((), name, self._resource.stream) for name in self._resource.key]
        return [token(key) for key in zip(*keys, strict=True)]

    def _may_change(self, columns: PageColumns) -> list[bool]:
        final, count = self._resource.final, columns.count(())
        values = columns.column((), final.field) if final else None
        if final is None or values is None:
            return [False] * count
        return [value not in final.values for value in values]

    def _track(  # noqa: PLR0917 - what is known of a page
        self,
        feed: Feed,
        maker: RowMaker,
        tracker: LineTracker,
        columns: PageColumns,
        names: list[str],
        changing: list[bool],
        extracted: str,
    ) -> None:
        """Remember the lines of a page's documents, and delete those that they have lost."""
        if not feed.plan.path:
            if any(changing) or tracker.open:
                for name, may_change in zip(names, changing, strict=True):
                    if may_change:
                        tracker.remember(name, (), may_change=True)
                    elif name in tracker.open:
                        tracker.forget(name)
            return
        own = [name for name in feed.plan.key if name not in self._resource.key]
        groups: list[list[Key]] = [[] for _ in names]
        for place, key in zip(_document_of(columns, feed.plan.path), maker.keys(columns, own), strict=True):
            groups[place].append(key)
        for name, keys, may_change in zip(names, groups, changing, strict=True):
            lost = tracker.remember(name, keys, may_change=may_change)
            if lost:
                document = key_of(name)
                self._delete(
                    feed, maker, (self._named(feed, own, document, each) for each in lost), extracted
                )

    def _track_by_parent(self, maker: RowMaker, tracker: LineTracker, columns: PageColumns) -> None:
        """Note lines that are read by themselves under their documents."""
        for name, key in zip(self.parents(columns), maker.keys(columns, maker.plan.key), strict=True):
            if name and self._found is not None:
                self._found.setdefault(name, []).append(key)
            elif name:
                tracker.add(name, key)

    def _named(self, feed: Feed, own: Sequence[str], document: Key, line: Key) -> dict[str, Any]:
        values = {**dict(zip(self._resource.key, document, strict=True)), **dict(zip(own, line, strict=True))}
        return {name: values.get(name) for name in feed.plan.key}

    @staticmethod
    def _delete(feed: Feed, maker: RowMaker, keys: Iterable[Mapping[str, Any]], at: str) -> None:
        rows = [maker.deleted(key, at) for key in keys]
        if rows:
            feed.write(rows, at)


def as_text(key: Iterable[Any]) -> str:
    """A document's token as its lines name it: they may hold its number as text. Empty if they name none."""
    parts = [plain(value) for value in key]
    return "" if None in parts else token(map(str, parts))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


def _document_of(columns: PageColumns, path: Path) -> Iterable[int]:
    """The place of the document of each line at a path."""
    places: list[int] | None = None
    for depth in range(1, len(path) + 1):
        level = columns.levels.get(path[:depth])
        if level is None:
            continue
        parents = list(level.parents or ())
        places = parents if places is None else [places[parent] for parent in parents]
    return places or ()
