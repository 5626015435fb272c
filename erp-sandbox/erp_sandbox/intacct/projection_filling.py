"""What a record holds beside what its books say: contacts, dimensions, flags, switches and the like.

A company fills most columns of most objects with something, and a reader must find what it has. These values
follow from a record's own, from masters that stay as they are and from a draw by the record's name: the same
record has the same ones for good. No sum of the books depends on any of them.
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.model import DECIMALS, catalogue
from erp_sandbox.intacct.projection_record import ENTITIES
from erp_sandbox.intacct.projection_words import FLAG, LEFT_OUT, TEXTS, humanised

if TYPE_CHECKING:
    from collections.abc import Callable

    from erp_sandbox.business.books import Books
    from erp_sandbox.intacct.model import Field
    from erp_sandbox.intacct.projection_record import Keys, Record

#: Of the columns that a record could have, one in so many stays empty; so do most lines.
_EMPTY, _LINES = 4, 3
#: So many masters of a kind are named by what names none in the books.
_FEW: Final = 5
_ADMIN: Final = "Admin"
#: Objects whose records stand below the first of them.
_HIERARCHIES: Final = {
    "CLASS": "CLASSID",
    "DEPARTMENT": "DEPARTMENTID",
    "PROJECT": "PROJECTID",
    "CUSTOMER": "CUSTOMERID",
    "VENDOR": "VENDORID",
}
_DIMENSION: Final = re.compile(
    r"(?P<kind>LOCATION|DEPARTMENT|CLASS|EMPLOYEE|PROJECT|ITEM|WAREHOUSE|VENDOR|CUSTOMER)"
    r"(?P<what>ID|NAME|TITLE|KEY|DIMKEY)"
)
_ACCOUNT: Final = re.compile(r"(ACCOUNTNO|GLACCOUNT|^A[PR]ACCOUNT|ACCTKEY)$")
_ACCOUNT_TITLE: Final = re.compile(r"(ACCOUNTTITLE|ACCTTITLE|ACCOUNTNOTITLE)$")
_CURRENCY: Final = re.compile(r"CURR(ENCY)?$")
_USER: Final = re.compile(r"(USER|USERID|BY|BYID)$")
_YEARS: Final = re.compile(r"END|EXPIR|COMPLETION|RESPONSE")


@dataclass(frozen=True)
class _Master:
    """A record that others name."""

    id: str
    name: str
    recordno: int


class Filler:
    """Fills records.

    Args:
        books: A company's books.
        keys: Its numbers.
    """

    def __init__(self, books: Books, keys: Keys) -> None:
        self._currency = books.currency
        self._admin = keys.number("USERINFO", _ADMIN)
        self._masters = _masters(books, keys)
        self._parties: dict[tuple[str, str], _Master] = {}
        for kind in ("VENDOR", "CUSTOMER"):
            parties = _parties(books, keys, kind)
            self._parties |= {(kind, party.id): party for party in parties}
            self._masters[kind] = parties[:_FEW]
        accounts = "SELECT account, description FROM biz_accounts WHERE company = :company"
        self._accounts = [
            _Master(row["account"], row["description"], keys.number("GLACCOUNT", row["account"]))
            for row in books.rows(f"{accounts} ORDER BY created, account LIMIT {_FEW}")
        ]
        self._makers: dict[str, list[tuple[str, Callable[[int, Record], Any]]]] = {}

    def filled(self, record: Record) -> Record:
        """A record with more values; those that it has stay."""
        kind = catalogue().get(record.object)
        if kind is None:
            return record
        salt = f"{record.object} {record.natural} "
        if (kind.parent or record.object == "GLDETAIL") and zlib.crc32(salt.encode()) % _LINES:
            return record
        more = {}
        for name, make in self._of(record.object):
            if name in record.fields:
                continue
            draw = zlib.crc32(f"{salt}{name}".encode())
            value = make(draw // _EMPTY, record) if draw % _EMPTY else None
            if value is not None:
                more[name] = value
        return replace(record, fields={**more, **record.fields})

    def _of(self, name: str) -> list[tuple[str, Callable[[int, Record], Any]]]:
        found = self._makers.get(name)
        if found is None:
            fields = catalogue()[name].fields.values()
            found = [(field.name, self._maker(name, field)) for field in fields if field.name not in LEFT_OUT]
            self._makers[name] = found
        return found

    def _maker(self, of: str, field: Field) -> Callable[[int, Record], Any]:
        special = self._special(of, field)
        if special is not None:
            return special
        if field.type == "TEXT":
            return self._text(field)
        if field.type in DECIMALS:
            return _decimal(field.name)
        makers: dict[str, Callable[[int, Record], Any]] = {
            "BOOLEAN": lambda draw, _: draw % 4 == 0,
            "DATE": _date(field.name),
            "TIMESTAMP": lambda draw, record: f"{record.day}T{8 + draw % 10:02d}:{draw % 60:02d}:00",
            "INTEGER": lambda draw, _: draw % 40 + 1,
        }
        return makers[field.type]

    def _special(self, of: str, field: Field) -> Callable[[int, Record], Any] | None:
        """What follows from other records: entities, dimensions, parents, accounts, users."""
        name = field.name
        found: Callable[[int, Record], Any] | None = None
        if name.startswith("MEGAENTITY"):
            found = lambda _, record: self._entity(name, field, record)  # noqa: E731
        elif dimension := _DIMENSION.fullmatch(name):
            found = self._dimension(of, field, dimension["kind"], dimension["what"])
        elif name in {"PARENTID", "PARENTNAME", "PARENTKEY"} and of in _HIERARCHIES:
            found = lambda _, record: self._parent(of, name, record)  # noqa: E731
        elif name.endswith("CONTACTNAME"):
            found = lambda _, record: self._contact(record)  # noqa: E731
        elif field.type == "INTEGER" and re.search(r"(CREATED|MODIFIED)BY$|^USER(KEY|NO)$", name):
            found = lambda _, __: self._admin  # noqa: E731
        elif field.type == "INTEGER" and re.search(r"ACC(OUN)?TKEY$", name):
            found = lambda draw, _: self._accounts[draw % len(self._accounts)].recordno  # noqa: E731
        return found

    def _text(self, field: Field) -> Callable[[int, Record], Any]:
        last = field.name.rpartition(".")[2]
        choices = self._choices(field, last)
        return lambda draw, _: choices[draw % len(choices)].replace("#", f"{draw % 900 + 100}")

    def _choices(self, field: Field, last: str) -> list[str]:
        """What a text may be; a number comes in the place of ``#``."""
        known = (
            ([label for _, label in field.values if label], bool(field.values)),
            ([account.id for account in self._accounts], _ACCOUNT.search(last)),
            ([account.name for account in self._accounts], _ACCOUNT_TITLE.search(last)),
            ([self._currency], _CURRENCY.search(last)),
            ([_ADMIN], _USER.search(last)),
        )
        for words, fits in known:
            if fits and words:
                return words
        for pattern, texts in TEXTS:
            if pattern.search(last):
                return list(texts)
        if FLAG.search(last):
            return ["F", "F", "F", "T"]
        return [f"{humanised(last)} {number}" for number in range(1, 10)]

    def _dimension(self, of: str, field: Field, kind: str, what: str) -> Callable[[int, Record], Any] | None:
        if of == kind:
            return None
        number = what in {"KEY", "DIMKEY"}

        def make(_: int, record: Record) -> Any:
            master = self._named(kind, record)
            if master is None:
                return None
            value: Any = master.recordno if number else master.id if what == "ID" else master.name
            return str(value) if field.type == "TEXT" else value

        return make

    def _named(self, kind: str, record: Record) -> _Master | None:
        """The master of a dimension that a record names, or would name if it named none."""
        given = record.fields.get(f"{kind}ID")
        known = self._masters[kind]
        if given is not None:
            party = self._parties.get((kind, given))
            return party or next((master for master in known if master.id == given), None)
        draw = zlib.crc32(f"{record.object}{record.natural}{kind}".encode())
        return known[draw % len(known)] if known and draw % _EMPTY else None

    def _entity(self, name: str, field: Field, record: Record) -> Any:
        if not record.entity:
            return None
        found = next(master for master in self._masters["ENTITY"] if master.id == record.entity)
        value: Any = {"MEGAENTITYID": found.id, "MEGAENTITYNAME": found.name}.get(name, found.recordno)
        return str(value) if field.type == "TEXT" else value

    def _parent(self, of: str, name: str, record: Record) -> Any:
        first = self._masters[of][0]
        if record.fields.get(_HIERARCHIES[of]) == first.id:
            return None
        return {"PARENTID": first.id, "PARENTNAME": first.name}.get(name, first.recordno)

    def _contact(self, record: Record) -> str:
        for kind in ("VENDOR", "CUSTOMER"):
            party = self._parties.get((kind, record.fields.get(f"{kind}ID", "")))
            if party is not None:
                return f"{party.name} ({party.id})"
        return "Administrator"


def _masters(books: Books, keys: Keys) -> dict[str, list[_Master]]:
    """Masters that stay as they are, so that what names them does."""
    entities = [_Master(each, f"{books.company} {each}", keys.number("LOCATION", each)) for each in ENTITIES]

    def found(kind: str, sql: str) -> list[_Master]:
        rows = books.rows(f"{sql} ORDER BY 1 LIMIT {_FEW}")
        return [_Master(row[1], row[2], keys.number(kind, row[0])) for row in rows]

    accounts = "FROM biz_accounts WHERE company = :company"
    items = "FROM biz_items WHERE company = :company"
    people = "FROM biz_parties WHERE company = :company AND salesperson <> ''"
    customers = "FROM biz_parties WHERE company = :company AND ledger = 'AR'"
    places = "FROM biz_order_lines WHERE company = :company"
    return {
        "LOCATION": entities,
        "ENTITY": entities,
        "DEPARTMENT": found(
            "DEPARTMENT", f"SELECT DISTINCT department, department, 'Department ' || department {accounts}"
        ),
        "CLASS": found("CLASS", f"SELECT DISTINCT category, category, category {items}"),
        "EMPLOYEE": found(
            "EMPLOYEE", f"SELECT DISTINCT salesperson, salesperson, 'Salesperson ' || salesperson {people}"
        ),
        "PROJECT": found("PROJECT", f"SELECT id, 'P-' || id, 'Fitting out ' || name {customers}"),
        "ITEM": found("ITEM", f"SELECT id, id, description {items}"),
        "WAREHOUSE": found(
            "WAREHOUSE", f"SELECT DISTINCT location, 'W' || location, 'Warehouse ' || location {places}"
        ),
    }


def _parties(books: Books, keys: Keys, kind: str) -> list[_Master]:
    sql = "SELECT id, name FROM biz_parties WHERE company = :company AND ledger = :ledger ORDER BY start, id"
    rows = books.rows(sql, ledger="AP" if kind == "VENDOR" else "AR")
    return [_Master(row["id"], row["name"], keys.number(kind, row["id"])) for row in rows]


def _date(name: str) -> Callable[[int, Record], str]:
    """A day near the record's own; what ends does so within the year after."""
    span = 365 if _YEARS.search(name) else 30

    def make(draw: int, record: Record) -> str:
        return (dt.date.fromisoformat(record.day) + dt.timedelta(days=draw % span)).isoformat()

    return make


def _decimal(name: str) -> Callable[[int, Record], str]:
    """Amounts are the record's own in the other currency, or nothing; rates and quantities are drawn."""
    last = name.rpartition(".")[2]
    if "PERCENT" in last:
        return lambda draw, _: f"{draw % 100}.00"
    if "RATE" in last:
        return lambda draw, _: f"1.{draw % 1000:03d}"
    if last in {"LATITUDE", "LONGITUDE"}:
        return lambda draw, _: f"{draw % 80}.{draw % 9000 + 1000}"
    if re.search("QTY|HAND|COMMITTED|UNIT", last):
        return lambda draw, _: f"{draw % 50}"
    twin = name.removeprefix("TRX_") if name.startswith("TRX_") else f"TRX_{name}"
    return lambda _, record: record.fields.get(twin) or "0.00"
