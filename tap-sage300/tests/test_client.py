"""The client against a real server that pages, forgets, throttles and breaks as Sage 300 on IIS does."""

from __future__ import annotations

import json
import socket
import struct
import threading
from decimal import Decimal
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from ml_connector import secrets
from ml_connector.extract import Clock
from tap_sage300.client import Sage300Client
from tap_sage300.errors import LoginRefused, NotAllowed, RecordNotFound, Sage300Error, StreamUnavailable

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


@pytest.fixture
def sage():
    server = Sage()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(sage, slept):
    """Make clients whose waiting takes no time."""
    made = []

    def make(**config) -> Sage300Client:
        settings = {
            "base_url": sage.base_url,
            "username": "webapi",
            "password": "s3cret",
            "prefetch_pages": 0,
        }
        # The clock jumps when somebody sleeps, and never by itself.
        clock = Clock(monotonic=lambda: sum(slept), sleep=slept.append, uniform=lambda _low, high: high)
        made.append(Sage300Client({**settings, **config}, "SAMLTD", clock=clock))
        return made[-1]

    yield make
    for one in made:
        one.close()


def numbers(pages) -> list[str]:
    return [record["VendorNumber"] for page in pages for record in page.records]


ALL = [vendor["VendorNumber"] for vendor in VENDORS]


def sage_error(code: str, message: str = "") -> dict:
    return {"error": {"code": code, "message": {"lang": "en-US", "value": message}}}


# --- paging


@pytest.mark.parametrize("links", ["inner", "relative", "none"])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("prefetch_pages", [0, 3])
@pytest.mark.parametrize("page_size", [None, 60, 400])
def test_every_vendor_arrives_once_and_in_order(sage, client, links, counts, prefetch_pages, page_size):
    sage.links, sage.counts = links, counts
    reader = client(prefetch_pages=prefetch_pages, page_size=page_size)
    assert numbers(reader.pages("AP", "APVendors")) == ALL


def test_links_are_followed_on_the_configured_address_though_the_server_prints_its_inner_one(sage, client):
    pages = list(client(base_url=sage.base_url + "/").pages("AP", "APVendors"))
    assert sage.paths() == [
        f"{PREFIX}/SAMLTD/AP/APVendors?$count=true",
        f"{PREFIX}/SAMLTD/AP/APVendors?$skip=100",
        f"{PREFIX}/SAMLTD/AP/APVendors?$skip=200",
    ]
    assert [(page.skip, len(page.records), page.total) for page in pages] == [
        (0, 100, 250),
        (100, 100, 250),
        (200, 50, 250),
    ]


def test_select_filter_and_resumption_go_into_the_first_address(sage, client):
    pages = client(page_size=500).pages(
        "AP", "APVendors", select=["VendorNumber", "Amount"], filter_="Name eq 'A & B'", skip=200
    )
    assert numbers(pages) == ALL[200:]
    assert sage.paths() == [
        f"{PREFIX}/SAMLTD/AP/APVendors?$count=true&$select=VendorNumber,Amount&$filter=Name%20eq%20'A%20%26%20B'"
        "&$skip=200&$top=500"
    ]


def test_a_server_that_neither_links_nor_counts_is_asked_until_it_has_no_more(sage, client):
    sage.links, sage.counts, sage.page = "none", False, 125
    assert numbers(client().pages("AP", "APVendors")) == ALL
    assert len(sage.asked) == 3


def test_an_empty_set_is_one_empty_page(sage, client):
    sage.replies[1] = Reply(body={"@odata.count": 0, "value": []})
    assert [tuple(page) for page in client().pages("AP", "APVendors")] == [([], 0, 0)]


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_ignores_skip_is_found_out_instead_of_read_for_ever(sage, client, counts):
    sage.links, sage.counts, sage.skips = "none", counts, False
    with pytest.raises(Sage300Error, match="repeats the same page of SAMLTD/AP/APVendors at position 100"):
        list(client().pages("AP", "APVendors"))


def test_a_link_to_itself_is_found_out(sage, client):
    sage.links = "stuck"
    with pytest.raises(Sage300Error, match="repeats the same page"):
        list(client().pages("AP", "APVendors"))


def test_closing_the_pages_stops_the_requests(sage, client):
    pages = client(prefetch_pages=1).pages("AP", "APVendors")
    next(pages)
    pages.close()
    assert len(sage.asked) <= 3
    assert [thread for thread in threading.enumerate() if thread.name == "prefetch"] == []


# --- what is sent, what is read


def test_every_get_carries_capital_credentials_content_type_and_the_cookie(sage, client):
    list(client(username="webApi", password="s3cret").pages("AP", "APVendors"))
    for request in sage.asked:
        assert request.headers["Authorization"] == "Basic V0VCQVBJOlMzQ1JFVA=="  # WEBAPI:S3CRET
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["Accept"] == "application/json"
    assert [request.headers["Cookie"] for request in sage.asked] == [None, "sid=1", "sid=1"]


def test_an_encrypted_password_is_opened_for_the_server(sage, client, monkeypatch):
    monkeypatch.setenv(secrets.KEY_VARIABLE, secrets.generate_key())
    list(client(password=secrets.encrypt("s3cret")).pages("AP", "APVendors"))
    assert sage.asked[0].headers["Authorization"] == "Basic V0VCQVBJOlMzQ1JFVA=="


def test_amounts_arrive_with_every_digit(sage, client):
    sage.replies[1] = Reply(
        body=b'\xef\xbb\xbf{"value":[{"@odata.etag":"x","Amount":12345678901234567.123456789,"Rate":1.500,'
        b'"Sequence":9007199254740993,"Lines":[{"Net":0.10}]}],"@odata.count":1}'
    )
    [page] = client().pages("GL", "GLJournalBatches")
    [record] = page.records
    assert record == {
        "Amount": Decimal("12345678901234567.123456789"),
        "Rate": Decimal("1.5"),
        "Sequence": 9007199254740993,
        "Lines": [{"Net": Decimal("0.1")}],
    }
    assert str(record["Rate"]) == "1.500"


def test_one_entry_is_read_by_its_key(sage, client):
    sage.replies[1] = Reply(body={"@odata.context": "...", "BatchNumber": 12})
    reader = client()
    assert reader.get("AP", "APPaymentAndAdjustmentBatches", "BatchSelector='PY',BatchNumber=12") == {
        "BatchNumber": 12
    }
    assert sage.paths() == [
        f"{PREFIX}/SAMLTD/AP/APPaymentAndAdjustmentBatches(BatchSelector='PY',BatchNumber=12)"
    ]
    sage.replies[2] = Reply(404, sage_error("RecordNotFound", "A Record cannot be found"))
    with pytest.raises(RecordNotFound, match="A Record cannot be found"):
        reader.get("AP", "APVendors", "'X'")


def test_metadata_is_asked_once_as_xml(sage, client):
    sage.replies[1] = Reply(
        body=b'<Edmx><Schema xmlns="e" Namespace="N"><EntityType Name="V"><Key><PropertyRef Name="A"/></Key>'
        b'<Property Name="A" Type="Edm.String"/></EntityType><EntityContainer>'
        b'<EntitySet Name="APVendors" EntityType="N.V"/></EntityContainer></Schema></Edmx>'
    )
    reader = client()
    assert reader.metadata("AP").entity_sets["APVendors"].key == ("A",)
    assert reader.metadata("AP") is reader.metadata("AP")
    assert sage.paths() == [f"{PREFIX}/SAMLTD/AP/$metadata"]
    assert sage.asked[0].headers["Accept"] == "application/xml"
    assert sage.asked[0].headers["Content-Type"] == "application/json"


def test_a_base_url_without_scheme_is_refused_before_anything_is_sent(client):
    with pytest.raises(Sage300Error, match="base_url is 'erp/Sage300WebApi'"):
        client(base_url="erp/Sage300WebApi")


# --- trouble that passes


IIS_503 = b"<html><head><title>Service Unavailable</title></head><body>pool recycling</body></html>"


@pytest.mark.parametrize("prefetch_pages", [0, 2])
@pytest.mark.parametrize(
    "trouble",
    [
        Reply(429, sage_error("TooManyRequests"), headers={"Retry-After": "3"}),
        Reply(503, IIS_503),
        Reply(502, b""),
        Reply(500, sage_error("InternalServerError", "Object reference not set")),
        Reply(200, sage_error("TooManyRequests", "wrapped in a success")),
        Reply(200, sage_error("General", "wrapped in a success")),
        Reply(409, sage_error("SessionError", "Session is gone")),
        Reply(manner="reset"),
        Reply(body={"value": []}, manner="truncated"),
        Reply(body=b'{"value": [{"VendorNumber": "V01'),
        Reply(body=b""),
        Reply(body=b"null"),
        Reply(body=IIS_503),
    ],
    ids=[
        "429", "503-html", "502-empty", "500", "200-throttled", "200-error", "session-error", "reset", "content-length",
        "half-json", "empty", "null", "200-html",
    ],
)  # fmt: skip
def test_trouble_in_mid_paging_repeats_that_page_and_loses_nothing(sage, client, trouble, prefetch_pages):
    sage.replies[2] = trouble
    assert numbers(client(prefetch_pages=prefetch_pages).pages("AP", "APVendors")) == ALL
    assert len(sage.asked) == 4
    assert sage.paths()[1] == sage.paths()[2]


def test_a_429_storm_is_waited_out(sage, client, slept):
    for number in (2, 3, 4):
        sage.replies[number] = Reply(429, b"", headers={"Retry-After": "20"})
    assert numbers(client().pages("AP", "APVendors")) == ALL
    assert slept == [20.0, 20.0, 20.0]


def test_a_session_dying_in_mid_page_repeats_that_page_once_with_a_fresh_login(sage, client, slept):
    sage.replies[2] = Reply(401, sage_error("Unauthorized", "Session expired"))
    assert numbers(client().pages("AP", "APVendors")) == ALL
    assert sage.paths()[1] == sage.paths()[2]
    assert [request.headers["Cookie"] for request in sage.asked] == [None, "sid=1", None, "sid=2"]
    assert slept == []


# --- trouble that stays


def test_a_refused_login_is_not_tried_again_lest_the_account_be_locked(sage, client):
    for number in range(1, 9):
        sage.replies[number] = Reply(401, b"")
    with pytest.raises(
        LoginRefused, match="user WEBAPI in company SAMLTD: check username and password"
    ) as caught:
        list(client().pages("AP", "APVendors"))
    assert len(sage.asked) == 1
    assert "s3cret" not in str(caught.value).lower()


def test_a_login_revoked_in_mid_paging_is_refused_after_one_more_try(sage, client):
    for number in range(2, 9):
        sage.replies[number] = Reply(401, b"")
    pages = client().pages("AP", "APVendors")
    assert len(next(pages).records) == 100
    with pytest.raises(LoginRefused):
        next(pages)
    assert len(sage.asked) == 3


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (Reply(403, sage_error("Forbidden")), NotAllowed, "'Sage 300 Web API'"),
        (Reply(405, sage_error("MethodNotAllowed")), StreamUnavailable, "cannot be read"),
        (Reply(403, sage_error("Forbidden", "A/P is not activated")), StreamUnavailable, "not activated"),
        (Reply(500, sage_error("General", "A/P is not activated")), StreamUnavailable, "not activated"),
        (Reply(400, sage_error("InvalidParameters", "no such field")), Sage300Error, "no such field"),
        (Reply(200, sage_error("InvalidParameters", "no such field")), Sage300Error, "no such field"),
        (Reply(404, b"<html><title>Not Found</title></html>"), Sage300Error, "base_url"),
    ],
)
def test_what_no_retry_cures_is_explained_at_once(sage, client, slept, reply, kind, says):
    sage.replies[1] = reply
    with pytest.raises(kind, match=says) as caught:
        list(client().pages("AP", "APVendors"))
    assert type(caught.value) is kind
    assert len(sage.asked) == 1
    assert slept == []


UNKNOWN = Reply(404, sage_error("ResourceNotFound", "There is no such resource"))


@pytest.mark.parametrize(
    "profile", [None, Reply(403, sage_error("Forbidden"))], ids=["readable", "forbidden"]
)
def test_a_missing_module_on_first_contact_is_told_from_a_missing_company_by_its_profile(
    sage, client, profile
):
    sage.replies[1] = UNKNOWN
    if profile is not None:
        sage.replies[2] = profile
    reader = client()
    with pytest.raises(StreamUnavailable, match="the company lacks the module"):
        list(reader.pages("OE", "OEOrders"))
    assert sage.paths()[1] == f"{PREFIX}/SAMLTD/CS/CSCompanyProfile"
    sage.replies[3] = UNKNOWN
    with pytest.raises(StreamUnavailable):
        list(reader.pages("PO", "POInvoices"))
    assert len(sage.asked) == 3


def test_a_mistyped_company_stops_instead_of_skipping_every_stream(sage, client):
    sage.replies[1] = sage.replies[2] = UNKNOWN
    with pytest.raises(
        Sage300Error, match="has no company SAMLTD.*check companies .* and base_url"
    ) as caught:
        list(client().pages("AP", "APVendors"))
    assert not isinstance(caught.value, StreamUnavailable)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(500, sage_error("InternalServerError", "Object reference")), "status 500.*Object reference"),
        (Reply(200, sage_error("General", "Oops")), "though the status says success.*General: Oops"),
        (Reply(503, IIS_503), "status 503.*Service Unavailable"),
        (Reply(manner="reset"), "failed after 3 attempts: no connection"),
        (Reply(body=IIS_503), "a web page titled 'Service Unavailable'; check base_url"),
        (Reply(body={"hello": "world"}), "no list of records"),
        (Reply(body=b""), "an empty body"),
    ],
    ids=["500", "200-error", "503", "reset", "200-html", "other-json", "empty"],
)
def test_trouble_that_outlives_the_retries_is_an_error_and_never_an_unavailable_stream(
    sage, client, reply, says
):
    sage.replies.update(dict.fromkeys(range(1, 9), reply))
    with pytest.raises(Sage300Error, match=says) as caught:
        list(client(max_retries=2).pages("AP", "APVendors"))
    assert type(caught.value) is Sage300Error
    assert len(sage.asked) == 3


def test_an_error_in_the_background_surfaces_after_the_pages_before_it(sage, client):
    sage.replies[2] = Reply(403, sage_error("Forbidden"))
    pages = client(prefetch_pages=5).pages("AP", "APVendors")
    assert next(pages).skip == 0
    with pytest.raises(NotAllowed):
        next(pages)
