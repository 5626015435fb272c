"""What a read does with a server's oddities: it goes on, tells, remembers, and loses nothing."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from ml_connector.extract.errors import ApiError, Refused, TooSlow, Transient
from ml_connector.extract.asking import read_pages
from ml_connector.extract.read import CompanyRead
from ml_connector.extract.shared import Feed, ReadSettings, Run
from ml_connector.extract.resource import Final, Lines, Resource, Stamp
from ml_connector.extract.rows import RowPlan, levels_of
from ml_connector.extract.source import Bound, Page, ReadRequest, Selection

TEXT = {"type": ["string", "null"]}
NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
VENDORS = Resource(stream="vendors", address="Vendors", key=("ID",), stamps=(Stamp("CHANGED"),))
ORDERS = Resource(
    stream="orders",
    address="Orders",
    key=("ID",),
    stamps=(Stamp("CHANGED"),),
    lines=(Lines(stream="order_lines", key=("ID", "LINE"), collection="LINES"),),
)


class Books:
    """A source over a list of records, whose `refuse` may raise for a request and the records it would bring."""

    partition = {"source_company": "SAMINC"}

    def __init__(self, *records, size=2, refuse=lambda request, records: None):
        self.records_ = list(records)
        self.size = size
        self.refuse = refuse
        self.asked = []
        self.changed = []

    def now(self):
        return NOON.timestamp()

    def converter(self, described):
        return list

    def page_size(self, resource, selection):
        return self.size

    def pages(self, request):
        start = request.after or 0
        kept = [each for each in self.records_ if self._is_asked(request, each)]
        while True:
            size = request.size or self.size
            some = kept[start : start + size]
            self.asked.append(request)
            self.refuse(request, some)
            start += size
            after = start if start < len(kept) else None
            yield self._page(request, some, after)
            if after is None:
                return

    def records(self, request, keys, by=()):
        found = [each for each in self.records_ if (each["ID"],) in keys]
        self.refuse(request, found)
        yield self._page(request, found, None)

    def changed_documents(self, resource, since):
        yield from self.changed

    def deleted(self, resource, since):
        yield from ()

    def _is_asked(self, request, record):
        return request.since is None or any(
            record.get(bound.stamp.field) is None or record[bound.stamp.field] >= bound.value
            for bound in request.since
        )

    def _page(self, request, records, after):
        collections = {name: {} for name in request.selection.lines}
        return Page(lambda: levels_of(records, collections), after)


def vendor(name, changed="2026-03-01T00:00:00Z", **more):
    return {"ID": name, "CHANGED": changed, **more}


def read(
    source,
    resource=VENDORS,
    state=None,
    *,
    lines_state=None,
    lookback=timedelta(0),
    whole=False,
    refresh=False,
):
    """Read as a run does: the rows of the documents, then those of their lines."""
    rows, line_rows = [], []
    columns = ("ID", "CHANGED")
    properties = dict.fromkeys(columns, TEXT)
    plan = RowPlan(resource.stream, (), columns, properties, ("ID",))
    feeds = [Feed(plan, {} if state is None else state, lambda some, _: rows.extend(some), whole)]
    shape, selection = {(): properties}, Selection(frozenset(columns))
    if resource.lines:
        own = RowPlan("order_lines", ("LINES",), ("ID", "LINE"), {"ID": TEXT, "LINE": TEXT}, ("ID", "LINE"))
        lines_state = {} if lines_state is None else lines_state
        feeds.append(Feed(own, lines_state, lambda some, _: line_rows.extend(some), whole))
        selection = Selection(frozenset(columns), {"LINES": Selection(frozenset({"LINE"}))})
    run = Run(
        ReadSettings(lookback=lookback, prefetch_pages=0),
        logging.getLogger("test"),
        lambda: False,
        lambda: None,
    )
    outcome = CompanyRead(source, resource, feeds, selection, shape, run, refresh=refresh).run()
    as_dicts = [[msgspec.to_builtins(each) for each in some] for some in (rows, line_rows)]
    return outcome, *as_dicts


def ids(rows):
    return [row["ID"] for row in rows]


def test_a_bookmark_never_passes_the_moment_at_which_the_read_began():
    state = {}
    read(Books(vendor("A"), vendor("B", "2999-01-01T00:00:00Z")), state=state)
    assert state["replication_key_value"] == "2026-03-10T12:00:00Z"


def test_a_read_that_was_interrupted_days_ago_is_capped_by_its_own_beginning():
    state = {"progress": {"since": None, "begun": "2026-03-08T00:00:00Z", "after": 2, "newest": None}}
    _, rows, _ = read(Books(vendor("A"), vendor("B"), vendor("C", "2026-03-10T09:00:00Z")), state=state)
    assert ids(rows) == ["C"]
    assert state["replication_key_value"] == "2026-03-08T00:00:00Z"


def test_a_page_that_takes_too_long_is_asked_for_in_parts_from_then_on():
    def refuse(request, records):
        if len(records) > 1:
            raise TooSlow("no answer within 120 s")

    state, source = {}, Books(*(vendor(name) for name in "ABCDE"), size=4, refuse=refuse)
    outcome, rows, _ = read(source, state=state)
    assert ids(rows) == ["A", "B", "C", "D", "E"]
    assert not outcome.failed
    assert state["size"] == 1
    again = Books(vendor("F"), vendor("G"), size=4, refuse=refuse)
    read(again, state=state)
    assert {request.size for request in again.asked} == {1}


def test_a_record_that_takes_too_long_ends_the_read():
    def refuse(request, records):
        raise TooSlow("no answer within 120 s")

    with pytest.raises(TooSlow):
        read(Books(vendor("A"), vendor("B"), refuse=refuse))


INTERRUPTED = [["CHANGED", "2026-03-02T00:00:00Z", None]]


@pytest.mark.parametrize("how", ["refresh", "whole"])
def test_a_read_of_all_is_not_the_rest_of_a_read_of_what_changed(how):
    state = {
        "replication_key": "CHANGED",
        "replication_key_value": "2026-03-02T00:00:00Z",
        "progress": {"since": INTERRUPTED, "begun": "2026-03-08T00:00:00Z", "after": 2, "newest": None},
    }
    source = Books(*(vendor(name) for name in "ABCD"))
    _, rows, _ = read(source, state=state, **{how: True})
    assert ids(rows) == ["A", "B", "C", "D"]
    assert all(request.since is None for request in source.asked)


def test_what_changed_is_read_anew_after_a_read_of_all_was_given_up():
    state = {
        "replication_key": "CHANGED",
        "replication_key_value": "2026-03-02T00:00:00Z",
        "progress": {"since": None, "begun": "2026-03-08T00:00:00Z", "after": 2, "newest": None},
    }
    _, rows, _ = read(Books(vendor("A", "2026-03-09T00:00:00Z"), vendor("B"), vendor("C")), state=state)
    assert ids(rows) == ["A"]


@pytest.mark.parametrize(
    "kept", ["03/04/2026 08:15:30 PM", "2026-03-04T20:15:30.000+00:00", "2026-03-04 20:15:30"]
)
def test_a_bookmark_in_another_notation_is_understood_and_becomes_canonical(kept):
    state = {"replication_key": "CHANGED", "replication_key_value": kept}
    source = Books(vendor("A"))
    read(source, state=state)
    assert source.asked[0].since == (Bound(VENDORS.stamps[0], "2026-03-04T20:15:30Z"),)
    assert state["replication_key_value"] == "2026-03-04T20:15:30Z"


@pytest.mark.parametrize("key", [None, ["A", "B"], {"a": 1}])
def test_a_key_that_is_no_scalar_is_an_error_that_names_the_stream(key):
    with pytest.raises(ApiError, match=r"vendors: the key field ID"):
        read(Books(vendor("A"), vendor(key)))


def test_a_record_that_breaks_its_page_is_found_and_the_rest_is_read():
    def refuse(request, records):
        if any(each["ID"] == "V5" for each in records) and "CHANGED" in request.selection.fields:
            raise Transient("the server answered 500.", answered=True)

    state = {}
    source = Books(*(vendor(f"V{place}") for place in range(9)), size=8, refuse=refuse)
    outcome, rows, _ = read(source, state=state)
    assert sorted(set(ids(rows))) == ["V0", "V1", "V2", "V3", "V4", "V6", "V7", "V8"]
    assert outcome.failed == ['record ["V5"] cannot be read: the server answered 500.']
    assert state["failed"] == ['["V5"]']
    # it is asked for again, and told no more when it comes
    source.refuse = lambda request, records: None
    outcome, rows, _ = read(source, state=state)
    assert "V5" in ids(rows)
    assert "failed" not in state


def test_a_server_that_is_gone_is_not_taken_apart():
    def refuse(request, records):
        raise Transient("no connection")

    source = Books(vendor("A"), refuse=refuse)
    with pytest.raises(Transient):
        read(source)
    assert len(source.asked) == 1


def test_a_size_that_is_refused_is_halved_and_remembered(caplog):
    def refuse(request, records):
        if (request.size or 8) > 2:
            raise Refused("at most 2 records a page.", "size")

    state = {}
    source = Books(*(vendor(f"V{place}") for place in range(5)), size=8, refuse=refuse)
    _, rows, _ = read(source, state=state)
    assert len(rows) == 5
    assert state["size"] == 2
    source.asked.clear()
    read(source, state=state)
    assert {each.size for each in source.asked} == {2}


def test_what_is_read_without_a_state_is_asked_more_plainly_too():
    def refuse(request, _):
        if (request.size or 4) > 1:
            raise Refused("too many", "size")

    source = Books(vendor("A"), vendor("B"), vendor("C"), size=4, refuse=refuse)
    request = ReadRequest(VENDORS, Selection(frozenset({"ID"})))
    pages = [page.levels()[()].columns["ID"] for page in read_pages(source, request, 0)]
    assert pages == [["A"], ["B"], ["C"]]


def test_a_condition_that_is_refused_is_remembered_once_something_was_answered(caplog):
    def refuse(request, records):
        if request.since:
            raise Refused("unknown property CHANGED.", "filter")

    state = {"replication_key": "CHANGED", "replication_key_value": "2026-03-04T00:00:00Z"}
    source = Books(vendor("A"), vendor("B"), refuse=refuse)
    _, rows, _ = read(source, state=state)
    assert ids(rows) == ["A", "B"]
    assert state["without"] == ["filter:CHANGED"]
    assert caplog.text.count("All of it is read") == 1
    caplog.clear()
    read(source, state=state)
    assert not caplog.text


def test_a_server_that_refuses_everything_leaves_no_trace():
    def refuse(request, records):
        raise Refused("not today.")

    state = {"replication_key": "CHANGED", "replication_key_value": "2026-03-04T00:00:00Z"}
    with pytest.raises(Refused):
        read(Books(vendor("A"), refuse=refuse), state=state)
    assert "without" not in state


def test_pages_that_go_round_in_a_circle_are_an_error():
    class Circle(Books):
        def pages(self, request):
            for after in (1, 2, 1, 2):
                yield self._page(request, [vendor("A")], after)

    with pytest.raises(ApiError, match="circle"):
        read(Circle())
    with pytest.raises(ApiError, match="vendors of SAMINC: .*circle"):
        list(read_pages(Circle(), ReadRequest(VENDORS, Selection(frozenset({"ID"}))), 0))


def test_a_field_that_is_refused_is_left_out_and_a_key_is_not():
    def refuse(request, records):
        if "CHANGED" in request.selection.fields:
            raise Refused("CHANGED cannot be queried.", "field", ("CHANGED",))

    state = {}
    _, rows, _ = read(Books(vendor("A"), refuse=refuse), state=state)
    assert ids(rows) == ["A"]
    assert state["without"] == ["field:CHANGED"]

    def refuse_key(request, records):
        raise Refused("ID cannot be queried.", "field", ("ID",))

    with pytest.raises(Refused):
        read(Books(vendor("A"), refuse=refuse_key))


def order(name, *lines, changed="2026-03-01T00:00:00Z"):
    return {"ID": name, "CHANGED": changed, "LINES": [{"LINE": line} for line in lines]}


def deleted(rows):
    return [(row["ID"], row["LINE"]) for row in rows if "_sdc_deleted_at" in row]


def test_lines_that_a_document_loses_are_told_as_deleted():
    states, lines = {}, {}
    read(Books(order("O1", 1, 2, 3), order("O2", 1)), ORDERS, states, lines_state=lines)
    changed = order("O1", 1, 3, changed="2026-03-09T00:00:00Z")
    _, _, rows = read(Books(changed, order("O2", 1)), ORDERS, states, lines_state=lines)
    assert deleted(rows) == [("O1", 2)]


def test_what_is_remembered_of_lines_does_not_grow_with_their_number():
    sizes = []
    for count in (10, 10_000):
        lines = {}
        read(Books(order("O1", *range(32, 32 * count, 32))), ORDERS, lines_state=lines)
        sizes.append(len(msgspec.json.encode(lines)))
    assert sizes[1] < sizes[0] + 10


def test_states_of_the_version_before_are_read_and_carried_over():
    """As tap-sagex3 0.1.0 wrote them: lines as lists, open documents, a read interrupted by its stamp's text."""
    old = {
        "context": {"source_company": "SAMINC"},
        "replication_key": "CHANGED",
        "replication_key_value": "2026-03-04T00:00:00Z",
        "lines": {'["O1"]': [[1], [2]], '["O2"]': [[1]]},
        "open": ['["O2"]'],
        "progress": {
            "since": "2026-03-03T00:00:00Z",
            "begun": "2026-03-09T00:00:00Z",
            "after": 1,
            "newest": "2026-03-05T00:00:00Z",
        },
    }
    documents = {name: value for name, value in old.items() if name != "lines"}
    books = Books(
        order("O0", 1, changed="2026-03-04T00:00:00Z"), order("O1", 1, changed="2026-03-06T00:00:00Z"), size=1
    )
    _, rows, lines = read(books, ORDERS, documents, lines_state=old)
    # it went on behind the first page, saw that O1 lost a line, and that the open O2 is gone with its own
    assert ids(row for row in rows if "_sdc_deleted_at" not in row) == ["O1"]
    assert deleted(lines) == [("O1", 2), ("O2", 1)]
    assert old["replication_key_value"] == "2026-03-06T00:00:00Z"
    assert "progress" not in old


def test_a_document_that_can_still_change_is_read_again_until_it_is_final():
    batches = Resource(
        stream="orders",
        address="B",
        key=("ID",),
        stamps=(Stamp("CHANGED"),),
        final=Final("CHANGED", frozenset({"x"})),
    )
    state = {}
    read(Books(vendor("A", "2026-03-01T00:00:00Z")), batches, state)
    assert state["open"] == ['["A"]']
    _, rows, _ = read(Books(), batches, state)
    assert [row["ID"] for row in rows if "_sdc_deleted_at" in row] == ["A"]
    assert "open" not in state


def test_blank_stamps_are_asked_for_in_every_run():
    state = {}
    read(Books(vendor("A"), vendor("B")), state=state)
    _, rows, _ = read(Books(vendor("A"), vendor("N", None)), state=state)
    assert ids(rows) == ["A", "N"]
