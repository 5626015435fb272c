"""From a source's names to a warehouse's identifiers; all are quoted, so keywords need no care."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ml_connector.load.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

LONGEST = 255
"""Characters of the longest identifier, where the dialect says nothing else."""
_WORD_END = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLAIN = re.compile(r"[A-Za-z_][0-9A-Za-z_$]*")
_NOT_PLAIN = re.compile(r"[^0-9A-Za-z_$]+")


def quoted(*parts: str) -> str:
    """Write a possibly qualified identifier, quoted."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def listed(names: Iterable[str], prefix: str = "") -> str:
    """Write several identifiers, quoted, with commas between them."""
    return ", ".join(prefix + quoted(name) for name in names)


def identifier(name: str, case: str, longest: int = LONGEST) -> str:
    """Spell one name in the warehouse's way.

    Args:
        name: The source's name.
        case: ``upper_snake`` (VendorNumber is VENDOR_NUMBER), ``upper`` (VENDORNUMBER) or ``preserve``.
        longest: Most characters that the warehouse allows.

    Raises:
        LoadError: If it is empty or longer than the warehouse allows.
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
        raise LoadError("A stream or property has an empty name, which no warehouse can store.")
    if len(spelled) > longest:
        raise LoadError(f"'{spelled[:60]}…' has {len(spelled)} characters; the warehouse allows {longest}.")
    return spelled


def given(name: str, case: str, longest: int = LONGEST) -> str:
    """Spell a name that the settings say, as an unquoted identifier in SQL would be.

    Args:
        name: The name; one with other characters than an unquoted identifier may have is kept as it is.
        case: With ``preserve`` every name is kept as it is.
        longest: Most characters that the warehouse allows.

    Raises:
        LoadError: If it is empty or longer than the warehouse allows.
    """
    plain = case != "preserve" and _PLAIN.fullmatch(name) is not None
    return identifier(name, "upper" if plain else "preserve", longest)


def column_names(
    stream: str,
    names: Iterable[str],
    case: str,
    renamed: Mapping[str, str],
    *,
    reserved: Collection[str] = (),
    longest: int = LONGEST,
) -> dict[str, str]:
    """Give each property its column.

    Args:
        stream: The stream, for messages.
        names: The properties.
        case: See :func:`identifier`.
        renamed: Property to column name, where the settings say so.
        reserved: Names that the warehouse refuses as columns even when they are quoted; such a property gets
            a trailing underscore.
        longest: Most characters that the warehouse allows.

    Raises:
        LoadError: If two properties would share a column; the message names both.
    """
    columns: dict[str, str] = {}
    owner: dict[str, str] = {}
    for name in names:
        spelled = given(renamed[name], case, longest) if name in renamed else identifier(name, case, longest)
        if spelled.upper() in reserved:
            spelled += "_"
        if spelled in owner:
            raise LoadError(
                f"Properties '{owner[spelled]}' and '{name}' of stream '{stream}' both become column"
                f" {spelled}."
                " Name one of them otherwise in the setting streams.<stream>.columns,"
                " or choose identifier_case: preserve.",
            )
        owner[spelled] = name
        columns[name] = spelled
    return columns
