"""The ways to log in beside keys and access tokens, with each generation of the connector and over the SQL API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request

import jwt
import pytest

# its own issuer's affair, but the connectors read who it is of
WORKLOAD, ANOTHER = (
    jwt.encode({"iss": "https://issuer.example", "sub": sub}, "k" * 32, algorithm="HS256")
    for sub in ("loading", "another")
)
OPTIONS = (
    *("--oauth-token", "an-oauth-token", "--workload-identity-token", WORKLOAD),
    *("--oauth-client", "loading:s3:cret"),
)
ONE = 'print(json.dumps(run("SELECT 1")))'
# nothing but Snowflake's own hosts is told a workload's token, unless the machine says so
HERE = {"SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES": "127.0.0.1"}


@pytest.fixture
def refusal(client):
    """What a login is refused with."""

    def refusal(server, env=None, **how):
        with pytest.raises(AssertionError) as failed:
            client(server, ONE, env, **how)
        return str(failed.value)

    return refusal


def asked(server, path, fields, **headers):
    data = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(f"{server.url}{path}", data, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_an_oauth_token_opens_a_session(server, client, refusal):
    assert client(server, ONE, authenticator="OAUTH", token="an-oauth-token") == [[1]]
    said = refusal(server, authenticator="OAUTH", token="another")
    assert "Invalid OAuth access token" in said


def test_a_client_with_a_secret_gets_its_token_itself(server, client, refusal):
    how = {
        "authenticator": "OAUTH_CLIENT_CREDENTIALS",
        "oauth_client_id": "loading",
        "oauth_client_secret": "s3:cret",
        "oauth_token_request_url": f"{server.url}/oauth/token-request",
        "role": "LOADER",
    }
    assert client(server, ONE, **how) == [[1]]
    refusal(server, **{**how, "oauth_client_secret": "wrong"})


def test_a_workload_is_the_user(server, client, refusal):
    how = {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "OIDC"}
    assert client(server, ONE, HERE, **how, token=WORKLOAD) == [[1]]
    refusal(server, HERE, **how, token=ANOTHER)


def test_a_token_of_somebody_else_is_refused(server, refusal):
    said = refusal(server, user="SOMEBODY", authenticator="OAUTH", token="an-oauth-token")
    assert "differs from the user tied to the access token" in said


def test_the_token_endpoint_answers_as_the_standard_says(server):
    path = "/oauth/token-request"
    good = {"grant_type": "client_credentials", "client_id": "loading", "client_secret": "s3:cret"}
    status, answer = asked(server, path, {**good, "scope": "session:role:LOADER"})
    assert (status, answer["token_type"], answer["scope"]) == (200, "Bearer", "session:role:LOADER")
    assert answer["expires_in"] > 0
    assert asked(server, path, {**good, "client_secret": "x"}) == (401, {"error": "invalid_client"})
    assert asked(server, path, {**good, "client_id": "x"}) == (401, {"error": "invalid_client"})
    assert asked(server, path, {**good, "grant_type": "password"}) == (
        400,
        {"error": "unsupported_grant_type"},
    )
    broken = {"grant_type": "client_credentials"}
    assert asked(server, path, broken, Authorization="Basic ???")[0] == 401


def test_the_sql_api_takes_oauth_tokens_named_or_not(server, api):
    given = asked(
        server,
        "/oauth/token-request",
        {"grant_type": "client_credentials", "client_id": "loading", "client_secret": "s3:cret"},
    )[1]["access_token"]
    for token in ("an-oauth-token", given):
        for kind in ("OAUTH", None):
            api.token = token
            about = {"X-Snowflake-Authorization-Token-Type": kind}
            assert api.ask("POST", "/api/v2/statements", {"statement": "SELECT 1"}, **about)[0] == 200
    api.token = "another"
    about = {"X-Snowflake-Authorization-Token-Type": "OAUTH"}
    status, answer = api.ask("POST", "/api/v2/statements", {"statement": "SELECT 1"}, **about)
    assert (status, answer["code"]) == (401, "390303")


def test_tokens_end(server_with, api_of, refusal):
    server = server_with(*OPTIONS, "--token-lifetime", "1")
    good = {"grant_type": "client_credentials", "client_id": "loading", "client_secret": "s3:cret"}
    given = asked(server, "/oauth/token-request", good)[1]
    assert given["expires_in"] == 1
    time.sleep(1.2)
    api = api_of(server)
    assert api.run("SELECT 1")[1]["code"] == "394400"
    for token in ("an-oauth-token", given["access_token"]):
        api.token = token
        about = {"X-Snowflake-Authorization-Token-Type": "OAUTH"}
        status, answer = api.ask("POST", "/api/v2/statements", {"statement": "SELECT 1"}, **about)
        assert (status, answer["code"]) == (401, "390318")
    assert "OAuth access token expired" in refusal(server, authenticator="OAUTH", token="an-oauth-token")
