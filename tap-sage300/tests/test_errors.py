from __future__ import annotations

import json

import pytest

from ml_connector.extract.errors import (
    ApiError,
    Denied,
    Refused,
    SignInRefused,
    StreamUnavailable,
    Transient,
)
from tap_sage300.errors import AddressTooLong, ErrorBody, Where, error_in, explain, read_error

VENDORS = Where("SAMLTD", "AP", "APVendors", "WEBAPI")
IIS_403 = b"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><html><head><title>403 - Forbidden: Access is
denied.</title></head><body><h1>Server Error</h1><h2>403 - Forbidden: Access is denied.</h2></body></html>"""
IIS_404_15 = (
    b"<html><head><title>404.15 - Not Found</title></head><body>The query string is too long.</body></html>"
)
IIS_404 = b"<html><head><title>404 - File or directory not found.</title></head><body/></html>"


def sage(code: str, message: str = "") -> bytes:
    return json.dumps({"error": {"code": code, "message": {"lang": "en-US", "value": message}}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "RecordNotFound", "message": {"lang": "en-US", "value": "No record."}}},
        {"error": {"code": "RecordNotFound", "message": "No record."}},
        {"odata.error": {"code": "RecordNotFound", "message": {"value": "No record."}}},
        {"Error": {"code": "RecordNotFound", "message": "No\r\n  record."}},
    ],
)
def test_every_spelling_of_an_odata_error_is_read(body):
    assert read_error(json.dumps(body).encode()) == ErrorBody("RecordNotFound", "No record.")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ""),
        (b"  \r\n", ""),
        (b"\xef\xbb\xbf" + sage("", "with a BOM"), "with a BOM"),
        (IIS_403, "403 - Forbidden: Access is denied."),
        (b"<html><body><p>Be right <b>back</b></p></body></html>", "Be right back"),
        (b"Bad Gateway", "Bad Gateway"),
        (b'{"error": "invalid_client", "error_description": "Unknown."}', "Unknown."),
        (
            b'{"Message": "No HTTP resource was found.", "MessageDetail": "No type."}',
            "No HTTP resource was found. No type.",
        ),
        (b'{"error": {"message": "Outer.", "innererror": {"message": "Inner."}}}', "Outer. Inner."),
        (b"\xff\xfe not text", "\ufffd\ufffd not text"),
    ],
)
def test_other_bodies_give_what_they_say(content, message):
    found = read_error(content).message
    assert found.startswith("Server Error" if content is IIS_403 else message) or message in found


def test_a_page_from_iis_becomes_its_title():
    assert read_error(IIS_403).message.startswith("403 - Forbidden: Access is denied.")


def test_a_long_page_of_text_is_cut():
    assert len(read_error(b"x" * 100_000).message) < 600


@pytest.mark.parametrize(
    "document",
    [
        {"value": []},
        {"@odata.context": "...", "Message": "a field of a record"},
        {"value": [], "error": "a field"},
        {"BatchNumber": 1, "error": None},
        [1],
        "text",
        None,
    ],
)
def test_data_is_not_mistaken_for_an_error(document):
    assert error_in(document) is None


@pytest.mark.parametrize(
    ("status", "content", "kind", "says"),
    [
        (401, b"", SignInRefused, "check username and password"),
        (401, sage("Unauthorized", "Bad credentials."), SignInRefused, "Unauthorized: Bad credentials."),
        (200, sage("Unauthorized"), SignInRefused, "refused the login of user WEBAPI in company SAMLTD"),
        (403, sage("Forbidden"), Denied, "application AP the authorization 'Sage 300 Web API'"),
        (403, IIS_403, Denied, "security group"),
        (
            403,
            sage("Forbidden", "Application AP is not activated."),
            StreamUnavailable,
            "module AP not activated",
        ),
        (500, sage("InternalServerError", "A/P has not been activated"), StreamUnavailable, "not activated"),
        (500, sage("InternalServerError", "Object reference"), Transient, "failed with status 500"),
        (404, sage("ResourceNotFound"), StreamUnavailable, "does not know SAMLTD/AP/APVendors"),
        (404, b'{"Message": "No HTTP resource was found."}', StreamUnavailable, "does not know"),
        (404, sage("RecordNotFound", "A Record cannot be found."), ApiError, "no such record"),
        (405, sage("MethodDenied"), StreamUnavailable, "cannot be read"),
        (405, b"", StreamUnavailable, "cannot be read"),
        (
            400,
            sage("InvalidParameters", "Unknown property X"),
            Refused,
            "InvalidParameters: Unknown property X.",
        ),
        (404, IIS_404_15, AddressTooLong, "address of this length"),
        (414, b"", AddressTooLong, "address of this length"),
        (409, sage("General", "Something."), Transient, "General: Something."),
    ],
)
def test_the_code_decides_then_the_status(status, content, kind, says):
    error = explain(status, content, VENDORS)
    assert type(error) is kind
    assert says in str(error)


def test_the_built_in_admin_gets_its_own_remedy():
    error = explain(403, sage("Forbidden"), VENDORS._replace(user="ADMIN"))
    assert isinstance(error, Denied)
    assert "AllowWebApiAccessForAdmin" in str(error)


def test_a_404_page_on_first_contact_blames_the_address_and_later_it_is_no_missing_set():
    first = explain(404, IIS_404, VENDORS)
    assert type(first) is ApiError
    assert "base_url must end in /v1.0/-" in str(first)
    later = explain(404, IIS_404, VENDORS, reached_before=True)
    assert type(later) is ApiError
    assert "not the Web API's" in str(later)
