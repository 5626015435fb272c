"""A session waits out what passes, and explains what does not, each once."""

from __future__ import annotations

import pytest

from ml_connector.extract.errors import (
    ApiError,
    Denied,
    Refused,
    SignInRefused,
    StreamUnavailable,
    TooSlow,
    Transient,
)
from ml_connector.extract.prefetch import prefetch
from ml_connector.extract.source import ReadRequest, Selection
from tap_sage300.streams import RESOURCES

BY_STREAM = {each.stream: each for each in RESOURCES}
SHAPE = {(): {"VendorNumber": {"type": "string"}}}


def answer(status=200, body=b"", **more) -> dict:
    """An answer of the little Sage 300 (see `little_sage.Reply`)."""
    return {"status": status, "body": body, **more}


def sage_error(code: str, message: str = "") -> dict:
    return {"error": {"code": code, "message": {"lang": "en-US", "value": message}}}


def pages(source, stream="vendors"):
    resource = BY_STREAM[stream]
    return source.pages(ReadRequest(resource, Selection(frozenset(resource.key))))


def numbers_of(found) -> list[str]:
    return [number for page in found for number in page.levels()[()].columns["VendorNumber"]]


IIS_503 = b"<html><head><title>Service Unavailable</title></head><body>pool recycling</body></html>"


@pytest.mark.parametrize("prefetch_pages", [0, 2])
@pytest.mark.parametrize(
    "trouble",
    [
        answer(429, sage_error("TooManyRequests"), headers={"Retry-After": "3"}),
        answer(503, IIS_503),
        answer(502, b""),
        answer(500, sage_error("InternalServerError", "Object reference not set")),
        answer(200, sage_error("TooManyRequests", "wrapped in a success")),
        answer(200, sage_error("General", "wrapped in a success")),
        answer(409, sage_error("SessionError", "Session is gone")),
        answer(manner="reset"),
        answer(body={"value": []}, manner="truncated"),
        answer(body=b'{"value": [{"VendorNumber": "V01'),
        answer(body=b""),
        answer(body=b"null"),
        answer(body=IIS_503),
    ],
    ids=[
        "429", "503-html", "502-empty", "500", "200-throttled", "200-error", "session-error", "reset", "content-length",
        "half-json", "empty", "null", "200-html",
    ],
)  # fmt: skip
def test_trouble_in_mid_paging_repeats_that_page_and_loses_nothing(sage, source, trouble, prefetch_pages):
    sage.reply(2, **trouble)
    assert numbers_of(prefetch(pages(source()), prefetch_pages)) == list(sage.everybody)
    assert len(sage.asked) == 4
    assert sage.paths()[1] == sage.paths()[2]


def test_a_429_storm_is_waited_out(sage, source, slept):
    sage.reply(2, 3, 4, **answer(429, headers={"Retry-After": "20"}))
    assert numbers_of(pages(source())) == list(sage.everybody)
    assert slept == [20.0, 20.0, 20.0]


def test_a_session_dying_in_mid_page_repeats_that_page_once_with_a_fresh_login(sage, source, slept):
    sage.reply(2, **answer(401, sage_error("Unauthorized", "Session expired")))
    assert numbers_of(pages(source())) == list(sage.everybody)
    assert sage.paths()[1] == sage.paths()[2]
    assert [request.headers["Cookie"] for request in sage.asked] == [None, "sid=1", None, "sid=2"]
    assert slept == []


def test_a_refused_login_is_not_tried_again_lest_the_account_be_locked(sage, source):
    sage.reply(*range(1, 9), **answer(401))
    with pytest.raises(
        SignInRefused, match="user WEBAPI in company SAMLTD: check username and password"
    ) as caught:
        list(pages(source()))
    assert len(sage.asked) == 1
    assert "s3cret" not in str(caught.value).lower()


def test_a_login_revoked_in_mid_paging_is_refused_after_one_more_try(sage, source):
    sage.reply(*range(2, 9), **answer(401))
    found = pages(source())
    assert next(found).levels()[()].count == 100
    with pytest.raises(SignInRefused):
        next(found)
    assert len(sage.asked) == 4  # the last one is the profile


def test_a_401_for_one_set_alone_is_a_right_that_lacks(sage, source):
    sage.reply(2, 3, **answer(401))
    found = pages(source())
    next(found)
    with pytest.raises(Denied, match="accepts the login elsewhere"):
        next(found)


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (answer(403, sage_error("Forbidden")), Denied, "'Sage 300 Web API'"),
        (answer(405, sage_error("MethodDenied")), StreamUnavailable, "cannot be read"),
        (answer(403, sage_error("Forbidden", "A/P is not activated")), StreamUnavailable, "not activated"),
        (answer(500, sage_error("General", "A/P is not activated")), StreamUnavailable, "not activated"),
        (answer(400, sage_error("InvalidParameters", "no such field")), Refused, "no such field"),
        (answer(405, b""), StreamUnavailable, "cannot be read"),
    ],
)
def test_what_no_retry_cures_is_explained_at_once(sage, source, slept, reply, kind, says):
    sage.reply(1, **reply)
    with pytest.raises(kind, match=says) as caught:
        list(pages(source()))
    assert type(caught.value) is kind
    assert len(sage.asked) <= 4  # a refused question is asked without its parts
    assert slept == []


START_UP = b"<html><title>404 - File or directory not found.</title></html>"


def test_the_page_that_iis_shows_while_a_pool_starts_is_waited_out(sage, source):
    sage.reply(1, 3, **answer(404, START_UP))
    assert numbers_of(pages(source())) == list(sage.everybody)


def test_a_page_of_404_that_stays_is_never_a_missing_set(sage, source):
    sage.reply(*range(1, 60), **answer(404, START_UP))
    with pytest.raises(ApiError, match="base_url") as caught:
        list(pages(source(max_retries=2)))
    assert not isinstance(caught.value, StreamUnavailable)
    assert len(sage.asked) == 3


def test_a_pool_that_starts_for_four_minutes_is_waited_for(sage, source, slept):
    sage.reply(*range(1, 9), **answer(503, IIS_503, headers={"Retry-After": "20"}))
    assert numbers_of(pages(source())) == list(sage.everybody)
    assert sum(slept) >= 220


def test_a_company_that_is_down_is_not_waited_for_again_and_again(sage, source, slept):
    sage.reply(*range(1, 99), **answer(500, sage_error("InternalServerError", "The database is gone")))
    reader = source(max_retries=4)
    with pytest.raises(Transient) as first:
        list(pages(reader))
    asked = len(sage.asked)
    with pytest.raises(Transient):
        list(pages(reader, "ap_terms"))
    assert not first.value.answered
    assert len(sage.asked) == asked + 1


def test_a_page_that_takes_a_gateway_too_long_is_told_from_other_failures(sage, source):
    sage.reply(1, 2, **answer(504, b"<html><title>Gateway Timeout</title></html>"))
    with pytest.raises(TooSlow):  # the read asks for smaller pages then
        list(pages(source(max_retries=1)))


UNKNOWN = answer(404, sage_error("ResourceNotFound", "There is no such resource"))


@pytest.mark.parametrize(
    "profile", [None, answer(403, sage_error("Forbidden"))], ids=["readable", "forbidden"]
)
def test_a_missing_module_on_first_contact_is_told_from_a_missing_company_by_its_profile(
    sage, source, profile
):
    sage.reply(1, **UNKNOWN)
    if profile is not None:
        sage.reply(2, **profile)
    reader = source()
    with pytest.raises(StreamUnavailable, match="the company lacks the module"):
        list(pages(reader, "orders"))
    assert sage.paths()[1] == f"{sage.prefix}/SAMLTD/CS/CSCompanyProfile?$top=1"
    sage.reply(3, **UNKNOWN)
    with pytest.raises(StreamUnavailable):
        list(pages(reader, "po_invoices"))
    assert len(sage.asked) == 3


def test_a_mistyped_company_stops_instead_of_skipping_every_stream(sage, source):
    sage.reply(1, 2, **UNKNOWN)
    with pytest.raises(ApiError, match="has no company SAMLTD.*check companies .* and base_url") as caught:
        list(pages(source()))
    assert not isinstance(caught.value, StreamUnavailable)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (answer(500, sage_error("InternalServerError", "Object reference")), "status 500.*Object reference"),
        (answer(200, sage_error("General", "Oops")), "though the status says success.*General: Oops"),
        (answer(503, IIS_503), "status 503.*Service Unavailable"),
        (answer(manner="reset"), "failed after 3 attempts: no connection"),
        (answer(body=IIS_503), "a web page titled 'Service Unavailable'; check base_url"),
        (answer(body={"hello": "world"}), "no list of records"),
        (answer(body=b""), "an empty body"),
    ],
    ids=["500", "200-error", "503", "reset", "200-html", "other-json", "empty"],
)
def test_trouble_that_outlives_the_retries_is_an_error_and_never_an_unavailable_stream(
    sage, source, reply, says
):
    sage.reply(*range(1, 9), **reply)
    with pytest.raises(ApiError, match=says) as caught:
        list(pages(source(max_retries=2, max_retry_time=0)))
    assert isinstance(caught.value, Transient)
    assert len(sage.asked) <= 5  # two more for the company's profile
