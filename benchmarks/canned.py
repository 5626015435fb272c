"""Answers that are ready before they are asked: a server that costs next to nothing, for the taps' benchmark.

What a ledger is asked for is asked once of the sandbox (another process); its records then come again and again with
other keys, so that they stay true to the simulator. Everything else (signing in, descriptions, the chart of accounts)
goes on to the sandbox. When it is ended it says on a line of JSON how many requests came, when the first one did, and
how long it worked on them: the time in which an answer leaves belongs to who reads it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import socketserver
import sys
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ledger_pages import LEDGERS, Asked, RecordingError

if TYPE_CHECKING:
    from ledger_pages import Pages

_HEADERS_KEPT = ("content-type", "set-cookie")
_HEADERS_DROPPED = ("accept-encoding", "connection", "content-length")


class Upstream:
    """The sandbox.

    Args:
        url: Its address.
    """

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)

    def __call__(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        """Pass a request on.

        Returns:
            Status, headers and body.
        """
        connection = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=600)
        try:
            headers = {k: v for k, v in asked.headers.items() if k not in _HEADERS_DROPPED}
            connection.request(asked.method, asked.path, asked.body or None, headers)
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() in _HEADERS_KEPT}
            return answer.status, kept, answer.read()
        finally:
            connection.close()


class Tally:
    """What was asked, and how long it took."""

    def __init__(self) -> None:
        self.requests = self.pages = 0
        self.first = 0.0
        self.busy = 0.0
        self._lock = threading.Lock()

    def count(self, took: float, *, page: bool) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            self.pages += page
            self.busy += took

    def begun(self) -> None:
        """Note when the first request came."""
        with self._lock:
            self.first = self.first or time.time()

    def line(self) -> str:
        """All of it as JSON."""
        return json.dumps(
            {"requests": self.requests, "pages": self.pages, "first": self.first, "busy_s": self.busy}
        )


class Server(socketserver.ThreadingTCPServer):
    """Serves one ledger.

    Args:
        pages: The ledger.
        upstream: Answers all else.
        delay: Seconds by which each request is held back.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, pages: Pages, upstream: Upstream, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages, self.upstream, self.delay = pages, upstream, delay
        self.tally = Tally()


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        while (asked := self._asked()) is not None:
            tally, delay = self.server.tally, self.server.delay
            tally.begun()
            started = time.perf_counter()
            status, headers, body, page = self._answer(asked)
            if delay:
                time.sleep(delay)
            tally.count(time.perf_counter() - started, page=page)
            lines = [f"HTTP/1.1 {status} -", *(f"{k}: {v}" for k, v in headers.items())]
            lines += [f"Content-Length: {len(body)}", "", ""]
            try:
                self.request.sendall("\r\n".join(lines).encode() + body)
            except OSError:
                return

    def _answer(self, asked: Asked) -> tuple[int, dict[str, str], bytes, bool]:
        """Status, headers and body, and whether it is a page of the ledger."""
        pages = self.server.pages
        try:
            body = pages.answer(asked, self.server.upstream)
        except RecordingError as error:
            print(error, file=sys.stderr, flush=True)
            return 400, {"Content-Type": "text/plain"}, str(error).encode(), False
        if body is not None:
            return 200, {"Content-Type": pages.content_type}, body, True
        return *self.server.upstream(asked), False

    def _asked(self) -> Asked | None:
        try:
            first = self.rfile.readline()
        except OSError:
            return None
        if not first:
            return None
        method, path, _ = first.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length") or 0))
        return Asked(method, path, headers, body)


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger", choices=LEDGERS)
    parser.add_argument("sandbox", help="address of the sandbox")
    parser.add_argument("rows", type=int)
    parser.add_argument("--delay", type=float, default=0, help="milliseconds a request")
    given = parser.parse_args()
    server = Server(LEDGERS[given.ledger](given.rows), Upstream(given.sandbox), given.delay / 1000)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    place = urlsplit(given.sandbox)
    print(f"ready http://127.0.0.1:{server.server_address[1]}{place.path}", flush=True)
    server.serve_forever(poll_interval=0.05)
    print(server.tally.line(), flush=True)


if __name__ == "__main__":
    main()
