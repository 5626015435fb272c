"""From a source's names to Snowflake identifiers.

Limits: https://docs.snowflake.com/en/sql-reference/identifiers-syntax (255 characters; quoted identifiers may
hold any character). Every identifier is quoted, so reserved words need no care.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ml_connector.load.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST = 255
_WORD_END = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLAIN = re.compile(r"[A-Za-z_][0-9A-Za-z_$]*")
_NOT_PLAIN = re.compile(r"[^0-9A-Za-z_$]+")


def quoted(*parts: str) -> str:
    """Write a possibly qualified identifier, quoted."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(value: str) -> str:
    """Write a text literal; Snowflake reads backslashes as escapes in it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def identifier(name: str, case: str) -> str:
    """Spell one name in the warehouse's way.

    Args:
        name: The source's name.
        case: ``upper_snake`` (VendorNumber is VENDOR_NUMBER), ``upper`` (VENDORNUMBER) or ``preserve``.

    Raises:
        LoadError: If it is empty or longer than Snowflake allows.
    """
    spelled = name
    if case == "upper_snake":
        words = _WORD_END.sub("_", _NOT_PLAIN.sub("_", name))
        lead = re.match(r"_*", name)
        spelled = (lead.group() if lead else "") + re.sub("_+", "_", words).lstrip("_").upper()
        # a name of other alphabets only has nothing plain in it: keep it as it is
        spelled = spelled if spelled.strip("_") else name
    elif case == "upper":
        spelled = name.upper()
    if not spelled:
        raise LoadError("A stream or property has an empty name, which Snowflake cannot store.")
    if len(spelled) > LONGEST:
        raise LoadError(f"'{spelled[:60]}…' has {len(spelled)} characters; Snowflake allows {LONGEST}.")
    return spelled


def given(name: str, case: str) -> str:
    """Spell a name that the settings say, as an unquoted identifier in SQL would be.

    Args:
        name: The name; one with other characters than an unquoted identifier may have is kept as it is.
        case: With ``preserve`` every name is kept as it is.

    Raises:
        LoadError: If it is empty or longer than Snowflake allows.
    """
    return identifier(name, "upper" if case != "preserve" and _PLAIN.fullmatch(name) else "preserve")


def column_names(stream: str, names: Iterable[str], case: str, renamed: Mapping[str, str]) -> dict[str, str]:
    """Give each property its column.

    Args:
        stream: The stream, for messages.
        names: The properties.
        case: See :func:`identifier`.
        renamed: Property to column name, where the settings say so.

    Raises:
        LoadError: If two properties would share a column; the message names both.
    """
    found: dict[str, str] = {}
    owner: dict[str, str] = {}
    for name in names:
        spelled = given(renamed[name], case) if name in renamed else identifier(name, case)
        if spelled in owner:
            raise LoadError(
                f"Properties '{owner[spelled]}' and '{name}' of stream '{stream}' both become column"
                f" {spelled}."
                " Name one of them otherwise in the setting streams.<stream>.columns,"
                " or choose identifier_case: preserve.",
            )
        owner[spelled] = name
        found[name] = spelled
    return found
