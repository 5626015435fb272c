"""Which way to sign in the settings say, and whether they say all that it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_connector import secrets
from ml_connector.load.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_PAIR = "key_pair"
TOKEN = "token"  # noqa: S105 - the name of a way to sign in
OAUTH = "oauth"
OAUTH_CLIENT_CREDENTIALS = "oauth_client_credentials"
WORKLOAD_IDENTITY = "workload_identity"
PROVIDERS = ("AWS", "AZURE", "GCP", "OIDC")

SECRETS = (
    "private_key",
    "private_key_passphrase",
    "token",
    "oauth_token",
    "oauth_client_secret",
    "workload_identity_token",
)
_HEADERS = ("token", "oauth_token", "workload_identity_token")
"""Secrets that travel in a header or a URL's form, where no line break and no space can be."""


class _Method(NamedTuple):
    """What a way to sign in takes: of each group one setting at least."""

    takes: tuple[tuple[str, ...], ...]


METHODS = {
    TOKEN: _Method((("token",),)),
    KEY_PAIR: _Method((("user",), ("private_key", "private_key_path"))),
    OAUTH: _Method((("oauth_token",),)),
    OAUTH_CLIENT_CREDENTIALS: _Method(
        (("oauth_client_id",), ("oauth_client_secret",), ("oauth_token_request_url",))
    ),
    WORKLOAD_IDENTITY: _Method((("workload_identity_provider",),)),
}
"""Every way, in the order in which the first that any setting speaks of is taken."""


def cleaned(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without what an editor or a shell leaves around a secret, known to the redactor.

    A line break at the end of a token would make the HTTP library refuse its header, and quote it.

    Args:
        config: The settings, secrets in plain text.

    Raises:
        LoadError: If a token has a character that no token has.
    """
    settings = dict(config)
    for name in SECRETS:
        value = settings.get(name)
        if value is None:
            continue
        # a passphrase may end with a space that is meant
        text = str(value).strip("\r\n") if name == "private_key_passphrase" else str(value).strip()
        if name in _HEADERS and not all(33 <= ord(letter) < 127 for letter in text):  # noqa: PLR2004 - printable ASCII
            raise LoadError(
                f"The setting {name} has a space, a line break or another character that no token has inside:"
                " copy it again."
            )
        secrets.remember(text)
        settings[name] = text or None
    return settings


def method_of(config: Mapping[str, Any]) -> str:
    """The way to sign in: what ``authenticator`` says, else what other settings there are.

    Args:
        config: The settings.

    Raises:
        LoadError: If they name none, or not all that it takes.
    """
    method = config.get("authenticator") or next(
        (name for name, way in METHODS.items() if _speaks_of(way, config)), None
    )
    if method is None:
        raise LoadError(
            "Nothing says how to sign in: set private_key or private_key_path with user, or token, or"
            " oauth_token, or oauth_client_id with oauth_client_secret and oauth_token_request_url, or"
            " workload_identity_provider."
        )
    if method not in METHODS:
        raise LoadError(f"The setting authenticator is {method!r}; it takes {', '.join(sorted(METHODS))}.")
    if missing := missing_settings(method, config):
        raise LoadError(f"To sign in with {method.replace('_', ' ')}, set {' and '.join(missing)} too.")
    provider = str(config.get("workload_identity_provider") or "").upper()
    if method == WORKLOAD_IDENTITY and provider not in PROVIDERS:
        raise LoadError(f"The setting workload_identity_provider takes {', '.join(PROVIDERS)}.")
    return str(method)


def missing_settings(method: str, config: Mapping[str, Any]) -> list[str]:
    """What a way to sign in takes and the settings do not say."""
    groups = [*METHODS[method].takes]
    if method == WORKLOAD_IDENTITY and str(config.get("workload_identity_provider")).upper() == "OIDC":
        groups.append(("workload_identity_token", "workload_identity_token_path"))
    return [" or ".join(group) for group in groups if not any(config.get(name) for name in group)]


def workload_token(config: Mapping[str, Any]) -> str | None:
    """The ID token for the provider OIDC; a file is read anew, as whoever wrote it replaces it in time.

    Raises:
        LoadError: If its file cannot be read.
    """
    if config.get("workload_identity_token"):
        return str(config["workload_identity_token"])
    if not config.get("workload_identity_token_path"):
        return None
    path = Path(str(config["workload_identity_token_path"])).expanduser()
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise LoadError(f"Cannot read workload_identity_token_path {path}: {reason}.") from None
    secrets.remember(token)
    return token


def _speaks_of(way: _Method, config: Mapping[str, Any]) -> bool:
    return any(config.get(name) for group in way.takes for name in group if name != "user")
