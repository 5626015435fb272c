"""The functions of the gateway, each from its element to its ``<data>``."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct import describing, legacy, query
from erp_sandbox.intacct.envelope import data, element
from erp_sandbox.intacct.errors import GatewayError, generic, not_permitted
from erp_sandbox.intacct.odd_gateway import OddGateway
from erp_sandbox.intacct.store import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lxml import etree  # type: ignore[import-untyped]

    from erp_sandbox.intacct.model import ObjectType
    from erp_sandbox.intacct.sessions import Gatekeeper, Session
    from erp_sandbox.intacct.store import Store
    from erp_sandbox.intacct.values import Notation

_MOST_BY_QUERY: Final = 1_000
_KEPT_RESULTS: Final = 200


@dataclass
class _Snapshot:
    """What is left of a ``readByQuery``: its pages are of one moment."""

    kind: ObjectType
    fields: list[str]
    keys: list[int]
    total: int
    size: int
    session: Session


class Functions:
    """Carries out functions over the store.

    Args:
        store: The records.
        gatekeeper: Opens sessions.
        notation: How the user sees values.
        forbidden: Objects that the user may not read.
        lag: Seconds after which a change can be seen.
        odd: What this gateway does beside the rules.
    """

    def __init__(
        self,
        store: Store,
        gatekeeper: Gatekeeper,
        notation: Notation,
        *,
        forbidden: Collection[str] = (),
        lag: float = 0.0,
        odd: OddGateway | None = None,
    ) -> None:
        self._odd = odd or OddGateway()
        self._store = store
        self._gatekeeper = gatekeeper
        self._notation = notation
        self._forbidden = {name.upper() for name in forbidden}
        self._lag = lag
        self._snapshots: OrderedDict[str, _Snapshot] = OrderedDict()
        self._handlers: dict[str, Callable[[etree._Element, Session], str]] = {
            "query": self._query,
            "readByQuery": self._read_by_query,
            "readMore": self._read_more,
            "read": self._read,
            "readByName": self._read,
            "lookup": self._lookup,
            "inspect": self._inspect,
            "readEntityDetails": lambda _, session: describing.entities(self._store, session.company),
            "readUserFormatting": lambda _, __: describing.user_formatting(
                self._offset(), self._odd.user_format, self._odd.clock
            ),
            "get_trialbalance": self._trial_balance,
        }

    def run(self, call: etree._Element, session: Session, endpoint: str) -> str:
        """Carry out one function.

        Args:
            call: Its element.
            session: Who asks.
            endpoint: Where later requests of a new session belong.

        Returns:
            The ``<data>`` of its result.

        Raises:
            GatewayError: If it fails.
        """
        name = str(call.tag)
        if name == "getAPISession":
            return self._session(call, session, endpoint)
        handler = self._handlers.get(name)
        if handler is None:
            raise GatewayError("XL03000003", f"The function '{name}' is not known to this gateway.")
        return handler(call, session)

    def bare(self, call: etree._Element, session: Session) -> tuple[str, str] | None:
        """The answer without an envelope, if the function asks for JSON or CSV, and its media type.

        Raises:
            GatewayError: If it fails; errors come in the envelope.
        """
        wanted = (call.findtext("options/returnformat") or "xml").strip().lower()
        if call.tag != "query" or wanted == "xml":
            return None
        return query.bare(self._asked(call, session), self._store, self._notation)

    def _session(self, call: etree._Element, session: Session, endpoint: str) -> str:
        location = call.find("locationid")
        wanted = session.location if location is None else (location.text or "").strip()
        endpoint = self._odd.oddities.value("endpoint", endpoint)
        try:
            self._odd.check_entity(wanted)
            opened = self._gatekeeper.open(session.company, wanted)
        except GatewayError as error:
            raise GatewayError("Get API Session Failed", error.description2) from error
        inside = element("sessionid", opened.token) + element("endpoint", endpoint)
        return data(f"<api>{inside}{element('locationid', opened.location)}</api>")

    def _asked(self, call: etree._Element, session: Session) -> query.Asked:
        self._permit("QUERY", call)
        kind = self._kind(call, session)
        self._odd.check_select(kind, [(each.text or "").strip() for each in call.iterfind("select/field")])
        asked = query.read(call, kind, session.company, session.location, self._notation)
        if self._lag:
            object.__setattr__(asked.question, "until", time.time() - self._lag)
        return asked

    def _query(self, call: etree._Element, session: Session) -> str:
        return query.answer(self._asked(call, session), self._store, self._notation, self._odd)

    def _read_by_query(self, call: etree._Element, session: Session) -> str:
        self._permit("READ_BY_QUERY", call)
        kind = self._kind(call, session)
        text = (call.findtext("pagesize") or "100").strip() or "100"
        size = int(text) if text.isdigit() else 0
        if not 1 <= size <= _MOST_BY_QUERY:
            raise generic(f"The value '{text}' of pagesize is out of range")
        where, values = legacy.condition(kind, call.findtext("query") or "", self._notation)
        question = Question(session.company, session.location, kind.name, where, tuple(values))
        keys = self._store.keys(question)
        fields = _fields(kind, call.findtext("fields") or "*")
        return self._page(_Snapshot(kind, fields, keys, len(keys), size, session), None)

    def _read_more(self, call: etree._Element, session: Session) -> str:
        token = (call.findtext("resultId") or "").strip()
        name = (call.findtext("object") or "").strip().upper()
        if name and not token:
            token = next(
                (key for key in reversed(self._snapshots) if self._snapshots[key].kind.name == name), ""
            )
        snapshot = self._snapshots.get(token)
        if snapshot is None or snapshot.session.company != session.company:
            raise GatewayError("BL03000018", "The resultId is not valid, or its result has expired.")
        return self._page(snapshot, token)

    def _page(self, snapshot: _Snapshot, token: str | None) -> str:
        page, left = snapshot.keys[: snapshot.size], snapshot.keys[snapshot.size :]
        if "read-more-stuck" not in self._odd.oddities:
            snapshot.keys = left
        if snapshot.keys and token is None:
            token = "7765623332" + secrets.token_urlsafe(16)
            self._snapshots[token] = snapshot
            while len(self._snapshots) > _KEPT_RESULTS:
                self._snapshots.popitem(last=False)
        name = snapshot.kind.name.lower()
        rows = self._records(snapshot.kind, snapshot.session, page, snapshot.fields, name)
        told = {"listtype": name, "count": len(page), "totalcount": snapshot.total}
        told |= {"numremaining": len(left), "resultId": token or ""}
        xml = self._odd.spoiled(snapshot.kind, "".join(rows))
        return data(xml, **self._odd.attributes(told, legacy=True))

    def _read(self, call: etree._Element, session: Session) -> str:
        self._permit("READ", call)
        kind = self._kind(call, session)
        wanted = call.findtext("fields") or "*"
        try:
            fields = _fields(kind, wanted)
        except GatewayError as error:
            raise GatewayError(f"Invalid fields list {wanted}", "") from error
        keys = [key.strip() for key in (call.findtext("keys") or "").split(",") if key.strip()]
        found = keys if call.tag == "read" else self._named(kind, session, keys)
        numbers = [int(key) for key in found if str(key).isdigit()]
        rows = self._records(kind, session, numbers, fields, kind.name)
        return data("".join(rows), listtype=kind.name, count=len(rows))

    def _named(self, kind: ObjectType, session: Session, names: list[str]) -> list[str]:
        key = kind.business_key[0] if kind.business_key else "RECORDNO"
        marks = ", ".join("?" * len(names))
        where = f"json_extract(doc, '$.\"{key}\"') IN ({marks})"
        question = Question(session.company, session.location, kind.name, where, tuple(names))
        return [str(number) for number in self._store.keys(question)]

    def _records(
        self, kind: ObjectType, session: Session, keys: list[int], fields: list[str], tag: str
    ) -> list[str]:
        marks = ", ".join("?" * len(keys))
        question = Question(
            session.company, session.location, kind.name, f"recordno IN ({marks})", tuple(keys)
        )
        found = {doc["RECORDNO"]: doc for doc in self._store.page(question, -1, 0)} if keys else {}
        rows = []
        for key in keys:
            if doc := found.get(key):
                inside = "".join(
                    element(name, self._notation.written(kind.fields[name], doc.get(name))) for name in fields
                )
                rows.append(f"<{tag}>{inside}</{tag}>")
        return rows

    def _lookup(self, call: etree._Element, session: Session) -> str:
        return describing.lookup(self._kind(call, session))

    def _inspect(self, call: etree._Element, session: Session) -> str:
        return describing.inspect(call, self._store, session.company, self._odd)

    def _kind(self, call: etree._Element, session: Session) -> ObjectType:
        name = (call.findtext("object") or call.findtext("name") or "").strip()
        return self._odd.kind(self._store.object(session.company, name), call)

    def _trial_balance(self, call: etree._Element, session: Session) -> str:
        """``get_trialbalance`` between two days, from the posted details (reference section 3.6)."""
        self._permit("READ", call, "GLDETAIL")
        start, end = (_day(call.find(name)) for name in ("startdate", "enddate"))
        sums: dict[str, list[Decimal]] = {}
        question = Question(
            session.company,
            session.location,
            "GLDETAIL",
            "json_extract(doc, '$.\"ENTRY_DATE\"') <= ?",
            (end,),
        )
        for doc in self._store.page(question, -1, 0):
            row = sums.setdefault(doc["ACCOUNTNO"], [Decimal(0)] * 3)
            debit, credit = Decimal(doc["DEBITAMOUNT"] or 0), Decimal(doc["CREDITAMOUNT"] or 0)
            if doc["ENTRY_DATE"] < start:
                row[0] += debit - credit
            else:
                row[1] += debit
                row[2] += credit
        zero = (call.findtext("showzerobalances") or "").lower() == "true"
        zero = zero and "no-zero-balances" not in self._odd.oddities
        rows = []
        for account, (opening, debits, credited) in sorted(sums.items()):
            if zero or opening or debits or credited:
                amounts = {
                    "startbalance": opening,
                    "debits": debits,
                    "credits": credited,
                    "adjdebits": 0,
                    "adjcredits": 0,
                    "endbalance": opening + debits - credited,
                }
                inside = "".join(element(name, str(amount)) for name, amount in amounts.items())
                more = element("reportingbook", "ACCRUAL") + element("currency", "USD")
                rows.append(f"<trialbalance>{element('glaccountno', account)}{inside}{more}</trialbalance>")
        return data("".join(rows), listtype="trialbalance", count=len(rows))

    def _permit(self, operation: str, call: etree._Element, name: str | None = None) -> None:
        asked = (name or call.findtext("object") or "").strip().upper()
        if asked in self._forbidden:
            raise not_permitted(operation, asked)
        self._odd.check_object(asked)

    def _offset(self) -> str:
        text = datetime.now(self._notation.zone).strftime("%z")
        return f"{text[:3]}:{text[3:]}"


def _fields(kind: ObjectType, wanted: str) -> list[str]:
    if wanted.strip() == "*":
        return list(kind.fields)
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        query.field_of(kind, name)
    return names


def _day(found: Any) -> str:
    if found is None:
        raise generic("startdate and enddate are required")
    year, month, day = (int((found.findtext(name) or "0").strip()) for name in ("year", "month", "day"))
    return f"{year:04d}-{month:02d}-{day:02d}"
