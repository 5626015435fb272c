"""Who is let in, and what the others are told."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from erp_sandbox.sagex3.auth import Credentials

LIST = "/api1/x3/erp/SAMINC/BPSUPPLIER"
OPTIONS = {"representation": "BPSUPPLIER.$query", "count": "1"}
QUERY = "{ x3MasterData { supplier { query(first: 1) { totalCount } } } }"


def bearer(token, **more):
    return {"Authorization": f"Bearer {token}", **more}


def ask(server, token, **more):
    return server.graphql(QUERY, auth=None, headers=bearer(token, **more))


def test_basic_is_checked_on_both_apis(server):
    assert server.get(LIST, **OPTIONS).status_code == 200
    for auth in (None, ("ADMIN", "wrong"), ("nobody", "admin")):
        for answer in (server.get(LIST, auth=auth, **OPTIONS), server.graphql(QUERY, auth=auth)):
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="Syracuse"'
    for header in ("Basic", "Basic %%%", "Basic QQ==", "Digest x", "Bearer"):
        assert server.get(LIST, auth=None, headers={"Authorization": header}, **OPTIONS).status_code == 401


def test_basic_can_be_switched_off(serve):
    with serve(basic=False) as server:
        assert server.get(LIST, **OPTIONS).status_code == 401


def test_a_connected_application_signs_its_own_token(server, sign):
    assert ask(server, sign()).json()["data"]["x3MasterData"]["supplier"]["query"]["totalCount"] == 6
    assert server.get(LIST, auth=None, headers=bearer(sign()), **OPTIONS).status_code == 200
    assert ask(server, sign(aud=None)).status_code == 200


def test_the_audience_is_compared_literally(serve, sign):
    with serve(credentials=Credentials(audience="http://x3:8124/xtrem/api")) as server:
        assert ask(server, sign(aud="http://x3:8124/xtrem/api")).status_code == 200
        for wrong in ("http://x3:8124/xtrem/api/", "", ["http://x3:8124/xtrem/api"]):
            assert ask(server, sign(aud=wrong)).text == "Error 45: Invalid token"


def _from_now(value):
    relative = isinstance(value, str) and value[0] in "+-"
    return int(time.time()) + int(value) if relative else value


@pytest.mark.parametrize(
    ("claims", "secret", "number"),
    [
        ({"iss": "OTHER"}, None, 41),
        ({"iss": "OTHER", "sub": "OTHER"}, "another-secret-that-is-long-enough-32", 41),
        ({"iss": None}, None, 41),
        ({"sub": "webuser"}, None, 42),
        ({"sub": "webuser", "aud": "x"}, None, 42),
        ({"aud": "xtrem"}, None, 45),
        ({"aud": "xtrem", "exp": 1}, None, 45),
        ({}, "another-secret-that-is-long-enough-32", 50),
        ({"exp": "-5"}, None, 50),
        ({"exp": "+6000"}, None, 50),
        ({"exp": None}, None, 50),
        ({"iat": None}, None, 50),
        ({"exp": "soon"}, None, 50),
        ({"iat": "+100", "exp": "+300"}, None, 21),
    ],
)
def test_a_token_is_checked_in_x3s_order(server, sign, claims, secret, number):
    # seconds from now, and now is when the test runs
    claims = {name: _from_now(value) for name, value in claims.items()}
    token = sign(secret, **claims) if secret else sign(**claims)
    answer = ask(server, token)
    assert (answer.status_code, answer.text) == (401, f"Error {number}: Invalid token")
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_clocks_apart_show_as_a_token_of_the_future(serve, sign):
    with serve(skew=-60.0) as server:
        assert ask(server, sign()).text == "Error 21: Invalid token"


def test_the_longest_life_is_configured(serve, sign):
    now = int(time.time())
    with serve(credentials=Credentials(token_seconds=60)) as server:
        assert ask(server, sign(iat=now, exp=now + 60)).status_code == 200
        assert ask(server, sign(iat=now, exp=now + 61)).text == "Error 50: Invalid token"


@pytest.mark.parametrize("token", ["garbage", "a.b.c"])
def test_what_is_no_token_is_refused_by_the_gateway(server, token):
    answer = ask(server, token)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorised"})


def paired(server, **more):
    body = {"client_id": "CLIENT", "client_secret": Credentials().client_secret, **more}
    return requests.post(f"{server.url}/v1/token", json=body, timeout=30)


def code_of(server):
    address = {"client_id": "CLIENT", "scope": "api.graphQL user.?", "customer": "https://x3"}
    answer = requests.get(
        f"{server.url}/v1/token/authorise",
        params={**address, "redirect_uri": "https://me/back", "state": "s1"},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 302
    location = answer.headers["Location"]
    assert location.startswith("https://me/back?code=")
    assert "state=s1" in location
    return location.split("code=")[1].split("&")[0]


def test_pairing_gives_tokens_that_refresh_once(server):
    code = code_of(server)
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://me/back"}
    first = paired(server, **grant).json()
    assert (first["expires_in"], first["token_type"]) == (300, "Bearer")
    assert ask(server, first["access_token"]).status_code == 200
    assert server.get(LIST, auth=None, headers=bearer(first["access_token"]), **OPTIONS).status_code == 200
    assert paired(server, **grant).status_code == 403
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = paired(server, **refresh).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert paired(server, **refresh).status_code == 403
    assert paired(server, **{**refresh, "refresh_token": second["refresh_token"]}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "Missing required request parameters"),
        ({"grant_type": "password"}, 400, "Invalid grant type"),
        ({"grant_type": "refresh_token"}, 400, "Missing required request parameters"),
        ({"grant_type": "refresh_token", "refresh_token": "old"}, 403, "Request expired"),
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": "y"}, 403, "Pairing not found"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "NO"}, 404, "Unknown client_id"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "NO"}, 403, "disabled"),
    ],
)
def test_a_grant_that_is_not_good_is_refused(server, body, status, words):
    answer = paired(server, **body)
    assert answer.status_code == status
    assert words in answer.json()["message"]


def test_a_first_refresh_token_can_be_given(serve):
    with serve(first_refresh="from-the-pairing") as server:
        answer = paired(server, grant_type="refresh_token", refresh_token="from-the-pairing")
        assert ask(server, answer.json()["access_token"]).status_code == 200


def test_only_one_of_many_gets_the_refresh(serve):
    with serve(first_refresh="shared") as server, ThreadPoolExecutor(8) as pool:
        grant = {"grant_type": "refresh_token", "refresh_token": "shared"}
        found = list(pool.map(lambda _: paired(server, **grant).status_code, range(8)))
    assert sorted(found) == [200] + [403] * 7


def client_token(server, form=False, **more):
    body = {
        "grant_type": "client_credentials",
        "client_id": "CLIENT",
        "client_secret": Credentials().client_secret,
        "audience": "https://api.sandbox",
        **more,
    }
    return requests.post(f"{server.url}/oauth/token", **{"data" if form else "json": body}, timeout=30)


@pytest.mark.parametrize("form", [True, False])
def test_client_credentials_need_an_api_key(server, form):
    given = client_token(server, form).json()
    token = given["access_token"]
    assert "refresh_token" not in given
    assert ask(server, token).status_code == 403
    assert ask(server, token, **{"X-API-Key": "wrong"}).status_code == 403
    assert ask(server, token, **{"X-API-Key": "API-KEY"}).status_code == 200


@pytest.mark.parametrize(
    ("more", "status"),
    [({"audience": "https://other"}, 403), ({"client_secret": "x"}, 401), ({"grant_type": "password"}, 400)],
)
def test_client_credentials_are_checked(server, more, status):
    answer = client_token(server, **more)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_access_tokens_expire_and_die(serve, sign):
    with serve(access_seconds=0.5, first_refresh="r") as server:
        token = paired(server, grant_type="refresh_token", refresh_token="r").json()["access_token"]
        assert ask(server, token).status_code == 200
        time.sleep(0.6)
        answer = ask(server, token)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorised"})
    with serve(token_requests=2, first_refresh="r") as server:
        own = sign()
        token = paired(server, grant_type="refresh_token", refresh_token="r").json()["access_token"]
        assert [ask(server, token).status_code for _ in range(3)] == [200, 200, 401]
        assert [ask(server, own).status_code for _ in range(3)] == [200, 200, 401]
        assert ask(server, own).text == "Error 50: Invalid token"
        assert ask(server, sign(iat=int(time.time()) - 60)).status_code == 200


def test_tokens_of_another_server_are_dead(serve, server):
    with serve(first_refresh="r") as other:
        token = paired(other, grant_type="refresh_token", refresh_token="r").json()["access_token"]
    assert ask(server, token).json() == {"message": "Unauthorised"}
