"""Which errors pass, which end a stream, which end the run; and what they say."""

from __future__ import annotations

import pytest
from ml_connector.extract.errors import Refused, SignInRefused, StreamUnavailable
from ml_connector.extract.http import TryAgain

from tap_sageintacct.errors import (
    IntacctError,
    Said,
    SessionEnded,
    control_failed,
    result_failed,
    sign_in_failed,
)


def said(errorno="", description2="", correction="", description=""):
    return [Said(errorno, description, description2, correction)]


@pytest.mark.parametrize(
    ("errors", "kind", "words"),
    [
        (said("DL02000001", "There was an error processing the request."), TryAgain, "processing"),
        (said("", "The Service is Temporarily Off-line"), TryAgain, "Off-line"),
        (said("BL01001973", "It failed.", "Please Try Again Later"), TryAgain, "Try Again"),
        (said("XL03000006", "Too many operations are running"), TryAgain, "Too many"),
        (said("GW-0010", "Slow down."), TryAgain, "Slow down"),
        (said("x", "API rate limit exceeded"), TryAgain, "rate limit"),
        (said("PL04000005", "You do not have permission for API operation QUERY"), StreamUnavailable, "List and View"),
        (said("", "You do not have permission to view audit history"), StreamUnavailable, "audit"),
        (said("Query Failed", "Object definition NOPE not found"), StreamUnavailable, "NOPE"),
        (said("XL03000006", "Invalid session q...."), SessionEnded, "Invalid session"),
        (said("BL34000061", "Another Project exists [Support ID: Ess%7E1]"), IntacctError, "Another Project"),
    ],
)  # fmt: skip
def test_a_failed_result(errors, kind, words):
    problem = result_failed(errors, "VENDOR of SAMINC")
    assert type(problem) is kind
    assert words in str(problem)
    assert "Support ID" not in str(problem)


QUERIED = "The following fields cannot be queried: [\n vendor: [FOO, BAR.BAZ] ] [Support ID: x]"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("DL02000001", "Invalid fields; FOO, BAR.BAZ [Support ID: Ess%7EX]"),
        ("DL02000001", "There was an error processing the request: query: [FOO, BAR.BAZ]"),
        ("XL03000006", QUERIED),
        ("", QUERIED.replace("FOO, BAR.BAZ] ]", "FOO],\n contact: [BAR.BAZ] ]")),
    ],
)
def test_fields_that_a_company_does_not_have_are_read_from_the_error(number, text):
    problem = result_failed(said(number, text), "VENDOR")
    assert isinstance(problem, Refused)
    assert problem.what == "field"
    assert set(problem.fields) == {"FOO", "BAR.BAZ"}


def test_refused_sign_ins_name_the_settings():
    problem = sign_in_failed(said("XL03000006", "Sign-in information is incorrect"))
    assert type(problem) is SignInRefused
    assert "user_password" in str(problem)
    assert type(sign_in_failed(said("XL03000006", "Invalid session q...."))) is SessionEnded
    problem = control_failed(said("XL03000006", "Incorrect Intacct XML Partner ID or password."))
    assert "sender_password" in str(problem)
    assert type(control_failed(said("GW-0010", "", description="Not now"))) is TryAgain
    assert "to entity E100" in str(sign_in_failed(said("XL03000006", "Not a valid location"), "E100"))
    assert "could not read" in str(control_failed(said("XL03000003", "XML Parse schema error")))


def test_every_error_is_told_once():
    problem = result_failed([*said("A1", "First."), *said("A2", "Second."), *said("A1", "First.")], "X")
    assert str(problem) == "X: A1: First. A2: Second."
