"""The gateway's XML: requests out, answers in (reference sections 1.1 and 1.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree  # type: ignore[import-untyped]

from tap_sageintacct.errors import Said

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Element: TypeAlias = Any
"""An element of lxml, which has no types."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STRUCTURE = (
    "response",
    "status",
    "sessiontimestamp",
    "result",
    "controlid",
    "data",
    "error",
    "errormessage",
)
_ERROR_PARTS = ("errorno", "description", "description2", "correction")


@dataclass
class Result:
    """What one function gave.

    Attributes:
        control_id: The function's.
        attributes: Of the ``<data>`` element: ``count``, ``totalcount``, ``numremaining``, ``resultId``.
        records: Each record's elements as texts by name; an empty element is None.
        errors: Why it failed; empty if it did not.
        failed: Whether its status says so.
    """

    control_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    errors: list[Said] = field(default_factory=list)
    failed: bool = False


@dataclass
class Answer:
    """An answer, read.

    Attributes:
        control_errors: Set if the request as a whole was refused.
        sign_in_errors: Set if the sign-in was refused.
        timestamp: When the session began, ISO, if the answer says so.
        results: One a function, in the order they were asked.
    """

    control_errors: list[Said] | None = None
    sign_in_errors: list[Said] | None = None
    timestamp: str | None = None
    results: list[Result] = field(default_factory=list)


class NotXml(ValueError):  # noqa: N818 - says what it is
    """The answer is no XML, or breaks off, or is no answer of the gateway."""


def clean(text: object) -> str:
    """Take out of a text what XML 1.0 forbids, before it is escaped."""
    return _FORBIDDEN.sub("", str(text))


def element(name: str, *children: Element | None, text: object = None, **attributes: str) -> Element:
    """Make an element.

    Args:
        name: Its tag.
        children: What is inside; None is left out.
        text: Its text.
        attributes: Its attributes.
    """
    made = etree.Element(name, {key: clean(value) for key, value in attributes.items()})
    if text is not None:
        made.text = clean(text)
    made.extend([child for child in children if child is not None])
    return made


def request(
    sender: tuple[str, str], authentication: Element, functions: Sequence[tuple[str, Element]]
) -> bytes:
    """Write a request.

    Args:
        sender: Sender id and password.
        authentication: The ``login`` or ``sessionid`` element.
        functions: Control id and element of each.
    """
    sender_id, password = sender
    control = element(
        "control",
        element("senderid", text=sender_id),
        element("password", text=password),
        element("controlid", text="tap-sageintacct"),
        element("uniqueid", text="false"),
        element("dtdversion", text="3.0"),
        element("includewhitespace", text="false"),
    )
    content = element("content", *(element("function", each, controlid=key) for key, each in functions))
    operation = element("operation", element("authentication", authentication), content)
    root = element("request", control, operation)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def read(body: bytes, records: Collection[str] = ()) -> Answer:
    """Read an answer piece by piece: a record's elements are dropped as soon as they are texts.

    Args:
        body: The answer.
        records: Tags of the records that are expected; those of other tags are kept until their `data` ends.

    Raises:
        NotXml: If it is not an answer of the gateway from end to end.
    """
    reader = _Reader(frozenset(records))
    try:
        # of the fields inside a record Python hears nothing: they are most of the elements
        tags = [*_STRUCTURE, *records]
        pieces = etree.iterparse(
            BytesIO(body),
            events=("start", "end"),
            tag=tags,
            huge_tree=True,
            # with huge_tree nothing else bounds what entities may grow to
            resolve_entities=False,
        )
        for event, found in pieces:
            if event == "start":
                reader.start(found)
            else:
                reader.end(found)
    except etree.XMLSyntaxError as error:
        raise NotXml(f"the answer is no XML, or breaks off ({error.msg})") from error
    if not reader.whole:
        raise NotXml("the answer is not one of the gateway")
    return reader.answer


class _Reader:
    """Keeps what matters of the elements that go by."""

    def __init__(self, records: frozenset[str]) -> None:
        self.answer = Answer()
        self.whole = False
        self._records = records
        self._result: Result | None = None
        self._errors: list[Said] = []
        self._failed_block = ""

    def start(self, found: Element) -> None:
        """An element begins: its attributes are known."""
        if found.tag == "result":
            self._result = Result()
        elif found.tag == "data" and self._result is not None and _parent(found) == "result":
            self._result.attributes = dict(found.attrib)

    def end(self, found: Element) -> None:
        """An element is whole."""
        tag, parent, result = found.tag, _parent(found), self._result
        if result is not None and parent == "data" and tag in self._records:
            result.records.append(_record(found))
            found.clear()
            while found.getprevious() is not None:
                del found.getparent()[0]
        elif tag == "error" and parent == "errormessage":
            self._errors.append(Said(*((found.findtext(part) or "") for part in _ERROR_PARTS)))
        elif tag == "errormessage":
            self._errors_end(parent)
        elif result is not None and parent == "result":
            self._result_part(result, found)
        elif tag == "result" and result is not None:
            self.answer.results.append(result)
            self._result = None
        elif result is None:
            self._around(found, parent)

    def _around(self, found: Element, parent: str) -> None:
        """What is around the results."""
        if found.tag == "status" and parent in {"control", "authentication"}:
            if (found.text or "").strip() != "success":
                self._failed_block = parent
        elif found.tag == "sessiontimestamp":
            self.answer.timestamp = found.text
        elif found.tag == "response" and not parent:
            self._response_end()

    def _errors_end(self, parent: str) -> None:
        if parent == "result" and self._result is not None:
            self._result.errors, self._errors = self._errors, []
        elif parent == "operation":
            self.answer.sign_in_errors, self._errors = self._errors, []
        elif parent == "response":
            self.answer.control_errors, self._errors = self._errors, []

    def _result_part(self, result: Result, found: Element) -> None:
        if found.tag == "status":
            result.failed = (found.text or "").strip() != "success"
        elif found.tag == "controlid":
            result.control_id = (found.text or "").strip()
        elif found.tag == "data":
            result.records += [_record(child) for child in found if child.tag not in self._records]

    def _response_end(self) -> None:
        self.whole = True
        if self._failed_block == "control" and self.answer.control_errors is None:
            self.answer.control_errors = []
        if self._failed_block == "authentication" and self.answer.sign_in_errors is None:
            self.answer.sign_in_errors = []


def _parent(found: Element) -> str:
    parent = found.getparent()
    return "" if parent is None else str(parent.tag)


def _record(found: Element) -> dict[str, Any]:
    """A record's elements as texts; those that hold others are kept as dictionaries and lists."""
    return {child.tag: _inside(child) if len(child) else child.text or None for child in found}


def _inside(found: Element) -> dict[str, Any]:
    inside: dict[str, Any] = {}
    for child in found:
        name, value = child.tag, _inside(child) if len(child) else child.text or None
        if name in inside:
            held = inside[name]
            inside[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            inside[name] = value
    return inside
