"""Tokens of Sage X3 Cloud, and the file that keeps the refresh token (reference sections 3.2 and 3.3)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from ml_connector.extract.errors import SignInRefused
from ml_connector.extract.http import GaveUpError, HttpError, TryAgain, transient
from ml_connector.secrets import encrypt, remember, reveal

from tap_sagex3.errors import SageX3Error, said_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests
    from ml_connector.extract.http import PoliteSession

DEFAULT_TOKEN_FILE: Final = "tap-sagex3-token.json"  # noqa: S105 - a file's name
LIFE: Final = 300.0
"""Seconds that an access token lives, where the endpoint does not say."""
_KEYS: Final = ("ML_CONNECTOR_KEY", "ML_CONNECTOR_KEY_FILE")
_OK: Final = 400


class Tokens:
    """Asks a token endpoint, and keeps the refresh token that each answer replaces.

    Args:
        config: The tap's settings, revealed.
        http: Sends the requests.
    """

    def __init__(self, config: Mapping[str, Any], http: PoliteSession) -> None:
        self._config = config
        self._http = http
        self._url = str(config["token_url"])
        self._file = TokenFile(
            Path(str(config.get("token_file") or DEFAULT_TOKEN_FILE)), str(config.get("refresh_token") or "")
        )

    def access(self) -> tuple[str, float]:
        """Get an access token.

        Returns:
            The token, and the seconds that it lives.

        Raises:
            SignInRefused: The endpoint refuses.
            SageX3Error: The new refresh token cannot be kept.
        """
        if self._config.get("auth") == "client_credentials":
            return self._answered(self._credentials())
        refresh = self._file.read()
        if not refresh:
            raise SignInRefused(
                "There is no refresh token: pair the application once with `tap-sagex3 --config ..."
                " --authorize`, or set refresh_token."
            )
        try:
            return self._refreshed(refresh)
        except SignInRefused:
            # another run may have used it up meanwhile, and kept its successor
            newer = self._file.read()
            if newer in {"", refresh}:
                raise
            return self._refreshed(newer)

    def pair(self, code: str) -> None:
        """Exchange the code of a pairing for the first refresh token, and keep it.

        Args:
            code: What the redirect brought.

        Raises:
            SignInRefused: The endpoint refuses.
        """
        self._answered(
            {
                "grant_type": "authorization_code",
                "code": code,
                **self._client(),
                "redirect_uri": str(self._config.get("redirect_uri") or ""),
            }
        )

    def _refreshed(self, refresh: str) -> tuple[str, float]:
        return self._answered({"grant_type": "refresh_token", "refresh_token": refresh, **self._client()})

    def _client(self) -> dict[str, str]:
        return {name: str(self._config[name]) for name in ("client_id", "client_secret")}

    def _credentials(self) -> dict[str, str]:
        found = {"grant_type": "client_credentials", **self._client()}
        audience = self._config.get("audience")
        return {**found, "audience": str(audience)} if audience else found

    def _answered(self, asked: dict[str, str]) -> tuple[str, float]:
        answer = self._asked(asked)
        token = _named(answer, "access_token", "accessToken")
        if not token:
            raise SignInRefused(f"{self._url} answers without an access token. Check token_url.")
        remember(str(token))
        if fresh := _named(answer, "refresh_token", "refreshToken"):
            remember(str(fresh))
            # before anything is read with the new pair: the old refresh token is dead
            self._file.write(str(fresh))
        life = _named(answer, "expires_in", "expiresIn")
        return str(token), float(life) if life else LIFE

    def _asked(self, asked: dict[str, str]) -> dict[str, Any]:
        def read(response: requests.Response) -> dict[str, Any]:
            return _judged(response, self._url)

        try:
            return self._http.request(
                "POST",
                self._url,
                read=read,
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                data=json.dumps(asked),
            )
        except (GaveUpError, HttpError) as error:
            raise SageX3Error(f"No token from {self._url}: {error}") from error


def authorise_url(config: Mapping[str, Any], state: str) -> str:
    """Where a person accepts the application, in a browser.

    Args:
        config: The tap's settings.
        state: A random text that comes back with the code.

    Returns:
        The address.
    """
    asked = {
        "client_id": config["client_id"],
        "scope": config.get("scope") or "api.graphQL user.?",
        "customer": config.get("base_url") or "",
        "redirect_uri": config.get("redirect_uri") or "",
        "state": state,
    }
    return f"{str(config['token_url']).rstrip('/')}/authorise?{urlencode(asked)}"


class TokenFile:
    """The refresh token that is valid now; the setting holds the first one only.

    The file is readable by its owner alone, and encrypted when a key is set.

    Args:
        path: The file.
        first: The setting `refresh_token`. A setting that changed is a new pairing: it counts, not the file.
    """

    def __init__(self, path: Path, first: str) -> None:
        self._path = path
        self._first = first
        self._mark = hashlib.sha256(first.encode()).hexdigest()[:16] if first else ""

    def read(self) -> str:
        """The token; empty if there is none.

        Raises:
            SageX3Error: The file cannot be read.
        """
        try:
            known = json.loads(self._path.read_text())
        except FileNotFoundError:
            return self._first
        except (OSError, ValueError) as error:
            raise SageX3Error(
                f"The token file {self._path} cannot be read ({error}). Mend it, or delete it and pair again."
            ) from error
        if self._first and known.get("first") != self._mark:
            return self._first
        found = reveal(str(known.get("refresh_token") or ""))
        remember(found)
        return found

    def write(self, token: str) -> None:
        """Keep a token, whole or not at all.

        Raises:
            SageX3Error: The file cannot be written.
        """
        kept = encrypt(token) if any(os.environ.get(name) for name in _KEYS) else token
        text = json.dumps({"refresh_token": kept, "first": self._mark})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # mkstemp makes it readable by its owner alone, from its first byte on
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}")
            try:
                with os.fdopen(handle, "w") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise
        except OSError as error:
            raise SageX3Error(
                f"The new refresh token cannot be kept in {self._path} ({error}), and the old one is used up:"
                " make the folder writable (setting token_file), then pair again with --authorize."
            ) from error


def code_of(text: str, state: str) -> str:
    """Take the code out of what a person pastes: the address of the redirect, or the code itself.

    Raises:
        SignInRefused: The redirect belongs to another pairing, or bears no code.
    """
    query = urlsplit(text.strip()).query
    if not query:
        return text.strip()
    parts = parse_qs(query)
    if parts.get("state") != [state]:
        raise SignInRefused("The address bears another state: it is of another pairing. Start again.")
    if not parts.get("code"):
        raise SignInRefused("The address bears no code: the application was not accepted.")
    return parts["code"][0]


def _judged(response: requests.Response, url: str) -> dict[str, Any]:
    if again := transient(response):
        raise again
    try:
        answer = msgspec.json.decode(response.content)
    except msgspec.DecodeError as error:
        if response.status_code < _OK:
            raise TryAgain(f"the token endpoint sent a broken body ({error})") from None
        answer = None
    if response.status_code >= _OK:
        said = said_by(response.status_code, answer, response.text)
        raise SignInRefused(
            f"{url} gives no token: {said}. Check client_id, client_secret and audience; a refresh token ends"
            " after 30 days or when the customer withdraws it: then pair again with --authorize."
        )
    return answer if isinstance(answer, dict) else {}


def _named(answer: Mapping[str, Any], *names: str) -> Any:
    """The spelling of the keys is not documented: both are met (reference 3.2)."""
    return next((answer[name] for name in names if answer.get(name)), None)
