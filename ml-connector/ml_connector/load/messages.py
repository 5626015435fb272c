"""What messages other than RECORD must have, so that no later step meets anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.exceptions import InvalidInputLine

if TYPE_CHECKING:
    from collections.abc import Callable


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_texts_or_null(value: Any) -> bool:
    return value is None or _is_texts(value)


_Rule = tuple[str, "Callable[[Any], bool]", str]
_REQUIRED: dict[str, tuple[_Rule, ...]] = {
    "SCHEMA": (("stream", _is_text, "a text"), ("schema", _is_object, "an object")),
    "STATE": (("value", _is_object, "an object"),),
    "ACTIVATE_VERSION": (("stream", _is_text, "a text"), ("version", _is_integer, "an integer")),
    "BATCH": (
        ("stream", _is_text, "a text"),
        ("encoding", _is_object, "an object"),
        ("manifest", _is_texts, "a list of texts"),
    ),
}
_COMPRESSIONS: dict[str, frozenset[str] | None] = {"jsonl": frozenset({"none", "gzip"}), "parquet": None}
"""Compressions that can be read, by format; a Parquet file itself says how it is compressed."""

_OPTIONAL: dict[str, tuple[_Rule, ...]] = {
    "SCHEMA": (("key_properties", _is_texts_or_null, "a list of texts"),),
}


def checked(message: dict[str, Any]) -> dict[str, Any]:
    """Give a message back if each of its parts has the type that the Singer specification gives it.

    Raises:
        InvalidInputLine: If one is missing or has another type, without the message's data; or if the files
            of a BATCH are in a format or a compression that cannot be read.
    """
    kind = message["type"]
    for name, fits, wanted in _REQUIRED.get(kind, ()):
        if name not in message:
            raise InvalidInputLine(f"it has no `{name}`")
        if not fits(message[name]):
            raise InvalidInputLine(f"its `{name}` is not {wanted}")
    for name, fits, wanted in _OPTIONAL.get(kind, ()):
        if name in message and not fits(message[name]):
            raise InvalidInputLine(f"its `{name}` is not {wanted}")
    if kind == "BATCH":
        return {**message, "encoding": _encoding(message["encoding"])}
    return message


def _encoding(encoding: dict[str, Any]) -> dict[str, Any]:
    """Keep of a BATCH message's encoding what says how its files are read."""
    form = str(encoding.get("format") or "none").lower()
    if form not in _COMPRESSIONS:
        raise InvalidInputLine(f"the format `{form}` of its files cannot be read; jsonl and parquet can")
    compression = str(encoding.get("compression") or "none").lower()
    known = _COMPRESSIONS[form]
    if known is not None and compression not in known:
        raise InvalidInputLine(
            f"the compression `{compression}` of its {form} files cannot be read; gzip and none can"
        )
    return {"format": form, "compression": None if compression == "none" else compression}
