"""One company's Web API: pages of records in, exact decimals out."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
from ml_connector.extract.http import (
    Clock,
    GaveUpError,
    HttpError,
    HttpSettings,
    PoliteSession,
    TryAgain,
    transient,
)
from ml_connector.extract.prefetch import prefetch
from ml_connector.extract.settings import DEFAULT_PREFETCH_PAGES
from ml_connector.secrets import reveal

from tap_sage300 import odata
from tap_sage300.errors import (
    BAD_REQUEST,
    NOT_FOUND,
    PERMANENT_CODES,
    LoginRefused,
    NotAllowed,
    Sage300Error,
    StreamUnavailable,
    Where,
    error_in,
    explain,
    html_title,
    is_html,
    read_error,
    says_not_activated,
)
from tap_sage300.metadata import MetadataError, ModuleMetadata, parse_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import requests

T = TypeVar("T")

_JSON = "application/json"
_SESSION_CODES = frozenset({"sessionerror"})
_TRANSIENT_CODES = frozenset({"toomanyrequests", "internalservererror", "dblinkerror", *_SESSION_CODES})

_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Page(NamedTuple):
    """One answer of a collection."""

    records: list[dict[str, Any]]
    """The records as the server spells them; numbers with a decimal point are `decimal.Decimal`."""
    skip: int
    """How many records of the collection come before this page."""
    total: int | None
    """How many records match in all, if the server counted."""


class Sage300Client:
    """Reads one company, with one HTTP session and its cookies.

    Args:
        config: The tap's settings: `base_url`, `username`, `password` (plain or `enc:v1:`), and the common
            ones of `ml_connector.extract.common_settings`.
        company: The company's Org ID, as it stands in the address.
        logger: For retries and progress; by default `tap_sage300.client`.
        clock: Time and chance, for tests.

    Raises:
        Sage300Error: `base_url` is no web address.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        company: str,
        *,
        logger: logging.Logger | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.company = company
        self._base_url = str(config["base_url"]).strip().rstrip("/")
        if not self._base_url.lower().startswith(("http://", "https://")):
            raise Sage300Error(
                f"The setting base_url is {self._base_url!r}: give the Web API's address with http:// or"
                " https://, up to and including /v1.0/-."
            )
        self._logger = logger or logging.getLogger(__name__)
        # Sage 300 keeps users and passwords in capitals and compares them as sent.
        self._user = str(config.get("username") or "").upper()
        password = reveal(str(config.get("password") or "")).upper()
        self._page_size: int | None = config.get("page_size") or None
        prefetch_pages = config.get("prefetch_pages")
        self._prefetch_pages = DEFAULT_PREFETCH_PAGES if prefetch_pages is None else int(prefetch_pages)
        self._http = PoliteSession(
            HttpSettings.from_config(config),
            auth=(self._user, password),
            # The server answers 500 to a request without a content type, also to a GET.
            headers={"Content-Type": _JSON, "Accept": _JSON},
            logger=self._logger,
            clock=clock,
        )
        self._reached = False
        self._metadata: dict[str, ModuleMetadata] = {}

    def pages(
        self,
        module: str,
        entity_set: str,
        *,
        select: Sequence[str] | None = None,
        filter_: str | None = None,
        skip: int = 0,
    ) -> Iterator[Page]:
        """Read a collection page by page, `prefetch_pages` ahead.

        Args:
            module: `AP`, `GL`, ... as in the address.
            entity_set: `APVendors`, ...
            select: Only these properties; None or empty for all.
            filter_: An OData condition (see `tap_sage300.odata`).
            skip: Start after that many records, to resume; rows come in key order.

        Returns:
            The pages, in the server's order. Closing the iterator stops fetching.

        Raises:
            StreamUnavailable: The company has no such entity set or module.
            LoginRefused: 401, also after a fresh session.
            NotAllowed: 403.
            Sage300Error: Any other error, also one that outlived all retries.
        """
        options: dict[str, str] = {"$count": "true"}
        if select:
            options["$select"] = ",".join(select)
        if filter_:
            options["$filter"] = filter_
        return prefetch(self._pages(module, entity_set, options, skip), self._prefetch_pages)

    def get(self, module: str, entity_set: str, key: str) -> dict[str, Any]:
        """Read one entry.

        Args:
            module: `AP`, ...
            entity_set: `APVendors`, ...
            key: The key text as `tap_sage300.odata.key` writes it: `'1200'`, `66`,
                `BatchSelector='PY',BatchNumber=1`.

        Returns:
            The record, without the server's annotations.

        Raises:
            RecordNotFound: No record has this key.
            Sage300Error: As for `pages`.
        """
        url = odata.resource_url(self._base_url, self.company, module, f"{entity_set}({key})")
        record = self._fetch(url, self._where(module, entity_set), _decode_object)
        return {name: value for name, value in record.items() if not name.startswith("@")}

    def metadata(self, module: str) -> ModuleMetadata:
        """Describe a module as this company's server does; asked once, then remembered.

        Args:
            module: `AP`, ...

        Returns:
            The entity sets with their properties, partner and optional fields included.

        Raises:
            StreamUnavailable: The company has no such module.
            Sage300Error: As for `pages`, or the description cannot be understood.
        """
        if module not in self._metadata:
            url = odata.resource_url(self._base_url, self.company, module, "$metadata")
            where = self._where(module, "$metadata")
            self._metadata[module] = self._fetch(url, where, _decode_metadata, accept="application/xml")
        return self._metadata[module]

    def close(self) -> None:
        """End the session; requests that wait are given up."""
        self._http.close()

    def _pages(self, module: str, entity_set: str, options: Mapping[str, str], start: int) -> Iterator[Page]:
        url = odata.resource_url(self._base_url, self.company, module, entity_set)
        where = self._where(module, entity_set)
        address = self._page_address(url, options, start)
        position, total, linked = start, None, False
        skipped_from: list[dict[str, Any]] | None = None
        while True:
            document = self._fetch(address, where, _decode_collection)
            records: list[dict[str, Any]] = document["value"]
            count, link = document.get("@odata.count"), document.get("@odata.nextLink")
            total = total if count is None else int(count)
            if records and records == skipped_from:
                raise _paging_stuck(where, position)
            if records or position == start:
                yield Page(records, position, total)
            position += len(records)
            if link:
                following, skipped_from, linked = odata.rebased(link, url), None, True
                if following == address:
                    raise _paging_stuck(where, position)
                address = following
            elif records and (not linked if total is None else position < total):
                # No link, yet more to come: the server drops links, or $top cut the page short. A server that
                # neither links nor counts is asked until it has no more.
                address, skipped_from = self._page_address(url, options, position), records
            else:
                return

    def _page_address(self, url: str, options: Mapping[str, str], skip: int) -> str:
        query = dict(options)
        if skip:
            query["$skip"] = str(skip)
        if self._page_size:
            query["$top"] = str(self._page_size)
        return f"{url}?{odata.query(query)}"

    def _fetch(self, url: str, where: Where, decode: Callable[[bytes], T], *, accept: str = _JSON) -> T:
        try:
            value = self._ask(url, where, decode, accept=accept)
        except StreamUnavailable as missing:
            if missing.status == NOT_FOUND and not self._reached:
                self._check_company(missing)
            raise
        self._reached = True
        return value

    def _check_company(self, missing: StreamUnavailable) -> None:
        """Tell a missing module from a mistyped company or address: every company has its profile."""
        where = self._where("CS", "CSCompanyProfile")
        try:
            self._ask(odata.resource_url(self._base_url, *where[:3]), where, _decode_object)
        except StreamUnavailable:
            raise Sage300Error(
                f"The server at {self._base_url} has no company {self.company}, or no Web API there: check"
                f" companies (Org IDs) and base_url, which must end in /v1.0/-. {missing}",
                status=missing.status,
                code=missing.code,
            ) from missing
        except NotAllowed:
            pass  # The company is there; its profile is not for this user.
        self._reached = True

    def _ask(self, url: str, where: Where, decode: Callable[[bytes], T], *, accept: str = _JSON) -> T:
        def read(response: requests.Response) -> T:
            return self._read(response, where, decode)

        headers = {"Accept": accept}
        try:
            try:
                return self._http.request("GET", url, read=read, headers=headers)
            except LoginRefused:
                if not self._reached:
                    raise
                # The login worked before: the server's session has ended. A fresh one repeats this page.
                self._logger.info("%s: the session ended, logging in again.", where)
                self._http.session.cookies.clear()
                return self._http.request("GET", url, read=read, headers=headers)
        except GaveUpError as error:
            raise Sage300Error(f"Reading {where} failed: {error}") from error
        except HttpError as error:
            raise Sage300Error(str(error)) from error

    def _read(self, response: requests.Response, where: Where, decode: Callable[[bytes], T]) -> T:
        content = response.content
        if response.status_code >= BAD_REQUEST:
            raise self._verdict(response, where)
        try:
            return decode(content)
        except _WrappedError:
            raise self._verdict(response, where) from None
        except (msgspec.DecodeError, UnicodeDecodeError, MetadataError) as error:
            seen = f"a broken body ({error})" if content.strip() else "an empty body"
            if is_html(content):
                seen = f"a web page titled {html_title(response.text)!r}"
            final = Sage300Error(
                f"Reading {where}: instead of data the server at {self._base_url} sent {seen}; check"
                " base_url, and the server's log if the address is right.",
                status=response.status_code,
            )
            raise TryAgain(f"the server sent {seen}", final=final) from None

    def _verdict(self, response: requests.Response, where: Where) -> Exception:
        """Decide between asking again and an error; the error's code weighs more than the status."""
        body = read_error(response.content)
        final = explain(response.status_code, response.content, where, reached_before=self._reached)
        if says_not_activated(body):
            return final
        again = transient(response)
        code = body.code.lower()
        wrapped = response.status_code < BAD_REQUEST
        if again is None and (code in _TRANSIENT_CODES or (wrapped and code not in PERMANENT_CODES)):
            again = TryAgain(
                f"the server answered {body.code or 'an error'}", distress=code == "toomanyrequests"
            )
        if again is None:
            return final
        if code in _SESSION_CODES:
            self._http.session.cookies.clear()
        again.final = final
        return again

    def _where(self, module: str, entity_set: str) -> Where:
        return Where(self.company, module, entity_set, self._user)


class _WrappedError(Exception):
    """A success that carries an error object."""


def _paging_stuck(where: Where, position: int) -> Sage300Error:
    return Sage300Error(
        f"The server repeats the same page of {where} at position {position}: its paging does not work;"
        " report this with the server's Sage 300 version."
    )


def _decode_object(content: bytes) -> dict[str, Any]:
    document = _decoder.decode(content.removeprefix(b"\xef\xbb\xbf"))
    if error_in(document) is not None:
        raise _WrappedError
    if not isinstance(document, dict):
        raise msgspec.DecodeError("not a JSON object")
    return document


def _decode_collection(content: bytes) -> dict[str, Any]:
    document = _decode_object(content)
    records = document.get("value")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise msgspec.DecodeError("no list of records under 'value'")
    if records and any(name.startswith("@") for name in records[0]):
        document["value"] = [{n: v for n, v in record.items() if not n.startswith("@")} for record in records]
    return document


def _decode_metadata(content: bytes) -> ModuleMetadata:
    return parse_metadata(content)
