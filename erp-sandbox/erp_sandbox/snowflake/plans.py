"""MERGE statements as they were read before: a client that sends a text again need not wait twice.

What a text means depends on the tables, on the session's parameters and on where the session is; whatever may
change a table makes all of them be read anew.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from erp_sandbox.snowflake import names, parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Key = tuple[str, str | None, str | None, tuple[tuple[str, str], ...]]

_MOST = 1_000


@dataclass(frozen=True)
class Plan:
    """One MERGE in DuckDB's words.

    Attributes:
        macros: The conversions it calls, by name.
        repeating: Queries for JSON texts whose keys repeat; if one finds any, all is read anew.
        prepare: What reads its source once, if that is a query.
        check: A query for a row that several rows of the source would change, if there can be one.
        sql: The statement; it returns what became of each row.
        actions: What it can do: INSERT, UPDATE, DELETE.
    """

    macros: Mapping[str, str]
    repeating: Sequence[str]
    prepare: str | None
    check: str | None
    sql: str
    actions: frozenset[str]


class Plans:
    """What is known of the statements of all sessions."""

    def __init__(self) -> None:
        self.generation = 0
        """Grows whenever a table may have changed."""
        self._known: OrderedDict[Key, Plan] = OrderedDict()

    def forget(self) -> None:
        """Forget all: a table may have changed."""
        self.generation += 1
        self._known.clear()

    def known(self, connection: Any, command: str) -> Plan | None:
        """The plan of a text, if it was read since the tables changed."""
        return None if names.temporary(connection) else self._known.get(_key(connection, command))

    def remember(self, connection: Any, command: str, plan: Plan, generation: int) -> None:
        """Keep a plan.

        Args:
            connection: fakesnow's connection of the session.
            command: The client's text.
            plan: What became of it.
            generation: What :attr:`generation` was before it was read.
        """
        # a stage may have other files next time, and temporary tables are one session's own
        if "@" in command or names.temporary(connection) or generation != self.generation:
            return
        self._known[_key(connection, command)] = plan
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


def _key(connection: Any, command: str) -> Key:
    given = tuple(sorted(parameters.parameters(connection).items()))
    return command, connection.database, connection.schema, given


PLANS = Plans()
