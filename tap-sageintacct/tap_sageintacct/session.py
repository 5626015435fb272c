"""One session of the gateway: signed in once, kept while it lives, renewed before it ends (reference 1.2)."""

from __future__ import annotations

import re
import threading
import time
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from ml_connector.extract.errors import ApiError, SignInRefused, TooSlow, Transient
from ml_connector.extract.http import (
    GaveUpError,
    HttpError,
    HttpSettings,
    PoliteSession,
    TryAgain,
    transient,
)
from requests import PreparedRequest
from requests.exceptions import RequestException

from tap_sageintacct import errors, xml
from tap_sageintacct.errors import IntacctError, Said, SessionEnded

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    import requests

    from tap_sageintacct.xml import Answer, Element, Result

DEFAULT_URL = "https://api.intacct.com/ia/xml/xmlgw.phtml"
DEFAULT_LIFETIME = 3_000
_MOST_SIGN_INS = 4
"""A session that dies again and again on the same request is a problem of its own."""
_TOGETHER = 20
"""Functions in one request: enough to spare round trips, few enough for the gateway's 15 minutes."""
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_TITLE = re.compile(rb"<title[^>]*>\s*([^<]{1,200}?)\s*</title>", re.IGNORECASE)
_NOT_IN_ADDRESSES = re.compile(r"[\\@\s\x00-\x1f]")


class Session:
    """Sends functions, signed in to one entity of a company.

    Args:
        config: The settings, secrets in plain text.
        entity: The entity; empty for the top level.
        logger: Gets a line a retry and a sign-in.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        entity: str,
        *,
        logger: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.entity = entity
        self._config = config
        self._logger = logger
        self._clock = clock
        self._lifetime = float(config.get("session_lifetime") or DEFAULT_LIFETIME)
        self._sign_in_url = str(config.get("base_url") or DEFAULT_URL)
        self._url = self._sign_in_url
        self._token: str | None = None
        self._signed_in_at = 0.0
        self._skew = timedelta(0)
        self._cleaned: set[str] = set()
        self._sender = (str(config["sender_id"]), str(config["sender_password"]))
        headers = {"Content-Type": "application/xml", "Accept": "application/xml, text/xml"}
        self._http = PoliteSession(HttpSettings.from_config(config), headers=headers, logger=logger)
        self._one_at_a_time = threading.RLock()

    def run(self, functions: Sequence[tuple[str, Element]], *, most: int | None = None) -> list[Result]:
        """Send functions in one request, and give their results in the same order.

        A session that has ended is renewed and the request sent again: functions that read may be repeated.

        Args:
            functions: What is asked, for a person, and its element.
            most: Repetitions, instead of the settings'.

        Returns:
            The results; one that failed has its errors, for `raise_for`.

        Raises:
            SignInRefused: Sender, company or user is wrong.
            IntacctError: The gateway refuses the request.
            Transient: What passes did not pass in all attempts.
        """
        with self._one_at_a_time:
            for _ in range(_MOST_SIGN_INS):
                if self._token is None or self._clock() - self._signed_in_at > self._lifetime:
                    self._sign_in()
                login = xml.element("sessionid", text=self._token)
                try:
                    results = self._send(self._url, login, functions, most).results
                except SessionEnded as ended:
                    self._logger.info("The session ended (%s); signing in again.", ended)
                    self._token = None
                    continue
                if len(results) != len(functions):
                    raise IntacctError(
                        f"The gateway gave {len(results)} results for {len(functions)} functions."
                    )
                return results
        raise Transient(f"The gateway ended {_MOST_SIGN_INS} sessions in a row before it answered.")

    def one(self, what: str, function: Element, *, most: int | None = None) -> Result:
        """Run one function.

        Args:
            what: What is asked, for a person.
            function: Its element.
            most: Repetitions, instead of the settings'.

        Raises:
            ApiError: It failed.
        """
        (result,) = self.run([(what, function)], most=most)
        raise_for(result, what)
        return result

    def several(self, functions: Sequence[tuple[str, Element]]) -> list[Result]:
        """Run functions in as few requests as is polite; failed ones have their errors."""
        results: list[Result] = []
        for start in range(0, len(functions), _TOGETHER):
            some = functions[start : start + _TOGETHER]
            results += [
                self._once_more(what, each, result) if result.failed and len(some) > 1 else result
                for (what, each), result in zip(some, self.run(some), strict=True)
            ]
        return results

    def _once_more(self, what: str, function: Element, result: Result) -> Result:
        """Ask alone for what failed in passing among others."""
        if not isinstance(errors.result_failed(result.errors, what), TryAgain):
            return result
        try:
            return self.run([(what, deepcopy(function))])[0]
        except ApiError as error:
            self._logger.debug("%s failed alone, too: %s", what, error)
            return result

    def now(self) -> datetime:
        """This moment by Intacct's clock, which stamps the records, as the sign-in told it.

        Raises:
            SignInRefused: Sender, company or user is wrong.
        """
        self.sign_in()
        return datetime.now(timezone.utc) + self._skew

    def close(self) -> None:
        """Let connections go."""
        self._http.close()

    def sign_in(self) -> None:
        """Sign in, unless that was done.

        Raises:
            SignInRefused: Sender, company or user is wrong.
        """
        with self._one_at_a_time:
            if self._token is None:
                self._sign_in()

    def _sign_in(self) -> None:
        config = self._config
        login = xml.element(
            "login",
            xml.element("userid", text=config["user_id"]),
            xml.element("companyid", text=config["company_id"]),
            xml.element("password", text=config["user_password"]),
            xml.element("locationid", text=self.entity) if self.entity else None,
        )
        ask = xml.element("getAPISession")
        if self.entity:
            ask = xml.element("getAPISession", xml.element("locationid", text=self.entity))
        answer = self._send(self._sign_in_url, login, [("getAPISession", ask)])
        (result,) = answer.results
        api = result.rows[0] if result.rows else {}
        if result.failed:
            raise errors.sign_in_failed(result.errors, self.entity)
        if not api.get("sessionid"):
            raise IntacctError("The gateway's answer to getAPISession lacks a session.")
        self._token = str(api["sessionid"])
        self._url = self._endpoint(str(api.get("endpoint") or ""))
        self._signed_in_at = self._clock()
        self._skew = _skew(answer.timestamp)

    def _endpoint(self, named: str) -> str:
        """The endpoint that the gateway names, if the sender's password may go there.

        Raises:
            SignInRefused: It is neither Intacct's nor where the sign-in went.
        """
        if not named.strip():
            return self._sign_in_url
        ours, theirs = _connected(self._sign_in_url), _connected(named.strip())
        host = (theirs.hostname or "").lower()
        known = host == (ours.hostname or "").lower() or f".{host}".endswith(".intacct.com")
        plain = _NOT_IN_ADDRESSES.search(named.strip()) is None
        if not host or not known or not plain or (ours.scheme == "https" and theirs.scheme != "https"):
            raise SignInRefused(
                f"The gateway at {self._sign_in_url} names {named.strip()} as its endpoint, which is not"
                " Intacct's: the credentials are not sent there. Check base_url."
            )
        return named.strip()

    def _send(
        self, url: str, login: Element, functions: Sequence[tuple[str, Element]], most: int | None = None
    ) -> Answer:
        body = xml.request(
            self._sender, login, [(str(number), each) for number, (_, each) in enumerate(functions)]
        )
        names = [what for what, _ in functions]

        def read(response: requests.Response) -> Answer:
            return _read(response, names, in_session=login.tag == "sessionid", entity=self.entity)

        try:
            answer = self._http.request("POST", url, read=read, data=body, most=most)
        except GaveUpError as error:
            raise (TooSlow if error.slow else Transient)(str(error)) from error
        except HttpError as error:
            raise IntacctError(str(error)) from error
        if answer.cleaned:
            self._say_cleaned(names)
        return answer

    def _say_cleaned(self, names: Sequence[str]) -> None:
        text = ", ".join(name for name in names if name not in self._cleaned)
        if text:
            self._cleaned.update(names)
            self._logger.warning(
                "%s: texts hold characters that XML forbids; they are left out, the rest is read.", text
            )


def _connected(address: str) -> SplitResult:
    """An address as the library that connects has read it.

    Raises:
        SignInRefused: It is none.
    """
    prepared = PreparedRequest()
    try:
        prepared.prepare_url(address, None)
    except (RequestException, ValueError) as error:
        raise SignInRefused(f"'{address}' is no address of a gateway. Check base_url.") from error
    return urlsplit(prepared.url or "")


def _skew(timestamp: str | None) -> timedelta:
    """How far Intacct's clock is ahead of this machine's."""
    try:
        at = datetime.fromisoformat(str(timestamp).strip())
    except ValueError:
        return timedelta(0)
    return at - datetime.now(timezone.utc) if at.tzinfo else timedelta(0)


def _read(response: requests.Response, names: Sequence[str], *, in_session: bool, entity: str) -> Answer:
    """Judge an answer: HTTP 200 is not a success by itself."""
    body = response.content
    try:
        answer = xml.read(body)
    except xml.NotXml as error:
        if again := transient(response):
            raise again from error
        said = f"{error} (HTTP {response.status_code}{_title(body)})"
        if response.status_code < _CLIENT_ERROR or response.status_code >= _SERVER_ERROR:
            # a page that is broken each time may be whole when it is smaller
            final = Transient(
                f"{', '.join(names)}: {said}. Check base_url and proxy_url if it is never another.",
                answered=in_session,
            )
            raise TryAgain(said, final=final) from error
        raise IntacctError(
            f"The gateway answered HTTP {response.status_code} without XML{_title(body)}. Check base_url and"
            " proxy_url."
        ) from error
    if again := transient(response):
        raise again
    if answer.control_errors is not None:
        raise errors.control_failed(answer.control_errors, in_session=in_session, entity=entity)
    if answer.sign_in_errors is not None:
        raise errors.sign_in_failed(answer.sign_in_errors, entity)
    for result, what in zip(answer.results, names, strict=False):
        if result.failed:
            problem = errors.result_failed(result.errors or [Said("", "", "no reason given", "")], what)
            # An overloaded gateway fails the request; one function among several is asked again alone.
            passes = isinstance(problem, TryAgain) and (problem.distress or len(names) == 1)
            if passes or isinstance(problem, SessionEnded):
                raise problem
    return answer


def _title(body: bytes) -> str:
    """What an HTML page calls itself, for a person."""
    match = _TITLE.search(body)
    return f", a page titled '{match[1].decode(errors='replace')}'" if match else ""


def raise_for(result: Result, what: str) -> None:
    """Raise what a result failed with; `Refused` if that is what the company or its gateway does not have.

    Args:
        result: A function's result.
        what: What was asked, for a person.

    Raises:
        ApiError: It failed.
    """
    if result.failed:
        problem = errors.result_failed(result.errors, what)
        if isinstance(problem, TryAgain):
            raise problem.final or Transient(str(problem), answered=True)
        raise problem
