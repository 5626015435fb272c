"""The connectors' statements: one that takes long is asked for again until it has come to its end.

A request is answered after 45 seconds at the latest. If its statement still runs, the answer says so with
code 333333 (333334 for one that was sent to run by itself) and with an address at which to ask again; each
time the same. There is no public page about it; the drivers show what they expect:
https://github.com/snowflakedb/snowflake-connector-python/blob/main/src/snowflake/connector/network.py
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from erp_sandbox.snowflake.execution import CANCELLED, Running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PATIENCE = 45.0
"""Seconds for which a request waits for its statement."""
KEPT = 256
IN_PROGRESS = "333333"
IN_PROGRESS_ASYNC = "333334"
RESULT = "/queries/{query}/result"
ABORT = "/queries/{query}/abort-request"


@dataclass(eq=False)
class Query:
    """One statement of a connector, and its answer to be."""

    detached: bool = False
    identifier: str = field(default_factory=lambda: str(uuid4()))
    running: Running = field(default_factory=Running)
    answer: asyncio.Future[Response] | None = None


class Queries:
    """The statements that connectors have sent.

    Args:
        patience: Seconds for which a request waits for its statement.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._by_request: dict[str, Query] = {}
        self._by_id: dict[str, Query] = {}

    async def asked(
        self, request: str, run: Callable[[Query], Awaitable[Response]], *, detached: bool
    ) -> Response:
        """Run a statement; one that is sent again under its request id gets the answer that it missed.

        Args:
            request: The request id.
            run: Carries the statement out.
            detached: Whether its client does not wait for it.
        """
        query = self._by_request.get(request)
        if query is None:
            query = Query(detached)
            query.answer = asyncio.ensure_future(run(query))
            self._by_request[request] = self._by_id[query.identifier] = query
            for kept in (self._by_request, self._by_id):
                for name in [name for name, each in kept.items() if each.answer and each.answer.done()]:
                    if len(kept) <= KEPT:
                        break
                    kept.pop(name)
        return await self._waited(query, first=True)

    async def asked_again(self, identifier: str) -> Response | None:
        """Wait once more for a statement, by its query id; None if there is none."""
        query = self._by_id.get(identifier)
        return await self._waited(query, first=False) if query else None

    def abort(self, name: str) -> bool:
        """Stop a statement, by its own id or that of the request that brought it; tell whether it ran."""
        query = self._by_request.get(name) or self._by_id.get(name)
        if query is None or query.answer is None or query.answer.done():
            return False
        query.running.stop(CANCELLED)
        return True

    def found(self, identifier: str) -> Query | None:
        """A statement by its query id."""
        return self._by_id.get(identifier)

    async def _waited(self, query: Query, *, first: bool) -> Response:
        answer = query.answer
        if answer is None:  # pragma: no cover - it is there as soon as the query is
            raise RuntimeError(query.identifier)
        if not (query.detached and first):
            await asyncio.wait({answer}, timeout=self._patience)
        if answer.done():
            return answer.result()
        data = {
            "queryId": query.identifier,
            "getResultUrl": RESULT.format(query=query.identifier),
            "queryAbortsAfterSecs": 300,
            "progressDesc": None,
        }
        code = IN_PROGRESS_ASYNC if query.detached else IN_PROGRESS
        message = "Query execution in progress. Refer to the query id to ask for its result."
        return JSONResponse({"data": data, "code": code, "message": message, "success": True})
