"""The envelope: who is let in, where errors sit, how long a session lives."""

from __future__ import annotations

import time

import pytest

ONE_VENDOR = (
    "<query><object>VENDOR</object><select><field>RECORDNO</field></select><pagesize>1</pagesize></query>"
)
BAD = "<query><object>BADOBJECT</object><select><field>X</field></select></query>"


def session_of(answer):
    return f"<sessionid>{answer.findtext('.//sessionid')}</sessionid>"


@pytest.mark.parametrize(
    ("control", "errorno", "words"),
    [
        ({"password": "wrong"}, "XL03000006", "Partner ID"),
        ({"senderid": "nobody"}, "XL03000006", "Partner ID"),
        ({"policyid": "test"}, "XL03000006", "test is not a valid transport policy."),
        ({"dtdversion": "9"}, "XL03000003", "dtdversion"),
    ],
)
def test_a_refused_control_block_has_no_operation(gateway, first_error, control, errorno, words):
    answer = gateway.ask(ONE_VENDOR, **control)
    assert answer.findtext("control/status") == "failure"
    assert answer.find("operation") is None
    number, text = first_error(answer.find("errormessage"))
    assert number == errorno
    assert words in text


def test_what_is_no_xml_is_said_with_its_line(gateway, first_error):
    status, body = gateway.post("<request><control></request>")
    assert status == 200
    assert b"XL03000003" in body
    assert b"Opening and ending tag mismatch" in body
    assert b"Line: 1" in body
    assert gateway.post(b"<request><control>\x01</control></request>")[1].count(b"<errorno>XL03000003") == 1


@pytest.mark.parametrize(
    "login",
    [
        "<login><userid>WEBUSER</userid><companyid>SAMINC</companyid><password>wrong</password></login>",
        "<login><userid>WEBUSER</userid><companyid>NOBODY</companyid><password>WEBPASS</password></login>",
        "<login><userid>WEBUSER</userid><companyid>SAMINC</companyid><password>WEBPASS</password>"
        "<locationid>NOWHERE</locationid></login>",
    ],
)
def test_a_wrong_sign_in_is_an_error_beside_authentication(gateway, first_error, login):
    answer = gateway.ask(ONE_VENDOR, login=login)
    assert answer.findtext("control/status") == "success"
    assert answer.findtext("operation/authentication/status") == "failure"
    assert answer.find("operation/result") is None
    assert first_error(answer.find("operation/errormessage")) == (
        "XL03000006",
        "Sign-in information is incorrect",
    )


def test_a_session_is_opened_used_and_named_when_it_is_not_valid(gateway, first_error):
    opened = gateway.ask("<getAPISession/>")
    assert opened.findtext(".//endpoint") == gateway.url
    answer = gateway.ask(ONE_VENDOR, login=session_of(opened))
    assert answer.findtext("operation/result/status") == "success"
    assert answer.findtext("operation/authentication/companyid") == "SAMINC"
    assert answer.findtext("operation/authentication/sessiontimeout") > "2026"
    refused = gateway.ask(ONE_VENDOR, login="<sessionid>qwerty</sessionid>")
    assert refused.findtext("operation/authentication/userid") == ""
    assert first_error(refused) == ("XL03000006", "Invalid session qw....")


def test_a_session_slides_and_ends(own_gateway, first_error):
    gateway = own_gateway("--session-minutes", "0.02")
    login = session_of(gateway.ask("<getAPISession/>"))
    for _ in range(3):
        time.sleep(0.6)
        assert gateway.ask(ONE_VENDOR, login=login).findtext("operation/result/status") == "success"
    time.sleep(1.4)
    assert first_error(gateway.ask(ONE_VENDOR, login=login))[1].startswith("Invalid session")


def test_a_session_dies_after_so_many_requests(own_gateway, first_error):
    gateway = own_gateway("--session-requests", "2")
    login = session_of(gateway.ask("<getAPISession/>"))
    assert gateway.ask(ONE_VENDOR, login=login).findtext("operation/result/status") == "success"
    assert gateway.ask(ONE_VENDOR, login=login).findtext("operation/result/status") == "success"
    assert first_error(gateway.ask(ONE_VENDOR, login=login))[0] == "XL03000006"


def test_an_entity_sees_what_is_its_own_and_the_company_s(gateway):
    answer = gateway.ask("<getAPISession><locationid>E100</locationid></getAPISession>")
    login = session_of(answer)
    assert answer.findtext(".//api/locationid") == "E100"
    counts = {}
    for name in ("APBILL", "VENDOR"):
        ask = f"<query><object>{name}</object><select><count>RECORDNO</count></select></query>"
        counts[name] = int(gateway.ask(ask, login=login).findtext(".//COUNT.RECORDNO"))
    assert counts["VENDOR"] == len(gateway.stored("VENDOR"))
    bills = gateway.stored("APBILL").values()
    assert counts["APBILL"] == sum(bill["MEGAENTITYID"] == "E100" for bill in bills) < len(bills)
    nowhere = gateway.ask("<getAPISession><locationid>NOWHERE</locationid></getAPISession>")
    assert nowhere.findtext(".//errorno") == "Get API Session Failed"


def test_functions_succeed_and_fail_on_their_own_in_their_order(gateway):
    answer = gateway.ask(ONE_VENDOR, BAD, "<lookup><object>VENDOR</object></lookup>")
    results = answer.findall("operation/result")
    assert [result.findtext("status") for result in results] == ["success", "failure", "success"]
    assert [result.findtext("controlid") for result in results] == ["f0", "f1", "f2"]
    assert [result.findtext("function") for result in results] == ["query", "query", "lookup"]
    assert results[1].findtext(".//errorno") == "Query Failed"
    assert results[1].findtext(".//description2") == "Object definition BADOBJECT not found"


def test_in_a_transaction_all_is_undone(gateway):
    results = gateway.ask(ONE_VENDOR, BAD, transaction="true").findall("operation/result")
    assert [result.findtext("status") for result in results] == ["aborted", "aborted"]
    assert [result.findall(".//errorno")[-1].text for result in results] == ["XL03000009"] * 2
    assert results[0].find("data") is None


def test_a_session_is_asked_for_alone(gateway, first_error):
    assert first_error(gateway.ask("<getAPISession/>", ONE_VENDOR))[0] == "XL03000003"


def test_permissions_bite_on_reading_and_not_on_describing(own_gateway, first_error):
    gateway = own_gateway("--forbid", "VENDOR", "--forbid", "AUDITHISTORY")
    errorno, text = gateway.query("VENDOR", "RECORDNO")
    assert errorno == "PL04000005"
    assert text.startswith("You do not have permission for API operation QUERY on objects of type vendor")
    assert gateway.query("AUDITHISTORY", "ID") == ("", "You do not have permission to view audit history")
    assert gateway.ask("<lookup><object>VENDOR</object></lookup>").findtext(".//result/status") == "success"


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        ("429", 429, b"GW-0010"),
        ("500", 500, b"<html"),
        ("503", 503, b"<html"),
        ("html", 200, b"cf-error-details"),
        ("off-line", 200, b"Temporarily Off-line"),
        ("try-again", 200, b"Please Try Again Later"),
        ("busy", 200, b"Too many operations"),
        ("error-in-200", 200, b"DL02000001"),
    ],
)
def test_faults_on_order(own_gateway, kind, status, word):
    found, body = own_gateway("--fault", f"{kind}:1").raw(ONE_VENDOR)
    assert found == status
    assert word in body
