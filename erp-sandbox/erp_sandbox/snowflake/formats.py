"""Snowflake's date and time formats, as DuckDB reads and writes them.

Elements: https://docs.snowflake.com/en/sql-reference/date-time-input-output
What a text must look like is taken strictly: four digits of year, two of month, day, hour, minute and second,
and a fraction of one digit at least where the format has one (inferred: the page does not say what else
passes).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_ELEMENT = re.compile(
    r'"(?P<text>[^"]*)"|(?P<element>YYYY|YY|MMMM|MM|MON|DD|DY|HH24|HH12|AM|PM|MI|SS|FF[0-9]?|TZH:?TZM|TZH)'
    r"|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)
_READS = {
    "YYYY": r"(\d{4})",
    "MM": r"(\d{2})",
    "DD": r"(\d{2})",
    "HH24": r"(\d{2})",
    "MI": r"(\d{2})",
    "SS": r"(\d{2})",
    "TZH:TZM": r"([+-]\d{2}):(\d{2})",
    "TZHTZM": r"([+-]\d{2})(\d{2})",
    "TZH": r"([+-]\d{2})",
}
_WRITES = {
    "YYYY": "%Y",
    "YY": "%y",
    "MMMM": "%B",
    "MM": "%m",
    "MON": "%b",
    "DD": "%d",
    "DY": "%a",
    "HH24": "%H",
    "HH12": "%I",
    "AM": "%p",
    "PM": "%p",
    "MI": "%M",
    "SS": "%S",
    # what is stored is the instant, so every offset is that of UTC
    "TZH:TZM": "+00:00",
    "TZHTZM": "+0000",
    "TZH": "+00",
}
_FRACTION = 6
"""Digits of a second that DuckDB keeps beside years from 1 to 9999."""
FINER = r"\.\d{6}\d*[1-9]"
"""A text with digits of a second that it does not keep."""


class Reader(NamedTuple):
    """How a text of one format is read.

    Attributes:
        pattern: What the whole of it must match.
        date: The date in it, as replacement of the pattern.
        time: The time of day.
        offset: The offset; none if the format has none.
    """

    pattern: str
    date: str
    time: str
    offset: str


def reader(form: str) -> Reader:
    """How a text of a format is read.

    Raises:
        NotImplementedError: For elements that the sandbox does not read.
    """
    pattern = r"\s*"
    groups: dict[str, int] = {}
    for kind, element in _elements(form):
        if kind != "element":
            pattern += re.escape(element)
            continue
        if element.startswith("FF"):
            digits = int(element[2:] or 9)
            kept = min(digits, _FRACTION)
            reads = rf"(\d{{1,{kept}}})0{{0,{digits - kept}}}" if digits else ""
        elif element in _READS:
            reads = _READS[element]
        else:
            raise NotImplementedError(f"Reading {element} of the format {form!r}")
        if reads:
            groups[element] = 1 + sum(map(_groups, groups))
        pattern += reads
    place = {name: f"\\{number}" for name, number in groups.items()}
    fraction = next((place[name] for name in place if name.startswith("FF")), "0")
    zone = next((name for name in place if name.startswith("TZH")), None)
    minutes = f":\\{groups[zone] + 1}" if zone and zone != "TZH" else ""
    return Reader(
        pattern + r"\s*",
        f"{place.get('YYYY', '1970')}-{place.get('MM', '01')}-{place.get('DD', '01')}",
        f"{place.get('HH24', '00')}:{place.get('MI', '00')}:{place.get('SS', '00')}.{fraction}",
        place[zone] + minutes if zone else "",
    )


def written(form: str, value: str) -> str:
    """DuckDB's expression of a date or time in a format.

    Args:
        form: The format.
        value: The value, a timestamp in DuckDB's words.
    """
    pieces = []
    for kind, element in _elements(form):
        if kind == "element" and element.startswith("FF"):
            pieces.append(f"substr(strftime({value}, '%f') || '000', 1, {element[2:] or 9})")
        elif kind == "element":
            pieces.append(f"strftime({value}, '{_WRITES[element]}')")
        else:
            pieces.append("'" + element.replace("'", "''") + "'")
    return f"({' || '.join(pieces)})"


def _groups(element: str) -> int:
    return 2 if element.startswith("TZH") and element.endswith("TZM") else 1


def _elements(form: str) -> Iterator[tuple[str, str]]:
    for found in _ELEMENT.finditer(form):
        kind = str(found.lastgroup)
        yield kind, found[kind].upper() if kind == "element" else found[kind]
