"""Where rows come from: a table, or one with another beside it; and how its fields are written in SQL."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sagex3.model import EMPTY, Field, catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from erp_sandbox.sagex3.model import Table

#: Tables beside others, with the SQL of their rows' keys. A quantity line stands for its price line too, as a
#: price may have several; what both have is the quantity line's, which moves with every receipt (assumed).
BESIDE: Final[dict[str, tuple[str, str]]] = {
    "PORDERQ": ("PORDERP", "r.key"),
    "SORDERQ": ("SORDERP", "substr(r.key, 1, length(r.key) - 11)"),
    "PINVOICEV": ("PINVOICE", "r.key"),
    "SINVOICEV": ("SINVOICE", "r.key"),
}
_QUOTED: Final = "'{}'"


@dataclass(frozen=True)
class Shape:
    """What one server's table shows differently from the others'.

    Attributes:
        hidden: Fields that it does not show.
        indexed: Fields that have an index, with the number of their elements.
    """

    hidden: frozenset[str] = frozenset()
    indexed: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Source:
    """Rows of a table.

    Attributes:
        table: The table; its key is the rows' key.
        beside: A table whose row belongs to each of them.
        custom: The folder's own fields, with their descriptions.
        custom_beside: Those of the table beside.
        shape: What this server shows differently.
    """

    table: Table
    beside: Table | None
    custom: Mapping[str, tuple[Field, str]]
    custom_beside: Mapping[str, tuple[Field, str]]
    shape: Shape = field(default_factory=Shape)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Every field that is shown, by code: the table's own, those beside it, the folder's."""
        return {code: each for code, each in self._every.items() if code not in self.shape.hidden}

    @cached_property
    def _every(self) -> dict[str, Field]:
        beside = self.beside.fields if self.beside else {}
        own = {code: field for code, (field, _) in {**self.custom_beside, **self.custom}.items()}
        found = {**beside, **self.table.fields, **own}
        for code, size in self.shape.indexed:
            if code in found and not found[code].size:
                found[code] = replace(found[code], size=size)
        return found

    def described(self, code: str) -> str:
        """The description of one of the folder's fields; empty for any other."""
        found = self.custom.get(code) or self.custom_beside.get(code)
        return found[1] if found else ""

    def merged(self, doc: dict[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
        """A row's document with what only the table beside has."""
        more = {code: value for code, value in beside.items() if self._is_beside(code)}
        return {**more, **doc}

    @cached_property
    def empties(self) -> dict[str, Any]:
        """What each field holds where nothing was entered."""
        return {code: field.empty for code, field in self.fields.items()}

    @property
    def columns(self) -> str:
        """What to select: the key and the documents."""
        return "r.key, r.doc, b.doc" if self.beside else "r.key, r.doc"

    @property
    def joins(self) -> str:
        """How the table beside is joined."""
        if self.beside is None:
            return ""
        key = BESIDE[self.table.name][1]
        match = f"b.folder = r.folder AND b.tbl = '{self.beside.name}' AND b.key = {key}"
        return f"LEFT JOIN sagex3_rows b ON {match}"

    def sql(self, code: str, row: str = "r", index: int = 0) -> str:
        """A field as SQL: numbers as such, all else as text.

        Args:
            code: The field.
            row: Alias of the row; that of the table beside is ``b``, which only the outermost row has.
            index: Element of an indexed field, from 1.
        """
        field = self._every[code]
        if self.table.key == (code,) and field.type == "s":
            return f"{row}.key"
        doc = "b.doc" if self._is_beside(code) else f"{row}.doc"
        place = f"[{index - 1}]" if index else ""
        path = f"json_extract({doc}, '$.\"{code}\"{place}')"
        if field.type == "n":
            return f"CAST(coalesce({path}, '0') AS REAL)"
        return f"coalesce({path}, {_literal(EMPTY[field.type])})"

    def _is_beside(self, code: str) -> bool:
        return self.beside is not None and code not in self.table.fields and code not in self.custom


def source_of(
    name: str,
    custom: Mapping[str, Mapping[str, tuple[Field, str]]],
    *,
    beside: bool = True,
    shape: Shape | None = None,
) -> Source:
    """The source of a table's rows.

    Args:
        name: The table.
        custom: A folder's own fields, by table.
        beside: Whether the table beside it comes along, where there is one.
        shape: What this server shows differently.
    """
    tables = catalogue()
    other = tables[BESIDE[name][0]] if beside and name in BESIDE else None
    custom_beside = custom.get(other.name, {}) if other else {}
    return Source(tables[name], other, custom.get(name, {}), custom_beside, shape or Shape())


def _literal(value: Any) -> str:
    return _QUOTED.format(value) if isinstance(value, str) else str(value)
