"""Digits of decimals: the SDK's catalogs and SCHEMA messages have no words for them, targets want them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

decode_exactly = msgspec.json.Decoder(float_hook=Decimal).decode
"""Decodes JSON; decimals keep their digits."""


def decimal_of(text: str) -> Decimal | str:
    """A number that came as text; the text itself where it is none, for the target to judge."""
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return text
    return found if found.is_finite() else text


HINTS = ("x-precision", "x-scale")
MOST_DIGITS = 38
"""What warehouses hold."""


def into_catalog(catalog: dict[str, Any], schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Write the hints into a catalog, so that a run with it knows what discovery found.

    Args:
        catalog: The catalog as a dictionary; changed in place.
        schemas: The streams' own schemas by name.

    Returns:
        The catalog.
    """
    for entry in catalog["streams"]:
        own = schemas[entry["tap_stream_id"]]["properties"]
        for name, described in entry["schema"].get("properties", {}).items():
            described.update(hints_of(own.get(name, {})))
    return catalog


def hints_of(described: Mapping[str, Any]) -> dict[str, Any]:
    """Take the hints out of a column's schema.

    Args:
        described: The schema.

    Returns:
        Both hints, or nothing.
    """
    return {name: described[name] for name in HINTS} if set(HINTS) <= described.keys() else {}


def with_digits(described: Mapping[str, Any], hints: Mapping[str, Any]) -> dict[str, Any]:
    """Add hints to a column of a message.

    Args:
        described: The column as the SDK has it: its step, the catalog's, decides about the scale.
        hints: What is known of its digits; may be empty.

    Returns:
        The column; hints and step never contradict each other.
    """
    step = described.get("multipleOf")
    if step is None or not hints:
        return dict(described)
    scale = max(0, -int(Decimal(str(step)).normalize().as_tuple().exponent))
    precision = min(hints["x-precision"] - hints["x-scale"] + scale, MOST_DIGITS)
    return {**described, "x-precision": precision, "x-scale": scale}
