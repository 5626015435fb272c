"""Snowflake's errors as sentences with a remedy.

The two generations of the connector word the same refusal differently, so codes and texts are looked at:
https://docs.snowflake.com/en/user-guide/client-connectivity-troubleshooting,
https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ml_connector import secrets
from ml_connector.load.errors import LoadError, TooManyDeadLettersError, TransientLoadError
from singer_sdk.exceptions import MissingKeyPropertiesError

from target_snowflake_ml.failures import SESSION, failure_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_snowflake_ml.failures import Failure

LOG_ON = "log on"
"""Stands where a statement would, while the session is opened."""

_ID_TOKEN_ENDED = "390110"  # noqa: S105 - a code
_ACCESS_TOKEN_ENDED = frozenset({"390318"})
_MOST_TEXT = 500
_MOST_STATEMENT = 160


class MissingKeysError(TooManyDeadLettersError, MissingKeyPropertiesError):
    """Too many records were rejected, the last of them for want of a key property."""


class _Remedy(NamedTuple):
    """A kind of refusal.

    ``words`` tell it where the code does not; ``log_on``: only while the session is opened.
    """

    codes: frozenset[str]
    words: tuple[str, ...]
    log_on: bool
    says: str

    def fits(self, failure: Failure, text: str, sql: str) -> bool:
        if failure.code in self.codes:
            return True
        return (sql == LOG_ON or not self.log_on) and any(word in text for word in self.words)


_REMEDIES = (
    _Remedy(
        frozenset({"390144", *(f"39430{number}" for number in range(7))}),
        ("jwt",),
        log_on=True,
        says="Snowflake refuses the private key of user {user} in account {account}: {text} Check account and"
        " user, that the user has this key's public half (ALTER USER {user} SET RSA_PUBLIC_KEY = ...), and"
        " this machine's clock.",
    ),
    _Remedy(
        frozenset({"390302", "390303", "390317", "390318"}),
        ("oauth",),
        log_on=True,
        says="Snowflake refuses the OAuth access token in account {account}: {text} Check that it has not"
        " ended, that the security integration trusts its issuer and audience, that it maps to a user, and"
        " that its scope allows role {role}.",
    ),
    _Remedy(
        frozenset({f"39440{number}" for number in range(5)}),
        ("access token", "token is invalid", "invalid token", "programmatic"),
        log_on=True,
        says="Snowflake refuses the access token of user {user} in account {account}: {text} Make a new one"
        " (ALTER USER {user} ADD PROGRAMMATIC ACCESS TOKEN ...), put it into the setting token, and check the"
        " network policy.",
    ),
    _Remedy(
        frozenset({"251017", "251018", "251021"}),
        ("workload identity", "attestation"),
        log_on=True,
        says="Signing in as the identity of this workload failed: {text} Check workload_identity_provider,"
        " that this machine runs as that identity, and the user's WORKLOAD_IDENTITY (ALTER USER ... SET"
        " WORKLOAD_IDENTITY = ...).",
    ),
    _Remedy(
        frozenset({"390102"}),
        ("temporarily locked",),
        log_on=True,
        says="Snowflake has locked user {user} in account {account} for a while: {text} Correct what was"
        " refused before, then wait, or unlock the user (ALTER USER {user} SET MINS_TO_UNLOCK = 0).",
    ),
    _Remedy(
        frozenset({"390186", "390189"}),
        ("role '", "requested role"),
        log_on=True,
        says="User {user} may not use role {role}: {text} Check the setting role, or GRANT ROLE {role} TO"
        " USER {user}.",
    ),
    _Remedy(
        frozenset({"390100", "390101", "390190"}),
        ("incorrect username", "user access disabled", "not authorized", "authentication failed"),
        log_on=True,
        says="Snowflake refuses user {user} in account {account}: {text} Check account, user and role, and"
        " that the user is not disabled.",
    ),
    _Remedy(
        frozenset({"290403", "390420", "390422"}),
        ("is not allowed to access snowflake",),
        log_on=False,
        says="Snowflake does not let this machine in: {text} Check the account's network policy and the"
        " settings host and account.",
    ),
    _Remedy(
        frozenset({"290404"}),
        ("404 not found",),
        log_on=True,
        says="There is no Snowflake account {account} at this address: {text} Check the settings account"
        " and host.",
    ),
    _Remedy(
        frozenset({"390201"}),
        (),
        log_on=False,
        says="Snowflake does not know the database, warehouse or role of the settings, or the user may not"
        " use it: {text} Check database, warehouse and role, and that role {role} has USAGE on them.",
    ),
    _Remedy(
        frozenset({"290413"}),
        ("413 payload", "413 request entity"),
        log_on=False,
        says="The statement is longer than Snowflake takes: {text} Lower small_batch_bytes.",
    ),
    _Remedy(
        frozenset({"000606"}),
        ("no active warehouse",),
        log_on=False,
        says="No warehouse runs for user {user}: {text} Set warehouse, GRANT USAGE on it to the role, and let"
        " it AUTO_RESUME or resume it.",
    ),
    _Remedy(
        frozenset({"000608", "090073"}),
        ("cannot be resumed", "exceeded its quota", "resource monitor"),
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


def explained(
    error: BaseException, sql: str, settings: Mapping[str, Any], *, renewable: bool = False
) -> LoadError:
    """Turn any error of a connection into one of ours.

    Args:
        error: What was raised; one that is ours already is given back.
        sql: The statement, or :data:`LOG_ON`.
        settings: Names for the sentence: account, user, database, role; its secrets are not used.
        renewable: Whether another attempt gets itself another access token.
    """
    if isinstance(error, LoadError):
        return error
    failure = failure_of(error)
    text = _sentence(failure.text)
    code = failure.code
    if code in SESSION and not (sql == LOG_ON and code in {_ID_TOKEN_ENDED, "290401"}):
        return TransientLoadError(f"The session has ended: {text}", code=code)
    if renewable and code in _ACCESS_TOKEN_ENDED:
        return TransientLoadError(f"The access token has ended: {text}", code=code)
    if failure.passes:
        said = "Snowflake did not answer properly" if failure.below else "Snowflake could not do it now"
        return TransientLoadError(f"{said}: {text}", code=code)
    return LoadError(_refusal(failure, text, sql, settings), code=code)


def _refusal(failure: Failure, text: str, sql: str, settings: Mapping[str, Any]) -> str:
    """A sentence for what cannot pass."""
    if failure.certificate:
        return (
            f"No TLS connection to Snowflake: {text} If the certificate is right, have this machine trust the"
            " authority that signed it; if the port speaks plain HTTP, correct protocol and port."
        )
    statement = _short(failure.statement or sql)
    for remedy in _REMEDIES:
        if remedy.fits(failure, text.lower(), sql):
            names = {name: settings.get(name) or "(unset)" for name in ("user", "account", "database")}
            role = settings.get("role") or "of the user"
            return remedy.says.format(text=text, sql=statement, role=role, **names)
    if sql == LOG_ON:
        return (
            f"Signing in to account {settings.get('account')} failed: {text} Check account, host and what the"
            " settings sign in with."
        )
    return f"Snowflake refused a statement: {text} The statement was: {statement}"


def _sentence(raw: str) -> str:
    text = secrets.redact(" ".join(raw.split())[:_MOST_TEXT])
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _short(sql: str) -> str:
    text = secrets.redact(" ".join(sql.split()))
    return text if len(text) <= _MOST_STATEMENT else f"{text[:_MOST_STATEMENT]}..."
