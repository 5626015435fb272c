"""How oddities change what the gateway answers."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.errors import ControlError, GatewayError, SignInError
from erp_sandbox.intacct.model import Field, ObjectType, catalogue
from erp_sandbox.intacct.oddities import ODDITIES
from erp_sandbox.oddities import Oddities

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

    from lxml import etree  # type: ignore[import-untyped]

_NONE: Final = Oddities(ODDITIES)
#: Fields that were seen refused, as the sources in the registry say.
_SEEN: Final = (
    "APBILL.PAYTOCONTACTNAME",
    "APBILL.RETURNTOCONTACTNAME",
    "APBILLITEM.GLACCOUNTNO",
    "ITEM.BASEUOM",
)
_STORED: Final = ("business-key", "deletion", "period-names", "custom-object-id", "docparid-fields")
_CUSTOM_NAMES: Final = {"RECORDNO": "id", "NAME": "name", "WHENMODIFIED": "updatedAt"}
_DEFINED: Final = frozenset({"SODOCUMENT", "PODOCUMENT", "SODOCUMENTENTRY", "PODOCUMENTENTRY"})
_ROUTE: Final = Field("ROUTE_CODE", "TEXT", custom=True, label="Route")
_ROUTES: Final = 7
_WORDS: Final = ("NAME", "DESC", "TITLE", "COMMENT")
_DOCTYPE: Final = '<!DOCTYPE response [<!ENTITY company "Company">]>'
#: Numbers of the audit trail's rows that no deletion of the business made.
_FIRST_ROW: Final = 900_000_000
_LETTERS: Final = {"d": "%d", "m": "%m", "Y": "%Y", "y": "%y"}


class OddGateway:
    """What a gateway's oddities do.

    Args:
        oddities: Those that it has.
    """

    def __init__(self, oddities: Oddities = _NONE) -> None:
        self.oddities = oddities
        self._requests = itertools.count(1)
        seen = oddities.values("unqueryable-fields") or _SEEN
        self._unqueryable = {name.upper() for name in seen} if "unqueryable-fields" in oddities else set()

    @property
    def user_format(self) -> str:
        """How the user sees dates, as ``readUserFormatting`` writes it."""
        return self.oddities.value("date-format", "/mdY")

    @property
    def clock(self) -> str:
        """Hours of the user's clock."""
        return "12" if "twelve-hour-clock" in self.oddities else "24"

    @property
    def date_pattern(self) -> str:
        """The same for ``strftime``."""
        separator, letters = self.user_format[0], self.user_format[1:]
        return separator.join(_LETTERS[letter] for letter in letters)

    def check_request(self) -> int:
        """Refuse what comes too often.

        Returns:
            The status of the refusal, or 0.
        """
        number = next(self._requests)
        for every, status in self.oddities.parts("gw-0010", 2):
            if number % int(every) == 0:
                return int(status or 200)
        return 0

    def check_entity(self, entity: str) -> None:
        """Refuse a session in an entity.

        Raises:
            SignInError: As the gateway does.
        """
        if entity and self.oddities.hits("refused-entity", entity):
            raise SignInError("XL03000006", f"You are not authorized to access entity {entity}.")

    def check_object(self, name: str) -> None:
        """Refuse a read of an object.

        Raises:
            GatewayError: With the number that was given.
        """
        for each, errorno in self.oddities.parts("refused-object", 2):
            if each.upper() == name:
                raise GatewayError(errorno or "DL02000001", "There was an error processing the request")

    def check_rows(self, name: str, fields: Collection[str], numbers: Collection[object]) -> None:
        """Refuse an answer for a record in it.

        Args:
            name: The object.
            fields: What is asked of each.
            numbers: The records' RECORDNO.

        Raises:
            GatewayError: With the number that was given.
        """
        for each, number, errorno, field in self.oddities.parts("broken-record", 4):
            if each.upper() == name and int(number) in numbers and (not field or field.upper() in fields):
                raise GatewayError(errorno or "BL01001973", "There was an error processing the request.")

    def check_select(self, kind: ObjectType, names: list[str]) -> None:
        """Refuse fields that cannot be queried.

        Raises:
            GatewayError: In the words that clients have met.
        """
        if not self._unqueryable:
            return
        refused = [
            name
            for name in names
            if f"{kind.name}.{name}" in self._unqueryable
            or (name in kind.fields and not kind.fields[name].queryable)
        ]
        if refused:
            listed = f"[\n        {kind.name.lower()}: [{', '.join(refused)}] ]"
            raise GatewayError(
                "XL03000006",
                f"The following fields cannot be queried: {listed} [Support ID: LYF3ZEB034%7EYeogyP0F2YJ]",
            )

    def kind(self, found: ObjectType, call: etree._Element) -> ObjectType:
        """An object as a call sees it: definitions may add fields, custom objects have others."""
        asked = (call.findtext("docparid") or "").strip()
        if found.name in _DEFINED and asked and asked in self.oddities.values("docparid-fields"):
            return replace(found, fields={**found.fields, _ROUTE.name: _ROUTE})
        if found.name not in catalogue() and "custom-object-id" in self.oddities:
            fields = {
                _CUSTOM_NAMES.get(name, name): replace(field, name=_CUSTOM_NAMES.get(name, name))
                for name, field in found.fields.items()
            }
            return replace(found, business_key=("name",), fields=fields)
        return found

    def attributes(self, given: Mapping[str, Any], *, legacy: bool) -> dict[str, Any]:
        """Attributes of a ``data`` element."""
        found = dict(given)
        if "numremaining-zero" in self.oddities and not legacy:
            found["numremaining"] = 0
        if "numremaining-text" in self.oddities:
            found["numremaining"] = "many"
        if legacy and "read-more-uncounted" in self.oddities:
            found.pop("numremaining", None)
        if legacy and "read-more-nameless" in self.oddities:
            found.pop("resultId", None)
        return found

    def spoiled(self, kind: ObjectType, xml: str) -> str:
        """Rows with what does not belong into a text."""
        for oddity, inside in (
            ("forbidden-characters", "\x0b&#31;"),
            ("comments-in-values", "<!-- checked -->"),
            ("entities-in-values", "&company;"),
        ):
            if self.oddities.hits(oddity, kind.name):
                xml = _inserted(kind, xml, inside)
        return xml

    def document(self, xml: str) -> str:
        """A whole answer; entities are defined at its beginning."""
        return xml.replace("\n", f"\n{_DOCTYPE}\n", 1) if "entities-in-values" in self.oddities else xml

    @property
    def rewrites(self) -> bool:
        """Whether records are other than those that are stored."""
        return any(name in self.oddities for name in _STORED)

    def records(self, connection: sqlite3.Connection, now: float) -> str:
        """SQL of the records as they are shown.

        Args:
            connection: The business's file.
            now: The business's clock, in seconds since 1970.
        """
        gone = self.oddities.parts("deletion", 3)
        conditions = "".join(
            f" AND NOT (object = {_quoted(name.upper())} AND recordno = {int(number)})"
            for name, number, _ in gone
        )
        columns = "company, object, recordno, entity, visible, rewritten(object, recordno, doc) AS doc"
        sql = f"SELECT {columns} FROM intacct_records WHERE 1{conditions}"
        row = connection.execute("SELECT value FROM meta WHERE key = 'companies'").fetchone()
        for nth, (name, number, key) in enumerate(gone, _FIRST_ROW):
            doc = _quoted(json.dumps(_audit_row(nth, name, number, key, now)))
            for company in json.loads(row[0]):
                sql += f" UNION ALL SELECT {_quoted(company)}, 'AUDITHISTORY', {nth}, '', 0, {doc}"
        return f"({sql})"

    def register(self, connection: sqlite3.Connection) -> None:
        """Let a connection's SQL call ``rewritten``."""
        renamed: dict[tuple[str, str], str] = {}
        for name, number, key in self.oddities.parts("business-key", 3):
            field = catalogue()[name.upper()].business_key[0]
            sql = "SELECT doc FROM intacct_records WHERE object = ? AND recordno = ?"
            for row in connection.execute(sql, (name.upper(), int(number))):
                renamed[field, json.loads(row[0])[field]] = key
        definitions = set(self.oddities.values("docparid-fields"))
        plain = not (renamed or definitions)

        def rewritten(name: str, recordno: int, text: str) -> str:
            custom = name not in catalogue() and "custom-object-id" in self.oddities
            period = name == "REPORTINGPERIOD" and "period-names" in self.oddities
            if plain and not custom and not period:
                return text
            doc = json.loads(text)
            for (field, old), new in renamed.items():
                if doc.get(field) == old:
                    doc[field] = new
            if doc.get("DOCPARID") in definitions:
                doc[_ROUTE.name] = f"R{recordno % _ROUTES}"
            if period:
                doc |= {"NAME": doc["START_DATE"][:7], "HEADER1": "Period"}
            if custom:
                doc |= {other: doc.get(field) for field, other in _CUSTOM_NAMES.items()}
            return json.dumps(doc, ensure_ascii=False)

        connection.create_function("rewritten", 3, rewritten, deterministic=True)


def limited() -> ControlError:
    """The refusal of a gateway that is asked too often, without a word of why."""
    return ControlError("GW-0010", "The request cannot be processed now.")


def _audit_row(number: int, name: str, recordno: str, key: str, now: float) -> dict[str, Any]:
    moment = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "RECORDNO": number,
        "ID": f"{recordno}:{number}",
        "OBJECTTYPE": name.lower(),
        "OBJECTKEY": key,
        "USERID": "Admin",
        "ACCESSTIME": moment,
        "ACCESSMODE": "D",
        "WORKFLOWACTION": None,
        "SOURCE": "ui",
        "IPADDRESS": None,
    }


def _inserted(kind: ObjectType, xml: str, inside: str) -> str:
    """Put something behind the first letter of the first text that is no code."""
    texts = [field.name for field in kind.fields.values() if field.type == "TEXT" and not field.values]
    worded = [name for name in texts if any(word in name for word in _WORDS)]
    for name in worded:
        found = re.search(rf"<{re.escape(name)}>[^<]", xml)
        if found:
            return f"{xml[: found.end()]}{inside}{xml[found.end() :]}"
    return xml


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
