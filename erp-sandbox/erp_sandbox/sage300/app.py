"""The Web API as a Starlette application.

Addresses are ``/Sage300WebApi/v1.0/{tenant}/{company}/{module}/{Set}``, matched without regard to case as
ASP.NET does; so there is one route, and the address is read here.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from erp_sandbox.odd_wire import OddWire
from erp_sandbox.oddities import Oddities
from erp_sandbox.sage300 import metadata
from erp_sandbox.sage300.auth import COOKIE, Gatekeeper
from erp_sandbox.sage300.errors import ApiError
from erp_sandbox.sage300.faults import FaultPlan
from erp_sandbox.sage300.model import MODULES, catalogue
from erp_sandbox.sage300.odd_reading import OddPage, OddReading
from erp_sandbox.sage300.oddities import ODDITIES
from erp_sandbox.sage300.reading import Place, Reader, service_document
from erp_sandbox.sage300.store import Store
from erp_sandbox.sage300.wire import FACTS, Wire
from erp_sandbox.sage300.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from erp_sandbox.sage300.auth import Login
    from erp_sandbox.sage300.model import EntitySet

_LOG: Final = logging.getLogger(__name__)

APPLICATION: Final = "Sage300WebApi"
VERSION: Final = "v1.0"
_JSON: Final = "application/json; odata.metadata=minimal"
#: A .NET StringContent has this type unless told otherwise; go-sage300 (commit 7493bc9) met it on errors.
_ERROR: Final = "text/plain; charset=utf-8"
_UTF_16: Final = "application/json; odata.metadata=minimal; charset=utf-16"
_RESOURCE: Final = re.compile(r"(?P<name>[^(/]+)(?:\((?P<key>.*)\))?", re.DOTALL)
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_LANDING: Final = (
    "<!DOCTYPE html><html><head><title>Sage 300 Web API</title></head>"
    "<body><h1>Sage 300 Web API</h1><p>Simulated by erp-sandbox.</p></body></html>"
)


def create_app(
    path: Path,
    *,
    username: str = "WEBAPI",
    password: str = "WEBAPI",  # noqa: S107  # the sandbox's own
    page_size: int = 100,
    latency: float = 0.0,
    plan: FaultPlan | None = None,
    request_log: Path | None = None,
    unlicensed: Collection[str] = (),
    allow_admin: bool = False,
    lenient: bool = False,
    oddities: Sequence[str] = (),
) -> ASGIApp:
    """Build the simulator over a business file.

    Args:
        path: The SQLite file with the companies' documents.
        username: The user with Web API rights.
        password: Its password.
        page_size: Records a page.
        latency: Seconds every request takes longer.
        plan: Faults on order.
        request_log: File for one JSON line a request.
        unlicensed: Modules that are not activated.
        allow_admin: Let ``ADMIN`` in.
        lenient: Ignore ``$orderby`` and the like, and a missing Content-Type.
        oddities: What the server does beside the rules, each as ``NAME`` or ``NAME=VALUE``.

    Returns:
        The ASGI application.
    """
    odd = OddReading(Oddities(ODDITIES, oddities))
    gatekeeper = Gatekeeper(username, password, allow_admin=allow_admin)
    store = Store(path, odd.oddities)
    reader = Reader(store, page_size, lenient, odd)
    api = WebApi(
        gatekeeper=gatekeeper,
        store=store,
        reader=reader,
        writer=Writer(store, reader, catalogue()),
        unlicensed=frozenset(module.upper() for module in unlicensed),
        lenient=lenient,
    )
    routes = [Route("/{path:path}", api.endpoint, methods=list(_METHODS))]
    app: ASGIApp = Starlette(routes=routes)
    if odd.oddities:
        app = OddWire(app, odd.oddities)
    return Wire(app, plan=plan or FaultPlan(), gatekeeper=gatekeeper, latency=latency, log=request_log)


@dataclass(frozen=True)
class WebApi:
    """Lets a request in, reads its address and hands it to the reader or the writer."""

    gatekeeper: Gatekeeper
    store: Store
    reader: Reader
    writer: Writer
    unlicensed: frozenset[str]
    lenient: bool

    async def endpoint(self, request: Request) -> Response:
        """Answer one request; SQLite works in a thread."""
        body = await request.body()
        return await run_in_threadpool(self._answer, request, body)

    def _answer(self, request: Request, body: bytes) -> Response:
        raw = request.scope.get("raw_path") or request.scope["path"].encode()
        segments = [part for part in raw.decode("latin-1").split("?")[0].split("/") if part]
        if not segments or segments[0].casefold() != APPLICATION.casefold():
            return Response("Not Found", 404, media_type="text/plain")
        if len(segments) == 1:
            return Response(_LANDING, media_type="text/html")
        login: Login | None = None
        try:
            self.reader.odd.check_address(request.url.query, raw.decode("latin-1").split("?")[0])
            login = self.gatekeeper.admit(request.headers)
            self._check_content_type(request)
            response = self._dispatch(request, segments[1:], body)
        except ApiError as error:
            response = _error_response(error)
        except OddPage as page:
            response = Response(page.body, page.status, media_type="text/html")
        except Exception:  # noqa: BLE001  # the ERP answers 500 in JSON whatever breaks; the log has the trace
            _LOG.exception("%s %s failed", request.method, request.url.path)
            response = _error_response(ApiError("InternalServerError", "An unexpected error has occurred"))
        if login is not None and login.new:
            response.set_cookie(COOKIE, login.session, path="/", httponly=True, samesite="lax")
        if "utf-16" in self.reader.odd.oddities and response.media_type == _JSON:
            return Response(bytes(response.body).decode().encode("utf-16"), media_type=_UTF_16)
        return response

    def _check_content_type(self, request: Request) -> None:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
        if media_type != "application/json" and not self.lenient:
            raise ApiError("InternalServerError", "The request's Content-Type must be application/json")

    def _dispatch(self, request: Request, segments: list[str], body: bytes) -> Response:
        version, *rest = segments
        if version.casefold() != VERSION or not rest:
            raise ApiError("ResourceNotFound", f"There is no API version '{version}'")
        _tenant, *rest = rest
        if not rest or (len(rest) == 1 and rest[0].casefold() == "companies"):
            return self._companies(request)
        company = self._company(unquote(rest[0]))
        facts = request.scope[FACTS]
        facts["company"] = company
        self.reader.odd.check_company(company)
        if len(rest) == 1:
            raise ApiError("ResourceNotFound", "The address names no application module")
        module = unquote(rest[1]).upper()
        if module not in MODULES or module in self.unlicensed:
            raise ApiError(
                "ResourceNotFound", f"The application module '{module}' is not activated for {company}"
            )
        service = f"{_origin(request)}/{APPLICATION}/{VERSION}/{_tenant}/{company}/{module}"
        resource = unquote("/".join(rest[2:]))
        if resource in {"", "$metadata"}:
            return self._describe(request.method, service, module, resource)
        return self._resource(request, service, resource, body)

    def _resource(self, request: Request, service: str, resource: str, body: bytes) -> Response:
        facts = request.scope[FACTS]
        company, module = facts["company"], service[-2:]
        match = _RESOURCE.fullmatch(resource)
        if match is None:
            raise ApiError("ResourceNotFound", f"There is no resource '{resource}'")
        facts["set"] = match["name"]
        process = catalogue().process(module, match["name"])
        if process is not None:
            facts["set"] = process
            return self._process(request.method, company, process, match["key"], body)
        entity_set = catalogue().find(module, match["name"])
        if entity_set is None:
            raise ApiError("ResourceNotFound", f"There is no resource '{match['name']}' in {module}")
        facts["set"] = entity_set.name
        address = f"{_origin(request)}{request.scope['path']}"
        query = request.scope["query_string"].decode("latin-1")
        place = Place(service, address, company, entity_set, query)
        return self._entity_set(request.method, place, match["key"], body, facts)

    def _entity_set(
        self, method: str, place: Place, key: str | None, body: bytes, facts: dict[str, Any]
    ) -> Response:
        entity_set = place.entity_set
        if method not in entity_set.verbs:
            raise _not_allowed(method, entity_set.name)
        if method == "GET":
            if key is not None:
                return Response(self.reader.entry(place, key), media_type=_JSON)
            text, facts["rows"] = self.reader.collection(place)
            return Response(text, media_type=_JSON)
        if method == "POST":
            if key is not None:
                return self._post_action(entity_set, key)
            return Response(self.writer.create(place, body), 201, media_type=_JSON)
        if key is None:
            raise ApiError("InvalidEntityKey", f"{method} needs the key of one record")
        if method == "DELETE":
            self.writer.delete(place, key)
        else:
            self.writer.change(place, key, body, replace=method == "PUT")
        return Response(status_code=204)

    def _post_action(self, entity_set: EntitySet, key: str) -> Response:
        if key.strip("' ") != "$template":
            raise ApiError("InvalidAction", "POST takes the key '$template' only")
        return Response(self.writer.template(entity_set), media_type=_JSON)

    def _process(self, method: str, company: str, name: str, key: str | None, body: bytes) -> Response:
        if method != "POST":
            raise _not_allowed(method, name)
        action = (key or "").strip("' ")
        if action == "$template":
            return Response(msgspec.json.encode(self.writer.process_template()), media_type=_JSON)
        if action != "$process":
            raise ApiError("InvalidAction", f"POST to {name} takes the key '$process' or '$template'")
        self.writer.process(company, name, body)
        return Response(status_code=204)

    def _describe(self, method: str, service: str, module: str, resource: str) -> Response:
        if method != "GET":
            raise _not_allowed(method, resource or module)
        sets = tuple(catalogue().of_module(module))
        if not resource:
            return Response(service_document(service, sets), media_type=_JSON)
        text = self.reader.odd.described(module, metadata.document(module, sets))
        return Response(text, media_type="application/xml")

    def _company(self, name: str) -> str:
        for company in self.store.companies():
            if company.casefold() == name.casefold():
                return company
        raise ApiError("ResourceNotFound", f"There is no company '{name}'")

    def _companies(self, request: Request) -> Response:
        if request.method != "GET":
            raise _not_allowed(request.method, "Companies")
        value = [{"Id": company, "Name": self._name_of(company)} for company in self.store.companies()]
        base = "/".join(request.scope["path"].split("/")[:4])
        body = {"@odata.context": f"{_origin(request)}{base}/$metadata#Companies", "value": value}
        return Response(msgspec.json.encode(body), media_type=_JSON)

    def _name_of(self, company: str) -> str:
        rows = self.store.page(company, "CSCompanyProfile", None, skip=0, limit=1)
        profile = msgspec.json.decode(rows.docs[0]) if rows.docs else {}
        return str(profile.get("CompanyName") or profile.get("Name") or company)


def _origin(request: Request) -> str:
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    return f"{scheme}://{request.headers.get('host', 'localhost')}"


def _not_allowed(method: str, resource: str) -> ApiError:
    return ApiError("MethodNotAllowed", f"{method} is not allowed on {resource}")


def _error_response(error: ApiError) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="Sage 300 Web API"'} if error.code == "Unauthorized" else None
    return Response(error.body(), error.status, headers, media_type=_ERROR)
