"""What the tap asks of the gateway: pages, aggregates, descriptions (reference sections 2.1 to 2.3)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ml_connector.extract import TryAgain

from tap_sageintacct import filters
from tap_sageintacct.errors import FieldsUnknown, IntacctError, QueryRefused, result_failed
from tap_sageintacct.session import Session, raise_for
from tap_sageintacct.xml import element

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sageintacct.xml import Element, Result

MOST_A_LEGACY_PAGE = 1_000
_LEGACY_READS = 3
"""How often a legacy read begins again after its result was lost with the session."""
MOST_A_PAGE = 2_000
"""Rows that `query` gives at once. Each call is billed, so pages are as large as they may be."""
_TOGETHER = 20
"""Functions in one request: enough to spare round trips, few enough for the gateway's 15 minutes."""
Record = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """What is asked of one object.

    Attributes:
        name: The object.
        select: Fields; `query` knows no word for all of them.
        filter: Its filter, or None.
        key: The field that pages are told apart by: rows come in its order, each page after the last one's.
        size: Rows a page.
    """

    name: str
    select: Sequence[str]
    filter: Element | None = None
    key: str = "RECORDNO"
    size: int = MOST_A_PAGE

    def element(self, after: object = None) -> Element:
        """The function.

        Args:
            after: Only rows whose key is greater.
        """
        later = filters.compared("greaterthan", self.key, after) if after is not None else None
        condition = filters.all_of([later, _copied(self.filter)])
        order = element("order", element("field", text=self.key), element("ascending"))
        return element(
            "query",
            element("object", text=self.name),
            element("select", *(element("field", text=name) for name in self.select)),
            element("filter", condition) if condition is not None else None,
            element("orderby", order),
            element("options", element("showprivate", text="true")),
            element("pagesize", text=self.size),
        )


class Client:
    """Reads one entity of a company.

    Args:
        config: The settings, secrets in plain text.
        entity: The entity; empty for the top level.
        logger: Gets a line a retry.
    """

    def __init__(self, config: Mapping[str, Any], entity: str, logger: logging.Logger) -> None:
        self.company = str(config["company_id"])
        self.entity = entity
        self.session = Session(config, entity, logger=logger)
        self._refused: dict[str, set[str]] = {}
        self._logger = logger

    def pages(
        self, query: Query, after: object = None, first: Result | None = None
    ) -> Iterator[list[Record]]:
        """Read rows in the order of their key, page by page.

        Offsets would shift while the data changes; a key that was passed is never asked for again. Fields
        that the company does not have are left out, with one warning.

        Args:
            query: What is asked.
            after: Only rows whose key is greater.
            first: The first page, if it is there already.

        Yields:
            Each page's rows, as texts.

        Raises:
            IntacctError: The gateway refuses.
        """
        while True:
            if first is not None:
                result, first = first, None
            else:
                query, result = self._page(query, after)
            rows = result.records
            if rows:
                if (last := rows[-1].get(query.key)) == after:
                    raise IntacctError(
                        f"{query.name} of {self.place}: the page after {query.key} {after} ends with it"
                        " again: the gateway's order does not work."
                    )
                after = last
                yield rows
            left = result.attributes.get("numremaining")
            if int(left) == 0 if left else len(rows) < query.size:
                return
            if not rows or after is None:
                raise IntacctError(
                    f"{query.name} of {self.place}: a page without {query.key} came before the last one."
                )

    def legacy_pages(self, query: Query) -> Iterator[list[Record]]:
        """Read an object whole that `query` does not serve, by `readByQuery` and `readMore`.

        Its pages are of one moment and in no order, and are lost with their session: then it is read from its
        beginning, and what came before comes again.

        Args:
            query: What is asked; its filter and key are of no use here.

        Yields:
            Each page's rows, as texts.

        Raises:
            IntacctError: The gateway refuses.
        """
        name = query.name
        begin = element(
            "readByQuery",
            element("object", text=name),
            element("fields", text=",".join(query.select)),
            element("query", text=""),
            element("pagesize", text=min(query.size, MOST_A_LEGACY_PAGE)),
        )
        for again in range(_LEGACY_READS):
            result = self.one(self.what(name), deepcopy(begin))
            yield result.records
            try:
                while int(result.attributes.get("numremaining") or 0):
                    token = result.attributes.get("resultId")
                    more = element("readMore", element("resultId", text=token))
                    result = self.one(self.what(name), more)
                    yield result.records
            except IntacctError as error:
                if again + 1 == _LEGACY_READS:
                    raise
                self._logger.warning("%s Reading it from its beginning.", error)
                continue
            return

    def first_pages(self, queries: Mapping[str, Query]) -> dict[str, Result]:
        """Ask for the first pages of several objects at once, to spare round trips.

        Args:
            queries: By any name.

        Returns:
            The results by the same names; a query that failed is missing, to be asked alone.
        """
        found: dict[str, Result] = {}
        names = list(queries)
        for start in range(0, len(names), _TOGETHER):
            some = names[start : start + _TOGETHER]
            asked = [(self.what(queries[name].name), queries[name].element()) for name in some]
            results = zip(some, self.session.run(asked), strict=True)
            found |= {name: result for name, result in results if not result.failed}
        return found

    def aggregates(
        self,
        name: str,
        by: Sequence[str],
        counted: str,
        summed: Sequence[str],
        condition: Element | None = None,
    ) -> Iterator[dict[str, str | None]]:
        """Count and sum an object's rows by some fields, computed by the gateway.

        Args:
            name: The object.
            by: The fields of a group.
            counted: The field that is counted.
            summed: The fields that are summed.
            condition: Which rows; None for all.

        Yields:
            A row a group; the count's element is `COUNT.<field>`.
        """
        offset = 0
        while True:
            columns = [element("field", text=field) for field in by]
            columns += [element("count", text=counted), *(element("sum", text=field) for field in summed)]
            orders = [element("order", element("field", text=field), element("ascending")) for field in by]
            ask = element(
                "query",
                element("object", text=name),
                element("select", *columns),
                element("filter", deepcopy(condition)) if condition is not None else None,
                element("orderby", *orders) if orders else None,
                element("options", element("showprivate", text="true")),
                element("pagesize", text=MOST_A_PAGE),
                element("offset", text=offset),
            )
            result = self.one(self.what(name), ask)
            yield from result.records
            offset += len(result.records)
            if not result.records or int(result.attributes.get("numremaining") or 0) == 0:
                return

    def one(self, what: str, function: Element) -> Result:
        """Run one function.

        Raises:
            IntacctError: If it failed.
        """
        (result,) = self.session.run([(what, function)])
        raise_for(result, what)
        return result

    def several(self, functions: Sequence[tuple[str, Element]]) -> list[Result]:
        """Run functions in as few requests as is polite; failed ones have their errors."""
        results: list[Result] = []
        for start in range(0, len(functions), _TOGETHER):
            some = functions[start : start + _TOGETHER]
            results += [
                self._once_more(what, each, result) if result.failed and len(some) > 1 else result
                for (what, each), result in zip(some, self.session.run(some), strict=True)
            ]
        return results

    def _once_more(self, what: str, function: Element, result: Result) -> Result:
        """Ask alone for what failed in passing among others."""
        if not isinstance(result_failed(result.errors, what), TryAgain):
            return result
        try:
            return self.session.run([(what, deepcopy(function))])[0]
        except IntacctError as error:
            self._logger.debug("%s failed alone, too: %s", what, error)
            return result

    @property
    def place(self) -> str:
        """The company and its entity, for a person."""
        return f"{self.company} {self.entity}".strip()

    def what(self, name: str) -> str:
        """An object of this place, for a person."""
        return f"{name} of {self.place}"

    def close(self) -> None:
        """Let connections go."""
        self.session.close()

    def _page(self, query: Query, after: object) -> tuple[Query, Result]:
        repeated = False
        while True:
            refused = self._refused.get(query.name, set())
            query = replace(query, select=[name for name in query.select if name not in refused])
            try:
                return query, self.one(self.what(query.name), query.element(after))
            except (FieldsUnknown, QueryRefused) as error:
                named = error.names if isinstance(error, FieldsUnknown) else frozenset()
                wrong = ({*query.select} & named - {query.key}) or self._found_out(query)
                if not wrong and (repeated or self._is_refused(query, query.select[1:])):
                    raise
                if not wrong:
                    repeated = True  # it passed, whatever it was
                    continue
            self._refused.setdefault(query.name, set()).update(wrong)
            self._logger.warning(
                "%s: the company does not have the fields %s, or does not give them. They are left out.",
                self.what(query.name),
                ", ".join(sorted(wrong)),
            )

    def _found_out(self, query: Query) -> set[str]:
        """Which fields a query was refused for, when its error does not say.

        What `lookup` does not list is wrong, which costs a call; else halves of the fields are asked for, a
        record at a time, until the ones that are refused stand alone.
        """
        names = [name for name in query.select if name != query.key]
        if query.name not in self._refused:
            self._refused[query.name] = set()
            (result,) = self.several([(self.what(query.name), lookup(query.name))])
            known = {str(field["ID"]) for field in fields_of(result)}
            if known and (wrong := {name for name in names if name not in known}):
                return wrong
        if self._is_refused(query, ()):
            return set()  # it is not for its fields
        return set(self._halved(query, names))

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
        probe = replace(query, select=[query.key, *names], size=1)
        try:
            self.one(self.what(query.name), probe.element())
        except (FieldsUnknown, QueryRefused):
            return True
        return False


def lookup(name: str) -> Element:
    """The function that describes an object."""
    return element("lookup", element("object", text=name))


def fields_of(result: Result) -> Iterator[dict[str, Any]]:
    """The fields in an answer to `lookup`; none if it failed."""
    for record in [] if result.failed else result.records:
        found = (record.get("Fields") or {}).get("Field")
        yield from found if isinstance(found, list) else [found] if found else []


def _copied(found: Element | None) -> Element | None:
    """A filter that is used for each page: an element can be in one document only."""
    return None if found is None else deepcopy(found)
