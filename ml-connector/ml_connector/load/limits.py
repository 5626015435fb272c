"""What a warehouse can hold, so that a value beyond it is found before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_YEAR = 1
LAST_YEAR = 9999
"""Years that ISO 8601 can write in four digits; no warehouse knows more."""


@dataclass(frozen=True)
class Limits:
    """The most that a column may hold; None where the warehouse sets no limit.

    Attributes:
        text_bytes: Bytes of a text, in UTF-8.
        binary_bytes: Bytes of a binary value.
        variant_bytes: Bytes of nested JSON, as it came.
        depth: Arrays and objects within each other in nested JSON; ``[[1]]`` has two.
        first_year: First year of a date or a date-time.
        last_year: Last year of a date or a date-time.
    """

    text_bytes: int | None = None
    binary_bytes: int | None = None
    variant_bytes: int | None = None
    depth: int | None = None
    first_year: int = FIRST_YEAR
    last_year: int = LAST_YEAR


UNLIMITED = Limits()
