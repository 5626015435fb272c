"""Snowflake's errors as sentences, and which of them pass.

Codes: https://docs.snowflake.com/en/user-guide/client-connectivity-troubleshooting and the connector's
``errorcode`` module.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ml_connector.load.errors import LoadError, TransientLoadError

if TYPE_CHECKING:
    from collections.abc import Mapping

TRANSIENT = frozenset(
    {
        "390111",  # session gone
        "390112",  # session expired
        "390114",  # authentication token expired
        "390195",  # id token invalid, a new one is asked for
        "000605",  # execution cancelled
        "000625",  # transaction aborted by a lock wait
        "000630",  # statement timed out in the queue
        "250001",  # could not connect
        "250002",  # connection closed
        "250003",  # request failed
        "251001",
        "251005",  # retries exhausted
        "253003",  # upload failed
        "253007",
    },
)
PERMANENT_LOGIN = (
    "jwt",
    "incorrect username",
    "token is invalid",
    "authentication",
    "not authorized",
    "user access disabled",
)
_NETWORK = re.compile(
    r"timed? ?out|connection (?:reset|refused|aborted|closed|error)|remote end closed|temporarily|"
    r"\b(?:429|502|503|504)\b|network|broken pipe|max retries|error sending request|connect error",
    re.IGNORECASE,
)


def explained(error: Exception, sql: str, arguments: Mapping[str, Any]) -> LoadError:
    """Turn any error of the connector into one of ours.

    Args:
        error: What the connector raised.
        sql: The statement, or what was being done.
        arguments: The connection's arguments, for names; its secrets are not used.
    """
    raw = str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error)
    text = " ".join(raw.split())[:600]
    number = getattr(error, "errno", None)
    code = f"{int(number):06d}" if isinstance(number, int) and number > 0 else _code_in(text)
    lowered = text.lower()
    who = f"user {arguments.get('user')} of account {arguments.get('account')}"
    if code in {"390144", "390100", "390101", "394304", "390303"} or (
        sql == "log on" and any(mark in lowered for mark in PERMANENT_LOGIN)
    ):
        return LoadError(
            f"Snowflake refuses {who}: {text} Check user and account, and that the public key of this private"
            " key is set on the user (ALTER USER … SET RSA_PUBLIC_KEY) or that the token has not expired.",
            code=code,
        )
    if code == "000606" or "no active warehouse" in lowered:
        return LoadError(
            f"No warehouse runs for {who}: name one in the setting warehouse, grant USAGE on it, and let it"
            " AUTO_RESUME or resume it.",
            code=code,
        )
    if code == "003001" or "insufficient privileges" in lowered:
        return LoadError(
            f"Role {arguments.get('role') or 'of the user'} lacks a privilege: {text} Grant it; the README"
            f" lists what the target needs. The statement was: {_short(sql)}",
            code=code,
        )
    if code in TRANSIENT or (code is None and _NETWORK.search(text)):
        return TransientLoadError(f"Snowflake did not answer properly: {text}", code=code)
    if code == "002003":
        return LoadError(
            f"Snowflake does not know an object, or the role may not see it: {text} Check database,"
            f" default_target_schema and role. The statement was: {_short(sql)}",
            code=code,
        )
    return LoadError(f"Snowflake refused a statement: {text} The statement was: {_short(sql)}", code=code)


def _code_in(text: str) -> str | None:
    match = re.match(r"\s*(?:\w+:\s*)?(\d{6})\b", text)
    return match[1] if match else None


def _short(sql: str) -> str:
    return " ".join(sql.split())[:200]
