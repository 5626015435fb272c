"""Why a line was rejected, in words and with the path of the bad value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ml_connector.load.outline import member, shallow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml_connector.load.schema import Field

UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)` - at `\$(?:\[\d+\])?\.record`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*?)`(?: - at `(\$.*)`)?", re.DOTALL)
_AT = re.compile(r"(.*) - at `(\$.*)`", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")
_SHALLOW = 100
"""Levels that any reader can read; what lies deeper does not matter to why it cannot."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_ESCAPED = 4
"""Characters that are written for a byte that is not UTF-8."""

NO_RECORD = frozenset({"syntax", "message"})
"""Kinds of problem that no record is to blame for: the input is not what the Singer specification allows."""

Problem = tuple[str, str, str]
"""Path, kind, message."""


@dataclass
class Rejection:
    """A record that was not loaded, and why.

    Attributes:
        line: The message line as it came.
        record: The record's JSON text as it came; the whole line where no record can be told in it. Cut off
            where it is longer than the warehouse's longest text, as it would be the next thing that does not
            fit.
        kind: ``type`` (JSON type differs from the schema), ``missing_key`` (key property missing or null),
            ``required`` (required property missing), ``decimal`` (a number that does not fit without losing
            digits, or NaN, or infinity), ``format`` (not the date, time or base64 it should be),
            ``too_long`` and ``too_deep`` (more than the warehouse holds),
            ``encoding`` (not UTF-8, half a surrogate pair, a bare control character); and for a line that is
            no record at all, :data:`NO_RECORD`: ``syntax`` (not JSON), ``message`` (not a RECORD message).
        path: Where, as in ``$.record.EntryNumber``; ``$`` for the whole line.
        message: What is wrong, for a person.
        line_number: Number of the line in the input.
    """

    line: bytes
    record: bytes
    kind: str
    path: str
    message: str
    line_number: int


class _Bare(msgspec.Struct):
    record: msgspec.Raw


class _NotFinite:
    def __init__(self, name: str) -> None:
        self.name = name


_BARE = msgspec.json.Decoder(_Bare)
_WHOLE = msgspec.json.Decoder(msgspec.Raw)
_ANY_NUMBER: dict[str, Any] = {"parse_constant": _NotFinite, "parse_int": float}


def rejection(line: bytes, number: int, problem: Problem, most_bytes: int | None) -> Rejection:
    """Put together what is to be known of a rejected record.

    Args:
        line: The line.
        number: Its number.
        problem: What is wrong with it.
        most_bytes: Bytes of the longest text that the warehouse holds, if there is a limit.
    """
    path, kind, message = problem
    record = raw_record(line)
    kept = _cut(record, most_bytes)
    if kept is not record:
        message += f" (of its {len(record):,} bytes the first {len(kept):,} are kept)"
    return Rejection(line, kept, kind, path, message, number)


def _cut(record: bytes, most: int | None) -> bytes:
    if most is None or len(record) * _ESCAPED <= most:
        return record
    text = record.decode("utf-8", "backslashreplace").encode()  # as it will be written
    return record if len(text) <= most else text[:most].decode("utf-8", "ignore").encode()


def stated(error: str, fields: Mapping[str, Field], respelled: Mapping[str, str]) -> Problem:
    """Turn msgspec's error text into a problem.

    Args:
        error: The text, such as "Expected `str`, got `int` - at `$.record.Name`".
        fields: The stream's fields by name.
        respelled: Names used for properties that msgspec cannot name, to their true names.
    """
    missing = _MISSING.fullmatch(error)
    if missing:
        name = respelled.get(missing[1], missing[1])
        if missing[2] is None:
            return "$", "message", f"it has no `{name}`"
        field = fields.get(name)
        path = f"{missing[2]}.{name}"
        if field is not None and field.key:
            return path, "missing_key", f"Key property `{name}` is missing"
        return path, "required", f"Required property `{name}` is missing"
    at = _AT.fullmatch(error)
    if at is None:
        return "$", "message", error
    text, path = at[1], at[2]
    name = path.removeprefix("$.record.")
    name = respelled.get(name, name)
    if path.startswith("$.record."):
        path = f"$.record.{name}"
    field = fields.get(name)
    if field is not None and field.key and text.endswith("got `null`"):
        return path, "missing_key", f"Key property `{name}` is null"
    return path, "decimal" if "out of range" in text else "type", text


def explain(line: bytes, error: Exception) -> Problem:
    """Find out why a line is not JSON that can be loaded.

    Args:
        line: The line.
        error: What the decoder said of it.

    Returns:
        The one bad value, if the line is a message but for that; else kind ``syntax`` or ``message``.
    """
    try:
        tree, deep = _leniently(line)
    except ValueError:
        return "$", "syntax", why_no_message(line, error)
    if not isinstance(tree, dict) or not isinstance(tree.get("record"), dict):
        return "$", "message", "it has no `record` that is an object"
    return _flaw(line, tree) or (
        ("$.record", "too_deep", "The record is nested deeper than can be read")
        if deep or isinstance(error, RecursionError)
        else ("$", "syntax", f"it is not JSON: {error}")
    )


def why_no_message(line: bytes, error: Exception) -> str:
    """Say why a line is not one message, without any of its data.

    Args:
        line: The line.
        error: What the decoder said of it.
    """
    try:
        _leniently(line)
    except json.JSONDecodeError as problem:
        if problem.msg == "Extra data":
            return "more follows after the end of its JSON, and each message must be a line of its own"
    except ValueError:
        pass
    if isinstance(error, RecursionError):
        return "it is nested deeper than can be read"
    return str(error) if isinstance(error, msgspec.ValidationError) else f"it is not JSON: {error}"


def _flaw(line: bytes, tree: Any) -> Problem | None:
    try:
        text = line.decode()
    except UnicodeDecodeError as problem:
        return "$", "encoding", f"The line is not UTF-8: byte {problem.start} cannot be read"
    if _SURROGATE.search(_PAIR.sub("", text.replace("\\\\", ""))):
        what = "half of a surrogate pair, which no encoding can store"
        return "$.record", "encoding", f"The record holds {what}"
    if found := _not_finite(tree):
        path, name = found
        return path, "decimal", f"{name} is not a JSON number and no column can hold it"
    if control := _CONTROL.search(text.strip()):
        what = f"the control character U+{ord(control[0]):04X}, which JSON wants escaped"
        return "$.record", "encoding", f"The record holds {what}"
    return None


def _leniently(line: bytes) -> tuple[Any, bool]:
    """Parse a line that may hold what JSON does not allow; tell whether its depths were left out.

    Raises:
        ValueError: If it is not JSON even so.
    """
    text = line.decode(errors="surrogateescape")
    try:
        # numbers are not looked at
        return json.loads(text, strict=False, **_ANY_NUMBER), False
    except RecursionError:
        text = shallow(line, _SHALLOW).decode(errors="surrogateescape")
        return json.loads(text, strict=False, **_ANY_NUMBER), True


def is_json(line: bytes) -> bool:
    """Whether a line is JSON, and nothing else follows."""
    try:
        _WHOLE.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def why_no_json(line: bytes) -> str | None:
    """Say why a line is not one JSON value; None if it is, or would be but for a flaw in it."""
    try:
        _WHOLE.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        try:
            _leniently(line)
        except ValueError:
            return why_no_message(line, error)
    return None


def stream_of_flawed_record(line: bytes) -> str | None:
    """Tell a record with one bad value from a line that is not JSON at all.

    A record that holds NaN, infinity, half a surrogate pair, bytes that are not UTF-8, a control character or
    thousands of arrays within each other is not JSON to the letter, or not to every reader, so no strict
    reader sees its type. It is still one record of a known stream, to be rejected alone.

    Returns:
        The stream's name if the line is a RECORD message but for such values; else None.
    """
    try:
        message, _ = _leniently(line)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.get("type") != "RECORD" or "record" not in message:
        return None
    stream = message.get("stream")
    return stream if isinstance(stream, str) else None


def raw_record(line: bytes) -> bytes:
    """Cut the record out of a line, its bytes unchanged, even from one that is not quite JSON."""
    try:
        return bytes(_BARE.decode(line).record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return member(line, b'"record"') or line.rstrip(b"\r\n")


def _not_finite(tree: Any) -> tuple[str, str] | None:
    """The path and the name of the first NaN or infinity."""
    waiting = [("$", tree)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, _NotFinite):
            return path, value.name
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}", child) for key, child in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{path}[{place}]", child) for place, child in reversed(list(enumerate(value)))]
    return None
