"""What one read asks of an entity set, and how its answers become columns."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ml_connector.extract.decode import JsonRows
from ml_connector.extract.resource import COMPANY, walk

from tap_sage300 import filters
from tap_sage300.answers import AnswerReader
from tap_sage300.streams.resource import MODULE, SEGMENTS, Resource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ml_connector.extract.source import Levels, ReadRequest, Selection

    from tap_sage300.accounts import ChartOfAccounts
    from tap_sage300.answers import Answer

Path = tuple[str, ...]


class Question:
    """One request of a reader, with what is compiled of it.

    Args:
        request: The request.
        chart: Where ledger lines look their accounts up.
    """

    def __init__(self, request: ReadRequest, chart: ChartOfAccounts) -> None:
        resource = request.resource
        assert isinstance(resource, Resource)  # noqa: S101 - declared so
        self.request, self.resource = request, resource
        self.module, self.entity_set = resource.module, resource.entity_set
        self._chart = chart
        self._accounts: dict[Path, str] = {(): resource.account} if resource.account else {}
        for lines, path in walk(resource.lines):
            if account := getattr(lines, "account", ""):
                self._accounts[path] = account
        self._made: dict[Path, list[str]] = {}
        self._wanted = self._without_own(request.selection, ())

    @property
    def schema(self) -> Mapping[str, Mapping[str, Any]]:
        """The JSON schemas of the document's fields."""
        return self.request.shape.get((), {})

    @property
    def fields_known(self) -> Collection[str] | None:
        """The fields that the server is known to have; None if that is not known."""
        return self.schema or None

    @cached_property
    def select(self) -> tuple[str, ...]:
        """What `$select` names; nothing if all is wanted."""
        wanted = {*self._wanted.fields, *self._wanted.lines}
        if self.schema:
            arrays = {path[0] for path in self.request.shape if len(path) == 1}
            every = ({*self.schema} | arrays) - {COMPANY, MODULE, *(SEGMENTS if () in self._accounts else ())}
            wanted &= every | {*self.resource.key}
            if every <= wanted:
                return ()
        return tuple(sorted(wanted))

    def behind(self, key: Sequence[Any], *, inclusive: bool) -> str:
        """The condition for records behind a key, or from it on."""
        names = self.resource.key
        schema = self.schema
        last = [filters.typed(value, schema.get(name, {})) for name, value in zip(names, key, strict=True)]
        return filters.after(names, last, inclusive=inclusive)

    def levels(self, answer: Answer, drop: int) -> Levels:
        """Decode a page.

        Args:
            answer: The page.
            drop: How many records at its beginning were on the page before.
        """
        found = self.answers.levels(answer, drop)
        for path, names in self._made.items():
            level = found.get(path)
            if level is None or not level.count:
                continue
            columns = dict(level.columns)
            if MODULE in names:
                columns[MODULE] = [self.module] * level.count
            looked_up = [name for name in names if name != MODULE]
            if looked_up:
                account = self._accounts[path]
                numbers = columns.get(account) or [None] * level.count
                columns.update(self._chart.columns(numbers, looked_up))
            level.columns = columns
        return found

    @cached_property
    def answers(self) -> AnswerReader:
        """How answers are read."""
        key = self.resource.key
        wanted = replace(self._wanted, fields=self._wanted.fields | {*key})
        return AnswerReader(key, JsonRows(wanted, self.request.shape, self.resource.parsed_fields))

    def _without_own(self, selection: Selection, path: Path) -> Selection:
        """A selection without what the tap itself fills in."""
        own = {MODULE}
        account = self._accounts.get(path)
        if account:
            own.update(SEGMENTS)
        made = sorted(selection.fields & own)
        if made:
            self._made[path] = made
        fields = selection.fields - own
        if account and made != [MODULE] and made:
            fields |= {account}
        inner = {name: self._without_own(each, (*path, name)) for name, each in selection.lines.items()}
        return replace(selection, fields=frozenset(fields), lines=inner)
