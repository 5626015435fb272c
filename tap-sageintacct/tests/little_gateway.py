"""A little gateway of a made-up company, for what the sandbox's well-behaved one never does."""

from __future__ import annotations

import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

from lxml import etree

PATH = "/ia/xml/xmlgw.phtml"


class Refused(Exception):
    """A function fails with this error."""

    def __init__(self, number, text):
        self.number, self.text = number, text


class Gateway:
    """Objects are lists of records, whose values are texts as the wire has them; None is nothing."""

    def __init__(self):
        self.now = "2026-03-02T12:00:00+00:00"
        self.rows = {}
        self.types = {}
        self.hidden = set()  # fields that query refuses though lookup lists them
        self.refusal = "There was an error processing the request; {names} [Support ID: x%7Ey]"
        self.endpoint = None
        self.formatting = {"locale": "en_US", "dateformat": "/mdY", "gmtoffset": "+00:00", "clock": "24"}
        self.tag = lambda name: name
        self.raw = {}  # request number, from 1: a body instead of the answer, or a function that makes it
        self.functions = []  # (tag, object) of all functions asked
        self.asked = []  # their elements
        self.requests = 0
        self.refused = Refused
        self.headers = {}  # more headers of an answer
        self.sessions = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests += 1
                status, answer = outer.answer(body)
                self.send_response(status)
                self.send_header("Content-Type", 'text/xml; encoding="UTF-8"')
                self.send_header("Content-Length", str(len(answer)))
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}{PATH}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def put(self, name, *rows, **types):
        """Add records to an object; fields are text unless a type is given."""
        known = self.types.setdefault(name, {"RECORDNO": "INTEGER", "WHENMODIFIED": "TIMESTAMP"})
        known |= types
        for row in rows:
            row = {field: None if value is None else str(value) for field, value in row.items()}
            for field in row:
                known.setdefault(field, "TEXT")
            self.rows.setdefault(name, []).append(row)
        return self

    def count(self, tag, name=None):
        return sum(each[0] == tag and name in (None, each[1]) for each in self.functions)

    def answer(self, body):
        given = self.raw.get(self.requests)
        if isinstance(given, bytes):
            return 200, given
        if given is not None:
            return given()
        root = etree.fromstring(body)
        session = root.findtext("operation/authentication/sessionid")
        if session is not None and session != f"s{self.sessions}":
            return 200, self.wrap(
                "<authentication><status>failure</status><userid></userid><companyid></companyid>"
                "</authentication><errormessage><error><errorno>XL03000006</errorno><description></description>"
                "<description2>Invalid session s....</description2></error></errormessage>"
            )
        results = "".join(self.result(each) for each in root.iterfind("operation/content/function"))
        return 200, self.wrap(
            "<authentication><status>success</status><userid>u</userid><companyid>c</companyid>"
            f"<sessiontimestamp>{self.now}</sessiontimestamp></authentication>{results}"
        )

    def wrap(self, inside):
        return (
            '<?xml version="1.0" encoding="UTF-8"?><response><control><status>success</status><senderid/>'
            f"<controlid/></control><operation>{inside}</operation></response>"
        ).encode()

    def result(self, function):
        (call,) = function
        self.functions.append((call.tag, call.findtext("object") or ""))
        self.asked.append(call)
        try:
            data = getattr(self, f"do_{call.tag}")(call)
            said, status = data, "success"
        except Refused as error:
            said = (
                f"<errormessage><error><errorno>{error.number}</errorno><description></description>"
                f"<description2>{escape(error.text)}</description2><correction></correction></error>"
                "</errormessage>"
            )
            status = "failure"
        return (
            f"<result><status>{status}</status><function>{call.tag}</function>"
            f"<controlid>{function.get('controlid')}</controlid>{said}</result>"
        )

    def do_getAPISession(self, _):
        self.sessions += 1
        url = self.endpoint or self.url
        return f"<data><api><sessionid>s{self.sessions}</sessionid><endpoint>{url}</endpoint></api></data>"

    def do_readUserFormatting(self, _):
        inside = "".join(f"<{name}>{value}</{name}>" for name, value in self.formatting.items())
        return f'<data listtype="userformatting" count="1"><userformatting>{inside}</userformatting></data>'

    def do_lookup(self, call):
        name = call.findtext("object")
        self._known(name)
        fields = "".join(
            f"<Field><ID>{field}</ID><LABEL>{field.title()}</LABEL><DATATYPE>{kind}</DATATYPE>"
            "<ISCUSTOM>false</ISCUSTOM></Field>"
            for field, kind in self.types[name].items()
        )
        return f'<data count="1"><Type Name="{name}"><Fields>{fields}</Fields><Relationships/></Type></data>'

    def do_query(self, call):
        name = call.findtext("object")
        self._known(name)
        types = self.types[name]
        select = [child for child in call.find("select")]
        used = [child.text for child in select] + [e.text for e in call.iterfind("filter//field")]
        wrong = [f for f in dict.fromkeys(used) if f not in types or f in self.hidden]
        if wrong:
            raise Refused("DL02000001", self.refusal.format(names=", ".join(wrong)))
        condition = call.find("filter")
        rows = [r for r in self.rows.get(name, ()) if condition is None or self._holds(name, condition[0], r)]
        if any(child.tag != "field" for child in select):
            return self._grouped(name, select, rows)
        for order in reversed(call.findall("orderby/order/field")):
            rows.sort(key=lambda row: self._value(name, order.text, row.get(order.text)))
        size, offset = int(call.findtext("pagesize") or 100), int(call.findtext("offset") or 0)
        page = rows[offset : offset + size]
        left = len(rows) - offset - len(page)
        inside = "".join(
            f"<{self.tag(name)}>"
            + "".join(f"<{f.text}>{escape(row.get(f.text) or '')}</{f.text}>" for f in select)
            + f"</{self.tag(name)}>"
            for row in page
        )
        return (
            f'<data listtype="{name}" totalcount="{len(rows)}" offset="{offset}" count="{len(page)}"'
            f' numremaining="{left}">{inside}</data>'
        )

    def _grouped(self, name, select, rows):
        groups = {}
        plain = [child.text for child in select if child.tag == "field"]
        for row in rows:
            groups.setdefault(tuple(row.get(field) for field in plain), []).append(row)
        inside = ""
        for group, members in groups.items():
            cells = [f"<{field}>{value or ''}</{field}>" for field, value in zip(plain, group, strict=True)]
            for child in select:
                if child.tag == "count":
                    cells.append(f"<COUNT.{child.text}>{len(members)}</COUNT.{child.text}>")
                elif child.tag == "sum":
                    total = sum(float(member.get(child.text) or 0) for member in members)
                    cells.append(f"<{child.text}>{total:g}</{child.text}>")
            inside += f"<{name}>{''.join(cells)}</{name}>"
        return (
            f'<data listtype="{name}" totalcount="{len(groups)}" offset="0" count="{len(groups)}"'
            f' numremaining="0">{inside}</data>'
        )

    def _known(self, name):
        if name not in self.types:
            raise Refused("Query Failed", f"Object definition {name} not found")

    def _value(self, name, field, text):
        if not text:
            return (0, 0)
        kind = self.types[name][field]
        if kind == "INTEGER":
            return (1, int(text))
        if kind in {"DATE", "TIMESTAMP"}:
            form = "%m/%d/%Y %H:%M:%S" if ":" in text else "%m/%d/%Y"
            return (1, datetime.strptime(text, form))
        return (1, text)

    def _holds(self, name, test, row):
        if test.tag == "and":
            return all(self._holds(name, part, row) for part in test)
        if test.tag == "or":
            return any(self._holds(name, part, row) for part in test)
        field = test.findtext("field")
        value, given = row.get(field), [each.text for each in test.findall("value")]
        if test.tag in {"isnull", "isnotnull"}:
            return (value is None) == (test.tag == "isnull")
        if value is None:
            return test.tag == "notin"
        if test.tag in {"in", "notin"}:
            return (value in given) == (test.tag == "in")
        mine, theirs = self._value(name, field, value), self._value(name, field, given[0])
        return {
            "equalto": mine == theirs,
            "greaterthan": mine > theirs,
            "greaterthanorequalto": mine >= theirs,
            "like": str(value).startswith(given[0].rstrip("%")),
        }[test.tag]
