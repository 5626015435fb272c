from __future__ import annotations

import pytest
from click.testing import CliRunner

from ml_connector import cli, secrets


@pytest.fixture
def run(monkeypatch):
    """Run the command with a key in the environment, as a shell would."""
    monkeypatch.delenv(secrets.KEY_FILE_VARIABLE, raising=False)
    key = CliRunner().invoke(cli.main, ["secrets", "generate-key"]).output.strip()

    def invoke(*args: str, text: str = "", keys: str = key):
        return CliRunner().invoke(cli.main, ["secrets", *args], input=text, env={secrets.KEY_VARIABLE: keys})

    invoke.key = key
    return invoke


def test_a_secret_goes_in_encrypted_and_comes_out_plain(run):
    encrypted = run("encrypt", text="p@ss word\n").output
    assert encrypted.startswith("enc:v1:")
    assert run("decrypt", text=encrypted).output == "p@ss word\n"


def test_white_space_around_a_secret_is_left_out(run):
    assert run("decrypt", text=run("encrypt", text=" p@ss word\r\n\n").output).output == "p@ss word\n"


def test_a_private_key_keeps_its_lines(run):
    pem = "-----BEGIN-----\nabc\n-----END-----\n"
    assert run("decrypt", text=run("encrypt", text=pem).output).output == pem


def test_every_value_of_a_list_is_rotated(run):
    values = run("encrypt", text="one").output + "\n" + run("encrypt", text="two").output
    new_key = run("generate-key").output.strip()
    rotated = run("rotate", text=values, keys=f"{new_key},{run.key}").output.split()
    assert [run("decrypt", text=value, keys=new_key).output for value in rotated] == ["one\n", "two\n"]


@pytest.mark.parametrize(
    ("command", "text", "complaint"),
    [
        ("encrypt", "\n", "Secret is empty"),
        ("decrypt", "plain", "does not start with enc:v1:"),
        ("decrypt", "enc:v1:zzz", "encrypted with a key that is not among"),
        ("rotate", "plain", "encrypt this one first"),
    ],
)
def test_mistakes_are_explained_in_one_line(run, command, text, complaint):
    result = run(command, text=text)
    assert result.exit_code == 1
    assert complaint in result.output
    assert "Traceback" not in result.output


def test_without_a_key_the_remedy_is_named(run):
    result = run("encrypt", text="x", keys="")
    assert result.exit_code == 1
    assert "ml-connector secrets generate-key" in result.output


def test_a_person_is_asked_twice_without_echo(run, monkeypatch):
    asked = {}

    def prompt(text, **how):
        asked.update(how, text=text)
        return "typed"

    monkeypatch.setattr(cli.click, "prompt", prompt)
    monkeypatch.setattr(cli, "_at_terminal", lambda: True)
    assert run("decrypt", text="").exit_code == 1
    encrypted = run("encrypt").output
    assert asked["hide_input"] is True
    assert asked["confirmation_prompt"] is True
    monkeypatch.setattr(cli, "_at_terminal", lambda: False)
    assert run("decrypt", text=encrypted).output == "typed\n"
