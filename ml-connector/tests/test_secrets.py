from __future__ import annotations

import logging

import pytest

from ml_connector import secrets
from ml_connector.secrets import SecretError, encrypt, generate_key, redact, reveal, reveal_config, rotate


@pytest.fixture(autouse=True)
def _no_keys_and_nothing_known(monkeypatch):
    monkeypatch.delenv(secrets.KEY_VARIABLE, raising=False)
    monkeypatch.delenv(secrets.KEY_FILE_VARIABLE, raising=False)
    monkeypatch.setattr(secrets, "_known", set())


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
