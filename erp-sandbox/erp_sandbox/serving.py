"""Run an ASGI application on a port and say when it answers."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import click
import uvicorn

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def serve(app: ASGIApp, *, host: str, port: int, path: str = "", dated: bool = True) -> None:
    """Serve until interrupted; print ``ready URL`` once connections are accepted.

    Args:
        app: The application.
        host: Address to bind.
        port: Port to bind, 0 for a free one.
        path: What to append to the printed URL.
        dated: Whether answers get the machine's time as their Date; else the application says its own.
    """
    listener = socket.create_server((host, port), backlog=256)
    # asyncio leaves a socket it did not open as it is: without this, small answers wait 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bound = listener.getsockname()[1]
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, date_header=dated
    )
    click.echo(f"ready http://{host}:{bound}{path}")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])
