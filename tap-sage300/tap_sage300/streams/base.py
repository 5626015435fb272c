"""The two kinds of streams: whole documents, and rows made of the collections inside them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from ml_connector import extract
from typing_extensions import override

from tap_sage300 import optional_fields
from tap_sage300.days import days_in
from tap_sage300.reading import SetRun, documents
from tap_sage300.rows import RowMaker
from tap_sage300.schema_files import OWN_COLUMNS, SEGMENTS, without_hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig

    from tap_sage300.days import Days
    from tap_sage300.rows import Record
    from tap_sage300.streams.resource import Lines, Resource
    from tap_sage300.tap import TapSage300


class Sage300Stream(extract.ErpStream):
    """What documents and lines have in common: schema, key, rows, messages.

    Args:
        tap: The tap.
        resource: The entity set.
        schema: The stream's schema with its `x-` hints.
        key: The key without the company.
        lines: The collection the rows are made from; None for the documents themselves.
    """

    STATE_MSG_FREQUENCY = 1000

    def __init__(
        self,
        tap: TapSage300,
        resource: Resource,
        schema: dict[str, Any],
        key: Sequence[str],
        lines: Lines | None = None,
    ) -> None:
        self.selected_by_default = (lines or resource).selected
        self.resource = resource
        self.lines = lines
        self.key = tuple(key)
        self._carried: dict[str, tuple[int, str]] = {
            name: (level, source) for name, (level, source) in schema.get("x-carried", {}).items()
        }
        self._looked_up_by: str | None = schema.get("x-looked-up", {}).get("by")
        self.elsewhere = frozenset(SEGMENTS if self._looked_up_by else ())
        super().__init__(tap, schema=without_hints(schema), name=(lines or resource).stream)
        self.primary_keys = ("source_company", *key)
        stamp = resource.replication_key
        self.replication_key = stamp if stamp in self.schema["properties"] else None
        self._optional_columns: set[str] = set()

    @property
    def tap(self) -> TapSage300:
        """The tap that this stream belongs to."""
        return cast("TapSage300", self._tap)

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        return [{"source_company": company} for company in self.tap.companies]

    @cached_property
    def row_maker(self) -> RowMaker:
        """Turns a document into this stream's rows."""
        columns = self.columns | {self._looked_up_by} if self._looked_up_by else self.columns
        path = self.lines.path if self.lines else ()
        return RowMaker(self.resource.module, columns, self.key, path, self._carried, self.days, self.name)

    @cached_property
    def days(self) -> Days:
        """The selected columns that hold days: what the catalog says, for it is what SCHEMA announces."""
        properties = self.effective_schema["properties"]
        return days_in({name: described for name, described in properties.items() if name in self.columns})

    @cached_property
    def looked_up(self) -> frozenset[str]:
        """The selected columns that come from the chart of accounts instead of the document."""
        return self.columns & self.elsewhere

    @property
    def needed(self) -> set[str]:
        """The document's properties that this stream's rows are made of."""
        if self.lines is None:
            by = {self._looked_up_by} if self._looked_up_by and self.looked_up else set()
            return {name for name in self.columns - self.elsewhere if name not in OWN_COLUMNS} | by
        carried = {
            source for name, (level, source) in self._carried.items() if level == 0 and name in self.columns
        }
        return {self.lines.path[0], *carried}

    def partition(self, company: str) -> dict[str, Any]:
        """Find a company's part of this stream's state.

        Args:
            company: The Org ID.

        Returns:
            The part, to be changed in place.
        """
        return self.get_context_state({"source_company": company})

    def complete(self, row: Record) -> Record:
        """Add the account's segments, and optional fields as columns if the settings want that.

        Args:
            row: The row as `row_maker` made it; changed in place.

        Returns:
            The row.

        Raises:
            Sage300Error: The chart of accounts cannot be read.
        """
        if self._looked_up_by:
            self._look_up(row, self._looked_up_by)
        if self._flattens:
            self._add_optional_fields(row)
        return row

    @override
    def get_records(self, context: types.Context | None) -> Iterable[Record]:
        """Read a company whole, without regard to bookmarks.

        Args:
            context: The partition.

        Yields:
            The stream's rows.
        """
        company = str((context or {})["source_company"])
        for document in documents(self.tap.client(company), self.resource):
            yield from map(self.complete, self.row_maker.rows(company, document))

    def _look_up(self, row: Record, by: str) -> None:
        number = row.get(by)
        if by not in self.columns:
            row.pop(by, None)
        if self.looked_up and "_sdc_deleted_at" not in row:
            row.update(self.tap.accounts(row["source_company"]).of(number, self.looked_up))

    @cached_property
    def _flattens(self) -> bool:
        return optional_fields.wanted(self.config.get("flatten_optional_fields"), self.name)

    @cached_property
    def _own_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.effective_schema["properties"])

    def _add_optional_fields(self, row: Record) -> None:
        found = optional_fields.columns_of(row, self._own_names)
        unknown = found.keys() - self._optional_columns
        row.update(found)
        if not unknown:
            return
        # The Web API lists no optional fields; the first record that has one brings its column.
        self._optional_columns |= unknown
        entry = self.tap.catalog.get_stream(self.name)
        schema = entry.schema.to_dict() if entry else self.schema
        extended = {
            **schema,
            "properties": {
                **{name: value for name, value in schema["properties"].items() if name in self.columns},
                **dict.fromkeys(sorted(self._optional_columns), optional_fields.COLUMN_SCHEMA),
            },
        }
        self.tap.mapper.register_raw_stream_schema(self.name, extended, self.primary_keys)
        self._stream_maps = None
        self.write_schema()


class DocumentStream(extract.DocumentStream, Sage300Stream):
    """One entity set, a record a document; its line streams are fed from the same read.

    Args:
        tap: The tap.
        resource: The entity set.
        schema: The stream's schema with its `x-` hints.
    """

    def __init__(self, tap: TapSage300, resource: Resource, schema: dict[str, Any]) -> None:
        super().__init__(tap, resource, schema, schema.get("x-key") or resource.key)

    @property
    @override
    def outlets(self) -> list[Sage300Stream]:
        return [stream for stream in super().outlets if isinstance(stream, Sage300Stream)]

    @override
    def shared_read(self, batch_config: BatchConfig | None = None) -> SetRun:
        return SetRun(self, self.outlets, batch_config)


class LineStream(extract.LineStream, Sage300Stream):
    """Rows made of a collection inside the documents of an entity set; read by its document stream."""
