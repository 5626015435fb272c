"""What users' companies and gateways did, each as it was reported or tried: one test a kind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ml_connector.extract.errors import ApiError, InvalidSetting

DAY = "03/0{}/2026 10:00:00"
STAMPED = {"WHENCREATED": "TIMESTAMP"}
UNREAD = (
    b"<response><control><status>failure</status></control><errormessage><error><errorno>XL03000003</errorno>"
    b"<description2>XML Parse schema error</description2></error></errormessage></response>"
)
MONTH = {"NAME": "2026-01", "START_DATE": "01/01/2026", "END_DATE": "01/31/2026"}


def rows(*numbers, day=1, **more):
    return [{"RECORDNO": n, "WHENMODIFIED": DAY.format(day), **more} for n in numbers]


def test_fields_that_cannot_be_queried_are_dropped_whatever_the_number_of_the_error(gateway, run):
    gateway.put("APBILL", *rows(1, PAYTOCONTACTNAME="x", RETURNTOCONTACTNAME="y"), AUWHENCREATED="TIMESTAMP")
    gateway.put("CLASS", *rows(1), **STAMPED)
    known, hidden = gateway.do_query, {"PAYTOCONTACTNAME", "RETURNTOCONTACTNAME"}

    def strict(call):
        asked = [child.text for child in call.find("select") if child.text in hidden]
        if call.findtext("object") == "APBILL" and asked:
            names = ", ".join(asked)
            text = f"The following fields cannot be queried: [\n apbill: [{names}] ] [Support ID: x%7Ey]"
            raise gateway.refused("XL03000006", text)
        return known(call)

    gateway.do_query = strict
    first = run("ap_bills", "classes", discover_custom_fields=True)
    assert (first.numbers("ap_bills"), first.numbers("classes")) == ([1], [1])
    gateway.functions.clear()
    again = run("ap_bills", state=first.state, discover_custom_fields=True)
    assert gateway.count("query", "APBILL") == 1, "what was refused is not asked for again"
    assert again.numbers("ap_bills") == [1]


def test_an_object_that_cannot_be_read_does_not_stop_the_others(gateway, tap, caplog):
    gateway.put("APBILL", *rows(1), AUWHENCREATED="TIMESTAMP")
    gateway.put("VENDOR", *rows(1, 2), **STAMPED)
    known = gateway.do_query

    def broken(call):
        if call.findtext("object") == "APBILL":
            raise gateway.refused("BL01001973", "It does not work.")
        return known(call)

    gateway.do_query = broken
    writer = tap.collector()
    with pytest.raises(SystemExit):
        tap("vendors", "ap_bills", writer=writer).sync_all()
    assert writer.numbers("vendors") == [1, 2]
    assert "ap_bills of ACME failed" in caplog.text


def balances(gateway, **period):
    gateway.put("REPORTINGPERIOD", {"RECORDNO": 1, **MONTH, **period}, START_DATE="DATE", END_DATE="DATE")

    def asked(call):
        zero = call.findtext("showzerobalances") == "true"
        accounts = [("1000", "5.10"), ("2000", "-5.10"), *([("3000", "0")] if zero else [])]
        inside = "".join(
            f"<trialbalance><glaccountno>{number}</glaccountno><endbalance>{amount}</endbalance></trialbalance>"
            for number, amount in accounts
        )
        return f'<data listtype="trialbalance">{inside}</data>'

    gateway.do_get_trialbalance = asked


def test_a_balance_that_became_zero_is_a_row(gateway, run):
    balances(gateway)
    found = run("trial_balances").records("trial_balances")
    assert {row["glaccountno"]: row["endbalance"] for row in found} == {"1000": 5.1, "2000": -5.1, "3000": 0}
    assert {(row["reportingbook"], row["currency"], row["source_entity"]) for row in found} == {("", "", "")}


def test_months_are_known_by_their_days_and_not_by_their_names(gateway, run, caplog):
    balances(gateway, NAME="P1 FY26")
    assert len(run("trial_balances").records("trial_balances")) == 3
    gateway.rows["REPORTINGPERIOD"] = []
    balances(gateway, NAME="Year", START_DATE="01/01/2025", END_DATE="12/31/2025")
    assert not run("trial_balances").records("trial_balances")
    assert "none of 1 reporting periods is a month" in caplog.text


def test_a_run_ends_when_the_users_zone_is_not_the_settings(gateway, run):
    gateway.put("VENDOR", *rows(1), **STAMPED)
    gateway.formatting["gmtoffset"] = "-08:00"
    with pytest.raises(InvalidSetting, match="timezone"):
        run("vendors")
    assert run("vendors", timezone="America/Los_Angeles").numbers("vendors") == [1]
    gateway.formatting["gmtoffset"] = ""
    with pytest.raises(InvalidSetting, match="set timezone"):
        run("vendors")
    assert run("vendors", timezone="UTC").numbers("vendors") == [1]


def test_the_users_zone_is_compared_though_the_first_question_fails(gateway, run):
    gateway.put("VENDOR", *rows(1), **STAMPED)
    gateway.put("CLASS", *rows(1), **STAMPED)
    gateway.formatting["gmtoffset"] = "-08:00"
    gateway.raw[2] = UNREAD
    with pytest.raises(InvalidSetting, match="timezone"):
        run("vendors", "classes")
    gateway.raw[gateway.requests + 2] = UNREAD
    out = run("vendors", "classes", timezone="America/Los_Angeles")
    assert (out.numbers("vendors"), out.numbers("classes")) == ([1], [1])


def test_no_page_is_read_before_the_users_zone_is_compared(gateway, tap, caplog):
    gateway.put("VENDOR", *rows(1), **STAMPED)
    gateway.put("CLASS", *rows(1), **STAMPED)
    gateway.formatting["gmtoffset"] = "-08:00"
    gateway.raw = dict.fromkeys((2, 3), UNREAD)
    writer = tap.collector()
    with pytest.raises(SystemExit):
        tap("vendors", "classes", writer=writer).sync_all()
    assert not writer.of("RECORD")
    assert "vendors of ACME failed: ACME: the user's dates are" in caplog.text


def test_a_date_with_its_day_first_is_not_misread(gateway, run, caplog):
    gateway.put("VENDOR", *rows(1), {"RECORDNO": 2, "WHENMODIFIED": "25/03/2026 10:00:00"}, **STAMPED)
    gateway.types["VENDOR"]["WHENMODIFIED"] = "TEXT"
    with pytest.raises(SystemExit):
        run("vendors")
    assert "mm/dd/yyyy" in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example\\.intacct.com/x",
        "http://reader@evil.example/x",
        "https://evil.example/x",
        "ftp:x",
    ],
)
def test_an_endpoint_is_judged_as_the_library_reads_it_that_connects(gateway, run, address):
    gateway.put("VENDOR", *rows(1), **STAMPED)
    gateway.endpoint = address
    with pytest.raises(ApiError, match="credentials are not sent|no address"):
        run("vendors")
    assert gateway.requests == 1, "only the sign-in"


def test_redirects_are_not_followed(gateway, run, caplog):
    gateway.headers["Location"] = "http://127.0.0.1:9/elsewhere"
    gateway.raw = {n: lambda: (307, b"") for n in range(1, 9)}
    with pytest.raises((ApiError, SystemExit)) as ended:
        run("vendors")
    assert "Redirects are not" in f"{ended.value} {caplog.text}"


@pytest.mark.parametrize("odd", [b"\x0b", b"&#31;", b"&#x1F;"])
def test_characters_that_xml_forbids_are_left_out_with_one_warning(gateway, run, caplog, odd):
    gateway.put("CLASS", *rows(1, 2, NAME="a@@b"), **STAMPED, NAME="TEXT")
    plain = gateway.wrap
    gateway.wrap = lambda inside: plain(inside).replace(b"@@", odd)
    out = run("classes")
    assert [row["NAME"] for row in out.records("classes")] == ["ab", "ab"]
    assert caplog.text.count("characters that XML forbids") == 1
    assert "CLASS of ACME" in caplog.text


@pytest.mark.parametrize("odd", [b"<!-- no -->", b"<?no?>", b"&odd;"])
def test_a_comment_or_an_entity_in_a_value_leaves_the_text(gateway, run, odd):
    gateway.put("CLASS", *rows(1, 2, NAME="a@@b"), **STAMPED, NAME="TEXT")
    plain = gateway.wrap

    def wrap(inside):
        body = plain(inside).replace(b"@@", odd)
        return body.replace(b"?><response", b'?><!DOCTYPE response [<!ENTITY odd "">]><response', 1)

    gateway.wrap = wrap
    found = [row["NAME"] for row in run("classes").records("classes")]
    assert found == ["ab" if odd != b"&odd;" else "a&odd;b"] * 2


def test_a_stamp_in_another_notation_is_kept_in_the_one_that_is_read_again(gateway, run):
    gateway.put("VENDOR", {"RECORDNO": 1, "WHENMODIFIED": "02/28/2026 08:15:30 PM"}, **STAMPED)
    gateway.types["VENDOR"]["WHENMODIFIED"] = "TEXT"
    first = run("vendors")
    (partition,) = first.state["bookmarks"]["vendors"]["partitions"]
    assert partition["replication_key_value"] == "2026-02-28T20:15:30Z"
    partition["replication_key_value"] = "02/28/2026 08:15:30 PM"
    run("vendors", state=first.state)


def legacy(gateway, *answers):
    gateway.put("ODD", RECORDNO="INTEGER")
    pages = iter(answers)

    def page(_):
        attributes, numbers = next(pages)
        inside = "".join(f"<odd><RECORDNO>{n}</RECORDNO></odd>" for n in numbers)
        return f'<data listtype="odd" {attributes}>{inside}</data>'

    gateway.do_readByQuery = gateway.do_readMore = page


@pytest.mark.parametrize(
    "answers",
    [
        [('numremaining="5" resultId="r"', [1, 2])] * 9,
        [("", [1, 2])],
        [('numremaining="3"', [1, 2])],
        [('totalcount="5"', [1, 2])],
    ],
)
def test_a_legacy_read_that_may_not_be_whole_is_an_error(gateway, tap, answers, caplog):
    legacy(gateway, *answers)
    writer = tap.collector()
    settings = {"extra_objects": ["ODD:readByQuery"], "discover_custom_fields": True, "page_size": 2}
    with pytest.raises(SystemExit):
        tap("odd", writer=writer, **settings).sync_all()
    assert not writer.of("ACTIVATE_VERSION")
    assert gateway.count("readMore") <= 1
    assert "Traceback" not in caplog.text


def test_a_custom_object_has_the_key_that_its_lookup_names(gateway, run):
    made = [{"id": f"1000{n}", "name": f"c{n}", "updatedAt": DAY.format(1)} for n in (1, 2)]
    gateway.types["CHANNEL"] = {"id": "INTEGER", "name": "TEXT", "updatedAt": "TIMESTAMP"}
    gateway.put("CHANNEL", *made, id="INTEGER", updatedAt="TIMESTAMP")
    out = run("channel", extra_objects=["CHANNEL"], discover_custom_fields=True)
    (schema,) = out.of("SCHEMA", "channel")
    assert schema["key_properties"] == ["source_company", "id"]
    assert schema["bookmark_properties"] == ["updatedAt"]
    assert [(row["id"], row["name"]) for row in out.records("channel")] == [(10001, "c1"), (10002, "c2")]


@pytest.mark.parametrize("remaining", ["0", "many", ""])
def test_a_gateway_that_miscounts_what_remains_loses_nothing(gateway, run, remaining):
    gateway.put("VENDOR", *rows(*range(1, 8)), **STAMPED)
    known = gateway.do_query

    def miscounting(call):
        return re.sub(r'numremaining="\d+"', f'numremaining="{remaining}"', known(call))

    gateway.do_query = miscounting
    assert run("vendors", page_size=3).numbers("vendors") == list(range(1, 8))


def test_a_secret_that_is_a_number_is_not_printed(tmp_path):
    path = tmp_path / "config.json"
    settings = {"sender_id": "S", "sender_password": 73219461, "company_id": "C", "user_id": "u"}
    nobody = {"base_url": "http://127.0.0.1:9/x", "max_retries": 0, "discover_custom_fields": False}
    path.write_text(json.dumps({**settings, "user_password": 64912837, **nobody}))
    command = [Path(sys.executable).parent / "tap-sageintacct", "--config", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "73219461" not in done.stdout + done.stderr
    assert "64912837" not in done.stdout + done.stderr


def test_a_shared_record_is_the_top_levels_whichever_session_reads_it(gateway, run):
    gateway.put("VENDOR", *rows(1, MEGAENTITYID=None), *rows(2, MEGAENTITYID="E100"), **STAMPED)
    out = run("vendors", entity_ids=["E100", "E200"], discover_custom_fields=True)
    assert {(r["RECORDNO"], r["source_entity"]) for r in out.records("vendors") if r["RECORDNO"] == 1} == {
        (1, "")
    }
    (first, *_) = [r["source_entity"] for r in out.records("vendors") if r["RECORDNO"] == 2]
    assert first == "E100"
    seen = run("vendors", entity_ids=["", "E100"], discover_custom_fields=True)
    assert {r["source_entity"] for r in seen.records("vendors")} == {""}


def test_an_empty_list_of_entities_is_an_error(run):
    with pytest.raises(ApiError, match="entity_ids"):
        run("vendors", entity_ids=[])


def test_fields_of_a_transaction_definition_are_asked_for_with_its_docparid(gateway, run):
    documents = [
        {"RECORDNO": n, "WHENMODIFIED": DAY.format(1), "DOCPARID": name}
        for n, name in enumerate(("Invoice", "Order", "Order"), 1)
    ]
    gateway.put("SODOCUMENT", *documents, AUWHENCREATED="TIMESTAMP")
    known, lookup = gateway.do_query, gateway.do_lookup

    def with_route(ask, call):
        own = call.findtext("docparid") == "Order" and call.findtext("object") == "SODOCUMENT"
        if own:
            gateway.types["SODOCUMENT"]["ROUTE_CODE"] = "TEXT"
            for row in gateway.rows["SODOCUMENT"]:
                row["ROUTE_CODE"] = f"R{row['RECORDNO']}" if row["DOCPARID"] == "Order" else None
        try:
            return ask(call)
        finally:
            gateway.types["SODOCUMENT"].pop("ROUTE_CODE", None)

    gateway.do_query = lambda call: with_route(known, call)
    gateway.do_lookup = lambda call: with_route(lookup, call)
    out = run("sales_documents", discover_custom_fields=True)
    found = {row["RECORDNO"]: row.get("ROUTE_CODE") for row in out.records("sales_documents")}
    assert found == {1: None, 2: "R2", 3: "R3"}


def test_records_that_never_changed_are_found_by_their_creation(gateway, run):
    made = {"WHENCREATED": DAY.format(1)}
    gateway.put("CLASS", *rows(1, **made), {"RECORDNO": 2, "WHENMODIFIED": None, **made}, **STAMPED)
    first = run("classes")
    assert first.numbers("classes") == [1, 2]
    later = {"WHENMODIFIED": None, "WHENCREATED": DAY.format(2)}
    gateway.now = "2026-03-09T12:00:00+00:00"
    gateway.put("CLASS", {"RECORDNO": 3, **later}, *rows(4, day=3, **made))
    second = run("classes", state=first.state)
    assert {3, 4} <= set(second.numbers("classes"))
    third = run("classes", state=second.state)
    assert 2 not in third.numbers("classes"), "what was made long ago does not come again"
    assert 3 not in third.numbers("classes")


def test_an_empty_run_asks_together(gateway, run):
    names = {"vendors": "VENDOR", "customers": "CUSTOMER", "classes": "CLASS", "items": "ITEM"}
    for name in names.values():
        gateway.put(name, *rows(1), **STAMPED)
    first = run(*names, discover_custom_fields=True)
    gateway.functions.clear()
    before = gateway.requests
    run(*names, state=first.state, discover_custom_fields=True)
    asked = [name for tag, name in gateway.functions if tag == "query" and not name.endswith("DOCUMENT")]
    assert sorted(asked) == sorted([*names.values(), "AUDITHISTORY"]), (
        "one an object, one for the audit trail"
    )
    looked_up = gateway.count("lookup", None)
    assert gateway.requests - before <= 6 + looked_up // 20 + 1


def test_a_sign_in_page_is_named_by_its_title(gateway, tap, caplog):
    page = b"<html><head><title>Corporate proxy</title></head><body></body></html>"
    gateway.raw = dict.fromkeys(range(1, 20), page)
    with pytest.raises((ApiError, SystemExit)) as ended:
        tap("vendors").sync_all()
    assert "Corporate proxy" in f"{ended.value} {caplog.text}"
