"""From the columns of a page to the rows of one stream: compiled once, no request, no state.

A row is an instance of a Struct made for the stream, so that a page is encoded at once. Numbers stay the JSON
text that they came as.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.errors import ApiError
from ml_connector.extract.source import Level, Levels

if TYPE_CHECKING:
    from ml_connector.extract.resource import Carried
    from ml_connector.extract.source import Converter

UNSET = msgspec.UNSET
Path: TypeAlias = tuple[str, ...]
Derive: TypeAlias = Callable[["PageColumns", Path], Mapping[str, list[Any]]]
"""Makes columns out of others, such as those of analytical dimensions: of the records at a path."""
_NUMERIC = b"0123456789+-.eE"
_WHOLE = b"0123456789-"
_WHOLE_TYPES = frozenset({int, NoneType, msgspec.UnsetType})
_NO_KEY = frozenset({NoneType, msgspec.UnsetType, list, dict})
_MOST_MEMORISED = 5_000
"""Values of a column that are remembered: thirteen years of days, or a MB of amounts that never repeat."""


@dataclass(frozen=True)
class RowPlan:
    """Which rows a stream has.

    Attributes:
        stream: Its name.
        path: The collections to go down; empty for the documents.
        columns: The selected columns, without those of the partition.
        properties: Schemas by column.
        key: The key, without the columns of the partition.
        carried: Columns from levels above.
        derive: Makes further columns.
        made: The columns that `derive` makes: the API is not asked for them.
        sources: Fields that it makes them of.
    """

    stream: str
    path: Path
    columns: tuple[str, ...]
    properties: Mapping[str, Mapping[str, Any]]
    key: tuple[str, ...]
    carried: tuple[Carried, ...] = ()
    derive: Derive | None = None
    made: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


class PageColumns:
    """The columns of a page in the schema's types, each converted once for all streams that want it.

    Args:
        levels: The page.
        converters: By path and field.
        partition: What the page is of.
    """

    def __init__(
        self,
        levels: Levels,
        converters: Mapping[Path, Mapping[str, Converter]],
        partition: Mapping[str, Any] | None = None,
    ) -> None:
        self.levels = levels
        self.partition = partition or {}
        self._converters = converters
        self._made: dict[tuple[Path, str], list[Any]] = {}

    def count(self, path: Path) -> int:
        """How many records there are at a path."""
        level = self.levels.get(path)
        return level.count if level else 0

    def names(self, path: Path) -> Iterable[str]:
        """The fields that the page shows at a path."""
        level = self.levels.get(path)
        return level.columns if level else ()

    def column(self, path: Path, name: str) -> list[Any] | None:
        """A column; None if the page does not show it."""
        made = self._made.get((path, name))
        if made is None:
            level = self.levels.get(path)
            values = level.columns.get(name) if level else None
            if values is None:
                return None
            convert = self._converters.get(path, {}).get(name)
            made = self._made[path, name] = convert(values) if convert else values
        return made

    def lifted(self, path: Path, level: int, name: str) -> list[Any] | None:
        """A column of a level above, repeated for each record at the path."""
        values = self.column(path[:level], name)
        if values is None:
            return None
        for place in range(level + 1, len(path) + 1):
            below = self.levels.get(path[:place])
            if below is None:
                continue  # a step of the way that is no level of its own
            values = list(map(values.__getitem__, below.parents or ()))
        return values

    def inherited(self, path: Path, name: str) -> list[Any]:
        """A column of the records themselves, filled from the levels above where they lack it."""
        values = self.column(path, name) or [UNSET] * self.count(path)
        for level in range(len(path) - 1, -1, -1):
            if not any(value is UNSET or value is None for value in values):
                break
            above = self.lifted(path, level, name)
            if above is not None:
                values = [b if a is UNSET or a is None else a for a, b in zip(values, above, strict=True)]
        return values

    def key(self, path: Path, name: str, stream: str, values: list[Any] | None = None) -> list[Any]:
        """A column of a key, which every record has.

        Args:
            path: Where the records are.
            name: The column.
            stream: Whose key it is.
            values: The column, if it is at hand.

        Raises:
            ApiError: A key is missing, null or not a scalar.
        """
        if values is None or not _NO_KEY.isdisjoint(map(type, values)):
            values = self.inherited(path, name)
            wrong = _NO_KEY & set(map(type, values))
            if wrong:
                shown = "is a list or an object" if wrong & {list, dict} else "is missing or null"
                many = sum(type(value) in wrong for value in values)
                raise ApiError(
                    f"{stream}: the key field {name} {shown} in {many} of {len(values)} records of a page;"
                    " rows without a key are not written. Check that the server shows it to the tap's user."
                )
        return values


class RowMaker:
    """Makes the rows of one stream out of pages.

    Args:
        plan: Which rows.
        partition: Columns with the same value in all rows.
    """

    def __init__(self, plan: RowPlan, partition: Mapping[str, Any]) -> None:
        self.plan = plan
        self._partition = dict(partition)
        self._from_above = {each.column: each for each in plan.carried if each.column in plan.columns}
        self._arrays = {
            name: plan.properties[name]["items"]["properties"]
            for name in plan.columns
            if "properties" in (plan.properties[name].get("items") or {})
        }
        self._own = [
            name
            for name in plan.columns
            if name not in self._from_above and name not in self._arrays and name not in plan.made
        ]
        self._types: dict[tuple[str, ...], Callable[..., Any]] = {}

    def rows(self, page: PageColumns) -> list[Any]:
        """Make the rows of a page.

        Raises:
            ApiError: A key is missing, null or not a scalar.
        """
        plan, path = self.plan, self.plan.path
        count = page.count(path)
        if not count:
            return []
        columns: dict[str, list[Any]] = {}
        for name, source in self._from_above.items():
            if (values := page.lifted(path, source.level, source.field)) is not None:
                columns[name] = values
        for name in self._own:
            if (values := page.column(path, name)) is not None:
                columns[name] = values
        for name, properties in self._arrays.items():
            if (*path, name) in page.levels:
                columns[name] = _nested(page, (*path, name), properties)
        for name in plan.key:
            columns[name] = page.key(path, name, plan.stream, columns.get(name))
        if plan.derive is not None:
            columns.update(plan.derive(page, path))
        return list(map(self._made_of(tuple(columns)), *columns.values()))

    def keys(self, page: PageColumns, names: Sequence[str]) -> list[tuple[Any, ...]]:
        """Some columns of all rows, as keys."""
        columns = [page.inherited(self.plan.path, name) for name in names]
        return list(zip(*columns, strict=True)) if columns else [()] * page.count(self.plan.path)

    def deleted(self, key: Mapping[str, Any], at: str) -> dict[str, Any]:
        """The row of a record that is gone."""
        return {**self._partition, **key, "_sdc_deleted_at": at}

    def _made_of(self, names: tuple[str, ...]) -> Callable[..., Any]:
        if (made := self._types.get(names)) is None:
            slots = {f"c{place}": name for place, name in enumerate(names)}
            own = {
                f"p{place}": (name, value)
                for place, (name, value) in enumerate(self._partition.items())
                if name not in names
            }
            fields: list[Any] = [(slot, Any) for slot in slots]
            fields += [(slot, Any, value) for slot, (_, value) in own.items()]
            rename = {**slots, **{slot: name for slot, (name, _) in own.items()}}
            made = self._types[names] = msgspec.defstruct("Row", fields, rename=rename, gc=False)
        return made


def _nested(page: PageColumns, path: Path, properties: Mapping[str, Any]) -> list[Any]:
    """The lines of each record of the level above, with the columns of the schema only."""
    level = page.levels[path]
    columns: dict[str, list[Any]] = {}
    for name, described in properties.items():
        inner = (described.get("items") or {}).get("properties")
        if inner and (*path, name) in page.levels:
            columns[name] = _nested(page, (*path, name), inner)
        elif (values := page.column(path, name)) is not None:
            columns[name] = values
    made = _line_type(tuple(columns))
    lines = list(map(made, *columns.values())) if columns else [{} for _ in range(level.count)]
    found: list[list[Any]] = [[] for _ in range(page.count(path[:-1]))]
    for parent, line in zip(level.parents or (), lines, strict=True):
        found[parent].append(line)
    return found


_line_types: dict[tuple[str, ...], Callable[..., Any]] = {}


def _line_type(names: tuple[str, ...]) -> Callable[..., Any]:
    if (made := _line_types.get(names)) is None:
        slots = {f"c{place}": name for place, name in enumerate(names)}
        made = _line_types[names] = msgspec.defstruct(
            "Line", [(slot, Any) for slot in slots], rename=slots, gc=False
        )
    return made


class _Memo(dict[Any, Any]):
    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__({UNSET: UNSET})
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        if len(self) > _MOST_MEMORISED:
            self.clear()
            self[UNSET] = UNSET
        made = self[value] = self._convert(value)
        return made


def memorised(convert: Callable[[Any], Any]) -> Converter:
    """A column whose values repeat, such as dates: each is converted once.

    Args:
        convert: Converts a value.
    """
    memo = _Memo(convert)

    def column(values: list[Any]) -> list[Any]:
        try:
            return list(map(memo.__getitem__, values))
        except TypeError:  # a list or an object among them
            return [value if value is UNSET else convert(value) for value in values]

    return column


def each(convert: Callable[[Any], Any]) -> Converter:
    """A column whose values are converted one by one.

    Args:
        convert: Converts a value.
    """
    return lambda values: [value if value is UNSET else convert(value) for value in values]


def numbers(convert: Callable[[Any], Any], *, whole: bool = False) -> Converter:
    """A column of numbers that stay the text they came as.

    Args:
        convert: Converts a value that is no bare number.
        whole: Only whole numbers are left alone.
    """
    allowed = _WHOLE if whole else _NUMERIC

    def one(value: Any) -> Any:
        if type(value) is not msgspec.Raw:
            return value if value is UNSET else convert(value)
        text = bytes(value)
        if text == b"null":
            return None
        if not text.translate(None, allowed):
            return value
        return convert(decode_exactly(text))

    def column(values: list[Any]) -> list[Any]:
        try:
            text = b"".join(values)
        except TypeError:  # not all of them are raw
            if set(map(type, values)) <= _WHOLE_TYPES:
                return values
            return list(map(one, values))
        return values if not text.translate(None, allowed) else list(map(one, values))

    return column


def levels_of(records: Sequence[Mapping[str, Any]], collections: Mapping[str, Any]) -> Levels:
    """The columns of records that came as dictionaries.

    Args:
        records: The documents.
        collections: The collections that hold lines, each with those inside: `{"HAEDAE": {"DAEDAA": {}}}`; a
            name with dots is a way through several.
    """
    found: Levels = {}

    def add(path: Path, rows: Sequence[Mapping[str, Any]], parents: list[int] | None, inner: Any) -> None:
        firsts = {name.partition(".")[0] for name in inner}
        names = dict.fromkeys(chain.from_iterable(rows))
        columns = {name: [row.get(name, UNSET) for row in rows] for name in names if name not in firsts}
        found[path] = Level(len(rows), columns, parents)
        for first in firsts:
            below: dict[str, Any] = {}
            for name, more in inner.items():
                head, _, rest = name.partition(".")
                if head == first:
                    below.update({rest: more} if rest else more)
            lines = [(place, line) for place, row in enumerate(rows) for line in row.get(first) or () if line]
            add((*path, first), [line for _, line in lines], [place for place, _ in lines], below)

    add((), records, None, collections)
    return found
