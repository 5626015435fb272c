"""What a representation or a server may do that the sandbox's does not."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from ml_connector.extract.errors import ApiError, Denied, Refused, StreamUnavailable, Transient
from ml_connector.extract.read import CompanyRead
from ml_connector.extract.shared import Feed, ReadSettings, Run
from ml_connector.extract.rows import RowPlan
from ml_connector.extract.source import ReadRequest, Selection
from tap_sagex3.client import Client
from tap_sagex3.sources.rest import RestSource
from tap_sagex3.streams import RESOURCES

BY_NAME = {resource.stream: resource for resource in RESOURCES}
SUPPLIERS, ORDERS, OPEN_ITEMS = (BY_NAME[name] for name in ("suppliers", "purchase_orders", "open_items"))
ALL = ReadRequest(SUPPLIERS, Selection(frozenset({"BPSNUM"})))
LINES = ReadRequest(
    ORDERS, Selection(frozenset({"POHNUM"}), {"POHPOP": Selection(frozenset({"POPLIN", "LINE"}))})
)
TEXT = {"type": ["string", "null"]}


def api(little, representations=None, **more):
    config = {
        "base_url": little.url,
        "username": "me",
        "password": "my-secret-word",
        "max_retries": 0,
        **more,
    }
    return RestSource(Client(config, "SEED"), representations or {}, logging.getLogger("test"))


def column(pages, name, path=()):
    """A field of all records of some pages."""
    found = []
    for each in pages:
        levels = each.levels()
        found += levels[path].columns.get(name) or [] if path in levels else []
    return found


def read(source, resource, state, **columns):
    """Read a kind of document as a run does, and give the rows."""
    written = []
    plan = RowPlan(
        resource.stream, (), tuple(columns or resource.key), columns or {"BPSNUM": TEXT}, resource.key
    )
    feed = Feed(plan, state, lambda rows, _: written.extend(rows))
    settings = ReadSettings(lookback=timedelta(0), prefetch_pages=0)
    run = Run(settings, logging.getLogger("test"), lambda: False, lambda: None)
    selection = Selection(frozenset(plan.columns))
    CompanyRead(source, resource, [feed], selection, {(): plan.properties}, run).run()
    return written


def page(*rows, link=None):
    links = {"$next": {"$url": link}} if link else {}
    return 200, {"$itemsPerPage": 20, "$resources": list(rows), "$links": links}


def test_pages_are_followed_on_the_own_server_with_the_own_count(little):
    """The link may name another host, as behind a proxy, and forget the count: neither is followed."""
    elsewhere = "http://elsewhere.example/api1/x3/erp/SEED/BPSUPPLIER?representation=X.$query&key=gt.A%7E1"
    little.answers = [page({"BPSNUM": "A~1"}, link=elsewhere), page({"BPSNUM": "B"})]
    pages = list(api(little).pages(replace(ALL, size=50)))
    assert column(pages, "BPSNUM") == ["A~1", "B"]
    first, second = (each["query"] for each in little.requests)
    assert first == {"representation": "BPSUPPLIER.$query", "count": "50", "orderBy": "BPSNUM"}
    assert second == {**first, "key": "gt.A~1"}
    assert pages[0].after is not None


def test_an_interrupted_read_goes_on_behind_its_last_key(little):
    little.answers = [page({"BPSNUM": "C"})]
    list(api(little).pages(replace(ALL, after="key=gt.B")))
    assert little.requests[0]["query"]["key"] == "gt.B"


def test_a_page_that_leads_to_itself_is_an_error(little):
    little.answers = [page({"BPSNUM": "A"}, link="?key=gt.A")]
    with pytest.raises(ApiError, match="gave before"):
        list(api(little).pages(ALL))


@pytest.mark.parametrize("answer", [
    (500, {"$diagnoses": [{"$severity": "error", "$message": "Property UPDDATTIM does not exist"}]}),
    (500, {"$diagnoses": [{"$severity": "error", "$message": "Internal error"}]}),
    (200, {"$diagnoses": [{"$severity": "error", "$message": "Property UPDDATTIM does not exist"}]}),
])  # fmt: skip
def test_an_unknown_property_is_stepped_down_from_whatever_the_status(little, answer):
    little.answers = [
        lambda asked: answer if "UPDDATTIM" in asked["query"].get("where", "") else page({"BPSNUM": "A"})
    ]
    state = {"replication_key": "UPDDATTIM", "replication_key_value": "2026-03-02T00:00:00Z"}
    assert [row.c0 for row in read(api(little), SUPPLIERS, state)] == ["A"]
    assert little.requests[-1]["query"]["where"] == "UPDDAT ge @2026-03-01@"


def test_a_full_page_without_links_is_not_taken_for_the_end(little):
    little.answers = [(200, {"$itemsPerPage": 2, "$resources": [{"BPSNUM": "A"}, {"BPSNUM": "B"}]})]
    with pytest.raises(ApiError, match="without \\$links"):
        list(api(little).pages(replace(ALL, size=2)))
    # the server need not give as many as were asked for
    with pytest.raises(ApiError, match="full page of 2 records"):
        list(api(little).pages(replace(ALL, size=1000)))
    little.answers = [(200, {"$itemsPerPage": 2, "$resources": [{"BPSNUM": "A"}]})]
    assert column(api(little).pages(replace(ALL, size=1000)), "BPSNUM") == ["A"]


def test_sales_invoices_are_found_under_either_name_of_their_class(little):
    """Sage's own client reads SINVOICEV; other sites have SINVOICE."""
    invoices = BY_NAME["sales_invoices"]
    asked = ReadRequest(invoices, Selection(frozenset({"NUM"})))

    def answer(request):
        if request["path"].endswith("/SINVOICEV"):
            return 404, {"$diagnoses": [{"$severity": "error", "$message": "Unknown class SINVOICEV"}]}
        assert request["query"]["representation"] == "SINVOICE.$query"
        return page({"NUM": "SI1"})

    little.answers = [answer]
    source = api(little)
    assert column(source.pages(asked), "NUM") == ["SI1"]
    assert column(source.pages(asked), "NUM") == ["SI1"]
    assert [each["path"].rsplit("/", 1)[1] for each in little.requests] == [
        "SINVOICEV",
        "SINVOICE",
        "SINVOICE",
    ]
    named = api(little, {"sales_invoices": {"class": "SINVOICEV"}})
    with pytest.raises(StreamUnavailable):
        list(named.pages(asked))


def refused(asked):
    if "UPDDATTIM" in asked["query"].get("where", ""):
        return 400, {"$diagnoses": [{"$severity": "error", "$message": "UPDDATTIM is not in the facet"}]}
    return page({"BPSNUM": "A", "NUMDUD": 1})


def test_a_representation_without_the_moment_is_asked_by_the_day(little, caplog):
    """A day back at least: a date hides what follows on the same day."""
    little.answers = [refused]
    state = {"replication_key": "UPDDATTIM", "replication_key_value": "2026-03-02T10:30:00Z"}
    assert [row.c0 for row in read(api(little), SUPPLIERS, state)] == ["A"]
    asked = [each["query"]["where"] for each in little.requests]
    assert asked[0] == "UPDDATTIM ge @2026-03-02T10:30:00Z@"
    assert asked[-1] == "UPDDAT ge @2026-03-01@"
    assert "Asking by UPDDAT instead" in caplog.text


def test_a_representation_that_cannot_be_sorted_is_asked_without(little, caplog):
    def unsortable(asked):
        if "orderBy" in asked["query"]:
            return 400, {"$diagnoses": [{"$severity": "error", "$message": "orderBy is not understood"}]}
        return page({"BPSNUM": "A"})

    little.answers = [unsortable]
    state = {}
    assert [row.c0 for row in read(api(little), SUPPLIERS, state)] == ["A"]
    assert "Asking without an order" in caplog.text


def test_a_representation_without_any_stamp_is_read_whole_and_says_so(little, caplog):
    little.answers = [refused]
    state = {"replication_key": "UPDDATTIM", "replication_key_value": "2026-03-02T00:00:00Z"}
    read(api(little), OPEN_ITEMS, state, NUMDUD={"type": "integer"})
    assert "where" not in little.requests[-1]["query"]
    assert "All of it is read" in caplog.text


def test_what_is_refused_in_every_way_names_the_setting(little):
    little.answers = [(400, {"$diagnoses": [{"$severity": "error", "$message": "no such representation"}]})]
    with pytest.raises(ApiError, match=r"no such representation.*representations"):
        read(api(little), SUPPLIERS, {})


def details(asked):
    if asked["query"]["representation"].endswith("$query"):
        return page({"POHNUM": "O'1"}, {"POHNUM": "O2"}, {"POHNUM": "O3"})
    if "O2" in asked["path"]:
        return 200, {"$diagnoses": [{"$severity": "error", "$message": "721 : Record does not exist"}]}
    number = "O'1" if "O''1" in asked["path"] else "O3"
    lines = [{"$uuid": "x", "POPLIN": 1000, "POPSEQ": 1}] if number == "O3" else []
    return 200, {"POHNUM": number, "TEXTS": [{"LINE": "a"}], "MYLINES": lines}


@pytest.mark.parametrize("concurrency", [1, 3])
def test_details_are_asked_for_side_by_side_and_stay_in_order(little, concurrency):
    """As many at once as the setting says; the first one is the last to come."""
    numbers = [f"O{place}" for place in range(6)]
    together, most, on_their_way = threading.Barrier(concurrency), 0, 0
    lock = threading.Lock()

    def answer(asked):
        nonlocal most, on_their_way
        if asked["query"]["representation"].endswith("$query"):
            return page(*({"POHNUM": number} for number in numbers))
        number = asked["path"].partition("('")[2][:-2]
        with lock:
            on_their_way += 1
            most = max(most, on_their_way)
        # those that are asked for at once wait for each other
        together.wait(30)
        time.sleep(0.05 if number == "O0" else 0)
        with lock:
            on_their_way -= 1
        return 200, {"POHNUM": number, "POHPOP": []}

    little.answers = [answer]
    assert column(api(little, concurrency=concurrency).pages(LINES), "POHNUM") == numbers
    assert most == concurrency


def test_a_document_that_fails_beside_others_ends_the_page(little):
    def answer(asked):
        if asked["query"]["representation"].endswith("$query"):
            return page({"POHNUM": "O1"}, {"POHNUM": "O2"}, {"POHNUM": "O3"})
        return (403, {"message": "Forbidden"}) if "O2" in asked["path"] else (200, {"POHNUM": "O"})

    little.answers = [answer]
    with pytest.raises(Denied, match="O2.*right"):
        list(api(little, concurrency=2).pages(LINES))


def test_lines_are_found_whatever_a_representation_calls_them(little):
    little.answers = [details]
    (found,) = api(little).pages(LINES)
    # the second one vanished between the list and its details
    levels = found.levels()
    assert levels[()].columns["POHNUM"] == ["O'1", "O3"]
    assert list(levels["POHPOP",].parents) == [1]
    named = {"purchase_order_lines": {"collection": "TEXTS"}}
    (found,) = api(little, representations=named).pages(LINES)
    assert column([found], "LINE", ("POHPOP",)) == ["a", "a"]


def test_classes_and_representations_are_the_settings(little):
    little.answers = [details]
    own = {"purchase_orders": {"class": "ZORDER", "representation": "ZORD"}}
    list(api(little, representations=own).pages(LINES))
    assert little.requests[0]["path"] == "/api1/x3/erp/SEED/ZORDER"
    assert little.requests[0]["query"]["representation"] == "ZORD.$query"
    assert little.requests[1]["path"] == "/api1/x3/erp/SEED/ZORDER('O''1')"
    assert little.requests[1]["query"]["representation"] == "ZORD.$details"


def test_records_can_be_read_by_their_details_where_the_list_shows_too_little(little):
    little.answers = [page({"BPSNUM": "A"}), (200, {"BPSNUM": "A", "BPSNAM": "Anna"})]
    wanted = ReadRequest(SUPPLIERS, Selection(frozenset({"BPSNUM", "BPSNAM"})))
    found = list(api(little, representations={"suppliers": {"details": True}}).pages(wanted))
    assert column(found, "BPSNAM") == ["Anna"]


def test_a_list_that_lacks_the_key_is_an_error(little):
    little.answers = [page({"ORDDAT": "2026-01-31"})]
    with pytest.raises(ApiError, match=r"lacks POHNUM.*representations"):
        list(api(little).pages(LINES))


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((404, {"$diagnoses": [{"$severity": "error", "$message": "Class 'X' does not exist"}]}), StreamUnavailable, "X"),
        ((503, b"<html><h1>Internal</h1></html>"), Transient, "folders"),
        ((500, {"$severity": "error", "$dataCode": "InternalServerError", "$message": "", "$source": "Gateway"}), Refused, "InternalServerError"),
        ((200, b"<html><title>Sign in</title></html>"), Transient, "page of HTML, 'Sign in'.*base_url"),
        ((200, b""), ApiError, "empty body"),
        ((200, b"[]"), ApiError, "no object"),
        ((200, {"$links": {}}), ApiError, r"\$resources"),
        ((200, {"$diagnoses": [{"$severity": "error", "$message": "Deadlock"}]}), ApiError, "Deadlock"),
        ((403, {"message": "Forbidden"}), Denied, "right"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_an_error_that_says_what_to_do(little, answer, kind, words):
    little.answers = [answer]
    with pytest.raises(kind, match=words) as caught:
        list(api(little).pages(ALL))
    assert "my-secret-word" not in str(caught.value)


def test_warnings_in_an_answer_are_no_errors(little):
    rows = page({"BPSNUM": "A"})[1]
    little.answers = [(200, {**rows, "$diagnoses": [{"$severity": "warning", "$message": "slow today"}]})]
    assert column(api(little).pages(ALL), "BPSNUM") == ["A"]


def test_an_error_inside_200_is_asked_again_before_it_counts(little):
    little.answers = [
        (200, {"$diagnoses": [{"$severity": "error", "$message": "Deadlock"}]}),
        page({"BPSNUM": "A"}),
    ]
    assert column(api(little, max_retries=1).pages(ALL), "BPSNUM") == ["A"]


def test_a_prototype_describes_fields_lines_and_types(little):
    little.answers = [
        (
            200,
            {
                "$properties": {
                    "POHNUM": {"$type": "application/x-string"},
                    "ORDDAT": {"$type": "application/x-date", "$title": "Ordered on"},
                    "YAMOUNT": {"$type": "application/x-decimal"},
                    "CUR_REF": {"$type": "application/x-reference"},
                    "$uuid": {"$type": "application/x-string"},
                    "CCE": {"$type": "application/x-array", "$item": {"$type": "application/x-string"}},
                    "MYLINES": {
                        "$type": "application/x-array",
                        "$item": {"$properties": {"POPSEQ": {"$type": "application/x-integer"}}},
                    },
                }
            },
        )
    ]
    found = api(little).describe(ORDERS)
    assert set(found.fields) == {"POHNUM", "ORDDAT", "YAMOUNT", "CCE"}
    assert found.fields["ORDDAT"] == {
        "type": ["string", "null"],
        "format": "date",
        "description": "Ordered on",
    }
    assert found.fields["YAMOUNT"]["x-scale"] == 13
    assert found.fields["CCE"]["type"] == ["array", "null"]
    assert set(found.lines) == {"POHPOP"}
    little.answers = [(404, {"message": "no prototypes here"})]
    assert api(little).describe(ORDERS) is None
