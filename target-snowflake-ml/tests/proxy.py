"""Stands between the target and Snowflake, and does to the traffic what networks do."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Proxy:
    """Passes requests on; ``trouble(path, statement)`` says what happens to each.

    It gives None (nothing), ``"refuse"`` (503), ``"cut"`` (passed on, but the answer is lost), ``"reset"`` (not
    passed on), ``"silence"`` (no answer), a dict (that answer, as JSON), or a status, headers and a dict.
    """

    def __init__(self, url):
        self.upstream = urlsplit(url)
        self.trouble = lambda path, statement: None
        self.statements = []
        self.paths = []
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def decide(self, path, body):
        statement = ""
        if path.startswith(("/queries/v1/query-request", "/api/v2/statements?")):
            try:
                sent = json.loads(body)
                statement = sent.get("sqlText") or sent.get("statement") or ""
            except ValueError:
                statement = ""
            self.statements.append(statement)
        with self.lock:
            self.paths.append(path)
            return self.trouble(path, statement)

    @staticmethod
    def times(count, what, *words):
        """Trouble for the first so many statements that begin with one of some words."""
        left = [count]

        def trouble(_path, statement):
            if left[0] and statement.lstrip().startswith(words or ("",)) and statement:
                left[0] -= 1
                return what
            return None

        return trouble

    def forward(self, method, path, headers, body):
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


@contextmanager
def proxied(url):
    """A proxy before a server; yields it with its ``url``."""
    proxy = Proxy(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            plain = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
            what = proxy.decide(self.path, plain)
            if what == "reset":
                self.close_connection = True
                return
            if what == "silence":
                proxy.closing.wait(60)
                self.close_connection = True
                return
            if what == "refuse":
                self.answer(503, [], b"<html>Service Unavailable</html>")
                return
            if isinstance(what, dict):
                self.answer(200, [("Content-Type", "application/json")], json.dumps(what).encode())
                return
            if isinstance(what, tuple):
                status, answered, answer = what
                self.answer(status, list(answered.items()), json.dumps(answer).encode())
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            # presigned addresses lead back here
            headers["Host"] = self.headers.get("Host", "")
            status, answered, body = proxy.forward(self.command, self.path, headers, raw)
            if what == "cut":
                self.close_connection = True
                return
            self.answer(status, answered, body)

        do_GET = do_POST = do_PUT = handle_any

        def answer(self, status, headers, body):
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in {
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "date",
                    "server",
                }:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        proxy.closing.set()
        server.shutdown()
        server.server_close()
