"""Snowflake's errors as sentences with a remedy, and which of them pass.

Codes: https://docs.snowflake.com/en/user-guide/client-connectivity-troubleshooting,
https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting and the connector's ``errorcode``.
The two generations of the connector word the same refusal differently, so the text is looked at too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_connector.load.errors import LoadError, TooManyDeadLettersError, TransientLoadError
from singer_sdk.exceptions import MissingKeyPropertiesError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_ON = "log on"
"""Stands where a statement would, while the session is opened."""

_SESSION = frozenset({"390110", "390111", "390112", "390113", "390114", "390115", "390195"})
_PASSING = frozenset(
    {
        "000605",  # execution cancelled
        "000607",  # the warehouse is resuming
        "000625",  # transaction aborted by a lock wait
        "000630",  # statement timed out in the queue
        "250001",  # could not connect
        "250002",  # connection closed
        "250003",  # request failed
        "251001",  # no network
        "251005",  # retries exhausted
        "251012",
        "253003",  # upload failed
        "253007",
    }
)
_PASSING_HTTP = frozenset({408, 429})
_SERVER_ERROR = 500
_HTTP = re.compile(r"^29(0\d{3})$")
_NETWORK = re.compile(
    r"timed? ?out|connection (?:reset|refused|aborted|closed|error)|remote end closed|"
    r"temporarily unavailable|"
    r"\b(?:429|500|502|503|504)\b|network|broken pipe|max retries|error sending request|connect error|"
    r"session (?:has )?expired|token (?:has )?expired",
    re.IGNORECASE,
)
_MOST_TEXT = 500
_MOST_STATEMENT = 160


class MissingKeysError(TooManyDeadLettersError, MissingKeyPropertiesError):
    """Too many records were rejected, the last of them for want of a key property."""


class _Remedy(NamedTuple):
    codes: frozenset[str]
    words: tuple[str, ...]
    log_on: bool
    says: str

    def fits(self, code: str | None, text: str, sql: str) -> bool:
        if self.log_on and sql != LOG_ON and code not in self.codes:
            return False
        return code in self.codes or any(word in text for word in self.words)


_REMEDIES = (
    _Remedy(
        frozenset({"390144", "394300", "394301", "394302", "394303", "394304"}),
        ("jwt",),
        log_on=True,
        says="Snowflake refuses the private key of user {user} in account {account}: {text} Check account and"
        " user, that the user has this key's public half (ALTER USER {user} SET RSA_PUBLIC_KEY = ...), and"
        " this machine's clock.",
    ),
    _Remedy(
        frozenset({"390303", "394400", "394401", "394402", "394403", "394404"}),
        ("access token", "token is invalid", "invalid token", "invalid oauth", "programmatic"),
        log_on=True,
        says="Snowflake refuses the access token of user {user} in account {account}: {text} Make a new one"
        " (ALTER USER {user} ADD PROGRAMMATIC ACCESS TOKEN ...), put it into the setting token, and check the"
        " network policy.",
    ),
    _Remedy(
        frozenset({"390100", "390101", "390102", "390189", "390190", "390186"}),
        ("incorrect username", "user access disabled", "not authorized", "authentication failed", "role '"),
        log_on=True,
        says="Snowflake refuses user {user} in account {account}: {text} Check account, user and role, and"
        " that the user is not disabled.",
    ),
    _Remedy(
        frozenset({"290403", "390420", "390422"}),
        ("is not allowed to access snowflake", "403 forbidden", "http 403"),
        log_on=False,
        says="Snowflake does not let this machine in: {text} Check the account's network policy and the"
        " settings host and account.",
    ),
    _Remedy(
        frozenset({"290404"}),
        ("404 not found", "http 404"),
        log_on=True,
        says="There is no Snowflake account {account} at this address: {text} Check the settings account"
        " and host.",
    ),
    _Remedy(
        frozenset({"000606"}),
        ("no active warehouse",),
        log_on=False,
        says="No warehouse runs for user {user}: {text} Set warehouse, GRANT USAGE on it to the role, and let"
        " it AUTO_RESUME or resume it.",
    ),
    _Remedy(
        frozenset({"090073"}),
        ("cannot be resumed",),
        log_on=False,
        says="The warehouse cannot be resumed: {text} Look at its resource monitor and at the role's"
        " grants on it.",
    ),
    _Remedy(
        frozenset({"090105", "090106"}),
        ("does not have a current database",),
        log_on=False,
        says="Database {database} does not exist, or role {role} may not use it: {text} Create it, or"
        " GRANT USAGE, CREATE SCHEMA ON DATABASE {database} TO ROLE {role}.",
    ),
    _Remedy(
        frozenset({"003001"}),
        ("insufficient privileges",),
        log_on=False,
        says="Role {role} lacks a privilege: {text} The target's README lists what to grant. The statement"
        " was: {sql}",
    ),
    _Remedy(
        frozenset({"002003", "002043"}),
        ("does not exist or not authorized",),
        log_on=False,
        says="Snowflake does not know an object, or role {role} may not see it: {text} Check database,"
        " default_target_schema and role. The statement was: {sql}",
    ),
)


def explained(error: Exception, sql: str, arguments: Mapping[str, Any]) -> LoadError:
    """Turn any error of the connector into one of ours.

    Args:
        error: What the connector raised.
        sql: The statement, or :data:`LOG_ON`.
        arguments: The connection's arguments, for names; its secrets are not used.
    """
    raw = str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error)
    text = _sentence(raw)
    code = _code(error, text)
    if code in _SESSION and not (sql == LOG_ON and code == "390110"):
        return TransientLoadError(f"The session has ended: {text}", code=code)
    for remedy in _REMEDIES:
        if remedy.fits(code, text.lower(), sql):
            names = {name: arguments.get(name) or "(unset)" for name in ("user", "account", "database")}
            role = arguments.get("role") or "of the user"
            return LoadError(remedy.says.format(text=text, sql=_short(sql), role=role, **names), code=code)
    if _passes(code, text):
        return TransientLoadError(f"Snowflake did not answer properly: {text}", code=code)
    return LoadError(f"Snowflake refused a statement: {text} The statement was: {_short(sql)}", code=code)


def _passes(code: str | None, text: str) -> bool:
    if code is None:
        return _NETWORK.search(text) is not None
    if http := _HTTP.match(code):
        status = int(http[1])
        return status in _PASSING_HTTP or status >= _SERVER_ERROR
    return code in _PASSING


def _code(error: Exception, text: str) -> str | None:
    """Find the six digits; the general code of a failed login hides a better one in its text."""
    number = getattr(error, "errno", None)
    code = f"{number:06d}" if isinstance(number, int) and number > 0 else None
    if code in {None, "250001"} and (match := re.search(r"\b(39\d{4}|29\d{4}|00\d{4}|09\d{4})\b", text)):
        return match[1]
    return code


def _sentence(raw: str) -> str:
    text = " ".join(raw.split())[:_MOST_TEXT]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= _MOST_STATEMENT else f"{text[:_MOST_STATEMENT]}..."
