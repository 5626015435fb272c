"""From the answers of api1 to columns: records may show their fields and lines in several forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from ml_connector.extract.decode import JsonRows
from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.source import Page, SourceSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml_connector.extract.source import Levels, ReadRequest, Selection

    from tap_sagex3.streams.resource import Lines, Resource

Record = dict[str, Any]
Collection: TypeAlias = "Callable[[Lines, Mapping[str, SourceSchema]], str | None]"
_ELEMENT: Final = re.compile(r"(.+)_(\d+)$")


class RestRows:
    """Decodes the pages of one read: by Structs, where the first page shows fields and lines as expected.

    Args:
        collection: Says which of some arrays holds lines.
        resource: What is read.
        request: The question.
    """

    def __init__(self, collection: Collection, resource: Resource, request: ReadRequest) -> None:
        self._collection, self._resource = collection, resource
        self._rows = JsonRows(request.selection, request.shape, resource.parsed_fields, raw_arrays=True)
        self._wanted = request.selection
        self._plain: bool | None = None
        self._dicts = False
        self._arrays = {
            path: [name for name, described in properties.items() if "array" in (described.get("type") or ())]
            for path, properties in request.shape.items()
        }

    def page(self, pieces: Sequence[bytes], after: str | None) -> Page:
        """A page of JSON texts."""
        return Page(lambda: self._levels(pieces), after)

    def _levels(self, pieces: Sequence[bytes]) -> Any:
        if self._plain is None and pieces:
            self._plain = self._is_plain(pieces[0])
        if self._plain is not False:
            self._dicts = False
            levels = self._rows.levels(pieces, self._careful)
            return _with_elements(levels, None if self._dicts else self._arrays)
        records: list[Record] = []
        for piece in pieces:
            decoded = decode_exactly(piece)
            records += decoded if isinstance(decoded, list) else [decoded]
        return _with_elements(self._rows.careful(self._careful(records)), None)

    def _is_plain(self, piece: bytes) -> bool:
        """Whether lines are where they are expected, and fields with an index are arrays."""
        decoded = decode_exactly(piece)
        first = decoded[0] if isinstance(decoded, list) and decoded else decoded
        if not isinstance(first, dict):
            return True
        if any((m := _ELEMENT.match(name)) and m[1] in self._wanted.fields for name in first):
            return False
        return _as_expected(first, self._wanted)

    def _careful(self, records: list[Record]) -> list[Record]:
        self._dicts = True
        for record in records:
            gather(record, self._wanted.fields)
        for lines in self._resource.lines:
            if lines.collection in self._wanted.lines:
                self._name_collection(lines, records, self._wanted.lines[lines.collection])
        return records

    def _name_collection(self, lines: Lines, documents: list[Record], wanted: Selection) -> None:
        """Put lines where the schema has them, whatever the representation calls them."""
        for document in documents:
            if lines.collection not in document:
                arrays = {
                    name: SourceSchema({field: {} for field in value[0]})
                    for name, value in document.items()
                    if isinstance(value, list) and value and isinstance(value[0], dict)
                }
                name = self._collection(lines, arrays)
                # a document without lines shows no array, or an empty one
                document[lines.collection] = document.pop(name) if name in document else []
            for line in document[lines.collection] or ():
                gather(line, wanted.fields)
            for inner in lines.lines:
                if inner.collection in wanted.lines:
                    self._name_collection(
                        inner, document[lines.collection] or [], wanted.lines[inner.collection]
                    )


def _as_expected(record: Record, wanted: Selection) -> bool:
    """Whether a record shows its lines under the names that are expected."""
    for name, inner in wanted.lines.items():
        if name not in record:
            return False
        lines = record[name]
        if (
            isinstance(lines, list)
            and lines
            and isinstance(lines[0], dict)
            and not _as_expected(lines[0], inner)
        ):
            return False
    return True


def _with_elements(levels: Levels, arrays: Mapping[tuple[str, ...], Sequence[str]] | None) -> Levels:
    """The elements of a field with an index, where each is a row of its own (its form is not documented).

    Args:
        levels: The page.
        arrays: The fields that are arrays, by path; None where any may be.
    """
    for path, level in levels.items():
        for name in level.columns if arrays is None else arrays.get(path, ()):
            values = level.columns.get(name)
            if values and _has_rows(values):
                values[:] = [_named_elements(name, value) for value in values]
    return levels


def _has_rows(values: list[Any]) -> bool:
    """Whether there may be rows among the arrays of a column, some of which are still text."""
    try:
        return b"{" in b"".join(values)
    except TypeError:
        return bool({list, msgspec.Raw} & set(map(type, values)))


def _named_elements(name: str, value: Any) -> Any:
    if type(value) is msgspec.Raw and b"{" in bytes(value):
        value = decode_exactly(value)
    if type(value) is not list:
        return value
    return [each[name] if isinstance(each, dict) and name in each else each for each in value]


def gather(record: Record, wanted: frozenset[str]) -> None:
    """Put the numbered elements of a field with an index into one list."""
    elements: dict[str, list[tuple[int, Any]]] = {}
    for name, value in record.items():
        if (
            name[-1:].isdigit()
            and (match := _ELEMENT.match(name))
            and match[1] in wanted
            and match[1] not in record
        ):
            elements.setdefault(match[1], []).append((int(match[2]), value))
    for name, found in elements.items():
        record[name] = [value for _, value in sorted(found, key=lambda each: each[0])]
