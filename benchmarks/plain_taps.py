"""Taps as one writes them with the Singer SDK's template: a schema, a paginator, an authenticator, and no tricks.

They are what the taps here are measured beside. ``python plain_taps.py KIND --config FILE`` reads the stream whose
schema is in the setting ``schema``.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from lxml import etree
from questions import HEADERS, asked
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.pagination import BaseHATEOASPaginator, BaseOffsetPaginator, JSONPathPaginator

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests
    from singer_sdk.helpers.types import Context


class _Stream(RESTStream[Any]):
    replication_key = None

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap, name=tap.config["stream"], schema=json.loads(tap.config["schema"]))

    @property
    def url_base(self) -> str:
        base: str = self.config["base_url"]
        return base

    @property
    def http_headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", **HEADERS}

    @property
    def authenticator(self) -> BasicAuthenticator:
        return BasicAuthenticator(username=self.config["username"], password=self.config["password"])


class _NextLink(BaseHATEOASPaginator):
    def get_next_url(self, response: requests.Response) -> str | None:
        document = response.json()
        if "@odata.nextLink" in document:
            link: str = document["@odata.nextLink"]
            return link
        following = (document.get("$links") or {}).get("$next") or {}
        return following.get("$url")


class _Linked(_Stream):
    """A list whose pages name the next one."""

    def get_new_paginator(self) -> _NextLink:
        return _NextLink()

    def get_url_params(self, context: Context | None, next_page_token: Any | None) -> Any:  # noqa: ARG002
        return next_page_token.query if next_page_token else dict(self.first)

    first: ClassVar[dict[str, str]] = {}


class Sage300(_Linked):
    """Posted lines of Sage 300."""

    path = "/SAMINC/GL/GLPostedTransactions"
    records_jsonpath = "$.value[*]"


class RestList(_Linked):
    """Journal lines of Sage X3 as a list."""

    path = "/api1/x3/erp/SAMINC/GACCENTRYD"
    records_jsonpath = "$['$resources'][*]"
    first: ClassVar[dict[str, str]] = {"representation": "ZGACCENTRYD.$query", "count": "1000"}


class RestEntries(_Linked):
    """Journal entries of Sage X3, for the keys of their documents."""

    path = "/api1/x3/erp/SAMINC/GACCENTRY"
    records_jsonpath = "$['$resources'][*]"
    first: ClassVar[dict[str, str]] = {"representation": "GACCENTRY.$query", "count": "100"}

    def __init__(self, tap: Tap) -> None:
        schema = th.PropertiesList(th.Property("TYP", th.StringType), th.Property("NUM", th.StringType))
        RESTStream.__init__(self, tap, name="entries", schema=schema.to_dict())

    def get_child_context(self, record: dict[str, Any], context: Context | None) -> dict[str, Any]:  # noqa: ARG002
        return {"TYP": record["TYP"], "NUM": record["NUM"]}


class RestDocuments(_Stream):
    """Journal lines of Sage X3, document by document."""

    path = "/api1/x3/erp/SAMINC/GACCENTRY('{TYP}~{NUM}')"
    records_jsonpath = "$.HAEDAE[*]"
    parent_stream_type = RestEntries
    state_partitioning_keys: ClassVar[list[str]] = []

    def get_url_params(self, context: Context | None, next_page_token: Any | None) -> dict[str, Any]:  # noqa: ARG002
        return {"representation": "GACCENTRY.$details"}


class Graphql(_Stream):
    """Journal lines of Sage X3 over GraphQL, with the query that is in the settings."""

    path = "/xtrem/api"
    http_method = "POST"
    next_page_token_jsonpath = "$.data.x3Finance.journalEntry.query.pageInfo.endCursor"

    def get_new_paginator(self) -> _Cursor:
        return _Cursor(self.next_page_token_jsonpath)

    def prepare_request_payload(self, context: Context | None, next_page_token: Any | None) -> dict[str, Any]:  # noqa: ARG002
        return {"query": self.config["query"], "variables": {"after": next_page_token}}

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        for entry in response.json()["data"]["x3Finance"]["journalEntry"]["query"]["edges"]:
            for line in entry["node"]["journalEntryLines"]["query"]["edges"]:
                yield line["node"]


class _Cursor(JSONPathPaginator):
    def has_more(self, response: requests.Response) -> bool:
        info = response.json()["data"]["x3Finance"]["journalEntry"]["query"]["pageInfo"]
        return bool(info["hasNextPage"])


class _ByOffset(BaseOffsetPaginator):
    def has_more(self, response: requests.Response) -> bool:
        return b'numremaining="0"' not in response.content[:2_000]


class Intacct(_Stream):
    """Details of Intacct's ledger: XML that the template has no parser for, read with lxml."""

    path = ""
    http_method = "POST"
    page = 2_000

    @property
    def http_headers(self) -> dict[str, str]:
        return {"Content-Type": "application/xml"}

    def get_new_paginator(self) -> _ByOffset:
        return _ByOffset(0, self.page)

    def prepare_request(
        self,
        context: Context | None,  # noqa: ARG002
        next_page_token: Any | None,
    ) -> requests.PreparedRequest:
        body = asked(self.config["login"], self.config["fields"], self.page, next_page_token or 0)
        return self.build_prepared_request(
            method="POST", url=self.get_url(None), headers=self.http_headers, data=body
        )

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        for record in etree.fromstring(response.content).iterfind(".//GLDETAIL"):
            yield {field.tag: field.text for field in record}


class PlainTap(Tap):
    """One stream of one API."""

    name = "tap-plain"
    streams_of: ClassVar[list[type[RESTStream[Any]]]] = []
    config_jsonschema = th.PropertiesList(
        th.Property("base_url", th.StringType, required=True),
        th.Property("stream", th.StringType, required=True),
        th.Property("schema", th.StringType, required=True),
        th.Property("username", th.StringType, default=""),
        th.Property("password", th.StringType, default=""),
        th.Property("query", th.StringType),
        th.Property("login", th.StringType),
        th.Property("fields", th.ArrayType(th.StringType)),
    ).to_dict()

    def discover_streams(self) -> list[RESTStream[Any]]:
        """The stream, and what it hangs on."""
        return [each(self) for each in self.streams_of]  # type: ignore[call-arg]


KINDS: dict[str, list[type[RESTStream[Any]]]] = {
    "sage300": [Sage300],
    "list": [RestList],
    "documents": [RestEntries, RestDocuments],
    "graphql": [Graphql],
    "intacct": [Intacct],
}


if __name__ == "__main__":
    PlainTap.streams_of = KINDS[sys.argv.pop(1)]
    PlainTap.cli()
