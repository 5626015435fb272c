"""Optional fields as columns: `[{"OptionalField": "REGION", "Value": "WEST"}]` becomes `REGION: "WEST"`."""

from __future__ import annotations

import re
import threading
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ml_connector.extract.rows import PageColumns
    from ml_connector.extract.streams import ResourceStream

UNSET = msgspec.UNSET

_CODE, _VALUE = "OptionalField", "Value"
SUFFIX = "_optional"
_OF_OTHERS = re.compile(r"Transaction|Serial|Lot")
"""Collections of what a record's transactions, serial numbers and lots start with: not its own values."""
COLUMN_SCHEMA = {
    "type": ["string", "null"],
    "description": "Optional field of this code; the value as the ERP writes it, without blanks around it.",
}


def wanted(setting: bool | Sequence[str] | None, stream: str) -> bool:
    """Tell whether a stream's optional fields become columns.

    Args:
        setting: `flatten_optional_fields`: true for all streams, or stream names and globs.
        stream: The stream's name.

    Returns:
        True if so.
    """
    if isinstance(setting, str):
        setting = _of_text(setting)
    if not setting or isinstance(setting, bool):
        return bool(setting)
    return any(fnmatchcase(stream, pattern) for pattern in setting)


def _of_text(text: str) -> bool | list[str]:
    """The setting as an environment has it: `true`, `["vendors"]`, or `vendors, gl_*`."""
    plain = text.strip()
    if plain.lower() in {"true", "false", ""}:
        return plain.lower() == "true"
    if plain.startswith("["):
        return [str(each) for each in msgspec.json.decode(plain)]
    return [each.strip() for each in plain.split(",")]


def collections(properties: Mapping[str, Mapping[str, Any]], columns: Collection[str]) -> frozenset[str]:
    """Find the collections of a record's own optional fields.

    Args:
        properties: The properties of the stream.
        columns: The selected ones.
    """
    return frozenset(
        name
        for name in columns
        if {_CODE, _VALUE} <= (properties[name].get("items") or {}).get("properties", {}).keys()
        and not _OF_OTHERS.search(name)
    )


class Columns:
    """Makes columns of the optional fields of a stream's rows, and announces those that come up.

    The Web API lists no optional fields: the first record that has one brings its column.

    Args:
        stream: The stream.
        found: The collections.
    """

    def __init__(self, stream: ResourceStream, found: frozenset[str]) -> None:
        self._stream, self._collections = stream, sorted(found)
        self._taken = frozenset(name.lower() for name in stream.schema["properties"])
        self._known: set[str] = set()
        self._lock = threading.Lock()
        """Companies are read side by side: no row comes before its columns are announced."""

    def __call__(self, page: PageColumns, path: tuple[str, ...]) -> dict[str, list[Any]]:
        """Make the columns of a page.

        Args:
            page: The page.
            path: Where the rows are.

        Returns:
            Values by column: text as the ERP writes it (dates as YYYYMMDD, yes/no as 1/0), None for blank; no
            value where a row does not have the field.
        """
        made: dict[str, list[Any]] = {}
        for collection in self._collections:
            place = (*path, collection)
            codes, values = page.column(place, _CODE), page.column(place, _VALUE)
            if codes is None or values is None:
                continue
            for parent, code, value in zip(page.levels[place].parents or (), codes, values, strict=True):
                name = str(code or "").strip() if code is not UNSET else ""
                if not name or value is UNSET:
                    continue
                if name.lower() in self._taken:
                    name = f"{name}{SUFFIX}"
                column = made.setdefault(name, [UNSET] * page.count(path))
                column[parent] = (str(value).strip() or None) if value is not None else None
        with self._lock:
            if unknown := made.keys() - self._known:
                self._known |= unknown
                self._stream.add_columns(dict.fromkeys(sorted(self._known), COLUMN_SCHEMA))
        return made
