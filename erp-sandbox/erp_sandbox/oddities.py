"""Oddities on order: what some servers always do, and the rules do not say.

A fault strikes a request now and then; an oddity holds for as long as the server runs. Each simulator keeps
one registry of its own, to which those of the wire between are added. They can be combined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Source of what no public page tells.
REPORTED: Final = "reported by a user's server"


@dataclass(frozen=True)
class Oddity:
    """What a server may do.

    Attributes:
        meaning: One sentence.
        source: A section of the API's reference, a public address, or that a user's server does so.
        value: What it takes behind its name; empty for nothing, in brackets where it may be left out.
    """

    meaning: str
    source: str
    value: str = ""

    @property
    def needs_value(self) -> bool:
        """Whether its name alone says too little."""
        return bool(self.value) and not self.value.startswith("[")


def parse_oddity(text: str, known: Mapping[str, Oddity]) -> tuple[str, str]:
    """Read ``NAME`` or ``NAME=VALUE``.

    Args:
        text: For example ``filter-refused`` or ``company-down=SAMLTD``.
        known: The oddities that there are.

    Raises:
        ValueError: One sentence on what is wrong.
    """
    name, equals, value = text.partition("=")
    if name not in known:
        raise ValueError(f"There is no oddity '{name}'; choose one of {', '.join(known)}.")
    oddity = known[name]
    if oddity.needs_value and not value:
        raise ValueError(f"The oddity '{name}' needs a value: {name}={oddity.value}.")
    if equals and not oddity.value:
        raise ValueError(f"The oddity '{name}' takes no value.")
    return name, value


class Oddities:
    """The oddities that a server has.

    Args:
        known: Those that there are.
        chosen: Each as ``NAME`` or ``NAME=VALUE``; one may come several times with different values.

    Raises:
        ValueError: One sentence on what is wrong.
    """

    def __init__(self, known: Mapping[str, Oddity], chosen: Sequence[str] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for text in chosen:
            name, value = parse_oddity(text, known)
            values = self._values.setdefault(name, [])
            if value:
                values.append(value)

    def __contains__(self, name: str) -> bool:
        """Whether an oddity was chosen."""
        return name in self._values

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._values)

    def values(self, name: str) -> list[str]:
        """Every value that was given."""
        return self._values.get(name, [])

    def value(self, name: str, default: str = "") -> str:
        """The last value that was given."""
        return next(reversed(self.values(name)), default)

    def parts(self, name: str, count: int) -> list[tuple[str, ...]]:
        """Every value, cut at its colons; what is missing at the end is empty.

        Args:
            name: The oddity.
            count: Into how many parts.
        """
        cut = [value.split(":", count - 1) for value in self.values(name)]
        return [tuple(parts + [""] * (count - len(parts))) for parts in cut]

    def hits(self, name: str, *things: str) -> bool:
        """Whether an oddity holds for one of some things: it does for all unless values name some."""
        if name not in self._values:
            return False
        named = {value.casefold() for value in self._values[name]}
        return not named or any(thing.casefold() in named for thing in things)


class OddityType(click.ParamType[str]):
    """The value of ``--oddity``.

    Args:
        known: The oddities that there are.
    """

    name = "NAME[=VALUE]"

    def __init__(self, known: Mapping[str, Oddity]) -> None:
        self._known = known

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the option's text."""
        try:
            parse_oddity(str(value), self._known)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


def oddity_help(known: Mapping[str, Oddity]) -> str:
    """The help of ``--oddity``."""
    lines = (
        f"{name}{f'={each.value}' if each.needs_value else each.value.replace('[', '[=')}: "
        f"{each.meaning} ({each.source})"
        for name, each in known.items()
    )
    return "\b\nWhat this server always does, more than one allowed:\n" + "\n".join(lines)
