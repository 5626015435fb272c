"""A little server that answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit


class Little:
    """`answers` are taken in turn, the last one for ever: (status, body, headers), or a function of the request."""

    def __init__(self):
        self.answers = []
        self.requests = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def do_GET(self):
                self.reply(b"")

            def do_POST(self):
                self.reply(self.rfile.read(int(self.headers["Content-Length"])))

            def reply(self, body):
                parts = urlsplit(self.path)
                asked = {
                    "path": unquote(parts.path),
                    "query": dict(parse_qsl(parts.query)),
                    "headers": dict(self.headers),
                    "body": body,
                }
                outer.requests.append(asked)
                answer = outer.answers[0] if len(outer.answers) == 1 else outer.answers.pop(0)
                answer = answer(asked) if callable(answer) else answer
                status, content, headers = (*answer, {})[:3]
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
