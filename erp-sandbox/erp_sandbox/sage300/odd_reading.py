"""How oddities change what is read: refusals, links, counts and the documents themselves."""

from __future__ import annotations

import copy
import dataclasses
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from odata_query import ast, exceptions, grammar

from erp_sandbox.oddities import Oddities
from erp_sandbox.sage300 import records
from erp_sandbox.sage300.errors import ApiError
from erp_sandbox.sage300.model import INTEGER_TYPES, catalogue
from erp_sandbox.sage300.odata import Lexer
from erp_sandbox.sage300.oddities import ODDITIES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from erp_sandbox.sage300.model import EntitySet, Property

#: Longest query string of IIS unless its request filtering says otherwise.
QUERY_LIMIT: Final = 2_048
_NONE: Final = Oddities(ODDITIES)
_CODES: Final = {
    "400": "InvalidParameters",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "ResourceNotFound",
    "409": "General",
    "500": "InternalServerError",
}
_DOCUMENT: Final = ("numbers-as-text", "blank-dates", "null-detail", "long-batch")
_OPERATORS: Final = {
    ast.Gt: "GreaterThan",
    ast.GtE: "GreaterThanOrEqual",
    ast.Lt: "LessThan",
    ast.LtE: "LessThanOrEqual",
}
_MOMENT: Final = r"\d{4}-\d\d-\d\dT[\d:.]+"
#: Forms of dates, and what the library's grammar reads in their place.
_FORMS: Final = {
    "v3": (re.compile(rf"datetime'({_MOMENT})'"), r"\1Z"),
    "plain": (re.compile(rf"(?<!')({_MOMENT})(?![\d:.'Z+-])"), r"\1Z"),
    "day": (re.compile(r"(?<![\d'])(\d{4}-\d\d-\d\d)(?![\dT'])"), r"\1"),
}
_ANY_DATE: Final = re.compile(rf"datetime'[^']*'|'[^']*'|{_MOMENT}(?:Z|[+-]\d\d:\d\d)?|\d{{4}}-\d\d-\d\d")
#: Dates that users type, or that come from documents and statements which they date.
CHOSEN: Final = frozenset(
    "BatchDate PostingDate PaymentDate CheckDate ReceiptDate DocumentDate LastActivityDate DateCleared"  # noqa: SIM905
    " DateReversed DateReturned JournalDate Journaldate DepositDate LastPostingDate".split()
)
_SEQUENCES: Final = frozenset({"PostingSequenceNumber", "PostingSequence", "Postingsequencenumber"})


class OddPage(Exception):  # noqa: N818 - a page is an answer, not a mishap
    """An answer in HTML.

    Args:
        status: Its status.
        title: What it says.
        text: What it explains.
    """

    def __init__(self, status: int, title: str, text: str = "") -> None:
        super().__init__(title)
        self.status = status
        self.body = (
            f"<!DOCTYPE html><html><head><title>{title}</title></head>"
            f"<body><h2>{title}</h2><p>{text}</p></body></html>"
        )


class OddReading:
    """What a server's oddities do to reads.

    Args:
        oddities: Those that it has.
    """

    def __init__(self, oddities: Oddities = _NONE) -> None:
        self.oddities = oddities
        self._changes = [name for name in _DOCUMENT if name in oddities]
        self._deleted: set[str] = set()
        form = oddities.value("date-literals", "v3")
        if form not in _FORMS:
            raise ValueError(f"The oddity 'date-literals' takes one of {', '.join(_FORMS)}, not '{form}'.")

    def check_address(self, query: str, address: str) -> None:
        """Refuse an address that is too long.

        Raises:
            OddPage: As IIS does.
        """
        if "iis-limits" in self.oddities and len(query) > QUERY_LIMIT:
            raise OddPage(
                404,
                "HTTP Error 404.15 - Not Found",
                "The request filtering module is configured to deny a request where the query string is too"
                " long.",
            )
        longest = int(self.oddities.value("uri-too-long", "0"))
        if longest and len(f"{address}?{query}") > longest:
            raise OddPage(414, "Request-URI Too Long")

    def check_company(self, company: str) -> None:
        """Refuse a company that is down.

        Raises:
            ApiError: As the Web API does.
        """
        if self.oddities.hits("company-down", company):
            raise ApiError("InternalServerError", f"The database of {company} cannot be opened")

    def described(self, module: str, text: str) -> str:
        """A module's ``$metadata``.

        Raises:
            ApiError: If it may not be seen.
        """
        if self.oddities.hits("metadata-forbidden", module):
            raise ApiError("Forbidden", f"The user has no rights to {module}")
        return text[: len(text) // 2] if self.oddities.hits("metadata-broken", module) else text

    def query(self, entity_set: EntitySet, text: str) -> str:
        """The query string as the server understands it.

        Raises:
            ApiError: If the server takes no such query.
        """
        if not self.oddities:
            return text
        name = entity_set.name
        for each, status in self.oddities.parts("refused-set", 2):
            if each.casefold() == name.casefold():
                raise ApiError(_CODES[status], f"{name} is refused with {status}")
        options = dict(parse_qsl(text, keep_blank_values=True))
        for option, oddity in (("$select", "select-refused"), ("$filter", "filter-refused")):
            if option in options and self.oddities.hits(oddity, name):
                raise _invalid(f"Query option '{option}' is not allowed")
        if "$count" in options and "count-refused" in self.oddities:
            raise _invalid("Query option '$count' is not allowed")
        if "$filter" in options:
            options["$filter"] = self._filter(entity_set, options["$filter"])
        return urlencode(options)

    def _filter(self, entity_set: EntitySet, text: str) -> str:
        if "date-literals" in self.oddities:
            text = _dates(text, self.oddities.value("date-literals"))
        try:
            nodes = list(_nodes(grammar.ODataParser().parse(Lexer().tokenize(text.strip()))))
        except (exceptions.ODataException, ValueError):
            return text  # the reader says what is wrong with it
        if self.oddities.hits("null-refused", entity_set.name) and any(
            isinstance(node, ast.Null) for node in nodes
        ):
            raise _invalid("The filter compares with null")
        for node in nodes if "text-order-refused" in self.oddities else ():
            operator = _OPERATORS.get(type(node.comparator)) if isinstance(node, ast.Compare) else None
            sides = (node.left, node.right) if operator else ()
            names = [side.full_name() for side in sides if isinstance(side, ast.Identifier)]
            kinds = {entity_set.by_name[each].type for each in names if each in entity_set.by_name}
            if kinds & {"Edm.String", "Enum"}:
                raise _incompatible("Edm.String", "Edm.String", str(operator))
        return text

    def deletes(self, entity_set: EntitySet, skip: int) -> bool:
        """Whether the first record of a set goes now."""
        name = entity_set.name
        if not skip or name in self._deleted or not self.oddities.hits("delete-while-paging", name):
            return False
        self._deleted.add(name)
        return True

    def count(self, whole: int, page: int) -> int | None:
        """What ``@odata.count`` says; None for nothing."""
        if "no-count" in self.oddities:
            return None
        return page if "count-of-page" in self.oddities else whole

    def link(self, link: str, address: str, skip: int) -> str | None:
        """A next link; None for none.

        Args:
            link: The right one.
            address: Address of the set.
            skip: What this page passed over.
        """
        if "no-links" in self.oddities:
            return None
        if "link-without-query" in self.oddities:
            return address
        if "circular-links" in self.oddities and skip:
            return re.sub(r"skip=\d+", "skip=0", link)
        return link

    def documents(self, entity_set: EntitySet, docs: Sequence[str]) -> list[str]:
        """Documents as they are sent.

        Raises:
            OddPage: If one of them breaks the server.
        """
        if not self.oddities:
            return list(docs)
        most = int(self.oddities.value("page-timeout", "0"))
        if most and len(docs) > most:
            raise OddPage(504, "504 - Gateway Timeout")
        broken = {key for name, key in self.oddities.parts("broken-document", 2) if name == entity_set.name}
        if broken and any(_key(entity_set, doc) in broken for doc in docs):
            raise OddPage(500, "Runtime Error", "An application error occurred on the server.")
        return [self._changed(entity_set, doc) for doc in docs] if self._changes else list(docs)

    def _changed(self, entity_set: EntitySet, text: str) -> str:
        record = records.read_document(text)
        for name, key, lines in self.oddities.parts("long-batch", 3):
            if name == entity_set.name and _key(entity_set, text) == key:
                _lengthen(entity_set.properties, record, int(lines))
        return _written(self._odd(entity_set.name, entity_set.properties, record))

    def _odd(self, name: str, properties: Sequence[Property], record: dict[str, Any]) -> dict[str, Any]:
        found = dict(record)
        for prop in properties:
            value = record.get(prop.name)
            if prop.type == "Collection":
                details: list[Any] = [self._odd(name, prop.properties, each) for each in value or []]
                if details and self.oddities.hits("null-detail", name):
                    details.insert(1, None)
                found[prop.name] = details
            elif prop.type == "Edm.DateTimeOffset" and value is None and "blank-dates" in self.oddities:
                empty = self.oddities.value("blank-dates") == "empty"
                found[prop.name] = "" if empty else "0001-01-01T00:00:00Z"
            elif "numbers-as-text" in self.oddities and (
                prop.type in INTEGER_TYPES or prop.type == "Edm.Decimal"
            ):
                found[prop.name] = None if value is None else f"{value}"
        return found


def stored_differently(oddities: Oddities) -> bool:
    """Whether documents are other than those that were written."""
    return "back-dated" in oddities or "lower-sequence" in oddities


def rewriter(oddities: Oddities) -> Any:
    """What SQL calls to change a document that was written since the server started."""
    days = timedelta(days=int(oddities.value("back-dated", "0")))
    lower = int(oddities.value("lower-sequence", "0"))

    def rewritten(entity_set: str, text: str) -> str:
        record = records.read_document(text)
        _shift(catalogue().sets[entity_set].properties, record, days, lower)
        return _written(record)

    return rewritten


def register(connection: sqlite3.Connection, oddities: Oddities) -> None:
    """Let a connection's SQL call ``rewritten``."""
    connection.create_function("rewritten", 2, rewriter(oddities), deterministic=True)


def _shift(properties: Sequence[Property], record: dict[str, Any], days: timedelta, lower: int) -> None:
    for prop in properties:
        value = record.get(prop.name)
        if prop.type == "Collection":
            for each in value or []:
                _shift(prop.properties, each, days, lower)
        elif days and prop.name in CHOSEN and prop.type == "Edm.DateTimeOffset" and value:
            moment = datetime.fromisoformat(value) - days
            record[prop.name] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif lower and prop.name in _SEQUENCES and value:
            record[prop.name] = max(1, int(value) - lower)


def _lengthen(properties: Sequence[Property], record: dict[str, Any], lines: int) -> None:
    """Repeat the innermost lines of a document's first detail."""
    for prop in properties:
        details = record.get(prop.name) if prop.type == "Collection" else None
        if not details or prop.name.endswith("OptionalFields"):
            continue
        if any(inner.type == "Collection" and details[0].get(inner.name) for inner in prop.properties):
            _lengthen(prop.properties, details[0], lines)
            return
        key = records.line_key(prop, {})
        first = details[0]
        for number in range(len(details) + 1, lines + 1):
            line = copy.deepcopy(first)
            if key is not None:
                old = first[key.name]
                line[key.name] = str(number).zfill(len(old)) if isinstance(old, str) else number
            details.append(line)
        return


def _written(record: dict[str, Any]) -> str:
    return records.encoded(record)


def _key(entity_set: EntitySet, text: str) -> str:
    record = records.read_document(text)
    return ",".join(str(record[name]) for name in entity_set.key)


def _dates(text: str, form: str) -> str:
    pattern, plain = _FORMS[form]
    for match in _ANY_DATE.finditer(text):
        if match[0].startswith("'"):
            continue
        if not pattern.fullmatch(match[0]):
            raise _incompatible("Edm.DateTime", "Edm.DateTimeOffset", "GreaterThanOrEqual")
    return pattern.sub(plain, text)


def _nodes(node: Any) -> Iterable[Any]:
    yield node
    if dataclasses.is_dataclass(node):
        for each in dataclasses.fields(node):
            value = getattr(node, each.name)
            for inner in value if isinstance(value, list | tuple) else [value]:
                if dataclasses.is_dataclass(inner):
                    yield from _nodes(inner)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameters", f"The query specified in the URI is not valid. {message}.")


def _incompatible(left: str, right: str, operator: str) -> ApiError:
    # Microsoft's wording, as https://github.com/rosostolato/odata-fluent-query/issues/3 has it
    return _invalid(
        "A binary operator with incompatible types was detected. Found operand types"
        f" '{left}' and '{right}' for operator kind '{operator}'"
    )
