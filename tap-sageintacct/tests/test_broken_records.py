"""A record that the gateway cannot give costs itself, not the records behind it."""

from __future__ import annotations

import pytest

DAY = "03/0{}/2026 10:00:00"
PROCESSING = ("DL02000001", "There was an error processing the request.")
BUSINESS = ("BL01001973", "The record could not be read.")
NAMELESS = ("DL02000001", "There was an error processing the request: Unknown")


def rows(*numbers, day=1, **more):
    return [{"RECORDNO": n, "WHENMODIFIED": DAY.format(day), "NAME": f"n{n}", **more} for n in numbers]


@pytest.fixture
def spoil(gateway):
    """Let every answer fail that holds one of some records; with `field`, only where that is asked for."""
    kept = gateway.do_query

    def spoil(name, numbers, said, field=None):
        broken = [f"<RECORDNO>{number}</RECORDNO>" for number in numbers]

        def query(call):
            answer = kept(call)
            asked = {each.text for each in call.iterfind("select/field")}
            hit = call.findtext("object") == name and any(each in answer for each in broken)
            if hit and (field is None or field in asked):
                raise gateway.refused(*said)
            return answer

        gateway.do_query = query

    return spoil


@pytest.fixture
def ended(gateway, tap):
    """A run that could not read all: what it wrote."""

    def go(*streams, **settings):
        writer = tap.collector()
        made = tap(*streams, writer=writer, discover_custom_fields=True, **settings)
        gateway.functions.clear()
        with pytest.raises(SystemExit):
            made.sync_all()
        return writer

    return go


def partition(writer, stream):
    (found,) = writer.state["bookmarks"][stream]["partitions"]
    return found


@pytest.mark.parametrize(
    ("said", "broken"), [(PROCESSING, 6), (BUSINESS, 1), (BUSINESS, 9), (NAMELESS, 1), (NAMELESS, 6)]
)
def test_a_record_that_cannot_be_read_is_passed_over_and_asked_for_again(
    gateway, spoil, ended, run, caplog, said, broken
):
    gateway.put("VENDOR", *rows(*range(1, 10)), WHENCREATED="TIMESTAMP")
    kept = gateway.do_query
    spoil("VENDOR", [broken], said, field="NAME")
    first = ended("vendors", page_size=4)
    assert first.numbers("vendors") == [n for n in range(1, 10) if n != broken]
    assert all(row["NAME"] for row in first.records("vendors")), "no field is taken for the fault"
    assert partition(first, "vendors")["failed"] == [f"[{broken}]"]
    assert f"record [{broken}] cannot be read" in caplog.text
    again = ended("vendors", state=first.state, page_size=4)
    assert partition(again, "vendors")["failed"] == [f"[{broken}]"]
    gateway.do_query = kept
    last = run("vendors", state=again.state)
    assert broken in last.numbers("vendors")
    assert "failed" not in partition(last, "vendors")


@pytest.mark.parametrize("broken", [1, 6, 9])
def test_a_record_whose_key_cannot_be_read_either_is_passed_over(gateway, spoil, ended, run, broken):
    gateway.put("VENDOR", *rows(*range(1, 10)), WHENCREATED="TIMESTAMP")
    kept = gateway.do_query
    spoil("VENDOR", [broken], BUSINESS)
    first = ended("vendors", page_size=4)
    assert first.numbers("vendors") == [n for n in range(1, 10) if n != broken]
    gateway.do_query = kept
    assert broken in run("vendors", state=first.state).numbers("vendors"), "the bookmark stays where it was"


def test_a_broken_record_among_what_changed_is_passed_over(gateway, spoil, ended, run):
    gateway.put("VENDOR", *rows(*range(1, 10)), WHENCREATED="TIMESTAMP")
    first = run("vendors", "classes")
    for row in gateway.rows["VENDOR"][3:8]:
        row["WHENMODIFIED"] = DAY.format(5)
    spoil("VENDOR", [5], BUSINESS, field="NAME")
    second = ended("vendors", state=first.state)
    assert set(second.numbers("vendors")) >= {4, 6, 7, 8}
    assert 5 not in second.numbers("vendors")
    assert partition(second, "vendors")["failed"] == ["[5]"]


@pytest.mark.parametrize("broken", ["7-1", "7-2", "7-3", "7-4"])
@pytest.mark.parametrize("field", [None, "AMOUNT"])
def test_a_broken_row_of_a_view_hides_nothing_of_the_next_slice(gateway, spoil, ended, broken, field):
    names = [f"7-{n}" for n in range(1, 5)]
    lines = [
        {"RECORDNO": name, "BATCHKEY": 7, "MODULEKEY": module, "WHENMODIFIED": DAY.format(1), "AMOUNT": "1"}
        for name, module in zip(names, ["2.GL", "2.GL", "3.AP", "99.NEW"], strict=True)
    ]
    gateway.put(
        "GLDETAIL", *lines, RECORDNO="TEXT", AUWHENCREATED="TIMESTAMP", BATCHKEY="INTEGER", AMOUNT="DECIMAL"
    )
    spoil("GLDETAIL", [broken], BUSINESS, field=field)
    assert ended("gl_detail").numbers("gl_detail") == [name for name in names if name != broken]


def test_what_fails_without_any_record_ends_its_stream(gateway, ended, caplog):
    gateway.put("VENDOR", *rows(*range(1, 4)), WHENCREATED="TIMESTAMP")

    def broken(_):
        raise gateway.refused(*BUSINESS)

    gateway.do_query = broken
    assert not ended("vendors").numbers("vendors")
    assert gateway.count("query", "VENDOR") <= 3
    assert "vendors of ACME failed" in caplog.text


def test_a_broken_line_hides_no_other_document_that_changed(gateway, spoil, ended, run):
    more = {"RECORDKEY": "INTEGER", "WHENCREATED": "TIMESTAMP"}
    gateway.put("APBILL", *rows(1, 2, 3), AUWHENCREATED="TIMESTAMP")
    for bill in (1, 2, 3):
        gateway.put("APBILLITEM", *rows(10 * bill, 10 * bill + 1, RECORDKEY=bill), **more)
    first = run("ap_bills", "ap_bill_lines")
    gateway.now = "2026-03-09T12:00:00+00:00"
    for row in gateway.rows["APBILL"]:
        row["WHENMODIFIED"] = DAY.format(5)
    kept = gateway.do_query
    spoil("APBILLITEM", [21], BUSINESS, field="NAME")
    second = ended("ap_bills", "ap_bill_lines", state=first.state)
    assert set(second.numbers("ap_bill_lines")) >= {10, 11, 30, 31}
    assert not second.deleted("ap_bill_lines")
    gateway.do_query = kept
    third = run("ap_bills", "ap_bill_lines", state=second.state)
    assert {20, 21} <= set(third.numbers("ap_bill_lines"))


@pytest.mark.parametrize("oddity", ["VENDOR:5", "VENDOR:5:BL34000061:NAME", "APBILL:7:BL01001973:TOTALDUE"])
def test_a_gateway_with_a_broken_record_gives_all_others(own_company, oddity):
    name, number, *_ = oddity.split(":")
    stream = {"VENDOR": "vendors", "APBILL": "ap_bills"}[name]
    catalog = own_company.catalog("vendors", "ap_bills", "ap_bill_lines")
    quiet = own_company.run(catalog)
    own_company.restart("--oddity", f"broken-record={oddity}")
    broken = own_company.run(catalog, page_size=15)
    assert broken.code == 1
    for each in ("vendors", "ap_bills", "ap_bill_lines"):
        numbers = [row["RECORDNO"] for row in quiet.records(each)]
        gone = [int(number)] if each == stream else []
        assert [row["RECORDNO"] for row in broken.records(each)] == [n for n in numbers if n not in gone]
