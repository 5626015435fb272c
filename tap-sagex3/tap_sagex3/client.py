"""Requests to one Syracuse server: signed in, exact, and as patient as all taps are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from ml_connector.extract import GaveUpError, HttpError, HttpSettings, PoliteSession, TryAgain, transient

from tap_sagex3.auth import authorization
from tap_sagex3.errors import (
    RecordGone,
    Refused,
    SageX3Error,
    SignInRefused,
    StreamUnavailable,
    describes_no_record,
    diagnoses,
    is_absent,
    said_by,
    token_refused,
)
from tap_sagex3.tokens import Tokens

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    import requests

    from tap_sagex3.auth import Authorization

Judge: TypeAlias = "Callable[[Mapping[str, Any]], Exception | None]"

_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_TOO_LARGE: Final = 413
#: Decimals as they are written: no double ever holds an amount.
_decoder = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True)
class _Request:
    """A request before it is signed."""

    method: str
    url: str
    where: str
    headers: dict[str, str]
    body: bytes | None = None
    judge: Judge | None = None


class Client:
    """Sends requests to a server for one folder.

    Args:
        config: The tap's settings, revealed.
        folder: The endpoint's name.
        login: Signs the requests of all folders; made here if None.
        logger: Gets a line a retry.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        folder: str,
        login: Authorization | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self.base_url = str(config["base_url"]).rstrip("/")
        self.folder = folder
        settings = HttpSettings.from_config(config)
        self._http = PoliteSession(settings, logger=logger)
        self.login = login or make_login(config, settings, logger)
        self._reached = False

    def get(self, url: str, where: str) -> dict[str, Any]:
        """Ask the REST services.

        Args:
            url: The whole address.
            where: What is read, for errors.

        Returns:
            The decoded body.

        Raises:
            SignInRefused: The credentials do not work, not even with a fresh token.
            StreamUnavailable: The server has no such class or endpoint.
            Refused: The question is not to its liking.
            RecordGone: There is no such record.
            SageX3Error: Any other failure that outlived all attempts.
        """
        return self._signed(_Request("GET", url, where, {"Accept": "application/json"}))

    def post(self, url: str, where: str, body: bytes, judge: Judge) -> dict[str, Any]:
        """Ask GraphQL.

        Args:
            url: The whole address.
            where: What is read, for errors.
            body: The question as JSON.
            judge: Says what is wrong with an answer; `SageX3Error` itself is worth another attempt.

        Returns:
            The decoded body.

        Raises:
            As for `get`.
        """
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "x-xtrem-endpoint": self.folder,
        }
        return self._signed(_Request("POST", url, where, headers, body, judge))

    def close(self) -> None:
        """End the connections; requests that wait are given up."""
        self._http.close()

    def _signed(self, asked: _Request) -> dict[str, Any]:
        renewed = False
        while True:
            signed = self.login.headers()
            try:
                document = self._sent(asked, signed)
            except _Unauthorized as refusal:
                # a password that worked before may be tried once more; a new one not: accounts get locked
                if renewed or not (self.login.renewable or self._reached):
                    raise token_refused(refusal.status, refusal.text, renewed=renewed) from None
                # a token may end in the middle of a read: the same page is asked for with a fresh one
                self.login.refused(signed, refusal.date)
                renewed = True
            else:
                self._reached = True
                return document

    def _sent(self, asked: _Request, signed: dict[str, str]) -> dict[str, Any]:
        def read(response: requests.Response) -> dict[str, Any]:
            document = _read(response, asked.where)
            wrong = asked.judge(document) if asked.judge else None
            if type(wrong) is SageX3Error:
                raise TryAgain(str(wrong), final=wrong)
            if wrong is not None:
                raise wrong
            return document

        headers = {**asked.headers, **signed}
        try:
            return self._http.request(asked.method, asked.url, read=read, headers=headers, data=asked.body)
        except GaveUpError as error:
            raise SageX3Error(f"Reading {asked.where} failed: {error}") from error
        except HttpError as error:
            raise SageX3Error(str(error)) from error


def make_login(
    config: Mapping[str, Any], settings: HttpSettings, logger: logging.Logger | None = None
) -> Authorization:
    """Make what signs requests.

    Args:
        config: The tap's settings, revealed.
        settings: The connection settings, for the token endpoint.
        logger: Gets a line a retry.

    Raises:
        SignInRefused: A setting is missing.
    """

    def tokens() -> Tokens:
        # tokens are not data: they do not wait in the line of requests_per_minute
        http = PoliteSession(replace(settings, requests_per_minute=None), logger=logger)
        return Tokens(config, http)

    return authorization(config, tokens)


class _Unauthorized(Exception):  # noqa: N818 - a signal, not an error anybody is shown
    """The token, or the password, was refused."""

    def __init__(self, status: int, text: str, date: str | None) -> None:
        super().__init__(text)
        self.status, self.text, self.date = status, text, date


def _read(response: requests.Response, where: str) -> dict[str, Any]:
    """Judge an answer: HTTP 200 is not a success by itself (reference 1.5)."""
    status = response.status_code
    if status == _UNAUTHORIZED:
        raise _Unauthorized(status, response.text, response.headers.get("Date"))
    try:
        document = _decoder.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if status < _BAD_REQUEST:
            seen = "an empty body" if not response.content.strip() else f"a broken body ({error})"
            raise TryAgain(
                f"the server sent {seen}",
                final=SageX3Error(
                    f"Reading {where}: instead of data the server sent {seen}. Check base_url, and the"
                    " server's log if the address is right."
                ),
            ) from None
        document = None
    if status >= _BAD_REQUEST:
        raise _verdict(response, document, where)
    wrong = diagnoses(document)
    if wrong is not None:
        raise _diagnosed(wrong, where)
    if not isinstance(document, dict):
        raise SageX3Error(f"Reading {where}: the server sent JSON that is no object. Check base_url.")
    return document


def _verdict(response: requests.Response, document: object, where: str) -> Exception:
    status = response.status_code
    said = said_by(status, document, response.text)
    if is_absent(said) and status != _FORBIDDEN:
        return StreamUnavailable(f"{where}: {said}")
    if again := transient(response):
        again.final = SageX3Error(
            f"Reading {where} failed: {said}. An unknown endpoint, or a user without an X3 user, is answered"
            " like this too: check folders, and the user's mapping in Syracuse."
        )
        return again
    if status == _FORBIDDEN:
        return SignInRefused(
            f"{where}: {said}. The user lacks the right: give its X3 user access to the function, or deselect"
            " the stream; with an API gateway, check api_key."
        )
    if status == _NOT_FOUND:
        return StreamUnavailable(f"{where}: {said}")
    if status in {_BAD_REQUEST, _TOO_LARGE}:
        return Refused(f"{where}: {said}")
    return SageX3Error(f"Reading {where} failed: {said}")


def _diagnosed(wrong: str, where: str) -> Exception:
    """An error inside HTTP 200: permanent if it says so, else worth another attempt."""
    if describes_no_record(wrong):
        return RecordGone(f"{where}: {wrong}")
    if is_absent(wrong):
        return StreamUnavailable(f"{where}: {wrong}")
    return TryAgain(f"the server answered an error: {wrong}", final=SageX3Error(f"Reading {where}: {wrong}"))
