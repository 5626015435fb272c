"""What the streams of every ERP tap have in common: exact messages, and bookmarks of their own making."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream
from singer_sdk import singerlib as singer
from singer_sdk.helpers._util import utc_now
from singer_sdk.mapper import RemoveRecordTransform
from typing_extensions import override

from ml_connector.extract.digits import hints_of, with_digits

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig

    from ml_connector.extract.erp_tap import ErpTap


class ErpStream(Stream):
    """A stream whose rows hold the selected columns only, in the schema's types."""

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that are in the schema and selected; keys always are."""
        properties = self.effective_schema["properties"]
        return frozenset(
            name
            for name in properties
            if name in self.primary_keys or self.mask.get(("properties", name), True)
        )

    @property
    def written_columns(self) -> Collection[str]:
        """The columns that rows have."""
        return self.columns

    def write_row(self, row: dict[str, Any]) -> None:
        """Emit a row.

        Args:
            row: The row, whole.
        """
        self._write_record_message(row)

    def write_version(self, version: int) -> None:
        """Emit ACTIVATE_VERSION.

        Args:
            version: The version that the records carried.
        """
        self._write_activate_version_message(version)

    def write_schema(self) -> None:
        """Emit SCHEMA."""
        self._write_schema_message()

    def write_batch(self, batch_config: BatchConfig, manifest: list[str]) -> None:
        """Emit BATCH.

        Args:
            batch_config: The SDK's setting.
            manifest: The files.
        """
        self._write_batch_message(batch_config.encoding, manifest)

    def set_version(self, version: int | None) -> None:
        """Have the records that follow carry a version.

        Args:
            version: The version; None for none.
        """
        self._stream_version = version

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        # The SDK announces a version before its first record; here that comes when all is read.
        return False

    @override
    def get_replication_key_signpost(self, context: types.Context | None = None) -> None:
        """Return nothing: bookmarks are capped where they are made."""

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
                    version=self._stream_version,
                    time_extracted=utc_now(),
                )

    @override
    def _generate_schema_messages(self) -> Generator[singer.SchemaMessage, None, None]:
        own, told = self.schema["properties"], cast("ErpTap", self._tap).digits.get(self.name, {})
        stamp = self.replication_key
        bookmark = [stamp] if stamp and stamp in self.written_columns else None
        for stream_map in self.stream_maps:
            if isinstance(stream_map, RemoveRecordTransform):
                continue
            schema = stream_map.transformed_schema
            properties = {
                name: with_digits(described, told.get(name) or hints_of(own.get(name, {})))
                for name, described in schema.get("properties", {}).items()
            }
            yield singer.SchemaMessage(
                stream_map.stream_alias,
                {**schema, "properties": properties},
                stream_map.transformed_key_properties,
                bookmark,
            )
