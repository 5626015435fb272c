"""What an error of the connector or the SQL API is: its code, and whether it passes.

Codes: ``snowflake.connector.errorcode`` of 4.8 (250xxx to 255xxx are the connector's own, 290xxx are 290000
and the HTTP status, where some of its classes add 290000 twice: 580503), ``_internal/error_kinds.py`` of 5.2
(1 to 15 are kinds of failures in its core, with no SQL state or with HYT00), and for Snowflake's own
https://docs.snowflake.com/en/user-guide/client-connectivity-troubleshooting. What is not known to be
permanent and happened below SQL is taken to pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SEVERAL = "100132"
"""The code of any failure in a request of several statements; the cause is in its text."""
SESSION = frozenset(
    {
        "390104",
        "390110",
        "390111",
        "390112",
        "390113",
        "390114",
        "390115",
        "390195",
        "290401",
        "250002",
        "252006",
    }
)
"""The session is gone: it ended, was closed or replaced, or its token is no longer known."""

_PASSING = frozenset(
    {
        "000603",  # internal error of Snowflake, with the number of an incident
        "000604",  # cancelled
        "000605",
        "000607",  # the warehouse is resuming
        "000625",  # too many wait for a lock, or one waited too long
        "000626",
        "000629",
        "000630",  # the time-out of the statement or the warehouse; what it did may have been committed
    }
)
_INTERNAL = re.compile(r"30\d{4}$")
"""Errors inside Snowflake, such as 300002 and 300010."""
_PASSING_WORDS = re.compile(
    r"\block(?:ed|s)?\b|deadlock|number of waiters|time-?out|timed out|cancell?ed|"
    r"(?:is|being) resum|internal error|service is (?:currently )?unavailable|try again",
    re.IGNORECASE,
)
"""How these read inside a request of several statements."""

_OWN_PERMANENT = frozenset(
    {
        *("250004", "250007", "250008", "250009", "250011", "250012"),
        *(f"2510{number:02d}" for number in (*range(1, 10), 13, 14, 15, 17, 18, 19, 20, 21)),
        *("252001", "252003", "252004", "252008", "252011", "252012"),
        *("253001", "253004", "253005", "253006", "253007"),
        *("254005", "254007", "254009", "254010"),
        *(f"25500{number}" for number in range(1, 7)),
    }
)
"""Wrong settings, missing files and packages: what the connector itself says of the machine it is on."""
_CORE_PERMANENT = frozenset({2, 3, 7, 8, 10, 12})
"""Not implemented, invalid argument, missing or invalid parameter, local file not found, compression."""
_MOST_KINDS = 15

NO_CODE = 290_000
"""The code of an answer without one is its HTTP status more than this."""
_CONNECTOR = range(250_000, 260_000)
_STATUSES = range(100, 600)
_BY_CLASS = {
    "BadRequest": 400,
    "ForbiddenError": 403,
    "MethodNotAllowed": 405,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "BadGatewayError": 502,
    "ServiceUnavailableError": 503,
    "GatewayTimeoutError": 504,
}
"""Classes of 4.x whose number is another error's."""
_STATUS = re.compile(r"(?:error status|last status):? (\d{3})\b|^HTTP (\d{3})\b")
_PASSING_STATUS = frozenset({408, 421, 425, 429})
_SERVER_ERROR = 500
_UNAUTHORIZED = 401
_HIDDEN = re.compile(r"\b(39\d{4})\b")
"""A refused login inside the connector's own 250001."""
_CERTIFICATE = re.compile(
    r"certificate verify failed|invalid peer certificate|non-retryable ssl|hostname mismatch|self.signed|"
    r"invalidcontenttype|corrupt message|wrong version number",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r'multiple statements failed on statement "(?P<statement>.*)" \(at line \d+, position \d+\)\.?\s*'
    r"(?P<cause>.*)",
    re.DOTALL,
)
_SEVERAL_END = re.compile(r"\s+in SYSTEM\$MULTISTMT\b.*", re.DOTALL)
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True)
class Failure:
    """What went wrong.

    Attributes:
        code: Six digits, Snowflake's or the connector's; None if there are none.
        text: What was said.
        below: Whether it happened below SQL: nothing is known of the statement.
        status: The HTTP status, if it was one.
        statement: The statement that failed, of several in one request.
        final: Whether it is known to be permanent.
    """

    code: str | None
    text: str
    below: bool = False
    status: int | None = None
    statement: str | None = None
    final: bool = False

    @property
    def certificate(self) -> bool:
        """Whether the two sides could not agree on TLS."""
        return self.below and _CERTIFICATE.search(self.text) is not None

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later."""
        if self.final or self.certificate or self.code in _OWN_PERMANENT:
            return False
        if self.status is not None:
            return self.status in _PASSING_STATUS or self.status >= _SERVER_ERROR
        if self.code in {None, SEVERAL} and not self.below:
            return _PASSING_WORDS.search(self.text) is not None
        return self.below or self.code in _PASSING or _INTERNAL.match(str(self.code)) is not None


class ApiError(Exception):
    """What an answer of the SQL API says went wrong, in the shape of the connector's errors.

    Args:
        status: The HTTP status.
        answer: The answer's JSON.
    """

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        self.raw_msg = str(answer.get("message") or f"HTTP {status}")
        code = str(answer.get("code") or "")
        self.errno = int(code) if code.isdigit() else NO_CODE + status
        self.sqlstate = answer.get("sqlState")
        super().__init__(self.raw_msg)


class GaveUpError(Exception):
    """The connector's own repetitions are used up; the context says what failed last."""


def failure_of(error: BaseException) -> Failure:
    """Find out what an error is.

    Args:
        error: What the connector raised, or an :class:`ApiError`.
    """
    error = _cause(error)
    text = str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error)
    number = getattr(error, "errno", None)
    if not isinstance(number, int) or not hasattr(error, "sqlstate"):
        return Failure(None, f"{type(error).__name__}: {text}", below=_is_transport(error))
    state = error.sqlstate if error.sqlstate not in {None, "", "n/a"} else None
    status = _BY_CLASS.get(type(error).__name__) or _status(number, text)
    http = None if status is None else f"{NO_CODE + status:06d}"
    if number <= _MOST_KINDS and state in {None, "HYT00"}:
        return Failure(http, text, below=True, status=status, final=number in _CORE_PERMANENT)
    if number in _CONNECTOR and (hidden := _HIDDEN.search(text)):
        return Failure(hidden[1], text)
    code = http or f"{number:06d}"
    if code == SEVERAL and (found := _SEVERAL.search(text)):
        cause = _SEVERAL_END.sub("", found["cause"])
        return Failure(code, cause, statement=found["statement"])
    below = status is not None or number in _CONNECTOR
    final = type(error).__name__ == "NonRetryableTlsError"
    return Failure(code, text, below=below, status=status, final=final)


def _cause(error: BaseException) -> BaseException:
    """The failure that was repeated until it was given up."""
    if not isinstance(error, GaveUpError) or error.__context__ is None:
        return error
    last = error.__context__
    inner = last.args[0] if last.args else None
    return inner if isinstance(inner, BaseException) else last


def _status(number: int, text: str) -> int | None:
    for base in (2 * NO_CODE, NO_CODE):
        if number - base in _STATUSES:
            return number - base
    if (number in _CONNECTOR or number <= _MOST_KINDS) and (found := _STATUS.search(text)):
        return int(found[1] or found[2])
    return None


def _is_transport(error: BaseException) -> bool:
    """Whether an error that is not of the connector's classes came from below it.

    Libraries of HTTP and sockets raise their own; and an answer that is not what the connector expects makes
    it stumble in its own code.
    """
    if isinstance(error, OSError):
        return True
    if type(error).__module__.startswith(
        ("snowflake.connector", "requests", "urllib3", "OpenSSL", "http.client")
    ):
        return True
    if not isinstance(error, _MALFORMED):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return str(place).startswith("snowflake.connector")
