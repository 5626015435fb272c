"""fakesnow's application, wrapped: true logins, databases on disk, more statements, a request log."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import fakesnow.server as fakesnow_server
from fakesnow.converter import from_binding
from fakesnow.instance import FakeSnow
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from erp_sandbox.snowflake import parameters, wire
from erp_sandbox.snowflake.auth import Accounts, LoginError
from erp_sandbox.snowflake.dialect import correct_dialect
from erp_sandbox.snowflake.execution import Execution, StoppedError
from erp_sandbox.snowflake.failures import Failure, failure_of
from erp_sandbox.snowflake.oauth import TokenEndpoint
from erp_sandbox.snowflake.options import Options
from erp_sandbox.snowflake.polling import ABORT, RESULT, Queries, Query
from erp_sandbox.snowflake.refusals import UNSUPPORTED
from erp_sandbox.snowflake.results import correct_results
from erp_sandbox.snowflake.roles import Roles
from erp_sandbox.snowflake.sessions import Session, SessionError, Sessions
from erp_sandbox.snowflake.sql_api import SqlApi
from erp_sandbox.snowflake.statements import rewritten, settle_schema
from erp_sandbox.snowflake.submission import LONGEST
from erp_sandbox.snowflake.transactions import Transactions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from starlette.requests import Request

ROLE = "LOADER"
"""The role of who asks for none."""


class _FailedError(Exception):
    """A statement that fakesnow answered with a failure."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__()
        self.answer = answer


class Sandbox:
    """One account: its databases on disk, its sessions, and the statements between them."""

    def __init__(self, accounts: Accounts, path: Path, options: Options) -> None:
        """Attach the databases that an earlier server left.

        Args:
            accounts: Who may log in.
            path: Folder of the databases, one file each.
            options: How the account behaves.
        """
        path.mkdir(parents=True, exist_ok=True)
        correct_dialect()
        correct_results()
        self._accounts = accounts
        self._options = options
        self._sessions = Sessions(options.session_lifetime, options.master_lifetime)
        transactions = Transactions(self._sessions.end)
        self._roles = Roles(options.grants, accounts.account) if options.grants else None
        self._execution = Execution(
            transactions, self._sessions.abort, options.latency, options.slow, self._roles
        )
        self._queries = Queries(options.patience)
        self._stage_info = fakesnow_server.gcs_stage_info
        fakesnow_server.gcs_stage_info = self._upload_info
        logging.getLogger("fakesnow.server").setLevel(logging.ERROR)
        fakesnow_server.shared_fs = FakeSnow(db_path=path, create_schema_on_connect=False)
        for file in sorted(path.glob("*.db")):
            fakesnow_server.shared_fs.connect(file.stem)
        fakesnow_server.shared_fs.create_database_on_connect = False

    async def login(self, request: Request) -> Response:
        """Check who comes, then let fakesnow open the session."""
        body = await wire.json_of(request)
        try:
            self._accounts.check(body.get("data", {}))
        except LoginError as error:
            return wire.failure(error.code, str(error), "08001")
        role = request.query_params.get("roleName") or self._role
        if refusal := self._refused(role):
            return wire.failure(*refusal)
        self._sessions.bury_the_dead()
        given = body["data"].setdefault("SESSION_PARAMETERS", {})
        answer = json.loads(bytes((await fakesnow_server.login_request(wire.again(request, body))).body))
        query = request.query_params
        data = answer["data"]
        session = Session(
            fakesnow_server.sessions[data["token"]],
            role=role,
            warehouse=query.get("warehouse"),
            token=data["token"],
            silence=self._options.idle_transaction,
        )
        parameters.begin(session.connection, given)
        self._sessions.opened(session)
        # the connectors' newer generations refuse an answer without these
        data.update(
            masterToken=session.master,
            validityInSeconds=int(self._options.session_lifetime),
            masterValidityInSeconds=int(self._options.master_lifetime),
            sessionId=session.number,
        )
        data["sessionInfo"].update(warehouseName=session.warehouse, roleName=session.role)
        return JSONResponse(answer)

    async def renew(self, request: Request) -> Response:
        """Renew a session whose token has ended, for whoever has its master token."""
        try:
            session = self._sessions.renewed(request)
        except SessionError as error:
            return wire.failure(error.code, str(error), "08001")
        data = {
            "sessionToken": session.token,
            "masterToken": session.master,
            "validityInSecondsST": int(self._options.session_lifetime),
            "validityInSecondsMT": int(self._options.master_lifetime),
            "sessionId": session.number,
        }
        return wire.success(data)

    async def session(self, request: Request) -> Response:
        """End a session, and with it what it had begun; or hear that it is still there."""
        try:
            session = self._sessions.of(request)
        except SessionError as error:
            return wire.failure(error.code, str(error), "08001")
        if request.query_params.get("delete"):
            await run_in_threadpool(self._sessions.end, session)
        else:
            session.seen = time.monotonic()
        return wire.success(None)

    async def query(self, request: Request) -> Response:
        """Run one statement, or give the answer that was missed; see :class:`Queries`."""
        try:
            session = self._sessions.of(request)
        except SessionError as error:
            return wire.failure(error.code, str(error), "08001")
        body = await wire.json_of(request)
        name = request.query_params.get("requestId") or uuid4().hex
        return await self._queries.asked(
            name,
            lambda query: self._run(request, body, session, query),
            detached=bool(body.get("asyncExec")),
        )

    async def result(self, request: Request) -> Response:
        """Wait once more for a statement that takes long."""
        try:
            session = self._sessions.of(request)
        except SessionError as error:
            return wire.failure(error.code, str(error), "08001")
        session.seen = time.monotonic()
        found = await self._queries.asked_again(request.path_params["query"])
        return found or wire.failure("000709", "Statement not found", "02000")

    async def monitor(self, request: Request) -> Response:
        """Say how far a statement is that nobody waits for."""
        query = self._queries.found(request.path_params["sfqid"])
        if query is None or query.answer is None:
            return wire.success({"queries": []})
        about: dict[str, Any] = {"id": query.identifier, "status": "RUNNING"}
        if query.answer.done():
            answer = json.loads(bytes(query.answer.result().body))
            about["status"] = "SUCCESS" if answer.get("success") else "FAILED_WITH_ERROR"
            about |= {"errorCode": answer.get("code"), "errorMessage": answer.get("message")}
        return wire.success({"queries": [about]})

    async def abort(self, request: Request) -> Response:
        """Stop a statement."""
        try:
            self._sessions.of(request)
        except SessionError as error:
            return wire.failure(error.code, str(error), "08001")
        body = await wire.json_of(request)
        name = request.path_params.get("query") or str(body.get("requestId"))
        if self._queries.abort(name):
            return wire.success(None)
        return wire.failure("000605", "Identified SQL statement is not currently executing.", "57014")

    async def _run(self, request: Request, body: dict[str, Any], session: Session, query: Query) -> Response:
        started = time.monotonic()
        sql = str(body.get("sqlText"))

        async def work(left: str) -> dict[str, Any]:
            response = await self._answer(request, {**body, "sqlText": left}, session)
            answer: dict[str, Any] = json.loads(bytes(response.body))
            if not answer.get("success"):
                raise _FailedError(answer)
            return answer

        def repeat() -> None:
            bindings = body.get("bindings") or {}
            values = tuple(from_binding(bindings[str(place)]) for place in range(1, len(bindings) + 1))
            repeated(session.connection, sql, values)

        lists = any(isinstance(each.get("value"), list) for each in (body.get("bindings") or {}).values())
        repeatable = not lists and not sql.lstrip().upper().startswith("COPY")
        try:
            answer = await self._execution.run(
                session, sql, query.running, work, repeat if repeatable else None
            )
            wire.known_as(answer, query.identifier)
        except StoppedError as stopped:
            answer = wire.failed(*stopped.failure)
        except _FailedError as failed:
            answer = failed.answer
        self._note(sql, started, None if answer.get("success") else answer.get("message"), session)
        return JSONResponse(answer)

    def sql_api(self) -> SqlApi:
        """The account's SQL API."""
        return SqlApi(
            self._accounts,
            self._execution,
            self._session,
            log=self._note,
            patience=self._options.patience,
        )

    def _session(self, body: Mapping[str, Any]) -> Session:
        """A session for one request to the SQL API."""
        if refusal := self._refused(body.get("role") or self._role):
            raise StoppedError(refusal)
        # names in the SQL API are case-sensitive, and fakesnow's are not
        database, schema = body.get("database"), body.get("schema")
        known = database if database == (database or "").upper() else None
        connection = fakesnow_server.shared_fs.connect(known, schema if known else None)
        given = {"AUTOCOMMIT": "TRUE"}  # https://docs.snowflake.com/en/developer-guide/sql-api/intro
        if "timeout" in body:
            # a request's own limit goes before the account's, and 0 is the longest there is
            given["STATEMENT_TIMEOUT_IN_SECONDS"] = str(body["timeout"] or LONGEST)
        parameters.begin(connection, {**(body.get("parameters") or {}), **given})
        return Session(connection, role=body.get("role") or self._role, warehouse=body.get("warehouse"))

    @property
    def _role(self) -> str:
        return self._roles.first if self._roles else ROLE

    def _refused(self, role: str) -> Failure | None:
        """Why a role cannot be taken."""
        if self._roles is None or self._roles.known(role):
            return None
        text = (
            f"Role '{role}' specified in the connect string does not exist or not authorized. Contact your"
            " local system administrator, or attempt to login with another role, e.g. PUBLIC."
        )
        return Failure("390189", text, "08001")

    def _note(
        self, text: str, started: float, error: str | None, session: Session, statements: int = 1
    ) -> None:
        """One line a request, with the number of its statements."""
        if self._options.request_log:
            entry = {
                "statement": text,
                "statements": statements,
                "ms": round((time.monotonic() - started) * 1000, 1),
                "error": error,
                "session": session.number,
                "role": session.role,
                "transport": "connector" if session.token else "sql_api",
            }
            with self._options.request_log.open("a") as file:
                file.write(json.dumps(entry) + "\n")

    async def _answer(self, request: Request, body: dict[str, Any], session: Session) -> Response:
        connection = session.connection
        settle_schema(connection)
        try:
            sql = await run_in_threadpool(rewritten, connection, str(body["sqlText"]))
        except Exception as error:  # noqa: BLE001 - every failure is the client's to hear
            return wire.failure(*failure_of(error))
        sent = wire.again(request, {**body, "sqlText": sql}, session.token)
        response: Response = await fakesnow_server.query_request(sent)
        if response.status_code >= 500:  # noqa: PLR2004 - connectors would ask again for minutes
            text = " ".join(str(body["sqlText"]).split())[:300]
            return wire.failure(UNSUPPORTED, f"Unsupported feature in this sandbox: {text}", "0A000")
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


def repeated(connection: Any, sql: str, values: Sequence[Any]) -> None:
    """Do a statement once more; see :class:`Transactions`."""
    left = rewritten(connection, sql)
    connection.cursor().execute(left, binding_params=tuple(values) or None, server=True)


def create_app(accounts: Accounts, path: Path, options: Options | None = None) -> Starlette:
    """Build the application.

    Args:
        accounts: Who may log in.
        path: Folder of the databases.
        options: How the account behaves.
    """
    sandbox = Sandbox(accounts, path, options or Options())
    own = {
        "/session/v1/login-request": sandbox.login,
        "/session": sandbox.session,
        "/session/heartbeat": sandbox.session,
        "/queries/v1/query-request": sandbox.query,
        "/queries/v1/abort-request": sandbox.abort,
        "/monitoring/queries/{sfqid}": sandbox.monitor,
    }
    routes = [
        Route(route.path, own.get(route.path, route.endpoint), methods=list(route.methods or ["GET"]))
        for route in fakesnow_server.routes
    ]
    routes.append(Route("/session/token-request", sandbox.renew, methods=["POST"]))
    # after the route of a request's id, which it would hide
    routes.append(Route(ABORT, sandbox.abort, methods=["POST"]))
    routes.append(Route(RESULT, sandbox.result, methods=["GET"]))
    routes += sandbox.sql_api().routes() + TokenEndpoint(accounts).routes()
    return Starlette(routes=routes)
