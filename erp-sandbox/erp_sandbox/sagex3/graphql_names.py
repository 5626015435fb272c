"""The nodes of the GraphQL schemas and their properties, read from ``graphql.json``.

A property is written there as ``FIELDS`` with what it is: nothing for the field's own type, ``> node`` for a
reference, ``: Enum`` for a local menu with known labels, ``?`` for a yes/no menu, ``??`` for one that is
Boolean in every generation, ``debit`` or ``credit`` for an amount by its sign, ``* node`` for a collection.
``FIELD[1]`` is an element of an indexed field. A reference's fields are joined by ``+``, one for each part of
its key; ``=`` begins a constant, and ``!`` marks the field that decides whether there is a reference, else
the last does. ``- Type`` is a property that stands for no field of these tables: it is always null.

Names are those of Sage's pages where these have them; all others are assumed, as is which field stands
behind which name.
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

    from erp_sandbox.sagex3.model import Field
    from erp_sandbox.sagex3.source import Source

CURRENT: Final = "current"
OLDEST: Final = "oldest"
GENERATIONS: Final = (CURRENT, "older", OLDEST)
#: Technical columns, which every node has as ``_createStamp``, ``_etag`` and the like, or not at all.
_TECHNICAL: Final = frozenset(
    "AUUID CREDAT CREDATTIM CREUSR UPDDAT UPDDATTIM UPDTICK UPDUSR EXPNUM ROWID".split()  # noqa: SIM905
)
#: Longest indexed field whose elements are properties of their own.
_FEW: Final = 3
_TYPES: Final = {
    "s": "String",
    "u": "String",
    "i": "Int",
    "m": "Int",
    "y": "Int",
    "n": "Decimal",
    "d": "Date",
    "t": "Datetime",
}


@dataclass(frozen=True)
class Property:
    """A property of a node.

    Attributes:
        name: Its name.
        kind: ``leaf``, ``reference``, ``collection`` or ``array``.
        type: A leaf's type, an enum's name, or the node that is referred to.
        codes: Fields; those of a reference are the parts of its key, with ``=`` before a constant.
        decisive: The field that says whether there is a value, and that stands in the description.
        index: Element of an indexed field, from 1; 0 for none.
        side: ``debit`` or ``credit`` for an amount by its sign.
        label: Description without the code; empty where the name says it all.
    """

    name: str
    kind: str
    type: str
    codes: tuple[str, ...] = ()
    decisive: str = ""
    index: int = 0
    side: str = ""
    label: str = ""

    @property
    def description(self) -> str | None:
        """``Accounting date (ACCDAT)``; None where no field stands behind it."""
        if not self.decisive or self.name.startswith("_"):
            return None
        return f"{self.label or humanised(self.name)} ({self.decisive})"


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes:
        name: ``journalEntry``.
        package: ``Finance``, without what the generation puts before it.
        table: Table of its rows.
        inside: Whether it is reached through its document only.
        complete: Whether Sage's page lists all of its properties.
        known_beside: Whether the table beside gives only the properties that are named.
        oldest: A package of another name that has it in the oldest generation.
        properties: Those that are named, by name.
    """

    name: str
    package: str
    table: str
    inside: bool
    complete: bool
    known_beside: bool
    oldest: str
    properties: dict[str, Property]


@cache
def nodes(generation: str) -> dict[str, Node]:
    """The nodes of a generation, by name."""
    listed = _data()["nodes"]
    return {name: _node(name, found, generation) for name, found in listed.items()}


def enums() -> dict[str, list[str]]:
    """Labels of the local menus, in the menus' order."""
    found: dict[str, list[str]] = _data()["enums"]
    return found


def complement(node: Node, source: Source) -> Iterator[Property]:
    """The properties that no page names: one for each field left, and the folder's own fields.

    Their names are invented: the code in lower case.
    """
    named = {code for each in node.properties.values() for code in each.codes}
    own = {*source.custom, *source.custom_beside}
    for code, field in source.fields.items():
        if code in named or code in _TECHNICAL:
            continue
        from_beside = code not in source.table.fields and code not in own
        if code in own or not (node.complete or (node.known_beside and from_beside)):
            yield from _invented(code, field, source)


def pascal(name: str) -> str:
    """``journalEntry`` as ``JournalEntry``."""
    return name[:1].upper() + name[1:]


def humanised(name: str) -> str:
    """``companyName1`` as ``Company name 1``."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return " ".join(word.lower() for word in words).capitalize()


def has_dimensions(source: Source, node: Node) -> bool:
    """Whether a row carries dimensions of its own, as pairs of a type and a dimension."""
    named = {code for each in node.properties.values() for code in each.codes}
    return not node.complete and {"DIE", "CCE"} <= source.fields.keys() and not named & {"DIE", "CCE"}


def _invented(code: str, field: Field, source: Source) -> Iterator[Property]:
    label = source.described(code)
    name = code.lower()
    kind = _TYPES[field.type]
    if not field.size:
        yield Property(name, "leaf", kind, (code,), code, label=label)
    elif field.size <= _FEW:
        for nth in range(1, field.size + 1):
            more = f"{label} {nth}" if label else ""
            yield Property(f"{name}{nth}", "leaf", kind, (code,), code, nth, label=more)
    elif code not in ("DIE", "CCE"):
        yield Property(name, "array", kind, (code,), code, label=label)


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("erp_sandbox.sagex3").joinpath("graphql.json").read_text())
    return found


def _node(name: str, found: dict[str, Any], generation: str) -> Node:
    listed = found["current"] if generation == CURRENT else found.get("older", found["current"])
    return Node(
        name,
        found["package"],
        found["table"],
        found.get("inside", False),
        listed["complete"],
        found.get("known_beside", False),
        found.get("oldest", "") if generation == OLDEST else "",
        {key: _property(key, text, generation) for key, text in listed["properties"].items()},
    )


def _property(name: str, text: str, generation: str) -> Property:
    first, _, rest = text.partition(" ")
    if first == "*":
        return Property(name, "collection", rest)
    if first == "-":
        return Property(name, "leaf", rest)
    marked = next((part.rstrip("!") for part in first.split("+") if part.endswith("!")), "")
    codes = tuple(part.rstrip("!") for part in first.split("+"))
    decisive = marked or codes[-1]
    what, _, kind = rest.partition(" ")
    if what == ">":
        return Property(name, "reference", kind, codes, decisive)
    code, _, index = decisive.partition("[")
    place = int(index.rstrip("]")) if index else 0
    if what == "??" or (what == "?" and generation == CURRENT):
        kind = "Boolean"
    elif what == "?":
        kind = "NoYes"
    side = what if what in ("debit", "credit") else ""
    return Property(name, "leaf", kind, (code,), code, place, side)


def leaf_type(given: Property, field: Field) -> str:
    """The type of a leaf: what the data file says, or that of its field."""
    return given.type or _TYPES[field.type]
