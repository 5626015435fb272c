"""api1: lists, single records, prototypes and the endpoints, read-only (reference 1)."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import msgspec
from starlette.responses import Response

from erp_sandbox.sagex3 import keys
from erp_sandbox.sagex3.errors import JSON, Refused, diagnoses, opaque, refused
from erp_sandbox.sagex3.odd_server import OddServer
from erp_sandbox.sagex3.representations import CLASSES
from erp_sandbox.sagex3.rest_query import filtered, link, read_listing
from erp_sandbox.sagex3.rest_rows import RowWriter, prototype
from erp_sandbox.sagex3.source import Source, source_of
from erp_sandbox.sagex3.store import Question

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Mapping

    from erp_sandbox.sagex3.representations import Class, Collection
    from erp_sandbox.sagex3.store import Store, Stored

ROOT: Final = "/api1/x3/erp/"
ENDPOINTS: Final = "/api1/syracuse/collaboration/syracuse/endPoints"
_ONE: Final = re.compile(r"(?P<name>[^()/]+)\('(?P<key>.*)'\)")
_FACET: Final = re.compile(r"(?P<name>\w+)\.(?P<facet>\$\w+)")
_MISSING: Final = "721 : Record does not exist"
#: References that a record shows with their titles: the property, the table and the field of the title.
_TITLES: Final = {
    "CUR": ("TABCUR", "CURDES"),
    "CPY": ("COMPANY", "CPYNAM"),
    "FCY": ("FACILITY", "FCYNAM"),
}


@dataclass(frozen=True)
class Asked:
    """A request to api1.

    Attributes:
        path: Its path, decoded.
        options: Its query string.
        origin: Scheme and host that the client used.
    """

    path: str
    options: Mapping[str, str]
    origin: str


class Api1:
    """Answers requests.

    Args:
        store: The rows.
        endpoints: Folder of each endpoint.
        cap: The most rows of a page.
        drop_count: Whether ``$next`` forgets the page size, as seen of real servers.
        forbidden: Classes that the user may not read.
        lag: Seconds after which a change can be seen.
        odd: What the server does beside the rules.
    """

    def __init__(
        self,
        store: Store,
        endpoints: Mapping[str, str],
        *,
        cap: int | None = None,
        drop_count: bool = False,
        forbidden: Several[str] = (),
        lag: float = 0.0,
        odd: OddServer | None = None,
    ) -> None:
        self._odd = odd or OddServer()
        self._store = store
        self._endpoints = endpoints
        self._cap = cap
        self._drop_count = drop_count
        self._forbidden = {name.upper() for name in forbidden}
        self._lag = lag

    def answer(self, asked: Asked) -> Response:
        """Answer a request.

        Raises:
            Refused: With the answer to give instead.
        """
        if asked.path.rstrip("/") == ENDPOINTS:
            return self._list_endpoints()
        if not asked.path.startswith(ROOT):
            raise refused(404, f"Not found: {asked.path}")
        endpoint, _, rest = asked.path.removeprefix(ROOT).partition("/")
        folder = self._endpoints.get(endpoint)
        if folder is None:
            raise opaque()
        one = _ONE.fullmatch(rest)
        if one and one["name"] == "$prototypes":
            return self._prototype(folder, unquote(one["key"]))
        name = one["name"] if one else rest
        found = self._class(name, asked.options, "$details" if one else "$query")
        if one:
            return self._record(folder, found, one["key"])
        return self._page(folder, found, asked)

    def _class(self, name: str, options: Mapping[str, str], facet: str) -> Class:
        found = CLASSES.get(self._odd.class_name(name))
        if found is None:
            raise refused(404, f"Class '{name}' does not exist")
        text = self._odd.representation(options.get("representation", ""))
        match = _FACET.fullmatch(text)
        if match is None:
            raise refused(400, "The parameter 'representation' is missing or wrong")
        if match["name"] not in found.representations:
            raise refused(400, f"Representation '{match['name']}' is not a representation of class '{name}'")
        if match["facet"] != facet:
            raise refused(400, f"Facet '{match['facet']}' cannot be used here")
        if name in self._forbidden:
            raise refused(403, f"You are not authorized to read {name}")
        return found

    def _source(self, folder: str, table: str, *, beside: bool = False) -> Source:
        shape = self._odd.shape(table)
        return source_of(table, self._store.custom(folder), beside=beside, shape=shape)

    def _question(self, folder: str, source: Source) -> Question:
        return Question(folder, source, until=time.time() - self._lag if self._lag else None)

    def _page(self, folder: str, found: Class, asked: Asked) -> Response:
        source = self._source(folder, found.table)
        self._odd.check_count(asked.options.get("count", ""))
        try:
            listing = read_listing(asked.options, source, self._cap)
            base = filtered(self._question(folder, source), asked.options.get("where", ""))
        except Refused as refusal:
            raise self._odd.query_refused(refusal) from refusal
        rows = self._store.page(listing.question(base), listing.size + 1)
        more, rows = len(rows) > listing.size, rows[: listing.size]
        if listing.backwards:
            rows.reverse()
        address = f"{asked.origin}{asked.path}"
        count = {"count": str(listing.asked)}
        links = {"$first": link(address, asked.options, **count)}
        if rows and listing.position is not None and (more or not listing.backwards):
            before = f"lt.{listing.place(source, rows[0])}"
            links["$prev"] = link(address, asked.options, key=before, **count)
        if rows and (more or listing.backwards):
            behind = f"gt.{listing.place(source, rows[-1])}"
            kept = {} if self._drop_count else count
            links["$next"] = link(address, asked.options, key=behind, **kept)
        writer = RowWriter(source, folder, self._odd)
        body: dict[str, Any] = {
            "$itemsPerPage": listing.size,
            "$resources": [writer.row(*row) for row in rows],
            "$links": links,
        }
        return _json(self._odd.listed(body))

    def _record(self, folder: str, found: Class, shown: str) -> Response:
        source = self._source(folder, found.table)
        key = keys.read(source.table, shown.replace("''", "'"))
        rows = self._store.lookup(self._question(folder, source), [key])
        if key not in rows:
            return diagnoses(200, _MISSING)
        record = RowWriter(source, folder, self._odd).row(*rows[key])
        self._add_titles(folder, record)
        for collection in found.collections:
            record[collection.name] = self._rows(folder, collection, [key])[key]
        return _json(record)

    def _rows(self, folder: str, collection: Collection, parents: list[str]) -> dict[str, list[Any]]:
        """The rows of a collection, with their own collections, by the keys of their parents."""
        source = self._source(folder, collection.table, beside=True)
        found = self._store.children(self._question(folder, source), parents)
        writer = RowWriter(source, folder, self._odd)
        below: list[Stored] = [row for rows in found.values() for row in rows]
        inside = {
            each.name: self._rows(folder, each, [key for key, _ in below]) for each in collection.inside
        }
        return {
            parent: [
                writer.row(key, doc) | {name: rows[key] for name, rows in inside.items()}
                for key, doc in children
            ]
            for parent, children in found.items()
        }

    def _add_titles(self, folder: str, record: dict[str, Any]) -> None:
        for code, (table, title) in _TITLES.items():
            if isinstance(record.get(code), str) and record[code]:
                source = self._source(folder, table)
                found = self._store.lookup(self._question(folder, source), [record[code]])
                for _, doc in found.values():
                    record[f"{code}_REF"] = {"$title": doc.get(title, ""), "$key": record[code]}

    def _prototype(self, folder: str, name: str) -> Response:
        self._odd.check_prototypes()
        match = _FACET.fullmatch(self._odd.representation(name))
        classes = [each for each in CLASSES.values() if match and match["name"] in each.representations]
        if not match or not classes or match["facet"] not in ("$query", "$details"):
            raise refused(404, f"Prototype '{name}' does not exist")
        found = classes[0]
        properties = prototype(self._source(folder, found.table))
        if match["facet"] == "$details":
            properties |= {each.name: self._described(folder, each) for each in found.collections}
        body = {"$baseUrl": "{$baseUrl}", "$url": f"{{$baseUrl}}/$prototypes('{name}')"}
        return _json({**body, "$class": found.name, "$properties": properties})

    def _described(self, folder: str, collection: Collection) -> dict[str, Any]:
        properties = prototype(self._source(folder, collection.table, beside=True))
        properties |= {each.name: self._described(folder, each) for each in collection.inside}
        return {"$type": "application/x-array", "$item": {"$properties": properties}}

    def _list_endpoints(self) -> Response:
        rows = [
            {
                "$uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
                "dataset": name,
                "description": f"X3 ERP / {folder}",
            }
            for name, folder in self._endpoints.items()
        ]
        return _json({"$itemsPerPage": max(20, len(rows)), "$resources": rows, "$links": {}})


def _json(body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), media_type=JSON)
