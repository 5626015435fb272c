"""What is wrong with settings, in sentences that show none of their values."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_SPOKEN = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
_LENGTHS = {
    "minLength": ("at least", "characters"),
    "maxLength": ("at most", "characters"),
    "minItems": ("at least", "entries"),
    "maxItems": ("at most", "entries"),
}


def config_errors(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Judge settings by their schema, as the SDK does, and say what is wrong with them.

    The SDK's own messages quote the value that is wrong, which may be a secret, if only one that was written
    at the wrong setting.

    Args:
        config: The settings.
        schema: The plugin's ``config_jsonschema``, which is also in the SDK's ``ConfigValidationError``.

    Returns:
        A sentence for each mistake; none if there is none.
    """
    from singer_sdk.plugin_base import JSONSchemaValidator  # noqa: PLC0415 - commands without a plugin need none

    # it fills in defaults as it goes
    return sentences(JSONSchemaValidator(schema).iter_errors(copy.deepcopy(dict(config))))


def sentences(errors: Iterable[Any]) -> list[str]:
    """Say what is wrong.

    Args:
        errors: ``jsonschema.ValidationError`` objects.
    """
    return list(dict.fromkeys(sentence for error in errors for sentence in _sentences(error)))


def secret_names(schema: Mapping[str, Any]) -> frozenset[str]:
    """The names of the settings that the schema declares to be secret, at any depth."""
    return frozenset(_secret_names(schema))


def _secret_names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from (name for name, value in properties.items() if _is_secret(value))
        for value in schema.values():
            yield from _secret_names(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _secret_names(value)


def _is_secret(schema: Any) -> bool:
    return isinstance(schema, dict) and (schema.get("secret") is True or schema.get("writeOnly") is True)


def _sentences(error: Any) -> Iterator[str]:
    keyword, value = error.validator, error.validator_value
    where = _path(error.absolute_path)
    if keyword == "required":
        for name in value:
            if name not in error.instance:
                yield f"Setting {_path([*error.absolute_path, name])} is missing."
    elif keyword == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {})
        for name in error.instance:
            if name not in known:
                yield f"There is no setting {_path([*error.absolute_path, name])}."
    else:
        yield (
            f"Setting {where} must be {_wanted(keyword, value)}."
            if where
            else "The settings are not an object."
        )


def _wanted(keyword: str, value: Any) -> str:
    if keyword in _BOUNDS:
        return f"{_BOUNDS[keyword]} {value}"
    if keyword in _LENGTHS:
        bound, unit = _LENGTHS[keyword]
        return f"{bound} {value} {unit} long"
    said = _SAID.get(keyword)
    return (said(value) if said else "") or "another value"


def _types(value: str | list[str]) -> str:
    names = [value] if isinstance(value, str) else value
    return " or ".join(_SPOKEN.get(name, name) for name in names if name != "null")


def _any_of(ways: list[Any]) -> str:
    types = [way["type"] for way in ways if isinstance(way, dict) and "type" in way]
    return " or ".join(dict.fromkeys(filter(None, map(_types, types))))


_SAID: dict[str, Callable[[Any], str]] = {
    "type": _types,
    "anyOf": _any_of,
    "oneOf": _any_of,
    "enum": lambda value: f"one of {', '.join(str(item) for item in value if item is not None)}",
    "const": str,
    "format": lambda value: f"of the form {value}",
    "pattern": lambda value: f"of the form {value}",
}


def _path(steps: Iterable[str | int]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
