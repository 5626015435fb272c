"""The one kind of stream: an object of the gateway, read in each entity."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from ml_connector.extract import ErpStream, Outlets
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_sageintacct.errors import ObjectUnavailable
from tap_sageintacct.reading import Reading, rows
from tap_sageintacct.schema_files import OWN_COLUMNS, SENSITIVE, without_hints

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Mapping

    from singer_sdk import singerlib as singer
    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig

    from tap_sageintacct.client import Client, Record
    from tap_sageintacct.streams.resource import Resource
    from tap_sageintacct.tap import TapSageIntacct


class IntacctStream(ErpStream):
    """Reads an object.

    Args:
        tap: The tap.
        resource: The object.
        schema: The stream's schema with its `x-` hints.
    """

    STATE_MSG_FREQUENCY = 100_000

    def __init__(self, tap: TapSageIntacct, resource: Resource, schema: Mapping[str, Any]) -> None:
        self.selected_by_default = resource.selected
        self.resource = resource
        self._sensitive = [name for name, each in schema["properties"].items() if each.get(SENSITIVE)]
        self._outlets = Outlets()
        super().__init__(tap, schema=without_hints(schema), name=resource.stream)
        self.primary_keys = ("source_company", "RECORDNO")
        stamp = resource.replication_key
        self.replication_key = stamp if stamp in self.schema["properties"] else None

    @property
    def tap(self) -> TapSageIntacct:
        """The tap that this stream belongs to."""
        return cast("TapSageIntacct", self._tap)

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
    @override
    def partitions(self) -> list[dict[str, Any]]:
        return [self._context(entity) for entity in self.tap.entities]

    @cached_property
    def asked(self) -> dict[str, dict[str, Any]]:
        """The selected columns that the gateway is asked for, with their schemas."""
        properties = self.effective_schema["properties"]
        return {
            name: properties[name]
            for name in properties
            if name not in OWN_COLUMNS
            and (name in self.primary_keys or self.mask.get(("properties", name), True))
        }

    @property
    @override
    def written_columns(self) -> Collection[str]:
        return self.asked.keys()

    def partition(self, client: Client) -> dict[str, Any]:
        """An entity's part of this stream's state, to be changed in place."""
        return self.get_context_state(self._context(client.entity))

    def note_changed(self, client: Client, page: Iterable[Record], *, first_read: bool) -> None:
        """Tell the tap which documents changed, for their lines; after a first read all lines come anyway."""
        if not first_read:
            self.tap.note_changed(self.name, client, [str(record["RECORDNO"]) for record in page])

    def note_deleted(self, client: Client, recordno: str) -> None:
        """Tell the tap which documents are gone, for their lines."""
        self.tap.note_changed(self.name, client, [recordno])

    def write_state(self) -> None:
        """Emit the state, after all that it counts."""
        self._outlets.flush()
        self.tap.state_writer.write_state(self.tap.state)

    @override
    def get_records(self, context: types.Context | None) -> Iterable[Record]:
        """Read an entity whole, without regard to bookmarks.

        Args:
            context: The partition.

        Yields:
            The rows.
        """
        yield from rows(self, self.tap.client(str((context or {})["source_entity"])))

    @override
    def _sync_batches(self, batch_config: BatchConfig, context: types.Context | None = None) -> None:
        self._outlets = Outlets(batch_config)
        for _ in self._sync_records(context):
            pass

    @override
    def _sync_records(
        self, context: types.Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        """Read every entity, then say which full read counts."""
        version, whole = None, self.whole or self._misses_deletes()
        if whole:
            version = self.stream_state.setdefault("version", self.tap.initialized_at)
        self._stream_version = version
        try:
            read = [self._entity_is_read(entity, write_messages, whole) for entity in self.tap.entities]
        except SystemExit:
            # told to end, between two rows: what was read so far counts
            self.write_state()
            raise
        self._outlets.flush()
        if version is not None:
            self._stream_version = None
            self.stream_state.pop("version", None)
            # a version also disowns the rows of an entity that could not be read: then there is none
            if all(read) and self.tap.emits_versions and write_messages:
                self.write_version(version)
        self.write_state()
        yield from ()

    @property
    def whole(self) -> bool:
        """Whether every run reads all of it: there is no stamp to follow, or the catalog wants it so."""
        return self.replication_key is None or self.replication_method == REPLICATION_FULL_TABLE

    def _misses_deletes(self) -> bool:
        """Whether records are gone that the audit trail names otherwise than by RECORDNO."""
        for entity in self.tap.entities:
            client = self.tap.client(entity)
            swept = self.partition(client).get("swept", ())
            unnamed = [each for each in self.tap.unnamed(self, client) if each.id not in swept]
            if unnamed:
                self.logger.warning(
                    "The audit trail of %s names %d deleted records of %s by '%s' and the like: all of %s is"
                    " read, to find out which are gone.",
                    client.place,
                    len(unnamed),
                    unnamed[0].object,
                    unnamed[0].key,
                    self.name,
                )
                return True
        return False

    def _entity_is_read(self, entity: str, write_messages: bool, whole: bool) -> bool:
        client = self.tap.client(entity)
        count = 0

        def write(row: Record) -> None:
            nonlocal count
            self._check_max_record_limit(count)
            count += 1
            if write_messages:
                self._outlets.write(self, row)

        try:
            Reading(self, client, write, whole=whole).run()
        except ObjectUnavailable as missing:
            self.logger.warning("%s skipped for %s: %s", self.name, client.place, missing)
            return False
        return True

    def _context(self, entity: str) -> dict[str, Any]:
        return {"source_company": self.tap.company, "source_entity": entity}
