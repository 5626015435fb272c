"""HTTP as a guest behaves: one session, few requests at a time, patient with a server in trouble."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from requests import exceptions as rx

from ml_connector import __version__
from ml_connector.extract import transport
from ml_connector.secrets import remember_basic

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    import requests
    from typing_extensions import Self

T = TypeVar("T")

BACKOFF_BASE = 1.0
BACKOFF_CEILING = 120.0
DISTRESS_PAUSE = 1.0
RETRY_AFTER_CEILING = 900.0
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
DISTRESS_STATUSES = frozenset({429, 502, 503, 504})


class TryAgain(Exception):  # noqa: N818 - a signal from reader to session, not an error anybody is shown
    """Raised by a reader of answers: this answer is worth asking for again.

    Args:
        reason: What was wrong, for the log.
        retry_after: Seconds the server asked to wait, if it did.
        distress: The server is in trouble: every request of the session waits, not only this one.
        slow: No answer came in time: a smaller page may come.
        final: What to raise when the attempts are used up; by default a `GaveUpError` with the reason.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        distress: bool = False,
        slow: bool = False,
        final: Exception | None = None,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.distress = distress
        self.slow = slow
        self.final = final


class HttpError(Exception):
    """A request that cannot succeed as it is (bad address, certificate, proxy)."""


class GaveUpError(HttpError):
    """A transient failure that outlived every attempt.

    Args:
        message: The sentence.
        slow: No answer came in time.
    """

    def __init__(self, message: str, *, slow: bool = False) -> None:
        super().__init__(message)
        self.slow = slow


class SessionClosedError(HttpError):
    """The session was closed while a request waited."""


@dataclass(frozen=True)
class Clock:
    """Time as the session sees it; tests hand in their own."""

    monotonic: Callable[[], float] = time.monotonic
    """Seconds that only go forward, for spacing requests."""
    time: Callable[[], float] = time.time
    """Seconds since 1970, to read a Retry-After date."""
    sleep: Callable[[float], None] | None = None
    """Waits that many seconds; None waits in a way that `PoliteSession.close` interrupts."""
    uniform: Callable[[float, float], float] = random.uniform
    """A random number between two others: the jitter."""


@dataclass(frozen=True)
class HttpSettings:
    """The connection settings every tap shares (see `ml_connector.extract.settings`)."""

    request_timeout: float = 120.0
    max_retries: int = 6
    max_retry_time: float = 300.0
    concurrency: int = 1
    requests_per_minute: float | None = None
    verify: bool | str = True
    proxy_url: str | None = field(default=None, repr=False)
    user_agent: str = f"ml-connector/{__version__}"

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Take the settings out of a tap's configuration.

        Args:
            config: The tap's settings; absent and null ones get their defaults.

        Returns:
            The settings in the units used here (seconds, requests a minute).
        """
        verify: bool | str = True
        if config.get("verify_ssl") is False:
            verify = False
        elif config.get("ca_bundle"):
            verify = str(config["ca_bundle"])
        timeout, retries = config.get("request_timeout"), config.get("max_retries")
        patience = config.get("max_retry_time")
        return cls(
            request_timeout=cls.request_timeout if timeout is None else float(timeout),
            max_retries=cls.max_retries if retries is None else int(retries),
            max_retry_time=cls.max_retry_time if patience is None else float(patience),
            concurrency=int(config.get("concurrency") or 1),
            requests_per_minute=config.get("requests_per_minute") or None,
            verify=verify,
            proxy_url=config.get("proxy_url") or None,
            user_agent=config.get("user_agent") or cls.user_agent,
        )


class PoliteSession:
    """One `requests.Session` (connections, cookies, credentials) with manners.

    Requests go out one at a time, at most `requests_per_minute`. What is transient is asked again, up to
    `max_retries` times, after a delay of full-jitter exponential backoff or what `Retry-After` says. When the
    server shows distress (429, 502 to 504, a reset or refused connection) all requests of the session wait.

    Args:
        settings: The connection settings.
        auth: User and password for HTTP Basic on every request.
        headers: Sent with every request, on top of the user agent.
        logger: Gets one line a retry; addresses are logged without their query.
        clock: Time and chance, for tests.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        logger: logging.Logger | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        if auth:
            remember_basic(*auth)  # a server's page of errors may repeat the header
        self._transport = transport.Transport(
            {"User-Agent": settings.user_agent, **(headers or {})},
            auth,
            timeout=settings.request_timeout,
            verify=settings.verify,
            proxy_url=settings.proxy_url,
            at_once=settings.concurrency,
        )
        self.session = self._transport.session
        self.requests_sent = 0
        self._logger = logger
        self._clock = clock or Clock()
        self._turns = threading.Lock()
        self._at_once = threading.Semaphore(max(1, settings.concurrency))
        self._closed = threading.Event()
        self._not_before = 0.0
        self._distress = 0

    def request(
        self,
        method: str,
        url: str,
        *,
        read: Callable[[requests.Response], T],
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: bytes | str | None = None,
        most: int | None = None,
    ) -> T:
        """Send a request until its answer can be read, and return what `read` made of it.

        Args:
            method: `GET`, `POST`, ...; a repeated request must be harmless to the server.
            url: The absolute address.
            read: Turns an answer into a value. It is given every answer, also 4xx and 5xx, and raises
                `TryAgain` (see `transient`) for one worth repeating, or its own error for one that is not.
            headers: For this request, over the session's.
            params: Query parameters, added to the address.
            data: The body.
            most: Repetitions, instead of the setting `max_retries` and `max_retry_time`.

        Returns:
            What `read` returned.

        Raises:
            GaveUpError: Timeouts, resets, broken bodies or transient statuses outlived all attempts.
            HttpError: The address, certificate or proxy is wrong: no attempt can help.
            SessionClosedError: `close` was called meanwhile.
        """
        attempt, begun = 0, self._clock.monotonic()
        while True:
            attempt += 1
            try:
                answer = self._send(method, url, headers=headers, params=params, data=data)
                value = read(answer)
            except TryAgain as again:
                self._wait_or_give_up(again, attempt, begun, f"{method} {_without_query(url)}", most)
            else:
                self._distress = 0
                return value

    def close(self) -> None:
        """Close connections and wake every waiting request with `SessionClosedError`."""
        self._closed.set()
        self._transport.close()

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        data: bytes | str | None,
    ) -> requests.Response:
        with self._at_once:
            with self._turns:
                self._take_turn()
                self.requests_sent += 1
            try:
                response = self._transport.send(method, url, headers=headers or {}, params=params, data=data)
            except transport.BodyTooLong as error:
                raise HttpError(
                    f"{_without_query(url)} answers with more than {transport.BODY_BYTES >> 20} MB:"
                    " set a smaller page_size."
                ) from error
            except OSError as error:  # requests' own errors are OSErrors too
                if self._closed.is_set():
                    raise SessionClosedError("The session was closed.") from error
                raise _judged(error, url, self.settings.request_timeout) from error
        if response.is_redirect:
            raise HttpError(
                f"{_without_query(url)} redirects to {_origin(response.headers['Location'])}. Redirects"
                " are not followed, as credentials go to the configured server only: give the final address"
                " in the settings."
            )
        return response

    def _take_turn(self) -> None:
        now = self._clock.monotonic()
        if now < self._not_before:
            self._sleep(self._not_before - now)
            now = max(self._clock.monotonic(), self._not_before)
        if self._closed.is_set():
            raise SessionClosedError("The session was closed.")
        if self.settings.requests_per_minute:
            self._not_before = now + 60.0 / self.settings.requests_per_minute

    def _wait_or_give_up(
        self, again: TryAgain, attempt: int, begun: float, what: str, most: int | None
    ) -> None:
        retries = self.settings.max_retries if most is None else most
        # a server that is starting, or being updated, takes longer than a handful of attempts
        patient = most is None and retries > 0 and again.distress
        waited = self._clock.monotonic() - begun
        if attempt > retries and not (patient and waited < self.settings.max_retry_time):
            if again.final is not None:
                raise again.final from again
            times = "1 attempt" if attempt == 1 else f"{attempt} attempts"
            raise GaveUpError(f"{what} failed after {times}: {again}.", slow=again.slow) from again
        if again.distress:
            self._distress += 1
        steps = max(attempt, self._distress) - 1
        delay = self._clock.uniform(0.0, min(BACKOFF_CEILING, BACKOFF_BASE * 2.0 ** min(steps, 30)))
        if again.distress:
            delay = max(delay, DISTRESS_PAUSE)
        if again.retry_after is not None:
            delay = max(delay, min(again.retry_after, RETRY_AFTER_CEILING))
        if self._logger is not None:
            self._logger.warning(
                "%s: %s. Attempt %d of %d follows in %.1f s.",
                what,
                again,
                attempt + 1,
                max(retries, attempt) + 1,
                delay,
            )
        if again.distress:
            with self._turns:
                self._not_before = max(self._not_before, self._clock.monotonic() + delay)
        else:
            self._sleep(delay)

    def _sleep(self, seconds: float) -> None:
        if self._clock.sleep is not None:
            self._clock.sleep(seconds)
        else:
            self._closed.wait(seconds)


def transient(response: requests.Response, *, now: float | None = None) -> TryAgain | None:
    """Judge a status: is the answer worth asking for again?

    Args:
        response: Any answer.
        now: Seconds since 1970, against which a `Retry-After` date is read; None means this moment.

    Returns:
        A ready `TryAgain` for 408, 425, 429, 500, 502, 503 and 504, else None.
    """
    status = response.status_code
    if status not in TRANSIENT_STATUSES:
        return None
    return TryAgain(
        f"the server answered {status} {response.reason or ''}".rstrip(),
        retry_after=retry_after(response.headers.get("Retry-After"), time.time() if now is None else now),
        distress=status in DISTRESS_STATUSES,
        slow=status == HTTPStatus.GATEWAY_TIMEOUT,
    )


def retry_after(header: str | None, now: float) -> float | None:
    """Read a `Retry-After` header (RFC 9110, 10.2.3).

    Args:
        header: A number of seconds or an HTTP date; anything else is ignored.
        now: Seconds since 1970, against which a date is read.

    Returns:
        The seconds to wait, never negative, or None.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, moment.timestamp() - now)


def _judged(error: OSError, url: str, timeout: float) -> Exception:
    """Turn a failure of the connection into `TryAgain`, or into an error that says what to change."""
    place = _without_query(url)
    permanent = None
    if isinstance(error, rx.SSLError):
        permanent = _without_trust(error, place)
    elif isinstance(error, rx.InvalidHeader):  # whose text quotes the header
        permanent = (
            f"{place} cannot be called: a user name, password, token or user_agent has a line end in it."
        )
    elif isinstance(error, ValueError):  # requests' errors about addresses and headers are ValueErrors
        permanent = f"{place} cannot be called ({error}). Check the URL, proxy_url and user_agent settings."
    elif isinstance(error, rx.TooManyRedirects):
        permanent = f"{place} redirects in a circle. Check the URL settings."
    elif not isinstance(error, rx.RequestException):
        permanent = f"{place} cannot be called ({error}). Check the setting ca_bundle."
    if permanent is not None:
        return HttpError(permanent)
    if isinstance(error, rx.ProxyError):
        return TryAgain("the proxy (proxy_url, or the environment's) could not be used", distress=True)
    if isinstance(error, rx.Timeout):
        return TryAgain(f"no answer within {timeout:g} s (setting request_timeout)", slow=True)
    if isinstance(error, (rx.ChunkedEncodingError, rx.ContentDecodingError)):
        return TryAgain("the answer broke off before its end")
    return TryAgain(f"no connection ({_innermost(error)})", distress=True)


def _without_trust(error: rx.SSLError, place: str) -> str:
    if "WRONG_VERSION_NUMBER" in str(error):  # OpenSSL's word for an answer that is no TLS
        return f"{place} does not speak HTTPS: write http://, or the port on which it does."
    return (
        f"The certificate of {place} was not accepted ({_innermost(error)}). Set ca_bundle to the file of the"
        " authority that signed it."
    )


def _innermost(error: BaseException) -> str:
    """Name the root of a chain such as requests → urllib3 → socket; its own words carry no query."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another address"


def _without_query(url: str) -> str:
    return url.partition("?")[0]
