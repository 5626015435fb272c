"""Why a line was rejected, in words and with the path of the bad value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml_connector.load.schema import Field

UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)` - at `\$(?:\[\d+\])?\.record`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*?)`(?: - at `(\$.*)`)?", re.DOTALL)
_AT = re.compile(r"(.*) - at `(\$.*)`", re.DOTALL)
_RECORD_KEY = re.compile(r'"record"\s*:\s*')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")

Problem = tuple[str, str, str]
"""Path, kind, message."""


@dataclass
class Rejection:
    """A record that was not loaded, and why.

    Attributes:
        line: The message line as it came.
        record: The record's JSON text as it came; the whole line where no record can be told in it.
        kind: ``type`` (JSON type differs from the schema), ``missing_key`` (key property missing or null),
            ``required`` (required property missing), ``decimal`` (a number that does not fit without losing
            digits, or NaN, or infinity), ``format`` (not the date, time or base64 it should be),
            ``encoding`` (not UTF-8, half a surrogate pair), ``syntax`` (not JSON), ``message`` (not a RECORD
            message).
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
            return "$", "message", f"The line has no `{name}`"
        field = fields.get(name)
        path = f"{missing[2]}.{name}"
        if field is not None and field.key:
            return path, "missing_key", f"Key property `{name}` is missing"
        return path, "required", f"Required property `{name}` is missing"
    at = _AT.fullmatch(error)
    text, path = (at[1], at[2]) if at else (error, "$")
    name = path.removeprefix("$.record.")
    name = respelled.get(name, name)
    if path.startswith("$.record."):
        path = f"$.record.{name}"
    field = fields.get(name)
    if field is not None and field.key and text.endswith("got `null`"):
        return path, "missing_key", f"Key property `{name}` is null"
    return path, "decimal" if "out of range" in text else "type", text


def explain(line: bytes, error: Exception) -> Problem:
    """Find out why a line is not JSON that can be loaded."""
    try:
        text = line.decode()
    except UnicodeDecodeError as problem:
        return "$", "encoding", f"The line is not UTF-8: byte {problem.start} cannot be read"
    if _SURROGATE.search(_PAIR.sub("", text.replace("\\\\", ""))):
        return (
            "$.record",
            "encoding",
            "The record holds half of a surrogate pair, which no encoding can store",
        )
    try:
        tree = json.loads(text, parse_constant=_NotFinite, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return "$", "syntax", f"The line is not JSON: {error}"
    found = _not_finite(tree, "$")
    if found is not None:
        path, name = found
        return path, "decimal", f"{name} is not a JSON number and no column can hold it"
    return "$", "syntax", f"The line is not JSON: {error}"


def stream_of_flawed_record(line: bytes) -> str | None:
    """Tell a record with one bad value from a line that is not JSON at all.

    A record that holds NaN, infinity, half a surrogate pair or bytes that are not UTF-8 is not JSON to the
    letter, so no strict reader sees its type. It is still one record of a known stream, to be rejected alone.

    Returns:
        The stream's name if the line is a RECORD message but for such values; else None.
    """
    try:
        # only its type and stream are looked at, so what becomes of its numbers does not matter
        message = json.loads(line.decode(errors="surrogateescape"), parse_int=float)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("type") != "RECORD":
        return None
    stream = message.get("stream")
    return stream if isinstance(stream, str) else None


def raw_record(line: bytes) -> bytes:
    """Cut the record out of a line, its bytes unchanged, even from one that is not quite JSON."""
    try:
        return bytes(msgspec.json.decode(line, type=_Bare).record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    text = line.decode(errors="surrogateescape")
    for match in _RECORD_KEY.finditer(text):
        try:
            _, end = json.JSONDecoder().raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        return text[match.end() : end].encode(errors="surrogateescape")
    return line.rstrip(b"\r\n")


def _not_finite(value: Any, path: str) -> tuple[str, str] | None:
    if isinstance(value, _NotFinite):
        return path, value.name
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        found = _not_finite(child, f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}")
        if found is not None:
            return found
    return None
