"""The session against a real server that answers the way IIS does on a bad day."""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ml_connector.secrets import redact
from ml_connector.extract.http import (
    Clock,
    GaveUpError,
    HttpError,
    HttpSettings,
    PoliteSession,
    SessionClosedError,
    TryAgain,
    retry_after,
    transient,
)

NOON = 1_700_000_000.0


@dataclass
class Answer:
    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "whole"  # whole, truncated, reset


class Server:
    """Replays `answers` in order, then answers 200 for ever; remembers what it was asked."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # one packet an answer, lest delayed acknowledgements slow the tests

            def do_GET(self) -> None:
                outer.asked.append((self.path, dict(self.headers)))
                answer = outer.answers.pop(0) if outer.answers else Answer()
                if answer.manner == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                surplus = 1000 if answer.manner == "truncated" else 0
                self.send_header("Content-Length", str(len(answer.body) + surplus))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = surplus > 0

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self.http.server_port}/data"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


class StoppedWatch:
    """A clock that moves only when somebody sleeps; jitter always draws the ceiling."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.drawn: list[tuple[float, float]] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def uniform(self, low: float, high: float) -> float:
        self.drawn.append((low, high))
        return high

    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: self.now, time=lambda: NOON + self.now, sleep=self.sleep, uniform=self.uniform
        )


@pytest.fixture
def serve():
    servers = []

    def start(*answers: Answer) -> Server:
        servers.append(Server(list(answers)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def watch() -> StoppedWatch:
    return StoppedWatch()


def read_json(response):
    again = transient(response, now=NOON)
    if again is not None:
        raise again
    try:
        return json.loads(response.content)
    except ValueError:
        raise TryAgain("broken JSON") from None


def session_with(watch: StoppedWatch, **settings) -> PoliteSession:
    return PoliteSession(HttpSettings(**settings), auth=("ANNA", "GEHEIM"), clock=watch.clock())


def test_a_429_storm_is_waited_out_as_long_as_the_server_asks(serve, watch):
    storm = [Answer(429, b"", {"Retry-After": "7"}) for _ in range(3)]
    server = serve(*storm)
    assert session_with(watch).request("GET", server.url, read=read_json) == {"ok": True}
    assert watch.slept == [7.0, 7.0, 7.0]
    assert len(server.asked) == 4


def test_retry_after_as_a_date_is_the_time_until_then(serve, watch):
    server = serve(Answer(503, b"<html>", {"Retry-After": formatdate(NOON + 42, usegmt=True)}))
    session_with(watch).request("GET", server.url, read=read_json)
    assert watch.slept == [42.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("soon", None),
        ("0", 0.0),
        (" 12 ", 12.0),
        (formatdate(NOON - 60, usegmt=True), 0.0),
        (formatdate(NOON + 60, usegmt=True), 60.0),
        ("-5", None),
    ],
)
def test_retry_after_header(header, seconds):
    assert retry_after(header, NOON) == seconds


def test_backoff_doubles_its_ceiling_and_draws_the_jitter_from_zero(serve, watch):
    server = serve(*[Answer(500)] * 5)
    session_with(watch).request("GET", server.url, read=read_json)
    assert watch.drawn == [(0.0, 1.0), (0.0, 2.0), (0.0, 4.0), (0.0, 8.0), (0.0, 16.0)]


def test_backoff_stops_growing(serve, watch):
    server = serve(*[Answer(500)] * 12)
    session_with(watch, max_retries=12).request("GET", server.url, read=read_json)
    assert max(watch.slept) == 120.0


@pytest.mark.parametrize(
    "ugly",
    [
        Answer(body=b'{"ok":', manner="truncated"),
        Answer(body=b'{"ok":'),
        Answer(manner="reset"),
        Answer(503, b"<html><title>Service Unavailable</title></html>"),
        Answer(headers={"Content-Encoding": "gzip"}, body=b"not gzip"),
    ],
    ids=["content-length", "json", "reset", "iis-503", "gzip"],
)
def test_a_broken_answer_is_asked_for_again(serve, watch, ugly):
    server = serve(ugly)
    assert session_with(watch).request("GET", server.url, read=read_json) == {"ok": True}
    assert len(server.asked) == 2


def test_giving_up_says_what_happened_and_how_often(serve, watch):
    server = serve(*[Answer(503)] * 9)
    with pytest.raises(
        GaveUpError, match=r"GET http://.*/data failed after 3 attempts: .*503 Service Unavail"
    ):
        session_with(watch, max_retries=2, max_retry_time=0).request(
            "GET", server.url + "?secret=1", read=read_json
        )
    assert len(server.asked) == 3


def test_the_readers_own_final_error_is_raised_when_attempts_are_used_up(serve, watch):
    def read(_response):
        raise TryAgain("no", final=KeyError("the real reason"))

    with pytest.raises(KeyError, match="the real reason"):
        session_with(watch, max_retries=1).request("GET", serve().url, read=read)


def test_distress_makes_the_whole_session_wait_not_only_the_request(serve, watch):
    server = serve(Answer(503, b"", {"Retry-After": "30"}))
    session = session_with(watch, max_retries=0)
    session.settings = HttpSettings(max_retries=1)
    sent_at: list[float] = []

    def read_at(response):
        sent_at.append(watch.now)
        return read_json(response)

    session.request("GET", server.url, read=read_at)
    session.request("GET", server.url, read=read_at)
    assert sent_at == [0.0, 30.0, 30.0]


def test_a_distressed_server_gets_a_second_even_if_the_dice_say_zero(serve, watch):
    server = serve(Answer(manner="reset"))
    clock = Clock(monotonic=lambda: watch.now, sleep=watch.sleep, uniform=lambda low, _high: low)
    PoliteSession(HttpSettings(), clock=clock).request("GET", server.url, read=read_json)
    assert watch.slept == [1.0]


def test_requests_per_minute_spaces_the_requests(serve, watch):
    server = serve()
    session = session_with(watch, requests_per_minute=20)
    times = []
    for _ in range(4):
        session.request("GET", server.url, read=lambda _r: times.append(watch.now))
    assert times == [0.0, 3.0, 6.0, 9.0]


def test_time_spent_working_counts_towards_the_spacing(serve, watch):
    server = serve()
    session = session_with(watch, requests_per_minute=20)
    session.request("GET", server.url, read=read_json)
    watch.now += 10
    session.request("GET", server.url, read=read_json)
    assert watch.slept == []


def test_cookies_credentials_and_user_agent_go_with_every_request(serve, watch):
    server = serve(Answer(headers={"Set-Cookie": "ASP.NET_SessionId=abc; path=/"}))
    session = PoliteSession(
        HttpSettings(user_agent="books/1"), auth=("ÄNNE", "Škoda"), headers={"X-A": "b"}, clock=watch.clock()
    )
    session.request("GET", server.url, read=read_json)
    session.request("GET", server.url, read=read_json)
    first, second = (headers for _, headers in server.asked)
    assert "Cookie" not in first
    assert second["Cookie"] == "ASP.NET_SessionId=abc"
    assert first["Authorization"] == second["Authorization"] == "Basic w4ROTkU6xaBrb2Rh"
    assert first["User-Agent"] == "books/1"
    assert first["X-A"] == "b"


def test_a_request_like_the_one_before_has_its_own_cookies_and_headers(serve, watch):
    """What two requests share is prepared once; what has changed in between is not among it."""
    server = serve(Answer(headers={"Set-Cookie": "id=1; path=/data"}))
    other = serve()
    session = session_with(watch)

    def ask(url, token="A"):  # noqa: S107 - no secret
        session.request("GET", url, read=read_json, headers={"X-Token": token})

    ask(server.url)
    ask(f"{server.url}/O%27%7E1?b=c%20d")
    ask(server.url.replace("/data", "/other"))
    session.session.cookies.clear()
    ask(server.url)
    ask(server.url, "B")
    ask(other.url, "B")
    assert [(path, headers.get("Cookie"), headers["X-Token"]) for path, headers in server.asked] == [
        ("/data", None, "A"),
        ("/data/O%27~1?b=c%20d", "id=1", "A"),
        ("/other", None, "A"),
        ("/data", None, "A"),
        ("/data", None, "B"),
    ]
    assert [headers["Host"] for _, headers in other.asked] == [other.url.split("/")[2]]


@pytest.mark.parametrize(("status", "slow"), [(504, True), (503, False), (500, False)])
def test_an_error_says_whether_the_server_was_too_slow(serve, watch, status, slow):
    session = session_with(watch, max_retries=0)
    with pytest.raises(GaveUpError) as gave_up:
        session.request("GET", serve(Answer(status=status)).url, read=read_json)
    assert gave_up.value.slow is slow


def test_https_where_the_server_speaks_http_is_said(serve, watch):
    with pytest.raises(HttpError, match=r"127\.0\.0\.1.* does not speak HTTPS: write http://"):
        session_with(watch).request("GET", serve().url.replace("http:", "https:"), read=read_json)


def test_the_header_of_a_user_is_redacted_where_a_server_repeats_it(serve, watch):
    session_with(watch).request("GET", serve().url, read=read_json)
    assert redact("you sent Authorization: Basic QU5OQTpHRUhFSU0=") == "you sent Authorization: Basic ***"


def test_the_user_in_an_address_is_not_taken_to_another(serve, watch):
    server = serve()
    session = PoliteSession(HttpSettings(), clock=watch.clock())
    for user in ("ANNA:A@", "BERT:B@", ""):
        session.request("GET", server.url.replace("://", f"://{user}"), read=read_json)
    assert [headers.get("Authorization") for _, headers in server.asked] == [
        "Basic QU5OQTpB",
        "Basic QkVSVDpC",
        None,
    ]


def test_a_netrc_file_does_not_replace_the_credentials(serve, watch, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login OTHER password OTHER\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = serve()
    session_with(watch).request("GET", server.url, read=read_json)
    assert server.asked[0][1]["Authorization"] == "Basic QU5OQTpHRUhFSU0="


def test_the_proxy_setting_beats_the_environments(serve, watch, monkeypatch):
    proxy, other = serve(), serve()
    monkeypatch.setenv("HTTP_PROXY", other.url)
    monkeypatch.setenv("http_proxy", other.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    session_with(watch, proxy_url=proxy.url).request("GET", "http://erp.invalid/data", read=read_json)
    assert [path for path, _ in proxy.asked] == ["http://erp.invalid/data"]
    assert other.asked == []


@pytest.mark.parametrize(
    ("url", "settings", "remedy"),
    [
        ("http://", {}, "Check the URL"),
        ("nonsense", {}, "Check the URL"),
        ("ftp://host/x", {}, "Check the URL"),
        ("https://127.0.0.1:9/x", {"verify": "/no/such.pem"}, "Check the setting ca_bundle"),
        ("http://127.0.0.1:9/x", {"user_agent": "two\nlines"}, "user_agent"),
    ],
)
def test_what_no_retry_can_cure_fails_at_once_with_the_remedy(watch, url, settings, remedy):
    session = session_with(watch, **settings)
    with pytest.raises(HttpError, match=remedy) as caught:
        session.request("GET", url, read=read_json)
    assert not isinstance(caught.value, GaveUpError)
    assert watch.slept == []


def test_a_server_that_is_down_is_tried_again(watch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(GaveUpError, match="no connection"):
        session_with(watch, max_retries=2, max_retry_time=0).request(
            "GET", f"http://127.0.0.1:{port}/", read=read_json
        )
    assert len(watch.slept) == 2


def test_a_server_that_starts_is_waited_for_longer_than_a_handful_of_attempts(serve, watch):
    server = serve(*[Answer(503)] * 9)
    session_with(watch, max_retries=2, max_retry_time=300).request("GET", server.url, read=read_json)
    assert len(server.asked) == 10


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_names_where_it_leads(serve, watch, status):
    """It would carry the credentials to another host, or from https to http."""
    other = serve()
    server = serve(Answer(status, b"", {"Location": f"{other.url}/elsewhere"}))
    with pytest.raises(HttpError, match="Redirects are not followed"):
        session_with(watch).request("GET", server.url, read=read_json)
    assert not other.asked


def test_a_header_with_a_line_end_is_sent_without_it(serve, watch):
    server = serve()
    session_with(watch).request("GET", server.url, read=read_json, headers={"X-API-Key": "secret\n"})
    assert len(server.asked) == 1


def test_a_body_without_end_is_an_error(serve, watch, monkeypatch):
    monkeypatch.setattr("ml_connector.extract.transport.BODY_BYTES", 1000)
    server = serve(Answer(body=b" " * 2000))
    with pytest.raises(HttpError, match="page_size"):
        session_with(watch).request("GET", server.url, read=read_json)


def test_closing_wakes_a_request_that_waits_for_minutes(serve):
    server = serve(Answer(503, b"", {"Retry-After": "600"}))
    waiting = threading.Event()

    class Notice(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            waiting.set()

    logger = logging.Logger("test")
    logger.addHandler(Notice())
    session = PoliteSession(HttpSettings(), logger=logger)
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            session.request("GET", server.url, read=read_json)
        except SessionClosedError as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert waiting.wait(30)
    session.close()
    thread.join(30)
    assert not thread.is_alive()
    assert len(caught) == 1


def test_retries_are_logged_without_the_query(serve, watch, caplog):
    server = serve(Answer(500))
    session = PoliteSession(HttpSettings(), logger=logging.getLogger("polite"), clock=watch.clock())
    with caplog.at_level(logging.WARNING):
        session.request("GET", server.url + "?$filter=Secret", read=read_json)
    assert "500 Internal Server Error. Attempt 2 of 7" in caplog.text
    assert "Secret" not in caplog.text


def test_settings_come_from_the_configuration_with_defaults_for_null():
    assert HttpSettings.from_config({"request_timeout": None, "max_retries": None}) == HttpSettings()
    config = {
        "request_timeout": 5,
        "max_retries": 0,
        "requests_per_minute": 60,
        "ca_bundle": "/ca.pem",
        "proxy_url": "http://u:p@h:1",
        "user_agent": "x",
    }
    settings = HttpSettings.from_config(config)
    assert settings == HttpSettings(5.0, 0, 300.0, 1, 60, "/ca.pem", "http://u:p@h:1", "x")
    assert "u:p" not in repr(settings)
    assert HttpSettings.from_config({"verify_ssl": False, "ca_bundle": "/ca.pem"}).verify is False
