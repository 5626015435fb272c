"""A little Sage 300 that pages, forgets, throttles and breaks as the real one on IIS does, and its client."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

PREFIX = "/proxy/Sage300WebApi/v1.0/-"
VENDORS = [{"VendorNumber": f"V{number:04}", "Amount": number} for number in range(1, 251)]


class Reply:
    """One answer that differs from the ordinary one."""

    def __init__(self, status=200, body=b"", *, headers=None, manner="whole"):
        self.status, self.headers, self.manner = status, headers or {}, manner
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


class Asked(NamedTuple):
    """One request as it reached the server."""

    path: str
    headers: Mapping[str, str]


class Sage:
    """A little Web API over 250 vendors; `replies` (by request number, from 1) replace ordinary answers."""

    prefix = PREFIX
    everybody = tuple(vendor["VendorNumber"] for vendor in VENDORS)
    page = 100
    links = "inner"  # inner (absolute, another host), relative, none, stuck
    counts = True
    skips = True

    def __init__(self):
        self.replies: dict[int, Reply] = {}
        self.asked: list[Asked] = []
        self.sessions = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # one packet an answer, lest delayed acknowledgements slow the tests

            def do_GET(self):
                outer.asked.append(Asked(self.path, self.headers))
                reply = outer.replies.get(len(outer.asked)) or outer.ordinary(self)
                if reply.manner == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "sid=" not in self.headers.get("Cookie", ""):
                    outer.sessions += 1
                    self.send_header("Set-Cookie", f"sid={outer.sessions}; path=/")
                surplus = 500 if reply.manner == "truncated" else 0
                self.send_header("Content-Length", str(len(reply.body) + surplus))
                self.end_headers()
                self.wfile.write(reply.body)
                self.close_connection = surplus > 0

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None
        self.base_url = f"http://127.0.0.1:{self.http.server_port}{PREFIX}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def reply(self, *numbers: int, **options) -> None:
        """Answer these requests with a `Reply` of these options."""
        self.replies.update(dict.fromkeys(numbers, Reply(**options)))

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def ordinary(self, request) -> Reply:
        options = {name: values[-1] for name, values in parse_qs(urlsplit(request.path).query).items()}
        skip = int(options.get("$skip", 0)) if self.skips else 0
        top = int(options.get("$top", 10**9))
        rows = VENDORS[skip : skip + min(self.page, top)]
        document = {"@odata.context": "...", "value": rows}
        if self.counts and options.get("$count") == "true":
            document["@odata.count"] = len(VENDORS)
        more = skip + len(rows) < len(VENDORS) and top > self.page
        if more and self.links == "inner":
            document["@odata.nextLink"] = (
                f"http://sage-inner:81/Sage300WebApi/v1.0/-/SAMLTD/AP/APVendors?$skip={skip + len(rows)}"
            )
        elif more and self.links == "relative":
            document["@odata.nextLink"] = f"APVendors?$skip={skip + len(rows)}"
        elif self.links == "stuck":
            document["@odata.nextLink"] = "APVendors?$skip=100"
        return Reply(body=document)

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]
