"""The catalog of a run: of what may be hundreds of streams only those are looked at that are read."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Catalog, CatalogEntry, MetadataMapping, Schema

from ml_connector.extract.digits import hints_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunCatalog(Catalog):
    """A catalog that was given to a run.

    Args:
        document: As it stands in its file.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._entries = {each["tap_stream_id"]: _Entry(each) for each in document.get("streams") or ()}
        super().__init__(self._entries)

    def selects(self, stream: str) -> bool:
        """Whether a stream is read."""
        return stream in self._entries and self._entries[stream].is_selected

    def digits(self, stream: str) -> dict[str, dict[str, Any]]:
        """The digits of a stream's decimals by column: the SDK drops what it has no words for."""
        entry = self._entries.get(stream)
        return entry.digits if entry else {}


class _Entry(CatalogEntry):
    """An entry whose columns are looked at when they are asked for."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        frame = CatalogEntry.from_dict({**given, "schema": {}, "metadata": []})
        for name in CatalogEntry.__slots__:
            if name not in {"schema", "metadata"}:
                setattr(self, name, getattr(frame, name))
        self._given = given

    @cached_property
    def schema(self) -> Schema:  # type: ignore[override]
        return Schema.from_dict(self._given.get("schema") or {})

    @cached_property
    def metadata(self) -> MetadataMapping:  # type: ignore[override]
        return MetadataMapping.from_iterable(self._given.get("metadata") or ())

    @property
    def is_selected(self) -> bool:
        """By the SDK's rules, which ask for the stream's own metadata only."""
        own = [each for each in self._given.get("metadata") or () if not each["breadcrumb"]]
        return MetadataMapping.from_iterable(own).resolve_selection().get((), True)

    @property
    def digits(self) -> dict[str, dict[str, Any]]:
        columns = (self._given.get("schema") or {}).get("properties") or {}
        return {name: hints for name, described in columns.items() if (hints := hints_of(described))}
