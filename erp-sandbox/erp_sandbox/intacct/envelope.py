"""The XML around the functions: what comes in, and what goes out (reference sections 1.1 and 1.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree  # type: ignore[import-untyped]

from erp_sandbox.intacct.errors import ControlError, GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SENT_LOGIN: Final = ("userid", "companyid", "password", "clientid", "locationid")
_C0: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Call:
    """One function of a request.

    Attributes:
        name: The function's element.
        control_id: Echoed in its result.
        element: The function's element.
    """

    name: str
    control_id: str
    element: etree._Element


@dataclass(frozen=True)
class Request:
    """A request, read.

    Attributes:
        control: Texts of the control block, by element.
        session: The session, or empty.
        login: The login block, by element, or empty.
        transaction: Whether all functions succeed or none.
        calls: The functions.
    """

    control: Mapping[str, str]
    session: str
    login: Mapping[str, str]
    transaction: bool
    calls: Sequence[Call]


@dataclass(frozen=True)
class SignedIn:
    """The authentication block of an answer."""

    user: str = ""
    company: str = ""
    location: str = ""
    since: str = ""
    until: str = ""


@dataclass
class Result:
    """What a function gave.

    Attributes:
        data: XML of the ``<data>`` element, or empty.
        errors: Why it failed.
        aborted: Whether it was rolled back with the others.
    """

    data: str = ""
    errors: list[GatewayError] = field(default_factory=list)
    aborted: bool = False


def read(body: bytes) -> Request:
    """Read a request.

    Raises:
        ControlError: If it is not XML, or lacks what every request has.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        found = [(entry.type, entry.message, entry.line, entry.column) for entry in parser.error_log]
        first, *others = [
            ControlError(
                "XL03000003",
                f"XML Parse schema error: Fatal Error {code}: {message}. Line: {line}, column: {column}.",
            )
            for code, message, line, column in found
            or [(error.code, str(error.msg), error.lineno, error.offset)]
        ]
        first.others = tuple(others)
        raise first from error
    control = root.find("control")
    operation = root.find("operation")
    if root.tag != "request" or control is None or operation is None:
        raise ControlError(
            "XL03000003", "XML Parse schema error: the request lacks its control or operation."
        )
    texts = {str(child.tag): (child.text or "").strip() for child in control}
    for name in ("senderid", "password", "controlid", "dtdversion"):
        if name not in texts:
            raise ControlError("XL03000003", f"XML Parse schema error: Element control lacks {name}.")
    authentication = operation.find("authentication")
    if authentication is None:
        raise ControlError("XL03000003", "XML Parse schema error: Element operation lacks authentication.")
    login = authentication.find("login")
    calls = [
        Call(str(each[0].tag), each.get("controlid", ""), each[0])
        for each in operation.iterfind("content/function")
        if len(each)
    ]
    if not calls:
        raise ControlError("XL03000003", "XML Parse schema error: Element content lacks function.")
    return Request(
        texts,
        (authentication.findtext("sessionid") or "").strip(),
        {} if login is None else {name: (login.findtext(name) or "").strip() for name in _SENT_LOGIN},
        operation.get("transaction", "false").lower() == "true",
        calls,
    )


def control_failed(control: Mapping[str, str], errors: Sequence[GatewayError]) -> str:
    """An answer without an operation."""
    return f"{_HEAD}<response>{_control(control, 'failure')}{_errors(errors)}</response>"


def sign_in_failed(control: Mapping[str, str], who: SignedIn, errors: Sequence[GatewayError]) -> str:
    """An answer without results."""
    block = _authentication(who, "failure")
    return (
        f"{_HEAD}<response>{_control(control, 'success')}"
        f"<operation>{block}{_errors(errors)}</operation></response>"
    )


def answered(
    control: Mapping[str, str], who: SignedIn, calls: Sequence[Call], results: Sequence[Result]
) -> str:
    """An answer with a result for each function."""
    parts = [
        _HEAD,
        "<response>",
        _control(control, "success"),
        "<operation>",
        _authentication(who, "success"),
    ]
    for call, result in zip(calls, results, strict=True):
        status = "aborted" if result.aborted else "failure" if result.errors else "success"
        parts += [
            f"<result><status>{status}</status><function>{escape(call.name)}</function>",
            f"<controlid>{escape(call.control_id)}</controlid>",
            result.data,
            _errors(result.errors) if result.errors else "",
            "</result>",
        ]
    return "".join([*parts, "</operation></response>"])


def data(rows: str, **attributes: Any) -> str:
    """A ``<data>`` element."""
    written = "".join(f" {name}={quoteattr(str(value))}" for name, value in attributes.items())
    return f"<data{written}>{rows}</data>"


def element(name: str, text: Any) -> str:
    """An element with a text; what XML 1.0 forbids is left out."""
    return f"<{name}>{escape(_C0.sub('', str(text)))}</{name}>" if text != "" else f"<{name}></{name}>"


def _control(control: Mapping[str, str], status: str) -> str:
    shown = "".join(
        element(name, control.get(name, "")) for name in ("senderid", "controlid", "uniqueid", "dtdversion")
    )
    return f"<control><status>{status}</status>{shown}</control>"


def _authentication(who: SignedIn, status: str) -> str:
    more = ""
    if status == "success":
        more = (
            element("locationid", who.location)
            + element("sessiontimestamp", who.since)
            + element("sessiontimeout", who.until)
        )
    names = element("userid", who.user) + element("companyid", who.company)
    return f"<authentication><status>{status}</status>{names}{more}</authentication>"


def _errors(errors: Sequence[GatewayError]) -> str:
    names = ("errorno", "description", "description2", "correction")
    each = "".join(
        f"<error>{''.join(element(name, getattr(error, name)) for name in names)}</error>" for error in errors
    )
    return f"<errormessage>{each}</errormessage>"
