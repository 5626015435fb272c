"""Local menus: X3 keeps numbers, GraphQL shows names; which number a name has is never told by its place.

A server lists the values of an enum that are in use, so that some of the menu may be missing, and packages
add values of their own. The names are therefore matched with the menus that are known: `menus.json`, from the
dictionary of X3 (reference section 7; menu 246 and those without a number are from Sage's examples). Fields
are of one table, or of every table.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SUBSTITUTE: Final = re.compile(r"substituteValue(\d+)$", re.IGNORECASE)
"""A value without a name that could be written: it bears its number."""


class Menu(NamedTuple):
    """What is known of the values of an enum.

    Attributes:
        numbers: By name.
        unknown: Names that are in no menu: they stay text.
        found: Whether the menu is known at all.
    """

    numbers: Mapping[str, int]
    unknown: tuple[str, ...]
    found: bool


def menu_of(tables: Iterable[str], code: str, values: Sequence[str]) -> Menu:
    """Find the numbers of an enum's values.

    Args:
        tables: The tables that the field may be of.
        code: The field.
        values: The enum's values, in whatever order.
    """
    names, by_field = _known()
    place = next(
        (by_field[name] for name in (*(f"{t}.{code}" for t in tables), code) if name in by_field), None
    )
    numbers = {value: int(match[1]) for value in values if (match := _SUBSTITUTE.match(value))}
    rest = [value for value in values if value not in numbers]
    if place is None:
        # the same menu is used by many fields: all its names are the evidence, if nothing speaks against it
        candidates = [
            {value: menu[value.lower()] for value in rest}
            for menu in names
            if rest and all(value.lower() in menu for value in rest)
        ]
        agreed = bool(candidates) and all(each == candidates[0] for each in candidates)
        found = candidates[0] if agreed else {}
    else:
        agreed = True
        found = {value: names[place][value.lower()] for value in rest if value.lower() in names[place]}
    numbers |= found
    return Menu(numbers, tuple(value for value in values if value not in numbers), agreed)


def camel_case(label: str) -> str:
    """The name of an enum's value, made of the English text of the menu.

    Args:
        label: `Credit memo/Return`.

    Returns:
        `creditMemoReturn`.
    """
    words: list[str] = re.findall(r"[A-Za-z0-9]+", label) or [""]
    first, *others = words
    return first.lower() + "".join(word[:1].upper() + word[1:] for word in others)


def named(labels: Sequence[str]) -> dict[str, int]:
    """Numbers by name in lower case; texts that are there twice bear their number in their name.

    Args:
        labels: The texts of a menu, the first being number 1.
    """
    plain = [camel_case(label).lower() for label in labels]
    found = {f"{name}{number}": number for number, name in enumerate(plain, 1)}
    found |= {name: number for number, name in enumerate(plain, 1) if plain.count(name) == 1}
    return found


@cache
def _known() -> tuple[list[dict[str, int]], dict[str, int]]:
    menus = json.loads((files("tap_sagex3") / "menus.json").read_text(encoding="utf-8"))
    fields = {field: place for place, menu in enumerate(menus.values()) for field in menu["fields"]}
    return [named(menu["labels"]) for menu in menus.values()], fields
