"""What a representation or a server may do that the sandbox's does not."""

from __future__ import annotations

import logging
from datetime import datetime, timezone

import pytest

from tap_sagex3.api import Question, Wanted
from tap_sagex3.client import Client
from tap_sagex3.errors import SageX3Error, StreamUnavailable
from tap_sagex3.rest import RestApi
from tap_sagex3.streams import RESOURCES

BY_NAME = {resource.stream: resource for resource in RESOURCES}
SUPPLIERS, ORDERS, OPEN_ITEMS = (BY_NAME[name] for name in ("suppliers", "purchase_orders", "open_items"))
ALL = Question(Wanted(frozenset()))
LINES = Question(Wanted(frozenset(), {"POHPOP": Wanted(frozenset())}))


def api(little, page_size=None, representations=None, **more):
    config = {
        "base_url": little.url,
        "username": "me",
        "password": "my-secret-word",
        "max_retries": 0,
        **more,
    }
    return RestApi(Client(config, "SEED"), page_size, representations or {}, logging.getLogger("test"))


def page(*rows, link=None):
    links = {"$next": {"$url": link}} if link else {}
    return 200, {"$itemsPerPage": 20, "$resources": list(rows), "$links": links}


def test_pages_are_followed_on_the_own_server_with_the_own_count(little):
    """The link may name another host, as behind a proxy, and forget the count: neither is followed."""
    elsewhere = "http://elsewhere.example/api1/x3/erp/SEED/BPSUPPLIER?representation=X.$query&key=gt.A%7E1"
    little.answers = [page({"BPSNUM": "A~1"}, link=elsewhere), page({"BPSNUM": "B"})]
    pages = list(api(little, 50).pages(SUPPLIERS, ALL))
    assert [row["BPSNUM"] for each in pages for row in each.records] == ["A~1", "B"]
    first, second = (each["query"] for each in little.requests)
    assert first == {"representation": "BPSUPPLIER.$query", "count": "50", "orderBy": "BPSNUM"}
    assert second == {**first, "key": "gt.A~1"}
    assert pages[0].after is not None


def test_an_interrupted_read_goes_on_behind_its_last_key(little):
    little.answers = [page({"BPSNUM": "C"})]
    list(api(little).pages(SUPPLIERS, Question(Wanted(frozenset()), after="key=gt.B")))
    assert little.requests[0]["query"]["key"] == "gt.B"


def test_a_page_that_leads_to_itself_is_an_error(little):
    little.answers = [page({"BPSNUM": "A"}, link="?key=gt.A")]
    with pytest.raises(SageX3Error, match="gave before"):
        list(api(little).pages(SUPPLIERS, ALL))


def refused(asked):
    if "UPDDATTIM" in asked["query"].get("where", ""):
        return 400, {"$diagnoses": [{"$severity": "error", "$message": "UPDDATTIM is not in the facet"}]}
    return page({"BPSNUM": "A"})


def test_a_representation_without_the_moment_is_asked_by_the_day(little, caplog):
    """A day back at least: a date hides what follows on the same day."""
    little.answers = [refused]
    mark = datetime(2026, 3, 2, 10, 30, tzinfo=timezone.utc)
    question = Question(Wanted(frozenset()), since=mark, bookmark=mark)
    assert [row for each in api(little).pages(SUPPLIERS, question) for row in each.records] == [
        {"BPSNUM": "A"}
    ]
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
    assert next(iter(api(little).pages(SUPPLIERS, ALL))).records == [{"BPSNUM": "A"}]
    assert "Asking without orderBy instead" in caplog.text


def test_a_representation_without_any_stamp_is_read_whole_and_says_so(little, caplog):
    little.answers = [refused]
    mark = datetime(2026, 3, 2, tzinfo=timezone.utc)
    list(api(little).pages(OPEN_ITEMS, Question(Wanted(frozenset()), since=mark, bookmark=mark)))
    assert "where" not in little.requests[-1]["query"]
    assert "All of it is read" in caplog.text


def test_what_is_refused_in_every_way_names_the_setting(little):
    little.answers = [(400, {"$diagnoses": [{"$severity": "error", "$message": "no such representation"}]})]
    with pytest.raises(SageX3Error, match=r"no such representation.*representations"):
        list(api(little).pages(SUPPLIERS, ALL))


def details(asked):
    if asked["query"]["representation"].endswith("$query"):
        return page({"POHNUM": "O'1"}, {"POHNUM": "O2"}, {"POHNUM": "O3"})
    if "O2" in asked["path"]:
        return 200, {"$diagnoses": [{"$severity": "error", "$message": "721 : Record does not exist"}]}
    number = "O'1" if "O''1" in asked["path"] else "O3"
    lines = [{"$uuid": "x", "POPLIN": 1000, "POPSEQ": 1}] if number == "O3" else []
    return 200, {"POHNUM": number, "TEXTS": [{"LINE": "a"}], "MYLINES": lines}


def test_lines_are_found_whatever_a_representation_calls_them(little):
    little.answers = [details]
    (found,) = api(little).pages(ORDERS, LINES)
    # the second one vanished between the list and its details
    assert [each["POHNUM"] for each in found.records] == ["O'1", "O3"]
    assert [len(each["POHPOP"]) for each in found.records] == [0, 1]
    named = {"purchase_order_lines": {"collection": "TEXTS"}}
    (found,) = api(little, representations=named).pages(ORDERS, LINES)
    assert found.records[0]["POHPOP"] == [{"LINE": "a"}]


def test_classes_and_representations_are_the_settings(little):
    little.answers = [details]
    own = {"purchase_orders": {"class": "ZORDER", "representation": "ZORD"}}
    list(api(little, representations=own).pages(ORDERS, LINES))
    assert little.requests[0]["path"] == "/api1/x3/erp/SEED/ZORDER"
    assert little.requests[0]["query"]["representation"] == "ZORD.$query"
    assert little.requests[1]["path"] == "/api1/x3/erp/SEED/ZORDER('O''1')"
    assert little.requests[1]["query"]["representation"] == "ZORD.$details"


def test_records_can_be_read_by_their_details_where_the_list_shows_too_little(little):
    little.answers = [page({"BPSNUM": "A"}), (200, {"BPSNUM": "A", "BPSNAM": "Anna"})]
    (found,) = api(little, representations={"suppliers": {"details": True}}).pages(SUPPLIERS, ALL)
    assert found.records == [{"BPSNUM": "A", "BPSNAM": "Anna"}]


def test_a_list_that_lacks_the_key_is_an_error(little):
    little.answers = [page({"ORDDAT": "2026-01-31"})]
    with pytest.raises(SageX3Error, match=r"lacks POHNUM.*representations"):
        list(api(little).pages(ORDERS, LINES))


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((404, {"$diagnoses": [{"$severity": "error", "$message": "Class 'X' does not exist"}]}), StreamUnavailable, "X"),
        ((500, b"<html><h1>Internal</h1></html>"), SageX3Error, "folders"),
        ((500, {"$severity": "error", "$dataCode": "InternalServerError", "$message": "", "$source": "Gateway"}), SageX3Error, "InternalServerError"),
        ((200, b"<html><title>Sign in</title></html>"), SageX3Error, "base_url"),
        ((200, b""), SageX3Error, "empty body"),
        ((200, b"[]"), SageX3Error, "no object"),
        ((200, {"$links": {}}), SageX3Error, r"\$resources"),
        ((200, {"$diagnoses": [{"$severity": "error", "$message": "Deadlock"}]}), SageX3Error, "Deadlock"),
        ((403, {"message": "Forbidden"}), SageX3Error, "right"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_an_error_that_says_what_to_do(little, answer, kind, words):
    little.answers = [answer]
    with pytest.raises(kind, match=words) as caught:
        list(api(little).pages(SUPPLIERS, ALL))
    assert "my-secret-word" not in str(caught.value)


def test_warnings_in_an_answer_are_no_errors(little):
    rows = page({"BPSNUM": "A"})[1]
    little.answers = [(200, {**rows, "$diagnoses": [{"$severity": "warning", "$message": "slow today"}]})]
    assert next(iter(api(little).pages(SUPPLIERS, ALL))).records == [{"BPSNUM": "A"}]


def test_an_error_inside_200_is_asked_again_before_it_counts(little):
    little.answers = [
        (200, {"$diagnoses": [{"$severity": "error", "$message": "Deadlock"}]}),
        page({"BPSNUM": "A"}),
    ]
    assert next(iter(api(little, max_retries=1).pages(SUPPLIERS, ALL))).records == [{"BPSNUM": "A"}]


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
