"""Oddities of the wire, whatever the API: what a proxy, a start-up or a broken server makes of an answer."""

from __future__ import annotations

import asyncio
import gzip
import time
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from starlette.responses import Response

from erp_sandbox.oddities import REPORTED, Oddity

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from erp_sandbox.oddities import Oddities

_HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9110"
#: They strike every request, or those whose address or body holds the text.
WIRE: Final[dict[str, Oddity]] = {
    "redirect": Oddity(
        "every request is redirected to another place", f"{_HTTP}#section-15.4", "STATUS:ORIGIN"
    ),
    "login-page": Oddity("a sign-in page in HTML comes with status 200", REPORTED, "[TEXT]"),
    "everything-404": Oddity("every address gives an HTML page with 404, as services are stopped", REPORTED),
    "cold-start": Oddity(
        "from the first request on, so many seconds pass in which each gets the HTML page of 503 or 404",
        REPORTED,
        "SECONDS[:STATUS]",
    ),
    "endless-body": Oddity("the body of an answer never ends", REPORTED, "[TEXT]"),
    "gzip-bomb": Oddity(
        "2 MB of gzip become 2 GB", "https://cwe.mitre.org/data/definitions/409.html", "[TEXT]"
    ),
    "slow-drip": Oddity("an answer comes byte by byte, each after so many seconds", REPORTED, "SECONDS"),
    "echo-error": Oddity(
        "an HTML page with 500 repeats the request with its headers and its body", REPORTED, "[TEXT]"
    ),
}
_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
_LOGIN: Final = (
    "<!DOCTYPE html><html><head><title>Sign in to your account</title></head>"
    "<body><form method='post'><input name='password' type='password'></form></body></html>"
)
_STOPPED: Final = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h2>{0}</h2></body></html>"
_REASONS: Final = {404: "404 - File or directory not found.", 503: "Service Unavailable"}
_BLANKS: Final = b" " * 65_536
_MEMBER: Final = 16 * 1024 * 1024
_MEMBERS: Final = 128


def check_wire(oddities: Oddities) -> None:
    """Refuse values that nobody can act on.

    Raises:
        ValueError: One sentence on what is wrong.
    """
    for status, origin in oddities.parts("redirect", 2):
        if not (status.isdigit() and int(status) in _STATUSES and origin):
            raise ValueError("The oddity 'redirect' takes a status and an origin: 307:http://127.0.0.1:9.")


class OddWire:
    """An ASGI application around a simulator.

    Args:
        app: The simulator.
        oddities: What it does beside its rules.
        note: Told of each request that the simulator never sees, with the status of its answer.
    """

    def __init__(
        self, app: ASGIApp, oddities: Oddities, note: Callable[[Scope, int], None] | None = None
    ) -> None:
        check_wire(oddities)
        self._note = note
        self._app = app
        self._oddities = oddities
        self._began: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or make something odd of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _whole(receive)
        given = self._given(scope, body)
        if given is not None:
            if self._note is not None:  # before the answer: a client that has it finds the log complete
                self._note(scope, given.status_code)
            await given(scope, receive, send)
            return
        answer = _Kept()
        if self._strikes("endless-body", scope, body):
            await self._app(scope, _again(body, receive), answer.keep)
            await _endless(answer, receive, send)
        elif "slow-drip" in self._oddities:
            await self._app(scope, _again(body, receive), answer.keep)
            await _dripped(answer, float(self._oddities.value("slow-drip")), send)
        else:
            await self._app(scope, _again(body, receive), send)

    def _given(self, scope: Scope, body: bytes) -> Response | None:
        """An answer that the simulator never sees the request of."""
        for status, origin in self._oddities.parts("redirect", 2):
            query = scope["query_string"].decode("latin-1")
            place = f"{origin.rstrip('/')}{scope['path']}{'?' if query else ''}{query}"
            return Response(status_code=int(status), headers={"Location": place})
        down = self._down()
        if down is not None:
            return _page(down)
        if self._strikes("login-page", scope, body):
            return Response(_LOGIN, media_type="text/html")
        if self._strikes("gzip-bomb", scope, body):
            headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
            return Response(gzip.compress(b" " * _MEMBER) * _MEMBERS, headers=headers)
        if self._strikes("echo-error", scope, body):
            return Response(_echo(scope, body), 500, media_type="text/html")
        return None

    def _down(self) -> int | None:
        """The status of a service that is not there, or not yet."""
        if "everything-404" in self._oddities:
            return 404
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        for seconds, status in self._oddities.parts("cold-start", 2):
            if now - self._began < float(seconds):
                return int(status or 503)
        return None

    def _strikes(self, name: str, scope: Scope, body: bytes) -> bool:
        if name not in self._oddities:
            return False
        texts = self._oddities.values(name)
        if not texts:
            return True
        asked = unquote(f"{scope['path']}?{scope['query_string'].decode('latin-1')}")
        asked += body.decode("utf-8", "replace")
        return any(text in asked for text in texts)


class _Kept:
    """An answer that waits to be sent."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    async def keep(self, message: Message) -> None:
        self._messages.append(message)

    @property
    def head(self) -> Message:
        head = self._messages[0]
        kept = [(name, value) for name, value in head["headers"] if name.lower() != b"content-length"]
        return {**head, "headers": kept}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self._messages[1:])


async def _endless(answer: _Kept, receive: Receive, send: Send) -> None:
    """Send all but the last byte, and blanks until the client hangs up."""
    await send(answer.head)
    await send({"type": "http.response.body", "body": answer.body[:-1], "more_body": True})
    gone = asyncio.ensure_future(_disconnected(receive))
    while not gone.done():
        await send({"type": "http.response.body", "body": _BLANKS, "more_body": True})
        await asyncio.sleep(0)


async def _dripped(answer: _Kept, seconds: float, send: Send) -> None:
    await send(answer.head)
    for place in range(len(answer.body)):
        await send({"type": "http.response.body", "body": answer.body[place : place + 1], "more_body": True})
        await asyncio.sleep(seconds)
    await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read before, and then what the connection has to say."""
    left = [body]

    async def again() -> dict[str, Any]:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return dict(await receive())

    return again


def _page(status: int) -> Response:
    return Response(_STOPPED.format(_REASONS.get(status, f"Error {status}")), status, media_type="text/html")


def _echo(scope: Scope, body: bytes) -> str:
    lines = [f"{scope['method']} {scope['path']}?{scope['query_string'].decode('latin-1')}"]
    lines += [f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in scope["headers"]]
    told = escape("\n".join([*lines, "", body.decode("utf-8", "replace")]))
    return f"<html><head><title>Server Error</title></head><body><pre>{told}</pre></body></html>"
