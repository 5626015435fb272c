"""Fields that a company's transaction definitions have of their own (reference section 2.1, `docparid`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_connector.extract.errors import ApiError, Refused

from tap_sageintacct.files import FILES
from tap_sageintacct.query import aggregate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tap_sageintacct.lookups import Lookups
    from tap_sageintacct.session import Session
    from tap_sageintacct.streams import Resource
    from tap_sageintacct.xml import Element

FIELD = "DOCPARID"
"""Names the definition of a document and of its lines."""


class Definitions:
    """Asks which definitions occur, and what fields they have.

    Args:
        session: Asks the gateway.
        what: Names an object for a person.
        lookups: Knows what fields there are.
    """

    def __init__(self, session: Session, what: Callable[[str], str], lookups: Lookups) -> None:
        self._session = session
        self._what = what
        self._lookups = lookups
        self._known: dict[str, list[str]] = {}

    def have_own_fields(self, resource: Resource, selected: Collection[str]) -> bool:
        """Whether fields are selected that may be a definition's own: those that do not ship with the tap."""
        if not resource.definitions:
            return False
        return bool(set(selected) - FILES.shipped(resource.stream)["properties"].keys())

    def fields(self, resource: Resource) -> list[dict[str, Any]]:
        """What the definitions that occur say of an object; nothing if they cannot be asked."""
        document = resource.address.removesuffix("ENTRY")
        if document not in self._known:
            try:
                self._known[document] = self._occurring(document, None)
            except ApiError:
                self._known[document] = []
        names = self._known[document]
        self._lookups.ask((resource.address, name) for name in names)
        return [field for name in names for field in self._lookups.fields(resource.address, name)]

    def of(
        self, resource: Resource, selected: Collection[str], condition: Element | None
    ) -> list[tuple[str, frozenset[str]]] | None:
        """The definitions by which documents are to be asked for.

        Args:
            resource: The documents or their lines.
            selected: The fields.
            condition: Which of them.

        Returns:
            Each with the fields that it knows; None if no field is a definition's own.
        """
        if not self.have_own_fields(resource, selected):
            return None
        try:
            names = self._occurring(resource.address, condition)
        except Refused:
            return None  # the company has no definitions, or does not name them
        self._lookups.ask((resource.address, name) for name in [None, *names])
        plain = self._lookups.names(resource.address)
        if not plain:
            return None
        known = [(name, self._lookups.names(resource.address, name)) for name in names]
        own = frozenset[str]().union(*(fields - plain for _, fields in known))
        return [(name, fields | plain) for name, fields in known] if own & set(selected) else None

    def _occurring(self, name: str, condition: Element | None) -> list[str]:
        names: set[str] = set()
        offset = 0
        while True:
            ask = aggregate(name, [FIELD], "RECORDNO", condition=condition, offset=offset)
            result = self._session.one(self._what(name), ask)
            names |= {str(row[FIELD]) for row in result.rows if row.get(FIELD)}
            offset += len(result.records)
            if not result.records or not result.number("numremaining"):
                return sorted(names)
