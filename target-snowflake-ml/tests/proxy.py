"""Stands between the target and Snowflake, and does to the traffic what networks do."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Proxy:
    """Passes requests on; ``trouble(path, statement)`` says what happens to each, or gives a function that does.

    It gives None (nothing), ``"refuse"`` (503), ``"cut"`` (passed on, but the answer is lost), ``"reset"`` (not
    passed on), ``"silence"`` (no answer), what :meth:`slow` gives, a dict (that answer, as JSON), or a status, headers and a dict.
    """

    def __init__(self, url):
        self.upstream = urlsplit(url)
        self.trouble = lambda path, statement: None
        self.statements = []
        self.paths = []
        self.bodies = []
        self.results = {}
        self.lock = threading.Lock()
        self.at_work = 0
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
            self.bodies.append((path, body))
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

    @staticmethod
    def outage(seconds, what="reset", after=""):
        """Nothing gets through for some seconds, from the first statement on that has a word in it."""
        ends = []

        def trouble(_path, statement):
            if not ends and after in statement:
                ends.append(time.monotonic() + seconds)
            return what if ends and time.monotonic() < ends[0] else None

        return trouble

    def slow(self, answers, seconds, *words):
        """The connector's statements that begin with one of some words take their time.

        Each of so many answers comes after some seconds and says 333333, as Snowflake's do every 45 s.
        """

        def trouble(path, statement):
            if path.startswith("/test-result/"):
                return ("wait", path.partition("?")[0])
            if statement and statement.lstrip().startswith(words):
                return ("hold", answers, seconds)
            return None

        return trouble

    def logins(self):
        """What the logins of the connector said."""
        return [json.loads(body)["data"] for path, body in self.bodies if "login-request" in path]

    def requests(self):
        """The bodies of the SQL API's requests."""
        return [json.loads(body) for path, body in self.bodies if path.startswith("/api/v2/statements?")]

    def hold(self, answers, seconds, answer):
        """Keep an answer back; what says how it is asked for."""
        key = f"/test-result/{len(self.results)}"
        self.results[key] = [answers, seconds, answer]
        return self.waited(key)

    def waited(self, key):
        """The next answer to one that is asked for."""
        left, seconds, answer = self.results[key]
        time.sleep(seconds)
        if left:
            self.results[key][0] -= 1
            said = {"code": "333333", "message": None, "success": True, "data": {"getResultUrl": key}}
            return 200, [("Content-Type", "application/json")], json.dumps(said).encode()
        return answer

    def settle(self):
        """Wait until every request that came has been carried out, whether or not anybody waits for the answer."""
        while self.at_work:
            time.sleep(0.01)

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
            with proxy.lock:
                proxy.at_work += 1
            try:
                self.handle_one()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # who asked has gone
            finally:
                with proxy.lock:
                    proxy.at_work -= 1

        def handle_one(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            plain = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
            what = proxy.decide(self.path, plain)
            if callable(what):  # it may take its time
                what = what()
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
            if isinstance(what, tuple) and what[0] == "wait":
                self.answer(*proxy.waited(what[1]))
                return
            if isinstance(what, tuple) and what[0] != "hold":
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
            if what is not None:
                _, answers, seconds = what
                status, answered, body = proxy.hold(answers, seconds, (status, answered, body))
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
    server.handle_error = lambda *_: None  # clients that are killed break off
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        proxy.closing.set()
        server.shutdown()
        server.server_close()
