"""Every way of signing in, end to end against the sandbox's server."""

from __future__ import annotations

import json
import stat

import pytest

WITHOUT_BASIC = {"username": None, "password": None}
CLIENT = {"client_id": "CLIENT", "client_secret": "client-secret-of-the-sandbox-0001"}


def secrets_of(run, *words):
    everything = run.log + json.dumps(run.messages, default=str)
    return [word for word in words if word in everything]


@pytest.mark.parametrize("api", ["rest", "graphql"])
def test_a_connected_application(x3, api):
    settings = {**WITHOUT_BASIC, **CLIENT, "user": "WEBUSER", "token_lifetime": 60}
    run = x3.run(api, x3.catalog(api, "suppliers", **settings), **settings)
    assert run.code == 0, run.log
    assert run.records("suppliers")
    assert not secrets_of(run, CLIENT["client_secret"], "Bearer")


def test_a_clock_that_is_ahead_of_the_servers(serve):
    server = serve("--clock-skew", "-3600")
    settings = {**WITHOUT_BASIC, **CLIENT, "user": "WEBUSER"}
    run = server.run("graphql", server.catalog("graphql", "suppliers", **settings), **settings)
    assert run.code == 0, run.log
    assert run.records("suppliers")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"client_id": "OTHER"}, "client_id"),
        ({"user": "webuser"}, "capitals count"),
        ({"audience": "http://elsewhere"}, "letter by letter"),
        ({"client_secret": "another-secret-that-is-long-enough-1"}, "client_secret"),
    ],
)
def test_what_is_wrong_with_a_token_is_explained(x3, wrong, words):
    settings = {**WITHOUT_BASIC, **CLIENT, "user": "WEBUSER", **wrong}
    catalog = x3.catalog("rest", "suppliers", discover_custom_fields=False)
    run = x3.run("graphql", catalog, **settings)
    assert run.code == 1
    assert words in run.log.splitlines()[-1]
    assert "Traceback" not in run.log
    assert not secrets_of(run, settings["client_secret"])


def test_a_pairing_whose_refresh_token_is_good_once(serve):
    """Two runs: the second one has what the first one kept, as the token of the settings is used up."""
    server = serve("--refresh-token", "first-refresh-token", "--access-seconds", "2")
    settings = {
        **WITHOUT_BASIC,
        **CLIENT,
        "auth": "authorization_code",
        "token_url": f"{server.url}/v1/token",
        "refresh_token": "first-refresh-token",
        "token_file": str(server.folder / "token.json"),
    }
    catalog = server.catalog("rest", "suppliers", "gl_journals", discover_custom_fields=False)
    runs = [server.run("graphql", catalog, **settings) for _ in range(2)]
    for run in runs:
        assert run.code == 0, run.log
        assert run.records("suppliers")
        assert not secrets_of(run, "first-refresh-token", CLIENT["client_secret"])
    kept = server.folder / "token.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["refresh_token"] != "first-refresh-token"

    kept.unlink()
    lost = server.run("graphql", catalog, **settings)
    assert lost.code == 1
    assert "--authorize" in lost.log.splitlines()[-1]
    assert "Traceback" not in lost.log


def test_client_credentials_with_an_api_key(x3):
    settings = {
        **WITHOUT_BASIC,
        **CLIENT,
        "auth": "client_credentials",
        "token_url": f"{x3.url}/oauth/token",
        "audience": "https://api.sandbox",
        "api_key": "API-KEY",
    }
    run = x3.run("graphql", x3.catalog("graphql", "suppliers", **settings), **settings)
    assert run.code == 0, run.log
    assert run.records("suppliers")
    refused = x3.run(
        "graphql",
        x3.catalog("rest", "suppliers", discover_custom_fields=False),
        **{**settings, "api_key": None},
    )
    assert refused.code == 1
    assert "api_key" in refused.log
