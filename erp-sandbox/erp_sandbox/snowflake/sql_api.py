"""Snowflake's SQL API v2 over the same account: statements by handle, each request a session of its own.

https://docs.snowflake.com/en/developer-guide/sql-api/reference
"""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
from fakesnow.rowtype import describe_as_rowtype
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from erp_sandbox.snowflake import submission, values
from erp_sandbox.snowflake.auth import LoginError
from erp_sandbox.snowflake.execution import CANCELLED, Execution, Running, StoppedError
from erp_sandbox.snowflake.failures import Failure, failure_of
from erp_sandbox.snowflake.sessions import roll_back
from erp_sandbox.snowflake.statements import rewritten, settle_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from erp_sandbox.snowflake.auth import Accounts
    from erp_sandbox.snowflake.sessions import Session

STATEMENTS = "/api/v2/statements"
ROWS_A_PARTITION = 5_000
MOST_AT_ONCE = 16
KEPT = 1_000
RUNNING = ("333334", "Asynchronous execution in progress. Use provided query id to perform query monitoring.")
DONE = ("090001", "Statement executed successfully.")
#: What a request of several statements answers instead of rows;
#: https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements
_SEVERAL_DONE = "Multiple statements executed successfully."
_SEVERAL_ROWTYPE = {
    "name": "multiple statement execution",
    "database": "",
    "schema": "",
    "table": "",
    "type": "text",
    "scale": None,
    "precision": None,
    "length": 16_777_216,
    "byteLength": 16_777_216,
    "nullable": False,
    "collation": None,
}


@dataclass
class Result:
    """What one statement gave."""

    rowtype: list[Any]
    rows: list[list[str | None]]
    handle: str = field(default_factory=lambda: str(uuid4()))
    created: int = field(default_factory=lambda: int(time.time() * 1000))
    children: list[str] = field(default_factory=list)


@dataclass
class Job:
    """One request: its statements, and what became of them."""

    submission: submission.Submission
    running: Running = field(default_factory=Running)
    handle: str = field(default_factory=lambda: str(uuid4()))
    created: int = field(default_factory=lambda: int(time.time() * 1000))
    results: list[Result] = field(default_factory=list)
    failure: Failure | None = None
    task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.task is not None and self.task.done()

    def result(self) -> Result:
        """What the request itself gave: of several statements, only their handles."""
        if not self.submission.several:
            return Result(self.results[0].rowtype, self.results[0].rows, self.handle, self.created)
        handles = [result.handle for result in self.results]
        return Result([_SEVERAL_ROWTYPE], [[_SEVERAL_DONE]], self.handle, self.created, handles)


class SqlApi:
    """The SQL API of one account.

    Args:
        accounts: Who may log in.
        execution: Carries statements out.
        connect: Opens a session, given a request's body.
        log: Takes the text of each request, when it began, its error, its session and its statements' number.
        patience: Seconds before an answer is 202.
    """

    def __init__(
        self,
        accounts: Accounts,
        execution: Execution,
        connect: Callable[[Mapping[str, Any]], Session],
        *,
        log: Callable[[str, float, str | None, Session, int], None],
        patience: float,
    ) -> None:
        self._accounts = accounts
        self._execution = execution
        self._connect = connect
        self._log = log
        self._patience = patience
        self._jobs: dict[str, Job] = {}
        self._requests: dict[str, Job] = {}
        self._results: dict[str, Result] = {}

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route(STATEMENTS, self.submit, methods=["POST"]),
            Route(STATEMENTS + "/{handle}", self.status, methods=["GET"]),
            Route(STATEMENTS + "/{handle}/cancel", self.cancel, methods=["POST"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Run statements; one that is sent again under its request id with ``retry`` is not run again."""
        try:
            self._let_in(request)
            asked = await submission.read(request)
        except submission.RefusedError as refused:
            return _error(refused.status, refused.failure)
        # https://docs.snowflake.com/en/developer-guide/sql-api/submitting-requests (resubmitting a request)
        name = request.query_params.get("requestId") or str(uuid4())
        job = self._requests.get(name) if request.query_params.get("retry") == "true" else None
        if job is None:
            if sum(not each.done for each in self._jobs.values()) >= MOST_AT_ONCE:
                return _error(429, Failure("390505", "Too many requests.", "02000"))
            job = Job(asked)
            self._jobs[job.handle] = self._requests[name] = job
            for kept in (self._jobs, self._requests):
                while len(kept) > KEPT:
                    kept.pop(next(iter(kept)))
            job.task = asyncio.create_task(self._run(job))
        if request.query_params.get("async") != "true" and job.task:
            await asyncio.wait({job.task}, timeout=self._patience)
        return self._answer(job)

    async def status(self, request: Request) -> Response:
        """What became of a statement, or one partition of its result."""
        try:
            self._let_in(request)
        except submission.RefusedError as refused:
            return _error(refused.status, refused.failure)
        handle = request.path_params["handle"]
        job = self._jobs.get(handle)
        if job is not None and (job.failure or not job.done):
            return self._answer(job)
        result = job.result() if job else self._results.get(handle)
        if result is None:
            return _error(404, Failure("000709", "Statement not found", "02000"))
        return _partition(result, request.query_params.get("partition") or "0")

    async def cancel(self, request: Request) -> Response:
        """Stop a statement."""
        try:
            self._let_in(request)
        except submission.RefusedError as refused:
            return _error(refused.status, refused.failure)
        job = self._jobs.get(request.path_params["handle"])
        if job is None or job.done:
            return _error(422, Failure("000709", "Statement is not running", "02000"))
        job.running.stop(CANCELLED)
        return JSONResponse({**_about(job.handle), "code": CANCELLED.code, "message": CANCELLED.message})

    def _let_in(self, request: Request) -> None:
        submission.check_headers(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        kind = request.headers.get("x-snowflake-authorization-token-type")
        try:
            self._accounts.check_bearer(kind, token if scheme.lower() == "bearer" else "")
        except LoginError as error:
            raise submission.RefusedError(401, error.code, str(error), "08001") from None

    async def _run(self, job: Job) -> None:
        """Run the statements in a session that ends with them; what was begun and not ended rolls back."""
        started = time.monotonic()
        body = job.submission.body
        try:
            session = self._connect(body)
        except StoppedError as stopped:
            job.failure = stopped.failure
            return
        try:
            settle_schema(session.connection)
            for part in job.submission.parts:
                result = await self._done(job, session, part)
                self._results[result.handle] = result
                job.results.append(result)
        except StoppedError as stopped:
            job.failure = stopped.failure
        finally:
            await run_in_threadpool(_ended, session)
            self._execution.transactions.forget(session)
            while len(self._results) > KEPT:
                self._results.pop(next(iter(self._results)))
        texts = ";\n".join(part.sql for part in job.submission.parts)
        said = job.failure.message if job.failure else None
        self._log(texts, started, said, session, len(job.submission.parts))

    async def _done(self, job: Job, session: Session, part: submission.Part) -> Result:
        """Run one statement.

        Raises:
            StoppedError: If it fails, with what the request is answered.
        """
        try:
            bound = tuple(values.parameters(job.submission.bindings)) or None

            async def work(left: str) -> Result:
                return await run_in_threadpool(_executed, session.connection, left, bound)

            def repeat() -> None:
                _executed(session.connection, part.sql, bound)

            repeatable = not part.sql.upper().startswith("COPY")
            result: Result = await self._execution.run(
                session, part.sql, job.running, work, repeat if repeatable else None
            )
        except Exception as error:  # every failure is the client's to hear
            if job.running.failure:  # stopped by a time-out or on demand, which is the request's own end
                raise StoppedError(job.running.failure) from error
            failure = error.failure if isinstance(error, StoppedError) else failure_of(error)
            if isinstance(error, values.BindingError):
                failure = Failure("100038", str(error), "22018")
            raise StoppedError(part.blamed(failure.message) if job.submission.several else failure) from error
        return result

    def _answer(self, job: Job) -> Response:
        if not job.done:
            code, message = RUNNING
            about = {**_about(job.handle), "code": code, "message": message}
            return JSONResponse(about, status_code=202)
        if job.failure:
            status = 408 if job.failure.code == "000630" else 422
            return _error(status, job.failure, **_about(job.handle), createdOn=job.created)
        return _partition(job.result(), "0")


def _executed(connection: Any, sql: str, bound: tuple[Any, ...] | None) -> Result:
    cursor = connection.cursor()
    cursor.execute(rewritten(connection, sql), binding_params=bound, server=True)
    rowtype = describe_as_rowtype(cursor._describe_last_sql())  # noqa: SLF001
    return Result(rowtype, values.rows(rowtype, cursor._arrow_table))  # noqa: SLF001


def _ended(session: Session) -> None:
    roll_back(session)
    with suppress(duckdb.Error):
        session.connection.close()


def _partition(result: Result, which: str) -> Response:
    """A result with its first partition, or another partition alone, compressed.

    https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses
    """
    starts = range(0, max(len(result.rows), 1), ROWS_A_PARTITION)
    if not which.isdigit() or int(which) >= len(starts):
        return _error(400, Failure("391900", f"There is no partition {which}.", "02000"))
    start = starts[int(which)]
    rows = result.rows[start : start + ROWS_A_PARTITION]
    if start:
        content = gzip.compress(json.dumps({"data": rows}).encode(), 1)
        headers = {"Content-Encoding": "gzip"}
        return Response(content, media_type="application/json", headers=headers)
    described = {
        "numRows": len(result.rows),
        "format": "jsonv2",
        "partitionInfo": [_sizes(result.rows[at : at + ROWS_A_PARTITION]) for at in starts],
        "rowType": result.rowtype,
    }
    code, message = DONE
    several = {"statementHandles": result.children} if result.children else {}
    about = {"code": code, "sqlState": "00000", "message": message, "createdOn": result.created}
    found = {"resultSetMetaData": described, "data": rows}
    return JSONResponse({**found, **about, **_about(result.handle), **several})


def _sizes(rows: list[list[str | None]]) -> dict[str, int]:
    return {"rowCount": len(rows), "uncompressedSize": sum(len(cell or "") for row in rows for cell in row)}


def _about(handle: str) -> dict[str, Any]:
    return {"statementHandle": handle, "statementStatusUrl": f"{STATEMENTS}/{handle}"}


def _error(status: int, failure: Failure, **more: Any) -> Response:
    answer = {"code": failure.code, "message": failure.message, "sqlState": failure.state, **more}
    return JSONResponse(answer, status_code=status)
