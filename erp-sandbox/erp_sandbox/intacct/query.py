"""The ``query`` function: select, filter, orderby, options, paging (reference section 2.1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.envelope import data, element
from erp_sandbox.intacct.errors import generic
from erp_sandbox.intacct.model import DECIMALS
from erp_sandbox.intacct.store import Question, Store, expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lxml import etree  # type: ignore[import-untyped]

    from erp_sandbox.intacct.model import Field, ObjectType
    from erp_sandbox.intacct.odd_gateway import OddGateway
    from erp_sandbox.intacct.values import Notation

MOST: Final = 2_000
DEFAULT: Final = 100
_MOST_IN: Final = 1_000
_COMPARED: Final = {
    "equalto": "=",
    "notequalto": "<>",
    "lessthan": "<",
    "lessthanorequalto": "<=",
    "greaterthan": ">",
    "greaterthanorequalto": ">=",
}
_AGGREGATES: Final = ("count", "avg", "min", "max", "sum")
_CHILDREN: Final = frozenset(
    {"object", "select", "filter", "orderby", "options", "pagesize", "offset", "docparid"}
)


@dataclass(frozen=True)
class Column:
    """One thing that is selected: a field, or an aggregate of one."""

    name: str
    field: Field
    aggregate: str = ""

    @property
    def tag(self) -> str:
        """Its element in the answer: the official example prefixes counts only."""
        return f"COUNT.{self.name}" if self.aggregate == "count" else self.name


@dataclass(frozen=True)
class Asked:
    """A query, read."""

    object: ObjectType
    columns: Sequence[Column]
    question: Question
    size: int
    offset: int
    format: str = "xml"


def read(element_: etree._Element, kind: ObjectType, company: str, entity: str, notation: Notation) -> Asked:
    """Read a ``query`` element.

    Raises:
        GatewayError: As the gateway refuses it.
    """
    for child in element_:
        if child.tag not in _CHILDREN:
            raise generic(f"Element '{child.tag}' is not expected in query")
    select = element_.find("select")
    if select is None or not len(select):
        raise generic("The select element is required")
    columns = [_column(kind, child) for child in select]
    unknown = [column.name for column in columns if not column.field.queryable]
    if unknown:
        raise generic(f"Invalid fields; {', '.join(unknown)}")
    where, values = _filter(kind, element_.find("filter"), notation, element_.find("options"))
    question = Question(
        company, entity, kind.name, where, tuple(values), _order(kind, element_.find("orderby"))
    )
    return Asked(
        kind,
        columns,
        question,
        _number(element_, "pagesize", DEFAULT, 1, MOST),
        _number(element_, "offset", 0, 0, None),
        (element_.findtext("options/returnformat") or "xml").strip().lower(),
    )


def answer(asked: Asked, store: Store, notation: Notation, odd: OddGateway) -> str:
    """The ``<data>`` of a query.

    Raises:
        GatewayError: A record in it cannot be given.
    """
    name = asked.object.name
    if any(column.aggregate for column in asked.columns):
        rows = _aggregated(asked, store, notation)
        total, page = len(rows), rows[asked.offset : asked.offset + asked.size]
    else:
        total = store.count(asked.question)
        docs = store.page(asked.question, asked.size, asked.offset)
        odd.check_rows(name, {column.name for column in asked.columns}, {doc.get("RECORDNO") for doc in docs})
        page = _rows(asked, docs, notation)
    text = "".join(f"<{name}>{''.join(element(tag, value) for tag, value in row)}</{name}>" for row in page)
    left = max(0, total - asked.offset - len(page))
    told = {"listtype": name, "totalcount": total, "offset": asked.offset, "count": len(page)}
    return data(
        odd.spoiled(asked.object, text), **odd.attributes({**told, "numremaining": left}, legacy=False)
    )


def bare(asked: Asked, store: Store, notation: Notation) -> tuple[str, str]:
    """The answer without an envelope that ``returnformat`` asks for, and its media type."""
    if any(column.aggregate for column in asked.columns):
        page = _aggregated(asked, store, notation)[asked.offset : asked.offset + asked.size]
    else:
        page = _rows(asked, store.page(asked.question, asked.size, asked.offset), notation)
    if asked.format == "json":
        return json.dumps([dict(row) for row in page]), "application/json"
    lines = [",".join(_quoted(column.tag) for column in asked.columns)]
    lines += [",".join(_quoted(value) for _, value in row) for row in page]
    return "\n".join(lines) + "\n", "text/csv"


def _rows(asked: Asked, docs: Iterable[Mapping[str, Any]], notation: Notation) -> list[list[tuple[str, str]]]:
    return [
        [(column.tag, notation.written(column.field, doc.get(column.name))) for column in asked.columns]
        for doc in docs
    ]


def _aggregated(asked: Asked, store: Store, notation: Notation) -> list[list[tuple[str, str]]]:
    groups = [expression(column.field) for column in asked.columns if not column.aggregate]
    sql = [_aggregate(column) for column in asked.columns]
    found = store.grouped(asked.question, sql, groups)
    if not asked.question.order:
        found = sorted(found, key=str)
    return [
        [
            (column.tag, _written(column, value, notation))
            for column, value in zip(asked.columns, row, strict=True)
        ]
        for row in found
    ]


def _aggregate(column: Column) -> str:
    path = expression(column.field)
    if column.aggregate in {"sum", "avg"} or (column.aggregate in {"min", "max"} and _exact(column)):
        return f"exact_{column.aggregate}(json_extract(doc, '$.\"{column.name}\"'))"
    return f"{column.aggregate}({path})" if column.aggregate else path


def _exact(column: Column) -> bool:
    return column.field.type in DECIMALS


def _written(column: Column, value: Any, notation: Notation) -> str:
    if column.aggregate == "count":
        return str(value)
    if column.field.type == "BOOLEAN" and value is not None:
        value = bool(value)
    return notation.written(column.field, value)


def _column(kind: ObjectType, child: etree._Element) -> Column:
    name = (child.text or "").strip()
    tag = str(child.tag)
    if tag != "field" and tag not in _AGGREGATES:
        raise generic(f"Element '{tag}' is not expected in select")
    return Column(name, field_of(kind, name), "" if tag == "field" else tag)


def field_of(kind: ObjectType, name: str) -> Field:
    """A field by its name.

    Raises:
        GatewayError: If the object has none of the name.
    """
    found = kind.fields.get(name)
    if found is None:
        raise generic(f"Invalid fields; {name}")
    return found


def _order(kind: ObjectType, orderby: etree._Element | None) -> str:
    parts = []
    for order in () if orderby is None else orderby.iterfind("order"):
        field = field_of(kind, (order.findtext("field") or "").strip())
        parts.append(expression(field) + (" DESC" if order.find("descending") is not None else ""))
    return ", ".join(parts)


def _filter(
    kind: ObjectType, filter_: etree._Element | None, notation: Notation, options: etree._Element | None
) -> tuple[str, list[Any]]:
    if filter_ is None or not len(filter_):
        return "", []
    if len(filter_) != 1:
        raise generic("The filter takes exactly one operator")
    loose = options is not None and (options.findtext("caseinsensitive") or "").lower() == "true"
    return _Conditions(kind, notation, "COLLATE NOCASE" if loose else "").sql(filter_[0])


class _Conditions:
    """Operators as SQL."""

    def __init__(self, kind: ObjectType, notation: Notation, collation: str) -> None:
        self._kind = kind
        self._notation = notation
        self._collation = collation

    def sql(self, operator: etree._Element) -> tuple[str, list[Any]]:
        """One operator with all that it holds."""
        name = str(operator.tag)
        if name in {"and", "or"}:
            if len(operator) < 2:  # noqa: PLR2004 - the XSD's minimum
                raise generic(f"The operator {name} needs at least two conditions")
            parts, values = zip(*map(self.sql, operator), strict=True)
            return f" {name.upper()} ".join(f"({part})" for part in parts), [
                v for some in values for v in some
            ]
        field = field_of(self._kind, (operator.findtext("field") or "").strip())
        if not field.queryable:
            raise generic(f"Invalid fields; {field.name}")
        given = [(value.text or "").strip() for value in operator.iterfind("value")]
        if name in _COMPARED:
            return self._compared(field, name, given)
        handlers = {
            "like": self._like,
            "notlike": self._like,
            "between": self._between,
            "in": self._in,
            "notin": self._in,
            "isnull": self._null,
            "isnotnull": self._null,
        }
        if name not in handlers:
            raise generic(f"Unknown operator '{name}'")
        return handlers[name](field, name, given)

    def _read(self, field: Field, text: str) -> Any:
        return self._notation.read(field, text)

    def _compared(self, field: Field, name: str, given: list[str]) -> tuple[str, list[Any]]:
        (text,) = _many(name, given, 1, 1)
        path = expression(field)
        if name == "notequalto":
            return f"coalesce({path} <> ? {self._collation}, 1)", [self._read(field, text)]
        return f"{path} {_COMPARED[name]} ? {self._collation}", [self._read(field, text)]

    def _like(self, field: Field, name: str, given: list[str]) -> tuple[str, list[Any]]:
        (text,) = _many(name, given, 1, 1)
        pattern = text.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
        pattern = pattern.replace("%", "*").replace("_", "?")
        if self._collation:
            return f"lower({expression(field)}) {'NOT ' * (name == 'notlike')}GLOB ?", [pattern.lower()]
        return f"{expression(field)} {'NOT ' * (name == 'notlike')}GLOB ?", [pattern]

    def _between(self, field: Field, name: str, given: list[str]) -> tuple[str, list[Any]]:
        low, high = _many(name, given, 2, 2)
        return f"{expression(field)} BETWEEN ? AND ?", [self._read(field, low), self._read(field, high)]

    def _in(self, field: Field, name: str, given: list[str]) -> tuple[str, list[Any]]:
        values = [self._read(field, text) for text in _many(name, given, 1, _MOST_IN)]
        marks = ", ".join("?" * len(values))
        return f"{expression(field)} {self._collation} {'NOT ' * (name == 'notin')}IN ({marks})", values

    def _null(self, field: Field, name: str, given: list[str]) -> tuple[str, list[Any]]:
        _many(name, given, 0, 0)
        return f"{expression(field)} IS {'NOT ' * (name == 'isnotnull')}NULL", []


def _many(name: str, given: list[str], least: int, most: int) -> list[str]:
    if not least <= len(given) <= most:
        raise generic(f"The operator {name} takes {least} to {most} values, not {len(given)}")
    return given


def _number(element_: etree._Element, name: str, default: int, least: int, most: int | None) -> int:
    text = (element_.findtext(name) or "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) < least or (most is not None and int(text) > most):
        raise generic(f"The value '{text}' of {name} is out of range")
    return int(text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text
