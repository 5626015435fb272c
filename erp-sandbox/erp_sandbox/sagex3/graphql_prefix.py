"""The beginning of the key that a filter demands, so that a document's lines are found at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.graphql_scalars import read_literal

if TYPE_CHECKING:
    from erp_sandbox.sagex3.graphql_model import NodeModel
    from erp_sandbox.sagex3.graphql_names import Property


def demanded(node: NodeModel, given: Any) -> dict[str, Any]:
    """Fields that a filter, which was found to be right, wants to have one value.

    Args:
        node: The node.
        given: The filter; of an array, all members hold.
    """
    found: dict[str, Any] = {}
    for each in given if isinstance(given, list) else [given]:
        for name, value in each.items():
            prop = node.properties.get(name)
            if prop is not None and prop.kind == "reference":
                found |= _of_reference(prop, value)
            elif prop is not None and prop.kind == "leaf" and prop.codes and not (prop.index or prop.side):
                found |= _of_leaf(prop, value)
    return found


def _of_reference(prop: Property, value: Any) -> dict[str, Any]:
    text = value.get("_id") if isinstance(value, dict) else value
    if not isinstance(text, str) or any(code.startswith("=") for code in prop.codes):
        return {}
    parts = text.split(keys.SHOWN_IN_GRAPHQL)
    return dict(zip(prop.codes, parts, strict=True)) if len(parts) == len(prop.codes) else {}


def _of_leaf(prop: Property, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        value = value.get("_eq")
    if value is None or prop.type in ("Boolean", "Decimal"):
        return {}
    return {prop.codes[0]: read_literal(prop.type, value)}
