"""Lines that an API is asked for by themselves: they come document by document, and follow their documents."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from ml_connector.extract.errors import Refused
from ml_connector.extract.read import CompanyRead
from ml_connector.extract.shared import Feed, Met, ReadSettings, Run
from ml_connector.extract.resource import Resource, Stamp
from ml_connector.extract.rows import RowPlan, levels_of
from ml_connector.extract.source import Page, Selection

TEXT = {"type": ["string", "null"]}
NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
LINES = Resource(
    stream="bill_lines",
    address="Lines",
    key=("ID",),
    stamps=(Stamp("CHANGED"),),
    parent="bills",
    parent_key=("BILL",),
)
READ = {"replication_key": "CHANGED", "replication_key_value": "2026-03-05T00:00:00Z"}


class Book:
    """Lines of bills; `changed` are the bills that the source says changed."""

    partition = {"source_company": "SAMINC", "source_entity": ""}

    def __init__(self, *lines, changed=(), refused=()):
        self.lines = lines
        self.changed = changed
        self.refused = set(refused)
        self.asked, self.asked_since, self.by_keys = [], [], []

    def now(self):
        return NOON.timestamp()

    def converter(self, described):
        return list

    def page_size(self, resource, selection):
        return 100

    def pages(self, request):
        self.asked.append(request)
        since = request.since[0].value if request.since else ""
        yield self._page(request, [each for each in self.lines if each["CHANGED"] >= since])

    def records(self, request, keys, by=()):
        self.by_keys.append(sorted(key[0] for key in keys))
        yield self._page(request, [each for each in self.lines if (str(each["BILL"]),) in keys])

    def changed_documents(self, resource, since):
        self.asked_since.append(since)
        yield from self.changed

    def deleted(self, resource, since):
        yield from ()

    def _page(self, request, lines):
        wrong = self.refused & request.selection.fields
        if wrong:
            raise Refused("No such field.", "field", tuple(wrong))
        return Page(lambda: levels_of(lines, {}))


def line(name, bill, changed="2026-03-01T00:00:00Z"):
    return {"ID": name, "BILL": bill, "CHANGED": changed, "TEXT": name.lower()}


def read(book, state, *, met=None, start_date=None):
    rows = []
    columns = ("ID", "BILL", "CHANGED", "TEXT")
    properties = dict.fromkeys(columns, TEXT)
    plan = RowPlan("bill_lines", (), columns, properties, ("ID",))
    settings = ReadSettings(start_date=start_date, lookback=timedelta(0), prefetch_pages=0)
    run = Run(settings, logging.getLogger("test"), lambda: False, lambda: None)
    if met is not None:
        run.met["bills", "SAMINC"] = met
    feed = Feed(plan, state, lambda some, _: rows.extend(some))
    CompanyRead(book, LINES, [feed], Selection(frozenset(columns)), {(): properties}, run).run()
    found = [msgspec.to_builtins(each) for each in rows]
    live = [row["ID"] for row in found if "_sdc_deleted_at" not in row]
    return live, [row["ID"] for row in found if "_sdc_deleted_at" in row]


def test_a_line_that_changed_brings_all_of_its_document():
    state = {**READ, "lines": {'["1"]': [["A"], ["B"], ["GONE"]]}}
    book = Book(line("A", 1, "2026-03-06T00:00:00Z"), line("B", 1), line("C", 2))
    assert read(book, state) == (["A", "B"], ["GONE"])
    assert book.asked[0].selection.fields == {"ID", "BILL", "CHANGED"}, "what names the document is enough"
    assert state["replication_key_value"] == "2026-03-06T00:00:00Z"


def test_a_document_is_the_same_whether_its_number_is_a_number_or_a_text():
    met = Met({"[2]"}, "2026-03-05T00:00:00Z", None, "2026-03-06T00:00:00Z")
    state = {**READ, "parents_until": "2026-03-05T00:00:00Z"}
    book = Book(line("C", "2"))
    assert read(book, state, met=met) == (["C"], [])
    assert book.asked_since == [], "the documents' own stream has told"
    assert state["parents_until"] == "2026-03-06T00:00:00Z"


@pytest.mark.parametrize(
    "met",
    [
        None,
        Met(set(), None, None, "2026-03-06T00:00:00Z"),
        Met(set(), "2026-03-05T12:00:00Z", None, "2026-03-06T00:00:00Z"),
        Met(set(), "2026-03-05T00:00:00Z", "2026-03-07T00:00:00Z", "2026-03-06T00:00:00Z"),
    ],
)
def test_documents_that_changed_in_an_earlier_run_are_asked_for_where_nobody_has_told(met):
    """That run ended between the documents and their lines."""
    state = {**READ, "parents_until": "2026-03-05T00:00:00Z", "deletes_since": "2026-03-05T00:00:00Z"}
    book = Book(line("C", 2), changed=[(2,)])
    assert read(book, state, met=met) == (["C"], [])
    assert book.asked_since == ["2026-03-05T00:00:00Z"]


def test_documents_after_the_start_date_bring_lines_that_are_older():
    book = Book(line("A", 1), line("C", 2), changed=[(2,)])
    assert read(book, {}, start_date=datetime(2026, 3, 4, tzinfo=timezone.utc)) == (["C"], [])


def test_a_first_read_is_whole_and_says_so():
    state = {}
    assert read(Book(line("A", 1), line("C", 2)), state) == (["A", "C"], [])
    assert state["full_read"] == "2026-03-10T12:00:00Z"
    assert state["lines"] == {'["1"]': [["A"]], '["2"]': [["C"]]}


def test_a_field_that_is_refused_is_not_asked_for_by_keys_either():
    state = dict(READ)
    book = Book(line("A", 1, "2026-03-06T00:00:00Z"), refused={"TEXT"})
    assert read(book, state) == (["A"], [])
    assert state["without"] == ["field:TEXT"]
