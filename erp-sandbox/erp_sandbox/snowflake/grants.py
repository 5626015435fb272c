"""What each role may do with what.

https://docs.snowflake.com/en/user-guide/security-access-control-privileges
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from erp_sandbox.snowflake.naming import NAME, Key, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Thing = tuple[str, Key]
"""A kind (DATABASE, SCHEMA, TABLE, STAGE, WAREHOUSE ...) and a full name."""

ADMIN = "ACCOUNTADMIN"
OWNERSHIP = "OWNERSHIP"
_FLAGS = re.IGNORECASE | re.DOTALL
_GRANT = re.compile(
    rf"^\s*(?P<privileges>[\w\s,]+?)\s+ON\s+(?P<every>(?:ALL|FUTURE)\s+)?"
    rf"(?P<kind>ACCOUNT|DATABASE|SCHEMA|TABLES?|VIEWS?|STAGES?|WAREHOUSE|FILE\s+FORMAT|STREAM)"
    rf"(?:\s+IN\s+SCHEMA)?(?:\s+{NAME})?\s*$",
    _FLAGS,
)
_VIEW = re.compile(r"VIEW")


class Grants:
    """Roles, their privileges, and what they own; for as long as the server runs."""

    def __init__(self) -> None:
        self._roles: dict[str, dict[Thing, set[str]]] = {ADMIN: {}}

    @classmethod
    def read(cls, file: Path) -> Grants:
        """Read a file: for each role, a list of what follows GRANT in ``GRANT USAGE ON DATABASE BOOKS``.

        Raises:
            ValueError: If it is no such file.
        """
        grants = cls()
        for role, given in json.loads(file.read_text()).items():
            grants.create(role)
            for text in given:
                grants.give(role, text)
        return grants

    @property
    def first(self) -> str:
        """The role of who asks for none: the file's first."""
        return next((role for role in self._roles if role != ADMIN), ADMIN)

    def known(self, role: str) -> bool:
        """Whether there is a role."""
        return role in self._roles

    def create(self, role: str) -> None:
        """Make a role that may do nothing."""
        self._roles.setdefault(role, {})

    def give(self, role: str, text: str) -> None:
        """Give privileges.

        Raises:
            ValueError: If the text is no grant.
        """
        thing, privileges = _read(text)
        self._roles[role].setdefault(thing, set()).update(privileges)

    def take(self, role: str, text: str) -> None:
        """Take privileges away.

        Raises:
            ValueError: If the text is no grant.
        """
        thing, privileges = _read(text)
        self._roles[role].get(thing, set()).difference_update(privileges)

    def may(self, role: str, privilege: str, thing: Thing) -> bool:
        """Whether a role has a privilege, or owns the thing."""
        held = self._held(role, thing)
        if held & {privilege, OWNERSHIP}:
            return True
        return role == ADMIN or ("ALL" in held and privilege != OWNERSHIP)

    def sees(self, role: str, thing: Thing) -> bool:
        """Whether a role has any privilege on a thing."""
        return role == ADMIN or bool(self._held(role, thing))

    def own(self, role: str, thing: Thing) -> None:
        """Make a role the owner of what it made; what the file grants on it stays granted."""
        for held in self._roles.values():
            held.get(thing, set()).discard(OWNERSHIP)
        self._roles[role].setdefault(thing, set()).add(OWNERSHIP)

    def drop(self, thing: Thing) -> None:
        """Forget a thing, and what is in it."""
        kind, key = thing
        for held in self._roles.values():
            for other in list(held):
                inside = kind in {"DATABASE", "SCHEMA"} and other[1][: len(key)] == key
                if other == thing or inside:
                    del held[other]

    def move(self, one: Thing, other: Thing) -> None:
        """Let two things exchange their names, with what is granted on them."""
        for held in self._roles.values():
            first, second = held.pop(one, None), held.pop(other, None)
            if first:
                held[other] = first
            if second:
                held[one] = second

    def seen(self, role: str, kind: str) -> Iterator[Key]:
        """Names of a kind on which a role has any privilege."""
        return (key for (other, key), held in self._roles[role].items() if other == kind and held)

    def _held(self, role: str, thing: Thing) -> set[str]:
        held = self._roles.get(role, {})
        kind, key = thing
        return held.get(thing, set()) | held.get((f"{kind}S IN SCHEMA", key[:-1]), set())


def _read(text: str) -> tuple[Thing, set[str]]:
    found = _GRANT.match(text)
    if not found:
        raise ValueError(f"This is no grant: {text!r}. One is, for example: USAGE ON DATABASE BOOKS.")
    privileges = {" ".join(each.upper().split()) for each in found["privileges"].split(",")}
    privileges = {"ALL" if each == "ALL PRIVILEGES" else each for each in privileges}
    kind = _VIEW.sub("TABLE", " ".join(found["kind"].upper().split()))
    key = tuple(parts_of(found["name"])) if found["name"] else ()
    if found["every"]:
        return (f"{kind} IN SCHEMA", key), privileges
    return (kind, key), privileges
