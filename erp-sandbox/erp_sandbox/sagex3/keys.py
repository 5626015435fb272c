"""Keys as they are stored, and as X3 shows them.

Stored, a key sorts as the table's index does: its numbers have ten digits. Shown, it is what a user types:
``PO0000001~1000~1`` in api1, ``PO0000001|1000|1`` in GraphQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from erp_sandbox.sagex3.model import Table

#: Between the parts of a stored key and of api1's.
STORED: Final = "~"
#: Between the parts of GraphQL's ``_id``.
SHOWN_IN_GRAPHQL: Final = "|"
#: Sorts behind ``~``: the end of what begins with a key and ``~``.
AFTER: Final = "\x7f"
_DIGITS: Final = 10
#: Whole numbers; a key of decimals has none but these.
_WHOLE: Final = frozenset("imn")


def part(kind: str, value: Any) -> str:
    """A value as a part of a stored key.

    Args:
        kind: The field's type letter.
        value: Stored value, or its text.
    """
    text = str(value)
    return text.zfill(_DIGITS) if kind in _WHOLE else text


def stored(table: Table, values: Sequence[Any]) -> str:
    """The stored key of some key values; fewer than the key has are its beginning."""
    kinds = [table.fields[code].type for code in table.key]
    return STORED.join(part(kind, value) for kind, value in zip(kinds, values, strict=False))


def shown(table: Table, doc: Mapping[str, Any], separator: str = STORED) -> str:
    """A row's key as X3 shows it."""
    fields = table.fields
    return separator.join(str(doc.get(code, fields[code].empty)) for code in table.key)


def read(table: Table, text: str, separator: str = STORED) -> str:
    """The stored key of one that X3 shows; never an error, as any text may be asked for."""
    # a key of one part may hold the separator itself
    return stored(table, text.split(separator, len(table.key) - 1))


def bounds(table: Table, demanded: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """SQL of the range of keys in which fields of the key have some values; empty where the first has none.

    It says nothing new beside the conditions on the fields, but the index can be entered by it.
    """
    known: list[Any] = []
    for code in table.key:
        if code not in demanded:
            break
        known.append(demanded[code])
    if not known or len(table.key) == 1:
        return "", ()
    start = stored(table, known)
    if len(known) == len(table.key):
        return "r.key = ?", (start,)
    return "r.key >= ? AND r.key < ?", (f"{start}{STORED}", f"{start}{AFTER}")


def expression(table: Table, codes: Sequence[str], columns: Mapping[str, str], separator: str) -> str:
    """SQL of a key that is made of a row's fields.

    Args:
        table: The table whose key it becomes.
        codes: Fields of the row, one for each part of the key, in its order.
        columns: SQL of each field.
        separator: ``~`` gives the stored form, with padded numbers; anything else the shown one.
    """
    parts = []
    for code, key in zip(codes, table.key, strict=False):
        padded = table.fields[key].type in _WHOLE and separator == STORED
        parts.append(f"printf('%010d', {columns[code]})" if padded else columns[code])
    return f" || '{separator}' || ".join(parts)
