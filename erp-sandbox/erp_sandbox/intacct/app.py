"""The gateway as a Starlette application: one address, one XML document in, one out."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from erp_sandbox.intacct import envelope
from erp_sandbox.intacct.errors import ControlError, GatewayError, SignInError
from erp_sandbox.intacct.faults import Struck
from erp_sandbox.intacct.functions import Functions
from erp_sandbox.intacct.odd_gateway import OddGateway, limited
from erp_sandbox.intacct.oddities import ODDITIES
from erp_sandbox.intacct.sessions import Credentials, Gatekeeper
from erp_sandbox.intacct.store import Store
from erp_sandbox.intacct.values import Notation
from erp_sandbox.odd_wire import OddWire
from erp_sandbox.oddities import Oddities

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from erp_sandbox.fault_plan import FaultPlan
    from erp_sandbox.intacct.sessions import Session

PATH: Final = "/ia/xml/xmlgw.phtml"
_XML: Final = 'text/xml; encoding="UTF-8"'
_HEADERS: Final = {"Content-Type": _XML}
_ALONE: Final = "getAPISession"
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Behaviour:
    """How the gateway behaves beside the rules.

    Attributes:
        session_minutes: Life of a session after each use.
        session_requests: After how many requests a session dies; None for never.
        zone: Zone of the user's timestamps.
        forbidden: Objects that the user may not read.
        lag: Seconds after which a change can be seen.
        latency: Seconds that every request takes longer.
        request_log: File for one JSON line a request.
        oddities: What the gateway does beside the rules, each as ``NAME`` or ``NAME=VALUE``.
    """

    zone: tzinfo
    session_minutes: float = 120.0
    session_requests: int | None = None
    forbidden: Collection[str] = ()
    lag: float = 0.0
    latency: float = 0.0
    request_log: Path | None = None
    oddities: Sequence[str] = ()


def create_app(path: Path, credentials: Credentials, behaviour: Behaviour, plan: FaultPlan) -> ASGIApp:
    """Build the gateway over a business file.

    Args:
        path: The SQLite file.
        credentials: Who may call.
        behaviour: How it behaves.
        plan: Faults on order.
    """
    odd = OddGateway(Oddities(ODDITIES, behaviour.oddities))
    gateway = Gateway(Store(path, odd), credentials, behaviour, plan, odd)
    app = Starlette(routes=[Route("/{path:path}", gateway.endpoint, methods=["POST", "GET"])])
    return OddWire(app, odd.oddities, gateway.note_wire) if odd.oddities else app


class Gateway:
    """Answers requests."""

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        behaviour: Behaviour,
        plan: FaultPlan,
        odd: OddGateway,
    ) -> None:
        self._behaviour = behaviour
        self._odd = odd
        self._plan = plan
        self._gatekeeper = Gatekeeper(
            credentials,
            store.companies(),
            store.entities,
            store.now,
            minutes=behaviour.session_minutes,
            requests=behaviour.session_requests,
        )
        clock = "%I:%M:%S %p" if odd.clock == "12" else "%H:%M:%S"
        notation = Notation(behaviour.zone, odd.date_pattern, clock)
        forbidden, lag = behaviour.forbidden, behaviour.lag
        self._functions = Functions(store, self._gatekeeper, notation, forbidden=forbidden, lag=lag, odd=odd)

    async def endpoint(self, request: Request) -> Response:
        """Answer one request; SQLite works in a thread."""
        started = time.monotonic()
        body = await request.body()
        if self._behaviour.latency:
            await asyncio.sleep(self._behaviour.latency)
        if request.url.path != PATH or request.method != "POST":
            return Response("Not Found", 404, media_type="text/plain")
        origin = f"{request.url.scheme}://{request.headers.get('host', 'localhost')}{PATH}"
        facts: dict[str, Any] = {"functions": [], "objects": [], "status": "success"}
        struck = self._plan.draw()
        refused = self._odd.check_request()
        if refused:
            response = Response(envelope.control_failed({}, [limited()]).encode(), refused, _HEADERS)
        else:
            response = await run_in_threadpool(self._answer, body, origin, struck, facts)
        facts |= {"fault": struck, "ms": round((time.monotonic() - started) * 1000, 1)}
        self._note({**facts, "http": response.status_code})
        return _Cut(response) if struck == Struck.TRUNCATED else response

    def _answer(self, body: bytes, origin: str, struck: str | None, facts: dict[str, Any]) -> Response:
        if struck is not None and struck in Struck.PAGES:
            status, media_type, page, headers = Struck.PAGES[struck]
            return Response(page, status, headers, media_type)
        control: dict[str, str] = {}
        try:
            asked = envelope.read(body)
            control.update(asked.control)
            self._gatekeeper.check_sender(asked)
            if struck == Struck.SESSION_LOSS and asked.session:
                self._gatekeeper.forget(asked.session)
            session, who = self._gatekeeper.admit(asked)
            self._odd.check_entity(session.location)
        except SignInError as error:
            facts["status"] = "sign-in"
            who = envelope.SignedIn(error.user, error.company)
            return _xml(envelope.sign_in_failed(control, who, [error]))
        except ControlError as error:
            facts["status"] = "control"
            return _xml(envelope.control_failed(control, [error, *error.others]))
        for call in asked.calls:
            facts["functions"].append(call.name)
            facts["objects"].append((call.element.findtext("object") or "").strip())
        if len(asked.calls) > 1 and any(call.name == _ALONE for call in asked.calls):
            alone = ControlError("XL03000003", f"{_ALONE} must be the only function of a request.")
            return _xml(envelope.control_failed(control, [alone]))
        if len(asked.calls) == 1 and struck is None:
            bare = self._bare(asked.calls[0], session)
            if bare is not None:
                return Response(bare[0], media_type=bare[1])
        results = [self._result(call, session, origin, struck) for call in asked.calls]
        if asked.transaction and any(result.errors for result in results):
            _abort(results)
        facts["status"] = "failure" if any(result.errors for result in results) else "success"
        facts["errors"] = [error.errorno for result in results for error in result.errors]
        return _xml(self._odd.document(envelope.answered(control, who, asked.calls, results)))

    def _bare(self, call: envelope.Call, session: Session) -> tuple[str, str] | None:
        try:
            return self._functions.bare(call.element, session)
        except GatewayError:
            return None  # it fails again in the envelope, where errors belong

    def _result(
        self, call: envelope.Call, session: Session, origin: str, struck: str | None
    ) -> envelope.Result:
        if struck is not None and struck in Struck.ERRORS:
            return envelope.Result(errors=[Struck.ERRORS[struck]])
        try:
            return envelope.Result(self._functions.run(call.element, session, origin))
        except GatewayError as error:
            return envelope.Result(errors=[error])
        except Exception:  # noqa: BLE001 - the gateway answers so whatever breaks; the log has the trace
            _LOG.exception("%s failed", call.name)
            text = "There was an error processing the request"
            return envelope.Result(errors=[GatewayError("DL02000001", text)])

    def note_wire(self, _: Scope, status: int) -> None:
        """Log a request that was answered before it came here."""
        self._note(
            {"functions": [], "objects": [], "status": "wire", "fault": None, "ms": 0.0, "http": status}
        )

    def _note(self, facts: dict[str, Any]) -> None:
        if self._behaviour.request_log is not None:
            with self._behaviour.request_log.open("a") as file:
                file.write(json.dumps(facts) + "\n")


class _Cut(Response):
    """An answer whose end never comes."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code, dict(whole.headers))

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Send the first half, and break off."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise ConnectionResetError("This answer was ordered to be cut.")


def _xml(text: str) -> Response:
    return Response(text.encode(), headers=_HEADERS)


def _abort(results: list[envelope.Result]) -> None:
    """All or nothing: what had worked is undone."""
    text = "The entire transaction in this operation has been rolled back due to an error."
    for result in results:
        result.aborted = True
        result.data = ""
        result.errors.append(GatewayError("XL03000009", text))
