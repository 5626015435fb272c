"""A Web API of a few lines: pages, conditions, key order, a request log, and failures on order."""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

CONDITION = re.compile(r"(\w+) (eq|ne|ge|gt|le|lt) ('(?:[^']|'')*'|[^\s()]+)")
COMPARE = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "ge": lambda a, b: None not in (a, b) and a >= b,
    "gt": lambda a, b: None not in (a, b) and a > b,
    "le": lambda a, b: None not in (a, b) and a <= b,
    "lt": lambda a, b: None not in (a, b) and a < b,
}


def literal(text):
    if text == "null":
        return None
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return text if re.match(r"\d{4}-", text) else float(text)


def matches(record, condition):
    """Evaluate an OData condition of comparisons, `and`, `or` and parentheses."""
    values = iter(
        [COMPARE[op](record.get(name), literal(text)) for name, op, text in CONDITION.findall(condition)]
    )
    return eval(CONDITION.sub(lambda _: str(next(values)), condition))


class FakeSage300:
    """Documents by company and entity set; what was asked for; and what goes wrong."""

    def __init__(self):
        self.documents = defaultdict(list)
        self.page_size = 100
        self.requests = []
        self.password = "SECRET"
        self.missing_modules = set()
        self.missing_sets = set()
        self.forbidden_sets = set()
        self.refuses_select = set()
        self.refuses_null = False
        self.metadata = {}
        self.fails_after = None
        self.broken = set()
        """Keys of documents (their first field) that make a page, or the document alone, a page of 500."""
        self.breaks_by_fields = True
        """Whether a broken document can still be asked for its key."""
        self.refused = {}
        """Status by entity set."""
        self.before_answer = lambda name, query: None

    def add(self, company, entity_set, *documents):
        self.documents[company, entity_set].extend(documents)

    def asked(self, entity_set):
        """The conditions asked of a set, one a request."""
        return [query.get("$filter", "") for name, query in self.requests if name == entity_set]

    def answer(self, path, query):
        company, module, name = unquote(path).split("/")[-3:]
        self.requests.append((name, query))
        if self.fails_after is not None and len(self.requests) > self.fails_after:
            return 500, error("InternalServerError", "The application pool was recycled.")
        self.before_answer(name, query)
        if name in self.refused:
            return self.refused[name], error("General", f"{name} is refused.")
        if name == "$metadata":
            if module in self.metadata and isinstance(self.metadata[module], int):
                return self.metadata[module], error("Forbidden", "No rights.")
            return (
                (200, self.metadata[module])
                if module in self.metadata
                else (404, error("ResourceNotFound", ""))
            )
        if module in self.missing_modules or name in self.missing_sets:
            return 404, error("ResourceNotFound", f"Module {module} is not activated.")
        if name in self.forbidden_sets:
            return 403, error("Forbidden", f"No rights to {name}.")
        if name in self.refuses_select and "$select" in query:
            return 400, error("InvalidParameters", "A property of $select is unknown.")
        condition = query.get("$filter")
        if condition and self.refuses_null and " null" in condition:
            return 400, error("InvalidParameters", "null is no literal.")
        found = [d for d in self.documents[company, name] if not condition or matches(d, condition)]
        start = int(query.get("$skip", 0))
        page = found[start : start + min(self.page_size, int(query.get("$top", 10**9)))]
        plain = self.breaks_by_fields and len(query.get("$select", "a,b,c").split(",")) < 3
        if not plain and any(next(iter(document.values())) in self.broken for document in page):
            return 500, b"<html><head><title>Runtime Error</title></head></html>"
        if "$select" in query:
            wanted = query["$select"].split(",")
            page = [{n: v for n, v in d.items() if n in wanted} for d in page]
        body = {"@odata.context": "x", "@odata.count": len(found), "value": page}
        if start + len(page) < len(found) and len(page) == self.page_size:
            body["@odata.nextLink"] = f"http://inner:81{path}?$skip={start + len(page)}" + "".join(
                f"&{n}={v}" for n, v in query.items() if n != "$skip"
            )
        return 200, json.dumps(body).encode()


def error(code, message):
    return json.dumps({"error": {"code": code, "message": {"lang": "en-US", "value": message}}}).encode()


@contextmanager
def serving(fake):
    """Serve it; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            import base64

            _, _, given = base64.b64decode(self.headers["Authorization"].split()[1]).decode().partition(":")
            status, body = (
                fake.answer(parts.path, query)
                if given == fake.password
                else (401, error("Unauthorized", "No."))
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/Sage300WebApi/v1.0/-"
    finally:
        server.shutdown()
        server.server_close()
