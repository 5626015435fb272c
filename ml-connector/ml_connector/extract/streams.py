"""The two kinds of streams: whole documents, and rows made of the lines inside them."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec
from singer_sdk import Stream as SdkStream
from singer_sdk import singerlib as singer
from singer_sdk.helpers._catalog import _pop_deselected_schema
from singer_sdk.helpers._util import utc_now
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import Schema
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from ml_connector.extract import state as states
from ml_connector.extract.asking import read_pages
from ml_connector.extract.digits import hints_of, with_digits
from ml_connector.extract.errors import ApiError
from ml_connector.extract.resource import COMPANY
from ml_connector.extract.rows import PageColumns, RowMaker, RowPlan
from ml_connector.extract.schemas import without_hints
from ml_connector.extract.selection import selection_of, shape_of
from ml_connector.extract.source import ReadRequest
from ml_connector.extract.writer import ActivateVersion

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.mapper import StreamMap

    from ml_connector.extract.record_writer import RecordWriter
    from ml_connector.extract.resource import Lines, Resource
    from ml_connector.extract.rows import Derive
    from ml_connector.extract.shared import ReadSettings
    from ml_connector.extract.source import Source
    from ml_connector.extract.writer import ExactWriter

SENSITIVE = "x-sensitive"
"""Marks a field of a schema file that discovery does not propose."""
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class StreamTap(Protocol):
    """What streams need of their tap."""

    config: Mapping[str, Any]
    mapper: Any
    partitions: list[dict[str, Any]]
    reading: ReadSettings
    full_refresh_every: Mapping[str, float]
    writer: ExactWriter
    emits_versions: bool
    whole_parents: bool
    initialized_at: int

    def source(self, partition: Mapping[str, Any]) -> Source:
        """The source of a company."""

    def digits_of(self, stream: str) -> Mapping[str, Any]:
        """The digits of a stream's decimals by column, as its catalog has them."""

    def derive(self, stream: Any) -> tuple[Derive | None, frozenset[str], frozenset[str]]:
        """Columns that the tap makes."""

    def upgrade_state(self, stream: str, partition: dict[str, Any]) -> None:
        """Bring what an earlier version wrote into today's words."""

    def must_read_whole(self, stream: Any) -> bool:
        """Whether something happened to a stream that only a whole read can tell."""

    def read_whole(self, partitions: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Of which rows ACTIVATE_VERSION is."""

    def read(self, root: Any) -> None:
        """Read one kind of document in all companies."""

    def close(self) -> None:
        """End all sessions."""


class ResourceStream(SdkStream):
    """What documents and lines have in common: schema, key, rows, messages.

    Args:
        tap: The tap.
        resource: The documents.
        schema: The stream's schema.
        lines: The lines that the rows are made of; None for the documents themselves.
        path: The collections to go down to them.
    """

    STATE_MSG_FREQUENCY = 100_000

    def __init__(
        self,
        tap: Any,
        resource: Resource,
        schema: dict[str, Any],
        lines: Lines | None = None,
        path: Sequence[str] = (),
    ) -> None:
        self.selected_by_default = (lines or resource).selected
        self.resource = resource
        self.lines = lines
        self.path = tuple(path)
        self.key = (lines or resource).key
        missing = [name for name in self.key if name not in schema["properties"]]
        if missing:
            raise ApiError(f"{(lines or resource).stream}: its schema lacks the key {', '.join(missing)}.")
        super().__init__(tap, schema=without_hints(schema), name=(lines or resource).stream)
        self.primary_keys = (COMPANY, *self.key)
        stamp = resource.replication_key
        self.replication_key = stamp if stamp in self.schema["properties"] else None
        self._sensitive = [name for name, each in schema["properties"].items() if each.get(SENSITIVE)]
        self._version: int | None = None
        self._batches: RecordWriter | None = None

    @property
    @override
    def metadata(self) -> singer.MetadataMapping:
        """What is sensitive is not proposed by discovery; a catalog may select it."""
        found = super().metadata
        for name in self._sensitive:
            if (entry := found.get(("properties", name))) is not None and entry.selected is None:
                entry.selected_by_default = False
        return found

    @property
    def tap(self) -> StreamTap:
        """The tap that this stream belongs to."""
        return cast("StreamTap", self._tap)

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        return [dict(each) for each in self.tap.partitions]

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that are in the schema and selected; keys always are."""
        properties = self.effective_schema["properties"]
        return frozenset(
            name
            for name in properties
            if name in self.primary_keys or self.mask.get(("properties", name), True)
        )

    @cached_property
    def plan(self) -> RowPlan:
        """The stream's rows."""
        properties = self.schema["properties"]
        partition = self.tap.partitions[0] if self.tap.partitions else {COMPANY: None}
        columns = tuple(name for name in properties if name in self.columns and name not in partition)
        derive, made, sources = self.tap.derive(self)
        carried = self.lines.from_above if self.lines else ()
        return RowPlan(
            self.name,
            self.path,
            columns,
            properties,
            self.key,
            tuple(each for each in carried if each.column in properties),
            derive if made or sources else None,
            made,
            sources,
        )

    def partition(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """A partition of this stream's state, to be changed in place."""
        found = cast("dict[str, Any]", self.get_context_state(dict(context)))
        self.tap.upgrade_state(self.name, found)
        return found

    @property
    def whole(self) -> bool:
        """Whether every run reads all of it: there is no stamp to follow, or the catalog wants it so."""
        return self.replication_key is None or self.replication_method == REPLICATION_FULL_TABLE

    def write(self, rows: Sequence[Any], extracted: str) -> None:
        """Emit rows.

        Args:
            rows: Structs of one type, or dictionaries.
            extracted: When they were read.
        """
        if not rows:
            return
        alias = self._alias
        if alias is not None and self._batches is None:
            self.tap.writer.write_rows(alias, rows, self._version, extracted)
            return
        for row in rows:
            plain: dict[str, Any] = _decode(_encode(row))
            if self._batches is not None:
                self._batches.write(self, plain)
            else:
                self.write_row(plain)

    def write_row(self, row: dict[str, Any]) -> None:
        """Emit a row through the SDK's maps."""
        self._write_record_message(row)

    def write_batch(self, batch_config: BatchConfig, manifest: list[str]) -> None:
        """Emit BATCH.

        Args:
            batch_config: The SDK's setting.
            manifest: The files.
        """
        self._write_batch_message(batch_config.encoding, manifest)

    def open(self, version: int | None, batches: RecordWriter | None) -> None:
        """Emit SCHEMA, and have the records that follow carry a version."""
        self.open_version(version)
        self._batches = batches
        self._write_schema_message()

    def add_columns(self, columns: Mapping[str, Mapping[str, Any]]) -> None:
        """Announce columns that nobody could know before their first row came.

        Args:
            columns: Their schemas, by name; those of earlier calls among them.
        """
        schema = Schema.from_dict(self.effective_schema).to_dict()
        kept = {name: value for name, value in schema["properties"].items() if name in self.columns}
        extended = {**schema, "properties": {**kept, **columns}}
        self.tap.mapper.register_raw_stream_schema(self.name, extended, self.primary_keys)
        self._stream_maps = None
        self.__dict__.pop("_alias", None)
        self._write_schema_message()

    def open_version(self, version: int | None) -> None:
        """Have the records that follow carry a version; None for none."""
        self._version = self._stream_version = version

    def activate(self, version: int, partitions: Sequence[Mapping[str, Any]]) -> None:
        """Emit ACTIVATE_VERSION for what was read whole."""
        for stream_map in self.stream_maps:
            if not isinstance(stream_map, RemoveRecordTransform):
                self.tap.writer.write_message(ActivateVersion(stream_map.stream_alias, version, partitions))

    @property
    @override
    def stream_maps(self) -> list[StreamMap]:
        """What is done to rows and schema; the SDK would render the schemas of all streams at once."""
        mapper = self.tap.mapper
        if self.name not in mapper.stream_maps:
            schema = Schema.from_dict(self.effective_schema).to_dict()
            _pop_deselected_schema(schema, self.mask, self.name, ())
            mapper.register_raw_stream_schema(self.name, schema, self.primary_keys)
        return super().stream_maps

    @cached_property
    def _alias(self) -> str | None:
        """The stream's name, if nothing is to be done to its rows."""
        maps = self.stream_maps
        only = maps[0]
        plain = len(maps) == 1 and type(only) is SameRecordTransform and not only.flattening_enabled
        return only.stream_alias if plain else None

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        # The SDK announces a version before its first record; here that comes when all is read.
        return False

    @override
    def get_replication_key_signpost(self, context: types.Context | None = None) -> None:
        """Return nothing: bookmarks are capped where they are made."""

    @override
    def get_records(self, context: types.Context | None) -> Iterable[dict[str, Any]]:
        """Read a partition whole, without regard to bookmarks.

        Args:
            context: The partition.

        Yields:
            The stream's rows.
        """
        source = self.tap.source(dict(context or self.partitions[0]))
        maker = RowMaker(self.plan, source.partition)
        shape = shape_of(self.resource, {self.path: self.schema["properties"]})
        converters = {
            path: {name: source.converter(described) for name, described in properties.items()}
            for path, properties in shape.items()
        }
        request = ReadRequest(self.resource, selection_of(self.resource, [self.plan]), shape=shape)
        for page in read_pages(source, request, self.tap.reading.prefetch_pages):
            for row in maker.rows(PageColumns(page.levels(), converters, source.partition)):
                yield _decode(_encode(row))

    @override
    def _generate_record_messages(
        self, record: dict[str, Any]
    ) -> Generator[singer.RecordMessage, None, None]:
        # The SDK's walk over every value would only turn decimals into text and dates into other spellings.
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield singer.RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._version,
                    time_extracted=utc_now(),
                )

    @override
    def _generate_schema_messages(self) -> Generator[singer.SchemaMessage, None, None]:
        own, told = self.schema["properties"], self.tap.digits_of(self.name)
        stamp = self.replication_key
        bookmark = [stamp] if stamp and stamp in self.columns else None
        for stream_map in self.stream_maps:
            if isinstance(stream_map, RemoveRecordTransform):
                continue
            schema = stream_map.transformed_schema
            properties = {
                name: with_digits(described, told.get(name) or hints_of(own.get(name, {})))
                for name, described in schema.get("properties", {}).items()
            }
            schema = {**schema, "properties": properties}
            document = self.document_key
            if document and set(document) <= properties.keys():
                schema["x-document-key"] = list(document)
            yield singer.SchemaMessage(
                stream_map.stream_alias, schema, stream_map.transformed_key_properties, bookmark
            )

    @property
    def document_key(self) -> tuple[str, ...]:
        """The properties of a line that name its document, where documents always come whole."""
        if self.lines is not None:
            key = self.resource.key
        elif self.resource.parent and self.tap.whole_parents:
            key = self.resource.parent_key
        else:
            return ()
        return (COMPANY, *key) if set(key) <= self.schema["properties"].keys() else ()


class DocumentStream(ResourceStream):
    """Whole documents; the streams of their lines, its children, are fed from the same read."""

    @property
    def outputs(self) -> list[ResourceStream]:
        """The selected ones of this stream and its line streams."""
        streams = (self, *(each for each in self.child_streams if isinstance(each, ResourceStream)))
        return [stream for stream in streams if stream.selected]

    @cached_property
    def is_refreshed(self) -> bool:
        """Whether all of it is read this time, though it has stamps to follow."""
        return _is_due(self) or self.tap.must_read_whole(self)

    @override  # type: ignore[misc]
    def sync(self, context: types.Context | None = None) -> None:
        """Read every partition once and write the rows of every selected stream."""
        # the SDK calls it final, and knows one stream a read only
        self.tap.read(self)


class LineStream(ResourceStream):
    """Rows made of the lines of documents; read by their document stream."""

    @override  # type: ignore[misc]
    def sync(self, context: types.Context | None = None) -> None:
        """Nothing to do: the document stream writes the rows."""


def _is_due(root: DocumentStream) -> bool:
    """Whether `full_refresh_every` wants all of it read this time."""
    days = next(
        (value for name, value in root.tap.full_refresh_every.items() if fnmatchcase(root.name, name)), None
    )
    if days is None or all(stream.whole for stream in root.outputs):
        return False
    kept = [
        states.moment_of(str(stream.partition(each).get("full_read") or ""))
        for stream in root.outputs
        for each in root.tap.partitions
    ]
    known = [moment for moment in kept if moment is not None]
    if len(known) < len(kept):
        return True
    return (utc_now() - min(known)).total_seconds() >= days * 86_400
