"""Tokens: made, renewed, refused, rotated and kept."""

from __future__ import annotations

import io
import json
import logging
import stat

import jwt
import pytest
from ml_connector.extract.http import HttpSettings, PoliteSession
from ml_connector.secrets import generate_key

from tap_sagex3.auth import ConnectedApp, missing_settings, way_of
from tap_sagex3.client import Client
from tap_sagex3.errors import SageX3Error, SignInRefused, token_refused
from tap_sagex3.tap import TapSageX3
from tap_sagex3.tokens import TokenFile, Tokens, authorise_url, code_of

APP = {
    "client_id": "CLIENT",
    "client_secret": "client-secret-of-the-sandbox-0001",
    "user": "WEBUSER",
    "audience": "http://x3:8124/xtrem/api",
    "token_lifetime": 300,
}


class Clock:
    def __init__(self, now=1_800_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


def claims(headers):
    token = headers["Authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False, "verify_exp": False})


def test_a_connected_application_signs_tokens_dated_back_and_renews_them_early():
    clock = Clock()
    app = ConnectedApp(APP, clock)
    first = app.headers()
    found = claims(first)
    assert (found["iss"], found["sub"], found["aud"]) == ("CLIENT", "WEBUSER", APP["audience"])
    assert found["iat"] == clock.now - 30
    assert found["exp"] - found["iat"] == 300
    assert jwt.get_unverified_header(first["Authorization"][7:])["alg"] == "HS256"
    clock.now += 200
    assert app.headers() == first
    clock.now += 41  # it ends at 270, and is renewed 30 seconds before
    assert app.headers() != first


def test_a_refused_token_is_replaced_even_within_the_same_second():
    app = ConnectedApp(APP, Clock())
    seen = set()
    for _ in range(5):
        headers = app.headers()
        assert headers["Authorization"] not in seen
        seen.add(headers["Authorization"])
        app.refused(headers, None)


def test_only_the_token_that_was_refused_is_replaced():
    app = ConnectedApp(APP, Clock())
    old = app.headers()
    app.refused(old, None)
    new = app.headers()
    app.refused(old, None)  # another thread's request, sent before
    assert app.headers() == new


def test_a_clock_that_is_ahead_is_told_by_the_server_and_minded():
    clock = Clock()
    app = ConnectedApp(APP, clock)
    app.refused(app.headers(), "Fri, 15 Jan 2027 07:00:00 GMT")  # an hour behind ours
    assert claims(app.headers())["iat"] == pytest.approx(clock.now - 3600 - 30, abs=1)


@pytest.mark.parametrize(
    ("number", "words"),
    [("21", "clock"), ("41", "client_id"), ("42", "user"), ("45", "audience"), ("50", "client_secret")],
)
def test_the_servers_error_numbers_are_explained(number, words):
    assert words in str(token_refused(401, f"Error {number}: Invalid token", renewed=True))


def test_a_token_that_ends_in_mid_read_is_renewed_once_and_the_page_asked_again(little):
    little.answers = [(401, {"message": "Unauthorised"}), (200, {"ok": 1})]
    client = Client({**APP, "base_url": little.url, "max_retries": 0}, "SEED")
    assert client.get(f"{little.url}/page", "a page") == {"ok": 1}
    tokens = [each["headers"]["Authorization"] for each in little.requests]
    assert len(set(tokens)) == 2
    assert {each["path"] for each in little.requests} == {"/page"}


def test_a_fresh_token_that_is_refused_ends_the_run_with_the_reason(little):
    little.answers = [(401, b"Error 45: Invalid token")]
    client = Client({**APP, "base_url": little.url, "max_retries": 0}, "SEED")
    with pytest.raises(SignInRefused, match="letter by letter"):
        client.get(f"{little.url}/page", "a page")
    assert len(little.requests) == 2


def test_a_wrong_password_is_not_tried_twice(little):
    little.answers = [(401, b"<html>no</html>", {"WWW-Authenticate": 'Basic realm="Syracuse"'})]
    config = {"base_url": little.url, "username": "me", "password": "wrong", "max_retries": 5}
    with pytest.raises(SignInRefused, match="nodelocal.js"):
        Client(config, "SEED").get(f"{little.url}/page", "a page")
    assert len(little.requests) == 1


def test_what_is_missing_is_named():
    assert "client_secret" in missing_settings({"client_id": "x", "user": "y"})
    assert "token_url" in missing_settings(
        {"auth": "client_credentials", "client_id": "x", "client_secret": "y"}
    )
    assert missing_settings({"username": "a", "password": "b"}) == ""
    assert way_of({"username": "a"}) == "basic"


def tokens(little, folder, **more):
    config = {
        "auth": "authorization_code",
        "client_id": "CLIENT",
        "client_secret": "shh-its-a-secret",
        "token_url": f"{little.url}/v1/token",
        "token_file": str(folder / "kept" / "token.json"),
        "redirect_uri": "https://here/back",
        **more,
    }
    return Tokens(config, PoliteSession(HttpSettings(max_retries=0)))


def asked(little):
    return [json.loads(each["body"]) for each in little.requests]


def test_each_refresh_keeps_the_new_token_for_its_owner_alone(little, tmp_path):
    little.answers = [
        (200, {"access_token": "a1", "refresh_token": "r2", "expires_in": 300}),
        (200, {"accessToken": "a2", "refreshToken": "r3", "expiresIn": "120"}),
    ]
    found = tokens(little, tmp_path, refresh_token="r1")
    assert found.access() == ("a1", 300.0)
    file = tmp_path / "kept" / "token.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["refresh_token"] == "r2"
    # another process, later
    assert tokens(little, tmp_path, refresh_token="r1").access() == ("a2", 120.0)
    assert [each["refresh_token"] for each in asked(little)] == ["r1", "r2"]
    assert all(each["grant_type"] == "refresh_token" for each in asked(little))


def test_the_file_is_encrypted_when_a_key_is_set(little, tmp_path, monkeypatch):
    monkeypatch.setenv("ML_CONNECTOR_KEY", generate_key())
    little.answers = [(200, {"access_token": "a1", "refresh_token": "very-secret-r2"})]
    tokens(little, tmp_path, refresh_token="r1").access()
    text = (tmp_path / "kept" / "token.json").read_text()
    assert "very-secret-r2" not in text
    assert "enc:v1:" in text
    assert TokenFile(tmp_path / "kept" / "token.json", "r1").read() == "very-secret-r2"


def test_a_new_pairing_in_the_settings_counts_more_than_the_file(tmp_path):
    file = TokenFile(tmp_path / "token.json", "first")
    file.write("successor")
    assert TokenFile(tmp_path / "token.json", "first").read() == "successor"
    assert TokenFile(tmp_path / "token.json", "").read() == "successor"
    assert TokenFile(tmp_path / "token.json", "paired again").read() == "paired again"


def test_a_token_that_another_run_used_up_is_read_anew(little, tmp_path):
    other = TokenFile(tmp_path / "kept" / "token.json", "r1")

    def used_up(_):
        other.write("r2")
        return 403, {"message": "Forbidden"}

    little.answers = [used_up, (200, {"access_token": "a", "refresh_token": "r3"})]
    assert tokens(little, tmp_path, refresh_token="r1").access()[0] == "a"
    assert [each["refresh_token"] for each in asked(little)] == ["r1", "r2"]


def test_a_dead_refresh_token_says_to_pair_again(little, tmp_path):
    little.answers = [(403, {"message": "Pairing not found"})]
    with pytest.raises(SignInRefused, match=r"Pairing not found.*--authorize"):
        tokens(little, tmp_path, refresh_token="r1").access()
    with pytest.raises(SignInRefused, match="There is no refresh token"):
        tokens(little, tmp_path).access()


def test_a_token_that_cannot_be_kept_is_an_error_at_once(little, tmp_path):
    (tmp_path / "kept").write_text("a file where the folder should be")
    little.answers = [(200, {"access_token": "a1", "refresh_token": "r2"})]
    with pytest.raises(SageX3Error, match="cannot be"):
        tokens(little, tmp_path, refresh_token="r1").access()


def test_a_damaged_file_is_an_error(tmp_path):
    (tmp_path / "token.json").write_text("{")
    with pytest.raises(SageX3Error, match="cannot be read"):
        TokenFile(tmp_path / "token.json", "r1").read()


def test_client_credentials_ask_with_the_audience_and_send_the_key(little):
    little.answers = [(200, {"access_token": "a1", "expires_in": 60}), (200, {"ok": 1})]
    config = {
        "auth": "client_credentials",
        "client_id": "CLIENT",
        "client_secret": "s",
        "token_url": f"{little.url}/oauth/token",
        "audience": "https://api",
        "api_key": "KEY",
        "base_url": little.url,
    }
    assert Client(config, "SEED").get(f"{little.url}/x", "x") == {"ok": 1}
    assert asked_of(little.requests[0]) == {
        "grant_type": "client_credentials",
        "client_id": "CLIENT",
        "client_secret": "s",
        "audience": "https://api",
    }
    assert little.requests[1]["headers"]["X-API-Key"] == "KEY"
    assert little.requests[1]["headers"]["Authorization"] == "Bearer a1"


def asked_of(request):
    return json.loads(request["body"])


def test_pairing_takes_the_code_of_its_own_redirect_only():
    assert code_of("https://here/back?code=abc%2F1&state=s", "s") == "abc/1"
    assert code_of("abc\n", "s") == "abc"
    with pytest.raises(SignInRefused, match="another pairing"):
        code_of("https://here/back?code=abc&state=other", "s")
    with pytest.raises(SignInRefused, match="no code"):
        code_of("https://here/back?error=denied&state=s", "s")


def test_pairing_asks_a_person_and_keeps_the_token(little, tmp_path, monkeypatch, capsys):
    little.answers = [(200, {"access_token": "a", "refresh_token": "r1"})]
    config = {
        "api": "graphql",
        "base_url": "https://x3.customer.example",
        "folders": ["SEED"],
        "client_id": "CLIENT",
        "client_secret": "shh",
        "token_url": f"{little.url}/v1/token",
        "redirect_uri": "https://here/back",
        "token_file": str(tmp_path / "token.json"),
    }
    monkeypatch.setattr("tap_sagex3.tap.secrets.token_urlsafe", lambda: "s")
    monkeypatch.setattr("sys.stdin", io.StringIO("https://here/back?code=abc&state=s\n"))
    TapSageX3(config=config, setup_mapper=False).pair()
    said = capsys.readouterr().err
    assert authorise_url({**config, "scope": "api.graphQL user.?"}, "s") in said
    assert "customer=https%3A%2F%2Fx3.customer.example" in said
    assert asked(little)[0]["grant_type"] == "authorization_code"
    assert asked(little)[0]["code"] == "abc"
    assert TokenFile(tmp_path / "token.json", "").read() == "r1"
    logging.getLogger().handlers.clear()
