"""Analytical dimensions: a column for each dimension type of a site, by convention instead of by code.

X3 keeps them in pairs of fields with an index: `DIE` holds dimension types, `CCE` the dimensions at the same
positions (reference section 7). Which types there are is each folder's own choice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from tap_sagex3.errors import SageX3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from ml_connector.extract.rows import PageColumns

COLUMN: dict[str, Any] = {"type": ["string", "null"], "description": "Dimension, by its type."}


@dataclass(frozen=True)
class Convention:
    """How positions become columns: the shipped `dimensions.json`, or the file of the setting `dimensions`.

    Attributes:
        prefix: What a column's name begins with, before the dimension type.
        names: Columns by dimension type, where the prefix is not good enough.
        pairs: Fields of types and of the dimensions at the same positions; the second pair's columns are
            told apart by the name of its field of dimensions.
    """

    prefix: str
    names: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...]

    def column(self, kind: str, pair: int = 0) -> str:
        """The column of a dimension type."""
        if pair:
            return f"{self.pairs[pair][1]}_{kind}"
        return self.names.get(kind) or f"{self.prefix}{kind}"

    def columns(self, properties: Collection[str], kinds: Collection[str]) -> Iterator[str]:
        """The columns that a stream gets.

        Args:
            properties: Its own columns.
            kinds: The dimension types of all folders.
        """
        for pair, (types, values) in enumerate(self.pairs):
            if types in properties and values in properties:
                yield from (self.column(kind, pair) for kind in sorted(kinds))

    def resolved(
        self, record: Mapping[str, Any], columns: Collection[str], order: list[str]
    ) -> Iterator[tuple[str, Any]]:
        """The columns that a record's positions fill.

        Args:
            record: The record with its positions.
            columns: The columns that are wanted.
            order: The folder's dimension types, for positions whose type is not kept with the record.

        Yields:
            Columns with their dimensions.
        """
        for pair, (types, values) in enumerate(self.pairs):
            kinds = record.get(types) or order
            for kind, value in zip(kinds, record.get(values) or (), strict=False):
                if kind and value and (name := self.column(str(kind), pair)) in columns:
                    yield name, value


def derived(
    found: Convention, columns: Collection[str], kinds: Callable[[Mapping[str, Any]], list[str]]
) -> Callable[[PageColumns, tuple[str, ...]], Mapping[str, list[Any]]]:
    """How the columns of dimensions are made of positions, for all records of a page.

    Args:
        found: The convention.
        columns: The columns that are wanted.
        kinds: A folder's dimension types in their order.
    """

    def columns_of(page: PageColumns, path: tuple[str, ...]) -> Mapping[str, list[Any]]:
        sources = {name for pair in found.pairs for name in pair}
        held = {name: values for name in sources if (values := page.column(path, name)) is not None}
        made: dict[str, list[Any]] = {name: [UNSET] * page.count(path) for name in columns}
        order = kinds(page.partition)
        for place in range(page.count(path)):
            record = {name: values[place] for name, values in held.items() if values[place] is not UNSET}
            for name, value in found.resolved(record, columns, order):
                made[name][place] = value
        return made

    return columns_of


def columns_made(found: Convention, columns: Collection[str], properties: Collection[str]) -> frozenset[str]:
    """Those of some columns that the convention fills."""
    named = {*found.names.values()}
    return frozenset(
        name
        for name in columns
        if name in named
        or any(
            name.startswith(prefix)
            for place, (kinds, values) in enumerate(found.pairs)
            if kinds in properties and values in properties
            for prefix in ([found.prefix] if place == 0 else [f"{values}_"])
        )
    )


def convention(path: str | None) -> Convention:
    """Read the convention.

    Args:
        path: The setting `dimensions`: a JSON file of the same shape as the shipped one; what it lacks is as
            shipped.

    Raises:
        SageX3Error: The file cannot be read, or is of another shape.
    """
    shipped = json.loads((resources.files("tap_sagex3") / "dimensions.json").read_text(encoding="utf-8"))
    try:
        own = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        found = {**shipped, **own}
        pairs = tuple((str(each["types"]), str(each["values"])) for each in found["pairs"])
        return Convention(str(found["prefix"]), dict(found["names"]), pairs)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SageX3Error(
            f"The setting dimensions names {path}, which cannot be used ({error}). It is a JSON object of"
            ' "prefix", "names" (dimension type to column) and "pairs" (of fields "types" and "values").'
        ) from error
