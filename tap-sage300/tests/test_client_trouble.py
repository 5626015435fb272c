"""The client waits out what passes, and explains what does not, each once."""

from __future__ import annotations

import pytest

from tap_sage300.errors import LoginRefused, NotAllowed, Sage300Error, StreamUnavailable


def answer(status=200, body=b"", **more) -> dict:
    """An answer of the little Sage 300 (see `little_sage.Reply`)."""
    return {"status": status, "body": body, **more}


def sage_error(code: str, message: str = "") -> dict:
    return {"error": {"code": code, "message": {"lang": "en-US", "value": message}}}


def numbers_of(pages) -> list[str]:
    return [record["VendorNumber"] for page in pages for record in page.records]


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
def test_trouble_in_mid_paging_repeats_that_page_and_loses_nothing(sage, client, trouble, prefetch_pages):
    sage.reply(2, **trouble)
    assert numbers_of(client(prefetch_pages=prefetch_pages).pages("AP", "APVendors")) == list(sage.everybody)
    assert len(sage.asked) == 4
    assert sage.paths()[1] == sage.paths()[2]


def test_a_429_storm_is_waited_out(sage, client, slept):
    sage.reply(2, 3, 4, **answer(429, headers={"Retry-After": "20"}))
    assert numbers_of(client().pages("AP", "APVendors")) == list(sage.everybody)
    assert slept == [20.0, 20.0, 20.0]


def test_a_session_dying_in_mid_page_repeats_that_page_once_with_a_fresh_login(sage, client, slept):
    sage.reply(2, **answer(401, sage_error("Unauthorized", "Session expired")))
    assert numbers_of(client().pages("AP", "APVendors")) == list(sage.everybody)
    assert sage.paths()[1] == sage.paths()[2]
    assert [request.headers["Cookie"] for request in sage.asked] == [None, "sid=1", None, "sid=2"]
    assert slept == []


def test_a_refused_login_is_not_tried_again_lest_the_account_be_locked(sage, client):
    sage.reply(*range(1, 9), **answer(401))
    with pytest.raises(
        LoginRefused, match="user WEBAPI in company SAMLTD: check username and password"
    ) as caught:
        list(client().pages("AP", "APVendors"))
    assert len(sage.asked) == 1
    assert "s3cret" not in str(caught.value).lower()


def test_a_login_revoked_in_mid_paging_is_refused_after_one_more_try(sage, client):
    sage.reply(*range(2, 9), **answer(401))
    pages = client().pages("AP", "APVendors")
    assert len(next(pages).records) == 100
    with pytest.raises(LoginRefused):
        next(pages)
    assert len(sage.asked) == 3


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (answer(403, sage_error("Forbidden")), NotAllowed, "'Sage 300 Web API'"),
        (answer(405, sage_error("MethodNotAllowed")), StreamUnavailable, "cannot be read"),
        (answer(403, sage_error("Forbidden", "A/P is not activated")), StreamUnavailable, "not activated"),
        (answer(500, sage_error("General", "A/P is not activated")), StreamUnavailable, "not activated"),
        (answer(400, sage_error("InvalidParameters", "no such field")), Sage300Error, "no such field"),
        (answer(200, sage_error("InvalidParameters", "no such field")), Sage300Error, "no such field"),
        (answer(404, b"<html><title>Not Found</title></html>"), Sage300Error, "base_url"),
    ],
)
def test_what_no_retry_cures_is_explained_at_once(sage, client, slept, reply, kind, says):
    sage.reply(1, **reply)
    with pytest.raises(kind, match=says) as caught:
        list(client().pages("AP", "APVendors"))
    assert type(caught.value) is kind
    assert len(sage.asked) == 1
    assert slept == []


UNKNOWN = answer(404, sage_error("ResourceNotFound", "There is no such resource"))


@pytest.mark.parametrize(
    "profile", [None, answer(403, sage_error("Forbidden"))], ids=["readable", "forbidden"]
)
def test_a_missing_module_on_first_contact_is_told_from_a_missing_company_by_its_profile(
    sage, client, profile
):
    sage.reply(1, **UNKNOWN)
    if profile is not None:
        sage.reply(2, **profile)
    reader = client()
    with pytest.raises(StreamUnavailable, match="the company lacks the module"):
        list(reader.pages("OE", "OEOrders"))
    assert sage.paths()[1] == f"{sage.prefix}/SAMLTD/CS/CSCompanyProfile"
    sage.reply(3, **UNKNOWN)
    with pytest.raises(StreamUnavailable):
        list(reader.pages("PO", "POInvoices"))
    assert len(sage.asked) == 3


def test_a_mistyped_company_stops_instead_of_skipping_every_stream(sage, client):
    sage.reply(1, 2, **UNKNOWN)
    with pytest.raises(
        Sage300Error, match="has no company SAMLTD.*check companies .* and base_url"
    ) as caught:
        list(client().pages("AP", "APVendors"))
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
    sage, client, reply, says
):
    sage.reply(*range(1, 9), **reply)
    with pytest.raises(Sage300Error, match=says) as caught:
        list(client(max_retries=2).pages("AP", "APVendors"))
    assert type(caught.value) is Sage300Error
    assert len(sage.asked) == 3


def test_an_error_in_the_background_surfaces_after_the_pages_before_it(sage, client):
    sage.reply(2, **answer(403, sage_error("Forbidden")))
    pages = client(prefetch_pages=5).pages("AP", "APVendors")
    assert next(pages).skip == 0
    with pytest.raises(NotAllowed):
        next(pages)
