"""Pages of ledgers of any length, made of records that the sandbox was asked for once."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import unquote_plus

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = 5
"""Lines of an entry of Sage X3."""
DETAILS = 20
"""Documents of Sage X3 that are asked for one by one."""
_BATCH = 20
"""Details of a batch of Intacct."""
Slot = Callable[[int], bytes]
"""What stands at a place of a record, by the record's number."""


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Ask(Protocol):
    """Asks the sandbox."""

    def __call__(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""


class RecordingError(Exception):
    """The sandbox refused what is to be asked for once."""


class Records:
    """Records that come again and again with other keys.

    Args:
        texts: What the sandbox sent.
        keys: What to put where an expression matches.
        between: What stands between two.
    """

    def __init__(self, texts: Sequence[bytes], keys: dict[bytes, Slot], between: bytes) -> None:
        self._between = between
        self._slots: list[list[Slot]] = []
        self._texts: list[bytes] = []
        every = re.compile(b"|".join(b"(%b)" % each for each in keys))
        makers = list(keys.values())
        for text in texts:
            slots: list[Slot] = []

            def mark(found: re.Match[bytes], slots: list[Slot] = slots) -> bytes:
                slots.append(makers[(found.lastindex or 1) - 1])
                return b"\0"

            marked = every.sub(mark, text).replace(b"%", b"%%").replace(b"\0", b"%b")
            self._texts.append(marked)
            self._slots.append(slots)
        self._known: dict[int, bytes] = {}

    def page(self, start: int, count: int) -> bytes:
        """So many records from one on."""
        if (text := self._known.get(count)) is None:
            text = self._between.join(self._texts[place % len(self._texts)] for place in range(count))
            self._known[count] = text
        values: list[bytes] = []
        for place in range(count):
            number, last, made = start + place, None, b""
            for slot in self._slots[place % len(self._slots)]:
                if slot is not last:
                    last, made = slot, slot(number)
                values.append(made)
        return text % tuple(values)


class Pages:
    """One ledger.

    Args:
        rows: How many records it has.
    """

    content_type: ClassVar[str] = "application/json"

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._lock = threading.Lock()
        self._known: dict[object, Any] = {}

    def answer(self, asked: Asked, ask: Ask) -> bytes | None:
        """The answer to a request; None if it is not about the ledger."""
        raise NotImplementedError

    def recorded(self, shape: object, asked: Asked, ask: Ask, made: Callable[[bytes], Any]) -> Any:
        """What is made of the sandbox's answer, asked for the first time it is wanted.

        Raises:
            RecordingError: It refused.
        """
        with self._lock:
            if shape not in self._known:
                status, _, body = ask(asked)
                if status != 200:  # noqa: PLR2004
                    raise RecordingError(f"{asked.path} was answered with {status}: {body[:500]!r}")
                self._known[shape] = made(body)
            return self._known[shape]


class Sage300(Pages):
    """Posted lines in the order of their key; the last field of the key is the record's number."""

    content_type = "application/json; odata.metadata=minimal"
    size = 1_000
    """What Sage recommends for reading much (DEVREF 13.1), as `PageSize` in Web.config."""
    _behind = re.compile(r"DetailCount gt (\d+)")
    _option = re.compile(r"[?&]\$(skip|top)=(\d+)")
    _fixed = re.compile(
        rb'"(FiscalYear|FiscalPeriod|SourceCurrencyCode|SourceLedgerCode|SourceTypeCode)":"[^"]*"'
        rb'|"(PostingSequenceNumber)":\d+'
    )

    def answer(self, asked: Asked, ask: Ask) -> bytes | None:
        """A page, by key or by number."""
        path, _, query = asked.path.partition("?")
        if not path.endswith("/GLPostedTransactions"):
            return None
        query = unquote_plus(query)
        options = {name: int(number) for name, number in self._option.findall(f"?{query}")}
        behind = self._behind.findall(query)
        rest = "&".join(p for p in query.split("&") if p.startswith(("$count", "$select")))
        records, head = self.recorded(
            rest, replace(asked, path=f"{path}?{rest.replace(' ', '%20')}"), ask, self._made
        )
        start = (int(behind[-1]) if behind else 0) + options.get("skip", 0)
        left = max(self.rows - start, 0)
        count = min(left, self.size, options.get("top", self.size))
        counted = b'"@odata.count":%d,' % (self.rows - (int(behind[-1]) if behind else 0))
        link = b""
        if count < left and count == self.size:
            kept = "&".join(p for p in asked.path.partition("?")[2].split("&") if "skip=" not in p and p)
            address = f"http://{asked.headers['host']}{path}?{kept}{'&' if kept else ''}$skip="
            link = b',"@odata.nextLink":"%b%d"' % (address.encode(), options.get("skip", 0) + count)
        return (
            b"%b%b"
            % (
                head % (counted if "$count=true" in query else b""),
                records.page(start, count),
            )
            + b"]%b}" % link
        )

    def key(self, number: int) -> int:
        """The last field of a record's key."""
        return number + 1

    def _made(self, body: bytes) -> tuple[Records, bytes]:
        head, _, _ = body.partition(b'"value":[')
        context = head.partition(b'"@odata.count"')[0].replace(b"%", b"%%")
        texts = [bytes(each) for each in msgspec.json.decode(body, type=_Value).value]
        firsts = [match[0] for match in self._fixed.finditer(texts[0])]
        by_name = {first.partition(b":")[0]: first for first in firsts}
        texts = [self._fixed.sub(lambda m: by_name[m[0].partition(b":")[0]], text) for text in texts]
        accounts = sorted(
            {found for text in texts for found in re.findall(rb'"AccountNumber":"([^"]*)"', text)}
        )
        keys: dict[bytes, Slot] = {
            rb'"AccountNumber":"[^"]*"': lambda n: (
                b'"AccountNumber":"%b"' % accounts[n * len(accounts) // self.rows]
            ),
            rb'"DetailCount":\d+': lambda n: b'"DetailCount":%d' % self.key(n),
        }
        return Records(texts, keys, b","), b'%b%%b"value":[' % context


class _Value(msgspec.Struct):
    value: list[msgspec.Raw]


class Sage300Counted(Sage300):
    """The same of a server whose keys do not ascend: it has to be read by `$skip`."""

    def key(self, number: int) -> int:
        """Keys fall within the pages."""
        return self.rows - number


def _entry(number: int) -> bytes:
    return b"STD%09d" % number


_ENTRY = re.compile(r"STD(\d{9})(?:[~|](\d+))?")


def _behind_entry(text: str) -> int:
    """How many entries come before the one that follows a cursor or a key."""
    found = _ENTRY.search(text)
    return int(found[1]) + 1 if found else 0


class Graphql(Pages):
    """Journal entries with their lines, in the order of `_id`."""

    _cursor = re.compile(r'after: "((?:[^"\\]|\\.)*)",? ?')
    _first = re.compile(r"first: ?(\d+)")

    def answer(self, asked: Asked, ask: Ask) -> bytes | None:
        """A page."""
        if b"journalEntry" not in asked.body or b"__schema" in asked.body or b"first:" not in asked.body:
            return None
        given = json.loads(asked.body)
        query, variables = given["query"], given.get("variables") or {}
        cursor = variables.get("after") or ""
        if found := self._cursor.search(query):
            cursor = found[1]
            query = query.replace(found[0], "")
        if "$after" in query:  # the sandbox is asked without variables
            query = re.sub(r"^query[^{]*", "", query).replace("after: $after, ", "")
        body = json.dumps({"query": query}).encode()
        found = self._first.search(query)
        size = int(found[1]) if found else 20
        records = self.recorded(query, replace(asked, body=body), ask, self._made)
        entries = self.rows // LINES
        start = _behind_entry(cursor)
        count = min(size, entries - start)
        more = start + count < entries
        info = json.dumps({"endCursor": f'["STDCO|STD{start + count - 1:09d}"]#00', "hasNextPage": more})
        return (
            b'{"data":{"x3Finance":{"journalEntry":{"query":{"edges":['
            + records.page(start, count)
            + b'],"pageInfo":%b}}}},"extensions":{}}' % info.encode()
        )

    def _made(self, body: bytes) -> Records:
        found: Any = body
        for name in ("data", "x3Finance", "journalEntry", "query", "edges"):
            found = msgspec.json.decode(found, type=dict[str, msgspec.Raw])[name]
        texts = [bytes(each) for each in msgspec.json.decode(found, type=list[msgspec.Raw])]
        return Records(texts, {rb"STD\d{9}": _entry}, b",")


class Rest(Pages):
    """Rows of a class of api1 in the order of their key, and single documents with their lines."""

    _key = re.compile(r"[?&]key=gt\.([^&]*)")
    _count = re.compile(r"[?&]count=(\d+)")

    def answer(self, asked: Asked, ask: Ask) -> bytes | None:
        """A page of a list, or a document."""
        path, _, query = asked.path.partition("?")
        *_, last = path.split("/")
        name = unquote_plus(last)
        if name.startswith("GACCENTRY("):
            return self._details(asked, ask)
        if name not in {"GACCENTRY", "GACCENTRYD"}:
            return None
        query = unquote_plus(f"?{query}")
        key, count = self._key.search(query), self._count.search(query)
        size = int(count[1]) if count else 20
        lines = LINES if name == "GACCENTRYD" else 1
        start = 0
        if key and (found := _ENTRY.search(key[1])):
            start = int(found[1]) * lines + (int(found[2]) if lines > 1 else 1)
        rest = self._key.sub("", query)
        first = replace(asked, path=f"{path}?{rest[1:].replace(' ', '%20')}")
        records = self.recorded((path, rest), first, ask, lambda body: self._made(body, lines))
        rows = self.rows * lines // LINES
        taken = max(min(size, rows - start), 0)
        links = b""
        if start + taken < rows:
            number, line = divmod(start + taken - 1, lines)
            following = f"STDCO~STD{number:09d}" + (f"~{line + 1}~1" if lines > 1 else "")
            url = f"http://{asked.headers['host']}{path}{rest}&key=gt.{following}"
            links = b',"$next":' + json.dumps({"$url": url, "$type": "application/json"}).encode()
        url = f"http://{asked.headers['host']}{path}{rest}"
        head = b'"$links":{"$first":%b%b}}' % (
            json.dumps({"$url": url, "$type": "application/json"}).encode(),
            links,
        )
        return b'{"$itemsPerPage":%d,"$resources":[%b],%b' % (size, records.page(start, taken), head)

    def _details(self, asked: Asked, ask: Ask) -> bytes:
        found = _ENTRY.search(unquote_plus(asked.path))
        number = int(found[1]) if found else 0
        like = number % DETAILS
        path = asked.path.replace(f"STD{number:09d}", f"STD{like:09d}")
        records = self.recorded(
            path,
            replace(asked, path=path),
            ask,
            lambda body: Records([body], {rb"STD\d{9}": _entry}, b""),
        )
        page: bytes = records.page(number, 1)
        return page

    def _made(self, body: bytes, lines: int) -> Records:
        rows = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["$resources"]
        texts = [bytes(each) for each in msgspec.json.decode(rows, type=list[msgspec.Raw])]
        keys: dict[bytes, Slot] = {rb"STD\d{9}": lambda n: _entry(n // lines)}
        if lines > 1:
            keys[rb'"LIN":\d+'] = lambda n: b'"LIN":%d' % (n % lines + 1)
        return Records(texts, keys, b",")


class Intacct(Pages):
    """Details of the general ledger in the order of batches and of RECORDNO, all of one module."""

    content_type = 'text/xml; encoding="UTF-8"'
    _behind = re.compile(
        # with or without the batch before it, or by number
        rb"(?:<or><greaterthan><field>BATCHKEY</field><value>\d+</value></greaterthan>"
        rb"<and><equalto><field>BATCHKEY</field><value>\d+</value></equalto>)?"
        rb"<greaterthan><field>RECORDNO</field><value>(\d+)</value></greaterthan>(?:</and></or>)?"
        rb"|<offset>(\d+)</offset>"
    )
    _size = re.compile(rb"<pagesize>(\d+)</pagesize>")
    _field = re.compile(rb"<field>([^<]*)</field>")
    _module = re.compile(rb"<equalto><field>MODULEKEY</field><value>([^<]*)</value>")
    _session = re.compile(rb"<sessionid>[^<]*</sessionid>")
    _has = b"2.GL"
    """The module whose lines they are: a first read asks for each module's by themselves."""

    def answer(self, asked: Asked, ask: Ask) -> bytes | None:
        """A page of query."""
        body = asked.body
        if b"<query><object>GLDETAIL</object>" not in body or body.count(b"<function ") > 1:
            return None
        behind, size = 0, int((self._size.search(body) or {1: 100})[1])
        for by_key, by_number in self._behind.findall(body):
            behind = int(by_key or by_number)
        plain = self._behind.sub(b"", body).replace(b"<and></and>", b"")
        plain = re.sub(rb"<and>(<equalto>.*?</equalto>)</and>", rb"\1", plain)
        # other modules, and what is asked for by other fields: lines of documents that changed, say
        plain = plain.replace(b"<filter></filter>", b"")
        fields = set(self._field.findall(plain.partition(b"<filter>")[2].partition(b"</filter>")[0]))
        module = self._module.search(plain)
        has = module is not None and module[1] == self._has
        rows = self.rows if not fields or (fields == {b"MODULEKEY"} and has) else 0
        shape = (self._session.sub(b"", plain[plain.index(b"<content>") :]), rows)
        first = replace(asked, body=plain)
        records, head = self.recorded(shape, first, ask, lambda found: self._made(found, rows))
        left = max(rows - behind, 0)
        count = min(size, left)
        offset = re.search(rb"<offset>(\d+)", body)
        total = rows if offset else left
        data = b'<data listtype="GLDETAIL" totalcount="%d" offset="%d" count="%d" numremaining="%d">' % (
            total,
            int(offset[1]) if offset else 0,
            count,
            left - count,
        )
        page = records.page(behind, count) if count else b""
        return head + data + page + b"</data></result></operation></response>"

    def _made(self, body: bytes, rows: int) -> tuple[Records, bytes]:
        head, _, _ = body.partition(b"<data ")
        texts = re.findall(rb"<GLDETAIL>.*?</GLDETAIL>", body, re.DOTALL)
        if not texts and rows:
            raise RecordingError(f"The sandbox has no GLDETAIL of {self._has} here: {body[-500:]!r}")
        keys: dict[bytes, Slot] = {
            rb"<RECORDNO>\d+</RECORDNO>": lambda n: b"<RECORDNO>%d</RECORDNO>" % (n + 1),
            rb"<BATCHKEY>\d+</BATCHKEY>": lambda n: b"<BATCHKEY>%d</BATCHKEY>" % (n // _BATCH + 1),
        }
        return Records(texts, keys, b""), head


LEDGERS: dict[str, type[Pages]] = {
    "sage300": Sage300,
    "sage300-counted": Sage300Counted,
    "sagex3-graphql": Graphql,
    "sagex3-rest": Rest,
    "intacct": Intacct,
}
