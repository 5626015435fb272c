"""Snowflake's SQL API v2 over the same account: statements by handle, each request a session of its own.

https://docs.snowflake.com/en/developer-guide/sql-api/reference
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
import sqlglot
from fakesnow.rowtype import describe_as_rowtype
from sqlglot import exp
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from erp_sandbox.snowflake import values
from erp_sandbox.snowflake.auth import LoginError
from erp_sandbox.snowflake.failures import Failure, failure_of
from erp_sandbox.snowflake.statements import duck_name, rewritten, settle_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from erp_sandbox.snowflake.auth import Accounts

STATEMENTS = "/api/v2/statements"
PATIENCE = 45.0
"""Seconds for which a request waits for its statement before it is answered 202."""
ROWS_A_PARTITION = 5_000
MOST_AT_ONCE = 16
KEPT = 1_000
RUNNING = ("333334", "Asynchronous execution in progress. Use provided query id to perform query monitoring.")
DONE = ("090001", "Statement executed successfully.")
CANCELLED = Failure("000604", "SQL execution canceled", "57014")
#: Alone they would end with their request; https://docs.snowflake.com/en/developer-guide/sql-api/intro
_ONLY_TOGETHER = ("BEGIN", "START", "COMMIT", "ROLLBACK", "USE", "ALTER SESSION", "SET", "UNSET")
_NEVER = ("PUT", "GET")


@dataclass
class Job:
    """One request: its statements, and what became of them."""

    body: Mapping[str, Any]
    statements: list[str]
    handle: str = field(default_factory=lambda: str(uuid4()))
    created: int = field(default_factory=lambda: int(time.time() * 1000))
    children: list[str] = field(default_factory=list)
    rowtype: list[Any] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    failure: Failure | None = None
    timed_out: bool = False
    connection: Any = None
    task: asyncio.Task[None] | None = None

    @property
    def seconds(self) -> float | None:
        """How long it may run; 0 is as long as Snowflake lets any."""
        return float(self.body.get("timeout") or 0) or None


class SqlApi:
    """The SQL API of one account.

    Args:
        accounts: Who may log in.
        connect: Opens a session, given a database and a schema.
        latency: Seconds each statement is held back.
        log: Takes statement, milliseconds and error of each request.
        patience: Seconds before an answer is 202.
    """

    def __init__(
        self,
        accounts: Accounts,
        connect: Callable[[str | None, str | None], Any],
        *,
        latency: float,
        log: Callable[[str, float, str | None], None],
        patience: float = PATIENCE,
    ) -> None:
        self._accounts = accounts
        self._connect = connect
        self._latency = latency
        self._log = log
        self._patience = patience
        self._jobs: dict[str, Job] = {}
        self._requests: dict[str, Job] = {}

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route(STATEMENTS, self.submit, methods=["POST"]),
            Route(STATEMENTS + "/{handle}", self.status, methods=["GET"]),
            Route(STATEMENTS + "/{handle}/cancel", self.cancel, methods=["POST"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Run statements; one that is sent again under its request id with ``retry`` is not run again."""
        if refusal := self._refusal(request):
            return refusal
        try:
            body = json.loads(await request.body())
            statements = _split(body)
        except (ValueError, KeyError, TypeError) as error:
            return _error(400, Failure("391900", f"The request cannot be read: {error}", "02000"))
        except _RefusedError as refused:
            return _error(422, refused.failure)
        name = request.query_params.get("requestId") or str(uuid4())
        job = self._requests.get(name) if request.query_params.get("retry") == "true" else None
        if job is None:
            if sum(not each.task.done() for each in self._jobs.values() if each.task) >= MOST_AT_ONCE:
                return _error(429, Failure("390505", "Too many requests.", "02000"))
            job = Job(body, statements)
            self._jobs[job.handle] = self._requests[name] = job
            for kept in (self._jobs, self._requests):
                while len(kept) > KEPT:
                    kept.pop(next(iter(kept)))
            job.task = asyncio.create_task(self._watched(job))
        if request.query_params.get("async") != "true" and job.task:
            await asyncio.wait({job.task}, timeout=self._patience)
        return self._answer(job)

    async def status(self, request: Request) -> Response:
        """What became of a statement, or one partition of its result."""
        if refusal := self._refusal(request):
            return refusal
        job = self._jobs.get(request.path_params["handle"])
        if job is None:
            return _error(404, Failure("000709", "Statement not found", "02000"))
        partition = request.query_params.get("partition")
        if partition is None or job.failure or (job.task and not job.task.done()):
            return self._answer(job)
        start = int(partition) * ROWS_A_PARTITION
        return JSONResponse({"data": job.rows[start : start + ROWS_A_PARTITION]})

    async def cancel(self, request: Request) -> Response:
        """Stop a statement."""
        if refusal := self._refusal(request):
            return refusal
        job = self._jobs.get(request.path_params["handle"])
        if job is None or job.task is None or job.task.done():
            return _error(422, Failure("000709", "Statement is not running", "02000"))
        job.failure = CANCELLED
        _interrupt(job)
        return JSONResponse({**_about(job), "code": CANCELLED.code, "message": CANCELLED.message})

    def _refusal(self, request: Request) -> Response | None:
        headers = request.headers
        if "application/json" not in headers.get("accept", "") and "*/*" not in headers.get("accept", ""):
            text = f"Unsupported Accept header {headers.get('accept', 'null')} is specified."
            return _error(406, Failure("391902", text, "02000"))
        kind = headers.get("x-snowflake-authorization-token-type", "KEYPAIR_JWT")
        scheme, _, token = headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                token = ""
            self._accounts.check_bearer(kind, token)
        except LoginError as error:
            return _error(401, Failure(error.code, str(error), "08001"))
        return None

    async def _watched(self, job: Job) -> None:
        """Run a job no longer than it may."""
        started = time.monotonic()
        work = asyncio.ensure_future(run_in_threadpool(self._run, job))
        done, _ = await asyncio.wait({work}, timeout=job.seconds)
        if not done:
            job.timed_out = True
            limit = f"its statement or warehouse timeout of {job.seconds:g} second(s)"
            job.failure = Failure("000630", f"Statement reached {limit} and was canceled.", "57014")
            _interrupt(job)
            await asyncio.wait({work})
        passed = (time.monotonic() - started) * 1000
        self._log(";\n".join(job.statements), passed, job.failure.message if job.failure else None)

    def _run(self, job: Job) -> None:
        """Run the statements in a session that ends with them; what was begun and not ended rolls back."""
        until = time.monotonic() + self._latency
        while time.monotonic() < until and not job.failure:
            time.sleep(0.005)
        body = job.body
        try:
            job.connection = connection = self._connect(body.get("database"), body.get("schema"))
            settle_schema(connection)
            for statement in job.statements:
                if job.failure:
                    break
                cursor = _executed(connection, statement, body.get("bindings"))
                job.children.append(str(uuid4()))
            if not job.failure:
                job.rowtype = describe_as_rowtype(cursor._describe_last_sql())  # noqa: SLF001
                job.rows = values.rows(job.rowtype, cursor._arrow_table)  # noqa: SLF001
        except values.BindingError as error:
            job.failure = job.failure or Failure("100132", str(error), "22000")
        except Exception as error:  # noqa: BLE001 - every failure is the client's to hear
            job.failure = job.failure or failure_of(error)
        finally:
            if job.connection is not None:
                with suppress(duckdb.Error):
                    job.connection._duck_conn.rollback()  # noqa: SLF001 - there is no public word for it
                job.connection.close()
                job.connection = None

    def _answer(self, job: Job) -> Response:
        about = _about(job)
        if job.task and not job.task.done():
            code, message = RUNNING
            return JSONResponse({**about, "code": code, "message": message}, status_code=202)
        if job.failure:
            return _error(408 if job.timed_out else 422, job.failure, **about)
        code, message = DONE
        several = {"statementHandles": job.children} if len(job.statements) > 1 else {}
        starts = range(0, max(len(job.rows), 1), ROWS_A_PARTITION)
        described = {
            "numRows": len(job.rows),
            "format": "jsonv2",
            "partitionInfo": [{"rowCount": len(job.rows[at : at + ROWS_A_PARTITION])} for at in starts],
            "rowType": job.rowtype,
        }
        first = job.rows[:ROWS_A_PARTITION]
        found = {"resultSetMetaData": described, "data": first, "code": code, "message": message}
        return JSONResponse({**about, **found, **several, "sqlState": "00000", "createdOn": job.created})


class _RefusedError(Exception):
    """A request that is answered before anything runs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(code, message, "0A000")


def _split(body: Mapping[str, Any]) -> list[str]:
    """The statements of a request, as many as it says.

    Raises:
        _RefusedError: If there are more or fewer, or some that the SQL API does not take.
    """
    text = str(body["statement"])
    wanted = int((body.get("parameters") or {}).get("MULTI_STATEMENT_COUNT", 1))
    starts = [0]
    starts += [token.end + 1 for token in sqlglot.tokenize(text, read="snowflake") if token.text == ";"]
    pieces = [text[at:end] for at, end in zip(starts, [*starts[1:], len(text) + 1], strict=True)]
    found = [piece.strip().rstrip(";").strip() for piece in pieces]
    statements = [statement for statement in found if statement]
    if wanted not in {0, len(statements)}:
        raise _RefusedError(
            "000008",
            f"Actual statement count {len(statements)} did not match the desired statement count {wanted}.",
        )
    if len(statements) > 1 and body.get("bindings"):
        raise _RefusedError("391911", "Bindings are not supported in a request of several statements.")
    for statement in statements:
        first = " ".join(statement.upper().split()[:2])
        if first.split()[0] in _NEVER or (len(statements) == 1 and first.startswith(_ONLY_TOGETHER)):
            raise _RefusedError("391911", f"Unsupported statement type '{first}'.")
    return statements


def _executed(connection: Any, statement: str, bindings: Mapping[str, Any] | None) -> Any:
    cursor = connection.cursor()
    sql = rewritten(connection, statement)
    if not bindings:
        return cursor.execute(sql)
    arrays = values.columns(bindings)
    if arrays is None:
        return cursor.execute(sql, binding_params=tuple(values.parameters(bindings)), server=True)
    count = _insert(connection, sql, arrays)
    return cursor.execute(f'SELECT {count} AS "number of rows inserted"')


def _insert(connection: Any, sql: str, arrays: list[Any]) -> int:
    """INSERT of many rows by bound arrays, in one go."""
    parsed = sqlglot.parse_one(sql, read="snowflake")
    target = parsed.this if isinstance(parsed, exp.Insert) else None
    if not isinstance(target, exp.Schema) or not isinstance(parsed.args.get("expression"), exp.Values):
        raise values.BindingError("Arrays are bound by INSERT ... VALUES only.")
    import pyarrow as pa  # noqa: PLC0415 - other requests do without

    names = [column.name for column in target.expressions]
    duck = connection._duck_conn  # noqa: SLF001
    duck.register("bound", pa.table(arrays, names=names))
    try:
        listed = ", ".join(f'"{name}"' for name in names)
        into = duck_name(connection, target.this)
        (count,) = duck.execute(f"INSERT INTO {into} ({listed}) SELECT {listed} FROM bound").fetchone() or (
            0,
        )
    finally:
        duck.unregister("bound")
    return int(count)


def _interrupt(job: Job) -> None:
    connection = job.connection
    if connection is not None:
        with suppress(duckdb.Error):
            connection._duck_conn.interrupt()  # noqa: SLF001


def _about(job: Job) -> dict[str, Any]:
    return {"statementHandle": job.handle, "statementStatusUrl": f"{STATEMENTS}/{job.handle}"}


def _error(status: int, failure: Failure, **more: Any) -> Response:
    answer = {"code": failure.code, "message": failure.message, "sqlState": failure.state, **more}
    return JSONResponse(answer, status_code=status)
