"""Settings that come as text from the environment, in the types that the plugin declares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from singer_sdk.configuration._dict_config import parse_environment_config

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


def environment_config(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Read the settings of a plugin from the environment and `.env`, as `--config=ENV` asks for.

    The SDK leaves numbers with decimals as text, takes every word but four for false, and ends in a traceback
    at what is no whole number.

    Args:
        schema: The plugin's `config_jsonschema`.
        prefix: What the names of its variables begin with, such as `TAP_SAGE300_`.

    Returns:
        The settings that are set. What cannot be read as its type stays text, for the validation to name.
    """
    declared = schema.get("properties", {})
    texts = parse_environment_config({"properties": {name: {"type": "string"} for name in declared}}, prefix)
    types = {name: _types(declared[name]) for name in texts}
    return {
        name: _parsed(text, types[name])
        for name, text in texts.items()
        if text.strip() or "string" in types[name]
    }


def _types(declared: Mapping[str, Any]) -> set[str]:
    ways = [declared, *declared.get("anyOf", ()), *declared.get("oneOf", ())]
    found = set[str]()
    for way in ways:
        named = way.get("type", ())
        found.update([named] if isinstance(named, str) else named)
    return found


def _parsed(text: str, types: set[str]) -> Any:
    if "string" in types:
        return text
    word = text.strip()
    if "boolean" in types:
        return _BOOLEANS.get(word.lower(), text)
    try:
        value = json.loads(word, parse_constant=str)
    except ValueError:
        value = text
    if "array" in types and not isinstance(value, list):
        return [each.strip() for each in word.split(",")]
    return value
