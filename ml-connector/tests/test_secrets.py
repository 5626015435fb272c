from __future__ import annotations

import base64
import json
import logging
from decimal import Decimal
from urllib.parse import quote, quote_plus

import pytest
import requests

from ml_connector import secrets
from ml_connector.secrets import (
    SecretError,
    clean_config,
    encrypt,
    generate_key,
    redact,
    remember,
    remember_basic,
    reveal,
    reveal_config,
    rotate,
    warn_if_readable,
)


@pytest.fixture(autouse=True)
def _no_keys_and_nothing_known(monkeypatch):
    monkeypatch.delenv(secrets.KEY_VARIABLE, raising=False)
    monkeypatch.delenv(secrets.KEY_FILE_VARIABLE, raising=False)
    monkeypatch.setattr(secrets, "_known", set())
    monkeypatch.setattr(secrets, "_warned", set())


@pytest.fixture
def key(monkeypatch) -> str:
    made = generate_key()
    monkeypatch.setenv(secrets.KEY_VARIABLE, made)
    return made


@pytest.mark.usefixtures("key")
def test_an_encrypted_password_comes_back_and_does_not_show():
    value = encrypt("Grüße 2026")
    assert value.startswith("enc:v1:")
    assert "2026" not in value
    assert reveal(value) == "Grüße 2026"


def test_plain_text_needs_no_key():
    assert reveal("WEBAPI") == "WEBAPI"


def test_rotation_moves_a_secret_to_the_new_key(monkeypatch, key):
    old_value = encrypt("s3cret")
    new_key = generate_key()
    monkeypatch.setenv(secrets.KEY_VARIABLE, f"{new_key}, {key}")
    assert reveal(old_value) == "s3cret"
    new_value = rotate(old_value)
    monkeypatch.setenv(secrets.KEY_VARIABLE, new_key)
    assert reveal(new_value) == "s3cret"
    with pytest.raises(SecretError, match="key that is not among"):
        reveal(old_value)


def test_keys_may_live_in_a_file(monkeypatch, tmp_path):
    file = tmp_path / "keys"
    file.write_text(generate_key() + "\n" + generate_key() + "\n")
    monkeypatch.setenv(secrets.KEY_FILE_VARIABLE, str(file))
    assert reveal(encrypt("s3cret")) == "s3cret"


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("", "There is no encryption key: set ML_CONNECTOR_KEY"),
        ("tooshort", "Key 1 of 1 in ML_CONNECTOR_KEY is not"),
    ],
)
def test_a_missing_or_bad_key_is_explained(monkeypatch, keys, complaint):
    monkeypatch.setenv(secrets.KEY_VARIABLE, keys)
    with pytest.raises(SecretError, match=complaint) as caught:
        encrypt("x")
    assert "tooshort" not in str(caught.value)


def test_a_key_file_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(secrets.KEY_FILE_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(SecretError, match="gone, cannot be read: No such file"):
        encrypt("x")


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("broken", ["enc:v1:", "enc:v1:rubbish", "enc:v1:gAAAAABöö"])
def test_a_damaged_token_is_refused(broken):
    with pytest.raises(SecretError):
        reveal(broken)


@pytest.mark.usefixtures("key")
def test_only_encrypted_values_rotate():
    with pytest.raises(SecretError, match="encrypt this one first"):
        rotate("plain")


@pytest.mark.usefixtures("key")
def test_a_configuration_is_revealed_at_any_depth_and_left_alone_itself():
    config = {
        "username": "enc:v1:not a secret setting",
        "password": encrypt("one"),
        "companies": [{"company_id": "A", "company_password": encrypt("two")}],
        "page_size": 100,
    }
    plain = reveal_config(config, {"password", "company_password"})
    assert plain == {
        "username": "enc:v1:not a secret setting",
        "password": "one",
        "companies": [{"company_id": "A", "company_password": "two"}],
        "page_size": 100,
    }
    assert config["password"].startswith("enc:v1:")


@pytest.mark.usefixtures("key")
def test_a_setting_that_cannot_be_revealed_is_named():
    with pytest.raises(SecretError, match="Setting company_password: A secret was encrypted"):
        reveal_config({"companies": [{"company_password": "enc:v1:xyz"}]}, {"company_password"})


def test_known_secrets_are_redacted_longest_first_and_upper_cased_too():
    reveal("secret")
    reveal("secret-and-more")
    assert redact("secret-and-more, SECRET, secretly") == "***, ***, ***ly"


def test_short_values_do_not_blot_out_the_log():
    reveal("a")
    assert redact("a cat") == "a cat"


def test_logs_lose_secrets_in_message_arguments_and_traceback(capsys):
    reveal("hunter22")
    logger = logging.Logger("test")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    secrets.protect_logs(logger)
    secrets.protect_logs(logger)
    assert len(handler.filters) == 1
    logger.warning("login %s with hunter22 failed, %d left", "hunter22", 2)
    try:
        raise ValueError("bad password hunter22")
    except ValueError:
        logger.exception("oops")
    logger.warning("%s is fine", "this")
    shown = capsys.readouterr().err
    assert "login *** with *** failed, 2 left" in shown
    assert "ValueError: bad password ***" in shown
    assert "this is fine" in shown
    assert "hunter22" not in shown


@pytest.mark.usefixtures("key")
def test_white_space_around_a_secret_is_not_part_of_it():
    assert reveal(" token-1234\r\n") == "token-1234"
    assert reveal(encrypt("token-1234\n") + "\n") == "token-1234"
    assert reveal("-----BEGIN-----\nabc\n-----END-----\n") == "-----BEGIN-----\nabc\n-----END-----"
    assert redact("the token-1234 is") == "the *** is"


def test_a_secret_given_as_a_number_is_its_text():
    config = {
        "password": 90210,
        "pin": Decimal("1.50"),
        "page_size": 5,
        "companies": [{"password": 12345678}],
    }
    for change in (clean_config, reveal_config):
        assert change(config, {"password", "pin"}) == {
            "password": "90210",
            "pin": "1.50",
            "page_size": 5,
            "companies": [{"password": "12345678"}],
        }
    assert redact("not 90210, nor 12345678") == "not ***, nor ***"


@pytest.mark.usefixtures("key")
def test_settings_are_cleaned_before_they_are_opened():
    token = encrypt("hidden")
    found = clean_config(
        {"password": f" {token}\n", "token": ["  plain-text "], "x": " y "}, {"password", "token"}
    )
    assert found == {"password": token, "token": ["plain-text"], "x": " y "}
    assert redact("plain-text") == "***"
    assert reveal_config(found, {"password"})["password"] == "hidden"
    assert clean_config({"password": None, "flag": True}, {"password", "flag"}) == {
        "password": None,
        "flag": True,
    }


@pytest.mark.parametrize(
    "secret", ["p@ss/wörd 1+&", 'quo"te\\back', "line one is a long line\nline two is one too"]
)
def test_every_form_that_a_secret_is_sent_in_is_redacted(secret):
    remember(f" {secret}\n")
    upper = secret.upper()
    forms = [
        secret, upper, quote(secret), quote(secret, safe=""), quote_plus(secret), quote_plus(upper),
        json.dumps(secret), repr(secret), repr(secret.encode()),
        base64.b64encode(secret.encode()).decode(), base64.b64encode(upper.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    ]  # fmt: skip
    for form in forms:
        assert "***" in redact(f"x {form} y")
        assert redact(f"x {form} y").strip("x y'\"b=") == "***"


def test_url_encoding_in_small_letters_is_redacted_too():
    remember("Ab/Cd")
    assert redact("Ab%2FCd Ab%2fCd") == "*** ***"


def test_a_private_key_is_redacted_line_by_line():
    remember("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nshort\n-----END PRIVATE KEY-----\n")
    assert redact("| MIIEvQIBADANBgkqhkiG9w0BAQ |") == "| *** |"
    assert redact("-----BEGIN PRIVATE KEY----- short") == "-----BEGIN PRIVATE KEY----- short"


@pytest.mark.parametrize(("user", "password"), [("ADMIN", "s3cret pass"), ("jörg", "grün"), ("a", "b")])
def test_the_header_of_basic_authentication_is_redacted(user, password):
    remember_basic(user, password)
    prepared = requests.Request("GET", "http://sage.example", auth=(user, password)).prepare()
    assert redact(str(prepared.headers["Authorization"])) == "Basic ***"
    assert redact(base64.b64encode(f"{user}:{password}".encode()).decode()) == "***"


def test_keys_of_the_variable_and_of_the_file_are_both_used(monkeypatch, tmp_path, key):
    other = generate_key()
    file = tmp_path / "keys"
    file.write_text(other)
    file.chmod(0o600)
    monkeypatch.setenv(secrets.KEY_VARIABLE, other)
    made_with_other = encrypt("s3cret")
    monkeypatch.setenv(secrets.KEY_VARIABLE, key)
    monkeypatch.setenv(secrets.KEY_FILE_VARIABLE, str(file))
    assert reveal(made_with_other) == "s3cret"
    made_with_first = encrypt("s3cret")
    monkeypatch.delenv(secrets.KEY_FILE_VARIABLE)
    assert reveal(made_with_first) == "s3cret"
    monkeypatch.setenv(secrets.KEY_FILE_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(SecretError, match="gone, cannot be read"):
        reveal(made_with_first)


@pytest.mark.parametrize(("mode", "warnings"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o644, 1)])
def test_a_key_file_that_others_can_read_is_warned_of_once(monkeypatch, tmp_path, caplog, mode, warnings):
    file = tmp_path / "keys"
    file.write_text(generate_key())
    file.chmod(mode)
    monkeypatch.setenv(secrets.KEY_FILE_VARIABLE, str(file))
    reveal(encrypt("s3cret"))
    warn_if_readable(file, "The private key")
    assert len(caplog.records) == warnings
    if warnings:
        assert f"{file} can be read by other users of this machine: chmod 600 it." in caplog.text
