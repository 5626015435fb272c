"""Which field of X3 a property of GraphQL is, where the server's descriptions do not tell.

`properties.json` has those of the keys, and of the ledger's entries (reference sections 2.2 and 8; fields of
keys that no page names stand under their usual names). The setting `properties` comes first, before what the
server says.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class PropertyCodes:
    """Codes of fields by node and property.

    Args:
        own: The setting `properties`: field code to property, or to node and property with a dot between
            them.
    """

    def __init__(self, own: Mapping[str, Any] | None = None) -> None:
        self._own: dict[tuple[str, str], str] = {}
        for code, place in (own or {}).items():
            node, _, name = str(place).rpartition(".")
            self._own[node.lower(), name] = str(code)

    def code(self, node: str, name: str, told: str | None) -> str | None:
        """The field of a property.

        Args:
            node: The node, in lower case.
            name: The property.
            told: What the server's description says.
        """
        own = self._own.get((node, name)) or self._own.get(("", name))
        return own or told or _shipped().get(node, {}).get(name)


@cache
def _shipped() -> dict[str, dict[str, str]]:
    text = (files("tap_sagex3") / "properties.json").read_text(encoding="utf-8")
    return {node.lower(): names for node, names in json.loads(text).items()}
