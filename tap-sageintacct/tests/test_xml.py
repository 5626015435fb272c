"""Answers of the gateway as the public SDKs' tests have them (reference sections 1.3, 1.4 and 5.1)."""

from __future__ import annotations

import pytest
from lxml import etree

from tap_sageintacct import xml
from tap_sageintacct.errors import Said
from tap_sageintacct.xml import NotXml, element, read, request

CONTROL = "<control><status>success</status><senderid>s</senderid><controlid>c</controlid></control>"
SIGNED = (
    "<authentication><status>success</status><userid>u</userid><companyid>c</companyid>"
    "<sessiontimestamp>2026-01-01T00:00:00+00:00</sessiontimestamp></authentication>"
)


def answer(results, authentication=SIGNED, control=CONTROL):
    return f"<response>{control}<operation>{authentication}{results}</operation></response>".encode()


@pytest.mark.parametrize("expected", [(), ("VENDOR",), ("vendor", "APBILL")])
def test_rows_and_counters_of_a_query(expected):
    found = read(
        answer(
            "<result><status>success</status><function>query</function><controlid>7</controlid>"
            '<data listtype="VENDOR" totalcount="3" offset="0" count="2" numremaining="1">'
            "<VENDOR><RECORDNO>1</RECORDNO><NAME>A &amp; B</NAME><COMMENTS></COMMENTS></VENDOR>"
            "<VENDOR><RECORDNO>2</RECORDNO><NAME>C</NAME><COMMENTS>x</COMMENTS></VENDOR></data></result>"
        ),
        expected,
    )
    (result,) = found.results
    assert (result.control_id, result.failed) == ("7", False)
    assert result.attributes["numremaining"] == "1"
    assert result.records == [
        {"RECORDNO": "1", "NAME": "A & B", "COMMENTS": None},
        {"RECORDNO": "2", "NAME": "C", "COMMENTS": "x"},
    ]
    assert found.timestamp == "2026-01-01T00:00:00+00:00"
    assert found.control_errors is None
    assert found.sign_in_errors is None


ERROR = "<error><errorno>{}</errorno><description></description><description2>{}</description2><correction></correction></error>"


def test_a_control_failure():
    body = (
        "<response><control><status>failure</status><senderid></senderid><controlid></controlid></control>"
        f"<errormessage>{ERROR.format('PL04000055', 'This company is a demo company and has expired.')}"
        "</errormessage></response>"
    )
    found = read(body.encode())
    assert found.control_errors == [
        Said("PL04000055", "", "This company is a demo company and has expired.", "")
    ]
    assert found.results == []


def test_a_401_has_a_control_failure_too():
    body = (
        b"<response><control><status>failure</status></control><errormessage><error><errorno>XMLGW_JPP0002"
        b"</errorno><description>Sign-in information is incorrect.</description></error></errormessage></response>"
    )
    assert read(body).control_errors == [Said("XMLGW_JPP0002", "Sign-in information is incorrect.", "", "")]


def test_a_sign_in_failure_has_its_errors_beside_the_authentication():
    failed = (
        "<authentication><status>failure</status><userid></userid><companyid></companyid></authentication>"
    )
    found = read(
        answer(f"<errormessage>{ERROR.format('XL03000006', 'Invalid session q....')}</errormessage>", failed)
    )
    assert found.sign_in_errors == [Said("XL03000006", "", "Invalid session q....", "")]


def test_results_that_failed_and_that_were_rolled_back():
    found = read(
        answer(
            "<result><status>aborted</status><function>a</function><controlid>0</controlid><errormessage>"
            + ERROR.format("Query Failed", "Object definition BADOBJECT not found")
            + ERROR.format("XL03000009", "The entire transaction has been rolled back.")
            + "</errormessage></result>"
            "<result><status>failure</status><function>b</function><controlid>1</controlid>"
            '<data listtype="objects" count="0"/><errormessage>'
            + ERROR.format("BL01001973", "Could not create it.")
            + "</errormessage></result>"
        )
    )
    assert [result.failed for result in found.results] == [True, True]
    assert [[said.errorno for said in result.errors] for result in found.results] == [
        ["Query Failed", "XL03000009"],
        ["BL01001973"],
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Service Unavailable</body></html>",
        b"<!DOCTYPE html><html><div id='cf-error-details'></div></html>",
        answer("<result><status>success</status>")[:-40],
        b"{}",
    ],
)
def test_what_is_no_answer_from_end_to_end(body):
    with pytest.raises(NotXml):
        read(body)


def test_a_request_is_the_documented_envelope():
    asked = element("query", element("object", text="VENDOR"))
    root = etree.fromstring(request(("me", "it's <secret>"), element("sessionid", text="s"), [("0", asked)]))
    assert [child.tag for child in root] == ["control", "operation"]
    assert [child.tag for child in root[0]] == [
        "senderid",
        "password",
        "controlid",
        "uniqueid",
        "dtdversion",
        "includewhitespace",
    ]
    assert root.findtext("control/password") == "it's <secret>"
    assert root.findtext("control/uniqueid") == "false"
    assert root.findtext("operation/authentication/sessionid") == "s"
    assert root.find("operation/content/function").get("controlid") == "0"
    assert root.findtext("operation/content/function/query/object") == "VENDOR"


def test_what_xml_forbids_is_taken_out_before_it_is_escaped():
    made = element("value", text="a\x00b\x08c\td\ne\x1f\ufffe<&>")
    assert etree.tostring(made) == b"<value>abc\td\ne&lt;&amp;&gt;</value>"
    assert xml.clean("tab\tstays") == "tab\tstays"
