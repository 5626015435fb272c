"""Parameters of a session: of the account, of the login, and what ALTER SESSION set.

https://docs.snowflake.com/en/sql-reference/parameters: a session begins with the account's values (which an
administrator may have changed), the login's ``session_parameters`` and ALTER SESSION override them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake

from erp_sandbox.snowflake.refusals import compilation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACCOUNT: dict[str, str] = {}
"""What the account's administrator set; the server's ``--parameter``."""
_SESSIONS: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
_DEFAULTS = {
    "AUTOCOMMIT": "TRUE",
    "BINARY_INPUT_FORMAT": "HEX",
    "DATE_INPUT_FORMAT": "AUTO",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": "FALSE",
    "TIME_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    # Snowflake's own default is America/Los_Angeles; results of the sandbox are in UTC
    "TIMEZONE": "UTC",
}


def of_account(given: Iterable[str]) -> dict[str, str]:
    """Read ``NAME=VALUE``, as the command line has it.

    Raises:
        ValueError: If one has no name or no value.
    """
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not name.strip() or not equals:
            raise ValueError(f"{each!r} is not NAME=VALUE.")
        found[name.strip().upper()] = value.strip().strip("'")
    return found


def share(connection: Any, own: dict[str, str]) -> None:
    """Let statements see the parameters that a login gave its session.

    Args:
        connection: fakesnow's connection of the session.
        own: The session's parameters; ALTER SESSION changes them.
    """
    _SESSIONS[connection] = own
    connection._autocommit = is_true(parameters(connection)["AUTOCOMMIT"])  # noqa: SLF001


def begin(connection: Any, given: Mapping[str, Any]) -> None:
    """Give a new session the parameters of its login.

    Args:
        connection: fakesnow's connection of the session.
        given: The login's ``SESSION_PARAMETERS``, or ``parameters`` of a request to the SQL API.
    """
    share(
        connection, {str(name).upper(): _shown(value) for name, value in given.items() if value is not None}
    )


def parameters(connection: Any) -> dict[str, str]:
    """The session's parameters, the defaults included."""
    return {**_DEFAULTS, **ACCOUNT, **_SESSIONS.setdefault(connection, {})}


def is_true(value: str) -> bool:
    """A parameter that is on."""
    return value.upper() in {"TRUE", "ON", "1"}


def alter(connection: Any, sql: str) -> None:
    """Do ALTER SESSION.

    Args:
        connection: fakesnow's connection of the session.
        sql: The statement.

    Raises:
        Refusal: If it names no parameter.
    """
    tokens = [token.text for token in Snowflake().tokenize(sql) if token.text != ";"]
    action, rest = tokens[2].upper(), tokens[3:]
    own = _SESSIONS.setdefault(connection, {})
    if action == "UNSET" and rest:
        for name in rest:
            own.pop(name.upper(), None)
    elif action == "SET" and len(rest) >= 3 and "=" in rest:  # noqa: PLR2004 - a name, its sign and its value
        for place, word in enumerate(rest):
            if word == "=" and 0 < place < len(rest) - 1:
                own[rest[place - 1].upper()] = rest[place + 1]
    else:
        raise compilation("001003", "42000", "syntax error line 1 at position 14 unexpected '<EOF>'.")
    connection.autocommit(is_true(parameters(connection)["AUTOCOMMIT"]))


def fold(connection: Any, statement: exp.Expr) -> None:
    """Fold quoted names to upper case where the session ignores their case.

    https://docs.snowflake.com/en/sql-reference/identifiers-syntax#controlling-case-using-the-quoted-identifiers-ignore-case-parameter
    """
    if is_true(parameters(connection)["QUOTED_IDENTIFIERS_IGNORE_CASE"]):
        for identifier in statement.find_all(exp.Identifier):
            if identifier.args.get("quoted"):
                identifier.set("this", identifier.name.upper())


def _shown(value: Any) -> str:
    return str(value).upper() if isinstance(value, bool) else str(value)
