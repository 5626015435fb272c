"""What X3 may answer instead of data, in a person's words (reference sections 1.5 and 2.4)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ml_connector.extract.errors import ApiError, SignInRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN_ERROR = re.compile(r"\s*Error\s+(?P<number>\d+)\s*:", re.IGNORECASE)
_TOKEN_ERRORS = {
    "21": "the token is from the future: this machine's clock is ahead of the server's",
    "41": "the client_id (claim iss) is not that of a connected application",
    "42": (
        "the user (claim sub) is not the one that the connected application allows; capitals count, and it is"
        " the Syracuse login"
    ),
    "45": (
        "the audience (claim aud) is not the URL that the connected application is registered with; it is"
        " compared letter by letter"
    ),
    "50": (
        "the signature does not match, or the token lives too long: check client_secret, that token_lifetime"
        " is no longer than the application's tokens validity, and this machine's clock"
    ),
}
_ABSENT = re.compile(
    r"not activated|not licen[sc]ed|activity code|unknown (?:class|entity|endpoint|representation)"
    r"|\b(?:class|entity|endpoint|representation|node|folder|solution|page)\b[^.]*does not exist",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"\b(?:property|field|column|where|filter|order ?by|sort|syntax|parse|parsing|expression|criteria)\b",
    re.IGNORECASE,
)
_SIZE = re.compile(r"\b(?:first|count|page ?size|too (?:many|large)|maximum|limit)\b", re.IGNORECASE)
LONGEST = 300


SageX3Error = ApiError
"""What is said of X3 in a sentence."""


class RecordGone(Exception):  # noqa: N818 - an answer, not an error anybody is shown
    """The record that was asked for does not exist any more."""


def token_refused(status: int, text: str, *, renewed: bool) -> SignInRefused:
    """Explain a 401 (or 403) in words that name the setting to look at.

    Args:
        status: The HTTP status.
        text: The body.
        renewed: A token made for this very request was refused, too.
    """
    match = _TOKEN_ERROR.match(text)
    if match and (reason := _TOKEN_ERRORS.get(match["number"])):
        return SignInRefused(f"Sage X3 refuses the token (error {match['number']}): {reason}.")
    again = ", a fresh token too" if renewed else ""
    said = shortened(text)
    return SignInRefused(
        f"Sage X3 refuses the sign-in with status {status}{again}{f' ({said})' if said else ''}. Check"
        " username and password, or client_id, client_secret, user and audience; that the Syracuse user is"
        " active and mapped to an X3 user; and that nodelocal.js allows this kind of authentication."
    )


def diagnoses(document: object) -> str | None:
    """The error inside an answer of the REST services, also one of status 200.

    Args:
        document: The decoded body.

    Returns:
        Its messages; None if it bears no error.
    """
    if not isinstance(document, dict):
        return None
    entry = document if "$severity" in document else None
    return _told(document.get("$diagnoses"), entry)


def diagnoses_of(found: object, severity: object, message: object) -> str | None:
    """The error in the parts of an answer that can hold one.

    Args:
        found: Its `$diagnoses`.
        severity: Its `$severity`.
        message: Its `$message`.

    Returns:
        Its messages; None if it bears no error.
    """
    return _told(found, None if severity is None else {"$severity": severity, "$message": message})


def _told(found: object, entry: Mapping[str, Any] | None) -> str | None:
    alone = [] if entry is None else [entry]
    entries = found if isinstance(found, list) else alone
    texts = [_text(entry) for entry in entries if isinstance(entry, dict) and _is_error(entry)]
    return " ".join(texts) or None if texts else None


def is_absent(text: str) -> bool:
    """Whether an error says that a class, node or module is not there, rather than that it failed."""
    return _ABSENT.search(text) is not None


def is_about_question(text: str) -> bool:
    """Whether an error is about how the question was put: a property, a condition, an order."""
    return _QUESTION.search(text) is not None


def is_about_size(text: str) -> bool:
    """Whether an error is about how many records were asked for."""
    return _SIZE.search(text) is not None


def page_title(html: str) -> str:
    """What a page of HTML calls itself."""
    match = re.search(r"<title[^>]*>(.*?)</title>", html, re.IGNORECASE | re.DOTALL)
    return shortened(match[1] if match else html) or "without a title"


def describes_no_record(text: str) -> bool:
    """Whether a diagnosis says that the record is not there: `721 : Record does not exist`."""
    return "record does not exist" in text.lower() or text.strip().startswith("721")


def said_by(status: int, document: object, text: str) -> str:
    """The words of an error, whatever its form."""
    words = diagnoses(document)
    if words is None and isinstance(document, dict):
        errors = document.get("errors")
        if isinstance(errors, list):
            words = graphql_errors(errors)
        else:
            words = str(document.get("message") or document.get("$message") or "")
    words = words or shortened(text)
    reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return f"{status} {reason}{f': {words}' if words else ''}"


def graphql_errors(errors: list[Any]) -> str:
    """The messages of a GraphQL answer's `errors`, with their paths."""
    texts = []
    for error in errors:
        if not isinstance(error, dict):
            texts.append(shortened(str(error)))
            continue
        path = error.get("path")
        at = f" (at {'.'.join(map(str, path))})" if isinstance(path, list) and path else ""
        texts.append(f"{shortened(str(error.get('message') or 'no message'))}{at}")
    return " ".join(dict.fromkeys(texts))


def shortened(text: str) -> str:
    """A text without markup and line ends, no longer than a person likes."""
    plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}…"


def _is_error(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("$severity", "error")).lower() in {"error", "fatal", "severe"}


def _text(entry: Mapping[str, Any]) -> str:
    message = shortened(str(entry.get("$message") or "")) or "no message"
    code = entry.get("$dataCode")
    return f"{message} ({code})" if code else message
