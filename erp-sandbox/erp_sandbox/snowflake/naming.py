"""Names in statements, as Snowflake resolves them.

https://docs.snowflake.com/en/sql-reference/name-resolution
"""

from __future__ import annotations

import re
from typing import Any

Key = tuple[str, ...]

PART = r'(?:"(?:[^"]|"")+"|[\w$]+)'
NAME = rf"(?P<name>{PART}(?:\s*\.\s*{PART}){{0,2}})"


def parts_of(name: str) -> list[str]:
    """The parts of a name; those that are not quoted in capitals."""
    found = re.findall(PART, name)
    return [part[1:-1].replace('""', '"') if part[0] == '"' else part.upper() for part in found]


def full_name(connection: Any, name: str, left_out: int = 0) -> Key:
    """Database, schema and name of what a statement names.

    Args:
        connection: fakesnow's connection of the session.
        name: The name as it stands there.
        left_out: How many parts at its end name something inside.
    """
    parts = parts_of(name)
    return completed(connection, parts[: len(parts) - left_out])


def completed(connection: Any, parts: list[str], depth: int = 3) -> Key:
    """Some last parts of a name, and before them where the session is."""
    here = [connection.database or "", connection.schema or ""]
    return tuple(here[: depth - len(parts)] + parts)
