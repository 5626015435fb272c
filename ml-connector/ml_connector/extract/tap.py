"""The tap itself: its settings, its companies, its streams, and the run over all of them."""

from __future__ import annotations

import gc
import json
import logging
import signal
import sys
import threading
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap as SdkTap
from singer_sdk import typing as th
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from ml_connector.config_errors import secret_names
from ml_connector.extract.catalog import RunCatalog
from ml_connector.extract.checks import check
from ml_connector.extract.command import CommandTap
from ml_connector.extract.control_totals import Measured, control_totals
from ml_connector.extract.digits import into_catalog
from ml_connector.extract.discovery import discover
from ml_connector.extract.errors import ApiError, InvalidSetting
from ml_connector.extract.resource import COMPANY, walk
from ml_connector.extract.run import TapRun
from ml_connector.extract.selection import shape_of
from ml_connector.extract.settings import full_refreshes, reading
from ml_connector.extract.state_shape import check_state
from ml_connector.extract.streams import DocumentStream, LineStream, ResourceStream
from ml_connector.extract.writer import ExactWriter
from ml_connector.plugin import CheckedSettings
from ml_connector.secrets import protect_logs, reveal_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from ml_connector.extract.checks import Check
    from ml_connector.extract.discovery import DiscoveredStream
    from ml_connector.extract.resource import Resource
    from ml_connector.extract.rows import Derive
    from ml_connector.extract.schemas import SchemaFiles
    from ml_connector.extract.shared import ReadSettings
    from ml_connector.extract.source import Source

_KILLED = 128
"""What a shell adds to the number of the signal that ended a program."""
VERSIONS = th.Property(
    "emit_activate_version_messages",
    th.BooleanType,
    default=True,
    title="Emit ACTIVATE_VERSION",
    description="Follow a stream that was read whole by ACTIVATE_VERSION: targets then mark what vanished.",
)
"""A setting of every tap."""


class Tap(CheckedSettings, CommandTap):
    """A tap over sources, one a company, with `--control-totals`, a `--test`, and sentences.

    A tap says which settings, which declarations (`resources`), which schemas (`files`) and which sources
    (`make_source`) it has.
    """

    message_writer_class = ExactWriter
    files: ClassVar[SchemaFiles]
    invalid_setting = InvalidSetting
    companies_setting: ClassVar[str] = "companies"
    """The setting that lists what is read."""
    apart: ClassVar[tuple[str, ...]] = ()
    """Columns by which control totals are told apart further."""
    whole_parents: ClassVar[bool] = True
    """Whether lines that are asked for by themselves always come with all others of their document."""

    def __init__(self, **options: Any) -> None:
        if isinstance(catalog := options.get("catalog"), Mapping):
            options["catalog"] = RunCatalog(catalog.to_dict() if isinstance(catalog, Catalog) else catalog)
        self._sources: dict[str, Source] = {}
        self._lock = threading.RLock()
        protect_logs()
        logging.getLogger(self.name).addFilter(_is_worth_saying)
        super().__init__(**options)

    # what a tap says

    @property
    def resources(self) -> Sequence[Resource]:
        """The declarations, as the settings have them."""
        raise NotImplementedError

    @abstractmethod
    def make_source(self, partition: Mapping[str, Any], *, testing: bool = False) -> Source:
        """Make the source of a company; its connections live as long as the tap.

        Args:
            partition: One of `partitions`.
            testing: For `--test`.

        Raises:
            ApiError: A setting is missing.
        """

    @property
    def partitions(self) -> list[dict[str, Any]]:
        """What is read, each with bookmarks of its own, in the order of the settings."""
        names = self.config.get(self.companies_setting) or ()
        return [{COMPANY: name} for name in dict.fromkeys(str(name).strip() for name in names) if name]

    def missing_settings(self) -> str:
        """A sentence for what the settings lack beyond their schema; empty if nothing."""
        return ""

    def derive(self, stream: ResourceStream) -> tuple[Derive | None, frozenset[str], frozenset[str]]:  # noqa: ARG002
        """Columns of a stream that the tap makes: how, which, and of which fields."""
        return None, frozenset(), frozenset()

    def added_columns(self, schema: dict[str, Any]) -> None:
        """Add the columns that the tap makes to a schema that was discovered."""

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        check_state(state)
        super().load_state({**state, "bookmarks": state.get("bookmarks") or {}})

    def upgrade_state(self, stream: str, partition: dict[str, Any]) -> None:
        """Bring what an earlier version of the tap wrote into the words of `state`, in place.

        Args:
            stream: The stream's name.
            partition: Its part of the state, with its context.
        """

    def must_read_whole(self, stream: DocumentStream) -> bool:  # noqa: ARG002
        """Whether something happened to a stream that only a whole read can tell."""
        return False

    def read_whole(self, partitions: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Of which rows ACTIVATE_VERSION is, where the rows of a partition may bear other columns than it.

        Args:
            partitions: What was read whole.
        """
        return partitions

    # what streams need

    @property
    def revealed(self) -> Mapping[str, Any]:
        """The settings with their secrets."""
        return {
            **self.config,
            **reveal_config(self.config, secret_names(self.config_jsonschema) | set(self.secrets)),
        }

    @cached_property
    def reading(self) -> ReadSettings:
        """The settings of reading, parsed.

        Raises:
            InvalidSetting: One of them cannot be used.
        """
        return reading(self.config)

    @cached_property
    def full_refresh_every(self) -> Mapping[str, float]:
        """Days after which a stream is read whole, by stream or glob."""
        return full_refreshes(self.config)

    @property
    def writer(self) -> ExactWriter:
        """Where messages go."""
        writer = self.message_writer
        if not isinstance(writer, ExactWriter):
            raise TypeError("A tap writes with ExactWriter.")
        return writer

    @property
    def emits_versions(self) -> bool:
        """Whether full reads are followed by ACTIVATE_VERSION."""
        return self.config.get("emit_activate_version_messages") is not False

    def source(self, partition: Mapping[str, Any]) -> Source:
        """The source of a company, made once."""
        name = json.dumps(dict(partition))
        with self._lock:
            if name not in self._sources:
                self._sources[name] = self.make_source(partition)
            return self._sources[name]

    def digits_of(self, stream: str) -> Mapping[str, Any]:
        """The digits of a stream's decimals by column, as the catalog has them."""
        return self.input_catalog.digits(stream) if isinstance(self.input_catalog, RunCatalog) else {}

    # the run

    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        # the SDK calls it final, and ends a run with its first failure
        self.fail_on_settings()
        self._reset_state_progress_markers()
        roots = [
            stream
            for stream in self.streams.values()
            if isinstance(stream, DocumentStream) and stream.outputs
        ]
        # streams and schemas stay as long as the run: no collection has to walk over them
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        if self.state:
            self.writer.write_state(self.state)
        try:
            self._run.announce(roots)
            # rows of one stream that wait for their file must not be counted by the state of another
            workers = 1 if self.config.get("batch_config") else int(self.config.get("concurrency") or 1)
            self._run.read(roots, workers)
        except SystemExit:
            # told to end, between two rows: what was read so far counts
            self._run.checkpoint()
            raise
        finally:
            self.close()
        if not self._run.tell():
            sys.exit(1)

    def read(self, root: DocumentStream) -> None:
        """Read one kind of document in all companies."""
        self._run.read([root], 1)

    @cached_property
    def _run(self) -> TapRun:
        return TapRun(self.reading, self.writer, self.state, self.logger)

    def fail_on_settings(self) -> None:
        """Find what is wrong with the settings before anything is read.

        Raises:
            ApiError: Something is.
        """
        if not self.partitions:
            raise ApiError(f"The setting {self.companies_setting} is empty: name at least one to read.")
        if problem := self.missing_settings():
            raise ApiError(f"The settings are not complete: {problem}")
        _ = self.reading, self.full_refresh_every

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End a run that was told to: between two lines, and not as if all were read."""
        # a second signal ends it at once, whatever is on its way
        signal.signal(signum, signal.SIG_DFL)
        name = signal.Signals(signum).name
        self.logger.warning("Ended by %s. The next run goes on from the last state that was written.", name)
        self.writer.end(_KILLED + signum)

    def close(self) -> None:
        """End all sessions."""
        for source in self._sources.values():
            source.close()
        self._sources.clear()

    # discovery

    @override
    def setup_mapper(self) -> None:
        """Make the streams, but render no schema yet: each stream registers its own when it is opened."""
        super(SdkTap, self).setup_mapper()
        for stream in self.streams.values():
            if self.config.get("stream_maps") and stream.selected:
                # a mistake in the setting shows before anything is read
                _ = stream.stream_maps

    @override
    def discover_streams(self) -> Sequence[ResourceStream]:
        """Make the streams; with a catalog only those that it has read."""
        catalog = self.input_catalog
        found: list[ResourceStream] = []
        parents: dict[str, type[DocumentStream]] = {}
        for each in self._asked_for(catalog) if isinstance(catalog, RunCatalog) else self._on_offer():
            if each.lines is None:
                cls = type(each.resource.stream, (DocumentStream,), {"name": each.resource.stream})
                parents[each.resource.stream] = cls
                found.append(cls(self, each.resource, each.schema))
            else:
                parent = parents[each.resource.stream]
                body = {"name": each.lines.stream, "parent_stream_type": parent}
                line = type(each.lines.stream, (LineStream,), body)
                found.append(line(self, each.resource, each.schema, each.lines, each.path))
        return found

    def _on_offer(self) -> Iterator[DiscoveredStream]:
        """All streams, with what the servers say about themselves."""
        sources: list[Source] = []
        if self.config.get("discover_custom_fields") is not False and self.is_configured:
            sources = self.reachable([self.source(each) for each in self.partitions])
        for each in discover(self.files, self.resources, sources, None, best_effort=self.best_effort):
            self.added_columns(each.schema)
            yield each

    def _asked_for(self, catalog: RunCatalog) -> Iterator[DiscoveredStream]:
        """The streams that a catalog selects, and the documents whose lines it selects."""
        read, known = [], {}
        for resource in self.resources:
            names = [resource.stream, *(lines.stream for lines, _ in walk(resource.lines))]
            if any(map(catalog.selects, names)):
                read.append(resource)
                entries = [entry for name in names if (entry := catalog.get_stream(name)) is not None]
                known.update({entry.tap_stream_id: entry.schema.to_dict() for entry in entries})
        for each in discover(self.files, read, (), known, best_effort=self.best_effort):
            if each.lines is None or catalog.selects(each.lines.stream):
                yield each

    @property
    def is_configured(self) -> bool:
        """Whether the settings say enough to ask a server."""
        return bool(self.partitions and self.config.get("base_url")) and not self.missing_settings()

    def reachable(self, sources: list[Source]) -> list[Source]:
        """The companies that discovery asks for their own fields."""
        return sources

    @property
    @override
    def catalog_dict(self) -> dict[str, Any]:
        schemas = {name: stream.schema for name, stream in self.streams.items()}
        return into_catalog(super().catalog_dict, schemas)

    # the commands

    def checks(self) -> Iterator[Check]:
        """Try what a run needs, step by step."""
        self.fail_on_settings()
        sources = [self.make_source(each, testing=True) for each in self.partitions]
        try:
            yield from self.check(sources)
        finally:
            for source in sources:
                source.close()

    def check(self, sources: Sequence[Any]) -> Iterator[Check]:
        """Try the companies.

        Args:
            sources: One each, made for it and closed afterwards.
        """
        return check(sources, self.resources)

    def control_totals(self) -> dict[str, Any]:
        """Count and sum the selected streams, as the targets' `reconcile` reads it."""
        self.fail_on_settings()
        reads = []
        for root in self.streams.values():
            if isinstance(root, DocumentStream) and (outputs := root.outputs):
                measured = [self.measured(each) for each in outputs]
                properties: dict[tuple[str, ...], Any] = {(): root.schema["properties"]}
                properties.update({each.path: each.schema["properties"] for each in outputs})
                reads.append((root.resource, measured, shape_of(root.resource, properties)))
        sources = [self.source(each) for each in self.partitions]
        return control_totals(self.name.removeprefix("tap-"), reads, sources, self.logger)

    def measured(self, stream: ResourceStream) -> Measured:
        """What of a stream control totals count and sum, by which periods."""
        about, properties = stream.lines or stream.resource, stream.columns
        return Measured(
            stream.plan,
            [name for name in (about.period,) if name and name in properties],
            [name for name in about.measures if name in properties],
            [name for name in self.apart if name in properties],
        )


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """Leave out what the SDK says of each stream and setting: hundreds of lines that nobody can act on."""
    return not str(record.msg).startswith(("Added '%s' as child stream", "Skipping parse of env var"))
