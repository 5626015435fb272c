"""Both APIs of an X3 server as one Starlette application on one port."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from erp_sandbox.odd_wire import OddWire
from erp_sandbox.oddities import Oddities
from erp_sandbox.sagex3 import tokens
from erp_sandbox.sagex3.auth import Gatekeeper
from erp_sandbox.sagex3.errors import Refused, diagnoses, plain
from erp_sandbox.sagex3.faults import Struck
from erp_sandbox.sagex3.graphql_names import CURRENT
from erp_sandbox.sagex3.graphql_service import GraphQLService
from erp_sandbox.sagex3.metering import Allowance, Meter
from erp_sandbox.sagex3.odd_server import OddServer
from erp_sandbox.sagex3.oddities import ODDITIES
from erp_sandbox.sagex3.rest import Api1, Asked
from erp_sandbox.sagex3.store import Store
from erp_sandbox.sagex3.tokens import TokenOffice

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from erp_sandbox.fault_plan import FaultPlan
    from erp_sandbox.sagex3.auth import Credentials

GRAPHQL: Final = "/xtrem/api"
_API1: Final = "/api1/"
_SDATA: Final = "/sdata/"
_OFFICE: Final = (tokens.AUTHORISE, tokens.TOKEN, tokens.CLIENT_CREDENTIALS)
#: How long a client waits that gets no answer.
_SILENCE: Final = 120.0
#: How long the server takes to notice that a connection which it cut is gone.
_FAREWELL: Final = 0.05
_TRANSPORT: Final = "erp_sandbox.transport"


@dataclass(frozen=True)
class Behaviour:
    """How the server behaves beside the rules.

    Attributes:
        generation: Generation of the GraphQL schema: ``current``, ``older`` or ``oldest``.
        endpoints: Folder of each endpoint; empty for one endpoint a folder, of its name.
        page_cap: The most rows of a page, of both APIs.
        drop_count: Whether ``$next`` comes without the page size.
        forbidden: Classes and nodes that the user may not read.
        inactive: Nodes that are not activated.
        basic: Whether Basic is allowed.
        token_requests: After how many requests a token dies; None for never.
        access_seconds: Life of the gateway's access tokens.
        first_refresh: A refresh token that is good once.
        skew: By how many seconds the server's clock is ahead.
        lag: Seconds after which a change can be seen.
        latency: Seconds that every request takes longer.
        allowance: What the licence allows.
        request_log: File for one JSON line a request.
        oddities: What the server does beside the rules, each as ``NAME`` or ``NAME=VALUE``.
    """

    generation: str = CURRENT
    endpoints: Mapping[str, str] = field(default_factory=dict)
    page_cap: int | None = None
    drop_count: bool = False
    forbidden: Collection[str] = ()
    inactive: Collection[str] = ()
    basic: bool = True
    token_requests: int | None = None
    access_seconds: float = 300.0
    first_refresh: str | None = None
    skew: float = 0.0
    lag: float = 0.0
    latency: float = 0.0
    allowance: Allowance = field(default_factory=Allowance)
    request_log: Path | None = None
    oddities: Sequence[str] = ()


def create_app(path: Path, credentials: Credentials, behaviour: Behaviour, plan: FaultPlan) -> ASGIApp:
    """Build the server over a business file.

    Args:
        path: The SQLite file.
        credentials: Who may call.
        behaviour: How it behaves.
        plan: Faults on order.
    """
    odd = OddServer(Oddities(ODDITIES, behaviour.oddities))
    server = Server(Store(path, odd.overlay), credentials, behaviour, plan, odd)
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    app: ASGIApp = Starlette(routes=[Route("/{path:path}", server.endpoint, methods=methods)])
    if odd.oddities:
        app = OddWire(app, odd.oddities, server.note_wire)
    return _reaching(app)


class Server:
    """Answers requests."""

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        behaviour: Behaviour,
        plan: FaultPlan,
        odd: OddServer,
    ) -> None:
        self._behaviour = behaviour
        self._plan = plan
        self._meter = Meter(behaviour.allowance)
        self._office = TokenOffice(
            credentials, seconds=behaviour.access_seconds, first_refresh=behaviour.first_refresh
        )
        self._gatekeeper = Gatekeeper(
            credentials,
            self._office,
            basic=behaviour.basic,
            requests=behaviour.token_requests,
            skew=behaviour.skew,
        )
        endpoints = behaviour.endpoints or {folder: folder for folder in store.folders()}
        self._api1 = Api1(
            store,
            endpoints,
            cap=behaviour.page_cap,
            drop_count=behaviour.drop_count,
            forbidden=behaviour.forbidden,
            lag=behaviour.lag,
            odd=odd,
        )
        self._graphql = GraphQLService(
            store,
            endpoints,
            generation=behaviour.generation,
            cap=behaviour.page_cap,
            forbidden=behaviour.forbidden,
            inactive=behaviour.inactive,
            lag=behaviour.lag,
            odd=odd,
        )

    async def endpoint(self, request: Request) -> Response:
        """Answer one request; SQLite works in a thread."""
        started = time.monotonic()
        body = await request.body()
        if self._behaviour.latency:
            await asyncio.sleep(self._behaviour.latency)
        path = request.scope["path"]
        if path in _OFFICE:
            response, struck = self._visit(path, request, body), None
        else:
            api = "graphql" if path.startswith(GRAPHQL) else "rest"
            struck = self._plan.draw(Struck.SPARED[api])
            response = await self._metered(request, body, struck)
        if self._behaviour.skew:
            response.headers["Date"] = formatdate(time.time() + self._behaviour.skew, usegmt=True)
        milliseconds = round((time.monotonic() - started) * 1000, 1)
        facts = {"method": request.method, "path": path, "query": request.url.query, "fault": struck}
        self._note({**facts, "http": response.status_code, "ms": milliseconds, "bytes": len(response.body)})
        return response

    def _visit(self, path: str, request: Request, body: bytes) -> Response:
        """Give out a token."""
        origin = _origin(request)
        try:
            if path == tokens.AUTHORISE:
                return self._office.authorise(request.query_params, origin)
            if request.method != "POST":
                raise plain(405, "Method Not Allowed")
            given = _fields(body, request.headers.get("content-type", ""))
            return self._office.token(given) if path == tokens.TOKEN else self._office.client_token(given)
        except Refused as refusal:
            return refusal.response

    async def _metered(self, request: Request, body: bytes, struck: str | None) -> Response:
        delay = self._meter.delay()
        if delay is None:
            if not self._behaviour.allowance.refuse:
                await asyncio.sleep(_SILENCE)
            return Response("Service Unavailable", 503, media_type="text/plain")
        if delay:
            await asyncio.sleep(delay)
        if struck == Struck.TIMEOUT:
            await asyncio.sleep(_SILENCE)
            return Response("Gateway Timeout", 504, media_type="text/plain")
        if struck == Struck.RESET:
            return _Broken(Response(b" " * 100), bytes_sent=0)
        if struck is not None and struck in Struck.PAGES:
            status, media_type, page, headers = Struck.PAGES[struck]
            return Response(page, status, headers, media_type)
        response = await run_in_threadpool(self._answer, request, body)
        self._meter.add(len(response.body))
        return _Broken(response, len(response.body) // 2) if struck == Struck.TRUNCATED else response

    def _answer(self, request: Request, body: bytes) -> Response:
        path = request.scope["path"]
        try:
            if path.startswith(_SDATA):
                raise plain(403, "/sdata/ is interactive: use /api1/ for web services")
            if path.rstrip("/") == GRAPHQL:
                self._gatekeeper.admit(request.headers)
                return self._graphql.answer(request.method, request.headers, body)
            if path.startswith(_API1):
                self._gatekeeper.admit(request.headers)
                if request.method != "GET":
                    return diagnoses(405, "This simulator only reads")
                return self._api1.answer(Asked(path, request.query_params, _origin(request)))
        except Refused as refusal:
            return refusal.response
        return Response("Not Found", 404, media_type="text/plain")

    def note_wire(self, scope: Scope, status: int) -> None:
        """Log a request that was answered before it came here."""
        facts = {"method": scope["method"], "path": scope["path"], "query": scope["query_string"].decode()}
        self._note({**facts, "fault": None, "http": status, "ms": 0.0, "bytes": 0})

    def _note(self, facts: dict[str, Any]) -> None:
        if self._behaviour.request_log is not None:
            with self._behaviour.request_log.open("a") as file:
                file.write(json.dumps(facts) + "\n")


class _Broken(Response):
    """An answer whose end, or whose beginning, never comes."""

    def __init__(self, whole: Response, bytes_sent: int) -> None:
        super().__init__(whole.body, whole.status_code, dict(whole.headers))
        self._bytes_sent = bytes_sent

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send a part, and cut the connection."""
        if self._bytes_sent:
            head = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(head)
            part = bytes(self.body)[: self._bytes_sent]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            scope[_TRANSPORT].close()
        else:
            scope[_TRANSPORT].abort()
        await asyncio.sleep(_FAREWELL)


def _reaching(app: ASGIApp) -> ASGIApp:
    """Let answers reach the connection, for which ASGI has no message.

    uvicorn's ``send`` is a method of the object that owns the transport; Starlette's own wraps it.
    """

    async def reach(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope, receive, send)

    return reach


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"


def _fields(body: bytes, content_type: str) -> dict[str, Any]:
    """The fields of a JSON or form body; none of what is neither."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(body.decode()))
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
