"""The two kinds of streams: whole documents, and rows made of the lines inside them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from ml_connector import extract
from typing_extensions import override

from tap_sagex3.reading import ResourceRun, documents
from tap_sagex3.rows import RowMaker
from tap_sagex3.schema_files import COMPANY, without_hints
from tap_sagex3.streams.resource import STAMP, Lines, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig

    from tap_sagex3.api import Record
    from tap_sagex3.tap import TapSageX3


class SageX3Stream(extract.ErpStream):
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
        tap: TapSageX3,
        resource: Resource,
        schema: dict[str, Any],
        lines: Lines | None = None,
        path: Sequence[str] = (),
    ) -> None:
        self.selected_by_default = resource.selected
        self.resource = resource
        self.lines = lines
        self.path = tuple(path)
        self.key = (lines or resource).key
        super().__init__(tap, schema=without_hints(schema), name=(lines or resource).stream)
        self.primary_keys = (COMPANY, *self.key)
        self.replication_key = STAMP if resource.stamped and STAMP in self.schema["properties"] else None

    @property
    def tap(self) -> TapSageX3:
        """The tap that this stream belongs to."""
        return cast("TapSageX3", self._tap)

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        return [{COMPANY: folder} for folder in self.tap.folders]

    @cached_property
    def dimension_columns(self) -> frozenset[str]:
        """The selected columns that the convention fills."""
        convention, properties = self.tap.convention, self.schema["properties"]
        named = {*convention.names.values()}
        return frozenset(
            name
            for name in self.columns
            if name in named
            or any(
                name.startswith(prefix)
                for place, (kinds, values) in enumerate(convention.pairs)
                if kinds in properties and values in properties
                for prefix in ([convention.prefix] if place == 0 else [f"{values}_"])
            )
        )

    @cached_property
    def row_maker(self) -> RowMaker:
        """Turns a document into this stream's rows."""
        properties = self.schema["properties"]
        arrays = {
            name: properties[name]["items"]
            for name in self.columns
            if "properties" in properties[name].get("items", {})
        }
        carried = [name for name in (self.lines.carried if self.lines else ()) if name in self.columns]
        convention = self.tap.convention if self.dimension_columns else None
        return RowMaker(self.columns, self.key, self.path, carried, arrays, convention)

    def partition(self, folder: str) -> dict[str, Any]:
        """A folder's part of this stream's state, to be changed in place."""
        return self.get_context_state({COMPANY: folder})

    @override
    def get_records(self, context: types.Context | None) -> Iterable[Record]:
        """Read a folder whole, without regard to bookmarks.

        Args:
            context: The partition.

        Yields:
            The stream's rows.
        """
        folder = str((context or {})[COMPANY])
        for document in documents(self, folder):
            yield from self.row_maker.rows(folder, document, self.tap.dimension_types(folder))


class DocumentStream(extract.DocumentStream, SageX3Stream):
    """One kind of document; its line streams are fed from the same read."""

    @property
    @override
    def outlets(self) -> list[SageX3Stream]:
        return [stream for stream in super().outlets if isinstance(stream, SageX3Stream)]

    @override
    def shared_read(self, batch_config: BatchConfig | None = None) -> ResourceRun:
        return ResourceRun(self, self.outlets, batch_config)


class LineStream(extract.LineStream, SageX3Stream):
    """Rows made of the lines of documents; read by its document stream."""
