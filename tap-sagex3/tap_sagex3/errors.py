"""What X3 may answer instead of data, in a person's words (reference sections 1.5 and 2.4)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

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
    r"not activated|not licen[sc]ed|activity code|does not exist|unknown (?:class|entity)", re.IGNORECASE
)
LONGEST = 300


class SageX3Error(Exception):
    """Something that a person has to see; the message says what and where, and what to do."""


class SignInRefused(SageX3Error):  # noqa: N818 - reads as the sentence it is
    """The credentials do not work: more attempts would not either."""


class StreamUnavailable(SageX3Error):  # noqa: N818 - reads as the sentence it is
    """This folder does not have what a stream reads: it is skipped, the others go on."""


class Refused(SageX3Error):  # noqa: N818 - reads as the sentence it is
    """The server did not like the question; another way to ask may work."""


class RightMissing(SageX3Error):  # noqa: N818 - reads as the sentence it is
    """The user may not read what was asked for; asking again would not help."""


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
    found = document.get("$diagnoses")
    entries = found if isinstance(found, list) else [document] if "$severity" in document else []
    texts = [_text(entry) for entry in entries if isinstance(entry, dict) and _is_error(entry)]
    return " ".join(texts) or None if texts else None


def is_absent(text: str) -> bool:
    """Whether an error says that a class, node or module is not there, rather than that it failed."""
    return _ABSENT.search(text) is not None


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
