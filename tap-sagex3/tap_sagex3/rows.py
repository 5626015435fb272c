"""From one document to the rows of one stream. No request, no state: pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_sagex3.schema_files import COMPANY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_sagex3.api import Record
    from tap_sagex3.dimensions import Convention


@dataclass(frozen=True)
class RowMaker:
    """Makes the rows of one stream out of a document: the document itself, or each of its lines."""

    columns: Collection[str]
    """The columns that are in the schema and selected."""
    key: Sequence[str]
    """The key without the company; a line that does not repeat its document's gets it from there."""
    path: Sequence[str] = ()
    """The collections to go down; empty for the document itself."""
    carried: Collection[str] = ()
    """Columns that come from the document."""
    arrays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Columns that hold lines, each with the schema of a line."""
    convention: Convention | None = None
    """How dimensions become columns; None if the stream has no such column."""

    def rows(self, company: str, document: Record, kinds: list[str]) -> Iterator[Record]:
        """Make the rows.

        Args:
            company: The folder, for `source_company`.
            document: The document in the schema's types; not changed.
            kinds: The folder's dimension types in their order.

        Yields:
            One row a document or line.
        """
        for ancestors in _walk(document, self.path, (document,)):
            own, columns = ancestors[-1], self.columns
            row: Record = {COMPANY: company}
            for name in self.carried:
                if name in document:
                    row[name] = document[name]
            for name, value in own.items():
                if name in columns:
                    row[name] = _limited(value, self.arrays[name]) if name in self.arrays else value
            for name in self.key:
                if row.get(name) is None:
                    row[name] = next((a[name] for a in reversed(ancestors) if a.get(name) is not None), None)
            if self.convention is not None:
                row.update(self.convention.resolved(own, columns, kinds))
            yield row


def values_of(row: Mapping[str, Any], key: Sequence[str]) -> tuple[Any, ...]:
    """The key's values of a row; missing ones are None."""
    return tuple(row.get(name) for name in key)


def _limited(lines: Any, described: Mapping[str, Any]) -> Any:
    """Lines with the columns of the schema only."""
    properties = described.get("properties")
    if not isinstance(lines, list) or not properties:
        return lines
    inner = {
        name: each["items"] for name, each in properties.items() if "properties" in each.get("items", {})
    }
    return [
        {
            name: _limited(value, inner[name]) if name in inner else value
            for name, value in line.items()
            if name in properties
        }
        for line in lines
    ]


def _walk(record: Record, path: Sequence[str], ancestors: tuple[Record, ...]) -> Iterator[tuple[Record, ...]]:
    if not path:
        yield ancestors
        return
    for line in record.get(path[0]) or ():
        yield from _walk(line, path[1:], (*ancestors, line))
