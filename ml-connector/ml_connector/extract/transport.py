"""One request and its answer, over `requests`: what all requests of a session share is prepared once."""

from __future__ import annotations

import os
import re
import threading
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import requests
from requests import exceptions as rx
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.cookies import extract_cookies_to_jar
from requests.utils import get_encoding_from_headers, get_environ_proxies
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT = 30.0
BODY_BYTES = 512 << 20
"""The longest body that is read, after decompression."""
BODY_SECONDS = 900.0
"""The longest time that a body may take from its first byte to its last."""
_PIECE = 1 << 20
_POOL = 10
"""Connections that are kept, at the least."""
_PLAIN = re.compile(r"/[A-Za-z0-9/?:@!$&'()*+,;=._~-]*")
"""A path and a query that need no quoting."""


class _Last(threading.local):
    """A thread's last request, and what it was made of."""

    made_of: tuple[Any, ...] | None = None
    prepared: requests.PreparedRequest | None = None


class BodyTooLong(OSError):  # noqa: N818 - the session says what it means
    """A body is longer than any that is read."""


class _Adapter(HTTPAdapter):
    """Looks up once what all requests to a server share: its connections, their certificates, its proxy."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pools: dict[str, Any] = {}
        self._proxied: dict[str, bool] = {}

    @override
    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        url = str(request.url)
        server = _server(url)
        pool = self._pools.get(server)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(pool, url, verify, cert)  # type: ignore[no-untyped-call]
            self._proxied[server] = super().request_url(request, proxies) != request.path_url
            self._pools[server] = pool
        return pool

    @override
    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Done with the look-up."""

    @override
    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        url = str(request.url)
        server = _server(url)
        if self._proxied[server]:
            return super().request_url(request, proxies)
        return url[len(server) :].partition("#")[0]

    @override
    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        if "Set-Cookie" in resp.headers:
            return super().build_response(req, resp)
        response = requests.Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers = resp.headers
        response.encoding = _encoding(resp.headers.get("Content-Type"))
        response.raw, response.url, response.request = resp, str(req.url), req
        return response


class Transport:
    """Sends requests with the connections, cookies and credentials of one session.

    Args:
        headers: Sent with every request.
        auth: User and password for HTTP Basic.
        timeout: Seconds that the server may be silent.
        verify: As `requests` takes it; the environment's bundle counts where the settings name none.
        proxy_url: The proxy; None for the environment's.
        at_once: Requests that may be on their way together.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        auth: tuple[str, str] | None,
        *,
        timeout: float,
        verify: bool | str,
        proxy_url: str | None,
        at_once: int,
    ) -> None:
        self.session = requests.Session()
        # netrc files and the environment do not replace what the settings say; proxies are looked up below
        self.session.trust_env = False
        self.session.headers.update(headers)
        if auth is not None:
            user, password = auth
            # As bytes: requests would encode text as Latin-1 and fail on the rest.
            self.session.auth = HTTPBasicAuth(user.encode(), password.encode())
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter(pool_maxsize=max(_POOL, at_once)))
        self._timeout = timeout
        self._verify = _bundle(verify)
        self._proxies = {"http": proxy_url, "https": proxy_url} if proxy_url else None
        self._proxies_of: dict[str, dict[str, str]] = {}
        self._last = _Last()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        data: bytes | str | None,
    ) -> requests.Response:
        """Send a request and read its answer whole.

        Args:
            method: `GET`, `POST`, ...
            url: The absolute address.
            headers: For this request, over the session's.
            params: Query parameters, added to the address.
            data: The body.

        Returns:
            The answer, also a redirect or an error.

        Raises:
            OSError: There is none; most often one of `requests`.
        """
        prepared = self._prepared(method, url, headers, params, data)
        response = self.session.get_adapter(url).send(
            prepared,
            stream=True,
            timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout),
            verify=self._verify,
            proxies=self._proxies or self._environments(url),
        )
        if "Set-Cookie" in response.headers:
            extract_cookies_to_jar(self.session.cookies, prepared, response.raw)  # type: ignore[no-untyped-call]
        self._read_body(response)
        return response

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def _prepared(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        data: bytes | str | None,
    ) -> requests.PreparedRequest:
        """A request, or this thread's last one with another address, if that is all in which they differ."""
        # a secret that was pasted with its line end is no header, and the library would quote it
        clean = {name: value.strip() for name, value in headers.items()}
        last, server = self._last, _server(url)
        made_of = (method, server, clean, params)
        if data is None and last.prepared is not None and last.made_of == made_of:
            prepared = last.prepared
            if params is None and _is_as_sent(url, server, str(prepared.url)):
                prepared.url = url
            else:
                prepared.prepare_url(url, params)
            if self.session.cookies or "Cookie" in prepared.headers:
                prepared.headers.pop("Cookie", None)
                prepared.prepare_cookies(self.session.cookies)
            return prepared
        prepared = self.session.prepare_request(
            requests.Request(method, url, headers=clean, params=params, data=data)
        )
        if data is None:
            last.made_of, last.prepared = made_of, prepared
        return prepared

    def _read_body(self, response: requests.Response) -> None:
        """Read a body at once, within limits of size and time."""
        until = time.monotonic() + max(BODY_SECONDS, self._timeout)
        pieces, size, step = [], 0, _PIECE
        if "Content-Encoding" not in response.headers:
            # a piece that is longer than what is left costs another look for more
            step = min(step, response.raw.length_remaining or step)
        for piece in response.iter_content(step):
            size += len(piece)
            if size > BODY_BYTES:
                response.close()
                raise BodyTooLong
            if time.monotonic() > until:
                response.close()
                raise rx.ReadTimeout
            pieces.append(piece)
        response._content = b"".join(pieces)  # noqa: SLF001 - the library has no other way to read in pieces
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001

    def _environments(self, url: str) -> dict[str, str]:
        """The proxies that the environment names for a server, looked up once."""
        server = _server(url)
        if server not in self._proxies_of:
            self._proxies_of[server] = get_environ_proxies(url)
        return self._proxies_of[server]


def _is_as_sent(url: str, server: str, last: str) -> bool:
    """Whether an address needs no preparing: its server is written as in the last one, all else plainly."""
    start = len(server)
    return last.startswith(f"{server}/") and bool(_PLAIN.fullmatch(url, start)) and "/." not in url[start:]


@cache
def _encoding(content_type: str | None) -> str | None:
    return get_encoding_from_headers({"content-type": content_type} if content_type else {})


def _server(url: str) -> str:
    """The beginning of an address, up to its path."""
    return "/".join(url.split("/", 3)[:3])


def _bundle(verify: bool | str) -> bool | str:
    """The environment's bundle counts where the settings name none."""
    if verify is True:
        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    return verify
