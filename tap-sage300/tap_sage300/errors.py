"""What can go wrong with a Sage 300 server, in words a person can act on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from ml_connector.extract.errors import (
    ApiError,
    Denied,
    Refused,
    SignInRefused,
    StreamUnavailable,
    Transient,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED = 400, 401, 403, 404, 405
_URI_TOO_LONG, _SERVER_ERROR = 414, 500

PERMANENT_CODES = frozenset(
    {
        "unauthorized",
        "forbidden",
        "invalidparameters",
        "resourcenotfound",
        "invalidentitykey",
        "recordnotfound",
        "methodnotallowed",
        "invalidpayload",
        "invalidaction",
    }
)
"""Codes (in lower case) that the same request will meet again."""

_TITLE = re.compile(r"<(title|h1|h2)[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_NOT_ACTIVATED = re.compile(
    r"not\s+(?:been\s+)?(?:activated|licen[cs]ed|installed)|no\s+licen[cs]e|(?:activate|licen[cs]e)\s+the\s+(?:module|application)",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(r"404\.1[45]|too long", re.IGNORECASE)
_LONGEST_MESSAGE = 500


class Where(NamedTuple):
    """What was asked for, to be named in errors."""

    company: str
    module: str
    entity_set: str
    user: str

    def __str__(self) -> str:
        """Name the resource as its address does."""
        return f"{self.company}/{self.module}/{self.entity_set}"


class ErrorBody(NamedTuple):
    """The two things every spelling of an error says; either may be empty."""

    code: str
    message: str


def error_in(document: Any) -> ErrorBody | None:
    """Find an error object in a decoded answer, whatever its HTTP status.

    Knows `{"error": {"code", "message": {"lang", "value"}}}`, the message as plain text, `error` as plain
    text, the v3 spelling `odata.error`, and ASP.NET's own `{"Message", "ExceptionMessage", "MessageDetail"}`.

    Args:
        document: A decoded JSON value.

    Returns:
        The error, or None when the document is not one. A record of an entity set is never mistaken for an
        error: an object that has `value` or `@odata.context` and no error object is data.
    """
    if not isinstance(document, dict):
        return None
    for name in ("error", "odata.error", "Error"):
        error = document.get(name)
        if isinstance(error, dict):
            return _body(error)
        if isinstance(error, str) and "value" not in document and "@odata.context" not in document:
            return ErrorBody(error, str(document.get("error_description") or error))
    if isinstance(document.get("Message"), str) and not {"value", "@odata.context"} & document.keys():
        details = (document.get("ExceptionMessage"), document.get("MessageDetail"))
        return ErrorBody("", _tidy(" ".join([document["Message"], *(str(text) for text in details if text)])))
    return None


def read_error(content: bytes) -> ErrorBody:
    """Read the body of a 4xx or 5xx answer: JSON, HTML from IIS, plain text, or nothing.

    Args:
        content: The raw body.

    Returns:
        Code and message; HTML is reduced to its title.
    """
    text = content.decode("utf-8", errors="replace").strip().lstrip("\ufeff")
    try:
        found = error_in(msgspec.json.decode(text))
    except msgspec.DecodeError:
        found = None
    if found is not None:
        return found
    if "<" in text[:200]:
        return ErrorBody("", html_title(text))
    return ErrorBody("", _tidy(text))


def html_title(text: str) -> str:
    """Reduce an HTML page to its title or headings, else to its first words.

    Args:
        text: The page.

    Returns:
        One line of plain text.
    """
    headings: list[str] = []
    for _, inner in _TITLE.findall(text):
        heading = _tidy(_TAG.sub(" ", inner))
        if heading and heading not in headings:
            headings.append(heading)
    return ": ".join(headings[:2]) if headings else _tidy(_TAG.sub(" ", text))[:200]


def is_html(content: bytes) -> bool:
    """Tell whether a body is a web page rather than JSON."""
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def says_not_activated(body: ErrorBody) -> bool:
    """Tell whether an error says that the company does not have the module."""
    return bool(_NOT_ACTIVATED.search(f"{body.code} {body.message}"))


class AddressTooLong(Refused):
    """The server, or IIS before it, does not take an address of this length."""


def explain(status: int, content: bytes, where: Where, *, reached_before: bool = False) -> ApiError:
    """Make the error for an answer that is final.

    Args:
        status: The HTTP status; below 400 for an error wrapped in a success.
        content: The raw body.
        where: What was asked for.
        reached_before: An earlier request of this session succeeded, so address and login are right.

    Returns:
        The error to raise. The machine-readable code decides before status and message do.
    """
    body = read_error(content)
    said = f" The server says: {_quoted(body)}." if body.message or body.code else ""
    kind, sentence = _judge(status, body, where, page=is_html(content), reached_before=reached_before)
    return kind(f"{sentence}{said}")


def _broken_page(message: str) -> ApiError:
    return Transient(message, answered=True)


def _judge(  # noqa: C901, PLR0911 - one line a case, most telling first
    status: int, body: ErrorBody, where: Where, *, page: bool, reached_before: bool
) -> tuple[Callable[[str], ApiError], str]:
    code = body.code.lower()
    if says_not_activated(body):
        return StreamUnavailable, f"Company {where.company} has module {where.module} not activated."
    if code == "unauthorized" or status == UNAUTHORIZED:
        return SignInRefused, _login_refused(where)
    if code == "forbidden" or status == FORBIDDEN:
        return Denied, _not_allowed(where)
    if status == _URI_TOO_LONG or (page and _TOO_LONG.search(body.message)):
        return AddressTooLong, f"The server does not take an address of this length for {where}."
    if code == "recordnotfound":
        return ApiError, f"{where} has no such record."
    if code == "methodnotallowed" or status == METHOD_NOT_ALLOWED:
        return StreamUnavailable, f"{where} cannot be read on this server."
    if code == "resourcenotfound" or status == NOT_FOUND:
        if page:
            return ApiError, (
                f"There is no Sage 300 Web API at the address asked for {where}; base_url must end in /v1.0/-"
                " as the server has it, for example https://HOST/Sage300WebApi/v1.0/-."
                if not reached_before
                else f"Instead of {where} the server sent a page that says 404, which is not the Web API's"
                " own answer: it may have been starting."
            )
        return StreamUnavailable, (
            f"The server does not know {where}: the company lacks the module, or this version the set."
        )
    if status == BAD_REQUEST:
        return Refused, f"The server did not accept the request for {where}."
    if BAD_REQUEST <= status < _SERVER_ERROR:
        return _broken_page, f"Reading {where} failed with status {status}."
    how = f"with status {status}" if status >= BAD_REQUEST else "though the status says success"
    return _broken_page, f"Reading {where} failed {how}."


def _login_refused(where: Where) -> str:
    return (
        f"Sage 300 refused the login of user {where.user} in company {where.company}: check username and"
        " password (a Sage 300 user, not a Windows one), and that the account is neither locked nor expired."
    )


def _not_allowed(where: Where) -> str:
    if where.user == "ADMIN":
        return (
            "The built-in user ADMIN has no rights in the Web API: use another user (username), or set"
            " AllowWebApiAccessForAdmin to true in Online\\Web\\web.config and Online\\WebApi\\web.config."
        )
    return (
        f"User {where.user} may not read {where}: in Sage 300 give the user's security group of application"
        f" {where.module} the authorization 'Sage 300 Web API' and the rights to view these records."
    )


def _body(error: Mapping[str, Any]) -> ErrorBody:
    message = error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    texts = [str(message)] if message else []
    inner = error.get("innererror") or error.get("innerError")
    if isinstance(inner, dict) and inner.get("message") and str(inner["message"]) not in texts:
        texts.append(str(inner["message"]))
    return ErrorBody(str(error.get("code") or ""), _tidy(" ".join(texts)))


def _quoted(body: ErrorBody) -> str:
    return ": ".join(part for part in (body.code, body.message.rstrip(".")) if part)


def _tidy(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]}..."
