"""Deletes, and the lines that documents have and lose, as users' companies had them."""

from __future__ import annotations

import pytest

DAY = "03/0{}/2026 10:00:00"
STAMPED = {"WHENCREATED": "TIMESTAMP"}


def rows(*numbers, day=1, **more):
    return [{"RECORDNO": n, "WHENMODIFIED": DAY.format(day), **more} for n in numbers]


def gone(gateway, name, number, key, day=3):
    gateway.now = "2026-03-09T12:00:00+00:00"
    gateway.rows[name] = [row for row in gateway.rows[name] if row["RECORDNO"] != str(number)]
    told = {"ID": f"{name}:{number}", "OBJECTTYPE": name.lower(), "OBJECTKEY": key}
    gateway.put("AUDITHISTORY", {**told, "ACCESSMODE": "D", "ACCESSTIME": DAY.format(day)})


@pytest.fixture
def bills_of(gateway):
    def make(number, lines):
        gateway.put("APBILL", *rows(number), AUWHENCREATED="TIMESTAMP")
        gateway.put("APBILLITEM", *rows(*lines, RECORDKEY=number), RECORDKEY="INTEGER", **STAMPED)
        return gateway

    return make


def test_bare_digits_that_name_a_live_record_are_a_business_key(gateway, run):
    """Vendor 8 has the id "20", and there is a vendor 20: the trail's "20" is not about that one."""
    gateway.put("VENDOR", *rows(8, VENDORID="20"), *rows(20, VENDORID="V20"), **STAMPED)
    first = run("vendors")
    gone(gateway, "VENDOR", 8, "20")
    second = run("vendors", state=first.state)
    assert second.deleted("vendors") == []
    assert second.numbers("vendors") == [20]
    assert second.of("ACTIVATE_VERSION", "vendors")
    third = run("vendors", state=second.state, lookback="P30D")
    assert not third.of("ACTIVATE_VERSION"), "a delete is answered once"


def test_a_recordno_with_its_mark_is_no_business_key(gateway, run):
    gateway.put("VENDOR", *rows(8, VENDORID="20"), *rows(20, VENDORID="V20"), **STAMPED)
    first = run("vendors")
    gone(gateway, "VENDOR", 8, "8--REC")
    second = run("vendors", state=first.state)
    assert second.deleted("vendors") == [8]
    assert not second.of("ACTIVATE_VERSION")


def test_digits_are_a_recordno_where_no_business_key_consists_of_them(gateway, run):
    gateway.put("VENDOR", *rows(8, VENDORID="V8"), *rows(9, VENDORID="V9"), **STAMPED)
    first = run("vendors")
    gone(gateway, "VENDOR", 8, "8")
    second = run("vendors", state=first.state)
    assert second.deleted("vendors") == [8]
    assert not second.of("ACTIVATE_VERSION")


def test_a_trail_that_cannot_be_read_stops_nothing_and_is_asked_from_there_later(gateway, run, caplog):
    gateway.put("VENDOR", *rows(1, 2), **STAMPED)
    gateway.put("CLASS", *rows(1, 2), **STAMPED)
    first = run("vendors", "classes")
    gone(gateway, "VENDOR", 2, "2--REC")
    kept = gateway.types.pop("AUDITHISTORY")
    known, told = gateway.do_query, []

    def refusing(call):
        if call.findtext("object") == "AUDITHISTORY":
            told.append(1)
            raise gateway.refused("DL02000001", "There was an error processing the request")
        return known(call)

    gateway.do_query = refusing
    second = run("vendors", "classes", state=first.state, max_retries=6)
    assert second.numbers("vendors") == [1]
    assert len(told) <= 3, "each attempt is billed"
    assert caplog.text.count("custom reports") == 1, "said once"
    gateway.types["AUDITHISTORY"], gateway.do_query = kept, known
    third = run("vendors", "classes", state=second.state)
    assert third.deleted("vendors") == [2]


def test_lines_of_a_document_after_the_start_date_come_though_they_are_older(gateway, run):
    gateway.put("APBILL", *rows(1), *rows(2, day=5), AUWHENCREATED="TIMESTAMP")
    lines = [*rows(11, RECORDKEY=1), *rows(21, 22, RECORDKEY=2)]
    gateway.put("APBILLITEM", *lines, RECORDKEY="INTEGER", **STAMPED)
    out = run("ap_bills", "ap_bill_lines", start_date="2026-03-04")
    assert out.numbers("ap_bills") == [2]
    assert out.numbers("ap_bill_lines") == [21, 22]


def test_a_document_comes_with_all_its_lines_one_after_the_other(gateway, run):
    """A target judges by the document's key which lines are lost: no other may stand in between."""
    gateway.put("APBILL", *rows(1, 2), AUWHENCREATED="TIMESTAMP")
    lines = [{**row, "RECORDKEY": 2 - n % 2} for n, row in enumerate(rows(*range(11, 19)), 1)]
    gateway.put("APBILLITEM", *lines, RECORDKEY="INTEGER", **STAMPED)
    first = run("ap_bills", "ap_bill_lines", page_size=3)
    documents = [row["RECORDKEY"] for row in first.records("ap_bill_lines")]
    assert documents == [1, 1, 1, 1, 2, 2, 2, 2]
    assert first.of("SCHEMA", "ap_bill_lines")[0]["schema"]["x-document-key"] == [
        "source_company",
        "RECORDKEY",
    ]
    gateway.rows["APBILLITEM"][0]["WHENMODIFIED"] = DAY.format(5)  # of line 11 only
    second = run("ap_bills", "ap_bill_lines", state=first.state, page_size=3)
    changed = [row["RECORDNO"] for row in second.records("ap_bill_lines") if row["RECORDKEY"] == 1]
    assert changed == [11, 13, 15, 17], "the document is whole"


def test_a_long_journal_costs_as_much_as_its_lines(gateway, run):
    """Lines are remembered once a document, not once a page and document."""
    gateway.put("GLBATCH", *rows(7), **STAMPED)
    gateway.put("GLENTRY", *rows(*range(1, 401), BATCHNO=7), BATCHNO="INTEGER", **STAMPED)
    out = run("gl_batches", "gl_entries", page_size=50)
    (partition,) = out.state["bookmarks"]["gl_entries"]["partitions"]
    assert partition["lines"] == {'["7"]': {"runs": [[[], 1, 1, 400, []]]}}
    gateway.now = "2026-03-09T12:00:00+00:00"
    gateway.rows["GLBATCH"][0]["WHENMODIFIED"] = DAY.format(5)
    gateway.rows["GLENTRY"] = gateway.rows["GLENTRY"][:-1]
    later = run("gl_batches", "gl_entries", state=out.state, page_size=50)
    assert later.deleted("gl_entries") == [400]


def test_a_state_of_version_0_1_is_carried_over(gateway, run):
    gateway.now = "2026-03-09T12:00:00+00:00"
    gateway.put("APBILL", *rows(1), *rows(2, day=5), AUWHENCREATED="TIMESTAMP")
    gateway.put("APBILLITEM", *rows(11, RECORDKEY=1), *rows(21, RECORDKEY=2), RECORDKEY="INTEGER", **STAMPED)
    gateway.put("GLBATCH", *rows(1, 2, 3), **STAMPED)
    context = {"source_company": "ACME", "source_entity": ""}
    read = {"replication_key": "WHENMODIFIED", "replication_key_value": "2026-03-02T00:00:00Z"}
    told = {"deletes_since": "2026-03-02T00:00:00Z"}
    under_way = {"since": None, "begun": "2026-03-02T00:00:00Z", "slice": 0, "after": "2", "newest": None}
    lines = {"lines": {"1": [11, 1], "2": [21, 3]}, "parents_until": "2026-03-02T00:00:00Z"}
    state = {
        "bookmarks": {
            "ap_bills": {"partitions": [{"context": context, **read, **told}]},
            "ap_bill_lines": {"partitions": [{"context": context, **read, **told, **lines}]},
            "gl_batches": {"partitions": [{"context": context, "progress": under_way}]},
        }
    }
    out = run("ap_bills", "ap_bill_lines", "gl_batches", state=state)
    assert out.numbers("ap_bills") == [2]
    assert out.numbers("ap_bill_lines") == [21]
    assert out.deleted("ap_bill_lines") == [22, 23]
    assert out.numbers("gl_batches") == [3]


def test_lines_lost_between_the_last_state_and_a_kill_are_told_by_their_document(bills_of, run):
    """The killed run wrote line 12 and no state: the next one brings the document without it."""
    gateway = bills_of(1, lines=(11, 12))
    first = run("ap_bills", "ap_bill_lines")
    gateway.now = "2026-03-09T12:00:00+00:00"
    gateway.rows["APBILL"][0]["WHENMODIFIED"] = DAY.format(5)
    killed = run("ap_bills", "ap_bill_lines", state=first.state)
    assert killed.numbers("ap_bill_lines") == [11, 12]
    gateway.rows["APBILLITEM"].pop()
    later = run("ap_bills", "ap_bill_lines", state=first.state)
    assert later.numbers("ap_bill_lines") == [11]
    (schema,) = later.of("SCHEMA", "ap_bill_lines")
    assert schema["schema"]["x-document-key"] == ["source_company", "RECORDKEY"]
