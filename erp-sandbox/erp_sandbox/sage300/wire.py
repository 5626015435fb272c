"""The wire around the application: latency, faults, and the request log."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers
from starlette.responses import Response

from erp_sandbox.sage300.auth import session_of
from erp_sandbox.sage300.errors import SERVICE_UNAVAILABLE_HTML, error_body

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from erp_sandbox.sage300.auth import Gatekeeper
    from erp_sandbox.sage300.faults import FaultPlan

#: Where the application leaves what the log wants to know about a request.
FACTS: Final = "sage300.facts"
_TIMEOUT: Final = 600.0
_PLAIN: Final = "text/plain; charset=utf-8"
_HTML: Final = b"<!DOCTYPE html><html><head><title>Sage 300</title></head><body>Please wait.</body></html>"


class Wire:
    """An ASGI application around the Web API.

    It must be the outermost one: dropping a connection needs the server's own ``send``.

    Args:
        app: The Web API.
        plan: The faults on order.
        gatekeeper: Whose sessions a recycling pool forgets.
        latency: Seconds every request takes longer.
        log: File for one JSON line a request, or None.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        plan: FaultPlan,
        gatekeeper: Gatekeeper,
        latency: float = 0.0,
        log: Path | None = None,
    ) -> None:
        self._app = app
        self._plan = plan
        self._gatekeeper = gatekeeper
        self._latency = latency
        self._log = log.open("a", encoding="utf-8", buffering=1) if log else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or spoil the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        facts: dict[str, Any] = {}
        scope[FACTS] = facts
        answer = _Answer(send)
        fault = self._plan.draw(write=scope["method"] != "GET")
        try:
            await self._pause(scope)
            if fault is None:
                await self._app(scope, receive, answer.pass_on)
            else:
                await self._spoil(fault, scope, receive, answer)
        finally:
            self._write_log(scope, facts, answer.status, fault, started)

    async def _pause(self, scope: Scope) -> None:
        seconds = self._latency
        if self._plan.slow_start and session_of(Headers(scope=scope)) is None:
            seconds += self._plan.slow_start
        if seconds:
            await asyncio.sleep(seconds)

    async def _spoil(self, fault: str, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if fault == "recycle":
            self._gatekeeper.forget_all()
        if fault in {"reset", "recycle"}:
            answer.drop()
        elif fault == "timeout":
            await _silence(receive)
            answer.drop()
        elif fault in {"truncate", "malformed"}:
            await self._damage(fault, scope, receive, answer)
        elif fault == "session-expiry" and not self._gatekeeper.forget(session_of(Headers(scope=scope))):
            await self._app(scope, receive, answer.pass_on)  # no live session, nothing to expire
        else:
            await _replacement(fault)(scope, receive, answer.pass_on)

    async def _damage(self, fault: str, scope: Scope, receive: Receive, answer: _Answer) -> None:
        """Let the application answer, then damage the body."""
        await self._app(scope, receive, answer.keep)
        head, body = answer.kept
        if fault == "malformed":
            # A colon is lost in the middle; the length is right, so only a parser notices.
            middle = body.find(b'":', len(body) // 2)
            body = body[: middle + 1] + b"}" + body[middle + 2 :] if middle >= 0 else body + b"}"
            head["headers"] = [(k, v) for k, v in head["headers"] if k != b"content-length"]
            head["headers"].append((b"content-length", str(len(body)).encode()))
            await answer.pass_on(head)
            await answer.pass_on({"type": "http.response.body", "body": body})
            return
        await answer.pass_on(head)
        await answer.pass_on(
            {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        )
        answer.drop(flush=True)

    def _write_log(
        self, scope: Scope, facts: dict[str, Any], status: int, fault: str | None, started: float
    ) -> None:
        if self._log is None:
            return
        line = {
            "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "company": facts.get("company"),
            "set": facts.get("set"),
            "status": status,
            "ms": round((time.perf_counter() - started) * 1000, 1),
            "rows": facts.get("rows"),
            "fault": fault,
        }
        self._log.write(json.dumps(line, ensure_ascii=False) + "\n")


class _Answer:
    """What leaves for the client, and the way to cut it off."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: list[Message] = []
        #: The status sent, or 0 when the connection was dropped before any.
        self.status = 0

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)

    async def keep(self, message: Message) -> None:
        self._messages.append(message)

    @property
    def kept(self) -> tuple[Message, bytes]:
        """The kept answer's head and its whole body."""
        head = next(message for message in self._messages if message["type"] == "http.response.start")
        body = b"".join(m.get("body", b"") for m in self._messages if m["type"] == "http.response.body")
        return head, body

    def drop(self, *, flush: bool = False) -> None:
        """Cut the TCP connection, after what was written or at once.

        ASGI has no message for this; uvicorn's ``send`` is a method of the object that owns the transport.
        """
        transport = self._send.__self__.transport  # type: ignore[attr-defined]
        if flush:
            transport.close()
        else:
            transport.abort()


async def _silence(receive: Receive) -> None:
    """Wait until the client hangs up or ten minutes are over."""

    async def until_disconnect() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(until_disconnect(), _TIMEOUT)


#: Fault: status, body, media type, further headers.
_REPLACEMENTS: Final[dict[str, tuple[int, bytes, str, dict[str, str]]]] = {
    "503": (503, SERVICE_UNAVAILABLE_HTML, "text/html; charset=us-ascii", {}),
    "429": (
        429,
        error_body("TooManyRequests", "Too many requests are running; try again later"),
        _PLAIN,
        {"Retry-After": "1"},
    ),
    "500": (500, error_body("InternalServerError", "An unexpected error has occurred"), _PLAIN, {}),
    "409": (409, error_body("General", "The record is in use by another process"), _PLAIN, {}),
    "session-expiry": (
        401,
        error_body("Unauthorized", "The session has expired"),
        _PLAIN,
        {"WWW-Authenticate": 'Basic realm="Sage 300 Web API"'},
    ),
    "html": (200, _HTML, "text/html", {}),
    "empty": (200, b"", "application/json", {}),
    "wrapped-error": (200, error_body("General", "An error has occurred"), "application/json", {}),
}


def _replacement(fault: str) -> Response:
    status, body, media_type, headers = _REPLACEMENTS[fault]
    return Response(body, status, headers, media_type=media_type)
