"""The gateway's XML: requests out, answers in (reference sections 1.1 and 1.3)."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree  # type: ignore[import-untyped]
from ml_connector.extract.errors import Transient
from ml_connector.extract.rows import levels_of
from ml_connector.extract.source import Level

from tap_sageintacct import records
from tap_sageintacct.errors import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ml_connector.extract.source import Levels

Element: TypeAlias = Any
"""An element of lxml, which has no types."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32)])
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_BY_NUMBER = re.compile(rb"&#(?:0*(\d{1,7})|[xX]0*([0-9a-fA-F]{1,6}));")
_START = re.compile(rb"<([A-Za-z_][\w.\-]*)>")
_DATA = re.compile(rb"<data(?: [^<>]*)?/?>")
_LINE_ENDS = frozenset({9, 10, 13})
_SPACE, _LAST = 32, 0x10FFFF
_NOT_CHARACTERS = frozenset({0xFFFE, 0xFFFF, *range(0xD800, 0xE000)})
_ERROR_PARTS = ("errorno", "description", "description2", "correction")


FEW = 200
"""Records that are sooner read as a tree than a pattern for them is made."""


class NotXml(ValueError):  # noqa: N818 - says what it is
    """The answer is no XML, or breaks off, or is no answer of the gateway."""


class Records:
    """The records of an answer, taken apart when they are wanted.

    Args:
        body: The answer that they are in; empty if they are given as elements.
        begin: Where the first one begins.
        end: Where the last one ends.
        elements: The elements.
    """

    def __init__(
        self, body: bytes = b"", begin: int = 0, end: int = 0, elements: Sequence[Element] = ()
    ) -> None:
        self._body, self._begin, self._end = body, begin, end
        self._given = list(elements)

    def levels(self) -> Levels:
        """Their columns; texts, with None for nothing."""
        if self._body and len(self) > FEW:
            found = records.columns(memoryview(self._body)[self._begin : self._end])
            if found is not None:
                return {(): Level(len(next(iter(found.values()))), found)}
        return levels_of(list(map(_record, self._elements())), {})

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Each one's texts by name; an empty element is None, one that holds others a dictionary."""
        return list(map(_record, self._elements()))

    @property
    def last(self) -> dict[str, Any] | None:
        """The last one."""
        return self._outline[1]

    def __len__(self) -> int:
        return self._outline[0]

    @cached_property
    def _outline(self) -> tuple[int, dict[str, Any] | None]:
        """How many there are, and the last one; a page that waits is not kept in its parts."""
        start = _START.match(self._body, self._begin)
        name, where = start[1] if start else b"", (self._begin, self._end)
        first, after = b"<%s>" % name, b"</%s>" % name
        count = self._body.count(first, *where) if self._body.endswith(after, *where) else 0
        # behind each end but the last a record begins: none is inside another, which would go on behind it
        if count and count == self._body.count(after, *where) == self._body.count(after + first, *where) + 1:
            last = self._body.rfind(first, *where)
            with suppress(etree.XMLSyntaxError):
                return count, _record(_tree(self._body[last : self._end]))
        elements = self._elements()
        return len(elements), _record(elements[-1]) if elements else None

    def _elements(self) -> list[Element]:
        if not self._body:
            return self._given
        try:
            return list(_tree(b"<data>%s</data>" % self._body[self._begin : self._end]))
        except etree.XMLSyntaxError as error:
            raise Transient(f"A page of the gateway is no XML ({error.msg}).", answered=True) from error


@dataclass
class Result:
    """What one function gave.

    Attributes:
        attributes: Of the ``<data>`` element: ``count``, ``totalcount``, ``numremaining``, ``resultId``.
        records: Its records.
        errors: Why it failed; empty if it did not.
        failed: Whether its status says so.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    records: Records = field(default_factory=Records)
    errors: list[Said] = field(default_factory=list)
    failed: bool = False

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its records as dictionaries."""
        return self.records.rows

    def number(self, name: str) -> int | None:
        """An attribute that should be a number; None if it is missing or is none."""
        text = str(self.attributes.get(name) or "").strip()
        return int(text) if text.isdecimal() and text.isascii() else None


@dataclass
class Answer:
    """An answer, read.

    Attributes:
        control_errors: Set if the request as a whole was refused.
        sign_in_errors: Set if the sign-in was refused.
        timestamp: When the session began, ISO, if the answer says so.
        results: One a function, in the order they were asked.
        cleaned: Whether characters that XML forbids were taken out.
    """

    control_errors: list[Said] | None = None
    sign_in_errors: list[Said] | None = None
    timestamp: str | None = None
    results: list[Result] = field(default_factory=list)
    cleaned: bool = False


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


def read(body: bytes) -> Answer:
    """Read an answer: what is around its records; a page of records itself is kept for later.

    Characters that XML forbids are taken out where there are any, as users have typed them.

    Args:
        body: The answer.

    Raises:
        NotXml: If it is not an answer of the gateway from end to end.
    """
    found = _cleaned(body)
    frame, parts = _framed(found)
    answer = _answer(_response(frame), parts)
    if parts and answer.results:
        # some records are not where results have theirs
        answer = _answer(_response(found), [])
    answer.cleaned = len(found) < len(body)
    return answer


def _response(text: bytes) -> Element:
    try:
        root = _tree(text)
    except etree.XMLSyntaxError as error:
        raise NotXml(f"the answer is no XML, or breaks off ({error.msg})") from error
    if root.tag != "response":
        raise NotXml("the answer is not one of the gateway")
    return root


def _framed(body: bytes) -> tuple[bytes, list[Records | None]]:
    """An answer without records, and those of each ``<data>``; None for what is left in it."""
    kept: list[bytes] = []
    parts: list[Records | None] = []
    place = 0
    if b"!" in body and b"<!" in body:
        return body, []
    start = body.find(b"<data")
    while start >= 0:
        data = _DATA.match(body, start)
        begin = end = data.end() if data else 0
        start = body.find(b"<data", begin)
        if _START.match(body, begin):
            end = body.rfind(b"</data>", begin, start if start >= 0 else len(body))
        if not begin or end < begin:
            return body, []
        kept.append(body[place:begin])
        parts.append(Records(body, begin, end) if begin < end else None)
        place = end
    return b"".join([*kept, body[place:]]), parts


def _tree(text: bytes) -> Element:
    # comments and instructions stand inside values; an entity that is resolved could be of any size
    parser = etree.XMLParser(
        huge_tree=True, resolve_entities=False, remove_comments=True, remove_pis=True, no_network=True
    )
    return etree.fromstring(text, parser)


def _answer(root: Element, parts: list[Records | None]) -> Answer:
    answer = Answer()
    operation = root.find("operation")
    if (root.findtext("control/status") or "").strip() != "success":
        answer.control_errors = _errors(root.find("errormessage"))
        return answer
    if operation is None:
        answer.control_errors = _errors(root.find("errormessage"))
        return answer
    answer.timestamp = operation.findtext("authentication/sessiontimestamp")
    if (operation.findtext("authentication/status") or "success").strip() != "success":
        answer.sign_in_errors = _errors(operation.find("errormessage"))
        return answer
    answer.results = [_result(each, parts) for each in operation.iterfind("result")]
    return answer


def _result(found: Element, parts: list[Records | None]) -> Result:
    data = found.find("data")
    part = parts.pop(0) if data is not None and parts else None
    return Result(
        {} if data is None else dict(data.attrib),
        Records(elements=() if data is None else list(data)) if part is None else part,
        _errors(found.find("errormessage")),
        (found.findtext("status") or "").strip() != "success",
    )


def _errors(block: Element | None) -> list[Said]:
    if block is None:
        return []
    return [Said(*((each.findtext(part) or "") for part in _ERROR_PARTS)) for each in block.iterfind("error")]


def _cleaned(body: bytes) -> bytes:
    """An answer without the characters that XML forbids."""
    found = body.translate(None, _CONTROLS)
    if b"\xef" in found:
        for each in _NO_CHARACTERS:
            found = found.replace(each, b"")
    return _BY_NUMBER.sub(_allowed, found) if b"#" in found and b"&#" in found else found


def _allowed(match: re.Match[bytes]) -> bytes:
    """A reference by number, or nothing if XML forbids the character."""
    number = int(match[1]) if match[1] else int(match[2], 16)
    fine = number in _LINE_ENDS or (_SPACE <= number <= _LAST and number not in _NOT_CHARACTERS)
    return match[0] if fine else b""


def _record(found: Element) -> dict[str, Any]:
    """A record's elements as texts; those that hold others are kept as dictionaries and lists."""
    return {child.tag: _value(child) for child in found if isinstance(child.tag, str)}


def _value(found: Element) -> Any:
    if not len(found):
        return found.text or None
    inside = [child for child in found if isinstance(child.tag, str)]
    # an entity stands among the text
    return _inside(inside) if inside else "".join(_texts(found)) or None


def _texts(found: Element) -> Iterator[str]:
    yield found.text or ""
    for child in found:
        yield f"{child.text or ''}{child.tail or ''}"


def _inside(children: Sequence[Element]) -> dict[str, Any]:
    inside: dict[str, Any] = {}
    for child in children:
        name, value = child.tag, _value(child)
        if name in inside:
            held = inside[name]
            inside[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            inside[name] = value
    return inside
