"""How the pages of an entity set follow each other without losing a record.

Rows come in the order of the key, and there is no `$orderby` (reference section 3). So the next page is "keys
greater than the last one": whatever is deleted or added meanwhile, no other record is passed over. Where keys
do not ascend as this program compares them, or the server does not compare them, records are counted instead
(`$skip`); each page then begins with the last record of the page before, and if that is not so, records have
come or gone, and the read begins again.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from ml_connector.extract.decode import JsonRows
from ml_connector.extract.errors import ApiError, Refused, Transient
from ml_connector.extract.source import Level, Page, Selection

from tap_sage300 import odata
from tap_sage300.answers import AnswerReader, ascending
from tap_sage300.errors import AddressTooLong

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from ml_connector.extract.resource import Resource
    from ml_connector.extract.source import Levels

    from tap_sage300.answers import Answer
    from tap_sage300.question import Question
    from tap_sage300.session import Session

_BUDGET: Final = 2_000
"""Characters of a query string, encoded: IIS refuses more than 2,048, with a page of 404.15."""
_LEAST: Final = 250
_ROUNDS: Final = 5
"""How often a read begins again because records before its place came or went."""
_MOMENT: Final = re.compile(r"(?<![\w'])(\d{4}-\d\d-\d\d)(T[\d:.]+)Z")
#: Ways to write a moment: of OData 4, then those that other servers want instead (reference section 3).
_SPELLINGS: Final = (r"\1\2Z", r"datetime'\1\2'", r"\1\2", r"\1")
_NAME: Final = re.compile(r"'(\w+)'")


class Position(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Where a page begins.

    Attributes:
        key: The key of the last record before it.
        read: How many records of the condition come before it.
        counted: Keys cannot tell the order: records are passed over by their number.
        again: How often this read began anew.
        inclusive: The record with that key is the first one of the page.
    """

    key: list[Any] | None = None
    read: int = 0
    counted: bool = False
    again: int = 0
    inclusive: bool = False


class Paging:
    """Pages of one server.

    Args:
        session: Sends the requests.
        logger: Is told when the server wants to be asked in another way.
    """

    def __init__(self, session: Session, logger: logging.Logger) -> None:
        self.largest = 0
        """The most records that an answer had."""
        self._session, self._logger = session, logger
        self._budget = _BUDGET
        self._spelling = _SPELLINGS[0]
        self._links = False
        """The server has shown a next link: without one there is no more."""
        self._counts: bool | None = None
        """Whether the server counts all records that match, or those of the page; None if not known yet."""

    def room(self, question: Question) -> int:
        """How long a condition may be, beside what else is asked."""
        rest = {"$count": "true", "$select": ",".join(question.select), "$filter": ""}
        with_names = self._budget - len(odata.query(rest))
        # where the names would leave too little, they are left out
        return with_names if with_names >= self._budget // 2 else self._budget - len("$count=true&$filter=")

    def total(self, resource: Resource) -> int | None:
        """How many records there are; None if the server does not say."""
        module, _, entity_set = resource.address.partition("/")
        options = {"$count": "true", "$top": "1", "$select": ",".join(resource.key)}
        reader = AnswerReader(resource.key, JsonRows(Selection(frozenset(resource.key)), {}, resource.key))
        try:
            answer = self._session.get(module, entity_set, odata.query(options), reader.answer)
        except Refused:
            return None
        self._learn(answer)
        if answer.count is None or (answer.count == len(answer.keys) and self._counts is not True):
            return None if answer.keys else 0
        return answer.count

    def pages(self, question: Question, condition: str | None, most: int | None) -> Iterator[Page]:
        """Follow the pages of a question.

        Args:
            question: What is asked.
            condition: Of which records; None for all.
            most: How many there can be.

        Yields:
            The pages.

        Raises:
            Refused: The server does not accept the question; the error says which part.
            ApiError: Any other.
        """
        at = msgspec.convert(question.request.after or {}, Position)
        if "order" in question.request.without:
            at.counted = True
        if question.request.beyond:
            yield self._passed_over(question, condition, at)
            return
        while True:
            answer = self._fetch(question, condition, at)
            keys, drop = answer.keys, 0
            if (before := at.key) is not None:
                if at.counted:
                    if not keys or answer.key(0) != before:
                        at = self._again(question, at)
                        continue
                    keys, drop = keys[1:], 1
                elif keys and not at.inclusive and not ascending([tuple(before), tuple(answer.key(0))]):
                    # the condition was not heeded, or is compared otherwise than here
                    at.counted = True
                    continue
            following = Position(
                answer.key(-1) if keys else at.key,
                at.read + len(keys),
                at.counted or not ascending(keys),
                at.again,
            )
            last = not keys or following.read == most or self._is_last(question, answer, at)
            if not keys and answer.linked and at.key is None:
                raise ApiError(
                    f"Reading {self._where(question)}: a page says that there is more, but has no record."
                )
            yield Page(
                partial(question.levels, answer, drop),
                None if last else msgspec.to_builtins(following),
            )
            if last:
                return
            at = following

    def _passed_over(self, question: Question, condition: str | None, at: Position) -> Page:
        """Begin with the record behind one that cannot be read at all."""
        if at.counted:
            raise Transient(f"Reading {self._where(question)}: a record cannot be read, nor passed over.")
        options = self._options(question, condition, at, question.request.without)
        answer = self._get(question, {**options, "$skip": str(question.request.beyond), "$top": "1"})
        empty: Levels = {(): Level(0, {})}
        if not answer.keys:
            return Page(lambda: empty)
        following = Position(answer.key(0), at.read + question.request.beyond, inclusive=True, again=at.again)
        return Page(lambda: empty, msgspec.to_builtins(following))

    def _again(self, question: Question, at: Position) -> Position:
        if at.again >= _ROUNDS:
            raise ApiError(
                f"Reading {self._where(question)}: the record before position {at.read} was another one each"
                f" time, in {_ROUNDS + 1} attempts. Records come and go faster than they can be read, or the"
                " server does not heed $skip; report the latter with the server's Sage 300 version."
            )
        self._logger.info(
            "%s: records before position %d came or went; reading it again from its beginning.",
            self._where(question),
            at.read,
        )
        return Position(counted=True, again=at.again + 1)

    def _is_last(self, question: Question, answer: Answer, at: Position) -> bool:
        """Whether nothing follows a page; where the server does not say, the next page is asked for."""
        rows, top = len(answer.keys), question.request.size
        if answer.linked:
            return False
        if answer.count is not None and self._counts is None and rows > 1 and answer.count == rows:
            self._try_count(question)
        if answer.count == rows == 1 and top is None:
            return True  # a page of one record is no page that was cut
        if answer.count is not None and self._counts:
            # what was asked for behind a key is counted from there
            before = at.read - 1 if at.counted and at.key is not None else 0
            return before + rows >= answer.count
        return self._links and (top is None or rows < top)

    def _try_count(self, question: Question) -> None:
        """One record and the count: a server that counts the records of a page says one."""
        options = {"$count": "true", "$top": "1"}
        try:
            answer = self._get(question, options, most=1)
        except ApiError:
            self._counts = False
            return
        if len(answer.keys) == 1:
            self._counts = answer.count is not None and answer.count > 1

    def _learn(self, answer: Answer) -> None:
        self.largest = max(self.largest, len(answer.keys))
        self._links = self._links or answer.linked
        if answer.count is not None and answer.count > len(answer.keys):
            self._counts = True

    def _fetch(self, question: Question, condition: str | None, at: Position) -> Answer:
        without = question.request.without
        while True:
            options = self._options(question, condition, at, without)
            try:
                answer = self._get(question, options)
            except AddressTooLong:
                length = len(odata.query(options))
                self._budget = max(_LEAST, min(length * 3 // 4, self._budget))
                if self._options(question, condition, at, without) == options:
                    raise
                continue
            except Refused as refused:
                if self._respelled(question, condition, at, options):
                    continue
                raise self._diagnosed(refused, question, condition, at) from refused
            self._learn(answer)
            return answer

    def _options(
        self, question: Question, condition: str | None, at: Position, without: frozenset[str]
    ) -> dict[str, str]:
        options: dict[str, str] = {}
        if "count" not in without:
            options["$count"] = "true"
        if question.select and "select" not in without:
            options["$select"] = ",".join(question.select)
        size, counted = question.request.size, at.counted
        whole = self._filter(question, condition, at, counted=counted)
        if whole:
            options["$filter"] = whole
        if len(odata.query(options)) > self._budget:
            options.pop("$select", None)
        if len(odata.query(options)) > self._budget and at.key is not None and not counted:
            counted = at.counted = True
            options["$filter"] = self._filter(question, condition, at, counted=True)
        overlap = counted and at.key is not None
        if overlap:
            options["$skip"] = str(at.read - 1)
        if size:
            options["$top"] = str(size + overlap)
        return {name: value for name, value in options.items() if value}

    def _filter(self, question: Question, condition: str | None, at: Position, *, counted: bool) -> str:
        behind = (
            question.behind(at.key, inclusive=at.inclusive) if at.key is not None and not counted else None
        )
        return _MOMENT.sub(self._spelling, odata.and_(condition, behind))

    def _get(self, question: Question, options: dict[str, str], most: int | None = None) -> Answer:
        if most is None and not question.request.patient:
            most = 1
        query = odata.query(options)
        return self._session.get(
            question.module, question.entity_set, query, question.answers.answer, most=most
        )

    def _respelled(
        self, question: Question, condition: str | None, at: Position, refused: dict[str, str]
    ) -> bool:
        """Whether the server takes its dates in another spelling."""
        if not _MOMENT.search(refused.get("$filter", "")):
            return False
        for spelling in _SPELLINGS[1:]:
            self._spelling = spelling
            if self._accepts(question, condition, at, frozenset()):
                return True
        self._spelling = _SPELLINGS[0]
        return False

    def _diagnosed(
        self, refused: Refused, question: Question, condition: str | None, at: Position
    ) -> ApiError:
        """Find out which part of a question was refused, by asking for one record without it."""
        without, sentence = question.request.without, str(refused)
        named = tuple(name for name in _NAME.findall(sentence) if name in question.select)
        if named and set(named) - {*question.resource.key}:
            return Refused(sentence, "field", named)
        present = {
            "count": "count" not in without,
            "select": bool(question.select) and "select" not in without,
            "blanks": " eq null" in (condition or ""),
            "order": at.key is not None and not at.counted,
        }
        parts = [name for name, there in present.items() if there]
        for part in parts:
            less = _without_blanks(condition) if part == "blanks" else condition
            if self._accepts(question, less, at, without | {part}):
                return Refused(sentence, part)  # type: ignore[arg-type]
        if condition and self._accepts(question, None, at, without):
            return Refused(sentence, "filter")
        if self._accepts(question, None, Position(), frozenset({"count", "select"})):
            # several parts at once: one after the other
            return Refused(sentence, parts[-1] if parts else "filter")  # type: ignore[arg-type]
        return ApiError(sentence)

    def _accepts(
        self, question: Question, condition: str | None, at: Position, without: frozenset[str]
    ) -> bool:
        if "order" in without:
            at = Position(at.key, at.read, counted=True)
        options = {**self._options(question, condition, at, without), "$top": "1"}
        try:
            self._get(question, options, most=1)
        except Refused:
            return False
        return True

    def _where(self, question: Question) -> str:
        return f"{self._session.company}/{question.module}/{question.entity_set}"


def _without_blanks(condition: str | None) -> str | None:
    """A condition without what asks for blank stamps."""
    if condition is None:
        return None
    parts = condition.removeprefix("(").removesuffix(")").split(" or ")
    kept = [part for part in parts if " eq null" not in part and " lt 1900-" not in part]
    return f"({' or '.join(kept)})"
