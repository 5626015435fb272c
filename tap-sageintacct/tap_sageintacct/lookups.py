"""Which fields the company's objects have, as `lookup` tells them (reference section 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_sageintacct.query import lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_sageintacct.session import Session
    from tap_sageintacct.xml import Result


class Lookups:
    """Asks for each object once.

    Args:
        session: Asks the gateway.
        what: Names an object for a person.
    """

    def __init__(self, session: Session, what: Callable[[str], str]) -> None:
        self._session = session
        self._what = what
        self._known: dict[tuple[str, str | None], list[dict[str, Any]]] = {}

    def ask(self, wanted: Iterable[tuple[str, str | None]]) -> None:
        """Ask for several together: objects, each with the transaction definition whose own fields count."""
        asked = [each for each in dict.fromkeys(wanted) if each not in self._known]
        functions = [(self._what(name), lookup(name, definition)) for name, definition in asked]
        for each, result in zip(asked, self._session.several(functions), strict=True):
            self._known[each] = list(_fields_of(result))

    def fields(self, name: str, definition: str | None = None) -> list[dict[str, Any]]:
        """What is said of each field; nothing of an object that the company does not have."""
        self.ask([(name, definition)])
        return self._known[name, definition]

    def names(self, name: str, definition: str | None = None) -> frozenset[str]:
        """The names of the fields."""
        return frozenset(str(field["ID"]) for field in self.fields(name, definition))


def _fields_of(result: Result) -> Iterator[dict[str, Any]]:
    for record in [] if result.failed else result.rows:
        found = (record.get("Fields") or {}).get("Field")
        yield from found if isinstance(found, list) else [found] if found else []
