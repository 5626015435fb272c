"""JSON objects into columns, by Structs compiled from what is selected.

What nobody wants is not even looked at, and numbers stay the text that they are.

Usage: ``rows = JsonRows(selection, shape, parsed)`` once a read, then ``rows.levels(pieces)`` a page, where a
piece is the JSON text of an array of objects, or of one object. Who decodes what is around the objects, too,
takes ``rows.type`` for them and makes columns of them with ``rows.columns``.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.rows import levels_of
from ml_connector.extract.source import Level, Levels, Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from ml_connector.extract.source import Selection

    Shape = Mapping[tuple[str, ...], Mapping[str, Mapping[str, Any]]]

UNSET, _Unset = msgspec.UNSET, msgspec.UnsetType
astuple = msgspec.structs.astuple
TEXT: Any = str | None | _Unset
"""The type of a column of texts: no value of it has to be looked at again."""


def column_type(described: Mapping[str, Any], *, parsed: bool, raw_arrays: bool = False) -> Any:
    """The type by which a field is decoded.

    Args:
        described: Its JSON schema.
        parsed: The reader itself looks at its values: they are no text that is still to be parsed.
        raw_arrays: Arrays stay their text, for a converter that remembers what each text means.
    """
    types = described.get("type") or ()
    kinds = {types} if isinstance(types, str) else set(types)
    if raw_arrays and not parsed and "array" in kinds:
        return msgspec.Raw | _Unset
    if kinds & {"array", "object", "boolean"}:
        return Any
    if kinds & {"number", "integer"}:
        return Any if parsed else msgspec.Raw | _Unset
    return TEXT


class LevelType:
    """The Struct of one level, and how its columns are read.

    Args:
        fields: Types by field.
        lines: Levels inside, by collection.
    """

    def __init__(self, fields: Mapping[str, Any], lines: Mapping[str, LevelType]) -> None:
        self.slots = {name: f"c{place}" for place, name in enumerate(fields)}
        """The attributes of the fields."""
        self._kinds: list[type[list[Any]]] = [Texts if kind is TEXT else list for kind in fields.values()]
        self._kinds += [list] * len(lines)
        self._lines = list(lines.items())
        declared: list[tuple[str, Any, Any]] = [
            (self.slots[name], kind, UNSET) for name, kind in fields.items()
        ]
        rename = {slot: name for name, slot in self.slots.items()}
        for place, (name, inner) in enumerate(lines.items()):
            slot = f"l{place}"
            rename[slot] = name
            declared.append((slot, list[inner.type | None] | None, None))  # type: ignore[name-defined]
        self.type = msgspec.defstruct("Level", declared, rename=rename, gc=False)

    def add(
        self, path: tuple[str, ...], records: Sequence[Any], parents: Sequence[int] | None, to: Levels
    ) -> None:
        """Add the columns of records, and of the lines inside them."""
        values = zip(*map(astuple, records), strict=True) if records else [()] * len(self._kinds)
        every = [kind(column) for kind, column in zip(self._kinds, values, strict=True)]
        to[path] = Level(len(records), dict(zip(self.slots, every, strict=False)), parents)
        for (name, inner), held in zip(self._lines, every[len(self.slots) :], strict=True):
            arrays = [lines or () for lines in held]
            lines = list(chain.from_iterable(arrays))
            places = list(chain.from_iterable([place] * len(each) for place, each in enumerate(arrays)))
            if None in lines:  # a null among details
                kept = [(place, line) for place, line in zip(places, lines, strict=True) if line is not None]
                places, lines = [place for place, _ in kept], [line for _, line in kept]
            inner.add((*path, name), lines, places, to)


class JsonRows:
    """Decodes objects of one kind.

    Args:
        selection: What is wanted of them.
        shape: Schemas by path and field.
        parsed: Fields whose values the reader looks at.
        raw_arrays: Arrays of scalars stay their text.
    """

    def __init__(
        self, selection: Selection, shape: Shape, parsed: Collection[str], *, raw_arrays: bool = False
    ) -> None:
        self._collections = _collections(selection)
        self._level = _level_type(selection, shape, frozenset(parsed), (), raw_arrays=raw_arrays)
        self.type = self._level.type
        """The Struct of a record."""
        self._array = msgspec.json.Decoder(list[self.type], float_hook=Decimal)  # type: ignore[name-defined]
        self._object = msgspec.json.Decoder(self.type, float_hook=Decimal)

    def levels(
        self,
        pieces: Iterable[bytes],
        careful: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda records: records,
    ) -> Levels:
        """Decode a page.

        Args:
            pieces: JSON texts: an array of objects, or an object each.
            careful: What to do to records as dictionaries, where they are not of the expected types.

        Returns:
            Its columns.
        """
        pieces = list(pieces)
        try:
            records: list[Any] = []
            for piece in pieces:
                if bytes(piece[:1]) == b"[":
                    records += self._array.decode(piece)
                else:
                    records.append(self._object.decode(piece))
        except msgspec.ValidationError:
            plain: list[dict[str, Any]] = []
            for piece in pieces:
                decoded = decode_exactly(piece)
                plain += decoded if isinstance(decoded, list) else [decoded]
            return self.careful(careful(plain))
        return self.columns(records)

    def columns(self, records: Sequence[Any]) -> Levels:
        """The columns of records that were decoded by `type`."""
        found: Levels = {}
        self._level.add((), records, None, found)
        return found

    def tuples(self, records: Sequence[Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
        """Some fields of each of these records."""
        values = map(attrgetter(*(self._level.slots[name] for name in names)), records)
        return list(values) if len(names) > 1 else [(value,) for value in values]

    def careful(self, records: list[dict[str, Any]]) -> Levels:
        """The columns of records that are dictionaries."""
        return levels_of(records, self._collections)


def _collections(selection: Selection) -> dict[str, Any]:
    return {name: _collections(inner) for name, inner in selection.lines.items()}


def _level_type(
    selection: Selection, shape: Shape, parsed: frozenset[str], path: tuple[str, ...], *, raw_arrays: bool
) -> LevelType:
    properties = shape.get(path, {})
    fields = {
        name: column_type(
            properties.get(name) or {"type": "object"}, parsed=name in parsed, raw_arrays=raw_arrays
        )
        for name in sorted(selection.fields)
    }
    lines = {
        name: _level_type(inner, shape, parsed, (*path, name), raw_arrays=raw_arrays)
        for name, inner in selection.lines.items()
    }
    return LevelType(fields, lines)
