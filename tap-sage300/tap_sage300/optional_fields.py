"""Optional fields as columns: `[{"OptionalField": "REGION", "Value": "WEST"}]` becomes `REGION: "WEST"`."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_CODE = "OptionalField"
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
    if not setting or isinstance(setting, bool):
        return bool(setting)
    return any(fnmatchcase(stream, pattern) for pattern in setting)


def columns_of(row: Mapping[str, Any], taken: Collection[str]) -> dict[str, str | None]:
    """Make columns of the optional fields in a row.

    Args:
        row: A record; the optional fields are the collections whose items have `OptionalField` and `Value`.
        taken: The names of the stream's own columns, in lower case. An optional field of the same name gets
            the suffix `_optional`.

    Returns:
        Value by column name: text as the ERP writes it (dates as YYYYMMDD, yes/no as 1/0), None for blank.
    """
    found: dict[str, str | None] = {}
    for collection, items in row.items():
        if not isinstance(items, list) or _OF_OTHERS.search(collection):
            continue
        for item in items:
            if not isinstance(item, dict) or not item.get(_CODE) or "Value" not in item:
                continue
            code = str(item[_CODE]).strip()
            name = f"{code}{SUFFIX}" if code.lower() in taken else code
            value = item["Value"]
            found[name] = (str(value).strip() or None) if value is not None else None
    return found
