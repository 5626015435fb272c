"""Which fields a query was refused for, when its error does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml_connector.extract.errors import ApiError, Refused

from tap_sageintacct.errors import IntacctError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_sageintacct.lookups import Lookups
    from tap_sageintacct.query import Query
    from tap_sageintacct.session import Session


class Refusals:
    """Finds the part of a query that is refused.

    Args:
        session: Asks the gateway.
        what: Names an object for a person.
        lookups: Knows which fields there are.
    """

    def __init__(self, session: Session, what: Callable[[str], str], lookups: Lookups) -> None:
        self._session = session
        self._what = what
        self._lookups = lookups

    def is_of_rows(self, query: Query) -> bool:
        """Whether a question that failed is answered when no row is asked for: a row is at fault."""
        try:
            self._session.one(self._what(query.name), query.of_no_row().element())
        except (IntacctError, Refused):
            return False
        return True

    def explained(self, refused: Refused, asked: Query, filtered_by: Sequence[str]) -> Refused | None:
        """What is wrong with a query.

        Args:
            refused: The gateway's answer.
            asked: The query.
            filtered_by: Fields of its filter that could be left out, the stamps last.

        Returns:
            The same with the part named; None if it is not the question that is at fault.

        Raises:
            ApiError: It is refused, and no part of it is at fault.
        """
        query = asked.of_no_row()  # a record that breaks its page is no fault of the question
        filtered = asked.filter is not None
        selected = {name.upper(): name for name in query.select if name not in query.order}
        named = {name.upper() for name in refused.fields}
        wrong = [name for upper, name in selected.items() if upper in named]
        if not wrong and not named & {name.upper() for name in filtered_by}:
            if not self._is_refused(query, query.select):
                return None  # the rows are at fault, or it passed
            wrong = self._found_out(query, list(selected.values()))
        if wrong:
            return Refused(
                f"{self._what(query.name)}: the company does not have or give some of the fields.",
                "field",
                tuple(sorted(wrong)),
            )
        for name in filtered_by:
            if name.upper() in named:
                what = "field" if name != filtered_by[-1] else "filter"
                return Refused(str(refused), what, (name,))  # type: ignore[arg-type]
        if filtered and not self._is_refused(replace(asked, filter=None).of_no_row(), ()):
            return Refused(str(refused), "filter")
        raise ApiError(str(refused))

    def _found_out(self, query: Query, names: list[str]) -> list[str]:
        """Fields that are refused though the error does not name them.

        What `lookup` does not list is wrong, which costs a call; else halves of the fields are asked for,
        until the ones that are refused stand alone.
        """
        known = {name.upper() for name in self._lookups.names(query.name, query.definition)}
        if known and (wrong := [name for name in names if name.upper() not in known]):
            return wrong
        if self._is_refused(query, ()):
            return []  # it is not for its fields
        return list(self._halved(query, names))

    def _halved(self, query: Query, names: Sequence[str]) -> Iterator[str]:
        if not names or not self._is_refused(query, names):
            return
        if len(names) == 1:
            yield names[0]
            return
        half = len(names) // 2
        yield from self._halved(query, names[:half])
        yield from self._halved(query, names[half:])

    def _is_refused(self, query: Query, names: Sequence[str]) -> bool:
        probe = replace(query, select=tuple(dict.fromkeys([*query.order, *names])))
        try:
            self._session.one(self._what(query.name), probe.element())
        except Refused:
            return True
        return False
