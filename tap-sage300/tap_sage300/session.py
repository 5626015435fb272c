"""Requests to one company's Web API: signed, patient, judged."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec
from ml_connector.extract.errors import (
    ApiError,
    Denied,
    InvalidSetting,
    SignInRefused,
    StreamUnavailable,
    TooSlow,
    Transient,
)
from ml_connector.extract.http import (
    GaveUpError,
    HttpError,
    HttpSettings,
    PoliteSession,
    TryAgain,
    transient,
)

from tap_sage300 import odata
from tap_sage300.answers import WrappedError, one_object
from tap_sage300.errors import (
    BAD_REQUEST,
    NOT_FOUND,
    PERMANENT_CODES,
    AddressTooLong,
    Where,
    explain,
    html_title,
    is_html,
    read_error,
    says_not_activated,
)
from tap_sage300.metadata import MetadataError, ModuleMetadata, parse_metadata

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    import requests
    from ml_connector.extract.http import Clock

T = TypeVar("T")

_JSON = "application/json"
_SESSION_CODES = frozenset({"sessionerror"})
_TRANSIENT_CODES = frozenset({"toomanyrequests", "internalservererror", "dblinkerror", *_SESSION_CODES})
_CONFLICT, _GATEWAY_TIMEOUT = 409, 504
PROFILE = ("CS", "CSCompanyProfile")
"""Every company has one."""


class Session:
    """One HTTP session with its cookies, for one company.

    Args:
        config: The tap's settings, revealed: `base_url`, `username`, `password`, and the common ones.
        company: The company's Org ID, as it stands in the address.
        logger: Gets a line a retry.
        clock: Time and chance, for tests.

    Raises:
        InvalidSetting: `base_url` is no web address.
    """

    def __init__(
        self, config: Mapping[str, Any], company: str, logger: logging.Logger, *, clock: Clock | None = None
    ) -> None:
        self.company = company
        self._base_url = str(config["base_url"]).strip().rstrip("/")
        if not self._base_url.lower().startswith(("http://", "https://")):
            raise InvalidSetting(
                f"The setting base_url is {self._base_url!r}: give the Web API's address with http:// or"
                " https://, up to and including /v1.0/-."
            )
        self._logger = logger
        # Sage 300 keeps users and passwords in capitals and compares them as sent
        self._user = str(config.get("username") or "").strip().upper()
        password = str(config.get("password") or "").strip().upper()
        self._http = PoliteSession(
            HttpSettings.from_config(config),
            auth=(self._user, password),
            # the server answers 500 to a request without a content type, also to a GET
            headers={"Content-Type": _JSON, "Accept": _JSON},
            logger=logger,
            clock=clock,
        )
        self._reached = False
        self._down = False
        """Nothing of the company could be read: no more patience until something can."""
        self._behind = 0.0
        self._heard = False
        self._metadata: dict[str, ModuleMetadata | ApiError] = {}

    def now(self) -> float:
        """The server's clock; the first time, the company's profile is asked for it.

        Raises:
            SignInRefused: User or password is wrong: said once, before anything else is tried.
        """
        if not self._heard:
            self._heard = True
            try:
                self.profile()
            except SignInRefused:
                raise
            except ApiError as error:
                self._logger.debug("%s: %s", self.company, error)
        return time.time() - self._behind

    def get(
        self,
        module: str,
        entity_set: str,
        query: str,
        decode: Callable[[bytes], T],
        *,
        most: int | None = None,
        accept: str = _JSON,
    ) -> T:
        """Ask for a collection.

        Args:
            module: `AP`, `GL`, ... as in the address.
            entity_set: `APVendors`, ...
            query: Query options, encoded.
            decode: Turns a body into a value; raises `WrappedError` for an error in a success.
            most: Repetitions, where fewer than the settings allow are wanted.
            accept: The content type.

        Returns:
            What `decode` made of it.

        Raises:
            StreamUnavailable: The company has no such entity set or module.
            SignInRefused: 401, also after a fresh session, and not only here.
            Denied: 403, or a 401 for this entity set alone.
            Refused: The question was not accepted.
            Transient: A failure that outlived all attempts.
            ApiError: Any other.
        """
        where = Where(self.company, module, entity_set, self._user)
        url = odata.resource_url(self._base_url, self.company, module, entity_set)
        url = f"{url}?{query}" if query else url
        try:
            value = self._ask(url, where, decode, accept=accept, most=0 if self._down else most)
        except StreamUnavailable as missing:
            if not self._reached:
                self._check_company(where, missing)
            raise
        except Transient as error:
            if self._down or (most is None and not self._is_alive(where)):
                self._down = True
                raise Transient(str(error)) from error
            raise
        self._reached, self._down = True, False
        return value

    def profile(self) -> dict[str, Any]:
        """Read the company's profile.

        Raises:
            ApiError: As `get` does.
        """
        document = self.get(*PROFILE, "$top=1", one_object)
        records = document.get("value")
        return records[0] if isinstance(records, list) and records and isinstance(records[0], dict) else {}

    def metadata(self, module: str) -> ModuleMetadata:
        """Describe a module as this company's server does; asked once, then remembered, its failure too.

        Raises:
            StreamUnavailable: The company has no such module.
            ApiError: As for `get`, or the description cannot be understood.
        """
        known = self._metadata.get(module)
        if known is None:
            try:
                known = self.get(module, "$metadata", "", parse_metadata, accept="application/xml")
            except ApiError as error:
                known = error
            self._metadata[module] = known
        if isinstance(known, ApiError):
            raise known
        return known

    def close(self) -> None:
        """End the session; requests that wait are given up."""
        self._http.close()

    def _check_company(self, where: Where, missing: StreamUnavailable) -> None:
        """Tell a missing module from a mistyped company or address: every company has its profile."""
        if (where.module, where.entity_set) != PROFILE:
            try:
                self._ask_profile()
            except StreamUnavailable:
                pass
            except ApiError:
                # the company is there; its profile is not for this user, or broken
                self._reached = True
                return
            else:
                self._reached = True
                return
        raise ApiError(
            f"The server at {self._base_url} has no company {self.company}, or no Web API there: check"
            f" companies (Org IDs) and base_url, which must end in /v1.0/-. {missing}"
        ) from missing

    def _is_alive(self, where: Where) -> bool:
        """Whether anything else of the company can be read."""
        if (where.module, where.entity_set) == PROFILE:
            return False
        try:
            self._ask_profile(most=1)
        except Transient:
            return False
        except ApiError:
            pass
        return True

    def _ask_profile(self, most: int | None = None) -> None:
        url = odata.resource_url(self._base_url, self.company, *PROFILE)
        where = Where(self.company, *PROFILE, self._user)
        self._ask(f"{url}?$top=1", where, one_object, most=most, probe=True)

    def _ask(
        self,
        url: str,
        where: Where,
        decode: Callable[[bytes], T],
        *,
        accept: str = _JSON,
        most: int | None = None,
        probe: bool = False,
    ) -> T:
        send = partial(
            self._http.request,
            "GET",
            url,
            read=partial(self._read, where=where, decode=decode),
            headers={"Accept": accept},
            most=most,
        )
        try:
            try:
                return send()
            except SignInRefused:
                if not self._reached or probe:
                    raise
                # the login worked before: the server's session has ended, and a fresh one repeats this page
                self._logger.info("%s: the session ended, logging in again.", where)
                self._http.session.cookies.clear()
                try:
                    return send()
                except SignInRefused as refused:
                    self._only_here(where, refused)
        except GaveUpError as error:
            kind = TooSlow if error.slow else Transient
            raise kind(f"Reading {where} failed: {error}") from error
        except HttpError as error:
            raise ApiError(str(error)) from error

    def _only_here(self, where: Where, refused: SignInRefused) -> NoReturn:
        """A 401 for one entity set, while others are read, is a right that lacks."""
        try:
            self._ask_profile()
        except SignInRefused:
            raise refused from None
        except ApiError:
            pass
        raise Denied(
            f"The server refuses {where} with 401, though it accepts the login elsewhere: in Sage 300 give"
            f" the user's security group of application {where.module} the right to view these records."
        ) from refused

    def _read(self, response: requests.Response, where: Where, decode: Callable[[bytes], T]) -> T:
        self._note_clock(response)
        content = response.content
        if response.status_code >= BAD_REQUEST:
            raise self._verdict(response, where)
        try:
            return decode(content)
        except WrappedError:
            raise self._verdict(response, where) from None
        except (msgspec.DecodeError, UnicodeDecodeError, MetadataError) as error:
            seen = f"a broken body ({error})" if content.strip() else "an empty body"
            if is_html(content):
                seen = f"a web page titled {html_title(response.text)!r}"
            final = Transient(
                f"Reading {where}: instead of data the server at {self._base_url} sent {seen}; check"
                " base_url, and the server's log if the address is right.",
                answered=True,
            )
            raise TryAgain(f"the server sent {seen}", final=final) from None

    def _note_clock(self, response: requests.Response) -> None:
        try:
            told = parsedate_to_datetime(response.headers["Date"]).timestamp()
        except (KeyError, TypeError, ValueError):
            return
        self._behind, self._heard = time.time() - told, True

    def _verdict(self, response: requests.Response, where: Where) -> Exception:
        """Decide between asking again and an error; the error's code weighs more than the status."""
        status, content = response.status_code, response.content
        body = read_error(content)
        final = explain(status, content, where, reached_before=self._reached)
        if says_not_activated(body) or isinstance(final, AddressTooLong):
            return final
        again = transient(response)
        if status == _GATEWAY_TIMEOUT and again is not None:
            # the server lives, and this page takes it too long
            again.distress, final = False, TooSlow(str(final))
        code = body.code.lower()
        wrapped = status < BAD_REQUEST
        if again is None and (code in _TRANSIENT_CODES or (wrapped and code not in PERMANENT_CODES)):
            again = TryAgain(
                f"the server answered {body.code or 'an error'}", distress=code == "toomanyrequests"
            )
        if again is None and status == _CONFLICT:
            # also a lock, such as that of Day End Processing
            again = TryAgain(f"the server answered 409 {body.code}".rstrip())
        if again is None and status == NOT_FOUND and (is_html(content) or not content.strip()):
            # not said by the Web API itself: IIS shows such a page while an application pool starts
            again = TryAgain("the server answered 404 with no word of the Web API", distress=self._reached)
        if again is None:
            return final
        if code in _SESSION_CODES:
            self._http.session.cookies.clear()
        again.final = final
        return again
