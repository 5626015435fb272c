"""The cases of the public SDKs' response tests (reference 5.1), each brought about at the gateway.

SDK is the official PHP, JavaScript and .NET SDKs' tests of responses, results, sessions and requests; JFC is
the Go client's collection of answers (``testfiles``); PSI is PsIntacct's.
"""

from __future__ import annotations

import pytest
from lxml import etree

SESSION = "<getAPISession/>"
BAD_QUERY = "<readByQuery><object>BADOBJECT</object><fields>*</fields><query/></readByQuery>"
NO_ROWS = (
    "<readByQuery><object>department</object><fields>*</fields><query>RECORDNO = 0</query></readByQuery>"
)
READ = "<read><object>APBILL</object><keys>1</keys><fields>RECORDNO,VENDORID,RECORDID</fields></read>"
BAD_READ = "<read><object>APBILL</object><keys>1</keys><fields>x</fields></read>"
BAD_ENTITY = "<getAPISession><locationid>E9</locationid></getAPISession>"
NOBODY = "<login><userid>fakeuser</userid><companyid>SAMINC</companyid><password>x</password></login>"
ROLLED_BACK = "XL03000009"
US = ("success", "WEBUSER", "SAMINC")

#: name: functions, how they are asked, who is signed in, results as status, function and errors
CASES = {
    "SDK OnlineResponse: success": ((SESSION,), {}, US, [("success", "getAPISession", [])]),
    "SDK Result: no rows": ((NO_ROWS,), {}, US, [("success", "readByQuery", [])]),
    "SDK Result: failure": ((BAD_QUERY,), {}, US, [("failure", "readByQuery", ["Query Failed"])]),
    "SDK Result: aborted": (
        (BAD_QUERY,),
        {"transaction": "true"},
        US,
        [("aborted", "readByQuery", ["Query Failed", ROLLED_BACK])],
    ),
    "SDK OnlineClient: a batch that is rolled back": (
        (READ, BAD_QUERY),
        {"transaction": "true"},
        US,
        [("aborted", "read", [ROLLED_BACK]), ("aborted", "readByQuery", ["Query Failed", ROLLED_BACK])],
    ),
    "SDK OnlineClient: a batch of independent functions": (
        (READ, BAD_QUERY),
        {},
        US,
        [("success", "read", []), ("failure", "readByQuery", ["Query Failed"])],
    ),
    "SDK SessionProvider: Get API Session Failed": (
        (BAD_ENTITY,),
        {},
        US,
        [("failure", "getAPISession", ["Get API Session Failed"])],
    ),
    "JFC functionErrorSuccess: mixed results": (
        (BAD_READ, READ, BAD_READ),
        {},
        US,
        [
            ("failure", "read", ["Invalid fields list x"]),
            ("success", "read", []),
            ("failure", "read", ["Invalid fields list x"]),
        ],
    ),
    "SDK OnlineResponse: authentication failure; JFC execLoginInvalid": (
        (READ,),
        {"login": NOBODY},
        ("failure", "fakeuser", "SAMINC"),
        [("XL03000006", "Sign-in information is incorrect")],
    ),
    "JFC sessionInvalid": (
        (READ,),
        {"login": "<sessionid>q123456..</sessionid>"},
        ("failure", "", ""),
        [("XL03000006", "Invalid session q1....")],
    ),
    "SDK AbstractResponse: transport policy": (
        (READ,),
        {"policyid": "test"},
        None,
        [("XL03000006", "test is not a valid transport policy.")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_of_the_same_shape(gateway, name):
    functions, how, who, expected = CASES[name]
    root = gateway.ask(*functions, **how)
    control = [child.tag for child in root.find("control")]
    assert control == ["status", "senderid", "controlid", "uniqueid", "dtdversion"]
    for error in root.iter("error"):
        assert [child.tag for child in error] == ["errorno", "description", "description2", "correction"]
    if who is None:
        assert root.findtext("control/status") == "failure"
        assert [child.tag for child in root] == ["control", "errormessage"]
        assert said(root.find("errormessage")) == expected
        return
    assert root.findtext("control/status") == "success"
    assert [child.tag for child in root] == ["control", "operation"]
    operation = root.find("operation")
    block = operation.find("authentication")
    assert tuple(block.findtext(part) for part in ("status", "userid", "companyid")) == who
    if who[0] == "failure":
        assert [child.tag for child in block] == ["status", "userid", "companyid"]
        assert [child.tag for child in operation] == ["authentication", "errormessage"]
        assert said(operation.find("errormessage")) == expected
        return
    assert [child.tag for child in block][3:] == ["locationid", "sessiontimestamp", "sessiontimeout"]
    results = operation.findall("result")
    assert [
        (
            result.findtext("status"),
            result.findtext("function"),
            [error.findtext("errorno") for error in result.iterfind("errormessage/error")],
        )
        for result in results
    ] == expected
    assert [result.findtext("controlid") for result in results] == [f"f{n}" for n in range(len(results))]


def said(message):
    return [(error.findtext("errorno"), error.findtext("description2")) for error in message]


def test_sdk_result_no_rows_has_all_counters_as_attributes(gateway):
    found = gateway.ask(NO_ROWS).find("operation/result/data")
    assert list(found.attrib.items()) == [
        ("listtype", "department"),
        ("count", "0"),
        ("totalcount", "0"),
        ("numremaining", "0"),
        ("resultId", ""),
    ]
    assert len(found) == 0


def test_sdk_request_handler_401_has_an_xml_body(own_gateway):
    status, body = own_gateway("--fault", "401:1").raw(READ)
    root = etree.fromstring(body)
    assert status == 401
    assert [child.tag for child in root] == ["control", "errormessage"]
    assert [(child.tag, child.text) for child in root.find("errormessage/error")] == [
        ("errorno", "XMLGW_JPP0002"),
        ("description", "Sign-in information is incorrect. Please check your request."),
    ]


def test_jfc_exec_xml_error_has_an_error_a_message_of_the_parser(gateway):
    _, body = gateway.post("<request><control>\n<object>X</control>\n</object></request>")
    errors = said(etree.fromstring(body).find("errormessage"))
    assert len(errors) >= 2
    assert {number for number, _ in errors} == {"XL03000003"}
    assert errors[0][1].startswith(
        "XML Parse schema error: Fatal Error 76: Opening and ending tag mismatch: object line 2 and control"
    )
    assert "Line: 2, column: " in errors[0][1]
