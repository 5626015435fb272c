"""Everything is read once, in order and exactly, however the server pages."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from ml_connector import secrets
from ml_connector.extract.errors import ApiError, InvalidSetting, Refused
from ml_connector.extract.prefetch import prefetch
from ml_connector.extract.rows import PageColumns
from ml_connector.extract.source import ReadRequest, Selection
from tap_sage300.streams import RESOURCES
from tap_sage300.streams.resource import Resource

VENDORS = next(each for each in RESOURCES if each.stream == "vendors")
NUMBER, AMOUNT = {"type": "string"}, {"type": ["number", "null"]}
SHAPE = {(): {"VendorNumber": NUMBER, "Amount": AMOUNT, "Name": NUMBER}}
ASKED = ReadRequest(VENDORS, Selection(frozenset({"VendorNumber", "Amount"})), shape=SHAPE)


def columns_of(source, request=ASKED):
    """What the pages of a request hold."""
    for page in source.pages(request):
        yield PageColumns(
            page.levels(),
            {(): {name: source.converter(each) for name, each in request.shape.get((), {}).items()}},
        )


def numbers_of(source, request=ASKED):
    return [number for page in columns_of(source, request) for number in page.column((), "VendorNumber")]


@pytest.mark.parametrize("links", ["inner", "relative", "none", "bare", "circle"])
@pytest.mark.parametrize("counts", [True, False, "page"])
@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("size", [None, 60, 400])
def test_every_vendor_arrives_once_and_in_order(sage, source, links, counts, filters, size):
    sage.links, sage.counts, sage.filters = links, counts, filters
    assert numbers_of(source(), replace(ASKED, size=size)) == list(sage.everybody)


def test_pages_go_on_behind_the_last_key_on_the_configured_address(sage, source):
    list(source(base_url=sage.base_url + "/").pages(ASKED))
    asked = f"{sage.prefix}/SAMLTD/AP/APVendors?$count=true&$select=Amount,VendorNumber"
    assert sage.paths() == [
        asked,
        f"{asked}&$filter=VendorNumber%20gt%20'V0100'",
        f"{asked}&$filter=VendorNumber%20gt%20'V0200'",
    ]


def test_a_server_that_neither_links_nor_counts_is_asked_until_it_has_no_more(sage, source):
    sage.links, sage.counts, sage.page = "none", False, 125
    assert numbers_of(source()) == list(sage.everybody)
    assert len(sage.asked) == 3


def test_an_empty_set_is_one_empty_page(sage, source):
    sage.reply(1, body={"@odata.count": 0, "value": []})
    (page,) = source().pages(ASKED)
    assert page.levels()[()].count == 0
    assert page.after is None
    assert len(sage.asked) == 1


def test_keys_that_do_not_ascend_are_counted_instead(sage, source):
    sage.vendors = sage.vendors[::-1]
    assert numbers_of(source()) == list(sage.everybody[::-1])
    assert "$skip=99" in sage.paths()[1]


def test_a_vendor_deleted_while_counted_pages_are_read_loses_no_other(sage, source):
    sage.vendors = sage.vendors[::-1]
    pages = source().pages(ASKED)
    seen = list(next(pages).levels()[()].columns["VendorNumber"])
    sage.vendors = sage.vendors[1:]
    for page in pages:
        seen += page.levels()[()].columns["VendorNumber"]
    assert set(seen) == set(sage.everybody)


def test_a_vendor_deleted_while_pages_are_read_by_key_loses_no_other(sage, source):
    pages = source().pages(ASKED)
    seen = list(next(pages).levels()[()].columns["VendorNumber"])
    sage.vendors = sage.vendors[1:]
    for page in pages:
        seen += page.levels()[()].columns["VendorNumber"]
    assert seen == list(sage.everybody)


def test_many_deleted_before_a_counted_read_is_resumed_lose_no_other(sage, source):
    sage.vendors = sage.vendors[::-1]
    first = next(source().pages(ASKED))
    sage.vendors = sage.vendors[90:]
    rest = numbers_of(source(), replace(ASKED, after=first.after))
    assert set(rest) == {vendor["VendorNumber"] for vendor in sage.vendors}


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_ignores_skip_and_filter_is_found_out_instead_of_read_for_ever(sage, source, counts):
    sage.links, sage.counts, sage.skips, sage.filters = "none", counts, False, False
    with pytest.raises(ApiError, match=r"SAMLTD/AP/APVendors.*does not heed \$skip"):
        list(source().pages(ASKED))


def test_closing_the_pages_stops_the_requests(sage, source):
    pages = prefetch(source().pages(ASKED), 1)
    next(pages)
    pages.close()
    assert len(sage.asked) <= 3
    assert [thread for thread in threading.enumerate() if thread.name == "prefetch"] == []


def test_an_error_in_the_background_surfaces_after_the_pages_before_it(sage, source):
    sage.reply(2, status=403, body={"error": {"code": "Forbidden", "message": "No."}})
    pages = prefetch(source().pages(ASKED), 5)
    assert next(pages).levels()[()].count == 100
    with pytest.raises(ApiError, match="may not read"):
        next(pages)


# --- what is sent, what is read


def test_every_get_carries_capital_credentials_content_type_and_the_cookie(sage, source):
    list(source(username="webApi", password="s3cret").pages(ASKED))
    for request in sage.asked:
        assert request.headers["Authorization"] == "Basic V0VCQVBJOlMzQ1JFVA=="  # WEBAPI:S3CRET
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["Accept"] == "application/json"
    assert [request.headers["Cookie"] for request in sage.asked] == [None, "sid=1", "sid=1"]


def test_an_encrypted_password_is_opened_for_the_server(erp, monkeypatch):
    monkeypatch.setenv(secrets.KEY_VARIABLE, secrets.generate_key())
    erp.fake.add("SAMINC", "APVendors", {"VendorNumber": "1"})
    assert erp.run("vendors", password=secrets.encrypt("secret")).records("vendors")


def test_amounts_arrive_with_every_digit(sage, source):
    sage.reply(
        1,
        body=b'\xef\xbb\xbf{"value":[{"@odata.etag":"x","VendorNumber":"1","Amount":12345678901234567.123456789},'
        b'{"VendorNumber":"2","Amount":1.500},{"VendorNumber":"3","Amount":"1.50"}],"@odata.count":3}',
    )
    (page, *_) = columns_of(source())
    big, exact, text = page.column((), "Amount")
    assert (bytes(big), bytes(exact)) == (b"12345678901234567.123456789", b"1.500")
    assert text == Decimal("1.50")


def test_a_name_that_is_no_text_is_not_lost_nor_its_page(sage, source):
    sage.vendors = [{**vendor, "Name": "plain"} for vendor in sage.vendors]
    sage.vendors[130]["Name"] = ["not", "plain"]
    request = replace(ASKED, selection=Selection(frozenset({"VendorNumber", "Name"})))
    pages = list(columns_of(source(), request))
    names = [name for page in pages for name in page.column((), "Name")]
    assert names[130] == ["not", "plain"]
    assert names.count("plain") == len(sage.everybody) - 1


def test_a_base_url_without_scheme_is_refused_before_anything_is_sent(client):
    with pytest.raises(InvalidSetting, match="base_url is 'erp/Sage300WebApi'"):
        client(base_url="erp/Sage300WebApi")


def test_an_address_is_never_longer_than_iis_takes(sage, source):
    names = [f"AFieldWithAVeryLongNameThatTakesRoom{n:03}" for n in range(60)]
    shape = {(): {**SHAPE[()], **dict.fromkeys(names, NUMBER)}}
    wide = ReadRequest(VENDORS, Selection(frozenset({"VendorNumber", *names})), shape=shape)
    keys = [(number,) for number in sage.everybody]
    read = [
        number
        for page in source().records(wide, keys)
        for number in page.levels()[()].columns["VendorNumber"]
    ]
    assert read == list(sage.everybody)
    assert numbers_of(source(), wide) == list(sage.everybody)
    assert max(len(path.partition("?")[2]) for path in sage.paths()) <= 2048


TOO_LONG = (
    b"<html><head><title>404.15 - Not Found</title></head><body>The query string is too long.</body></html>"
)


@pytest.mark.parametrize(("status", "body"), [(404, TOO_LONG), (414, b"")])
def test_an_address_that_is_too_long_for_this_server_is_made_shorter(sage, source, status, body):
    sage.longest, sage.too_long = 400, (status, body)
    names = [f"AFieldWithAVeryLongName{n:03}" for n in range(30)]
    shape = {(): {**SHAPE[()], **dict.fromkeys(names, NUMBER)}}
    wide = ReadRequest(VENDORS, Selection(frozenset({"VendorNumber", *names})), shape=shape)
    assert numbers_of(source(), wide) == list(sage.everybody)
    read = source()
    keys = [(number,) for number in sage.everybody]
    found = [n for page in read.records(ASKED, keys) for n in page.levels()[()].columns["VendorNumber"]]
    assert found == list(sage.everybody)


def test_a_key_of_a_text_that_is_not_compared_is_asked_without_order(sage, source):
    sage.refuses = " gt '"
    with pytest.raises(Refused) as refused:
        numbers_of(source())
    assert refused.value.what == "order"
    assert numbers_of(source(), replace(ASKED, without=frozenset({"order"}))) == list(sage.everybody)


@pytest.mark.parametrize(("option", "what"), [("$select", "select"), ("$count", "count")])
def test_the_part_that_is_refused_is_found_by_asking_without_it(sage, source, option, what):
    sage.refuses = option
    with pytest.raises(Refused) as refused:
        numbers_of(source())
    assert refused.value.what == what
    assert numbers_of(source(), replace(ASKED, without=frozenset({what}))) == list(sage.everybody)


def test_a_key_of_several_goes_on_in_lexicographic_order(source):
    resource = Resource(stream="x", address="GL/X", key=("A", "B"))
    assert resource.module == "GL"
    assert resource.entity_set == "X"
