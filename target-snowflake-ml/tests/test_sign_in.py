"""Every way to sign in: what it takes, what it sends, and that nothing of it is ever shown."""

from __future__ import annotations

import base64
import hashlib
import logging
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from ml_connector import secrets
from ml_connector.load.errors import LoadError, TransientLoadError

from target_snowflake_ml.connection_settings import SECRETS, connection_settings
from target_snowflake_ml.connections import connection_of, driver, keys, sign_in, tokens
from target_snowflake_ml.connections.address import address_of
from target_snowflake_ml.connections.patience import Patience

BASE = {"account": "MYORG-BOOKS", "database": "LEDGER"}
CLIENT = {
    **BASE,
    "role": "LOADING",
    "oauth_client_id": "the-client",
    "oauth_client_secret": "the-client-secret",
}


@pytest.fixture(scope="module")
def key():
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made, pem.decode()


def arguments_of(generation=4, **settings):
    config = sign_in.cleaned({**BASE, **settings})
    return driver.Driver(config, address_of(config), generation, Patience(60)).arguments({})


@pytest.mark.parametrize(
    ("settings", "method"),
    [
        ({"token": "t"}, "token"),
        ({"user": "U", "private_key": "k"}, "key_pair"),
        ({"user": "U", "private_key_path": "k", "oauth_token": "t"}, "key_pair"),
        ({"oauth_token": "t"}, "oauth"),
        ({"token": "t", "oauth_token": "t", "authenticator": "oauth"}, "oauth"),
        (
            {"oauth_client_id": "i", "oauth_client_secret": "s", "oauth_token_request_url": "u"},
            "oauth_client_credentials",
        ),
        ({"workload_identity_provider": "aws"}, "workload_identity"),
        ({"workload_identity_provider": "OIDC", "workload_identity_token_path": "p"}, "workload_identity"),
    ],
)
def test_the_settings_decide_the_way(settings, method):
    assert sign_in.method_of(settings) == method


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Nothing says how to sign in"),
        ({"user": "U"}, "Nothing says how to sign in"),
        ({"private_key": "k"}, "set user too"),
        ({"authenticator": "key_pair"}, "set user and private_key or private_key_path too"),
        ({"authenticator": "token"}, "set token too"),
        ({"oauth_client_id": "i"}, "oauth_client_secret and oauth_token_request_url too"),
        ({"workload_identity_provider": "OIDC"}, "workload_identity_token or workload_identity_token_path"),
        ({"workload_identity_provider": "EARTH"}, "takes AWS, AZURE, GCP, OIDC"),
    ],
)
def test_what_is_missing_is_named(settings, words):
    with pytest.raises(LoadError, match=words):
        sign_in.method_of(settings)


def test_each_secret_is_declared_as_one():
    declared = {each.name for each in connection_settings() if each.secret}
    assert declared == set(SECRETS)


def test_a_key_pair_needs_its_user_and_sends_no_more(key):
    arguments = arguments_of(user="LOADER", private_key=key[1])
    assert arguments["authenticator"] == "SNOWFLAKE_JWT"
    assert arguments["user"] == "LOADER"
    assert "token" not in arguments


@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"token": "the-token"}, {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": "the-token"}),
        ({"oauth_token": "the-token"}, {"authenticator": "OAUTH", "token": "the-token"}),
        (
            {"workload_identity_provider": "gcp"},
            {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "GCP"},
        ),
        (
            {"workload_identity_provider": "OIDC", "workload_identity_token": "the-token"},
            {
                "authenticator": "WORKLOAD_IDENTITY",
                "workload_identity_provider": "OIDC",
                "token": "the-token",
            },
        ),
    ],
)
def test_the_connector_is_told_how_to_sign_in(generation, settings, said):
    arguments = arguments_of(generation, **settings)
    assert arguments.items() >= said.items()
    assert "user" not in arguments


def test_the_login_needs_no_user_where_the_token_says_whose_it_is(warehouse, network):
    settings = warehouse.config(private_key=None, user=None, oauth_token="an-access-token", max_retry_time=1)
    connection = connection_of(settings, "run=1")
    with pytest.raises(LoadError):
        connection.execute("SELECT 1")
    (login,) = network.logins()
    assert (login["AUTHENTICATOR"], login["TOKEN"]) == ("OAUTH", "an-access-token")


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
@pytest.mark.parametrize("way", ["oauth", "oauth_client_credentials"])
def test_oauth_lets_in_without_a_user(warehouse, transport, way):
    settings = {
        "authenticator": way,
        "user": None,
        "private_key": None,
        "oauth_token": "an-oauth-access-token",
        "oauth_client_id": "the-client",
        "oauth_client_secret": "the-client-secret\n",
        "oauth_token_request_url": f"{warehouse.account.url}/oauth/token-request",
    }
    connection = connection_of(warehouse.config(transport=transport, **settings), "run=1")
    try:
        assert connection.execute("SELECT ?", ("in",)) == [("in",)]
    finally:
        connection.close()


def test_a_key_that_others_may_read_is_said(tmp_path, key, caplog):
    path = tmp_path / "key.p8"
    path.write_text(key[1])
    path.chmod(0o600)
    keys.private_key({"private_key_path": str(path)})
    assert not caplog.messages
    path.chmod(0o640)
    keys.private_key({"private_key_path": str(path)})
    assert caplog.messages == [f"Others on this machine may read the key in {path}: chmod 600 it."]


def test_a_token_in_a_file_is_read_again_at_each_sign_in(tmp_path):
    path = tmp_path / "token"
    path.write_text("first-token\n")
    config = {**BASE, "workload_identity_provider": "OIDC", "workload_identity_token_path": str(path)}
    made = driver.Driver(config, address_of(config), 4, Patience(60))
    assert made.arguments({})["token"] == "first-token"
    path.write_text("second-token\n")
    assert made.arguments({})["token"] == "second-token"
    path.unlink()
    with pytest.raises(LoadError, match="Cannot read workload_identity_token_path"):
        made.arguments({})


def test_a_key_pair_says_who_asks_and_is_renewed_before_its_hour_ends(key):
    made, pem = key
    der = made.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    fingerprint = base64.b64encode(hashlib.sha256(der).digest()).decode()
    now = [1_790_000_000.0]
    proof = tokens.KeyPair("myorg-books.eu-west-1", "loader", {"private_key": pem}, lambda: now[0])

    def token():
        headers = proof.headers()
        assert headers["X-Snowflake-Authorization-Token-Type"] == "KEYPAIR_JWT"
        return headers["Authorization"].removeprefix("Bearer ")

    first = token()
    assert first not in secrets.redact(f"Bearer {first}")
    claims = jwt.decode(
        first, made.public_key(), ["RS256"], options={"verify_exp": False, "verify_iat": False}
    )
    assert claims == {
        "iss": f"MYORG-BOOKS.LOADER.SHA256:{fingerprint}",
        "sub": "MYORG-BOOKS.LOADER",
        "iat": 1_790_000_000,
        "exp": 1_790_003_540,
    }
    now[0] += 3_000
    assert token() == first
    now[0] += 300
    assert token() != first
    assert proof.renew() is False
    now[0] += 400
    token()
    now[0] += 400
    assert proof.renew() is True


@pytest.fixture
def endpoint(network):
    """A token endpoint: what it answers, and what it was asked."""
    answers = [
        {"access_token": f"access-token-{number}", "token_type": "Bearer", "expires_in": 600}
        for number in range(9)
    ]

    class Endpoint:
        url = f"{network.url}/oauth2/token"
        answer = None

        @property
        def asked(self):
            return [parse_qs(body.decode()) for path, body in network.bodies if path == "/oauth2/token"]

    made = Endpoint()
    network.trouble = lambda path, _: (made.answer or answers.pop(0)) if path == "/oauth2/token" else None
    return made


def test_access_tokens_are_fetched_and_renewed_before_they_end(endpoint):
    now = [0.0]
    proof = tokens.ClientCredentials({**CLIENT, "oauth_token_request_url": endpoint.url}, lambda: now[0])
    assert proof.headers() == {
        "Authorization": "Bearer access-token-0",
        "X-Snowflake-Authorization-Token-Type": "OAUTH",
    }
    assert endpoint.asked == [{"grant_type": ["client_credentials"], "scope": ["session:role:LOADING"]}]
    now[0] = 250
    assert proof.token() == "access-token-0"
    now[0] = 310
    assert proof.token() == "access-token-1"
    assert proof.renew() is False, "a fresh one that is refused stays refused"
    assert proof.token() == "access-token-2"
    now[0] = 320
    assert proof.renew() is True
    assert secrets.redact("access-token-2") == "***"


def test_the_connector_signs_in_with_the_token_that_was_fetched(endpoint):
    settings = {**CLIENT, "oauth_token_request_url": endpoint.url, "oauth_scope": "api://x/.default"}
    config = sign_in.cleaned(settings)
    made = driver.Driver(config, address_of(config), 5, Patience(60))
    arguments = made.arguments({})
    assert arguments.items() >= {"authenticator": "OAUTH", "token": "access-token-0"}.items()
    assert not {"oauth_client_secret", "oauth_client_id"} & set(arguments)
    assert endpoint.asked[0]["scope"] == ["api://x/.default"]
    made.renew()
    assert made.arguments({})["token"] == "access-token-1"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            (401, {}, {"error": "invalid_client", "error_description": "No."}),
            LoadError,
            "invalid_client: No.",
        ),
        ((200, {}, {"token": "x"}), LoadError, "gives no access token"),
        ((503, {}, {}), TransientLoadError, "HTTP 503"),
        (
            (307, {"Location": "http://elsewhere.example/x"}, {}),
            LoadError,
            "sends requests on to http://elsewhere",
        ),
        ("reset", TransientLoadError, "cannot be reached"),
    ],
)
def test_an_endpoint_that_gives_no_token_is_a_sentence(endpoint, answer, kind, words):
    endpoint.answer = answer
    proof = tokens.ClientCredentials({**CLIENT, "oauth_token_request_url": endpoint.url})
    with pytest.raises(kind, match=words) as failed:
        proof.token()
    assert type(failed.value) is kind
    assert "the-client-secret" not in str(failed.value)
    assert base64.b64encode(b"the-client:the-client-secret").decode() not in str(failed.value)


def test_the_sql_api_knows_no_workload_identity():
    with pytest.raises(LoadError, match="set transport to connector"):
        tokens.proof_of({**BASE, "workload_identity_provider": "AWS"})


@pytest.fixture
def everything_logged(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
def test_a_line_break_after_a_token_is_no_part_of_it(warehouse, transport):
    settings = warehouse.config(
        transport=transport, private_key=None, token="a-programmatic-access-token\r\n"
    )
    connection = connection_of(settings, "run=1")
    try:
        assert connection.execute("SELECT 1") == [(1,)]
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["token", "oauth_token", "workload_identity_token"])
def test_a_token_with_a_line_break_inside_is_refused_and_not_shown(name):
    with pytest.raises(LoadError, match=f"The setting {name} has a space, a line break") as refused:
        connection_of({**BASE, name: "half-of-it\nother-half"}, "run=1")
    assert "half-of-it" not in str(refused.value)


def test_a_password_in_netrc_is_not_sent(warehouse, network, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    connection = connection_of(warehouse.config(transport="sql_api"), "run=1")
    assert connection.execute("SELECT 1") == [(1,)]
    connection.close()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_gets_no_token(warehouse, network, status):
    away = (status, {"Location": f"{network.url}/elsewhere?x=1"}, {})
    network.trouble = lambda path, _: away if path.startswith("/api") else None
    connection = connection_of(warehouse.config(transport="sql_api"), "run=1")
    with pytest.raises(LoadError, match="sends requests on to .*/elsewhere. Credentials are not sent there"):
        connection.execute("SELECT 1")
    assert not any(path.startswith("/elsewhere") for path in network.paths)


def test_a_token_that_was_refused_in_mid_run_is_made_anew(warehouse, network, monkeypatch):
    """The first token looks old to the target: a refusal is then worth another one."""
    ended = (401, {}, {"code": "390144", "message": "JWT token is invalid."})
    network.trouble = network.times(1, ended, "SELECT 2")
    monkeypatch.setattr(tokens, "RENEWED", 0)
    connection = connection_of(warehouse.config(transport="sql_api"), "run=1")
    connection.execute("SELECT 1")
    assert connection.execute("SELECT 2") == [(2,)]
    connection.close()


@pytest.mark.parametrize("transport", ["connector", "sql_api"])
def test_a_key_that_nobody_registered_is_a_sentence_with_its_remedy(
    warehouse, key, transport, everything_logged
):
    connection = connection_of(warehouse.config(transport=transport, private_key=key[1]), "run=1")
    with pytest.raises(LoadError, match="RSA_PUBLIC_KEY") as refused:
        connection.execute("SELECT 1")
    assert not isinstance(refused.value, TransientLoadError)
    assert "PRIVATE KEY" not in everything_logged.text
