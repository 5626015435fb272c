"""What some gateways always do: each oddity is seen by a client."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest
from click.testing import CliRunner
from lxml import etree

from erp_sandbox.cli import main
from erp_sandbox.intacct.oddities import ODDITIES

EQUAL = "<filter><equalto><field>{}</field><value>{}</value></equalto></filter>"
LEGACY = (
    "<readByQuery><object>APBILL</object><fields>*</fields><query></query><pagesize>2</pagesize>"
    "</readByQuery>"
)


def legacy(gateway):
    return gateway.ask(LEGACY).find(".//data")


def test_the_help_lists_them_and_an_unknown_one_is_refused_with_the_list():
    help_ = CliRunner().invoke(main, ["serve", "intacct", "--help"]).output
    refusal = CliRunner().invoke(main, ["serve", "intacct", "--path", "x", "--oddity", "moon"]).output
    for name, oddity in ODDITIES.items():
        assert oddity.meaning
        assert oddity.source
        assert name in help_
        assert name in refusal


def test_fields_are_refused_in_the_words_that_clients_met(odd):
    errorno, told = odd("unqueryable-fields").query("APBILL", "RECORDNO PAYTOCONTACTNAME RETURNTOCONTACTNAME")
    assert errorno == "XL03000006"
    assert re.match(
        r"The following fields cannot be queried: \[\s+apbill: \[PAYTOCONTACTNAME, RETURNTOCONTACTNAME\] \]"
        r" \[Support ID: ",
        told,
    )
    other = odd("unqueryable-fields=VENDOR.NAME")
    assert other.query("VENDOR", "RECORDNO NAME")[0] == "XL03000006"
    assert other.query("APBILL", "RECORDNO PAYTOCONTACTNAME").get("count")


def test_objects_and_entities_are_refused(odd):
    gateway = odd("refused-object=AUDITHISTORY", "refused-object=CLASS:PL04000005", "refused-entity=E200")
    assert gateway.query("AUDITHISTORY", "ID")[0] == "DL02000001"
    assert gateway.query("CLASS", "RECORDNO")[0] == "PL04000005"
    assert gateway.query("VENDOR", "RECORDNO").get("count")
    session = "<getAPISession><locationid>{}</locationid></getAPISession>"
    assert gateway.ask(session.format("E200")).findtext(".//result/status") == "failure"
    assert gateway.ask(session.format("E100")).findtext(".//result/status") == "success"


def test_a_record_breaks_every_answer_that_would_hold_it(odd):
    gateway = odd("broken-record=VENDOR:2", "broken-record=CLASS:2:DL02000001:NAME")
    assert gateway.query("VENDOR", "RECORDNO")[0] == "BL01001973"
    assert gateway.query("VENDOR", "RECORDNO", EQUAL.format("RECORDNO", 1)).get("count") == "1"
    assert gateway.query("CLASS", "RECORDNO NAME")[0] == "DL02000001"
    assert gateway.query("CLASS", "RECORDNO").get("count")


def test_a_business_key_of_digits_and_its_deletion_in_the_audit_trail(odd):
    number, name = next((number, doc["NAME"]) for number, doc in odd().stored("VENDOR").items())
    other = odd(f"business-key=VENDOR:{number}:20", f"deletion=CUSTOMER:{number}:20")
    found = other.query("VENDOR", "RECORDNO NAME", EQUAL.format("VENDORID", "20"))
    assert [(row.findtext("RECORDNO"), row.findtext("NAME")) for row in found] == [(str(number), name)]
    assert other.query("APBILL", "RECORDNO", EQUAL.format("VENDORID", "20")).tag == "data"
    assert other.query("CUSTOMER", "RECORDNO", EQUAL.format("RECORDNO", number)).get("totalcount") == "0"
    audit = other.query("AUDITHISTORY", "OBJECTKEY ACCESSMODE", EQUAL.format("OBJECTTYPE", "customer"))
    assert [row.findtext("OBJECTKEY") for row in audit] == ["20"]
    assert odd().query("CUSTOMER", "RECORDNO", EQUAL.format("RECORDNO", number)).get("totalcount") == "1"


@pytest.fixture
def an_account_that_is_even(small_business):
    """An account with a debit and a credit of the same amount."""
    rows = [
        {"RECORDNO": 10**8 + nth, "ACCOUNTNO": "9999", "ENTRY_DATE": "2026-01-02", side: "5.00", other: None}
        for nth, (side, other) in enumerate(
            [("DEBITAMOUNT", "CREDITAMOUNT"), ("CREDITAMOUNT", "DEBITAMOUNT")]
        )
    ]
    insert = (
        "INSERT INTO intacct_records (company, object, recordno, doc) VALUES ('SAMINC', 'GLDETAIL', ?, ?)"
    )
    with sqlite3.connect(small_business) as connection:
        connection.executemany(insert, [(row["RECORDNO"], json.dumps(row)) for row in rows])
    yield "9999"
    with sqlite3.connect(small_business) as connection:
        connection.execute("DELETE FROM intacct_records WHERE recordno >= 100000000")


def test_zero_balances_are_left_out_though_asked_for(odd, an_account_that_is_even):
    days = "<startdate><year>2090</year><month>1</month><day>1</day></startdate>"
    days += "<enddate><year>2090</year><month>12</month><day>31</day></enddate>"
    asked = f"<get_trialbalance>{days}<showzerobalances>true</showzerobalances></get_trialbalance>"

    def accounts(gateway):
        return {row.findtext("glaccountno") for row in gateway.ask(asked).findall(".//trialbalance")}

    assert accounts(odd()) - accounts(odd("no-zero-balances")) >= {an_account_that_is_even}
    assert an_account_that_is_even not in accounts(odd("no-zero-balances"))


def test_names_of_periods_differ(odd):
    rows = odd("period-names").query("REPORTINGPERIOD", "NAME START_DATE")
    assert all(re.fullmatch(r"\d{4}-\d\d", row.findtext("NAME")) for row in rows)
    assert odd("period-names").query(
        "REPORTINGPERIOD", "NAME", EQUAL.format("NAME", rows[0].findtext("NAME"))
    ).get("count") == "1"  # fmt: skip


def test_dates_and_times_as_the_user_sees_them(odd):
    gateway = odd("date-format=/dmY", "twelve-hour-clock")
    plain = odd().query("APBILL", "RECORDNO WHENCREATED AUWHENCREATED")
    other = gateway.query("APBILL", "RECORDNO WHENCREATED AUWHENCREATED")
    for row, odd_row in zip(plain, other, strict=True):
        month, day, year = row.findtext("WHENCREATED").split("/")
        assert odd_row.findtext("WHENCREATED") == f"{day}/{month}/{year}"
        assert odd_row.findtext("AUWHENCREATED")[-2:] in {"AM", "PM"}
    told = gateway.ask("<readUserFormatting><userId>WEBUSER</userId></readUserFormatting>")
    assert (told.findtext(".//dateformat"), told.findtext(".//clock")) == ("/dmY", "12")


def test_texts_hold_what_does_not_belong_there(odd):
    asked = "<query><object>VENDOR</object><select><field>NAME</field></select></query>"
    raw = odd("forbidden-characters=VENDOR").raw(asked)[1]
    assert b"\x0b" in raw
    assert b"&#31;" in raw
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(raw)
    assert b"<!-- checked -->" in odd("comments-in-values=VENDOR").raw(asked)[1]
    assert odd("comments-in-values=CUSTOMER").query("VENDOR", "NAME")[0].find("NAME").text
    entities = odd("entities-in-values=VENDOR").raw(asked)[1]
    assert "Company" in etree.fromstring(entities)[1].findtext(".//NAME")


def test_what_remains_is_told_wrongly(odd):
    zero = odd("numremaining-zero").query("APBILL", "RECORDNO", pagesize=2)
    assert (zero.get("numremaining"), zero.get("count")) == ("0", "2")
    assert int(zero.get("totalcount")) > 2
    assert odd("numremaining-text").query("APBILL", "RECORDNO").get("numremaining") == "many"
    assert "numremaining" not in legacy(odd("read-more-uncounted")).attrib
    assert "resultId" not in legacy(odd("read-more-nameless")).attrib
    gateway = odd("read-more-stuck")
    first = legacy(gateway)
    more = gateway.ask(f"<readMore><resultId>{first.get('resultId')}</resultId></readMore>").find(".//data")
    assert more.get("numremaining") == first.get("numremaining") != "0"
    assert [row.findtext("RECORDNO") for row in more] == [row.findtext("RECORDNO") for row in first]


def test_custom_objects_have_keys_of_their_own(odd):
    gateway = odd("custom-object-id")
    rows = gateway.query("PROGRAM", "id name updatedAt")
    assert all(row.findtext("id").isdigit() and row.findtext("name") for row in rows)
    known = gateway.ask("<lookup><object>PROGRAM</object></lookup>").findall(".//Field/ID")
    assert {field.text for field in known} == {"id", "name", "updatedAt"}
    assert gateway.query("PROGRAM", "RECORDNO")[0] == "DL02000001"
    assert rows[0].findtext("name") == gateway.query(
        "PROGRAM", "name", EQUAL.format("id", rows[0].findtext("id"))
    )[0].findtext("name")


def test_a_definition_has_a_field_that_its_docparid_shows(odd):
    gateway = odd("docparid-fields=Sales Order")
    for function in ("lookup", "inspect"):
        plain = gateway.raw(f"<{function}><object>SODOCUMENT</object></{function}>")[1]
        defined = gateway.raw(
            f"<{function}><object>SODOCUMENT</object><docparid>Sales Order</docparid></{function}>"
        )[1]
        assert (b"ROUTE_CODE" in plain, b"ROUTE_CODE" in defined) == (False, True)
    rows = gateway.query("SODOCUMENT", "ROUTE_CODE DOCPARID", docparid="Sales Order", pagesize=2000)
    assert {bool(row.findtext("ROUTE_CODE")) for row in rows if row[1].text == "Sales Order"} == {True}
    assert gateway.query("SODOCUMENT", "ROUTE_CODE")[0] == "DL02000001"


def test_every_other_request_is_one_too_many(odd):
    gateway = odd("gw-0010=2:429")
    assert gateway.query("VENDOR", "RECORDNO").get("count")
    status, body = gateway.raw("<inspect><object>*</object></inspect>")
    assert status == 429
    assert b"GW-0010" in body
    assert b"rate" not in body.lower()


def test_a_session_s_endpoint_is_elsewhere(odd):
    found = odd(r"endpoint=https://evil.example\.intacct.com/ia").ask("<getAPISession></getAPISession>")
    assert found.findtext(".//endpoint") == r"https://evil.example\.intacct.com/ia"


def test_the_wire_is_odd_for_one_object(odd):
    gateway = odd("login-page=<object>CLASS</object>")
    asked = "<query><object>CLASS</object><select><field>RECORDNO</field></select></query>"
    assert b"Sign in" in gateway.raw(asked)[1]
    assert gateway.query("VENDOR", "RECORDNO").get("count")
