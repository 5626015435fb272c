"""One run of one kind of document: every page is asked for once, and feeds every selected stream of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ml_connector.extract import SharedRead, prefetch
from typing_extensions import override

from tap_sagex3 import bookmarks
from tap_sagex3.api import Question, Wanted
from tap_sagex3.bookmarks import Memory, Progress, token
from tap_sagex3.errors import StreamUnavailable
from tap_sagex3.rows import values_of
from tap_sagex3.schema_files import COMPANY
from tap_sagex3.streams.resource import DATE_STAMP, STAMP
from tap_sagex3.values import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers._batch import BatchConfig

    from tap_sagex3.api import Record
    from tap_sagex3.streams.base import DocumentStream, SageX3Stream
    from tap_sagex3.streams.resource import Lines

MOST_OPEN = 10_000
"""Documents that may change whose keys a state carries; beyond that the next run reads all of them."""


class ResourceRun(SharedRead):
    """Reads the documents of every folder and writes the rows of their streams.

    Args:
        root: The stream of the whole documents, selected or not.
        streams: The selected streams.
        batch_config: Write batch files instead of records, if given.
    """

    def __init__(
        self, root: DocumentStream, streams: Sequence[SageX3Stream], batch_config: BatchConfig | None = None
    ) -> None:
        super().__init__(root, streams, root.tap.folders, batch_config)
        self.root = root
        self.tap = root.tap
        self.streams = streams
        self.resource = root.resource
        self.wanted = wanted_of(root, streams)
        self.shape = shape_of(root, streams)

    @override
    def is_read(self, company: str) -> bool:
        try:
            _FolderRun(self, company).run()
        except StreamUnavailable as missing:
            names = ", ".join(stream.name for stream in self.streams)
            self.root.logger.warning("%s skipped for folder %s: %s", names, company, missing)
            return False
        return True


class _FolderRun:
    """The part of a run that reads one folder."""

    def __init__(self, run: ResourceRun, folder: str) -> None:
        self.run_ = run
        self.folder = folder
        self.root = run.root
        self.resource = run.resource
        self.api = run.tap.api(folder)
        self.partitions = [stream.partition(folder) for stream in run.streams]
        self.memories = [Memory.of(partition) for partition in self.partitions]
        self._kinds = run.tap.dimension_types(folder) if any(s.dimension_columns for s in run.streams) else []
        self._met: set[str] = set()
        self._later = False

    def run(self) -> None:
        """Read what changed, what may have changed without a stamp, and what its lines say changed."""
        run, now = self.run_, datetime.now(timezone.utc)
        bookmark = None if run.whole else bookmarks.bookmark_of(self.partitions)
        since = None if run.whole else bookmarks.start_of(run.tap.config, bookmark, run.tap.lookback)
        progress = Progress.of(self.partitions, since, now)
        since = bookmarks.read_moment(progress.since) if progress.since else None
        if progress.after is not None:
            self.root.logger.info(
                "%s of %s: going on after an interrupted read.", self.root.name, self.folder
            )
        before = set[str]().union(*(memory.open for memory in self.memories))
        # what is read on later is not met twice; a first read meets everything, which nobody needs to know
        self._later = bookmark is not None or bool(before)
        question = Question(run.wanted, since, bookmark or since, progress.after)
        with closing(prefetch(self.api.pages(self.resource, question), run.tap.prefetch_pages)) as pages:
            for page in pages:
                for record in page.records:
                    self._see(progress, self._write(record))
                progress.after = page.after
                self._keep(progress)
        self._read_again(sorted(before - self._met), progress)
        if bookmark is not None and since is not None and run.wanted.lines:
            changed = {
                token(self._typed_key(key)) for key in self.api.changed_through_lines(self.resource, since)
            }
            self._read_again(sorted(changed - self._met - before), progress)
        self._close(progress, bookmark)

    def _typed_key(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        row = self.run_.shape.row(dict(zip(self.resource.key, key, strict=True)))
        return values_of(row, self.resource.key)

    def _see(self, progress: Progress, document: Record) -> None:
        """Remember the stamps of a document and of its lines, by which those that changed alone are found."""
        progress.see(document)
        lines, below = [document], self.resource.lines
        while below:
            lines = [row for each in below for one in lines for row in one.get(each.collection) or ()]
            for row in lines:
                progress.see(row)
            below = tuple(inner for each in below for inner in each.lines)

    def _keep(self, progress: Progress) -> None:
        for partition, memory in zip(self.partitions, self.memories, strict=True):
            partition["progress"] = asdict(progress)
            memory.keep(partition)
        self.run_.write_state_sometimes()

    def _read_again(self, names: list[str], progress: Progress) -> None:
        """Read documents by their keys; those that are gone take their lines with them."""
        if not names:
            return
        keys = [bookmarks.key_of(name) for name in names]
        found = set()
        for record in self.api.records(self.resource, keys, self.run_.wanted):
            document = self._write(record)
            self._see(progress, document)
            found.add(token(values_of(document, self.resource.key)))
        gone = [name for name in names if name not in found]
        for name in gone:
            self._delete_document(name)
        if gone:
            self.root.logger.info(
                "%s of %s: %d documents are gone; their rows are marked as deleted.",
                self.root.name,
                self.folder,
                len(gone),
            )
        self.run_.write_state_sometimes()

    def _write(self, record: Record) -> Record:
        """Write the rows of a document, and deletes of the lines that it has lost."""
        run = self.run_
        run.count_document()
        document = run.shape.row(record)
        name = token(values_of(document, self.resource.key))
        if self._later:
            self._met.add(name)
        final = self.resource.final
        may_change = (
            final is not None and final.field in document and document[final.field] not in final.values
        )
        for stream, memory in zip(run.streams, self.memories, strict=True):
            keys = []
            for row in stream.row_maker.rows(self.folder, document, self._kinds):
                run.write(stream, row)
                keys.append(values_of(row, stream.key)[len(self.resource.key) :])
            if stream.lines is not None:
                for lost in memory.remember(name, keys, may_change=may_change):
                    self._delete(stream, (*bookmarks.key_of(name), *lost))
            elif may_change or name in memory.open:
                memory.remember(name, (), may_change=may_change)
        return document

    def _delete_document(self, name: str) -> None:
        key = bookmarks.key_of(name)
        for stream, memory in zip(self.run_.streams, self.memories, strict=True):
            lines = memory.forget(name)
            for each in lines if stream.lines is not None else [[]]:
                self._delete(stream, (*key, *each))

    def _delete(self, stream: SageX3Stream, key: Sequence[Any]) -> None:
        row = {COMPANY: self.folder, **dict(zip(stream.key, key, strict=True))}
        self.run_.write(stream, {**row, "_sdc_deleted_at": datetime.now(timezone.utc).isoformat()})

    def _close(self, progress: Progress, bookmark: datetime | None) -> None:
        """Keep how far all was read; what is open beyond measure makes the next run read all."""
        for stream, partition, memory in zip(self.run_.streams, self.partitions, self.memories, strict=True):
            partition.pop("progress", None)
            if stream in self.run_.whole or stream.replication_key is None:
                for word in [word for word in partition if word != "context"]:
                    del partition[word]
                continue
            memory.keep(partition)
            if len(memory.open) > MOST_OPEN:
                self.root.logger.warning(
                    "%s: more than %d documents of %s are not final; the next run reads all of them.",
                    stream.name,
                    MOST_OPEN,
                    self.folder,
                )
                for word in [word for word in partition if word != "context"]:
                    del partition[word]
                continue
            newest = progress.newest or (bookmarks.iso(bookmark) if bookmark else None)
            if newest is not None:
                # a stamp from the future, by a clock that is ahead, would hide what comes until then
                newest = min(newest, progress.begun)
                known = partition.get("replication_key_value")
                partition["replication_key"] = stream.replication_key
                partition["replication_key_value"] = max(newest, known) if known else newest
        self.run_.write_state_sometimes()


def wanted_of(root: DocumentStream, streams: Iterable[SageX3Stream]) -> Wanted:
    """What the selected streams want of a document."""
    also = {STAMP, DATE_STAMP, *([root.resource.final.field] if root.resource.final else [])}
    return wanted_only(root, {stream: _asked_of(stream) for stream in streams}, also)


def _asked_of(stream: SageX3Stream) -> set[str]:
    """A stream's columns as the API knows them: those that are made here need their sources."""
    made = stream.dimension_columns
    sources = {name for pair in stream.tap.convention.pairs for name in pair} if made else set()
    return {*stream.columns, STAMP, *sources} - made - {COMPANY}


def _add_arrays(described: Any, path: tuple[str, ...], paths: dict[tuple[str, ...], set[str]]) -> None:
    """Want all of the lines that a column holds, and of the lines inside them."""
    properties = described.get("items", {}).get("properties")
    if properties:
        inner = {name for name, each in properties.items() if "properties" in each.get("items", {})}
        paths.setdefault(path, set()).update(properties.keys() - inner)
        for name in inner:
            _add_arrays(properties[name], (*path, name), paths)


def _key_at(lines: Sequence[Lines], path: tuple[str, ...]) -> tuple[str, ...]:
    """The key of the lines at the end of a path."""
    each = next(one for one in lines if one.collection == path[0])
    return _key_at(each.lines, path[1:]) if path[1:] else each.key


def _nested(
    lines: Sequence[Lines],
    fields: frozenset[str],
    path: tuple[str, ...],
    paths: dict[tuple[str, ...], set[str]],
) -> Wanted:
    below = {}
    for each in lines:
        inner = (*path, each.collection)
        if inner in paths:
            below[each.collection] = _nested(each.lines, frozenset(paths[inner]), inner, paths)
    return Wanted(fields, below)


def wanted_only(
    root: DocumentStream, fields: Mapping[SageX3Stream, set[str]], also: Iterable[str] = ()
) -> Wanted:
    """Some fields of some streams, besides what their rows are known by.

    Args:
        root: The stream of the documents.
        fields: The fields of each stream.
        also: Fields of the document that nobody selects, and the read needs.
    """
    own, paths = {*root.key, *also}, dict[tuple[str, ...], set[str]]()
    for stream, names in fields.items():
        for name in names:
            _add_arrays(stream.schema["properties"].get(name, {}), (*stream.path, name), paths)
        plain = {name for name in names if (*stream.path, name) not in paths}
        if stream.lines is None:
            own |= plain
            continue
        carried = plain & set(stream.lines.carried)
        own |= carried
        paths.setdefault(stream.path, set()).update(plain - carried, stream.key)
        for place in range(1, len(stream.path)):
            above = stream.path[:place]
            paths.setdefault(above, set()).update(_key_at(root.resource.lines, above))
    return _nested(root.resource.lines, frozenset(own), (), paths)


def shape_of(root: DocumentStream, streams: Iterable[SageX3Stream]) -> Shape:
    """How documents become rows of these streams: all their columns, lines inside their documents."""
    properties = {name: each for name, each in root.schema["properties"].items() if name != COMPANY}
    for stream in streams:
        level = properties
        for name in stream.path:
            known = level.get(name) or {
                "type": ["array", "null"],
                "items": {"type": "object", "properties": {}},
            }
            level[name] = {
                **known,
                "items": {**known["items"], "properties": dict(known["items"]["properties"])},
            }
            level = level[name]["items"]["properties"]
        if stream.path:
            carried = set(stream.lines.carried) if stream.lines else set()
            level.update(
                {n: e for n, e in stream.schema["properties"].items() if n not in carried | {COMPANY}}
            )
    return Shape(properties)


def documents(stream: SageX3Stream, folder: str) -> Iterator[Record]:
    """Read a folder whole, for one stream.

    Yields:
        Documents in the types of the schema.
    """
    root = stream.tap.root_of(stream)
    shape, question = shape_of(root, [stream]), Question(wanted_of(root, [stream]))
    for page in stream.tap.api(folder).pages(root.resource, question):
        for record in page.records:
            yield shape.row(record)
