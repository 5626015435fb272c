"""What api1 says of the fields of a representation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ml_connector.extract.source import SourceSchema

from tap_sagex3.values import schema_of

if TYPE_CHECKING:
    from tap_sagex3.streams.resource import Lines

#: Types of `$prototypes`; what is not here is text.
_TYPES: Final[dict[str, str]] = {
    "integer": "i",
    "choice": "m",
    "enum": "m",
    "boolean": "m",
    "decimal": "n",
    "real": "n",
    "date": "d",
    "datetime": "t",
}
_NOT_FIELDS: Final = re.compile(r"^\$|_REF$")


def described(properties: object) -> SourceSchema | None:
    """Read the `$properties` of a prototype."""
    if not isinstance(properties, dict):
        return None
    found = SourceSchema({})
    for name, about in properties.items():
        if not isinstance(about, dict) or _NOT_FIELDS.search(name):
            continue
        kind = str(about.get("$type") or about.get("type") or "").rpartition("/")[2].removeprefix("x-")
        items = about.get("$item") or about.get("$items")
        title = about.get("$title") or about.get("$description")
        if kind != "array" or not isinstance(items, dict):
            found.fields[name] = schema_of(_TYPES.get(kind, "s"), title)
        elif (inner := described(items.get("$properties"))) is not None:
            found.lines[name] = inner
        else:
            word = str(items.get("$type") or "").rpartition("/")[2].removeprefix("x-")
            item = schema_of(_TYPES.get(word, "s"), None)
            found.fields[name] = {**schema_of("s", title), "type": ["array", "null"], "items": item}
    return found


def rename_inner(told: SourceSchema, lines: Lines) -> None:
    """Call the lines inside lines as they are declared, whatever the representation calls them."""
    for name in list(told.lines):
        if name != lines.collection and lines.key[-1] in told.lines[name].fields:
            told.lines[lines.collection] = told.lines.pop(name)
