"""The client reads everything once, in order and exactly, however the server pages."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from ml_connector import secrets

from tap_sage300.errors import RecordNotFound, Sage300Error


def numbers_of(pages) -> list[str]:
    return [record["VendorNumber"] for page in pages for record in page.records]


@pytest.mark.parametrize("links", ["inner", "relative", "none"])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("prefetch_pages", [0, 3])
@pytest.mark.parametrize("page_size", [None, 60, 400])
def test_every_vendor_arrives_once_and_in_order(sage, client, links, counts, prefetch_pages, page_size):
    sage.links, sage.counts = links, counts
    reader = client(prefetch_pages=prefetch_pages, page_size=page_size)
    assert numbers_of(reader.pages("AP", "APVendors")) == list(sage.everybody)


def test_links_are_followed_on_the_configured_address_though_the_server_prints_its_inner_one(sage, client):
    pages = list(client(base_url=sage.base_url + "/").pages("AP", "APVendors"))
    assert sage.paths() == [
        f"{sage.prefix}/SAMLTD/AP/APVendors?$count=true",
        f"{sage.prefix}/SAMLTD/AP/APVendors?$skip=100",
        f"{sage.prefix}/SAMLTD/AP/APVendors?$skip=200",
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
    assert numbers_of(pages) == list(sage.everybody[200:])
    assert sage.paths() == [
        f"{sage.prefix}/SAMLTD/AP/APVendors?$count=true&$select=VendorNumber,Amount&$filter=Name%20eq%20'A%20%26%20B'"
        "&$skip=200&$top=500"
    ]


def test_a_server_that_neither_links_nor_counts_is_asked_until_it_has_no_more(sage, client):
    sage.links, sage.counts, sage.page = "none", False, 125
    assert numbers_of(client().pages("AP", "APVendors")) == list(sage.everybody)
    assert len(sage.asked) == 3


def test_an_empty_set_is_one_empty_page(sage, client):
    sage.reply(1, body={"@odata.count": 0, "value": []})
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
    sage.reply(
        1,
        body=b'\xef\xbb\xbf{"value":[{"@odata.etag":"x","Amount":12345678901234567.123456789,"Rate":1.500,'
        b'"Sequence":9007199254740993,"Lines":[{"Net":0.10}]}],"@odata.count":1}',
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
    sage.reply(1, body={"@odata.context": "...", "BatchNumber": 12})
    reader = client()
    assert reader.get("AP", "APPaymentAndAdjustmentBatches", "BatchSelector='PY',BatchNumber=12") == {
        "BatchNumber": 12
    }
    assert sage.paths() == [
        f"{sage.prefix}/SAMLTD/AP/APPaymentAndAdjustmentBatches(BatchSelector='PY',BatchNumber=12)"
    ]
    not_found = {"code": "RecordNotFound", "message": {"lang": "en-US", "value": "A Record cannot be found"}}
    sage.reply(2, status=404, body={"error": not_found})
    with pytest.raises(RecordNotFound, match="A Record cannot be found"):
        reader.get("AP", "APVendors", "'X'")


def test_metadata_is_asked_once_as_xml(sage, client):
    sage.reply(
        1,
        body=b'<Edmx><Schema xmlns="e" Namespace="N"><EntityType Name="V"><Key><PropertyRef Name="A"/></Key>'
        b'<Property Name="A" Type="Edm.String"/></EntityType><EntityContainer>'
        b'<EntitySet Name="APVendors" EntityType="N.V"/></EntityContainer></Schema></Edmx>',
    )
    reader = client()
    assert reader.metadata("AP").entity_sets["APVendors"].key == ("A",)
    assert reader.metadata("AP") is reader.metadata("AP")
    assert sage.paths() == [f"{sage.prefix}/SAMLTD/AP/$metadata"]
    assert sage.asked[0].headers["Accept"] == "application/xml"
    assert sage.asked[0].headers["Content-Type"] == "application/json"


def test_a_base_url_without_scheme_is_refused_before_anything_is_sent(client):
    with pytest.raises(Sage300Error, match="base_url is 'erp/Sage300WebApi'"):
        client(base_url="erp/Sage300WebApi")
