"""fakesnow's application, wrapped: true logins, databases on disk, more statements, a request log."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
import fakesnow.server as fakesnow_server
from fakesnow.instance import FakeSnow
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from erp_sandbox.snowflake.auth import Accounts, LoginError
from erp_sandbox.snowflake.dialect import correct_dialect
from erp_sandbox.snowflake.failures import UNSUPPORTED, failure_of
from erp_sandbox.snowflake.results import correct_results
from erp_sandbox.snowflake.sql_api import SqlApi
from erp_sandbox.snowflake.statements import rewritten, settle_schema

if TYPE_CHECKING:
    from pathlib import Path

SILENCE_OF_THE_DEAD = 3.0
"""Seconds of silence inside a transaction after which another login takes a session for dead."""
KEPT_ANSWERS = 64
MASTER = "master-"


class Sandbox:
    """One account: its databases on disk, its sessions, and the statements between them."""

    def __init__(self, accounts: Accounts, path: Path, *, latency: float, request_log: Path | None) -> None:
        """Attach the databases that an earlier server left.

        Args:
            accounts: Who may log in.
            path: Folder of the databases, one file each.
            latency: Seconds each statement is held back.
            request_log: File that takes one JSON line a statement.
        """
        path.mkdir(parents=True, exist_ok=True)
        correct_dialect()
        correct_results()
        self._accounts = accounts
        self._latency = latency
        self._log = request_log
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._busy: set[str] = set()
        self._answers: dict[str, asyncio.Future[Response]] = {}
        self._stage_info = fakesnow_server.gcs_stage_info
        fakesnow_server.gcs_stage_info = self._upload_info
        logging.getLogger("fakesnow.server").setLevel(logging.ERROR)
        fakesnow_server.shared_fs = FakeSnow(db_path=path, create_schema_on_connect=False)
        fakesnow_server.sessions.clear()
        for file in sorted(path.glob("*.db")):
            fakesnow_server.shared_fs.connect(file.stem)
        fakesnow_server.shared_fs.create_database_on_connect = False

    async def login(self, request: Request) -> Response:
        """Check who comes, then let fakesnow open the session."""
        body = await _json_of(request)
        try:
            self._accounts.check(body.get("data", {}))
        except LoginError as error:
            return _failure(error.code, str(error), "08001")
        self._bury_the_dead()
        response = await fakesnow_server.login_request(_again(request, body))
        answer = json.loads(bytes(response.body))
        if answer.get("success"):
            data = answer["data"]
            # the connectors' newer generations refuse an answer without these
            data.update(
                masterToken=f"{MASTER}{data['token']}",
                validityInSeconds=3600,
                masterValidityInSeconds=14400,
                sessionId=abs(hash(data["token"])) % 10**15,
            )
            query = request.query_params
            data["sessionInfo"].update(
                warehouseName=query.get("warehouse"),
                roleName=query.get("roleName") or "LOADER",
            )
            self._seen[data["token"]] = time.monotonic()
        return JSONResponse(answer)

    async def renew(self, request: Request) -> Response:
        """Renew a session whose token has ended, for whoever has its master token."""
        master = fakesnow_server.to_token(request)
        token = master.removeprefix(MASTER)
        if token == master or token not in fakesnow_server.sessions:
            return _failure(
                "390114", "Authentication token has expired. The user must authenticate again.", "08001"
            )
        data = {
            "sessionToken": token,
            "masterToken": master,
            "validityInSecondsST": 3600,
            "validityInSecondsMT": 14400,
            "sessionId": abs(hash(token)) % 10**15,
        }
        return JSONResponse({"data": data, "code": None, "message": None, "success": True})

    async def session(self, request: Request) -> Response:
        """End a session, and with it what it had begun; or hear that it is still there."""
        if request.query_params.get("delete"):
            with suppress(fakesnow_server.ServerError):
                connection = fakesnow_server.to_conn(fakesnow_server.to_token(request))
                await run_in_threadpool(_roll_back, connection)
        response: Response = await fakesnow_server.session(request)
        return response

    async def query(self, request: Request) -> Response:
        """Run one statement; one that is sent again under its request id gets the answer it missed."""
        name = request.query_params.get("requestId") or uuid4().hex
        if name not in self._answers:
            self._answers[name] = asyncio.ensure_future(self._run(request))
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.pop(next(iter(self._answers)))
        return await asyncio.shield(self._answers[name])

    async def _run(self, request: Request) -> Response:
        body = await _json_of(request)
        started = time.monotonic()
        if self._latency:
            await asyncio.sleep(self._latency)
        try:
            token = fakesnow_server.to_token(request)
            connection = fakesnow_server.to_conn(token)
        except fakesnow_server.ServerError as error:
            return _failure(error.code, error.message, "08001", status=200)
        self._busy.add(token)
        try:
            response = await self._answer(request, body, connection)
        finally:
            self._busy.discard(token)
            self._seen[token] = time.monotonic()
        if self._log:
            answer = json.loads(bytes(response.body))
            said = None if answer.get("success") else answer.get("message")
            self._note(str(body.get("sqlText")), (time.monotonic() - started) * 1000, said)
        return response

    def sql_api(self) -> SqlApi:
        """The account's SQL API."""
        return SqlApi(self._accounts, self._session, latency=self._latency, log=self._note)

    def _session(self, database: str | None, schema: str | None) -> Any:
        # names in the SQL API are case-sensitive, and fakesnow's are not
        known = database if database == (database or "").upper() else None
        return fakesnow_server.shared_fs.connect(known, schema if known else None)

    def _note(self, statement: str, milliseconds: float, error: str | None) -> None:
        if self._log:
            entry = {"statement": statement, "ms": round(milliseconds, 1), "error": error}
            with self._log.open("a") as file:
                file.write(json.dumps(entry) + "\n")

    async def _answer(self, request: Request, body: dict[str, Any], connection: Any) -> Response:
        settle_schema(connection)
        try:
            sql = await run_in_threadpool(rewritten, connection, str(body["sqlText"]))
        except Exception as error:  # noqa: BLE001 - every failure is the client's to hear
            return _failure(*failure_of(error))
        response: Response = await fakesnow_server.query_request(_again(request, {**body, "sqlText": sql}))
        if response.status_code >= 500:  # noqa: PLR2004 - connectors would ask again for minutes
            text = " ".join(str(body["sqlText"]).split())[:300]
            return _failure(UNSUPPORTED, f"Unsupported feature in this sandbox: {text}", "0A000")
        return response

    def _upload_info(self, request: Request, expression: Any, data: Any) -> dict[str, Any]:
        """Fakesnow's upload address, with the fields that connector 5.x asks for."""
        info = dict(self._stage_info(request, expression, data))
        data["overwrite"] = True
        return info | {
            "region": "us-central1",
            "storageAccount": None,
            "endPoint": None,
            "path": info["location"].split("/", 1)[-1],
            "isClientSideEncrypted": False,
            "useS3RegionalUrl": False,
            "useRegionalUrl": False,
            "useVirtualUrl": False,
        }

    def _bury_the_dead(self) -> None:
        """Roll back what killed clients left open; Snowflake does so some minutes after they fell silent."""
        now = time.monotonic()
        with self._lock:
            for token, connection in list(fakesnow_server.sessions.items()):
                silent = token not in self._busy and now - self._seen.get(token, now) > SILENCE_OF_THE_DEAD
                if silent:  # whether fakesnow knows of a transaction or not: DuckDB may hold one
                    _roll_back(connection)


def create_app(
    accounts: Accounts, path: Path, *, latency: float = 0.0, request_log: Path | None = None
) -> Starlette:
    """Build the application.

    Args:
        accounts: Who may log in.
        path: Folder of the databases.
        latency: Seconds each statement is held back.
        request_log: File that takes one JSON line a statement.
    """
    sandbox = Sandbox(accounts, path, latency=latency, request_log=request_log)
    own = {
        "/session/v1/login-request": sandbox.login,
        "/session": sandbox.session,
        "/queries/v1/query-request": sandbox.query,
    }
    routes = [
        Route(route.path, own.get(route.path, route.endpoint), methods=list(route.methods or ["GET"]))
        for route in fakesnow_server.routes
    ]
    routes.append(Route("/session/token-request", sandbox.renew, methods=["POST"]))
    routes += sandbox.sql_api().routes()
    return Starlette(routes=routes)


def _roll_back(connection: Any) -> None:
    with suppress(duckdb.Error):
        connection._duck_conn.rollback()  # noqa: SLF001
    connection._in_transaction = False  # noqa: SLF001


async def _json_of(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    found: dict[str, Any] = json.loads(body or b"{}")
    return found


def _again(request: Request, body: dict[str, Any]) -> Request:
    """The same request with another body."""
    data = json.dumps(body).encode()
    left_out = {b"content-encoding", b"content-length"}
    headers = [(key, value) for key, value in request.scope["headers"] if key not in left_out]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    return Request({**request.scope, "headers": headers}, receive)


def _failure(code: str, message: str, state: str, *, status: int = 200) -> JSONResponse:
    return JSONResponse(
        {
            "data": {"errorCode": code, "sqlState": state},
            "code": code,
            "message": message,
            "success": False,
        },
        status_code=status,
    )
