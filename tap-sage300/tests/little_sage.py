"""A little Sage 300 that pages, forgets, throttles and breaks as the real one on IIS does, and its client."""

from __future__ import annotations

import json
import re
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
    links = "inner"  # inner (absolute, another host), relative, none, bare (without query), circle
    counts = True  # False for no counts, "page" for those of the page
    skips = True
    filters = True
    refuses = ""
    """What in a query is answered with 400."""
    longest = 10**6
    too_long = (404, b"")

    def __init__(self):
        self.vendors = list(VENDORS)
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
        parts = urlsplit(request.path)
        if len(parts.query) > self.longest:
            status, body = self.too_long
            return Reply(status, body)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if "CSCompanyProfile" in parts.path:
            return Reply(body={"value": [{"CompanyName": "Sample"}]})
        if self.refuses and self.refuses in f"{list(options)} {options.get('$filter', '')}":
            error = {"code": "InvalidParameters", "message": {"lang": "en-US", "value": "Not valid."}}
            return Reply(400, {"error": error})
        known = self.vendors
        if self.filters:
            if "$filter" in options and (last := re.search(r"VendorNumber gt '(\w+)'", options["$filter"])):
                known = [vendor for vendor in known if vendor["VendorNumber"] > last[1]]
            elif "$filter" in options:
                wanted = set(re.findall(r"VendorNumber eq '(\w+)'", options["$filter"]))
                known = [vendor for vendor in known if vendor["VendorNumber"] in wanted]
        skip = int(options.get("$skip", 0)) if self.skips else 0
        top = int(options.get("$top", 10**9))
        rows = known[skip : skip + min(self.page, top)]
        document = {"@odata.context": "...", "value": rows}
        if self.counts and options.get("$count") == "true":
            document["@odata.count"] = len(rows) if self.counts == "page" else len(known)
        more = skip + len(rows) < len(known) and top > self.page
        link = {
            "inner": f"http://sage-inner:81/Sage300WebApi/v1.0/-/SAMLTD/AP/APVendors?$skip={skip + len(rows)}",
            "relative": f"APVendors?$skip={skip + len(rows)}",
            "bare": "APVendors",
            "circle": "APVendors?$skip=100",
        }
        if more and self.links in link:
            document["@odata.nextLink"] = link[self.links]
        return Reply(body=document)

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]
