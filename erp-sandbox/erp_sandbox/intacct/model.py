"""The objects of Sage Intacct and their fields: one neutral reading of the reference (section 3).

``model.json`` holds, per object, its business key, its parent and the field that names it, whether it takes a
``docparid``, and its fields as name, type and what else is known (``queryable``, ``values``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: DATATYPE words of ``lookup`` whose values are numbers.
DECIMALS: Final = frozenset({"DECIMAL", "CURRENCY", "PERCENT"})


@dataclass(frozen=True)
class Field:
    """A field of an object.

    Attributes:
        name: Integration name, with dots where it is another object's.
        type: DATATYPE of ``lookup``: TEXT, INTEGER, BOOLEAN, DATE, TIMESTAMP, DECIMAL, CURRENCY.
        queryable: Whether ``query`` takes it; ``lookup`` lists it anyway.
        values: Its valid values as labels, each with its stored code.
        custom: Whether a company added it.
        label: What a person reads.
    """

    name: str
    type: str
    queryable: bool = True
    values: tuple[tuple[str, str], ...] = ()
    custom: bool = False
    label: str = ""

    def stored(self, label: str) -> str:
        """The code behind a label."""
        return next((code for code, known in self.values if known == label), label)

    def shown(self, code: str) -> str:
        """The label of a code."""
        return next((label for known, label in self.values if known == code), code)


@dataclass(frozen=True)
class ObjectType:
    """An object of the API.

    Attributes:
        name: Upper-case name.
        business_key: What people know a record by; may be empty.
        parent: The object it is a line of, and the field with the parent's RECORDNO.
        docparid: Whether its functions take a transaction definition.
        fields: By name, in the order of the reference.
    """

    name: str
    business_key: tuple[str, ...]
    parent: tuple[str, str] | None
    docparid: bool
    fields: dict[str, Field]


@cache
def catalogue() -> dict[str, ObjectType]:
    """Every object, by name."""
    text = files("erp_sandbox.intacct").joinpath("model.json").read_text()
    return {name: _object(name, found) for name, found in json.loads(text).items()}


def _object(name: str, found: dict[str, Any]) -> ObjectType:
    fields = [_field(*each) for each in found["fields"]]
    parent = found["parent"]
    return ObjectType(
        name,
        tuple(found["business_key"]),
        (parent[0], parent[1]) if parent else None,
        found["docparid"],
        {field.name: field for field in fields},
    )


def _field(name: str, kind: str, more: dict[str, Any] | None = None) -> Field:
    more = more or {}
    values = _STATUS if name == "STATUS" else tuple(_values(more.get("values", ())))
    return Field(name, kind, more.get("queryable", True), values)


_LABELS: Final = re.compile(r"\(query label\) ([^:]+)")
_BEHIND: Final = re.compile(r"(.+) \((\w{1,2})\)$")
_NOTE: Final = re.compile(r"[<:/]")
_STATUS: Final = (("T", "active"), ("F", "inactive"))


def _values(texts: list[str]) -> Iterator[tuple[str, str]]:
    """Codes and labels; what the reference says of labels alone is a list of them."""
    for text in texts:
        if labels := _LABELS.match(text):
            yield from ((label.strip(), label.strip()) for label in labels[1].split(","))
        elif not _NOTE.search(text):
            yield _coded(text)


def _coded(text: str) -> tuple[str, str]:
    """Read ``A Posted`` and ``balancesheet (N)`` as code and label; a text without a code is both."""
    if behind := _BEHIND.match(text):
        return behind[2], behind[1]
    code, _, label = text.partition(" ")
    short = len(code) <= 2 and label  # noqa: PLR2004 - codes have one or two characters
    return (code, label) if short else (text, text)
