"""From one document of the ERP to the rows of one stream. No request, no state: pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_sage300.days import write_days
from tap_sage300.schema_files import leaves_the_erp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_sage300.days import Days

Record = dict[str, Any]


@dataclass(frozen=True)
class RowMaker:
    """Makes the rows of one stream out of a document: the document itself, or each item of a collection."""

    module: str
    """What `source_module` says."""
    columns: Collection[str]
    """The columns that are in the schema and selected."""
    key: Sequence[str]
    """The key without the company; looked for in the ancestors when a line does not repeat it."""
    path: Sequence[str] = ()
    """The collections to go down; empty for the document itself."""
    carried: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Columns that come from an ancestor: how deep it lies (0 is the document), and its property."""
    days: Days = field(default_factory=dict)
    """The columns that hold days, at every depth."""
    stream: str = ""
    """Whose rows they are, to be named in errors."""

    def rows(self, company: str, document: Record) -> Iterator[Record]:
        """Make the rows.

        Args:
            company: The Org ID for `source_company`.
            document: The record as the client read it; not changed.

        Yields:
            One row a document or line, with passwords removed and days without a time at every depth.

        Raises:
            Sage300Error: A day has a time.
        """
        for line in _walk(document, self.path, (document,)):
            yield self._row(company, line)

    def _row(self, company: str, ancestors: tuple[Record, ...]) -> Record:
        columns, own = self.columns, ancestors[-1]
        row: Record = {"source_company": company, "source_module": self.module}
        for name, (level, source) in self.carried.items():
            if name in columns and source in ancestors[level]:
                row[name] = cleaned(ancestors[level][source])
        for name, value in own.items():
            if name in columns:
                row[name] = _cleaned_list(value) if isinstance(value, list) else value
        for name in self.key:
            if name not in row:
                row[name] = next((a[name] for a in reversed(ancestors) if name in a), None)
        write_days(row, self.days, self.stream)
        return row


def key_of(record: Mapping[str, Any], key: Sequence[str]) -> tuple[Any, ...]:
    """Take the key's values out of a record.

    Args:
        record: A document or row.
        key: The names.

    Returns:
        The values; missing ones are None.
    """
    return tuple(record.get(name) for name in key)


def cleaned(value: Any) -> Any:
    """Copy a value without what must not leave the ERP.

    Args:
        value: Any JSON value.

    Returns:
        The value; objects at every depth lack passwords and `UpdateOperation`.
    """
    if isinstance(value, dict):
        return {name: cleaned(item) for name, item in value.items() if leaves_the_erp(name)}
    return _cleaned_list(value) if isinstance(value, list) else value


def _cleaned_list(items: list[Any]) -> list[Any]:
    return [cleaned(item) for item in items]


def _walk(record: Record, path: Sequence[str], ancestors: tuple[Record, ...]) -> Iterator[tuple[Record, ...]]:
    if not path:
        yield ancestors
        return
    for item in record.get(path[0]) or ():
        yield from _walk(item, path[1:], (*ancestors, item))
