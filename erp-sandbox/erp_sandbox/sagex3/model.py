"""The tables of Sage X3 and their fields: one neutral reading of the reference (section 8).

``model.json`` holds, per table, its abbreviation, its key and its fields. A field's type is one letter, with
the number of its elements in brackets where it has an index: ``s`` text, ``i`` integer, ``m`` local menu,
``y`` the local menu of no (1) and yes (2), ``n`` exact number, ``d`` date, ``t`` moment, ``u`` identifier.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

#: What X3's database holds where there is no date, as it knows no NULL (reference 7).
NO_DATE: Final = "1599-12-31"
#: Empty values as stored, by the letter of the type.
EMPTY: Final[dict[str, Any]] = {
    "s": "",
    "i": 0,
    "m": 0,
    "y": 1,
    "n": "0",
    "d": NO_DATE,
    "t": f"{NO_DATE}T00:00:00Z",
    "u": "",
}


@dataclass(frozen=True)
class Field:
    """A field of a table.

    Attributes:
        name: Field code.
        type: Letter of its type, a key of ``EMPTY``.
        size: How many elements it has; 0 where it has no index.
    """

    name: str
    type: str
    size: int = 0

    @property
    def empty(self) -> Any:
        """The stored value where nothing was entered."""
        return [EMPTY[self.type]] * self.size if self.size else EMPTY[self.type]


@dataclass(frozen=True)
class Table:
    """A table of a folder.

    Attributes:
        name: Its name, ``PORDER``.
        abbreviation: Three letters, ``POH``.
        description: What it holds.
        key: Fields of its first index.
        fields: By code.
    """

    name: str
    abbreviation: str
    description: str
    key: tuple[str, ...]
    fields: dict[str, Field]


@cache
def catalogue() -> dict[str, Table]:
    """Every table, by name."""
    text = files("erp_sandbox.sagex3").joinpath("model.json").read_text()
    return {name: _table(name, found) for name, found in json.loads(text).items()}


def _table(name: str, found: dict[str, Any]) -> Table:
    fields = {code: _field(code, kind) for code, kind in found["fields"].items()}
    return Table(name, found["abbreviation"], found["description"], tuple(found["key"]), fields)


def _field(code: str, kind: str) -> Field:
    return Field(code, kind[0], int(kind[2:-1]) if len(kind) > 1 else 0)
