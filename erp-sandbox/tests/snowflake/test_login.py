"""Who gets in, and what the others are told."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import urllib.request

import jwt
import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization


def login(server, **data):
    """A login request as the connectors send it, answered as JSON."""
    body = {"data": {"LOGIN_NAME": "LOADER", "SESSION_PARAMETERS": {}, **data}}
    request = urllib.request.Request(
        f"{server.url}/session/v1/login-request",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def token_of(key, **changed):
    private = serialization.load_pem_private_key(key.private.read_bytes(), None)
    der = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    fingerprint = base64.b64encode(hashlib.sha256(der).digest()).decode()
    now = int(time.time())
    claims = {
        "iss": f"SANDBOX.LOADER.SHA256:{fingerprint}",
        "sub": "SANDBOX.LOADER",
        "iat": now,
        "exp": now + 60,
        **changed,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, private, algorithm="RS256")


def test_a_registered_key_opens_a_session(server):
    with server.connect() as connection:
        assert connection.cursor().execute("SELECT 1").fetchall() == [(1,)]


def test_an_access_token_opens_a_session(server, access_token):
    with server.connect(authenticator="PROGRAMMATIC_ACCESS_TOKEN", token=access_token) as connection:
        assert connection.cursor().execute("SELECT 1").fetchall() == [(1,)]


def test_a_key_that_nobody_registered_is_refused(server, another_key):
    stranger = another_key("stranger")
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="JWT token is invalid"):
        server.connect(authenticator="SNOWFLAKE_JWT", private_key_file=str(stranger.private))


def test_a_registered_key_does_not_open_another_users_account(server):
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="JWT token is invalid"):
        server.connect(
            user="SOMEBODY", authenticator="SNOWFLAKE_JWT", private_key_file=str(server.key.private)
        )


def test_a_password_is_refused(server):
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="Incorrect username or password"):
        server.connect(password="secret")


def test_a_wrong_access_token_is_refused(server, access_token):
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="access token is invalid"):
        server.connect(authenticator="PROGRAMMATIC_ACCESS_TOKEN", token=access_token + "x")


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 120, "iat": int(time.time()) - 180},
        {"exp": int(time.time()) + 86_400},
        {"sub": "SANDBOX.SOMEBODY"},
        {"sub": None},
        {"iss": "SANDBOX.LOADER.SHA256:AAAA"},
        {"iss": None},
        {"exp": None},
    ],
    ids=["expired", "valid for a day", "another's", "nobody's", "another key", "no issuer", "for ever"],
)
def test_every_claim_of_the_token_counts(server, changed):
    assert login(server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=token_of(server.key))["success"]
    answer = login(server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=token_of(server.key, **changed))
    assert not answer["success"]
    assert answer["code"] == "390144"


def test_a_token_signed_by_another_key_under_the_registered_fingerprint_is_refused(server, another_key):
    claims = jwt.decode(token_of(server.key), options={"verify_signature": False})
    forged = token_of(another_key("forger"), iss=claims["iss"])
    assert login(server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=forged)["code"] == "390144"


@pytest.mark.parametrize("token", ["", "not.a.jwt", "x"])
def test_what_is_no_token_is_refused(server, token):
    assert login(server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=token)["code"] == "390144"


def test_an_unsigned_token_is_refused(server):
    claims = jwt.decode(token_of(server.key), options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, algorithm="none")
    assert login(server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=unsigned)["code"] == "390144"


def test_the_answer_has_what_both_connectors_ask_for(server):
    data = login(server, AUTHENTICATOR="SNOWFLAKE_JWT", TOKEN=token_of(server.key))["data"]
    assert data["token"] != data["masterToken"]
    assert data["validityInSeconds"] > 0
    assert data["masterValidityInSeconds"] > 0
    assert isinstance(data["sessionId"], int)
    assert {"warehouseName", "roleName"} <= data["sessionInfo"].keys()
