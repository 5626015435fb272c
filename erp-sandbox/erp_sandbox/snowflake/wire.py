"""Requests and answers between the connectors and fakesnow."""

from __future__ import annotations

import gzip
import json
from typing import Any

import fakesnow.server as fakesnow_server
from starlette.requests import Request
from starlette.responses import JSONResponse


async def json_of(request: Request) -> dict[str, Any]:
    """A request's body."""
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    found: dict[str, Any] = json.loads(body or b"{}")
    return found


def again(request: Request, body: dict[str, Any], token: str = "") -> Request:
    """The same request with another body, and with the session's token of now."""
    data = json.dumps(body).encode()
    left_out = {b"content-encoding", b"content-length", *([b"authorization"] if token else [])}
    headers = [(key, value) for key, value in request.scope["headers"] if key not in left_out]
    if token:
        headers.append((b"authorization", f'Snowflake Token="{token}"'.encode()))

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    return Request({**request.scope, "headers": headers}, receive)


def known_as(answer: dict[str, Any], identifier: str) -> None:
    """Put an answer under the query id that was given out before there was one."""
    data = answer.get("data") or {}
    if given := data.get("queryId"):
        cache = fakesnow_server.shared_fs.results_cache
        if given in cache:
            cache[identifier] = cache[given]
        data["queryId"] = identifier


def success(data: Any) -> JSONResponse:
    """An answer that has no failure."""
    return JSONResponse({"data": data, "code": None, "message": None, "success": True})


def failed(code: str, message: str, state: str) -> dict[str, Any]:
    """The body of a failure."""
    data = {"errorCode": code, "sqlState": state}
    return {"data": data, "code": code, "message": message, "success": False}


def failure(code: str, message: str, state: str) -> JSONResponse:
    """An answer that is one."""
    return JSONResponse(failed(code, message, state))
