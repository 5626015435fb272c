"""Checklist 2 and 3: credentials, sessions and the Content-Type that every request needs."""

from __future__ import annotations

from itertools import pairwise

import requests

PATH = "SAMINC/AR/ARCustomers"
COOKIE = "ASP.NET_SessionId"


def test_no_credentials_are_refused_with_a_challenge(start):
    api = start(user=None)
    assert api.refusal("GET", PATH) == (401, "Unauthorized")
    assert api.get(PATH).headers["WWW-Authenticate"].startswith("Basic ")


def test_a_wrong_password_is_refused(start):
    assert start(password="GUESS").refusal("GET", PATH) == (401, "Unauthorized")


def test_credentials_count_in_upper_case_only(start):
    assert start(user="webapi", password="webapi").refusal("GET", PATH) == (401, "Unauthorized")


def test_admin_is_forbidden_until_the_server_allows_it(start):
    assert start(user="ADMIN", password="ADMIN").refusal("GET", PATH) == (403, "Forbidden")
    assert start(user="ADMIN", password="ADMIN", allow_admin=True).get(PATH).status_code == 200


def test_the_first_success_sets_a_cookie_that_then_suffices(api):
    first = api.get(PATH)
    assert COOKIE in first.cookies
    assert COOKIE not in api.get(PATH).cookies
    api.session.auth = None
    assert api.get(PATH).status_code == 200
    api.session.cookies.clear()
    assert api.refusal("GET", PATH) == (401, "Unauthorized")


def test_a_forgotten_session_is_refused_once_and_then_renewed(start):
    api = start(faults=["session-expiry:0.5"], seed=3)
    statuses = [api.get(PATH).status_code for _ in range(20)]
    assert statuses[0] == 200
    assert 401 in statuses
    assert all(status == 200 for before, status in pairwise(statuses) if before == 401)


def test_a_missing_content_type_is_an_internal_server_error(start):
    strict, lenient = start(), start(lenient=True)
    for api, status in ((strict, 500), (lenient, 200)):
        answer = requests.get(f"{api.base}/{PATH}", auth=("WEBAPI", "WEBAPI"), timeout=30)
        assert answer.status_code == status
        if status == 500:
            assert answer.json()["error"]["code"] == "InternalServerError"


def test_a_charset_beside_the_content_type_is_fine(api):
    api.session.headers["Content-Type"] = "application/json; charset=utf-8"
    assert api.get(PATH).status_code == 200
